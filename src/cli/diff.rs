//! `kubectl homelab diff`.

mod live;
mod states;

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;

use super::connection::ConnectionArgs;
use super::helm::{CacheArgs, HelmArgs};
use super::output::{ComparisonOutput, DocumentOutput};
use super::outside::OutsideArgs;
use super::pairs;
use super::session::Session;
use super::source_dirs::SourceDirArgs;
use crate::compare::{Circumstances, Comparison, Level, Side, State};
use crate::failure::Exit;
use crate::model::AppName;
use crate::process::{Pair, external_diff};
use crate::report::comparison::{self, Report, Sides};
use crate::rules::Scope;
use crate::sources::ComparedRenders;
use states::States;

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  # What Argo CD does when the branch is merged
  kubectl homelab diff

  # The same in a CI, as a comment on the pull request
  kubectl homelab diff --base origin/main --fetch -o markdown

  # One Application between two commits, with the objects themselves
  kubectl homelab diff jellyfin --base HEAD~3 --head HEAD -o diff

  # A change of a chart in a repository of its own
  kubectl homelab diff --base HEAD --source-dir home-media=../home-media \\
    --source-base home-media=origin/main";

/// Compare two states of the repository: what Argo CD does to each object
///
/// Both states are rendered, as far as they differ. For each object a row says whether it is created, changed, deleted or
/// kept, why, and how much that matters; a claim that is deleted because the folder of an ApplicationSet has another name is
/// among them. A guard counts from the first state: `kept if Argo CD has synced abc123`.
///
/// Exits 0 below --fail-on, 1 at it or above, 3 when something could not be compared: then also what was found is printed.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Show only what becomes of these Applications and of what they bring
    #[arg(value_name = "APP")]
    apps: Vec<String>,

    /// The state to start from: a revision; by default the last commit that is also in the default branch of the remote
    #[arg(long, value_name = "REV", conflicts_with = "base_dir")]
    base: Option<String>,

    /// The state to start from, in another folder
    #[arg(long, value_name = "DIR")]
    base_dir: Option<PathBuf>,

    /// The state to come to: a revision; by default the working tree
    #[arg(long, value_name = "REV")]
    head: Option<String>,

    /// The level from which the command fails
    #[arg(long, value_enum, value_name = "LEVEL", default_value = "data-loss")]
    fail_on: FailOn,

    /// Output format
    #[arg(short, long, value_enum, default_value = "table")]
    output: ComparisonOutput,

    #[command(flatten)]
    sources: SourceDirArgs,

    /// The revision of a source's checkout to start from, as REPO=REV: REPO as for --source-dir; may be repeated
    #[arg(long = "source-base", value_name = "REPO=REV", value_parser = parse_base)]
    source_bases: Vec<pairs::Pair>,

    #[command(flatten)]
    helm: HelmArgs,

    #[command(flatten)]
    cache: CacheArgs,

    #[command(flatten)]
    outside: OutsideArgs,

    /// Read the guards of claims, volumes and Namespaces from the cluster, instead of from the first state
    #[arg(long, help_heading = "Cluster")]
    live_guards: bool,

    #[command(flatten)]
    connection: ConnectionArgs,
}

fn parse_base(text: &str) -> Result<pairs::Pair, String> {
    pairs::parse(text).map_err(|_| "it is not REPO=REV".to_owned())
}

/// A level to fail from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// Data is deleted, or out of reach
    DataLoss,
    /// Something stops
    Outage,
    /// A sync fails or hangs
    SyncFailure,
    /// Somebody should look at it
    Review,
    /// Anything
    Routine,
}

impl FailOn {
    fn level(self) -> Level {
        match self {
            Self::DataLoss => Level::DataLoss,
            Self::Outage => Level::Outage,
            Self::SyncFailure => Level::SyncFailure,
            Self::Review => Level::Review,
            Self::Routine => Level::Routine,
        }
    }
}

