//! `kubectl homelab refresh`.

use anyhow::Result;

use super::live::{AppsArgs, RequestArgs, Table};
use super::session::Session;
use crate::cluster::refresh::{self, Request};
use crate::failure::Exit;

/// Compare Applications with Git again
///
/// Waits until Argo CD is done, and prints their state. The exit code is 1 when one of them has an error. No login to Argo CD is needed.
#[derive(clap::Args, Debug)]
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
