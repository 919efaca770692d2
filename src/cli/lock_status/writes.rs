//! The lock on writes in a cluster: what would be refused, what was, and a proof.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Value, json};

use super::{proof, seen};
use crate::cluster::{Cluster, Resource};
use crate::lock::WRITES;
use crate::lock::foreign::{foreign_writes, has_condition};
use crate::lock::held::Survey;
use crate::model::{NamespaceName, Object};
use crate::report::lock::{LockStatus, ProofRow, RefusedRow, WriteRow};

/// Reads what the policy on writes makes of the cluster; `namespaces` is `None` where they could not be read.
///
/// # Errors
/// When the cluster does not answer.
pub(super) fn read(
    cluster: &Cluster,
    namespaces: Option<&[Object]>,
    survey: &Survey,
    status: &mut LockStatus,
) -> Result<()> {
    let mut objects = Vec::new();
    for resource in Resource::WORKLOADS {
        objects.extend(seen(cluster.all(resource, None)?, status).unwrap_or_default());
    }
    let writes = foreign_writes(namespaces.unwrap_or_default(), &objects);
    status.writes = writes.iter().map(WriteRow::new).collect();
    let events = seen(cluster.all(Resource::Events, None)?, status);
    status.refused = refused(&objects, &events.unwrap_or_default());
    let open = survey
        .namespaces
        .iter()
        .filter(|namespace| !namespace.has_registry_label);
    status.writable_namespaces = open.map(|namespace| namespace.name.clone()).collect();
    Ok(())
}

/// Returns what was refused to controllers: by the conditions of their objects, and by events; each object's newest event.
fn refused(objects: &[Object], events: &[Object]) -> Vec<RefusedRow> {
    let is_ours = |message: &str| message.contains(WRITES);
    let of_condition = |object: &Object| {
        let message = has_condition(object, &["ReplicaFailure"])?["message"].as_str()?;
        is_ours(message).then(|| RefusedRow {
            kind: object.kind().to_owned(),
            namespace: object.namespace().unwrap_or_default().to_owned(),
            name: object.name().to_owned(),
            reason: "ReplicaFailure".to_owned(),
            message: message.to_owned(),
        })
    };
    let mut rows: Vec<RefusedRow> = objects.iter().filter_map(of_condition).collect();
    let mut newest: BTreeMap<(String, String, String), (String, RefusedRow)> = BTreeMap::new();
    for event in events {
        let text = |pointer: &'static str| event.at(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let message = text("/message");
        if !is_ours(&message) {
            continue;
        }
        let row = RefusedRow {
            kind: text("/involvedObject/kind"),
            namespace: text("/involvedObject/namespace"),
            name: text("/involvedObject/name"),
            reason: text("/reason"),
            message,
        };
        let time = [
            text("/lastTimestamp"),
            text("/eventTime"),
            text("/metadata/creationTimestamp"),
        ];
        let time = time.into_iter().find(|time| !time.is_empty()).unwrap_or_default();
        let key = (row.kind.clone(), row.namespace.clone(), row.name.clone());
        let entry = newest.entry(key).or_insert_with(|| (time.clone(), row.clone()));
        if entry.0 <= time {
            *entry = (time, row);
        }
    }
    rows.extend(newest.into_values().map(|(_, row)| row));
    rows.sort();
    rows
}

/// Tries to create a Deployment that would write a registered claim and is of no Application; nothing is created.
///
/// # Errors
/// When the cluster does not answer.
pub(super) fn tried(cluster: &Cluster, survey: &Survey, denied: &mut Vec<String>) -> Result<ProofRow> {
    let mut namespaces = survey.namespaces.iter();
    let found = namespaces.find(|one| one.has_registry_label && !one.is_being_deleted);
    let claim = found.and_then(|namespace| Some((namespace, namespace.claims.keys().next()?)));
    let Some((namespace, claim)) = claim else {
        return Ok(proof(WRITES, None, "nothingToTest", None));
    };
    let (place, labels) = (
        NamespaceName::new(&namespace.name)?,
        json!({"app": "homelab-lock-proof"}),
    );
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "homelab-lock-proof", "namespace": namespace.name},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "containers": [{
                        "name": "proof",
                        "image": "example.org/proof",
                        "volumeMounts": [{"name": "claim", "mountPath": "/claim"}],
                    }],
                    "volumes": [{"name": "claim", "persistentVolumeClaim": {"claimName": claim}}],
                },
            },
        },
    });
    let attempt = cluster.try_create(Resource::Deployments, &place, &Object::new(deployment))?;
    let object = format!("pvc/{claim} -n {}", namespace.name);
    Ok(super::attempted((WRITES, Some(object)), attempt, denied))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_refused_is_found_once() {
        let said = |words: &str| format!("denied by 'foreign-claims-read-only': {words}");
        let deployment = |status: &str, message: String| {
            Object::new(
                json!({"kind": "Deployment", "metadata": {"name": "player", "namespace": "media"}, "status": {"conditions": [
                {"type": "ReplicaFailure", "status": status, "message": message}]}}),
            )
        };
        let event = |time: &str, message: String| {
            Object::new(
                json!({"kind": "Event", "reason": "FailedCreate", "message": message, "lastTimestamp": time, "involvedObject":
                {"kind": "ReplicaSet", "namespace": "media", "name": "player-1"}}),
            )
        };
        let objects = [
            deployment("True", said("one")),
            deployment("False", said("old")),
            deployment("True", "quota".to_owned()),
        ];
        let events = [
            event("2026-01-02T00:00:00Z", said("newer")),
            event("2026-01-01T00:00:00Z", said("older")),
            event("2026-01-03T00:00:00Z", "quota".to_owned()),
        ];
        let found = refused(&objects, &events);
        let found: Vec<_> = found
            .iter()
            .map(|row| (row.kind.as_str(), row.message.rsplit(' ').next().unwrap()))
            .collect();
        assert_eq!(found, [("Deployment", "one"), ("ReplicaSet", "newer")]);
    }
}
