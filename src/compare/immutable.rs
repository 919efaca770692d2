//! The fields that the API server refuses to change.

use serde_json::Value;

use crate::model::claim::is_claim;
use crate::model::quantity::number;
use crate::model::{Object, Pointer};

/// The fields of a kind that cannot be changed: all below one place but for some.
struct Frozen {
    group: &'static str,
    kind: &'static str,
    below: &'static str,
    but: &'static [&'static str],
}

const fn frozen(group: &'static str, kind: &'static str, below: &'static str, but: &'static [&'static str]) -> Frozen {
    Frozen {
        group,
        kind,
        below,
        but,
    }
}

/// The fields that Kubernetes' own kinds keep
/// ([source](https://github.com/kubernetes/kubernetes/tree/master/pkg/apis), the functions `Validate…Update`).
const FROZEN: &[Frozen] = &[
    frozen(
        "",
        "PersistentVolumeClaim",
        "/spec",
        &["/spec/resources", "/spec/volumeAttributesClassName"],
    ),
    frozen(
        "",
        "PersistentVolume",
        "/spec",
        &[
            "/spec/accessModes",
            "/spec/capacity",
            "/spec/claimRef",
            "/spec/mountOptions",
            "/spec/persistentVolumeReclaimPolicy",
            "/spec/storageClassName",
            "/spec/volumeAttributesClassName",
        ],
    ),
    frozen(
        "",
        "Pod",
        "/spec",
        &["/spec/activeDeadlineSeconds", "/spec/tolerations"],
    ),
    frozen("", "Secret", "/type", &[]),
    frozen(
        "apps",
        "StatefulSet",
        "/spec",
        &[
            "/spec/minReadySeconds",
            "/spec/ordinals",
            "/spec/persistentVolumeClaimRetentionPolicy",
            "/spec/replicas",
            "/spec/revisionHistoryLimit",
            "/spec/template",
            "/spec/updateStrategy",
        ],
    ),
    frozen("apps", "Deployment", "/spec/selector", &[]),
    frozen("apps", "DaemonSet", "/spec/selector", &[]),
    frozen("apps", "ReplicaSet", "/spec/selector", &[]),
    frozen("batch", "Job", "/spec/template", &[]),
    frozen("batch", "Job", "/spec/selector", &[]),
    frozen("batch", "Job", "/spec/completionMode", &[]),
    frozen("storage.k8s.io", "StorageClass", "/provisioner", &[]),
    frozen("storage.k8s.io", "StorageClass", "/parameters", &[]),
    frozen("storage.k8s.io", "StorageClass", "/reclaimPolicy", &[]),
    frozen("storage.k8s.io", "StorageClass", "/volumeBindingMode", &[]),
    frozen("networking.k8s.io", "IngressClass", "/spec/controller", &[]),
    frozen("scheduling.k8s.io", "PriorityClass", "/value", &[]),
    frozen("node.k8s.io", "RuntimeClass", "/handler", &[]),
    frozen("apiextensions.k8s.io", "CustomResourceDefinition", "/spec/group", &[]),
    frozen("apiextensions.k8s.io", "CustomResourceDefinition", "/spec/scope", &[]),
];

/// Where a claim says its size.
const SIZE: &str = "/spec/resources/requests/storage";

/// Returns the first place, of those at which an object differs, that cannot be changed.
pub(super) fn immutable<'p>(old: &Object, new: &Object, pointers: &'p [String]) -> Option<&'p str> {
    let mut pointers = pointers.iter().map(String::as_str);
    pointers.find(|pointer| is_frozen(old, new, pointer))
}

/// Reports whether a binding gets another role, which cannot be changed: Argo CD applies bindings as `kubectl auth reconcile` does.
pub(super) fn changes_role(new: &Object, pointers: &[String]) -> bool {
    let is_binding = new.is(RBAC, "RoleBinding") || new.is(RBAC, "ClusterRoleBinding");
    is_binding && pointers.iter().any(|pointer| is_below(pointer, "/roleRef"))
}

const RBAC: &str = "rbac.authorization.k8s.io";

