//! The installation of Argo CD: the workloads and the ConfigMaps of its namespace.

use anyhow::Result;
use serde_json::{Value, json};

use super::connection::Cluster;
use super::kind::Kind;
use super::objects::Objects;
use crate::model::NamespaceName;

/// The hint for a user who may not read the installation.
const PERMISSION: &str =
    "use a kubeconfig whose user may list Deployments, StatefulSets and ConfigMaps in the namespace of Argo CD";

/// The kinds that an installation consists of, as far as it is checked; a cluster always has them.
static KINDS: [Kind; 3] = [
    kind("apps", "Deployment", "deployments", "Deployments"),
    kind("apps", "StatefulSet", "statefulsets", "StatefulSets"),
    kind("", "ConfigMap", "configmaps", "ConfigMaps"),
];

const fn kind(group: &'static str, kind: &'static str, plural: &'static str, title: &'static str) -> Kind {
    Kind {
        group,
        version: "v1",
        kind,
        plural,
        title,
        install_hint: "choose another cluster with --context",
        permission_hint: PERMISSION,
    }
}

/// Returns the Deployments, StatefulSets and ConfigMaps of a namespace, as `kubectl get` prints them.
///
/// # Errors
/// When the cluster cannot be reached, or does not allow it.
pub fn installation(cluster: &Cluster, namespace: &NamespaceName) -> Result<Vec<Value>> {
    let mut found = Vec::new();
    for kind in &KINDS {
        let api_version = kind.resource().api_version;
        for mut object in Objects::new(cluster, kind, namespace).list(None)? {
            // An item of a list of a built-in kind does not say what it is.
            object["apiVersion"] = json!(api_version);
            object["kind"] = json!(kind.kind);
            if let Some(metadata) = object["metadata"].as_object_mut() {
                metadata.remove("managedFields");
            }
            found.push(object);
        }
    }
    Ok(found)
}
