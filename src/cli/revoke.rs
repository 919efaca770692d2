//! `kubectl homelab revoke`.

use anyhow::Result;

use super::parameter_edit;
use super::session::Session;
use super::source_edit::SourceEditArgs;
use crate::edit::grant::revoke;
use crate::edit::known_claim::reference;
use crate::failure::Exit;
use crate::model::ClaimPath;

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  kubectl homelab revoke media --from sonarr
  kubectl homelab revoke media --from sonarr --dry-run=client -o diff";

/// Take the right to write a claim from an Application
///
/// It only reads the claim from its next sync on: the entry of the parameter `writes` goes. Where the Application has the claim
/// in a place that cannot be made read-only, nothing is changed.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The claim, with its namespace before it where that is not the Application's
    #[arg(value_name = "CLAIM")]
    claim: ClaimPath,

    /// The Application that may write it now
    #[arg(long, value_name = "APP")]
    from: String,

    #[command(flatten)]
    common: SourceEditArgs,
}

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    let Args { claim, from, common } = args;
    parameter_edit::run(&common, session, (&from, None), &|target, scope| {
        revoke(target, &reference(scope, &target.name, &claim)?)
    })
}
