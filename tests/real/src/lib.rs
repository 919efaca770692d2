//! A real Kubernetes API and a real Argo CD as plain processes on 127.0.0.1. They start in seconds, and end without leaving
//! anything behind when their value is dropped or their owner is killed. The stories in `tests/stories` and
//! `cargo xtask demo --argocd` use them.
//!
//! | file | what it is for |
//! |---|---|
//! | `process` | a program that never outlives its owner |
//! | `folder` | a folder that never outlives its owner, except for its logs after a failure |
//! | `tools` | the paths of the real programs |
//! | `cluster` | etcd, API server, controller manager, scheduler, and fake nodes that behave like k3s's |
//! | `secrets` | the cluster's tokens, keys and certificates |
//! | `api` | a client of that cluster |
//! | `repo_server` | repo-servers with the plugin beside them; they render without a cluster |
//! | `sidecar` | the plugin's image as a pod runs it |
//! | `generate` | a client of a repo-server |
//! | `argocd` | repo-servers, the application controller, that of ApplicationSets and the commit server, on a cluster |
//! | `rollouts` | the controller of Argo Rollouts |
//! | `repository` | git repositories that Argo CD reads |
//! | `served` | files, charts and git repositories over HTTP |
//! | `state` | the objects of a cluster, for comparisons |
//! | `options` | the settings of a world |
//! | `measure` | measurements in a story |
//! | `record` | what happened to pods and claims, event by event |
//! | `world` | all of it together, with the steps of stories; `world/waiting` waits for conditions |
#![expect(
    clippy::disallowed_methods,
    reason = "this is the test's own world of files, variables and programs, not the program"
)]

pub mod api;
pub mod argocd;
pub mod cluster;
pub mod folder;
pub mod generate;
pub mod measure;
pub mod options;
pub mod process;
pub mod record;
pub mod repo_server;
pub mod repository;
mod rollouts;
mod secrets;
pub mod served;
pub mod sidecar;
pub mod state;
pub mod tools;
pub mod world;

pub use api::Api;
pub use cluster::Flavour;
pub use options::Options;
pub use repo_server::RepoServers;
pub use tools::{RenderTools, Tools};
pub use world::World;
