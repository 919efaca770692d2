//! Namespaces, and the ownership registry that they carry.
//!
//! The registry answers, inside the cluster and without an additional service, who owns a claim: one label for each owned
//! claim, one annotation for each claim with writers besides its owner.

use std::collections::{BTreeMap, BTreeSet};

use super::name::{AppName, ClaimName, NamespaceName};
use super::object::Object;
use super::writer::Writer;

/// Label: the version of the registry that the Namespace has.
pub const REGISTRY_LABEL: &str = "storage.home.arpa/registry";
/// Version of the registry.
pub const REGISTRY_VERSION: &str = "v1";
/// Prefix of the label `owner.storage.home.arpa/<claim>: <app>`.
pub const OWNER_PREFIX: &str = "owner.storage.home.arpa/";
/// Prefix of the annotation `writers.storage.home.arpa/<claim>: app-b,app-c,serviceaccount:mover`.
pub const WRITERS_PREFIX: &str = "writers.storage.home.arpa/";
/// Longest name part of a label or annotation key
/// ([syntax](https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set)).
pub const KEY_NAME_MAX: usize = 63;

/// Reports whether an object is a Namespace.
pub fn is_namespace(object: &Object) -> bool {
    object.is("", "Namespace")
}

/// What the parameters of a repository's Applications contain about the claims of one namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registry {
    /// The owner of each claim.
    pub owners: BTreeMap<ClaimName, AppName>,
    /// Who besides the owner may write a claim, sorted.
    pub writers: BTreeMap<ClaimName, BTreeSet<Writer>>,
}

/// The registries of all destination namespaces.
pub type Registries = BTreeMap<NamespaceName, Registry>;

impl Registry {
    /// Returns the labels of the Namespace, claims whose name is too long for a label key left out.
    pub fn labels(&self) -> BTreeMap<String, String> {
        let owners = self.owners.iter().filter(|(claim, _)| fits_key(claim));
        std::iter::once((REGISTRY_LABEL.to_owned(), REGISTRY_VERSION.to_owned()))
            .chain(owners.map(|(claim, app)| (format!("{OWNER_PREFIX}{claim}"), app.to_string())))
            .collect()
    }

    /// Returns the annotations of the Namespace.
    pub fn annotations(&self) -> BTreeMap<String, String> {
        let writers = self
            .writers
            .iter()
            .filter(|(claim, apps)| fits_key(claim) && !apps.is_empty());
        writers
            .map(|(claim, apps)| {
                let apps: Vec<String> = apps.iter().map(ToString::to_string).collect();
                (format!("{WRITERS_PREFIX}{claim}"), apps.join(","))
            })
            .collect()
    }

    /// Returns the claims that no label key can hold.
    pub fn left_out(&self) -> impl Iterator<Item = &ClaimName> {
        self.owners.keys().filter(|claim| !fits_key(claim))
    }
}

fn fits_key(claim: &ClaimName) -> bool {
    claim.as_str().len() <= KEY_NAME_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_becomes_labels_and_annotations() {
        let mut registry = Registry::default();
        let claim = |name: &str| ClaimName::new(name).unwrap();
        let app = |name: &str| AppName::new(name).unwrap();
        registry.owners.insert(claim("media"), app("fetcher"));
        registry.owners.insert(claim(&"x".repeat(64)), app("fetcher"));
        registry.writers.insert(
            claim("media"),
            BTreeSet::from([Writer::App(app("sonarr")), Writer::App(app("radarr"))]),
        );
        let labels = registry.labels();
        assert_eq!(labels["storage.home.arpa/registry"], "v1");
        assert_eq!(labels["owner.storage.home.arpa/media"], "fetcher");
        assert_eq!(labels.len(), 2);
        assert_eq!(
            registry.annotations()["writers.storage.home.arpa/media"],
            "radarr,sonarr"
        );
        assert_eq!(registry.left_out().count(), 1);
    }
}
