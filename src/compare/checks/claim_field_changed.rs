//! An immutable field of a claim changes.

use super::{Case, Check};
use crate::compare::level::Level;

pub(super) static CHECK: Check = Check {
    id: "claim-field-changed",
    level: Level::SyncFailure,
    summary: "an immutable field of a claim changes: every sync fails",
    way_out: "put the old value back, or make a new claim and copy the data",
    reference: "https://kubernetes.io/docs/concepts/storage/persistent-volumes/",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    let is_claim = case.is("", "PersistentVolumeClaim") || case.is("", "PersistentVolume");
    let is_class = case
        .prediction
        .pointers
        .iter()
        .all(|pointer| pointer == "/spec/storageClassName");
    (is_claim && !is_class && case.word() == "immutable-field").then(|| case.sentence().to_owned())
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {media: [{kind: PersistentVolumeClaim, name: data, spec: {accessModes: [ReadWriteOnce]}}]}
head: {media: [{kind: PersistentVolumeClaim, name: data, spec: {accessModes: [ReadWriteMany]}}]}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {media: [{kind: PersistentVolumeClaim, name: data}]}
head: {media: [{kind: PersistentVolumeClaim, name: data, labels: {a: b}}]}
"#;
