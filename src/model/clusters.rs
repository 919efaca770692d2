//! The clusters of a repository: which name means which API server.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::application::Application;
use super::cluster::{Cluster, LOCAL_NAME, LOCAL_SERVER};
use super::object::Object;

/// Label of the Secrets that describe clusters to Argo CD; its value is `cluster`
/// ([source](https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/#clusters)).
pub const SECRET_TYPE: &str = "argocd.argoproj.io/secret-type";

/// The clusters whose name and API server are known together, from the Secrets that describe them.
#[derive(Clone, Debug, Default)]
pub struct Clusters(BTreeMap<String, Cluster>);

impl Clusters {
    /// Reads the Secrets among these objects.
    pub fn of_secrets<'o>(objects: impl IntoIterator<Item = &'o Object>) -> Self {
        let secrets = objects.into_iter().filter(|object| is_secret(object));
        let pairs = secrets.filter_map(|object| Some((field(object, "name")?, field(object, "server")?)));
        Self(
            pairs
                .map(|(name, server)| (name, Cluster::of_server(&server)))
                .collect(),
        )
    }

    /// Returns the cluster of an Application's destination; the one that Argo CD runs in where it names none.
    pub fn of(&self, app: &Application<'_>) -> Cluster {
        match (app.destination_server(), app.destination_name()) {
            (Some(server), _) => Cluster::of_server(server),
            (None, Some(name)) => match self.0.get(name) {
                Some(cluster) => cluster.clone(),
                None if name == LOCAL_NAME => Cluster::Local,
                None => Cluster::Name(name.to_owned()),
            },
            (None, None) => Cluster::Local,
        }
    }

    /// Returns the destination of an Application; `None` where it names no cluster, or names it twice.
    pub fn destination(&self, app: &Application<'_>) -> Option<Destination> {
        let (server, name) = match (app.destination_server(), app.destination_name()) {
            (Some(server), None) => (Some(server.trim_end_matches('/').to_owned()), self.name(&self.of(app))),
            (None, Some(name)) => (server(&self.of(app)), Some(name.to_owned())),
            _ => return None,
        };
        let namespace = app.destination_namespace().unwrap_or_default().to_owned();
        Some(Destination {
            server,
            name,
            namespace,
        })
    }

    /// Returns the name of a cluster, where it is known.
    fn name(&self, cluster: &Cluster) -> Option<String> {
        let mut declared = self.0.iter().filter(|(_, other)| *other == cluster);
        let local = || cluster.is_local().then(|| LOCAL_NAME.to_owned());
        declared.next().map(|(name, _)| name.clone()).or_else(local)
    }
}

/// Returns the API server of a cluster, where it is known.
fn server(cluster: &Cluster) -> Option<String> {
    match cluster {
        Cluster::Local | Cluster::OfRoot(_) => Some(LOCAL_SERVER.to_owned()),
        Cluster::Server(server) => Some(server.clone()),
        Cluster::Name(_) => None,
    }
}

/// Where an Application is deployed to: a cluster, by what Argo CD knows of it as far as the repository says it, and a namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Destination {
    /// The URL of the API server.
    pub server: Option<String>,
    /// The cluster's name.
    pub name: Option<String>,
    /// The namespace; empty where there is none.
    pub namespace: String,
}

/// Reports whether an object is a Secret that describes a cluster.
pub fn is_secret(object: &Object) -> bool {
    object.is("", "Secret") && object.label(SECRET_TYPE) == Some("cluster")
}

/// Returns a field of a Secret as text.
pub fn field(secret: &Object, name: &str) -> Option<String> {
    let text = |section: &str| {
        let value = secret.tree().get(section)?.get(name).and_then(Value::as_str)?;
        Some(value.trim().to_owned()).filter(|text| !text.is_empty())
    };
    text("stringData").or_else(|| String::from_utf8(STANDARD.decode(text("data")?).ok()?).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn app(destination: Value) -> Object {
        Object::new(
            json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "a"},
            "spec": {"destination": destination}}),
        )
    }

    fn secret(section: &str, fields: Value) -> Object {
        Object::new(
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "nas", "labels": {SECRET_TYPE: "cluster"}},
            section: fields}),
        )
    }

    #[test]
    fn clusters_are_known_by_server_or_name() {
        let of = |destination: Value| Clusters::default().of(&Application::new(&app(destination)).unwrap());
        for local in [
            json!({"server": "https://kubernetes.default.svc"}),
            json!({"server": "https://kubernetes.default.svc/"}),
            json!({"name": "in-cluster"}),
            json!({}),
        ] {
            assert_eq!(of(local), Cluster::Local);
        }
        let [nas, also] = ["https://nas.lan:6443", "https://nas.lan:6443/"].map(|server| of(json!({"server": server})));
        assert_eq!(nas, also);
        let (one, two) = (of(json!({"name": "one"})), of(json!({"name": "two"})));
        assert!(!nas.may_be(&Cluster::Local) && !one.may_be(&two) && !one.may_be(&Cluster::Local));
        assert!(nas.may_be(&one) && one.may_be(&nas), "nobody knows");
    }

    #[test]
    fn a_secret_pairs_name_and_server() {
        let encoded = json!({"name": STANDARD.encode("nas"), "server": STANDARD.encode("https://nas.lan:6443")});
        for secret in [
            secret("stringData", json!({"name": "nas", "server": "https://nas.lan:6443"})),
            secret("data", encoded),
        ] {
            let clusters = Clusters::of_secrets([&secret]);
            let of = |destination: Value| clusters.of(&Application::new(&app(destination)).unwrap());
            assert_eq!(
                of(json!({"name": "nas"})),
                of(json!({"server": "https://nas.lan:6443"}))
            );
            assert_eq!(of(json!({"name": "other"})), Cluster::Name("other".to_owned()));
        }
        let renamed = secret("stringData", json!({"name": "home", "server": LOCAL_SERVER}));
        let clusters = Clusters::of_secrets([&renamed]);
        assert_eq!(
            clusters.of(&Application::new(&app(json!({"name": "home"}))).unwrap()),
            Cluster::Local
        );
    }
}
