//! Self-heal is switched on for an Application that lived without.

use super::{Case, Check};
use crate::compare::level::Level;
use crate::compare::options;

pub(super) static CHECK: Check = Check {
    id: "self-heal-switched-on",
    level: Level::Review,
    summary: "self-heal is switched on: what was changed by hand is undone",
    way_out: "bring what was changed by hand into Git before",
    reference: "https://argo-cd.readthedocs.io/en/stable/user-guide/auto_sync/#automatic-self-healing",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    let (old, new) = case.applications()?;
    (!options::self_heals(&old) && options::self_heals(&new)).then(|| "what was changed by hand is undone".to_owned())
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {media: {spec: {syncPolicy: {automated: {selfHeal: false}}}, objects: [{kind: ConfigMap, name: a}]}}
head: {media: {spec: {syncPolicy: {automated: {selfHeal: true}}}, objects: [{kind: ConfigMap, name: a}]}}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {media: {spec: {syncPolicy: {automated: {selfHeal: true}}}, objects: [{kind: ConfigMap, name: a}]}}
head: {media: {spec: {syncPolicy: {automated: {selfHeal: false}}}, objects: [{kind: ConfigMap, name: a}]}}
"#;
