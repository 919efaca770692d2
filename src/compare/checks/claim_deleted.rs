//! A claim is deleted, and its volume with it.

use super::{Case, Check};
use crate::compare::level::Level;
use crate::compare::prediction::Action;

pub(super) static CHECK: Check = Check {
    id: "claim-deleted",
    level: Level::DataLoss,
    summary: "a claim is deleted with its data",
    way_out: "put the claim back under its name; to keep it without an Application, let `Prune=false,Delete=false` be synced before it goes, as `kubectl homelab remove-app` does",
    reference: "https://kubernetes.io/docs/concepts/storage/persistent-volumes/#reclaiming",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    let is_gone = case.is("", "PersistentVolumeClaim") && case.action().deletes() && case.action() != Action::Recreate;
    is_gone.then(|| {
        format!(
            "the claim is deleted, and the data on it unless its volume is retained{}",
            case.readers()
        )
    })
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {media: [{kind: PersistentVolumeClaim, name: data}, {kind: ConfigMap, name: a}]}
head: {media: [{kind: ConfigMap, name: a}]}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {media: [{kind: PersistentVolumeClaim, name: data, annotations: {argocd.argoproj.io/sync-options: "Prune=false,Delete=false"}}, {kind: ConfigMap, name: a}]}
head: {media: [{kind: ConfigMap, name: a}]}
"#;
