//! Data loses its guard.

use super::{Case, Check};
use crate::compare::affected::holds_data;
use crate::compare::level::Level;
use crate::model::Object;
use crate::model::sync::{SYNC_OPTIONS, entries};

pub(super) static CHECK: Check = Check {
    id: "guard-dropped",
    level: Level::Review,
    summary: "a claim, a volume or a Namespace loses its guard: the next change can delete it",
    way_out: "put `Prune=false,Delete=false` back, unless the data is meant to go",
    reference: "https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/#no-prune-resources",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    let (old, new) = case.both().filter(|(old, _)| holds_data(old))?;
    let has = |object: &Object, guard: &str| entries(object, SYNC_OPTIONS).any(|entry| entry == guard);
    let dropped: Vec<&str> = ["Prune=false", "Delete=false"]
        .into_iter()
        .filter(|guard| has(old, guard) && !has(new, guard))
        .collect();
    let claim = case.prediction.place.claim();
    let is_released = claim.is_some_and(|claim| !case.head.scope.claim(&claim).released_by.is_empty());
    let announced = match is_released {
        true => ", as `releases` announces",
        false => "",
    };
    (!dropped.is_empty()).then(|| {
        format!(
            "{} is not there any more: what removes it next deletes it{announced}",
            dropped.join(" and ")
        )
    })
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {media: [{kind: PersistentVolumeClaim, name: data, annotations: {argocd.argoproj.io/sync-options: "Prune=false,Delete=false"}}]}
head: {media: [{kind: PersistentVolumeClaim, name: data}]}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {media: [{kind: PersistentVolumeClaim, name: data}]}
head: {media: [{kind: PersistentVolumeClaim, name: data, annotations: {argocd.argoproj.io/sync-options: "Prune=false,Delete=false"}}]}
"#;
