//! The storage class of a claim changes, which the API server refuses.

use super::{Case, Check};
use crate::compare::level::Level;
use crate::compare::prediction::Action;
use crate::model::Object;
use serde_json::Value;

pub(super) static CHECK: Check = Check {
    id: "claim-class-changed",
    level: Level::SyncFailure,
    summary: "the storage class of a claim changes: every sync fails",
    way_out: "put the old class back, or make a new claim of the new class and copy the data",
    reference: "https://kubernetes.io/docs/concepts/storage/persistent-volumes/#class-1",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    let (old, new) = case.both().filter(|_| case.action() == Action::Fail)?;
    let class = |object: &Object| {
        object
            .at("/spec/storageClassName")
            .and_then(Value::as_str)
            .unwrap_or("")
            .to_owned()
    };
    let (old, new) = (class(old), class(new));
    let is_claim = case.is("", "PersistentVolumeClaim");
    (is_claim && old != new).then(|| format!("the class was `{old}` and is `{new}`: an existing claim keeps its class"))
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {media: [{kind: PersistentVolumeClaim, name: data, class: standard}]}
head: {media: [{kind: PersistentVolumeClaim, name: data, class: local-path}]}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {media: {spec: &spec {ignoreDifferences: [{kind: PersistentVolumeClaim, jsonPointers: [/spec/storageClassName]}], syncPolicy: {automated: {prune: true}, syncOptions: [RespectIgnoreDifferences=true]}}, objects: [{kind: PersistentVolumeClaim, name: data, class: standard}]}}
head: {media: {spec: *spec, objects: [{kind: PersistentVolumeClaim, name: data, class: local-path}]}}
"#;
