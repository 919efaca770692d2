//! A PersistentVolume is deleted.

use super::{Case, Check};
use crate::compare::level::Level;
use crate::compare::prediction::Action;

pub(super) static CHECK: Check = Check {
    id: "volume-deleted",
    level: Level::DataLoss,
    summary: "a PersistentVolume is deleted",
    way_out: "put the volume back, or let `Prune=false,Delete=false` be synced before it goes",
    reference: "https://kubernetes.io/docs/concepts/storage/persistent-volumes/#reclaiming",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    let is_gone = case.is("", "PersistentVolume") && case.action().deletes() && case.action() != Action::Recreate;
    is_gone.then(|| "the volume is deleted, and a claim that is bound to it is lost".to_owned())
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {media: [{kind: PersistentVolume, name: nas}, {kind: ConfigMap, name: a}]}
head: {media: [{kind: ConfigMap, name: a}]}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {media: [{kind: PersistentVolume, name: nas, annotations: {argocd.argoproj.io/sync-options: "Prune=false,Delete=false"}}, {kind: ConfigMap, name: a}]}
head: {media: [{kind: ConfigMap, name: a}]}
"#;
