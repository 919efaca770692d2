//! An Application has another name.

use super::{Case, Check};
use crate::compare::level::Level;
use crate::model::application::GROUP;

pub(super) static CHECK: Check = Check {
    id: "application-renamed",
    level: Level::Review,
    summary: "an Application has another name: the old one is deleted",
    way_out: "rename it with `kubectl homelab rename-app OLD NEW`, which keeps every object",
    reference: "https://argo-cd.readthedocs.io/en/stable/user-guide/app_deletion/",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    let twin = case.twin_of_gone().filter(|_| case.is(GROUP, "Application"))?;
    Some(format!(
        "it is `{}` now; to keep its objects, keep the name of the release and take the finalizer off first",
        twin.object.name
    ))
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {media: [{kind: ConfigMap, name: a}]}
head: {films: {path: media, objects: [{kind: ConfigMap, name: a}]}}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {media: [{kind: ConfigMap, name: a}]}
head: {media: [{kind: ConfigMap, name: b}]}
"#;
