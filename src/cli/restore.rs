//! `kubectl homelab restore`.

use anyhow::Result;

use super::session::Session;
use super::source_edit::SourceEditArgs;
use crate::edit::restore::{Request, restore};
use crate::failure::Exit;
use crate::model::ClaimPath;

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  # The claims that are kept
  kubectl homelab list volumes

  # A new player takes over the films of the old one
  kubectl homelab restore media/films --to player";

/// Give a kept claim its next owner
///
/// The claim goes into `owns` of the Application, and out of `keeps`, in one commit: there is no moment without an owner in the
/// registry. The data stays as it is.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The claim
    #[arg(value_name = "[NAMESPACE/]CLAIM")]
    claim: ClaimPath,

    /// The Application that owns it from now on
    #[arg(long, value_name = "APP")]
    to: String,

    #[command(flatten)]
    common: SourceEditArgs,
}

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    let Args { claim, to, common } = args;
    let request = Request { claim, to };
    let (edit, gate) = common.planned(session, |repo, sources, _| restore(repo, sources, &request))?;
    session.finish(&common.edit, &edit, &gate)
}
