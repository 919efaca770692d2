//! A kind of objects, and how to name it to users.

use kube::api::ApiResource;

/// A kind of objects that a cluster may have.
#[derive(Debug)]
pub(super) struct Kind {
    /// The API group.
    pub(super) group: &'static str,
    /// The version in the group.
    pub(super) version: &'static str,
    /// The kind, as in manifests.
    pub(super) kind: &'static str,
    /// The name in URLs.
    pub(super) plural: &'static str,
    /// The objects in messages, as `Applications of Argo CD`.
    pub(super) title: &'static str,
    /// The hint for a cluster that does not have the kind.
    pub(super) install_hint: &'static str,
    /// The hint for a user who may not do what a command does.
    pub(super) permission_hint: &'static str,
}

impl Kind {
    /// Returns the kind in kube's words.
    pub(super) fn resource(&self) -> ApiResource {
        let api_version = match self.group {
            "" => self.version.to_owned(),
            group => format!("{group}/{}", self.version),
        };
        ApiResource {
            group: self.group.to_owned(),
            version: self.version.to_owned(),
            api_version,
            kind: self.kind.to_owned(),
            plural: self.plural.to_owned(),
        }
    }
}
