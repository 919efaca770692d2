//! `kubectl homelab pause`.

use anyhow::Result;

use super::session::Session;
use super::source_edit::SourceEditArgs;
use crate::edit::pause;
use crate::failure::Exit;
use crate::model::pause::Pause;
use crate::time;

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  kubectl homelab pause jellyfin --reason 'the disk moves' --until 2h

  # Until a day, as one commit
  kubectl homelab pause jellyfin --reason 'waits for 10.11' \\
    --until 2030-01-31 --commit

  # On again, as it was
  kubectl homelab resume jellyfin";

/// Switch the automated sync of an Application off in Git
///
/// `automated.enabled: false` is added, which Argo CD 3.1 and newer follow, and what else is said of the sync stays for `resume`; the
/// reason is in an annotation. For an
/// Application that an ApplicationSet makes, the set is changed, where it can say it of this Application alone. `validate` warns
/// once the time is over (HL322); nothing switches it on by itself.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The Application
    #[arg(value_name = "APP")]
    app: String,

    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,

    /// Until when: a date, a moment in UTC as `2030-01-31T12:00:00Z`, or a duration from now on, as `2h`
    #[arg(long, value_name = "TIME", value_parser = time::parse_end)]
    until: Option<String>,

    #[command(flatten)]
    common: SourceEditArgs,
}

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    let Args {
        app,
        reason,
        until,
        common,
    } = args;
    let wanted = Pause { reason, until };
    common.run(session, |repo, sources, _| pause::pause(repo, sources, &app, &wanted))
}
