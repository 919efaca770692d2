//! `kubectl homelab refresh`.

use anyhow::Result;

use super::live::{AppsArgs, RequestArgs, Table};
use super::session::Session;
use crate::cluster::refresh::{self, Request};
use crate::failure::Exit;

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  # After a push: compare now, not at the next poll
  kubectl homelab refresh jellyfin

  # After an update of the plugin: render everything again
  kubectl homelab refresh --all --hard

  # Argo CD runs in another namespace
  kubectl homelab refresh --all -n gitops";

/// Compare Applications with Git again
///
/// Waits until Argo CD is done, and prints their state. The exit code is 1 when one of them has an error. No login to Argo CD is needed.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    apps: AppsArgs,

    /// Render them again, too; needed after an update of the plugin
    #[arg(long)]
    hard: bool,

    #[command(flatten)]
    request: RequestArgs,
}

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    let request = Request {
        hard: args.hard,
        wait: args.request.waits(),
        dry_run: args.request.dry_run(),
    };
    args.request.send(
        session,
        Table::States,
        |applications, show| refresh::run(applications, &args.apps.selection(), request, show),
        |row| !request.wait || !row.has_error(),
    )
}
