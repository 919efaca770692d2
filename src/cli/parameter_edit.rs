//! What the commands share that change parameters of one Application.

use anyhow::Result;

use super::helm::HelmArgs;
use super::session::{EditArgs, Session};
use super::source_dirs::SourceDirArgs;
use crate::edit::known_claim;
use crate::edit::parameters::Target;
use crate::edit::{Edit, RuleGate};
use crate::failure::Exit;
use crate::model::{AppRenders, ClaimPath};
use crate::rules::Scope;
use crate::sources::Sources;

/// How the Application is rendered, and how the command ends.
#[derive(clap::Args, Debug)]
pub(super) struct ParameterEditArgs {
    #[command(flatten)]
    sources: SourceDirArgs,

    #[command(flatten)]
    helm: HelmArgs,

    #[command(flatten)]
    edit: EditArgs,
}

/// Plans the change, from the Application and what is known of claims.
type Plan<'p> = dyn Fn(&Target<'_>, &Scope<'_>) -> Result<(Edit, RuleGate)> + 'p;

impl ParameterEditArgs {
    /// Changes an Application. Where nobody declares `claim`, all Applications are rendered before, to see who has it.
    ///
    /// # Errors
    /// Those of the plan, and those of [`Session::finish`].
    pub(super) fn run(
        self,
        session: &mut Session,
        app: &str,
        claim: Option<&ClaimPath>,
        plan: &Plan<'_>,
    ) -> Result<Exit> {
        session.reads_with(&self.sources, &self.helm);
        session.edit(&self.edit.write)?;
        let (edit, gate) = {
            let repo = session.repo()?;
            let options = self.sources.options(&self.helm, &repo.settings);
            let dirs = self.sources.into_dirs();
            dirs.check(repo, repo.applications().map(|(_, app)| app))?;
            let sources = Sources::new(repo, session.checkout()?, &dirs, &options);
            let target = Target::new(repo, &sources, app)?;
            let nothing = AppRenders::new();
            let declared = Scope::new(repo, &nothing);
            let is_open = |path: &ClaimPath| -> Result<bool> {
                let claim = known_claim::reference(&declared, &target.name, path)?;
                Ok(declared.claim(&claim).owners.is_empty())
            };
            if claim.map(is_open).transpose()? == Some(true) {
                let (renders, _) = session.render_all(&dirs, &options)?;
                plan(&target, &Scope::new(repo, &renders))?
            } else {
                plan(&target, &declared)?
            }
        };
        if edit.changes.changes.is_empty() {
            edit.notes.iter().for_each(|note| session.terminal.say(note));
        }
        session.finish(&self.edit, &edit, &gate)
    }
}
