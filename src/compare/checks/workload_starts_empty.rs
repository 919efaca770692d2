//! A workload that had data mounts a claim that is new: everything is Healthy, and the data is elsewhere.

use super::{Case, Check};
use crate::compare::level::Level;

pub(super) static CHECK: Check = Check {
    id: "workload-starts-empty",
    level: Level::DataLoss,
    summary: "a workload that had data starts on an empty claim",
    way_out: "put back what names its claim (claim, release name, namespace or folder), or copy the data into the new claim before the workload starts",
    reference: "https://kubernetes.io/docs/concepts/storage/persistent-volumes/",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    let (old, new) = case.pair()?;
    let (before, after) = (case.claims_before(old)?, case.claims_after(new)?);
    let moved = after.into_iter().filter_map(|(volume, claim)| {
        let (_, was) = before.iter().find(|(name, _)| *name == volume)?;
        (*was != claim && !case.was_known(&claim))
            .then(|| format!("it mounted claim `{was}` and mounts `{claim}`, which is new and empty"))
    });
    moved.reduce(|all, one| format!("{all}; {one}"))
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {media: [{kind: PersistentVolumeClaim, name: data, annotations: {argocd.argoproj.io/sync-options: "Prune=false,Delete=false"}}, {kind: Deployment, name: app, claims: [data]}]}
head: {media: [{kind: PersistentVolumeClaim, name: app-data, annotations: {argocd.argoproj.io/sync-options: "Prune=false,Delete=false"}}, {kind: Deployment, name: app, claims: {data: app-data}}]}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {media: [{kind: PersistentVolumeClaim, name: data}, {kind: PersistentVolumeClaim, name: other}, {kind: Deployment, name: app, claims: [data]}]}
head: {media: [{kind: PersistentVolumeClaim, name: data}, {kind: PersistentVolumeClaim, name: other}, {kind: Deployment, name: app, claims: {data: other}}]}
"#;
