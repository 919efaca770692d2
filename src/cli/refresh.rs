//! `kubectl homelab refresh`.

use anyhow::Result;

use super::live::{AppsArgs, AskArgs, Table};
use super::session::Session;
use crate::cluster::refresh::{self, Request};
use crate::failure::Exit;

/// Let Argo CD look at Git again
///
/// Waits until it has compared the Applications with Git, and prints how they are. The exit code is 1 when one of them
/// has an error. No login to Argo CD is needed.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    #[command(flatten)]
    apps: AppsArgs,

    /// Render again, too; needed after an update of the plugin
    #[arg(long)]
    hard: bool,

    #[command(flatten)]
    ask: AskArgs,
}

pub(super) fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let request = Request {
        hard: args.hard,
        wait: args.ask.waits(),
        dry_run: args.ask.dry_run(),
    };
    args.ask.ask(
        session,
        Table::States,
        |cluster, tell| refresh::run(cluster, &args.apps.selection(), request, tell),
        |row| !args.ask.waits() || !row.has_error(),
    )
}