pub(super) fn run(mut args: Args, session: &mut Session) -> Result<Exit> {
    session.reads_with(&args.sources, &args.helm);
    session.take_outside(&args.outside);
    session.takes_charts(args.cache.charts());
    let connection = std::mem::take(&mut args.connection);
    let live = match args.live_guards {
        true => Some(live::read(&connection.connect()?)?),
        false => None,
    };
    session.repo()?.check_found()?;
    let states = States::read(&args, session)?;
    states.check_names(&args.apps)?;
    let (touched, mut renders) = states.render(&args, session)?;
    renders.notes.iter().for_each(|note| session.terminal.say(note));
    let is_read = states.reads_base();
    let known = Circumstances {
        is_read: Some(&is_read),
        live: live.as_ref(),
        ..Circumstances::named(&states.base_name)
    };
    let at_stake = compared(&states, &renders, &known, |comparison| comparison.namespaces_at_stake());
    states.add_kept(&at_stake, &mut renders)?;
    compared(&states, &renders, &known, |mut comparison| {
        args.select(&mut comparison);
        let report = Report {
            comparison: &comparison,
            base: (&states.base_name, states.base_commit()),
            head: (&states.head_name, states.head_commit()),
            repo: states.head(),
            applications: (touched.total, touched.apps.len()),
            changed: &touched.changed,
            is_change: touched.differs || states.are_two_commits(),
            doubt: touched.doubt.as_deref(),
            secrets: &renders.secrets(),
        };
        args.print(session, &report)?;
        Ok(args.exit(&comparison, |app| touched.changed.contains(app)))
    })
}

/// Compares the renders of two states.
fn compared<R>(
    states: &States<'_>,
    renders: &ComparedRenders,
    known: &Circumstances<'_>,
    then: impl FnOnce(Comparison<'_>) -> R,
) -> R {
    let base = Scope::new(states.base(), &renders.base);
    let head = Scope::new(states.head(), &renders.head);
    let (base, head) = (State::of(&base), State::of(&head));
    let circumstances = Circumstances {
        again: Some(&renders.again),
        ..*known
    };
    then(Comparison::of(&base, &head, &circumstances))
}

impl Args {
    /// Leaves out what is not asked for.
    fn select(&self, comparison: &mut Comparison<'_>) {
        if self.apps.is_empty() {
            return;
        }
        let is_named = |name: &str| self.apps.iter().any(|app| app == name);
        comparison.predictions.retain(|one| {
            let leads = |step: &String| step.strip_prefix("Application/").is_some_and(is_named);
            let is_it = one.place.object.kind == "Application" && is_named(&one.place.object.name);
            is_named(one.app.as_str()) || is_it || one.via.iter().any(leads)
        });
        comparison.withheld.retain(|one| is_named(one.app.as_str()));
    }

    fn print(&self, session: &Session, report: &Report<'_, '_>) -> Result<()> {
        let terminal = &session.terminal;
        let text = match self.output {
            ComparisonOutput::Table => comparison::table(report, false),
            ComparisonOutput::Wide => comparison::table(report, true),
            ComparisonOutput::Diff => differences(report, terminal.is_coloured())?,
            ComparisonOutput::Markdown => comparison::markdown(report)?,
            ComparisonOutput::Github => comparison::annotations(report),
            ComparisonOutput::Json => DocumentOutput::Json.render(&comparison::document(report)?)?,
        };
        terminal.data(&text)?;
        report.summary().iter().for_each(|line| terminal.say(line));
        if matches!(
            self.output,
            ComparisonOutput::Table | ComparisonOutput::Wide | ComparisonOutput::Diff
        ) {
            report.hints().iter().for_each(|line| terminal.hint(line));
        }
        Ok(())
    }

    /// Returns the exit code: that something could not be compared wins. `is_changed` reports whether an Application's own files or
    /// manifest differ.
    fn exit(&self, comparison: &Comparison<'_>, is_changed: impl Fn(&AppName) -> bool) -> Exit {
        let mut withheld = comparison.withheld.iter();
        if withheld.any(|one| one.side != Side::Both || is_changed(&one.app)) {
            return Exit::Failed;
        }
        let is_found = !comparison.predictions.is_empty() && comparison.level() >= self.fail_on.level();
        if is_found { Exit::Findings } else { Exit::Done }
    }
}

/// Returns the objects themselves, as the user's own program shows them, else as a unified diff.
fn differences(report: &Report<'_, '_>, coloured: bool) -> Result<String> {
    let pairs = || {
        let pair = |Sides { name, before, after }| Pair { name, before, after };
        Ok(comparison::sides(report)?.into_iter().map(pair).collect())
    };
    match external_diff(pairs)? {
        Some(text) => Ok(text),
        None => comparison::diff(report, coloured),
    }
}
