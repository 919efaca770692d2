//! Workloads: where an object keeps its pod template, and which claims that template mounts, how.

use serde_json::Value;

use super::claim::is_claim;
use super::claim_use::{Embedded, claim_uses};
use super::made_claims::claim_templates;
use super::name::ClaimName;
use super::object::Object;
use super::pointer::PointerBuf;
use super::writer::APP_LABEL;

/// The lists of containers of a pod spec; each entry has `volumeMounts`.
pub const CONTAINER_LISTS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

/// Returns the entries of `volumeMounts` of a container.
pub fn mounts(container: &Value) -> &[Value] {
    let mounts = container.get("volumeMounts").and_then(Value::as_array);
    mounts.map_or(&[], Vec::as_slice)
}

/// Returns the Applications that the labels of an object's pod templates name.
pub fn stamps(object: &Object) -> Vec<&str> {
    let templates = pod_templates(object);
    templates
        .iter()
        .filter_map(|template| template.label(APP_LABEL))
        .collect()
}

/// A pod spec inside an object.
#[derive(Clone, Debug)]
pub struct PodTemplate<'o> {
    /// The manifest that it is of: the object, or one inside it.
    pub manifest: Embedded<'o>,
    /// JSON Pointer of the pod spec.
    pub pointer: PointerBuf,
    /// The pod spec.
    pub spec: &'o Value,
    /// The map that has the pod spec, and `metadata` where it is a pod's template.
    template: Option<&'o Value>,
    /// The names of a StatefulSet's `volumeClaimTemplates`, whose volumes the controller replaces.
    pub claim_templates: Vec<&'o str>,
}

/// A volume of a pod template that names a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimVolume<'o> {
    /// Index in `spec.volumes`.
    pub index: usize,
    /// `name` of the volume.
    pub name: &'o str,
    /// `persistentVolumeClaim.claimName`, as written: it may be empty or a template's left-over.
    pub claim: &'o str,
    /// Whether `persistentVolumeClaim.readOnly` is `true`.
    pub read_only: bool,
}

/// The places of the pod specs of Kubernetes' own kinds, and of those that are made like them.
pub const USUAL_PLACES: [&str; 3] = ["/spec", "/spec/template/spec", "/spec/jobTemplate/spec/template/spec"];

/// Finds the pod specs of an object, in any kind: maps with a list `containers`.
pub fn pod_templates(object: &Object) -> Vec<PodTemplate<'_>> {
    let pods = claim_uses(object).pods.into_iter();
    pods.filter_map(|pod| {
        let spec = object.at(&pod.pointer)?;
        let template = pod.pointer.parent().and_then(|parent| object.at(parent));
        Some(PodTemplate {
            manifest: pod.manifest,
            spec,
            template,
            pointer: pod.pointer,
            claim_templates: pod.claim_templates,
        })
    })
    .collect()
}

/// Returns the claims that the StatefulSet controller makes of `volumeClaimTemplates`: `<template>-<set>-<ordinal>` for
/// each replica ([source](https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#stable-storage)).
pub fn claims_of_templates(object: &Object) -> Vec<ClaimName> {
    let number = |pointer: &'static str| object.at(pointer).and_then(Value::as_u64);
    let first = number("/spec/ordinals/start").unwrap_or(0);
    let replicas = number("/spec/replicas").unwrap_or(1).clamp(1, REPLICAS_SHOWN);
    claim_templates(object.group(), object.kind(), object.tree())
        .flat_map(|template| {
            (first..first + replicas).map(move |ordinal| format!("{template}-{}-{ordinal}", object.name()))
        })
        .filter_map(|name| ClaimName::new(name).ok())
        .collect()
}

/// Returns the claims that an object brings: a claim brings itself, a StatefulSet those that its controller makes for each
/// replica. A name that Kubernetes refuses is left out.
pub fn brought_claims(object: &Object) -> Vec<ClaimName> {
    let itself = is_claim(object).then(|| ClaimName::new(object.name()).ok());
    itself
        .flatten()
        .into_iter()
        .chain(claims_of_templates(object))
        .collect()
}

/// The most replicas of a StatefulSet that are counted; the bound keeps a wrong number from filling the memory.
const REPLICAS_SHOWN: u64 = 100;

/// Returns when the StatefulSet controller deletes the claims that it made: `whenDeleted`, `whenScaled`, or both.
pub fn deletes_its_claims(object: &Object) -> Vec<&'static str> {
    if !object.is("apps", "StatefulSet") {
        return Vec::new();
    }
    let policy = object.at("/spec/persistentVolumeClaimRetentionPolicy");
    let deletes = |when: &&str| policy.and_then(|policy| policy.get(*when)?.as_str()) == Some("Delete");
    ["whenDeleted", "whenScaled"].into_iter().filter(deletes).collect()
}

/// Reports whether a pod spec says on which node its pods run. What all nodes of a home have in common, system and
/// architecture, says nothing.
pub fn is_pinned(pod: &Value) -> bool {
    let text = |key: &str| pod.get(key).and_then(Value::as_str);
    let selector = pod.get("nodeSelector").and_then(Value::as_object).into_iter().flatten();
    let mut keys = selector.map(|(key, _)| key.rsplit('/').next().unwrap_or_default());
    let required = |kind: &str| {
        let affinity = pod.get("affinity").and_then(|affinity| affinity.get(kind));
        affinity.and_then(|affinity| affinity.get("requiredDuringSchedulingIgnoredDuringExecution"))
    };
    text("nodeName").is_some_and(|name| !name.is_empty())
        || keys.any(|key| !matches!(key, "os" | "arch"))
        || required("nodeAffinity").is_some()
        || required("podAffinity").is_some()
}

