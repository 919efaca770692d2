//! `kubectl homelab validate`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;

use super::checks::{self, CheckArgs};
use super::edit_args::{EditArgs, WriteArgs};
use super::helm::{CacheArgs, HelmArgs};
use super::output::FixOutput;
use super::outside::OutsideArgs;
use super::session::Session;
use super::source_dirs::SourceDirArgs;
use super::target::TargetArgs;
use crate::edit::RuleGate;
use crate::edit::fix::{self, Fixed, Request};
use crate::failure::{Exit, usage};
use crate::model::unknown_value::CheckedValues;
use crate::model::{AppName, AppRenders};
use crate::repo::{Repo, RepoPath};
use crate::report::{fixes, summary};
use crate::rules::{Base, Baseline, CheckReport, Scope};
use crate::settings;
use crate::sources::{Options, Snapshot, Sources, add_new};
use crate::time;

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  # The whole repository, and what can be rendered without the network
  kubectl homelab validate

  # In CI: fetch what is missing, and fail on warnings, too
  kubectl homelab validate --fetch --strict -o json

  # In the CI of a pull request: which owned claims are not rendered any more
  kubectl homelab validate --base origin/main

  # As annotations in a pull request on GitHub, and for its code scanning
  kubectl homelab validate --fetch -o github
  kubectl homelab validate --fetch -o sarif > homelab.sarif

  # What the safe fixes would change
  kubectl homelab validate --fix --dry-run=client -o diff";

/// Check the repository and what it renders, and fix what can be fixed
///
/// Exits 0 when there are no errors, 1 when there are, 3 when it could not be checked at all. With --fix, that is
/// about what is left.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Report, and fix, only what is in these files and folders; the whole repository is read nevertheless
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Check manifests and parameters only, and render nothing
    #[arg(long, conflicts_with = "fetch")]
    no_render: bool,

    /// Compare with this revision of the repository, as `main` or `HEAD~1`: HL118 finds what a claim cannot change,
    /// HL119 owned claims that it rendered and that are not rendered any more
    #[arg(long, value_name = "REV", conflicts_with = "no_render")]
    base: Option<String>,

    /// Report what `.homelab-baseline.yaml` accepts, too
    #[arg(long)]
    no_baseline: bool,

    #[command(flatten)]
    sources: SourceDirArgs,

    #[command(flatten)]
    checks: CheckArgs,

    #[command(flatten)]
    helm: HelmArgs,

    #[command(flatten)]
    cache: CacheArgs,

    /// Output format; findings with source excerpts by default. With --fix also that of the edits
    #[arg(short, long, value_enum)]
    output: Option<FixOutput>,

    #[command(flatten)]
    outside: OutsideArgs,

    #[command(flatten)]
    target: TargetArgs,

    #[command(flatten)]
    fixes: FixArgs,
}

/// Whether findings are fixed, and how.
#[derive(clap::Args, Debug)]
#[command(
    next_help_heading = "Fixes",
    mut_arg("dry_run", |arg| arg.requires("fix")),
    mut_arg("commit", |arg| arg.requires("fix"))
)]
struct FixArgs {
    /// Apply the fixes that are safe
    #[arg(long)]
    fix: bool,

    /// Apply the fixes that need review, too
    #[arg(long, requires = "fix")]
    unsafe_fixes: bool,

    #[command(flatten)]
    write: WriteArgs,
}

/// The revision to compare with.
struct AtBase {
    /// As the user named it.
    revision: String,
    snapshot: Snapshot,
    renders: AppRenders,
}

impl AtBase {
    fn state(&self) -> Base<'_> {
        Base {
            revision: &self.revision,
            scope: Scope::new(self.snapshot.repo(), &self.renders),
        }
    }
}

/// What is known of the Applications.
#[derive(Default)]
struct Known {
    renders: AppRenders,
    /// Their Helm values, held against the charts.
    values: BTreeMap<AppName, CheckedValues>,
}

/// What a report is about.
struct Extent {
    /// The files and folders of which findings are reported; everything when there is none.
    paths: Vec<RepoPath>,
    /// The revision to compare with.
    base: Option<AtBase>,
    /// What the repository accepts.
    accepted: Option<Baseline>,
}

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    if let Some(output) = args.output.filter(|output| !args.fixes.fix && output.edits().is_some()) {
        let value = output.to_possible_value();
        let name = value.as_ref().map_or("", |value| value.get_name());
        return Err(usage(format!("the argument '--output {name}' requires '--fix'")));
    }
    session.reads_with(&args.sources, &args.helm);
    session.take_outside(&args.outside.for_target(&args.target));
    session.takes_charts(args.cache.charts_of_applications(!args.no_render));
    if args.fixes.fix {
        session.edit_on(&args.fixes.write)?;
    }
    let paths = args.paths.iter().map(|path| session.checkout()?.relative(path));
    let paths: Vec<RepoPath> = paths.collect::<Result<_>>()?;
    session.repo()?.check_found()?;
    paths.iter().try_for_each(|path| session.repo()?.check_read(path))?;
    let (known, mut notes) = args.render(session)?;
    let base = args.base(session, &mut notes)?;
    notes.iter().for_each(|note| session.terminal.say(note));
    let extent = Extent {
        paths,
        base,
        accepted: args.accepted(session)?,
    };
    if args.fixes.fix {
        return args.fix(session, known, extent);
    }
    let report = args.checked(session.repo()?, &known, &extent);
    args.print(session, session.repo()?, &report)?;
    Ok(args.checks.exit(&report))
}

