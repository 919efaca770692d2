//! `kubectl homelab resume`.

use anyhow::Result;

use super::session::Session;
use super::source_edit::SourceEditArgs;
use crate::edit::pause;
use crate::failure::Exit;

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  kubectl homelab resume jellyfin
  kubectl homelab resume jellyfin --dry-run=client -o diff";

/// Switch the automated sync of an Application on again
///
/// What `pause` has changed is taken back, so that the sync is as it was before; so is `automated.enabled: false` that somebody wrote by
/// hand. From its next sync on, what differs from Git in the
/// cluster is undone again.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The Application
    #[arg(value_name = "APP")]
    app: String,

    #[command(flatten)]
    common: SourceEditArgs,
}

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    let Args { app, common } = args;
    common.run(session, |repo, sources, _| pause::resume(repo, sources, &app))
}
