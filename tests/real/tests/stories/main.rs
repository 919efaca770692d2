//! The promises of the README, kept in a real Argo CD on a real Kubernetes API. Each story names the control that shows
//! that it could fail.

mod claims;
mod deletion;
mod drift;
mod failures;
mod namespaces;
mod producer;
mod rebuilt;
mod refused;
mod replaced;