impl Args {
    /// Renders all Applications, unless manifests only are checked, and returns the remarks that were made on the way.
    fn render(&self, session: &Session) -> Result<(Known, Vec<String>)> {
        if self.no_render {
            return Ok((Known::default(), Vec::new()));
        }
        let (dirs, options) = (self.sources.clone().into_dirs(), self.options(session)?);
        let sources = Sources::new(session.repo()?, session.checkout()?, &dirs, &options);
        let progress = session.terminal.progress("rendering");
        let (renders, notes) = sources.render_all(|name| progress.now(&format!("rendering {name}")))?;
        let values = sources.check_values();
        Ok((Known { renders, values }, notes))
    }

    fn options(&self, session: &Session) -> Result<Options> {
        Ok(Options {
            charts: self.cache.charts(),
            ..self.sources.options(&self.helm, &session.repo()?.settings)
        })
    }

    /// Reads and renders the revision to compare with, if there is one; new remarks go to `notes`.
    fn base(&self, session: &Session, notes: &mut Vec<String>) -> Result<Option<AtBase>> {
        let Some(revision) = &self.base else { return Ok(None) };
        let (dirs, options) = (self.sources.clone().into_dirs(), self.options(session)?);
        let settings = session.repo()?.settings.clone();
        let snapshot = Snapshot::of(session.checkout()?, revision, settings, (&dirs, &options))?;
        let sources = Sources::of_snapshot(&snapshot, &dirs, &options);
        let progress = session.terminal.progress("rendering the base");
        let (renders, remarks) = sources.render_all(|name| progress.now(&format!("rendering {name} at {revision}")))?;
        let lacking = snapshot.missing_submodules().iter();
        notes.extend(lacking.map(|path| format!("the submodule `{path}` of `{revision}` is not available locally")));
        add_new(notes, remarks);
        Ok(Some(AtBase {
            revision: revision.clone(),
            snapshot,
            renders,
        }))
    }

    /// Returns what the repository accepts, if that counts.
    fn accepted(&self, session: &Session) -> Result<Option<Baseline>> {
        if self.no_baseline {
            return Ok(None);
        }
        let baseline = settings::baseline(session.checkout()?)?;
        Ok(baseline.map(|(baseline, _)| baseline))
    }

    fn checked(&self, repo: &Repo, known: &Known, extent: &Extent) -> CheckReport {
        let scope = Scope::new(repo, &known.renders)
            .with_values(known.values.clone())
            .at(time::now());
        let scope = match &extent.base {
            Some(base) => scope.since(base.state()),
            None => scope,
        };
        let mut report = CheckReport::of(&scope);
        if let Some(accepted) = &extent.accepted {
            report.accept(&scope, accepted);
        }
        // The command ends soon, and the system frees its memory at once.
        std::mem::forget(scope);
        report.select(self.checks.rules());
        if !extent.paths.is_empty() {
            report.within(&extent.paths);
        }
        report
    }

    /// Prints a report; where edits are printed, a summary beside them.
    fn print(&self, session: &Session, repo: &Repo, report: &CheckReport) -> Result<()> {
        if self.prints_edits() {
            session.terminal.say(summary::text(report).trim_end());
        } else {
            checks::print(session, repo, report, self.output.and_then(FixOutput::findings))?;
        }
        Ok(())
    }

    /// Reports whether edits are the answer, and not findings.
    fn prints_edits(&self) -> bool {
        match self.output {
            Some(output) => output.edits().is_some(),
            None => !self.fixes.write.is_written(),
        }
    }

    /// Fixes what can be fixed, and reports what is left.
    fn fix(&self, session: &mut Session, known: Known, extent: Extent) -> Result<Exit> {
        let Known { renders, values } = known;
        let request = Request {
            selection: self.checks.rules().clone(),
            paths: extent.paths.clone(),
            unsafe_fixes: self.fixes.unsafe_fixes,
        };
        let fixed = fix::fix(session.repo()?, &renders, &request);
        let is_written = self.fixes.write.is_written();
        let is_fixed = !fixed.changes.changes.is_empty() && (is_written || self.prints_edits());
        if is_fixed && self.finish(session, renders, &fixed)? != Exit::Done {
            return Ok(Exit::Findings);
        }
        let mut report = if is_fixed && is_written {
            session.forget();
            let (known, _) = self.render(session)?;
            self.checked(session.repo()?, &known, &extent)
        } else {
            let renders = fixed.renders.clone();
            self.checked(&fixed.repo, &Known { renders, values }, &extent)
        };
        report.without_fixes(&fixed.refused);
        self.print(session, &fixed.repo, &report)?;
        for line in fixes::refused(&fixed.repo, &fixed.refused) {
            session.terminal.say(&line);
        }
        session.terminal.say(&fixes::summary(&fixed, is_written));
        Ok(self.checks.exit(&report))
    }

    fn finish(&self, session: &mut Session, renders: AppRenders, fixed: &Fixed) -> Result<Exit> {
        let args = EditArgs {
            write: self.fixes.write.clone(),
            output: self.output.and_then(FixOutput::edits),
        };
        let gate = RuleGate {
            before: renders,
            after: fixed.renders.clone(),
            accepted: Vec::new(),
            ..RuleGate::default()
        };
        session.finish(&args, &fix::edit(fixed), &gate)
    }
}
