//! What an ApplicationSet may do to its Applications changes.

use super::{Case, Check};
use crate::compare::level::Level;
use crate::compare::options;

pub(super) static CHECK: Check = Check {
    id: "set-policy-changed",
    level: Level::Review,
    summary: "the policy of an ApplicationSet changes",
    way_out: "check that the set may delete what the new policy lets it delete",
    reference: "https://argo-cd.readthedocs.io/en/stable/operator-manual/applicationset/Controlling-Resource-Modification/",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    let (old, new) = case.sets()?;
    let (old, new) = (options::policy(old), options::policy(new));
    (old != new).then(|| format!("the policy was `{old}` and is `{new}`"))
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {set/apps: {spec: {syncPolicy: {applicationsSync: create-update}}}}
head: {set/apps: {}}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {set/apps: {}}
head: {set/apps: {spec: {goTemplate: true}}}
"#;
