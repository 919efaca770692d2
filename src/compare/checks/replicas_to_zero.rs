//! A workload is scaled to zero.

use super::{Case, Check};
use crate::compare::level::Level;
use crate::model::Object;
use serde_json::Value;

pub(super) static CHECK: Check = Check {
    id: "replicas-to-zero",
    level: Level::Outage,
    summary: "a workload is scaled to zero",
    way_out: "put the replicas back, unless it is meant to stop",
    reference: "https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#scaling-a-deployment",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    let (old, new) = case.both()?;
    let replicas = |object: &Object| object.at("/spec/replicas").and_then(Value::as_u64);
    let was = replicas(old).unwrap_or(1);
    let pods = if was == 1 { "pod" } else { "pods" };
    (was > 0 && replicas(new) == Some(0)).then(|| format!("it had {was} {pods} and gets none"))
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {media: [{kind: Deployment, name: app, replicas: 1}]}
head: {media: [{kind: Deployment, name: app, replicas: 0}]}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {media: [{kind: Deployment, name: app, replicas: 0}]}
head: {media: [{kind: Deployment, name: app, replicas: 0, image: "x:1.2"}]}
"#;
