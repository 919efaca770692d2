//! Automated prune is switched on for an Application that lived without.

use super::{Case, Check};
use crate::compare::level::Level;
use crate::compare::options;

pub(super) static CHECK: Check = Check {
    id: "prune-switched-on",
    level: Level::Review,
    summary: "automated prune is switched on: what Git does not have is deleted",
    way_out: "see what is live and not in Git before, as Argo CD's list of OutOfSync objects shows it",
    reference: "https://argo-cd.readthedocs.io/en/stable/user-guide/auto_sync/#automatic-pruning",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    let (old, new) = case.applications()?;
    (!options::prunes(&old) && options::prunes(&new))
        .then(|| "what it has in the cluster and not in Git is deleted with the next sync".to_owned())
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {media: {spec: {syncPolicy: {automated: {prune: false}}}, objects: [{kind: ConfigMap, name: a}]}}
head: {media: {spec: {syncPolicy: {automated: {prune: true}}}, objects: [{kind: ConfigMap, name: a}]}}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {media: {spec: {syncPolicy: {automated: {prune: true}}}, objects: [{kind: ConfigMap, name: a}]}}
head: {media: {spec: {syncPolicy: {automated: {prune: false}}}, objects: [{kind: ConfigMap, name: a}]}}
"#;
