//! `kubectl homelab sync`.

use anyhow::Result;

use super::live::{AppsArgs, AskArgs, Table};
use super::session::Session;
use crate::cluster::sync::{self, Request};
use crate::failure::Exit;

/// Let Argo CD bring Applications to what Git says
///
/// Waits for the end, and prints how it went and every object that failed. The exit code is 1 when a sync failed. Objects
/// are never replaced by force: that would delete claims. No login to Argo CD is needed.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    #[command(flatten)]
    apps: AppsArgs,

    /// Delete objects that Git no longer has; guarded claims stay
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_value_t = false, default_missing_value = "true",
        require_equals = true, action = clap::ArgAction::Set)]
    prune: bool,

    /// Branch, tag or commit, or the chart's version, instead of `targetRevision`
    #[arg(long, value_name = "REV")]
    revision: Option<String>,

    #[command(flatten)]
    ask: AskArgs,
}

pub(super) fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let request = Request {
        prune: args.prune,
        revision: args.revision.clone(),
        wait: args.ask.waits(),
        dry_run: args.ask.dry_run(),
    };
    args.ask.ask(
        session,
        Table::Operations,
        |cluster, tell| sync::run(cluster, &args.apps.selection(), &request, tell),
        |row| !row.has_failed(),
    )
}
