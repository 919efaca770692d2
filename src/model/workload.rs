//! Workloads: where an object keeps its pod template, and which claims that template mounts, how.

use serde_json::Value;

use super::made_claims::claim_templates;
use super::name::ClaimName;
use super::object::Object;
use super::pointer::{AsPointer, Pointer, PointerBuf, PointerExt};

/// The lists of containers of a pod spec; each entry has `volumeMounts`.
pub const CONTAINER_LISTS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

/// A pod spec inside an object.
#[derive(Clone, Debug)]
pub struct PodTemplate<'o> {
    /// JSON Pointer of the template, which has `metadata` and `spec`; empty for a Pod.
    pub pointer: PointerBuf,
    /// The template: an object with `spec`.
    pub template: &'o Value,
    /// The names of a StatefulSet's `volumeClaimTemplates`. Its controller puts a volume of each pod's own claim in the
    /// place of every volume of that name
    /// ([source](https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/statefulset/stateful_set_utils.go),
    /// `updateStorage`).
    pub claim_templates: Vec<&'o str>,
}

/// How a container mounts a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VolumeMount<'o> {
    /// One of [`CONTAINER_LISTS`].
    pub list: &'static str,
    /// Index of the container in its list.
    pub container: usize,
    /// Name of the container, empty when it has none.
    pub container_name: &'o str,
    /// Index of the mount in `volumeMounts`.
    pub index: usize,
    /// `mountPath`, empty when it has none.
    pub path: &'o str,
    /// Whether `readOnly` is `true`.
    pub read_only: bool,
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
    /// The mounts of this volume in all containers.
    pub mounts: Vec<VolumeMount<'o>>,
}

/// Finds the pod template of an object: a Pod's own, a CronJob's under `jobTemplate`, or `spec.template` of every kind
/// whose template is one of a pod (it has `spec.containers`), so that Argo Rollouts' Rollout counts too.
pub fn pod_template(object: &Object) -> Option<PodTemplate<'_>> {
    let at = |pointer: &'static str| {
        let template = object.at(pointer);
        let template = template.filter(|template| template.get("spec").is_some_and(Value::is_object))?;
        Some(PodTemplate {
            pointer: pointer.as_pointer().to_buf(),
            template,
            claim_templates: claim_templates(object.group(), object.kind(), object.tree()).collect(),
        })
    };
    if object.is("", "Pod") {
        return at("");
    }
    if object.is("batch", "CronJob") {
        return at("/spec/jobTemplate/spec/template");
    }
    at("/spec/template").filter(|found| found.spec().get("containers").is_some())
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

/// The most replicas of a StatefulSet that are counted; the bound keeps a wrong number from filling the memory.
const REPLICAS_SHOWN: u64 = 100;

/// Returns when the StatefulSet controller deletes the claims that it made: `whenDeleted`, `whenScaled`, or both.
pub fn deletes_its_claims(object: &Object) -> Vec<&'static str> {
    let policy = object.at("/spec/persistentVolumeClaimRetentionPolicy");
    let deletes = |when: &&str| policy.and_then(|policy| policy.get(*when)?.as_str()) == Some("Delete");
    let is_set = object.is("apps", "StatefulSet");
    ["whenDeleted", "whenScaled"]
        .into_iter()
        .filter(|when| is_set && deletes(when))
        .collect()
}

impl VolumeMount<'_> {
    /// Returns the JSON Pointer of the mount; `spec` is that of the pod spec.
    pub fn pointer(&self, spec: &Pointer) -> PointerBuf {
        let container = spec.child(self.list).child(self.container);
        container.child("volumeMounts").child(self.index)
    }
}

impl ClaimVolume<'_> {
    /// Returns the JSON Pointer of the volume; `spec` is that of the pod spec.
    pub fn pointer(&self, spec: &Pointer) -> PointerBuf {
        spec.child("volumes").child(self.index)
    }
}

