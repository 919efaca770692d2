//! The claims that controllers make for an object: they are of the Application that renders the object.

use serde_json::Value;

use super::object::Object;

/// Reports whether a kind is a StatefulSet: Kubernetes' own or OpenKruise's, which names its claims in the same way.
fn is_stateful_set(group: &str, kind: &str) -> bool {
    kind == "StatefulSet" && matches!(group, "apps" | "apps.kruise.io")
}

/// Returns the names of the `volumeClaimTemplates` of a StatefulSet.
pub fn claim_templates<'o>(group: &str, kind: &str, tree: &'o Value) -> impl Iterator<Item = &'o str> + use<'o> {
    let templates = is_stateful_set(group, kind).then(|| tree.pointer("/spec/volumeClaimTemplates"));
    let templates = templates.flatten().and_then(Value::as_array);
    templates
        .into_iter()
        .flatten()
        .filter_map(|template| template.pointer("/metadata/name")?.as_str())
}

/// Returns the names of the claims of a StatefulSet without their ordinal: they are
/// `<template>-<StatefulSet>-<ordinal>`
/// ([source](https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#stable-storage)).
pub fn claim_prefixes(object: &Object) -> Vec<String> {
    claim_templates(object.group(), object.kind(), object.tree())
        .map(|name| format!("{name}-{}", object.name()))
        .collect()
}

/// Returns the prefix of a claim's name that ends with an ordinal.
pub fn numbered_prefix(claim: &str) -> Option<&str> {
    let (prefix, ordinal) = claim.rsplit_once('-')?;
    let is_number = !ordinal.is_empty() && ordinal.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then_some(prefix)
}

/// Reports whether a claim's name is a prefix and an ordinal.
pub fn is_numbered(prefix: &str, claim: &str) -> bool {
    numbered_prefix(claim) == Some(prefix)
}

/// Returns the claims that the operator of an object makes for it by a fixed name.
pub fn operator_claims(object: &Object) -> Vec<String> {
    match (object.group(), object.kind()) {
        // A DataVolume's claim has its name.
        ("cdi.kubevirt.io", "DataVolume") => vec![object.name().to_owned()],
        ("kubevirt.io", "VirtualMachine") => {
            let templates = object.at("/spec/dataVolumeTemplates").and_then(Value::as_array);
            let names = templates.into_iter().flatten();
            names
                .filter_map(|template| Some(template.pointer("/metadata/name")?.as_str()?.to_owned()))
                .collect()
        }
        ("grafana.integreatly.org", "Grafana") if object.at("/spec/persistentVolumeClaim").is_some() => {
            vec![format!("{}-pvc", object.name())]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn claims_are_numbered() {
        let set = Object::new(
            json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"},
            "spec": {"volumeClaimTemplates": [{"metadata": {"name": "data"}}]}}),
        );
        assert_eq!(claim_prefixes(&set), ["data-db"]);
        for (claim, is_of_it) in [
            ("data-db-0", true),
            ("data-db-17", true),
            ("data-db-", false),
            ("data-db-x", false),
            ("data-0", false),
        ] {
            assert_eq!(is_numbered("data-db", claim), is_of_it, "{claim}");
        }
    }

    #[test]
    fn operators_make_claims() {
        for (tree, claim) in [
            (
                json!({"apiVersion": "cdi.kubevirt.io/v1beta1", "kind": "DataVolume", "metadata": {"name": "disk"}}),
                "disk",
            ),
            (
                json!({"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": {"name": "vm"},
                "spec": {"dataVolumeTemplates": [{"metadata": {"name": "root"}}]}}),
                "root",
            ),
            (
                json!({"apiVersion": "grafana.integreatly.org/v1beta1", "kind": "Grafana", "metadata": {"name": "g"},
                "spec": {"persistentVolumeClaim": {"spec": {}}}}),
                "g-pvc",
            ),
        ] {
            assert_eq!(operator_claims(&Object::new(tree)), [claim]);
        }
    }
}
