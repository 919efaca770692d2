//! New files that a set takes for parameters: Argo CD would make other Applications of them.

use anyhow::{Result, anyhow};

use crate::edit::Renders;
use crate::failure::HintExt;
use crate::model::Object;
use crate::repo::{ChangeSet, Repo};

/// Refuses changes that add or remove files of which the generators of a set make other Applications.
///
/// # Errors
/// Names the set and a file.
pub(super) fn check(repo: &Repo, renders: &dyn Renders, changes: &ChangeSet) -> Result<()> {
    let mut files = repo.file_changes(changes)?;
    files.retain(|file| file.before.is_none() || file.after.is_none());
    let Some(first) = files.first() else { return Ok(()) };
    // Folders do not change by a file in them that no generator reads.
    let reads_files = |set: &Object| {
        set.at("/spec/generators")
            .is_some_and(|list| list.to_string().contains("\"files\""))
    };
    for set in repo.sets().filter(|set| reads_files(&set.object)) {
        let Ok(before) = renders.generate(&set.object, &[]) else {
            continue;
        };
        let after = renders.generate(&set.object, &files);
        if !after.is_ok_and(|after| names(&after) == names(&before)) {
            let name = set.object.name();
            return Err(anyhow!(
                "ApplicationSet `{name}` would take `{}` for parameters of an Application",
                first.path
            )
            .hint(format!(
                "narrow the pattern of files in `{}`, so that it does not match it",
                set.file
            )));
        }
    }
    Ok(())
}

fn names(apps: &[Object]) -> Vec<&str> {
    apps.iter().map(Object::name).collect()
}
