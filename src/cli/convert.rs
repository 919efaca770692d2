//! `kubectl homelab convert`.

use std::collections::BTreeSet;

use anyhow::{Result, anyhow};
use clap::ValueEnum;

use super::session::Session;
use super::source_edit::SourceEditArgs;
use crate::edit::convert::{Choices, ClaimOf, Plan, Refusal, StepBefore, Target, Which, plan};
use crate::failure::{Exit, Failure, HintExt, usage};
use crate::git::WorkingTree;
use crate::model::{AppName, ClaimPath};

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  # What would change
  kubectl homelab convert jellyfin --dry-run=client -o diff

  # Move everything that needs no decision
  kubectl homelab convert --all --fetch

  # Move one whose chart writes a claim that it does not render
  kubectl homelab convert player --read-only pvc-audio

  # In three commits, each of them synced before the next
  kubectl homelab convert jellyfin --guard-first --commit

  # All that an ApplicationSet generates, in its template
  kubectl homelab convert apps --dry-run=client -o diff

  # And back
  kubectl homelab convert jellyfin --to native --drop-owns";

/// Move Applications from Argo CD's own tools to the plugin, and back
///
/// Every option of `helm`, `kustomize` and `directory` becomes a parameter; order and comments stay. Both are rendered: the
/// move is made only when they are equal but for the storage rules, which is listed. Values that differ between two native renders, too,
/// such as a random password, are listed as well. Claims that the source renders go into `owns`. For
/// every other claim that a workload could write until now, choose one of `--owns`, `--writes` and `--read-only`.
///
/// An Application that an ApplicationSet generates gets the plugin by a file in its folder, where the set's template has no options
/// of a tool; else name the set (`applicationset/SET` where an Application has its name). Its template changes, and all that it
/// generates moves together.
///
/// One commit is safe: names stay as they are, so that nothing is pruned. With `--guard-first` the move takes three
/// commits, each of them synced before the next: the Application gets the sync options `Prune=false` and `Delete=false`,
/// it moves, and the options go again. Every run makes the next one and prints what to wait for; it refuses to, while the
/// one before is not committed.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The Applications, or ApplicationSets with all that they generate
    #[arg(value_name = "APP", required_unless_present = "all")]
    apps: Vec<String>,

    /// All Applications but the root one; those that cannot be moved, or need a decision, are reported and stay as they are
    #[arg(long, conflicts_with = "apps")]
    all: bool,

    /// Target renderer
    #[arg(long, value_enum, default_value = "plugin")]
    to: To,

    /// Only this source of an Application with several, from 1; may be repeated
    #[arg(long = "source-position", value_name = "N", conflicts_with = "all")]
    positions: Vec<usize>,

    /// A claim that the Application owns; may be repeated
    #[arg(long, value_name = "[APP/]CLAIM", value_parser = parse_claim)]
    owns: Vec<ClaimOf>,

    /// A claim of another Application that this one may write; may be repeated
    #[arg(long, value_name = "[APP/]CLAIM", value_parser = parse_claim)]
    writes: Vec<ClaimOf>,

    /// A claim that the Application shall only read from now on; may be repeated
    #[arg(long, value_name = "[APP/]CLAIM", value_parser = parse_claim)]
    read_only: Vec<ClaimOf>,

    /// With `--to native`: let the claims in `owns` lose their guards
    #[arg(long)]
    drop_owns: bool,

    /// Move an Application whose names or keys are random in Argo CD's own render, too; never one with random claims
    #[arg(long)]
    accept_random: bool,

    /// Guard all objects of an Application before it moves: three commits, one for each run
    #[arg(long)]
    guard_first: bool,

    #[command(flatten)]
    common: SourceEditArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum To {
    /// The plugin
    Plugin,
    /// Argo CD's own Helm, Kustomize or directory renderer
    Native,
}

pub(super) fn parse_claim(text: &str) -> Result<ClaimOf, String> {
    let (app, claim) = match text.split_once('/') {
        Some((app, claim)) => (Some(AppName::new(app).map_err(|error| format!("{error:#}"))?), claim),
        None => (None, text),
    };
    let claim: ClaimPath = claim.parse().map_err(|error: anyhow::Error| format!("{error:#}"))?;
    Ok(ClaimOf { app, claim })
}

