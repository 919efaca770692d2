//! What the policy on writes refuses, among the workloads and pods of a cluster: the same condition as its own.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::held::registry;
use super::loss::OVER;
use crate::model::Object;
use crate::model::claim_use::claim_uses;
use crate::model::namespace::{REGISTRY_LABEL, WRITERS_PREFIX};
use crate::model::workload::pod_templates;
use crate::model::writer::{APP_LABEL, DEFAULT_ACCOUNT, SERVICE_ACCOUNT};

/// A pod, or a workload, that would write a claim of another Application.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ForeignWrite {
    /// The namespace of both.
    pub namespace: String,
    /// The kind of the pod or workload.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The Application in the label of its pods; `None` where there is no label.
    pub app: Option<String>,
    /// The claim.
    pub claim: String,
    /// The Application that owns the claim.
    pub owner: String,
}

/// Whose the claims of one Namespace are, and who else writes them.
#[derive(Clone, Debug)]
pub struct Registered<'o> {
    owners: BTreeMap<String, String>,
    namespace: &'o Object,
}

impl<'o> Registered<'o> {
    /// Returns the registry of a Namespace; nothing where the policy does not count in it.
    pub fn of(namespace: &'o Object) -> Option<Self> {
        namespace.label(REGISTRY_LABEL)?;
        Some(Self {
            owners: registry(namespace),
            namespace,
        })
    }

    /// Returns the claims that a pod, or a workload, of this Namespace would write and does not have.
    pub fn foreign_writes(&self, object: &Object) -> Vec<ForeignWrite> {
        let templates = pod_templates(object);
        let Some(template) = templates.first() else {
            return Vec::new();
        };
        let app = template.label(APP_LABEL).filter(|app| !app.is_empty());
        let account = template.spec.get("serviceAccountName").and_then(Value::as_str);
        let account = format!("{SERVICE_ACCOUNT}{}", account.unwrap_or(DEFAULT_ACCOUNT));
        let may_write = |claim: &str, owner: &str| {
            let writers = self.namespace.annotation(&format!("{WRITERS_PREFIX}{claim}"));
            let mut writers = writers.unwrap_or_default().split(',');
            app == Some(owner) || writers.any(|writer| writer == account || app == Some(writer))
        };
        let uses = claim_uses(object);
        let written = uses.volumes.iter().filter(|volume| volume.is_written());
        let claims: BTreeSet<&str> = written.map(|volume| volume.claim).collect();
        let owned = claims
            .into_iter()
            .filter_map(|claim| Some((claim, self.owners.get(claim)?)));
        let foreign = owned.filter(|(claim, owner)| !may_write(claim, owner));
        foreign
            .map(|(claim, owner)| ForeignWrite {
                namespace: self.namespace.name().to_owned(),
                kind: object.kind().to_owned(),
                name: object.name().to_owned(),
                app: app.map(str::to_owned),
                claim: claim.to_owned(),
                owner: owner.clone(),
            })
            .collect()
    }
}

/// Reports whether a pod or workload writes nothing any more, and makes no pods: a pod or Job that has ended, a ReplicaSet that its
/// Deployment has left.
pub fn is_over(object: &Object) -> bool {
    match object.kind() {
        "Pod" => {
            let phase = object.at("/status/phase").and_then(Value::as_str);
            phase.is_some_and(|phase| OVER.contains(&phase))
        }
        "Job" => has_condition(object, &["Complete", "Failed"]).is_some(),
        "ReplicaSet" => {
            let owners = object.at("/metadata/ownerReferences").and_then(Value::as_array);
            let count = |pointer: &'static str| object.at(pointer).and_then(Value::as_u64).unwrap_or(0);
            owners.is_some_and(|owners| !owners.is_empty())
                && count("/spec/replicas") == 0
                && count("/status/replicas") == 0
        }
        _ => false,
    }
}

/// Returns the condition of an object's status that is one of these types, and true.
pub fn has_condition<'o>(object: &'o Object, types: &[&str]) -> Option<&'o Value> {
    let conditions = object.at("/status/conditions").and_then(Value::as_array)?;
    conditions.iter().find(|condition| {
        let is_meant = condition["type"].as_str().is_some_and(|name| types.contains(&name));
        is_meant && condition["status"] == "True"
    })
}

