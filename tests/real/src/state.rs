//! The objects of a cluster, without what differs between two clusters that were created from the same repository.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::Value;

use crate::cluster::Cluster;

/// Objects that come and go by themselves, or that only describe the cluster's own machines; a trust bundle has the
/// fingerprint of the cluster's authority in its name.
const FLEETING: [&str; 8] = [
    "CSINode",
    "ClusterTrustBundle",
    "EndpointSlice",
    "Endpoints",
    "Event",
    "IPAddress",
    "Lease",
    "Node",
];

/// Fields whose value the cluster chooses.
const CHOSEN: [&str; 12] = [
    "ca.crt",
    "client-ca-file",
    "clusterIP",
    "clusterIPs",
    "creationTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "status",
    "uid",
    "volumeName",
];

/// Returns every object without an owner among the objects, by kind, namespace and name: what a user or Argo CD applied, and
/// what the cluster created. The name of a volume is that of its claim.
pub fn objects(cluster: &Cluster) -> Result<BTreeMap<String, Value>> {
    let kinds = cluster.kubectl(&["api-resources", "--verbs=list", "--output=name"], None)?;
    let kinds: Vec<&str> = kinds.lines().collect();
    let list = cluster.kubectl(&["get", &kinds.join(","), "--all-namespaces", "--output=json"], None)?;
    let list: Value = serde_json::from_str(&list)?;
    let mut objects = BTreeMap::new();
    for object in list["items"].as_array().into_iter().flatten() {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let kind = text("/kind");
        if FLEETING.contains(&kind) || object.pointer("/metadata/ownerReferences").is_some() {
            continue;
        }
        let name = match kind {
            "PersistentVolume" => text("/spec/claimRef/name"),
            _ => text("/metadata/name"),
        };
        let key = format!("{kind} {}/{name}", text("/metadata/namespace"));
        if key == "Service default/kubernetes" {
            continue;
        }
        objects.insert(key, lasting(object));
    }
    Ok(objects)
}

/// Returns a value without the fields that the cluster chooses, and with the fields of `status` that show success or failure.
fn lasting(object: &Value) -> Value {
    let mut value = object.clone();
    strip(&mut value);
    if value["kind"] == "PersistentVolume" {
        value["metadata"]["name"] = Value::Null;
        value["spec"]["hostPath"] = Value::Null;
    }
    for pointer in ["/status/phase", "/status/sync/status", "/status/health/status"] {
        if let Some(word) = object.pointer(pointer) {
            value[pointer] = word.clone();
        }
    }
    value
}

/// Removes the fields that the cluster chooses.
pub fn strip(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| {
                let of_the_volume_controllers = [
                    "pv.kubernetes.io/",
                    "volume.kubernetes.io/",
                    "volume.beta.kubernetes.io/",
                ];
                !CHOSEN.contains(&name.as_str())
                    && !of_the_volume_controllers.iter().any(|group| name.starts_with(group))
            });
            fields.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

/// Returns a value without empty fields: Argo CD leaves those out of what it compared.
pub(crate) fn without_empty(value: &Value) -> Value {
    let is_empty = |value: &Value| match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Null => true,
        value => value == "" || value == false,
    };
    match value {
        Value::Array(items) => items.iter().map(without_empty).collect(),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), without_empty(value)));
            Value::Object(fields.filter(|(_, value)| !is_empty(value)).collect())
        }
        value => value.clone(),
    }
}
