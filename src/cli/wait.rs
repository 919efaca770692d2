//! `kubectl homelab wait`.

use anyhow::Result;
use clap::ValueEnum;

use super::connection::ClusterArgs;
use super::live::{AppsArgs, OutputArgs, Table, progress_fn};
use super::session::Session;
use crate::cluster::Applications;
use crate::cluster::wait::{self, Goal, Request};
use crate::failure::{Exit, usage};

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  kubectl homelab wait jellyfin
  kubectl homelab wait --all --for=healthy --timeout 10m
  kubectl homelab wait old-player --for=deleted -n argocd";

/// Wait until Applications are Synced and Healthy, or deleted
///
/// The exit code is 1 when that does not happen in time; a line for each Application then says what it lacks. No login to
/// Argo CD is needed.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    apps: AppsArgs,

    /// States to wait for, separated by commas; may be repeated
    #[arg(long = "for", value_enum, value_delimiter = ',', default_value = "synced,healthy")]
    goals: Vec<For>,

    /// The revision to be Synced to, or its beginning
    #[arg(long, value_name = "REV")]
    revision: Option<String>,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    cluster: ClusterArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum For {
    Synced,
    Healthy,
    #[value(alias = "delete")]
    Deleted,
}

impl Args {
    fn request(&self) -> Request {
        let goal = |goal: &For| match goal {
            For::Synced => Goal::Synced,
            For::Healthy => Goal::Healthy,
            For::Deleted => Goal::Deleted,
        };
        Request {
            goals: self.goals.iter().map(goal).collect(),
            revision: self.revision.clone(),
        }
    }

    /// Returns why these flags contradict each other, if they do.
    fn contradiction(&self) -> Option<&'static str> {
        if self.goals.contains(&For::Deleted) && self.goals.len() > 1 {
            return Some("--for deleted cannot be combined: a deleted Application is neither Synced nor Healthy");
        }
        if self.revision.is_some() && !self.goals.contains(&For::Synced) {
            return Some("--revision needs --for synced");
        }
        None
    }
}

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    if let Some(why) = args.contradiction() {
        return Err(usage(why));
    }
    let progress = session.terminal.progress_later("asking Argo CD");
    let request = args.request();
    let (cluster, namespace) = args.cluster.connect()?;
    let statuses = wait::run(
        &Applications::of(&cluster, namespace),
        &args.apps.selection(),
        &request,
        &mut progress_fn(&progress),
    )?;
    drop(progress);
    let rows = args.output.print(session, &statuses, Table::States)?;
    let is_reached = rows.iter().all(|row| row.missing.is_none());
    Ok(if is_reached { Exit::Done } else { Exit::Findings })
}
