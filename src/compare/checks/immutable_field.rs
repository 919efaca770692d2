//! An immutable field changes: a selector, a field of a StatefulSet or of a Job.

use super::{Case, Check};
use crate::compare::level::Level;

pub(super) static CHECK: Check = Check {
    id: "immutable-field",
    level: Level::SyncFailure,
    summary: "an immutable field changes: the sync fails",
    way_out: "put the old value back, or delete the object by hand once its data is safe, so that it is made again",
    reference: "https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#label-selector-updates",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    let is_claim = case.is("", "PersistentVolumeClaim") || case.is("", "PersistentVolume");
    (!is_claim && case.word() == "immutable-field").then(|| "delete the object, or leave the field as it is".to_owned())
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {media: [{kind: Deployment, name: app, spec: {selector: {matchLabels: {a: b}}}}]}
head: {media: [{kind: Deployment, name: app, spec: {selector: {matchLabels: {a: c}}}}]}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {media: [{kind: StatefulSet, name: app, image: "x:1"}]}
head: {media: [{kind: StatefulSet, name: app, image: "x:1.2"}]}
"#;
