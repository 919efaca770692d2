//! An image changes its major version.

use super::versions;
use super::{Case, Check};
use crate::compare::level::Level;

pub(super) static CHECK: Check = Check {
    id: "image-major-version",
    level: Level::Review,
    summary: "an image changes its major version",
    way_out: "read the program's notes on upgrades, and save the data before",
    reference: "https://semver.org/#spec-item-8",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    let (old, new) = case.both()?;
    let (old, new) = (versions::images(old), versions::images(new));
    new.iter().find_map(|(name, is)| {
        let (_, was) = old.iter().find(|(other, _)| other == name)?;
        (versions::major(was)? != versions::major(is)?).then(|| format!("image `{name}` was at {was} and is at {is}"))
    })
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {media: [{kind: StatefulSet, name: db, image: "postgres:16.4"}]}
head: {media: [{kind: StatefulSet, name: db, image: "postgres:17.0"}]}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {media: [{kind: StatefulSet, name: db, image: "postgres:16.4"}]}
head: {media: [{kind: StatefulSet, name: db, image: "postgres:16.5"}]}
"#;
