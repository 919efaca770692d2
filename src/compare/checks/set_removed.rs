//! An ApplicationSet is deleted, and all its Applications.

use super::{Case, Check};
use crate::compare::level::Level;
use crate::model::application::GROUP;

pub(super) static CHECK: Check = Check {
    id: "set-removed",
    level: Level::Outage,
    summary: "an ApplicationSet is deleted with all its Applications",
    way_out: "switch `preserveResourcesOnDeletion` on, and let that be synced before the set goes",
    reference: "https://argo-cd.readthedocs.io/en/stable/operator-manual/applicationset/Application-Deletion/",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    let is_gone = case.is(GROUP, "ApplicationSet") && case.after().is_none() && case.action().deletes();
    is_gone.then(|| "its Applications are deleted with it, whatever its policy".to_owned())
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {set/apps: {}, media: {by: apps, objects: [{kind: ConfigMap, name: a}]}, tv: [{kind: ConfigMap, name: b}]}
head: {tv: [{kind: ConfigMap, name: b}]}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {set/apps: {}, media: {by: apps, objects: [{kind: ConfigMap, name: a}]}}
head: {set/apps: {}}
"#;
