//! A claim grows on a class that does not expand volumes.

use super::{Case, Check};
use crate::compare::level::Level;

pub(super) static CHECK: Check = Check {
    id: "claim-grown",
    level: Level::SyncFailure,
    summary: "a claim grows on a class that does not expand volumes: the sync fails",
    way_out: "put the old size back, or make a new claim of the new size and copy the data",
    reference: "https://kubernetes.io/docs/concepts/storage/persistent-volumes/#expanding-persistent-volumes-claims",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    (case.word() == "class-does-not-expand")
        .then(|| "its class does not expand volumes, and the API server refuses the change of a bound claim".to_owned())
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {media: [{kind: PersistentVolumeClaim, name: data, size: 5Gi, class: local-path}]}
head: {media: [{kind: PersistentVolumeClaim, name: data, size: 6Gi, class: local-path}]}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {media: [{kind: PersistentVolumeClaim, name: data, size: 5Gi, class: fast}, {kind: StorageClass, name: fast, provisioner: example.org/x, allowVolumeExpansion: true}]}
head: {media: [{kind: PersistentVolumeClaim, name: data, size: 6Gi, class: fast}, {kind: StorageClass, name: fast, provisioner: example.org/x, allowVolumeExpansion: true}]}
"#;
