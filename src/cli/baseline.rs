//! `kubectl homelab baseline`.

use anyhow::{Result, anyhow};

use super::edit_args::EditArgs;
use super::helm::{CacheArgs, HelmArgs};
use super::outside::OutsideArgs;
use super::session::Session;
use super::source_dirs::SourceDirArgs;
use super::target::TargetArgs;
use crate::edit::Edit;
use crate::edit::baseline::{NoManifest, accepting, shrunk, written};
use crate::failure::{Exit, HintExt};
use crate::model::{Pointer, PointerExt};
use crate::repo::{ChangeSet, Repo, RepoPath, SourceFile};
use crate::rules::{Baseline, CheckReport, Scope};
use crate::settings::{self, BASELINE};
use crate::sources::{Options, Sources};

/// The way out where there is no file.
const MAKE: &str = "make one with `kubectl homelab baseline`";
/// The way out where there is one.
const REMAKE: &str =
    "take out what is not needed any more with `--update`; to accept all findings of today, remove the file first";

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  # Accept what is there, so that `validate` reports what is new
  kubectl homelab baseline --fetch --commit
  kubectl homelab validate --fetch --strict

  # Take out what was corrected since
  kubectl homelab baseline --fetch --update

  # What would be accepted
  kubectl homelab baseline --dry-run=client";

/// Accept the findings of today, so that `validate` reports new ones only
///
/// Writes `.homelab-baseline.yaml` at the repository's top: each finding by its rule, its object and its place in it, so that files
/// may be moved. `validate` reads it, counts what it accepts, and says what is not needed any more. Files that cannot be read,
/// sources that do not render, and HL309 and HL406 are never accepted. Where there is a file already, `--update` takes out of it;
/// nothing adds to it.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Take out the entries that no finding needs any more, as far as everything is known
    #[arg(long)]
    update: bool,

    #[command(flatten)]
    edit: EditArgs,

    #[command(flatten)]
    sources: SourceDirArgs,

    #[command(flatten)]
    helm: HelmArgs,

    #[command(flatten)]
    cache: CacheArgs,

    #[command(flatten)]
    outside: OutsideArgs,

    #[command(flatten)]
    target: TargetArgs,
}

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    session.reads_with(&args.sources, &args.helm);
    session.take_outside(&args.outside.for_target(&args.target));
    session.takes_charts(args.cache.charts_of_applications(true));
    session.edit(&args.edit.write)?;
    let repo = session.repo()?;
    repo.check_found()?;
    let options = Options {
        charts: args.cache.charts(),
        ..args.sources.options(&args.helm, &repo.settings)
    };
    let dirs = args.sources.clone().into_dirs();
    let sources = Sources::new(repo, session.checkout()?, &dirs, &options);
    let progress = session.terminal.progress("rendering");
    let (renders, notes) = sources.render_all(|name| progress.now(&format!("rendering {name}")))?;
    drop(progress);
    notes.iter().for_each(|note| session.terminal.say(note));
    let existing = settings::baseline(session.checkout()?)?;
    let scope = Scope::new(repo, &renders).with_values(sources.check_values());
    let mut report = CheckReport::of(&scope);
    let edit = match &existing {
        Some((baseline, file)) if args.update => {
            report.accept(&scope, baseline);
            shrinking(baseline, file, &report)?
        }
        _ if args.update => return Err(anyhow!("there is no baseline to update").hint(MAKE)),
        existing => making(repo, &report, existing.is_some())?,
    };
    session.finish(&args.edit, &edit, &NoManifest)
}

/// Returns the edit that accepts what a report has.
fn making(repo: &Repo, report: &CheckReport, is_there: bool) -> Result<Edit> {
    if is_there {
        return Err(anyhow!("there is a `{BASELINE}` already").hint(REMAKE));
    }
    let baseline = accepting(repo, report);
    let changes = match baseline.accepted.is_empty() {
        true => ChangeSet::default(),
        false => written(RepoPath::new(BASELINE)?, settings::baseline_text(&baseline)?),
    };
    let skipped = report.left_out().count();
    let note = (skipped > 0).then(|| {
        format!("{skipped} skipped, and nothing of it accepted: `kubectl homelab validate` says what and why")
    });
    let left = report.errors() + report.warnings() - baseline.accepted.len();
    let fails = (left > 0).then(|| {
        format!(
            "{} cannot be accepted: `kubectl homelab validate` shows it",
            counted(left)
        )
    });
    Ok(Edit {
        changes,
        message: format!(
            "Accept {} of kubectl homelab validate",
            counted(baseline.accepted.len())
        ),
        notes: note.into_iter().chain(fails).collect(),
        next: Some("correct them one by one, and take them out with `kubectl homelab baseline --update`".to_owned()),
        ..Edit::default()
    })
}

/// Returns the edit that takes out what is not needed any more.
fn shrinking(baseline: &Baseline, file: &SourceFile, report: &CheckReport) -> Result<Edit> {
    let settled = report.baseline.clone().unwrap_or_default();
    let list = Pointer::root().child(settings::LIST);
    let unknown = match settled.unknown {
        0 => None,
        count => Some(format!(
            "{count} more without a finding stay, since not everything was checked: `kubectl homelab validate` says what and why"
        )),
    };
    let left = report.errors() + report.warnings();
    let new = (left > 0).then(|| format!("{} not accepted: `kubectl homelab validate` shows it", counted(left)));
    Ok(Edit {
        changes: shrunk(baseline, file, &settled.unneeded, &list),
        message: format!("Take {} out of the baseline", counted(settled.unneeded.len())),
        notes: unknown.into_iter().chain(new).collect(),
        ..Edit::default()
    })
}

fn counted(count: usize) -> String {
    match count {
        1 => "1 finding".to_owned(),
        count => format!("{count} findings"),
    }
}
