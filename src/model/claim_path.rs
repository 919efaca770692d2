//! A claim as the parameters `owns` and `writes` name it: `[NAMESPACE/]CLAIM`.

use std::fmt;
use std::str::FromStr;

use anyhow::Result;

use super::claim::ClaimRef;
use super::name::{ClaimName, NamespaceName};

/// Names a claim of the Application's destination namespace, or of another one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimPath {
    /// The namespace, where it is not the destination.
    pub namespace: Option<NamespaceName>,
    /// `metadata.name`.
    pub name: ClaimName,
}

impl ClaimPath {
    /// Returns the path of a claim for an Application with this destination.
    pub fn of(claim: &ClaimRef, destination: Option<&NamespaceName>) -> Self {
        Self {
            namespace: Some(claim.namespace.clone()).filter(|namespace| Some(namespace) != destination),
            name: claim.name.clone(),
        }
    }

    /// Reports whether it names a claim, for an Application with this destination.
    pub fn is(&self, claim: &ClaimRef, destination: Option<&NamespaceName>) -> bool {
        self.name == claim.name && self.namespace_in(destination) == Some(&claim.namespace)
    }

    /// Returns the namespace of the claim; `None` where neither it nor the destination says one.
    pub fn namespace_in<'a>(&'a self, destination: Option<&'a NamespaceName>) -> Option<&'a NamespaceName> {
        self.namespace.as_ref().or(destination)
    }

    /// Returns the name of the claim if it is in a namespace.
    pub fn name_in(&self, namespace: &str, destination: &str) -> Option<&ClaimName> {
        let own = self.namespace.as_ref().map_or(destination, NamespaceName::as_str);
        (own == namespace).then_some(&self.name)
    }
}

impl From<ClaimName> for ClaimPath {
    fn from(name: ClaimName) -> Self {
        Self { namespace: None, name }
    }
}

impl FromStr for ClaimPath {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (namespace, name) = match text.split_once('/') {
            Some((namespace, name)) => (Some(NamespaceName::new(namespace)?), name),
            None => (None, text),
        };
        let name = ClaimName::new(name)?;
        Ok(Self { namespace, name })
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => f.pad(&format!("{namespace}/{}", self.name)),
            None => f.pad(self.name.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Cluster;

    #[test]
    fn a_path_reads_and_prints_alike() {
        for text in ["media", "tv/media", "a.b"] {
            assert_eq!(text.parse::<ClaimPath>().unwrap().to_string(), text);
        }
        for (text, why) in [
            ("", "is empty"),
            ("/media", "Namespace name is empty"),
            ("tv/", "claim name is empty"),
            ("a/b/c", "not a Kubernetes name"),
            ("a.b/c", "not a Kubernetes name"),
        ] {
            let error = format!("{:#}", text.parse::<ClaimPath>().unwrap_err());
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn the_destination_needs_no_namespace() {
        let (tv, kitchen) = (
            NamespaceName::new("tv").unwrap(),
            NamespaceName::new("kitchen").unwrap(),
        );
        let claim = ClaimRef {
            cluster: Cluster::Local,
            namespace: tv.clone(),
            name: ClaimName::new("media").unwrap(),
        };
        let path = |destination| ClaimPath::of(&claim, destination).to_string();
        assert_eq!(
            (path(Some(&tv)), path(Some(&kitchen)), path(None)),
            ("media".to_owned(), "tv/media".to_owned(), "tv/media".to_owned())
        );
        let elsewhere = ClaimPath::of(&claim, None);
        assert_eq!(elsewhere.namespace_in(Some(&kitchen)), Some(&tv));
        let here = ClaimPath::from(claim.name.clone());
        assert!(elsewhere.is(&claim, Some(&kitchen)) && here.is(&claim, Some(&tv)));
        assert!(!here.is(&claim, Some(&kitchen)) && !here.is(&claim, None));
        assert!(elsewhere.name_in("tv", "kitchen").is_some() && elsewhere.name_in("kitchen", "kitchen").is_none());
    }
}
