//! An Application deploys to another namespace or cluster.

use super::{Case, Check};
use crate::compare::level::Level;
use crate::model::Application;

pub(super) static CHECK: Check = Check {
    id: "destination-changed",
    level: Level::Outage,
    summary: "an Application deploys to another namespace or cluster: claims do not move",
    way_out: "put the old destination back, or copy the data to the new claim before the workload starts there",
    reference: "https://argo-cd.readthedocs.io/en/stable/operator-manual/application.yaml",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    let (old, new) = case.applications()?;
    let place = |app: &Application<'_>| {
        let cluster = app.destination_server().or(app.destination_name()).unwrap_or_default();
        (
            cluster.to_owned(),
            app.destination_namespace().unwrap_or("default").to_owned(),
        )
    };
    let (old, new) = (place(&old), place(&new));
    (old != new).then(|| {
        format!(
            "it deployed to `{}` and deploys to `{}`: its workloads start without what is on their claims",
            old.1, new.1
        )
    })
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {media: {namespace: one, objects: [{kind: ConfigMap, name: a}]}}
head: {media: {namespace: two, objects: [{kind: ConfigMap, name: a}]}}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {media: {namespace: one, objects: [{kind: ConfigMap, name: a}]}}
head: {media: {namespace: one, spec: {project: home}, objects: [{kind: ConfigMap, name: a}]}}
"#;
