//! An ApplicationSet generates an Application no more, and deletes it.

use super::{Case, Check};
use crate::compare::level::Level;
use crate::model::application::GROUP;
use crate::repo::Bringer;

pub(super) static CHECK: Check = Check {
    id: "set-shrinks",
    level: Level::Outage,
    summary: "an ApplicationSet generates an Application no more, and deletes it",
    way_out: "rename a folder with `kubectl homelab rename-app`, and remove one with `kubectl homelab remove-app`: both keep the data",
    reference: "https://argo-cd.readthedocs.io/en/stable/operator-manual/applicationset/Application-Deletion/",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    let is_gone = case.is(GROUP, "Application") && case.after().is_none() && case.action().deletes();
    let app = case.base.app(&case.prediction.app).filter(|_| is_gone)?;
    let Bringer::Set(set) = &app.bringer else { return None };
    case.head.set(set)?;
    Some(format!("ApplicationSet `{set}` generates it no more: it is deleted"))
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {set/apps: {}, media: {by: apps, objects: [{kind: ConfigMap, name: a}]}}
head: {set/apps: {}}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {set/apps: {spec: {syncPolicy: {applicationsSync: create-update}}}, media: {by: apps, objects: [{kind: ConfigMap, name: a}]}}
head: {set/apps: {spec: {syncPolicy: {applicationsSync: create-update}}}}
"#;
