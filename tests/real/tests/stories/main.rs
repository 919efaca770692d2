//! The promises of the README, tested in a real Argo CD on a real Kubernetes API. Each story names the control that shows
//! that it can fail.
#![expect(clippy::unwrap_used, reason = "what a story can't do fails it, in its words too")]

mod adopted;
mod claims;
mod commands;
mod custom_kinds;
mod deletion;
mod drift;
mod failures;
mod hydrated;
mod installed;
mod kustomized;
mod locked;
mod many;
mod moved;
mod namespaces;
mod nodes;
mod outcomes;
mod producer;
mod rebuilt;
mod refused;
mod removed;
mod replaced;
mod sets;
mod spelled;
mod upgraded;
mod values_in_git;
mod verbs;
