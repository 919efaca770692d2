//! A claim gets another owner, and the repository does not say that it moves.

use super::{Case, Check};
use crate::compare::level::Level;
use crate::compare::statements::MOVED;

pub(super) static CHECK: Check = Check {
    id: "owner-changed",
    level: Level::Review,
    summary: "a claim gets another owner, and neither `moved-from` nor `moves` says so",
    way_out: "move it with `kubectl homelab move-owner CLAIM --to APP`, which says so on both sides",
    reference: "https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    let claim = case.prediction.place.claim().filter(|_| case.word() != MOVED)?;
    let (before, after) = (case.base.scope.claim(&claim), case.head.scope.claim(&claim));
    let (old, new) = (before.owners.first()?, after.owners.first()?);
    (old != new).then(|| format!("it belonged to `{old}` and belongs to `{new}`"))
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {media: [{kind: PersistentVolumeClaim, name: data, annotations: {argocd.argoproj.io/sync-options: "Prune=false,Delete=false"}}, {kind: ConfigMap, name: a}], tv: [{kind: ConfigMap, name: b}]}
head: {media: [{kind: ConfigMap, name: a}], tv: [{kind: PersistentVolumeClaim, name: data, annotations: {argocd.argoproj.io/sync-options: "Prune=false,Delete=false"}}, {kind: ConfigMap, name: b}]}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {media: {owns: [data], objects: [{kind: PersistentVolumeClaim, name: data, annotations: {argocd.argoproj.io/sync-options: "Prune=false,Delete=false"}}, {kind: ConfigMap, name: a}]}, tv: [{kind: ConfigMap, name: b}]}
head: {media: {moves: [data=tv], objects: [{kind: ConfigMap, name: a}]}, tv: {owns: [data], moved-from: [media/data], objects: [{kind: PersistentVolumeClaim, name: data, annotations: {argocd.argoproj.io/sync-options: "Prune=false,Delete=false"}}, {kind: ConfigMap, name: b}]}}
"#;
