//! An ApplicationSet cannot be expanded any more: nothing of it is created, changed or deleted.

use super::{Case, Check};
use crate::compare::level::Level;

pub(super) static CHECK: Check = Check {
    id: "generator-fails",
    level: Level::SyncFailure,
    summary: "an ApplicationSet cannot be expanded any more",
    way_out: "correct the generator: until then Argo CD changes none of its Applications",
    reference: "https://argo-cd.readthedocs.io/en/stable/operator-manual/applicationset/Generators/",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    (case.word() == "generator-fails").then(|| "what becomes of its Applications is not known".to_owned())
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {set/apps: {}, media: {by: apps, objects: [{kind: ConfigMap, name: a}]}}
head: {set/apps: {unknown: a generator fails}}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {set/apps: {unknown: a generator fails}}
head: {set/apps: {unknown: a generator fails}}
"#;
