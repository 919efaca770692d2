//! An Application goes from an ApplicationSet to something else that brings it, and is deleted between.

use super::{Case, Check};
use crate::compare::fate::MADE_AGAIN;
use crate::compare::level::Level;
use crate::model::application::GROUP;

pub(super) static CHECK: Check = Check {
    id: "set-changes",
    level: Level::Outage,
    summary: "an Application goes from an ApplicationSet to another one, which gets it only when the first has deleted it",
    way_out: "first, in a commit of its own, set `preserveResourcesOnDeletion: true` in the set that it leaves, and take the finalizer out of the template; or leave it where it is",
    reference: "https://argo-cd.readthedocs.io/en/stable/operator-manual/applicationset/Application-Deletion/",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    let outcome = &case.prediction.outcome;
    let is_it = case.is(GROUP, "Application") && outcome.reason.word == MADE_AGAIN;
    is_it.then(|| outcome.reason.sentence.clone())
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {set/apps: {}, set/others: {}, media: {by: apps, objects: [{kind: ConfigMap, name: a}]}}
head: {set/apps: {}, set/others: {}, media: {by: others, objects: [{kind: ConfigMap, name: a}]}}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {set/apps: {spec: {syncPolicy: {applicationsSync: create-only}}}, set/others: {}, media: {by: apps, objects: [{kind: ConfigMap, name: a}]}}
head: {set/apps: {spec: {syncPolicy: {applicationsSync: create-only}}}, set/others: {}, media: {by: others, objects: [{kind: ConfigMap, name: a}]}}
"#;
