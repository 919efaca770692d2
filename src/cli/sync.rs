//! `kubectl homelab sync`.

use anyhow::Result;

use super::live::{AppsArgs, RequestArgs, Table};
use super::session::Session;
use crate::cluster::sync::{self, Request};
use crate::failure::Exit;

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  kubectl homelab sync jellyfin
  kubectl homelab sync --all --prune --timeout 10m

  # Print the request, and send nothing
  kubectl homelab sync jellyfin --dry-run=client -o yaml";

/// Sync Applications to Git
///
/// Waits until Argo CD is done, and prints the result and every object that failed. The exit code is 1 when a sync failed.
/// Objects are never replaced by force: that would delete claims. No login to Argo CD is needed.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
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
    request: RequestArgs,
}

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    let request = Request {
        prune: args.prune,
        revision: args.revision,
        wait: args.request.waits(),
        dry_run: args.request.dry_run(),
    };
    args.request.send(
        session,
        Table::Operations,
        |applications, show| sync::run(applications, &args.apps.selection(), &request, show),
        |row| !row.has_failed(),
    )
}
