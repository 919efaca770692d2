//! A cluster of Argo CD as somebody declares it, without the login that its Secret has.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::clusters::{SECRET_TYPE, is_secret};
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
    /// Reads a Secret that describes a cluster, without its login; `None` for another object.
    ///
    /// # Errors
    /// When it has no name or no server, or one that is no text. No message contains a value.
    pub fn of_secret(secret: &Object) -> Option<Result<Self>> {
        is_secret(secret).then(|| Self::of_fields(secret))
    }

    fn of_fields(secret: &Object) -> Result<Self> {
        let needed = |key: &str| match data(secret, key)? {
            Some(text) if !text.is_empty() => Ok(text),
            _ => bail!("the Secret of a cluster has no `{key}`"),
        };
        let texts = |key: &str| {
            let map = secret.tree()["metadata"][key].as_object().into_iter().flatten();
            let texts = map.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
            texts.collect()
        };
        Ok(Self {
            name: needed("name")?,
            server: needed("server")?,
            project: data(secret, "project")?.filter(|project| !project.is_empty()),
            labels: texts("labels"),
            annotations: texts("annotations"),
        })
    }

    /// Reports whether another one has its name or its server.
    pub fn is_twin_of(&self, other: &Self) -> bool {
        self.name == other.name || self.server.trim_end_matches('/') == other.server.trim_end_matches('/')
    }

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

/// Returns an entry of a Secret as text.
fn data(secret: &Object, key: &str) -> Result<Option<String>> {
    if let Some(text) = secret.tree()["stringData"][key].as_str() {
        return Ok(Some(text.to_owned()));
    }
    let Some(value) = secret.tree()["data"].get(key) else {
        return Ok(None);
    };
    let decoded = value.as_str().and_then(|text| STANDARD.decode(text).ok());
    let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    let text = text.ok_or_else(|| anyhow!("`{key}` of the Secret of a cluster is no text in base64"))?;
    Ok(Some(text))
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
        let read = DeclaredCluster::of_secret(&secret).unwrap().unwrap();
        assert_eq!(
            (read.name, read.server, read.project),
            (whole.name, whole.server, whole.project)
        );
        assert_eq!(
            (read.labels["env"].as_str(), read.annotations),
            ("prod", whole.annotations)
        );
    }
    #[test]
    fn a_secret_is_read_without_its_login_and_without_its_values_in_messages() {
        let secret = |kind: &str, data: serde_json::Value| {
            Object::new(json!({"apiVersion": "v1", "kind": kind, "data": data,
                "metadata": {"name": "a", "labels": {SECRET_TYPE: "cluster"}}}))
        };
        let whole =
            json!({"name": STANDARD.encode("nas"), "server": STANDARD.encode("https://nas.lan"), "config": "e30="});
        let read = DeclaredCluster::of_secret(&secret("Secret", whole.clone()))
            .unwrap()
            .unwrap();
        assert_eq!((read.name.as_str(), read.server.as_str()), ("nas", "https://nas.lan"));
        assert!(DeclaredCluster::of_secret(&secret("ConfigMap", whole)).is_none());
        for (data, message) in [
            (
                json!({"name": STANDARD.encode("nas")}),
                "the Secret of a cluster has no `server`",
            ),
            (
                json!({"name": "hunter2!"}),
                "`name` of the Secret of a cluster is no text in base64",
            ),
        ] {
            let error = DeclaredCluster::of_secret(&secret("Secret", data))
                .unwrap()
                .unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }
}
