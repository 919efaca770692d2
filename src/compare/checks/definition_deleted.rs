//! A CustomResourceDefinition is deleted, and every object of its kind.

use super::{Case, Check};
use crate::compare::level::Level;

pub(super) static CHECK: Check = Check {
    id: "definition-deleted",
    level: Level::DataLoss,
    summary: "a CustomResourceDefinition is deleted with every object of its kind",
    way_out: "keep the definition, with the sync options `Prune=false,Delete=false` synced before, or remove its objects first",
    reference: "https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#delete-a-customresourcedefinition",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    let is_gone = case.is("apiextensions.k8s.io", "CustomResourceDefinition") && case.action().deletes();
    is_gone.then(|| "every object of its kind is deleted in all namespaces".to_owned())
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {media: [{kind: CustomResourceDefinition, name: a.example.org}, {kind: ConfigMap, name: a}]}
head: {media: [{kind: ConfigMap, name: a}]}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {media: [{kind: CustomResourceDefinition, name: a.example.org}]}
head: {}
"#;
