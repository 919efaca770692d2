//! A StatefulSet is deleted; the claims that it made stay.

use super::{Case, Check};
use crate::compare::level::Level;

pub(super) static CHECK: Check = Check {
    id: "stateful-set-deleted",
    level: Level::Outage,
    summary: "a StatefulSet is deleted",
    way_out: "put it back under its name; the claims that it made stay, and are found by the same name alone",
    reference: "https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#persistentvolumeclaim-retention",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    let is_gone = case.is("apps", "StatefulSet") && case.action().deletes();
    is_gone.then(|| "its pods are stopped; the claims that it made stay, and nothing manages them".to_owned())
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {media: [{kind: StatefulSet, name: db}, {kind: ConfigMap, name: a}]}
head: {media: [{kind: ConfigMap, name: a}]}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {media: [{kind: StatefulSet, name: db, replicas: 1}]}
head: {media: [{kind: StatefulSet, name: db, replicas: 2}]}
"#;
