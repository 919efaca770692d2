//! `kubectl homelab adopt`.

use anyhow::Result;
use clap::ValueEnum;
use serde_json::json;

use super::convert::{check_steps, parse_claim};
use super::edit_args::{DryRun, EditArgs, WriteArgs};
use super::helm::HelmArgs;
use super::output::{DocumentOutput, EditOutput};
use super::session::Session;
use super::source_dirs::SourceDirArgs;
use crate::edit::adopt::{Proposal, next, propose};
use crate::edit::convert::{ClaimOf, Plan};
use crate::failure::{Exit, Failure, usage};
use crate::model::{AppName, ClaimPath};
use crate::report;
use crate::rules::Scope;
use crate::sources::Sources;

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  # What would be done, with the diff of the next step
  kubectl homelab adopt --fetch

  # Do the next step as a commit of its own; push it, wait for the sync, and run it again
  kubectl homelab adopt --fetch -y --commit

  # Let one that can write a claim today only read it from the move on
  kubectl homelab adopt --read-only player/media

  # The plan for scripts
  kubectl homelab adopt -o json";

/// Plan how a repository without the plugin gets the storage rules, and do it step by step
///
/// It renders all Applications, as `validate` does, and proposes who owns each claim: who renders it. Who mounts a claim of
/// another Application read-write today may write it from then on, too; nothing turns read-only unasked (`--read-only`).
/// Nothing is changed without `-y`.
///
/// With `-y` it writes the next of three steps and stops: the Applications that render claims or Namespaces get the sync
/// options `Prune=false` and `Delete=false`, the Applications move to the plugin, and the options go again. Each step has to be
/// pushed and synced before the next. Applications that are generated or rendered are named with what to write; those
/// that are not rendered here are left alone.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Write the next step
    #[arg(short, long)]
    yes: bool,

    /// A claim that an Application can write today and shall only read from its move on; may be repeated
    #[arg(long, value_name = "APP/CLAIM", value_parser = parse_claim_of_app)]
    read_only: Vec<(AppName, ClaimPath)>,

    /// Output format of the plan
    #[arg(short, long, value_enum, default_value = "diff")]
    output: PlanOutput,

    #[command(flatten)]
    sources: SourceDirArgs,

    #[command(flatten)]
    helm: HelmArgs,

    #[command(flatten)]
    write: WriteArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PlanOutput {
    /// The plan as text, and the next step as a unified diff
    Diff,
    /// The plan as text alone
    Text,
    /// The plan and the diff, for scripts
    Json,
}

fn parse_claim_of_app(text: &str) -> Result<(AppName, ClaimPath), String> {
    match parse_claim(text)? {
        ClaimOf { app: Some(app), claim } => Ok((app, claim)),
        ClaimOf { app: None, .. } => Err("it is not APP/CLAIM".to_owned()),
    }
}

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    if args.write.commit.is_some() && !args.yes {
        return Err(usage("the argument '--commit' needs '--yes'"));
    }
    let edit_args = args.edit_args();
    session.reads_with(&args.sources, &args.helm);
    session.edit(&edit_args.write)?;
    session.repo()?.check_found()?;
    if edit_args.is_written() {
        session.repo()?.check_all_read()?;
    }
    let (proposal, mut plan) = planned(&args, session)?;
    let stays = stays(&mut plan);
    let is_written = edit_args.is_written();
    match args.output {
        PlanOutput::Json => session.terminal.data(&json(session, &proposal, (&plan, &stays))?)?,
        _ if is_written => say(&stays, session),
        _ => session.terminal.data(&report::adopt::text(&proposal, &stays))?,
    }
    if args.output == PlanOutput::Json && !is_written {
        return Ok(Exit::Done);
    }
    if plan.edit.changes.changes.is_empty() {
        session.terminal.say(&end(&proposal, stays.len()));
        return Ok(Exit::Done);
    }
    if let Err(waits) = check_steps(&plan.before, session) {
        if is_written {
            return Err(waits);
        }
        let failure = Failure::from(waits);
        let why = format!("the next step waits: {}", failure.one_line());
        say(&[(why, failure.hints.join("; "))], session);
    }
    match (is_written, args.output) {
        (true, _) => session.finish(&edit_args, &plan.edit, &plan.gate),
        (false, PlanOutput::Diff) => preview(session, &edit_args, &plan),
        (false, _) => Ok(Exit::Done),
    }
}