impl<'o> PodTemplate<'o> {
    /// Reports whether it is where Kubernetes' own kinds have their only pod spec.
    pub fn is_usual(&self) -> bool {
        USUAL_PLACES.contains(&self.pointer.as_str())
    }

    /// Returns one annotation of the template.
    pub fn annotation(&self, key: &str) -> Option<&'o str> {
        self.template?.pointer("/metadata/annotations")?.get(key)?.as_str()
    }

    /// Returns one label of the template.
    pub fn label(&self, key: &str) -> Option<&'o str> {
        self.template?.pointer("/metadata/labels")?.get(key)?.as_str()
    }

    /// Reports whether its pods mount a claim.
    pub fn mounts_a_claim(&self) -> bool {
        !self.claim_templates.is_empty() || !self.claim_volumes().is_empty()
    }

    fn list(&self, key: &str) -> &'o [Value] {
        self.spec.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// Returns the containers of one of [`CONTAINER_LISTS`].
    pub fn containers(&self, list: &str) -> &'o [Value] {
        self.list(list)
    }

    /// Returns the volumes.
    pub fn volumes(&self) -> &'o [Value] {
        self.list("volumes")
    }

    /// Returns the volumes that name a claim; those that a StatefulSet's controller replaces left out.
    pub fn claim_volumes(&self) -> Vec<ClaimVolume<'o>> {
        let volumes = self.volumes().iter().enumerate();
        volumes
            .filter_map(|(index, volume)| {
                // A null is an absent field to Kubernetes.
                let source = volume.get("persistentVolumeClaim").filter(|source| !source.is_null())?;
                let name = text(volume, "name");
                if self.claim_templates.contains(&name) {
                    return None;
                }
                Some(ClaimVolume {
                    index,
                    name,
                    claim: text(source, "claimName"),
                    read_only: is_true(source, "readOnly"),
                })
            })
            .collect()
    }
}

fn text<'o>(tree: &'o Value, key: &str) -> &'o str {
    tree.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn is_true(tree: &Value, key: &str) -> bool {
    tree.get(key).and_then(Value::as_bool) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn finds_the_pod_specs_of_every_kind() {
        let pod = json!({"containers": [{"name": "c"}]});
        let cases = [
            (
                json!({"apiVersion": "v1", "kind": "Pod", "spec": pod}),
                vec![("/spec", true)],
            ),
            (
                json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": {"spec": pod}}}),
                vec![("/spec/template/spec", true)],
            ),
            (
                json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "spec": {"template": {"spec": pod}}}),
                vec![("/spec/template/spec", true)],
            ),
            (
                json!({"apiVersion": "batch/v1", "kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": {"spec": pod}}}}}),
                vec![("/spec/jobTemplate/spec/template/spec", true)],
            ),
            (
                json!({"apiVersion": "jobset.x-k8s.io/v1alpha2", "kind": "JobSet", "spec": {"replicatedJobs": [
                    {"template": {"spec": {"template": {"spec": pod}}}}, {"template": {"spec": {"template": {"spec": pod}}}}]}}),
                vec![
                    ("/spec/replicatedJobs/0/template/spec/template/spec", false),
                    ("/spec/replicatedJobs/1/template/spec/template/spec", false),
                ],
            ),
            (
                json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "spec": {"template": {"spec": {"project": "x"}}}}),
                vec![],
            ),
            (json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {}}), vec![]),
        ];
        for (tree, expected) in cases {
            let object = Object::new(tree);
            let found: Vec<_> = pod_templates(&object)
                .iter()
                .map(|template| (template.pointer.to_string(), template.is_usual()))
                .collect();
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(pointer, is_usual)| (pointer.to_owned(), is_usual))
                .collect();
            assert_eq!(found, expected, "{}", object.kind());
        }
    }

    #[test]
    fn a_stateful_set_makes_claims_by_ordinal() {
        let set = Object::new(
            json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": {
            "replicas": 2, "volumeClaimTemplates": [{"metadata": {"name": "data"}}],
            "persistentVolumeClaimRetentionPolicy": {"whenScaled": "Delete", "whenDeleted": "Retain"}}}),
        );
        let names: Vec<_> = claims_of_templates(&set).iter().map(ToString::to_string).collect();
        assert_eq!(names, ["data-db-0", "data-db-1"]);
        assert_eq!(deletes_its_claims(&set), ["whenScaled"]);
    }

    #[test]
    fn a_volume_that_the_controller_replaces_names_no_claim() {
        let set = Object::new(
            json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": {
                "volumeClaimTemplates": [{"metadata": {"name": "data"}}],
                "template": {"spec": {"containers": [], "volumes": [
                    {"name": "data", "persistentVolumeClaim": {"claimName": "foreign"}},
                    {"name": "other", "persistentVolumeClaim": {"claimName": "films"}},
                ]}},
            }}),
        );
        let claims: Vec<&str> = pod_templates(&set)[0]
            .claim_volumes()
            .iter()
            .map(|volume| volume.claim)
            .collect();
        assert_eq!(claims, ["films"]);
    }
}
