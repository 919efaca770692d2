//! The claims that controllers make for an object: they are of the Application that renders the object.

use std::ops::Bound;

use serde_json::Value;

use super::name::ClaimName;
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

/// Returns the names of the claims of a StatefulSet without their ordinal, also of one that an operator makes: they are
/// `<template>-<StatefulSet>-<ordinal>`
/// ([source](https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#stable-storage)).
pub fn claim_prefixes(object: &Object) -> Vec<String> {
    let prefix = |template: &str, set: &str| format!("{template}-{set}");
    let templates = claim_templates(object.group(), object.kind(), object.tree());
    let mut prefixes: Vec<String> = templates.map(|name| prefix(name, object.name())).collect();
    match (object.group(), object.kind()) {
        // https://github.com/zalando/postgres-operator/blob/master/pkg/util/constants/postgresql.go
        ("acid.zalan.do", "postgresql") => prefixes.push(prefix("pgdata", object.name())),
        // https://github.com/prometheus-operator/prometheus-operator/blob/main/Documentation/platform/storage.md
        ("monitoring.coreos.com", kind @ ("Alertmanager" | "Prometheus")) => {
            let set = prefix(&kind.to_lowercase(), object.name());
            let template = object.at("/spec/storage/volumeClaimTemplate");
            let name = |template: &Value| Some(template.pointer("/metadata/name")?.as_str()?.to_owned());
            let template = template.map(|template| name(template).unwrap_or_else(|| format!("{set}-db")));
            prefixes.extend(template.map(|template| prefix(&template, &set)));
        }
        _ => {}
    }
    prefixes
}

/// Returns the prefix of a claim's name that ends with an ordinal.
pub fn numbered_prefix(claim: &str) -> Option<&str> {
    let (prefix, ordinal) = claim.rsplit_once('-')?;
    let is_number = !ordinal.is_empty() && ordinal.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then_some(prefix)
}

/// Returns the claims whose names are a prefix and an ordinal, of a sorted collection: `from` returns those from a name on.
pub fn numbered<'c, T, I>(prefix: &str, from: impl FnOnce((Bound<&str>, Bound<&str>)) -> I) -> Vec<(&'c ClaimName, T)>
where
    I: Iterator<Item = (&'c ClaimName, T)>,
{
    let start = format!("{prefix}-");
    let near = from((Bound::Included(start.as_str()), Bound::Unbounded));
    near.take_while(|(claim, _)| claim.as_str().starts_with(&start))
        .filter(|(claim, _)| is_numbered(prefix, claim.as_str()))
        .collect()
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
        // https://volsync.readthedocs.io/en/stable/usage/restic/index.html: without `destinationPVC`, the mover makes one.
        ("volsync.backube", "ReplicationDestination") => {
            let movers = object.at("/spec").and_then(Value::as_object).into_iter().flatten();
            let names_one = movers
                .into_iter()
                .any(|(_, mover)| mover.get("destinationPVC").is_some());
            let own = (!names_one).then(|| format!("volsync-{}-dest", object.name()));
            own.into_iter().collect()
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
    fn operators_make_stateful_sets() {
        let object = |api_version: &str, kind: &str, spec: Value| {
            Object::new(json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}, "spec": spec}))
        };
        let storage = |template: Value| json!({"storage": {"volumeClaimTemplate": template}});
        for (object, expected) in [
            (object("acid.zalan.do/v1", "postgresql", json!({})), &["pgdata-x"][..]),
            (
                object("monitoring.coreos.com/v1", "Prometheus", storage(json!({}))),
                &["prometheus-x-db-prometheus-x"],
            ),
            (
                object(
                    "monitoring.coreos.com/v1",
                    "Alertmanager",
                    storage(json!({"metadata": {"name": "data"}})),
                ),
                &["data-alertmanager-x"],
            ),
            (object("monitoring.coreos.com/v1", "Prometheus", json!({})), &[]),
        ] {
            assert_eq!(claim_prefixes(&object), expected);
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
            (
                json!({"apiVersion": "volsync.backube/v1alpha1", "kind": "ReplicationDestination", "metadata": {"name": "r"},
                "spec": {"restic": {"capacity": "1Gi"}}}),
                "volsync-r-dest",
            ),
        ] {
            assert_eq!(operator_claims(&Object::new(tree)), [claim]);
        }
        let into_another = json!({"apiVersion": "volsync.backube/v1alpha1", "kind": "ReplicationDestination", "metadata": {"name": "r"},
            "spec": {"restic": {"destinationPVC": "films"}}});
        assert!(operator_claims(&Object::new(into_another)).is_empty());
    }
}
