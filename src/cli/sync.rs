//! `kubectl homelab sync`.

use anyhow::Result;

use super::live::{AppsArgs, ClusterArgs, DryRunArgs, OutputArgs, Table, teller};
use super::session::Session;
use crate::cluster::sync::{self, Request};
use crate::failure::Exit;
use crate::report::live::LiveRow;

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

    /// Wait until it is done
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    wait: bool,

    #[command(flatten)]
    dry_run: DryRunArgs,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    cluster: ClusterArgs,
}

pub(super) fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let request = Request {
        prune: args.prune,
        revision: args.revision.clone(),
        wait: args.wait,
        dry_run: args.dry_run.mode(),
    };
    let progress = session.terminal.progress_later("asking Argo CD");
    let done = sync::run(
        &args.cluster.connect()?,
        &args.apps.selection(),
        &request,
        &mut teller(&progress),
    )?;
    drop(progress);
    if args.dry_run.is_dry() {
        return args.output.print_patches(session, &done.patches);
    }
    let rows = args.output.print(session, &done.found, Table::Operations)?;
    let is_well = |row: &LiveRow| row.missing.is_none() && !row.has_failed();
    Ok(if rows.iter().all(is_well) {
        Exit::Done
    } else {
        Exit::Findings
    })
}
