//! A role or a binding gives more rights than before.

use super::{Case, Check};
use crate::compare::level::Level;
use crate::model::Object;
use serde_json::Value;

pub(super) static CHECK: Check = Check {
    id: "rbac-widened",
    level: Level::Review,
    summary: "a role or a binding gives more rights",
    way_out: "take the rights out again, unless the program needs them",
    reference: "https://kubernetes.io/docs/reference/access-authn-authz/rbac/",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    let new = case.after().filter(|new| new.group() == "rbac.authorization.k8s.io")?;
    let list =
        |object: &Object, key: &'static str| object.at(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let added = |key: &'static str| {
        let old = case.before().map(|old| list(old, key)).unwrap_or_default();
        list(new, key).into_iter().any(|entry| !old.contains(&entry))
    };
    let is_admin = new.at("/roleRef/name").and_then(Value::as_str) == Some("cluster-admin");
    let what = match (added("/rules"), added("/subjects"), case.before()) {
        (true, _, Some(_)) => "its rules allow something else than before",
        (_, true, Some(_)) => "it has subjects that it did not have",
        (_, true, None) if is_admin => "it makes somebody a cluster admin",
        _ => return None,
    };
    Some(what.to_owned())
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {media: [{kind: ClusterRole, name: app, rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]}]}
head: {media: [{kind: ClusterRole, name: app, rules: [{apiGroups: [""], resources: ["*"], verbs: ["*"]}]}]}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {media: [{kind: ClusterRole, name: app, rules: [{apiGroups: [""], resources: [pods], verbs: [get]}, {apiGroups: [""], resources: [nodes], verbs: [get]}]}]}
head: {media: [{kind: ClusterRole, name: app, rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]}]}
"#;
