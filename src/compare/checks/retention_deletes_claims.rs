//! A StatefulSet deletes the claims that it made.

use super::{Case, Check};
use crate::compare::level::Level;
use crate::model::Object;
use crate::model::workload::deletes_its_claims;
use serde_json::Value;

pub(super) static CHECK: Check = Check {
    id: "retention-deletes-claims",
    level: Level::DataLoss,
    summary: "a StatefulSet deletes the claims that it made, by persistentVolumeClaimRetentionPolicy",
    way_out: "set `whenDeleted` and `whenScaled` to `Retain`",
    reference: "https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#persistentvolumeclaim-retention",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    let old = case.before()?;
    let when = deletes_its_claims(old);
    let replicas = |object: &Object| object.at("/spec/replicas").and_then(Value::as_u64).unwrap_or(1);
    let is_scaled = case.after().is_some_and(|new| replicas(new) < replicas(old));
    let is_deleted = case.action().deletes() && when.contains(&"whenDeleted");
    (is_deleted || is_scaled && when.contains(&"whenScaled"))
        .then(|| "its retention policy deletes claims of its pods".to_owned())
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {media: [{kind: StatefulSet, name: db, replicas: 3, spec: {persistentVolumeClaimRetentionPolicy: {whenScaled: Delete}}}]}
head: {media: [{kind: StatefulSet, name: db, replicas: 1, spec: {persistentVolumeClaimRetentionPolicy: {whenScaled: Delete}}}]}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {media: [{kind: StatefulSet, name: db, replicas: 3}]}
head: {media: [{kind: StatefulSet, name: db, replicas: 1}]}
"#;
