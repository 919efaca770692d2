//! A workload mounts a claim read-write that it mounted read-only.

use super::{Case, Check};
use crate::compare::level::Level;
use crate::model::claim_use::claim_uses;

pub(super) static CHECK: Check = Check {
    id: "read-only-lost",
    level: Level::Review,
    summary: "a workload mounts a claim read-write that it mounted read-only",
    way_out: "mount it read-only again, at the volume and in every container",
    reference: "https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    let (old, new) = case.both()?;
    let (before, after) = (claim_uses(old).volumes, claim_uses(new).volumes);
    let lost = after.iter().find(|now| {
        let mut same = before.iter().filter(|was| was.claim == now.claim);
        now.is_written() && same.next().is_some_and(|was| !was.is_written()) && same.all(|was| !was.is_written())
    })?;
    Some(format!("claim `{}` was mounted read-only", lost.claim))
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {media: [{kind: PersistentVolumeClaim, name: data, annotations: {argocd.argoproj.io/sync-options: "Prune=false,Delete=false"}}, {kind: Deployment, name: app, reads: [data]}]}
head: {media: [{kind: PersistentVolumeClaim, name: data, annotations: {argocd.argoproj.io/sync-options: "Prune=false,Delete=false"}}, {kind: Deployment, name: app, claims: [data]}]}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {media: [{kind: PersistentVolumeClaim, name: data, annotations: {argocd.argoproj.io/sync-options: "Prune=false,Delete=false"}}, {kind: Deployment, name: app, claims: [data]}]}
head: {media: [{kind: PersistentVolumeClaim, name: data, annotations: {argocd.argoproj.io/sync-options: "Prune=false,Delete=false"}}, {kind: Deployment, name: app, claims: [data], image: "x:1.2"}]}
"#;
