//! What the commands share that render sources before they edit.

use anyhow::Result;

use super::edit_args::{EditArgs, WriteArgs};
use super::helm::HelmArgs;
use super::session::Session;
use super::source_dirs::SourceDirArgs;
use crate::edit::{Edit, RuleGate};
use crate::failure::Exit;
use crate::repo::Repo;
use crate::sources::Sources;

/// How sources are rendered, and how the command ends.
#[derive(clap::Args, Debug)]
pub(super) struct SourceEditArgs {
    #[command(flatten)]
    sources: SourceDirArgs,

    #[command(flatten)]
    helm: HelmArgs,

    #[command(flatten)]
    pub(super) edit: EditArgs,
}

impl SourceEditArgs {
    /// Plans an edit, as [`planned`] does.
    ///
    /// # Errors
    /// Those of [`planned`].
    pub(super) fn planned<T>(
        &self,
        session: &mut Session,
        plan: impl FnOnce(&Repo, &Sources<'_>, &Session) -> Result<T>,
    ) -> Result<T> {
        planned(session, (&self.sources, &self.helm), &self.edit.write, plan)
    }

    /// Plans an edit and makes it; where nothing is to be changed, it says why.
    ///
    /// # Errors
    /// Those of the plan, and those of [`Session::finish`].
    pub(super) fn run(
        &self,
        session: &mut Session,
        plan: impl FnOnce(&Repo, &Sources<'_>, &Session) -> Result<(Edit, RuleGate)>,
    ) -> Result<Exit> {
        let (edit, gate) = self.planned(session, plan)?;
        if edit.changes.changes.is_empty() {
            edit.notes.iter().for_each(|note| session.terminal.say(note));
        }
        session.finish(&self.edit, &edit, &gate)
    }
}

/// Plans an edit with the repository and the sources of its Applications.
///
/// # Errors
/// When the repository cannot be read or written, `--source-dir` names no source, and those of the plan.
pub(super) fn planned<T>(
    session: &mut Session,
    (sources, helm): (&SourceDirArgs, &HelmArgs),
    write: &WriteArgs,
    plan: impl FnOnce(&Repo, &Sources<'_>, &Session) -> Result<T>,
) -> Result<T> {
    session.reads_with(sources, helm);
    session.edit(write)?;
    let (repo, checkout) = (session.repo()?, session.checkout()?);
    let options = sources.options(helm, &repo.settings);
    let dirs = sources.clone().into_dirs();
    dirs.check(repo, repo.applications().map(|(_, app)| app))?;
    plan(repo, &Sources::new(repo, checkout, &dirs, &options), session)
}