fn is_frozen(old: &Object, new: &Object, pointer: &str) -> bool {
    if old.is("", "Service") && pointer == "/spec/clusterIP" {
        return old.at("/spec/clusterIP").is_some() && new.at("/spec/clusterIP").is_some_and(|ip| *ip != "");
    }
    if old.is("", "Pod") && pointer.ends_with("/image") {
        return false;
    }
    // An object with `immutable: true` keeps its data, and cannot be made mutable again.
    if matches!(old.kind(), "ConfigMap" | "Secret") && old.group().is_empty() && is_true(old, "/immutable") {
        let is_data = |below: &str| is_below(pointer, below);
        return ["/immutable", "/data", "/binaryData", "/stringData"]
            .into_iter()
            .any(is_data);
    }
    FROZEN.iter().any(|frozen| {
        old.is(frozen.group, frozen.kind)
            && is_below(pointer, frozen.below)
            && !frozen.but.iter().any(|but| is_below(pointer, but))
            && !is_scaled_elsewhere(old, pointer)
    })
}

/// Reports whether a Job is not running, so that its template can be changed.
fn is_scaled_elsewhere(old: &Object, pointer: &str) -> bool {
    old.is("batch", "Job") && pointer != "/spec/selector" && is_true(old, "/spec/suspend")
}

fn is_true(object: &Object, pointer: &'static str) -> bool {
    object.at(pointer) == Some(&Value::Bool(true))
}

/// Reports whether a place is another one, or below it.
pub(super) fn is_below(pointer: &str, base: &str) -> bool {
    match (Pointer::parse(pointer), Pointer::parse(base)) {
        (Ok(pointer), Ok(base)) => pointer.starts_with(base),
        _ => false,
    }
}

/// How the size of a claim changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resize {
    /// It gets smaller.
    Shrinks,
    /// It gets larger.
    Grows,
}

/// Returns how the size of a claim changes, if it does.
pub(super) fn resize(old: &Object, new: &Object) -> Option<Resize> {
    let size = |object: &Object| match object.at(SIZE)? {
        Value::String(text) => number(text),
        value => value.as_f64(),
    };
    let (old_size, new_size) = (size(old)?, size(new).filter(|_| is_claim(new))?);
    match new_size.partial_cmp(&old_size)? {
        std::cmp::Ordering::Less => Some(Resize::Shrinks),
        std::cmp::Ordering::Greater => Some(Resize::Grows),
        std::cmp::Ordering::Equal => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(kind: (&str, &str), pointer: &str) -> bool {
        let object = Object::new(json!({"apiVersion": kind.0, "kind": kind.1}));
        immutable(&object, &object, &[pointer.to_owned()]).is_some()
    }

    #[test]
    fn fields_of_kinds_are_frozen_but_for_some() {
        let (set, claim, job) = (
            ("apps/v1", "StatefulSet"),
            ("v1", "PersistentVolumeClaim"),
            ("batch/v1", "Job"),
        );
        assert!(at(set, "/spec/serviceName") && at(set, "/spec/volumeClaimTemplates/0/spec/accessModes"));
        assert!(!at(set, "/spec/template/spec/containers/0/image") && !at(set, "/spec/replicas"));
        assert!(!at(set, "/metadata/labels/a") && !at(set, "/specs"));
        assert!(at(claim, "/spec/storageClassName") && !at(claim, "/spec/resources/requests/storage"));
        assert!(at(job, "/spec/template/spec") && !at(job, "/spec/parallelism"));
        assert!(at(("v1", "Pod"), "/spec/nodeName") && !at(("v1", "Pod"), "/spec/containers/0/image"));
        assert!(!at(("example.org/v1", "StatefulSet"), "/spec/serviceName"));
    }

    #[test]
    fn a_suspended_job_and_an_immutable_map_are_other_cases() {
        let job = Object::new(json!({"apiVersion": "batch/v1", "kind": "Job", "spec": {"suspend": true}}));
        assert_eq!(immutable(&job, &job, &["/spec/template/spec".to_owned()]), None);
        let map = Object::new(json!({"apiVersion": "v1", "kind": "ConfigMap", "immutable": true, "data": {"a": "1"}}));
        assert!(immutable(&map, &map, &["/data/a".to_owned()]).is_some());
    }

    #[test]
    fn claims_shrink_and_grow() {
        let claim = |size: Value| {
            Object::new(
                json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": {"resources": {"requests": {"storage": size}}}}),
            )
        };
        let resized = |old: Value, new: Value| resize(&claim(old), &claim(new));
        assert_eq!(resized(json!("5Gi"), json!("4Gi")), Some(Resize::Shrinks));
        assert_eq!(resized(json!("5Gi"), json!("6Gi")), Some(Resize::Grows));
        assert_eq!(resized(json!("1Gi"), json!(1_073_741_824)), None);
    }
}
