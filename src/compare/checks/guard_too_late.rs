//! What would guard data comes with the change that removes it.

use super::{Case, Check};
use crate::compare::affected::holds_data;
use crate::compare::level::Level;
use crate::compare::prediction::Action;

pub(super) static CHECK: Check = Check {
    id: "guard-too-late",
    level: Level::DataLoss,
    summary: "the guard of a claim comes with the change that removes it",
    way_out: "push the guard alone, let Argo CD sync it, and remove the object in a later commit",
    reference: "https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/#no-prune-resources",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    let is_it = case.action() == Action::TooLate && case.object().is_some_and(holds_data);
    is_it.then(|| "push the guard first, and the rest when Argo CD has synced it".to_owned())
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {media: [{kind: PersistentVolumeClaim, name: data}, {kind: ConfigMap, name: a}], tv: [{kind: ConfigMap, name: b}]}
head: {media: [{kind: ConfigMap, name: a}], tv: [{kind: PersistentVolumeClaim, name: data, annotations: {argocd.argoproj.io/sync-options: "Prune=false,Delete=false"}}, {kind: ConfigMap, name: b}]}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {media: [{kind: PersistentVolumeClaim, name: data, annotations: {argocd.argoproj.io/sync-options: "Prune=false,Delete=false"}}, {kind: ConfigMap, name: a}], tv: [{kind: ConfigMap, name: b}]}
head: {media: [{kind: ConfigMap, name: a}], tv: [{kind: PersistentVolumeClaim, name: data, annotations: {argocd.argoproj.io/sync-options: "Prune=false,Delete=false"}}, {kind: ConfigMap, name: b}]}
"#;
