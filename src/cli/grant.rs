//! `kubectl homelab grant`.

use anyhow::Result;

use super::parameter_edit;
use super::session::Session;
use super::source_edit::SourceEditArgs;
use crate::edit::KnownClaim;
use crate::edit::grant::grant;
use crate::failure::Exit;
use crate::model::ClaimPath;

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  # A library manager that sorts what a downloader has fetched
  kubectl homelab grant media --to sonarr

  # And back: it only reads the claim
  kubectl homelab revoke media --from sonarr";

/// Let an Application write a claim that another one owns
///
/// Without a grant, every Application but the owner only reads a claim, whoever wrote its chart. The claim goes into the
/// parameter `writes`, and `validate` and `list volumes` show the Application as a writer.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The claim, with its namespace before it where that is not the Application's
    #[arg(value_name = "CLAIM")]
    claim: ClaimPath,

    /// The Application that may write it
    #[arg(long, value_name = "APP")]
    to: String,

    #[command(flatten)]
    common: SourceEditArgs,
}

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    let Args { claim, to, common } = args;
    parameter_edit::run(&common, session, (&to, Some(&claim)), &|target, scope| {
        grant(target, &KnownClaim::find(scope, &target.name, &claim)?)
    })
}
