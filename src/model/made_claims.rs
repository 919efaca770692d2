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

/// Returns the names of the claims that are made for each instance of an object, with a `*` for its number: those of a
/// StatefulSet, also of one that an operator makes, are `<template>-<StatefulSet>-*`
/// ([source](https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#stable-storage)).
pub fn claim_patterns(object: &Object) -> Vec<String> {
    let (name, pattern) = (object.name(), |template: &str, set: &str| format!("{template}-{set}-*"));
    let templates = claim_templates(object.group(), object.kind(), object.tree());
    let mut patterns: Vec<String> = templates.map(|template| pattern(template, name)).collect();
    match (object.group(), object.kind()) {
        // https://github.com/zalando/postgres-operator/blob/master/pkg/util/constants/postgresql.go
        ("acid.zalan.do", "postgresql") => patterns.push(pattern("pgdata", name)),
        // https://github.com/elastic/cloud-on-k8s/blob/main/pkg/apis/elasticsearch/v1/name.go
        ("elasticsearch.k8s.elastic.co", "Elasticsearch") => patterns.extend(of_elasticsearch(object)),
        // https://github.com/mariadb-operator/mariadb-operator/blob/main/pkg/builder/statefulset_builder.go
        ("k8s.mariadb.com", "MariaDB") => patterns.push(pattern("storage", name)),
        // https://github.com/mongodb/mongodb-kubernetes-operator/blob/master/api/v1/mongodbcommunity_types.go
        ("mongodbcommunity.mongodb.com", "MongoDBCommunity") => {
            patterns.extend(["data-volume", "logs-volume"].map(|template| pattern(template, name)));
        }
        // https://github.com/prometheus-operator/prometheus-operator/blob/main/Documentation/platform/storage.md
        ("monitoring.coreos.com", kind) => patterns.extend(of_prometheus(object, kind)),
        ("postgresql.cnpg.io" | "postgresql.k8s.enterprisedb.io", "Cluster") => {
            patterns.extend(of_cloud_native_pg(object))
        }
        // https://github.com/rabbitmq/cluster-operator/blob/main/internal/resource/statefulset.go
        ("rabbitmq.com", "RabbitmqCluster") => patterns.push(pattern("persistence", &format!("{name}-server"))),
        _ => {}
    }
    patterns
}

/// Returns the patterns of Prometheus Operator's kinds.
fn of_prometheus(object: &Object, kind: &str) -> Option<String> {
    let (prefix, ending) = match kind {
        "Alertmanager" => ("alertmanager", "db"),
        "Prometheus" => ("prometheus", "db"),
        "ThanosRuler" => ("thanos-ruler", "data"),
        _ => return None,
    };
    let set = format!("{prefix}-{}", object.name());
    let template = object.at("/spec/storage/volumeClaimTemplate")?;
    let named = template.pointer("/metadata/name").and_then(Value::as_str);
    let template = named.map_or_else(|| format!("{set}-{ending}"), str::to_owned);
    Some(format!("{template}-{set}-*"))
}

/// Returns the patterns of an Elasticsearch: a StatefulSet for each of its sets of nodes.
fn of_elasticsearch(object: &Object) -> Vec<String> {
    const DATA: &str = "elasticsearch-data";
    let sets = object
        .at("/spec/nodeSets")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let mut patterns = Vec::new();
    for set in sets {
        let Some(name) = set.get("name").and_then(Value::as_str) else {
            continue;
        };
        let templates = set
            .get("volumeClaimTemplates")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let named = templates.filter_map(|template| template.pointer("/metadata/name")?.as_str());
        let mut templates: Vec<&str> = named.collect();
        if !templates.contains(&DATA) {
            templates.push(DATA);
        }
        patterns.extend(
            templates
                .iter()
                .map(|template| format!("{template}-{}-es-{name}-*", object.name())),
        );
    }
    patterns
}

/// Returns the patterns of a cluster of CloudNativePG: one claim for each instance, others for its WAL and its tablespaces
/// ([source](https://github.com/cloudnative-pg/cloudnative-pg/blob/main/pkg/reconciler/persistentvolumeclaim/pvc_role.go)).
fn of_cloud_native_pg(object: &Object) -> Vec<String> {
    let instance = format!("{}-*", object.name());
    let wal = object.at("/spec/walStorage").map(|_| format!("{instance}-wal"));
    let spaces = object
        .at("/spec/tablespaces")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let spaces = spaces.filter_map(|space| space.get("name")?.as_str()).map(|name| {
        // The name of a tablespace may begin with `_` and have `$` in it.
        let name = name
            .strip_prefix('_')
            .map_or_else(|| name.to_owned(), |rest| format!("1{rest}"));
        format!("{instance}-tbs-{}", name.replace('$', "-"))
    });
    let others: Vec<String> = wal.into_iter().chain(spaces).collect();
    [vec![instance], others].concat()
}