/// Returns the writes that would be refused among live workloads and pods, by their Namespaces, in order.
pub fn foreign_writes<'o>(
    namespaces: &'o [Object],
    objects: impl IntoIterator<Item = &'o Object>,
) -> Vec<ForeignWrite> {
    let registered = namespaces
        .iter()
        .filter_map(|namespace| Some((namespace.name(), Registered::of(namespace)?)));
    let registered: BTreeMap<&str, Registered<'_>> = registered.collect();
    let live = objects.into_iter().filter(|object| !is_over(object));
    let writes = live.filter_map(|object| Some(registered.get(object.namespace()?)?.foreign_writes(object)));
    let mut writes: Vec<ForeignWrite> = writes.flatten().collect();
    writes.sort();
    writes
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn namespace() -> Object {
        Object::new(
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "media",
            "labels": {"storage.home.arpa/registry": "v1", "owner.storage.home.arpa/films": "fetcher", "owner.storage.home.arpa/none": ""},
            "annotations": {"writers.storage.home.arpa/films": "sorter,serviceaccount:mover"}}}),
        )
    }

    fn pod(labels: Value, spec: Value, claim: &str) -> Object {
        let mut tree = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "media", "labels": labels},
            "spec": {"containers": [{"name": "c", "volumeMounts": [{"name": "d", "mountPath": "/d"}]}],
                "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": claim}}]}});
        if let (Some(to), Value::Object(from)) = (tree["spec"].as_object_mut(), spec) {
            to.extend(from);
        }
        Object::new(tree)
    }

    #[test]
    fn who_may_write_is_in_the_registry() {
        let app = |name: &str| json!({"storage.home.arpa/app": name});
        for (labels, spec, claim, is_refused) in [
            (json!({}), json!({}), "films", true),
            (app(""), json!({}), "films", true),
            (app("player"), json!({}), "films", true),
            (app("fetcher"), json!({}), "films", false),
            (app("sorter"), json!({}), "films", false),
            (json!({}), json!({"serviceAccountName": "mover"}), "films", false),
            (json!({}), json!({"serviceAccountName": "other"}), "films", true),
            (json!({}), json!({}), "scratch", false),
            (json!({}), json!({}), "none", false),
            (json!({}), json!({"containers": [{"name": "c"}]}), "films", false),
        ] {
            let pod = pod(labels, spec, claim);
            let (namespaces, pods) = ([namespace()], [pod]);
            let writes = foreign_writes(&namespaces, &pods);
            assert_eq!(!writes.is_empty(), is_refused, "{:?}", pods[0]);
        }
    }

    #[test]
    fn a_namespace_without_the_label_is_passed_by() {
        let mut tree = namespace().into_tree();
        tree["metadata"]["labels"]
            .as_object_mut()
            .unwrap()
            .shift_remove("storage.home.arpa/registry");
        let (namespaces, pods) = ([Object::new(tree)], [pod(json!({}), json!({}), "films")]);
        assert!(foreign_writes(&namespaces, &pods).is_empty());
    }

    #[test]
    fn what_has_ended_does_not_count() {
        let object = |kind: &str, more: Value| {
            let mut tree =
                json!({"kind": kind, "metadata": {"name": "x", "ownerReferences": [{"kind": "Deployment"}]}});
            if let (Some(to), Value::Object(from)) = (tree.as_object_mut(), more) {
                to.extend(from);
            }
            Object::new(tree)
        };
        for (kind, more, expected) in [
            ("Pod", json!({"status": {"phase": "Succeeded"}}), true),
            ("Pod", json!({"status": {"phase": "Running"}}), false),
            (
                "Job",
                json!({"status": {"conditions": [{"type": "Complete", "status": "True"}]}}),
                true,
            ),
            (
                "Job",
                json!({"status": {"conditions": [{"type": "Complete", "status": "False"}]}}),
                false,
            ),
            ("ReplicaSet", json!({"spec": {"replicas": 0}}), true),
            (
                "ReplicaSet",
                json!({"spec": {"replicas": 0}, "status": {"replicas": 1}}),
                false,
            ),
            ("ReplicaSet", json!({"spec": {"replicas": 1}}), false),
            ("Deployment", json!({"spec": {"replicas": 0}}), false),
        ] {
            assert_eq!(is_over(&object(kind, more)), expected, "{kind}");
        }
    }
}
