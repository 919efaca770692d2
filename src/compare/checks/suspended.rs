//! A CronJob or something else is suspended.

use super::{Case, Check};
use crate::compare::level::Level;
use crate::model::Object;
use serde_json::Value;

pub(super) static CHECK: Check = Check {
    id: "suspended",
    level: Level::Outage,
    summary: "something is suspended",
    way_out: "switch it on again, unless it is meant to stop",
    reference: "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-suspension",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    let (old, new) = case.both()?;
    let is_suspended = |object: &Object| object.at("/spec/suspend") == Some(&Value::Bool(true));
    (!is_suspended(old) && is_suspended(new)).then(|| "it does not run any more until that is undone".to_owned())
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {media: [{kind: CronJob, name: app}]}
head: {media: [{kind: CronJob, name: app, spec: {suspend: true}}]}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {media: [{kind: CronJob, name: app, spec: {suspend: true}}]}
head: {media: [{kind: CronJob, name: app}]}
"#;
