//! The specification of a claim that changes hands: nothing immutable of it may change.

use anyhow::{Context, Result, anyhow};
use serde_json::Value;

use crate::failure::HintExt;
use crate::model::claim::is_claim;
use crate::model::{ClaimRef, Object, Pointer};

/// The fields of a claim that the API server never changes
/// ([source](https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/persistent-volume-claim-v1/)), and its
/// size, which only grows.
const FIELDS: [&str; 8] = [
    "storageClassName",
    "accessModes",
    "volumeMode",
    "volumeName",
    "selector",
    "dataSource",
    "dataSourceRef",
    "resources",
];

/// Reports whether an object is a claim; `destination` is the namespace of one without.
pub(super) fn is(object: &Object, claim: &ClaimRef, destination: &str) -> bool {
    is_claim(object)
        && object.name() == claim.name.as_str()
        && object.namespace().unwrap_or(destination) == claim.namespace.as_str()
}

/// Finds a claim among rendered objects; `destination` is the namespace of those without one.
pub(super) fn find<'o>(objects: &'o [Object], claim: &ClaimRef, destination: &str) -> Option<&'o Object> {
    objects.iter().find(|object| is(object, claim, destination))
}

/// Returns the specification of a claim as the parameter `claims` has it.
///
/// # Errors
/// When it has none.
pub(super) fn text(object: &Object) -> Result<String> {
    let spec = object.at(Pointer::from_static("/spec"));
    let spec = spec.with_context(|| format!("claim `{}` has no `spec`", object.name()))?;
    Ok(spec.to_string())
}

/// Refuses two specifications of one claim that the API server would not take for each other.
///
/// # Errors
/// Names the field.
pub(super) fn check_same(claim: &ClaimRef, (old, from): (&Object, &str), (new, to): (&Object, &str)) -> Result<()> {
    let field = |object: &Object, name: &str| -> Value {
        let value = object.at("/spec").and_then(|spec| spec.get(name));
        value.cloned().unwrap_or_default()
    };
    let Some(name) = FIELDS.iter().find(|name| field(old, name) != field(new, name)) else {
        return Ok(());
    };
    Err(anyhow!(
        "claim `{claim}` has `{name}: {}` in Application `{from}` and `{}` in `{to}`: every sync of `{to}` would fail",
        field(old, name),
        field(new, name)
    )
    .hint(format!(
        "give it the same `{name}` in the values of Application `{to}`, or let its chart leave the claim out"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ClaimName, Cluster, NamespaceName};
    use serde_json::json;

    #[test]
    fn what_is_immutable_has_to_be_the_same() {
        let claim = ClaimRef {
            cluster: Cluster::Local,
            namespace: NamespaceName::new("media").unwrap(),
            name: ClaimName::new("audio").unwrap(),
        };
        let object = |spec: Value| {
            Object::new(
                json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "audio"}, "spec": spec}),
            )
        };
        let one = object(json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}));
        assert!(check_same(&claim, (&one, "a"), (&one, "b")).is_ok());
        let other = object(json!({"accessModes": ["ReadWriteOnce"], "storageClassName": "fast",
            "resources": {"requests": {"storage": "1Gi"}}}));
        let error = check_same(&claim, (&one, "a"), (&other, "b")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "claim `media/audio` has `storageClassName: null` in Application `a` and `\"fast\"` in `b`: every sync of `b` would fail"
        );
        assert!(find(std::slice::from_ref(&one), &claim, "media").is_some());
        assert!(find(std::slice::from_ref(&one), &claim, "tv").is_none());
        assert_eq!(
            text(&one).unwrap(),
            r#"{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}"#
        );
    }
}
