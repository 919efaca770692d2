//! A claim gets smaller, which the API server refuses.

use super::{Case, Check};
use crate::compare::immutable::{Resize, resize};
use crate::compare::level::Level;

pub(super) static CHECK: Check = Check {
    id: "claim-shrunk",
    level: Level::SyncFailure,
    summary: "a claim gets smaller: the sync fails",
    way_out: "put the old size back, or make a smaller claim and copy the data",
    reference: "https://kubernetes.io/docs/concepts/storage/persistent-volumes/#expanding-persistent-volumes-claims",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    let (old, new) = case.both()?;
    (resize(old, new) == Some(Resize::Shrinks)).then(|| "a claim cannot shrink".to_owned())
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {media: [{kind: PersistentVolumeClaim, name: data, size: 5Gi}]}
head: {media: [{kind: PersistentVolumeClaim, name: data, size: 4Gi}]}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {media: [{kind: PersistentVolumeClaim, name: data, size: 5Gi}]}
head: {media: [{kind: PersistentVolumeClaim, name: data, size: 5120Mi}]}
"#;
