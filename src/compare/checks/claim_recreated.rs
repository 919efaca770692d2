//! A claim or a volume is deleted and created again, empty.

use super::{Case, Check};
use crate::compare::level::Level;
use crate::compare::prediction::Action;

pub(super) static CHECK: Check = Check {
    id: "claim-recreated",
    level: Level::DataLoss,
    summary: "a claim is deleted and created again, with an empty volume",
    way_out: "take `Force` and `Replace` out of its sync options",
    reference: "https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/#force-sync",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    let is_storage = case.is("", "PersistentVolumeClaim") || case.is("", "PersistentVolume");
    (is_storage && case.action() == Action::Recreate)
        .then(|| "it is deleted and created again, and starts empty".to_owned())
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {media: [{kind: PersistentVolumeClaim, name: data, annotations: {argocd.argoproj.io/sync-options: "Replace=true,Force=true"}}]}
head: {media: [{kind: PersistentVolumeClaim, name: data, labels: {a: b}, annotations: {argocd.argoproj.io/sync-options: "Replace=true,Force=true"}}]}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {media: [{kind: PersistentVolumeClaim, name: data}]}
head: {media: [{kind: PersistentVolumeClaim, name: data, labels: {a: b}}]}
"#;
