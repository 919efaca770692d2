//! A claim has another name: the data stays behind, or goes.

use super::{Case, Check};
use crate::compare::level::Level;

pub(super) static CHECK: Check = Check {
    id: "claim-renamed",
    level: Level::Outage,
    summary: "a claim has another name, and the new one starts empty",
    way_out: "put the old name back; where the new one has to be, make it as a claim of its own, copy the data, and remove the old one later",
    reference: "https://kubernetes.io/docs/concepts/storage/persistent-volumes/",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    let twin = case.twin_of_gone().filter(|_| case.is("", "PersistentVolumeClaim"))?;
    Some(format!("it is `{twin}` now, which starts empty"))
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {media: [{kind: PersistentVolumeClaim, name: data, annotations: {argocd.argoproj.io/sync-options: "Prune=false,Delete=false"}}]}
head: {media: [{kind: PersistentVolumeClaim, name: data-new, annotations: {argocd.argoproj.io/sync-options: "Prune=false,Delete=false"}}]}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {media: [{kind: PersistentVolumeClaim, name: data, annotations: {argocd.argoproj.io/sync-options: "Prune=false,Delete=false"}}]}
head: {media: [{kind: PersistentVolumeClaim, name: data, annotations: {argocd.argoproj.io/sync-options: "Prune=false,Delete=false"}}, {kind: PersistentVolumeClaim, name: more}]}
"#;
