//! The terms of the field: names, objects, Applications, claims, workloads, ownership. No text, no files, no patches.

pub mod application;
pub mod argocd_schema;
pub mod availability;
pub mod claim;
pub mod claim_use;
pub mod cluster;
pub mod clusters;
pub mod directory;
pub mod label;
pub mod live;
pub mod made_claims;
pub mod name;
pub mod namespace;
pub mod native;
pub mod object;
pub mod ownership;
pub mod parameter;
pub mod patch_target;
pub mod pointer;
pub mod repo_url;
pub mod sidecar;
pub mod spelling;
pub mod sync;
pub mod variable;
pub mod version;
pub mod workload;

pub use application::{Application, Source};
pub use availability::{AppRenders, Availability, Unavailable};
pub use claim::ClaimRef;
pub use cluster::Cluster;
pub use clusters::Clusters;
pub use live::LiveApplication;
pub use name::{AppName, ClaimName, NamespaceName};
pub use object::{Object, ObjectRef};
pub use pointer::{AsPointer, Pointer, PointerBuf, PointerExt};