/// Returns the patterns that a claim's name fits: with a `*` in the place of each number between dashes.
pub fn patterns_of(claim: &str) -> impl Iterator<Item = String> {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|digit| digit.is_ascii_digit());
    let mut start = 0;
    claim.split('-').filter_map(move |part| {
        let (from, to) = (start, start + part.len());
        start = to + 1;
        (from > 0 && is_number(part)).then(|| format!("{}*{}", &claim[..from], &claim[to..]))
    })
}

/// Returns the claims that fit a pattern, of a sorted collection: `from` returns those from a name on.
pub fn fitting<'c, T, I>(pattern: &str, from: impl FnOnce((Bound<&str>, Bound<&str>)) -> I) -> Vec<(&'c ClaimName, T)>
where
    I: Iterator<Item = (&'c ClaimName, T)>,
{
    let start = pattern.split('*').next().unwrap_or_default();
    let near = from((Bound::Included(start), Bound::Unbounded));
    near.take_while(|(claim, _)| claim.as_str().starts_with(start))
        .filter(|(claim, _)| patterns_of(claim.as_str()).any(|of_claim| of_claim == pattern))
        .collect()
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
        assert_eq!(claim_patterns(&set), ["data-db-*"]);
        for (claim, is_of_it) in [
            ("data-db-0", true),
            ("data-db-17", true),
            ("data-db-", false),
            ("data-db-x", false),
            ("data-db-0-wal", false),
            ("data-0", false),
            ("0", false),
        ] {
            assert_eq!(
                patterns_of(claim).any(|of_claim| of_claim == "data-db-*"),
                is_of_it,
                "{claim}"
            );
        }
        let patterns: Vec<String> = patterns_of("pg-1-tbs-2").collect();
        assert_eq!(patterns, ["pg-*-tbs-2", "pg-1-tbs-*"]);
    }

    #[test]
    fn operators_make_claims_of_instances() {
        let object = |api_version: &str, kind: &str, spec: Value| {
            Object::new(json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}, "spec": spec}))
        };
        let storage = |template: Value| json!({"storage": {"volumeClaimTemplate": template}});
        let monitoring = "monitoring.coreos.com/v1";
        for (object, expected) in [
            (object("acid.zalan.do/v1", "postgresql", json!({})), &["pgdata-x-*"][..]),
            (
                object(monitoring, "Prometheus", storage(json!({}))),
                &["prometheus-x-db-prometheus-x-*"],
            ),
            (
                object(
                    monitoring,
                    "Alertmanager",
                    storage(json!({"metadata": {"name": "data"}})),
                ),
                &["data-alertmanager-x-*"],
            ),
            (
                object(monitoring, "ThanosRuler", storage(json!({}))),
                &["thanos-ruler-x-data-thanos-ruler-x-*"],
            ),
            (object(monitoring, "Prometheus", json!({})), &[]),
            (
                object("postgresql.cnpg.io/v1", "Cluster", json!({"instances": 1})),
                &["x-*"],
            ),
            (
                object(
                    "postgresql.cnpg.io/v1",
                    "Cluster",
                    json!({"walStorage": {}, "tablespaces": [{"name": "a"}, {"name": "_b$c"}]}),
                ),
                &["x-*", "x-*-wal", "x-*-tbs-a", "x-*-tbs-1b-c"],
            ),
            (
                object(
                    "elasticsearch.k8s.elastic.co/v1",
                    "Elasticsearch",
                    json!({"nodeSets": [{"name": "a"}, {"name": "b", "volumeClaimTemplates": [{"metadata": {"name": "more"}}]}]}),
                ),
                &[
                    "elasticsearch-data-x-es-a-*",
                    "more-x-es-b-*",
                    "elasticsearch-data-x-es-b-*",
                ],
            ),
            (
                object("k8s.mariadb.com/v1alpha1", "MariaDB", json!({})),
                &["storage-x-*"],
            ),
            (
                object("rabbitmq.com/v1beta1", "RabbitmqCluster", json!({})),
                &["persistence-x-server-*"],
            ),
            (
                object("mongodbcommunity.mongodb.com/v1", "MongoDBCommunity", json!({})),
                &["data-volume-x-*", "logs-volume-x-*"],
            ),
        ] {
            assert_eq!(claim_patterns(&object), expected);
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