impl Args {
    /// Returns what to convert, how to render, and how to end.
    fn into_parts(self) -> (Choices, SourceEditArgs) {
        let choices = Choices {
            which: if self.all {
                Which::All
            } else {
                Which::Named(self.apps.into_iter().collect())
            },
            target: match self.to {
                To::Plugin => Target::Plugin,
                To::Native => Target::Native,
            },
            positions: self.positions,
            owns: self.owns,
            writes: self.writes,
            read_only: self.read_only,
            drop_owns: self.drop_owns,
            accept_random: self.accept_random,
            guard_first: self.guard_first,
            unowned: false,
        };
        (choices, self.common)
    }
}

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    if args.guard_first && args.to == To::Native {
        return Err(usage("the argument '--guard-first' cannot be used with '--to native'"));
    }
    if args.drop_owns && args.to == To::Plugin {
        return Err(usage("the argument '--drop-owns' cannot be used with '--to plugin'"));
    }
    let guard_first = args.guard_first;
    let (choices, common) = args.into_parts();
    let plan = common.planned(session, |repo, sources, session| {
        if choices.which == Which::All {
            repo.check_found()?;
        }
        let progress = session.terminal.progress("converting");
        plan(repo, &choices, sources, &mut |name| {
            progress.now(&format!("converting {name}"));
        })
    })?;
    if guard_first && plan.refused.is_empty() {
        check_steps(&plan.before, session)?;
    }
    let stays = !plan.stays.is_empty() || !plan.open.is_empty();
    let Plan {
        edit, gate, refused, ..
    } = report(choices.target, plan, session);
    if refused.is_empty() {
        let exit = session.finish(&common.edit, &edit, &gate)?;
        return Ok(if stays { exit.max(Exit::Findings) } else { exit });
    }
    say(&refused, session);
    session.terminal.say("no files were changed");
    Ok(Exit::Findings)
}

/// Refuses a step while the one before is not committed, and remarks on one that is not pushed.
pub(super) fn check_steps(before: &[StepBefore], session: &Session) -> Result<()> {
    let checkout = session.checkout()?;
    let Some(tree) = WorkingTree::at(checkout.root()) else {
        return Err(anyhow!(
            "`--guard-first` takes three commits, and `{}` is not a git working tree",
            checkout.root().display()
        )
        .hint("make it one with `git init` and commit what is there, or leave out `--guard-first`"));
    };
    let upstream = tree.upstream();
    let mut unpushed = BTreeSet::new();
    for step in before {
        let is_in = |commit: &str| -> Result<bool> {
            Ok(tree
                .committed(commit, &step.file)?
                .is_some_and(|text| step.is_in(&text)))
        };
        if !is_in("HEAD")? {
            return Err(anyhow!(
                "{} of Application `{}`, is not committed in `{}`",
                step.step(),
                step.app,
                step.file
            )
            .hint("commit and push it, wait until Argo CD has synced it, then run the same command again"));
        }
        if let Some(upstream) = &upstream
            && !is_in(upstream)?
        {
            unpushed.insert(format!(
                "{} of Application `{}`, is not in `{upstream}` yet: push it, and wait for its sync before this one is pushed",
                step.step(),
                step.app
            ));
        }
    }
    unpushed.iter().for_each(|remark| session.terminal.warn(remark));
    Ok(())
}

/// Reports the Applications that stay as they are.
fn report(target: Target, mut plan: Plan, session: &Session) -> Plan {
    for name in &plan.unchanged {
        session.terminal.say(&match target {
            Target::Plugin => format!("{name} is rendered by the plugin already"),
            Target::Native => format!("{name} is rendered by Argo CD itself already"),
        });
    }
    for error in plan.stays.drain(..) {
        let failure = Failure::from(error);
        session.terminal.say(&failure.one_line());
        failure.hints.iter().for_each(|hint| session.terminal.hint(hint));
    }
    say(&plan.open, session);
    plan
}

fn say(refusals: &[Refusal], session: &Session) {
    for refusal in refusals {
        session.terminal.say(&refusal.message);
        refusal.hint.iter().for_each(|hint| session.terminal.hint(hint));
    }
}
