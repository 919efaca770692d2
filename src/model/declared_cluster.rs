//! A cluster of Argo CD as somebody declares it, without the login that its Secret has.

use std::collections::BTreeMap;

use serde_json::json;

use super::clusters::SECRET_TYPE;
use super::object::Object;

/// A cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeclaredCluster {
    /// Its name in Argo CD.
    pub name: String,
    /// The URL of its API server.
    pub server: String,
    /// The project that it belongs to, if it belongs to one alone.
    pub project: Option<String>,
    /// The labels of its Secret.
    pub labels: BTreeMap<String, String>,
    /// The annotations of its Secret.
    pub annotations: BTreeMap<String, String>,
}

impl DeclaredCluster {
    /// Returns the Secret that would describe it to Argo CD
    /// ([source](https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/#clusters)).
    pub fn secret(&self) -> Object {
        let mut labels = self.labels.clone();
        labels.insert(SECRET_TYPE.to_owned(), "cluster".to_owned());
        let mut tree = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": self.name, "labels": labels},
            "stringData": {"name": self.name, "server": self.server},
        });
        if !self.annotations.is_empty() {
            tree["metadata"]["annotations"] = json!(self.annotations);
        }
        if let Some(project) = &self.project {
            tree["stringData"]["project"] = json!(project);
        }
        Object::new(tree)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::clusters;

    #[test]
    fn a_secret_says_what_was_declared() {
        let bare = DeclaredCluster {
            name: "nas".to_owned(),
            server: "https://nas.lan:6443".to_owned(),
            ..DeclaredCluster::default()
        };
        let secret = bare.secret();
        assert!(clusters::is_secret(&secret));
        assert_eq!(
            secret.tree()["stringData"],
            json!({"name": "nas", "server": "https://nas.lan:6443"})
        );
        let whole = DeclaredCluster {
            project: Some("home".to_owned()),
            labels: BTreeMap::from([("env".to_owned(), "prod".to_owned())]),
            annotations: BTreeMap::from([("a".to_owned(), "b".to_owned())]),
            ..bare
        };
        let secret = whole.secret();
        assert_eq!(secret.label("env"), Some("prod"));
        assert_eq!(secret.tree()["metadata"]["annotations"], json!({"a": "b"}));
        assert_eq!(secret.tree()["stringData"]["project"], "home");
    }
}
