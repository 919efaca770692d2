//! The deletion of a set's Applications deletes their objects again.

use super::{Case, Check};
use crate::compare::level::Level;
use crate::compare::options;

pub(super) static CHECK: Check = Check {
    id: "preserve-dropped",
    level: Level::Review,
    summary: "preserveResourcesOnDeletion is switched off: deleting an Application deletes its objects",
    way_out: "leave it on while Applications of the set are renamed or removed",
    reference: "https://argo-cd.readthedocs.io/en/stable/operator-manual/applicationset/Application-Deletion/",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    let (old, new) = case.sets()?;
    (options::preserves(old) && !options::preserves(new))
        .then(|| "from now on an Application that is generated no more is deleted with its objects".to_owned())
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {set/apps: {spec: {syncPolicy: {preserveResourcesOnDeletion: true}}}}
head: {set/apps: {}}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {set/apps: {}}
head: {set/apps: {spec: {syncPolicy: {preserveResourcesOnDeletion: true}}}}
"#;
