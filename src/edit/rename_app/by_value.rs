//! An Application that a chart renders gets its new name by the value that names it.

use anyhow::{Result, anyhow};

use super::Renaming;
use crate::edit::needed::Needed;
use crate::edit::{Edit, Renders, RuleGate, leading_value};
use crate::failure::HintExt;
use crate::model::finalizer::deleting;
use crate::model::{Application, Object};
use crate::repo::{ChangeSet, Manifest, Origin, Rendered, Repo};

/// Refuses an Application whose template has a finalizer: it would be off for it alone nowhere.
///
/// # Errors
/// Names the template.
pub(super) fn check_finalizers(
    repo: &Repo,
    renders: &dyn Renders,
    rendered: &Rendered,
    app: &Application<'_>,
) -> Result<()> {
    let finalizers = deleting(app);
    if finalizers.is_empty() {
        return Ok(());
    }
    Err(anyhow!(
        "Application `{}` is rendered by `{}` with the finalizer `{}`: all that it rendered would be deleted with the old name",
        app.name(),
        rendered.by,
        finalizers.join("`, `")
    )
    .hint(format!(
        "take the finalizer out of what `{}` renders, in a commit of its own, and put it back once the Application is renamed; {}",
        rendered.by,
        leading_value::place(repo, renders.files(), rendered, app.name())
    )))
}

/// Returns what has to be in the branch that Argo CD reads: the files of the chart as they are, which render no finalizer.
///
/// # Errors
/// When they cannot be read.
pub(super) fn needed(
    repo: &Repo,
    renders: &dyn Renders,
    manifest: &Manifest,
    rendered: &Rendered,
) -> Result<Vec<Needed>> {
    let files = renders.files();
    let mut needed = Vec::new();
    for file in leading_value::files(repo, files, rendered)? {
        let text = files
            .read(&file)?
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let step = format!("what `{}` renders, without the finalizer", rendered.by);
        needed.push(Needed::of_text(manifest, step, file, text));
    }
    Ok(needed)
}

impl<'r> Renaming<'r> {
    /// Adds the change of the value, and what the repository brings then.
    ///
    /// # Errors
    /// When no value is the name of this Application alone, or another one has the new name.
    pub(super) fn by_value(
        &self,
        renders: &dyn Renders,
        (renamed, followers): (&Object, ChangeSet),
        (edit, gate): (&mut Edit, &mut RuleGate),
    ) -> Result<()> {
        self.check_free()?;
        let led = leading_value::renamed(self.repo, renders, self.manifest, renamed)?;
        let mut changes = followers;
        changes.join(led.changes.changes)?;
        gate.derived = Some(renders.desired(&self.repo.file_changes(&changes)?)?);
        edit.changes = changes;
        edit.notes.extend(led.notes);
        Ok(())
    }

    /// Returns the Application that renders it.
    pub(super) fn parent(&self) -> Option<Application<'r>> {
        let Origin::Rendered(rendered) = &self.manifest.origin else {
            return None;
        };
        let (_, parent) = self.repo.application(&rendered.by).filter(|_| !rendered.is_chart)?;
        Some(parent)
    }
}
