//! A Namespace is deleted with everything in it.

use super::{Case, Check};
use crate::compare::level::Level;

pub(super) static CHECK: Check = Check {
    id: "namespace-deleted",
    level: Level::DataLoss,
    summary: "a Namespace is deleted with everything in it, guarded claims included",
    way_out: "keep its manifest with `Prune=false,Delete=false`, or take it out with `kubectl homelab remove-namespace`, which refuses while it has claims",
    reference: "https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/#no-prune-resources",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    let is_gone = case.is("", "Namespace") && case.action().deletes();
    is_gone.then(|| {
        format!(
            "everything in it is deleted, claims with guards included{}",
            case.readers()
        )
    })
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {spaces: [{kind: Namespace, name: media}, {kind: Namespace, name: tv}], media: [{kind: PersistentVolumeClaim, name: data, annotations: {argocd.argoproj.io/sync-options: "Prune=false,Delete=false"}}]}
head: {spaces: [{kind: Namespace, name: tv}], media: [{kind: PersistentVolumeClaim, name: data, annotations: {argocd.argoproj.io/sync-options: "Prune=false,Delete=false"}}]}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {spaces: [{kind: Namespace, name: media, annotations: {argocd.argoproj.io/sync-options: "Prune=false,Delete=false"}}, {kind: Namespace, name: tv}], media: [{kind: PersistentVolumeClaim, name: data, annotations: {argocd.argoproj.io/sync-options: "Prune=false,Delete=false"}}]}
head: {spaces: [{kind: Namespace, name: tv}], media: [{kind: PersistentVolumeClaim, name: data, annotations: {argocd.argoproj.io/sync-options: "Prune=false,Delete=false"}}]}
"#;
