//! An object is deleted for which an operator made claims: they go with it.

use super::{Case, Check};
use crate::compare::level::Level;
use crate::model::made_claims::{claim_patterns, operator_claims};

pub(super) static CHECK: Check = Check {
    id: "operator-claims-deleted",
    level: Level::DataLoss,
    summary: "an object is deleted whose operator deletes the claims that it made",
    way_out: "keep the object, or tell its operator to keep the claims, and let that be synced before",
    reference: "https://kubernetes.io/docs/concepts/storage/persistent-volumes/",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    let old = case
        .before()
        .filter(|old| case.action().deletes() && !old.is("apps", "StatefulSet"))?;
    let made: Vec<String> = claim_patterns(old).into_iter().chain(operator_claims(old)).collect();
    (!made.is_empty()).then(|| {
        format!(
            "its operator made claims for it ({}), and most operators delete them with it",
            made.join(", ")
        )
    })
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {media: [{kind: Cluster, apiVersion: postgresql.cnpg.io/v1, name: pg}, {kind: ConfigMap, name: a}]}
head: {media: [{kind: ConfigMap, name: a}]}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {media: [{kind: Cluster, apiVersion: postgresql.cnpg.io/v1, name: pg}]}
head: {media: [{kind: Cluster, apiVersion: postgresql.cnpg.io/v1, name: pg, spec: {instances: 2}}]}
"#;
