//! A pod gets rights on its node that it did not have.

use super::{Case, Check};
use crate::compare::level::Level;
use crate::model::Object;
use crate::model::workload::{CONTAINER_LISTS, PodTemplate, pod_templates};
use serde_json::Value;
use std::collections::BTreeSet;

pub(super) static CHECK: Check = Check {
    id: "privileged",
    level: Level::Review,
    summary: "a pod gets rights on its node: privileged, the host's network or its files",
    way_out: "take the rights out again, unless the program needs them",
    reference: "https://kubernetes.io/docs/concepts/security/pod-security-standards/",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    let rights =
        |object: &Object| -> BTreeSet<&'static str> { pod_templates(object).iter().flat_map(rights_of).collect() };
    let new = case.after().map(rights)?;
    let old = case.pair().map(|(old, _)| rights(old)).unwrap_or_default();
    let added: Vec<&str> = new.difference(&old).copied().collect();
    (!added.is_empty()).then(|| format!("it gets {}", added.join(", ")))
}

/// Returns the rights of a pod on its node.
fn rights_of(template: &PodTemplate<'_>) -> Vec<&'static str> {
    let is_true = |value: Option<&Value>| value == Some(&Value::Bool(true));
    let mut rights: Vec<&'static str> = ["hostNetwork", "hostPID", "hostIPC"]
        .into_iter()
        .filter(|key| is_true(template.spec.get(*key)))
        .collect();
    let containers = CONTAINER_LISTS.into_iter().flat_map(|list| template.containers(list));
    let mut contexts = containers.filter_map(|container| container.get("securityContext"));
    if contexts.any(|context| is_true(context.get("privileged"))) {
        rights.push("privileged");
    }
    if template.volumes().iter().any(|volume| volume.get("hostPath").is_some()) {
        rights.push("hostPath");
    }
    rights
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {media: [{kind: Deployment, name: app}]}
head: {media: [{kind: Deployment, name: app, pod: {hostNetwork: true}}]}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {media: [{kind: Deployment, name: app, pod: {hostNetwork: true}}]}
head: {media: [{kind: Deployment, name: app, pod: {hostNetwork: true}, image: "x:1.1"}]}
"#;
