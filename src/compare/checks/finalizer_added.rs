//! An Application gets the finalizer that deletes its objects with it.

use super::{Case, Check};
use crate::compare::level::Level;
use crate::compare::options;

pub(super) static CHECK: Check = Check {
    id: "finalizer-added",
    level: Level::Review,
    summary: "an Application gets the finalizer: its deletion deletes its objects",
    way_out: "guard its claims with `Prune=false,Delete=false` first: `kubectl homelab validate --fix`",
    reference: "https://argo-cd.readthedocs.io/en/stable/user-guide/app_deletion/",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    let (old, new) = case.applications()?;
    (!options::cascades(&old) && options::cascades(&new))
        .then(|| "from now on its deletion deletes its objects".to_owned())
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {media: {finalizers: [], objects: [{kind: ConfigMap, name: a}]}}
head: {media: [{kind: ConfigMap, name: a}]}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {media: [{kind: ConfigMap, name: a}]}
head: {media: {finalizers: [], objects: [{kind: ConfigMap, name: a}]}}
"#;
