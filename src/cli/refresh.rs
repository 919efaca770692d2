//! `kubectl homelab refresh`.

use anyhow::Result;

use super::live::{AppsArgs, ClusterArgs, DryRunArgs, OutputArgs, Table, teller};
use super::session::Session;
use crate::cluster::refresh::{self, Request};
use crate::failure::Exit;
use crate::report::live::LiveRow;

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
        hard: args.hard,
        wait: args.wait,
        dry_run: args.dry_run.mode(),
    };
    let progress = session.terminal.progress_later("asking Argo CD");
    let done = refresh::run(
        &args.cluster.connect()?,
        &args.apps.selection(),
        request,
        &mut teller(&progress),
    )?;
    drop(progress);
    if args.dry_run.is_dry() {
        return args.output.print_patches(session, &done.patches);
    }
    let rows = args.output.print(session, &done.found, Table::States)?;
    let is_well = |row: &LiveRow| row.missing.is_none() && (!args.wait || !row.has_error());
    Ok(if rows.iter().all(is_well) {
        Exit::Done
    } else {
        Exit::Findings
    })
}