impl<'o> PodTemplate<'o> {
    /// Returns the pod spec.
    pub fn spec(&self) -> &'o Value {
        &self.template["spec"]
    }

    /// Returns the JSON Pointer of the pod spec.
    pub fn spec_pointer(&self) -> PointerBuf {
        self.pointer.child("spec")
    }

    /// Returns one annotation of the template.
    pub fn annotation(&self, key: &str) -> Option<&'o str> {
        self.template.pointer("/metadata/annotations")?.get(key)?.as_str()
    }

    fn list(&self, key: &str) -> &'o [Value] {
        self.spec()
            .get(key)
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }

    /// Returns the containers of one of [`CONTAINER_LISTS`].
    pub fn containers(&self, list: &str) -> &'o [Value] {
        self.list(list)
    }

    /// Returns the volumes.
    pub fn volumes(&self) -> &'o [Value] {
        self.list("volumes")
    }

    /// Returns the volumes that name a claim, each with its mounts; those that a StatefulSet's controller replaces left
    /// out.
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
                    mounts: self.mounts_of(name),
                })
            })
            .collect()
    }

    /// Returns the mounts of the volume of this name in all containers.
    pub fn mounts_of(&self, volume: &str) -> Vec<VolumeMount<'o>> {
        let mut out = Vec::new();
        for list in CONTAINER_LISTS {
            for (container, tree) in self.containers(list).iter().enumerate() {
                let mounts = tree
                    .get("volumeMounts")
                    .and_then(Value::as_array)
                    .map_or(&[][..], Vec::as_slice);
                let of_volume = mounts
                    .iter()
                    .enumerate()
                    .filter(|(_, mount)| text(mount, "name") == volume);
                out.extend(of_volume.map(|(index, mount)| VolumeMount {
                    list,
                    container,
                    container_name: text(tree, "name"),
                    index,
                    path: text(mount, "mountPath"),
                    read_only: is_true(mount, "readOnly"),
                }));
            }
        }
        out
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
    fn finds_the_template_of_every_kind() {
        let pod = json!({"containers": [{"name": "c"}]});
        let cases = [
            (json!({"apiVersion": "v1", "kind": "Pod", "spec": pod}), Some("")),
            (
                json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": {"spec": pod}}}),
                Some("/spec/template"),
            ),
            (
                json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "spec": {"template": {"spec": pod}}}),
                Some("/spec/template"),
            ),
            (
                json!({"apiVersion": "batch/v1", "kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": {"spec": pod}}}}}),
                Some("/spec/jobTemplate/spec/template"),
            ),
            (
                json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "spec": {"template": {"spec": {"project": "x"}}}}),
                None,
            ),
            (json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {}}), None),
        ];
        for (tree, pointer) in cases {
            let object = Object::new(tree);
            assert_eq!(
                pod_template(&object).map(|t| t.pointer.to_string()).as_deref(),
                pointer,
                "{}",
                object.kind()
            );
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
    fn claim_volumes_carry_their_mounts() {
        let object = Object::new(json!({"apiVersion": "v1", "kind": "Pod", "spec": {
            "volumes": [{"name": "tmp", "emptyDir": {}}, {"name": "m", "persistentVolumeClaim": {"claimName": "media", "readOnly": true}}],
            "containers": [{"name": "a", "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}, {"name": "m", "mountPath": "/m", "readOnly": true}]}],
            "initContainers": [{"name": "i", "volumeMounts": [{"name": "m", "mountPath": "/i"}]}],
        }}));
        let template = pod_template(&object).unwrap();
        let volumes = template.claim_volumes();
        assert_eq!(volumes.len(), 1);
        assert_eq!(
            (volumes[0].index, volumes[0].claim, volumes[0].read_only),
            (1, "media", true)
        );
        let mounts: Vec<_> = volumes[0]
            .mounts
            .iter()
            .map(|m| (m.list, m.container_name, m.index, m.read_only))
            .collect();
        assert_eq!(
            mounts,
            [("containers", "a", 1, true), ("initContainers", "i", 0, false)]
        );
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
        let claims: Vec<&str> = pod_template(&set)
            .unwrap()
            .claim_volumes()
            .iter()
            .map(|volume| volume.claim)
            .collect();
        assert_eq!(claims, ["films"]);
    }
}
