//! An Application that only read a claim of another one writes it.

use super::{Case, Check};
use crate::compare::level::Level;

pub(super) static CHECK: Check = Check {
    id: "consumer-becomes-writer",
    level: Level::Review,
    summary: "an Application writes a claim of another one that it only read",
    way_out: "mount it read-only, or say that it writes with `kubectl homelab grant CLAIM --to APP`",
    reference: "https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    let claims = case.claims_after(case.after()?)?;
    let app = &case.prediction.app;
    let found = claims.into_iter().find_map(|(_, claim)| {
        let (before, after) = (case.base.scope.claim(&claim), case.head.scope.claim(&claim));
        let is_new = after.rendered_writers.contains(app) && !before.rendered_writers.contains(app);
        (is_new && after.is_foreign_to(app) && before.users.contains(app))
            .then_some((claim, after.owners.first().cloned()))
    });
    let (claim, owner) = found?;
    Some(format!("it writes claim `{claim}`, which belongs to `{}`", owner?))
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {media: [{kind: PersistentVolumeClaim, name: data, annotations: {argocd.argoproj.io/sync-options: "Prune=false,Delete=false"}}], tv: [{kind: Deployment, name: app, reads: [data]}]}
head: {media: [{kind: PersistentVolumeClaim, name: data, annotations: {argocd.argoproj.io/sync-options: "Prune=false,Delete=false"}}], tv: [{kind: Deployment, name: app, claims: [data]}]}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {media: [{kind: PersistentVolumeClaim, name: data, annotations: {argocd.argoproj.io/sync-options: "Prune=false,Delete=false"}}], tv: [{kind: Deployment, name: app, claims: [data]}]}
head: {media: [{kind: PersistentVolumeClaim, name: data, annotations: {argocd.argoproj.io/sync-options: "Prune=false,Delete=false"}}], tv: [{kind: Deployment, name: app, reads: [data]}]}
"#;