/// Prints the next step as a diff.
fn preview(session: &mut Session, args: &EditArgs, plan: &Plan) -> Result<Exit> {
    session.terminal.data("\nThe next step\n\n")?;
    let exit = session.finish(args, &plan.edit, &plan.gate)?;
    if exit == Exit::Done {
        let next = "write this step with `-y`, and commit it alone with `--commit`";
        session.terminal.hint(next);
    }
    Ok(exit)
}

/// Says why Applications stay as they are, or a step waits, with the next step of each.
fn say(reasons: &[(String, String)], session: &Session) {
    for (why, hint) in reasons {
        session.terminal.say(why);
        if !hint.is_empty() {
            session.terminal.hint(hint);
        }
    }
}

impl Args {
    /// Returns how changes end: printed, unless the user accepts them.
    fn edit_args(&self) -> EditArgs {
        let mut write = self.write.clone();
        if !self.yes {
            write.dry_run = DryRun::Client;
        }
        let output = (!write.is_written()).then_some(EditOutput::Diff);
        EditArgs { write, output }
    }
}

/// Renders everything, and returns the proposal with its next step.
fn planned(args: &Args, session: &Session) -> Result<(Proposal, Plan)> {
    let (repo, checkout) = (session.repo()?, session.checkout()?);
    let options = args.sources.options(&args.helm, &repo.settings);
    let dirs = args.sources.clone().into_dirs();
    let (renders, notes) = session.render_all(&dirs, &options)?;
    notes.iter().for_each(|note| session.terminal.say(note));
    let mut proposal = propose(&Scope::new(repo, &renders));
    for (app, claim) in &args.read_only {
        proposal.turn_read_only(app, claim)?;
    }
    let sources = Sources::new(repo, checkout, &dirs, &options);
    let progress = session.terminal.progress("planning");
    let plan = next(repo, checkout, &proposal, &sources, &mut |name| {
        progress.now(&format!("planning {name}"));
    })?;
    Ok((proposal, plan))
}

/// Returns what is said where no step is left.
fn end(proposal: &Proposal, stays: usize) -> String {
    let by_hand = proposal.applications.iter().filter(|app| !app.way.is_converted());
    let others = [
        (stays, "to be decided"),
        (by_hand.count(), "to be changed by hand"),
        (proposal.left_count(), "left alone"),
    ];
    let others = others.iter().filter(|(count, _)| *count > 0);
    let others: Vec<String> = others.map(|(count, what)| format!("{count} {what}")).collect();
    match others.is_empty() {
        true => "nothing is left to adopt".to_owned(),
        false => format!("no step is left that `adopt` can do here; {}", others.join(", ")),
    }
}

/// Returns the Applications that stay as they are, each with the reason and the next step.
fn stays(plan: &mut Plan) -> Vec<(String, String)> {
    let open = plan
        .open
        .drain(..)
        .map(|refusal| (refusal.message, refusal.hint.into_iter().collect()));
    let failed = plan.stays.drain(..).map(|error| {
        let failure = Failure::from(error);
        (failure.one_line(), failure.hints)
    });
    let stays = open
        .chain(failed)
        .map(|(message, hints): (String, Vec<String>)| (message, hints.join("; ")));
    stays.collect()
}

/// Returns the plan for scripts, with the next step.
fn json(session: &Session, proposal: &Proposal, (plan, stays): (&Plan, &[(String, String)])) -> Result<String> {
    let files = session.repo()?.file_changes(&plan.edit.changes)?;
    let diff: String = files.iter().map(|file| report::diff::unified(file, false)).collect();
    let stays = stays.iter().map(|(why, hint)| json!({"why": why, "hint": hint}));
    let mut tree = report::adopt::tree(proposal);
    tree["stays"] = json!(stays.collect::<Vec<_>>());
    tree["next"] = json!({
        "message": plan.edit.message,
        "files": files.iter().map(|file| file.path.to_string()).collect::<Vec<_>>(),
        "notes": plan.edit.notes,
        "diff": diff,
    });
    DocumentOutput::Json.render(&tree)
}
