//! The promises of the README, kept in a real Argo CD on a real Kubernetes API. Each story names the control that shows
//! that it could fail.

mod drift;
mod producer;
mod rebuilt;
