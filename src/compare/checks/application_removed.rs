//! An Application is deleted.

use super::{Case, Check};
use crate::compare::level::Level;
use crate::compare::options;
use crate::model::Application;
use crate::model::application::GROUP;

pub(super) static CHECK: Check = Check {
    id: "application-removed",
    level: Level::Outage,
    summary: "an Application is deleted",
    way_out: "take it out with `kubectl homelab remove-app`, which says what becomes of each object and keeps the data",
    reference: "https://argo-cd.readthedocs.io/en/stable/user-guide/app_deletion/",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    let is_gone = case.is(GROUP, "Application") && case.after().is_none() && case.action().deletes();
    let is_renamed = case.twin_of_gone().is_some();
    let object = case.before().filter(|_| is_gone && !is_renamed)?;
    let cascades = Application::new(object).is_some_and(|app| options::cascades(&app));
    Some(match cascades {
        true => "its finalizer deletes its objects but for those with `Delete=false`".to_owned(),
        false => "it has no finalizer: its objects stay, and nothing manages them".to_owned(),
    })
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {media: [{kind: ConfigMap, name: a}], tv: [{kind: Deployment, name: b}]}
head: {tv: [{kind: Deployment, name: b}]}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {media: [{kind: ConfigMap, name: a}], tv: {by: hand, objects: [{kind: Deployment, name: b}]}}
head: {media: [{kind: ConfigMap, name: a}]}
"#;
