//! What the commands share that change parameters of one Application.

use anyhow::Result;

use super::session::Session;
use super::source_edit::SourceEditArgs;
use crate::edit::known_claim;
use crate::edit::parameters::Target;
use crate::edit::{Edit, RuleGate};
use crate::failure::Exit;
use crate::model::{AppRenders, ClaimPath};
use crate::rules::Scope;

/// Plans the change, from the Application and what is known of claims.
type Plan<'p> = dyn Fn(&Target<'_>, &Scope<'_>) -> Result<(Edit, RuleGate)> + 'p;

/// Changes an Application. Where nobody declares `claim`, all Applications are rendered before, to see who has it.
///
/// # Errors
/// Those of the plan, and those of [`SourceEditArgs::run`].
pub(super) fn run(
    args: &SourceEditArgs,
    session: &mut Session,
    (app, claim): (&str, Option<&ClaimPath>),
    plan: &Plan<'_>,
) -> Result<Exit> {
    args.run(session, |repo, sources, session| {
        let target = Target::new(repo, sources, app)?;
        let nothing = AppRenders::new();
        let declared = Scope::new(repo, &nothing);
        let is_open = |path: &ClaimPath| -> Result<bool> {
            let claim = known_claim::reference(&declared, &target.name, path)?;
            Ok(declared.claim(&claim).owners.is_empty())
        };
        if claim.map(is_open).transpose()? != Some(true) {
            return plan(&target, &declared);
        }
        let (renders, _) = session.render_all_of(sources)?;
        plan(&target, &Scope::new(repo, &renders))
    })
}
