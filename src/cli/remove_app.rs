//! `kubectl homelab remove-app`.

mod predicted;

use anyhow::{Result, anyhow};
use clap::ValueEnum;

use super::branch;
use super::confirm::Question;
use super::edit_args::EditArgs;
use super::helm::HelmArgs;
use super::output::EditOutput;
use super::session::Session;
use super::source_dirs::SourceDirArgs;
use crate::edit::preserve;
use crate::edit::remove_app::{Plan, Request, Stage, plan, steps};
use crate::failure::{Exit, HintExt};
use crate::git::WorkingTree;
use crate::model::{AppRenders, ClaimPath, ClaimRef};
use crate::rules::Scope;
use crate::sources::{Options, Snapshot, SourceDirs, Sources};

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  # What would happen to each object and claim
  kubectl homelab remove-app jellyfin --dry-run=client -o diff

  # Take it out; its claims stay, and the repository remembers whose they were
  kubectl homelab remove-app jellyfin --commit

  # Others go on with its claims
  kubectl homelab remove-app fetcher --orphan-consumers

  # Lose the data of one claim: two commits, each synced before the next
  kubectl homelab remove-app jellyfin --delete-data jellyfin-cache --commit

  # The three steps of one that an ApplicationSet generates
  kubectl homelab remove-app jellyfin --phase plan";

/// Take an Application out of the repository; its data stays
///
/// Says first what happens to each of its objects and claims. Its claims stay in the cluster, and the parameter `keeps` of the
/// source of the Namespaces remembers whose they were, until `restore` or `add-app --owns` gives them their next owner. It
/// refuses while others use them, and where nothing guards a claim.
///
/// What goes is what makes the Application: its document, the folder or the element of a list that an ApplicationSet takes, or
/// the value of the chart that renders it.
///
/// Where nothing guards the claims of an Application that an ApplicationSet generates, it takes three commits, each of them synced before
/// the next; every run makes the next one. First the set preserves what it deletes, which takes the finalizer off; then the Application
/// goes, and all that it has stays in the cluster; last, the set is as it was. `--phase 1` begins so in any case.
///
/// Only `--delete-data` loses data. It asks for the name of the claim and takes two commits: the first takes the guards off
/// the claim and lets the lock release it; the same command, once that is synced, removes the Application.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The Application
    #[arg(value_name = "APP")]
    app: String,

    /// Lose this claim with all its data; may be repeated
    #[arg(long, value_name = "CLAIM")]
    delete_data: Vec<ClaimPath>,

    /// The name of a claim again, instead of the question; may be repeated
    #[arg(long, value_name = "NAME", requires = "delete_data")]
    confirm: Vec<String>,

    /// Let others that use its claims go on with claims that nobody owns
    #[arg(long)]
    orphan_consumers: bool,

    /// Of an Application that an ApplicationSet generates: which step is made; by default the next one
    #[arg(long, value_enum, conflicts_with = "delete_data")]
    phase: Option<Phase>,

    #[command(flatten)]
    sources: SourceDirArgs,

    #[command(flatten)]
    helm: HelmArgs,

    #[command(flatten)]
    edit: EditArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Phase {
    /// Print the steps, and change nothing
    Plan,
    /// The set preserves what it deletes
    #[value(name = "1")]
    Preserve,
    /// The Application goes
    #[value(name = "2")]
    Removal,
    /// The set is as it was
    #[value(name = "3")]
    Restore,
}

impl Phase {
    /// Returns the step; `None` for the plan.
    fn step(self) -> Option<preserve::Phase> {
        match self {
            Self::Plan => None,
            Self::Preserve => Some(preserve::Phase::Preserve),
            Self::Removal => Some(preserve::Phase::Change),
            Self::Restore => Some(preserve::Phase::Restore),
        }
    }
}

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    session.reads_with(&args.sources, &args.helm);
    session.edit(&args.edit.write)?;
    if args.phase == Some(Phase::Plan) {
        let again = format!("kubectl homelab remove-app {}", args.app);
        session.terminal.data(&steps(session.repo()?, &args.app, &again)?)?;
        return Ok(Exit::Done);
    }
    let options = args.sources.options(&args.helm, &session.repo()?.settings);
    let dirs = args.sources.clone().into_dirs();
    let (renders, notes) = session.render_all(&dirs, &options)?;
    notes.iter().for_each(|note| session.terminal.say(note));
    let request = Request {
        name: args.app.clone(),
        delete_data: args.delete_data.clone(),
        orphan_consumers: args.orphan_consumers,
        phase: args.phase.and_then(Phase::step),
    };
    let plan = {
        let (repo, checkout) = (session.repo()?, session.checkout()?);
        let sources = Sources::new(repo, checkout, &dirs, &options);
        plan(&Scope::new(repo, &renders), &sources, &request)?
    };
    if matches!(plan.stage, Stage::Release | Stage::Removal) {
        predicted::say(&plan, session, &renders, (&dirs, &options))?;
    }
    plan.needed
        .iter()
        .try_for_each(|needed| branch::check(session, needed))?;
    check_release(&plan, session, (&dirs, &options))?;
    let mut edit_args = args.edit.clone();
    if !edit_args.is_written() {
        // What goes is in no new text.
        edit_args.output.get_or_insert(EditOutput::Diff);
    } else {
        args.ask(&plan, session)?;
    }
    session.finish(&edit_args, &plan.edit, &plan.gate)
}

impl Args {
    /// Says what is lost, and asks for the name of each claim.
    fn ask(&self, plan: &Plan, session: &Session) -> Result<()> {
        for lost in &plan.claims.lost {
            let name = lost.claim.name.as_str();
            let size = lost.size.as_ref().map(|size| format!(", {size}")).unwrap_or_default();
            let claim = &lost.claim;
            session.terminal.say(&format!(
                "claim `{claim}`{size}: its data is lost for good; what is on it now, and who mounts it, shows `kubectl describe pvc {} -n {}`",
                claim.name, claim.namespace
            ));
            let question = Question {
                name,
                to: "lose its data",
                otherwise: "no files were changed",
            };
            let given = self
                .confirm
                .iter()
                .find(|given| *given == name)
                .or(self.confirm.first());
            question.ask(&session.terminal, given.map(String::as_str))?;
        }
        Ok(())
    }
}

/// Refuses a removal while the release of its claims is not committed, and remarks on one that is not pushed.
fn check_release(plan: &Plan, session: &Session, how: (&SourceDirs, &Options)) -> Result<()> {
    let released: Vec<&ClaimRef> = plan.claims.released().collect();
    if released.is_empty() || plan.stage != Stage::Removal {
        return Ok(());
    }
    let checkout = session.checkout()?;
    let tree = WorkingTree::at(checkout.root()).ok_or_else(|| {
        anyhow!(
            "`--delete-data` takes two commits, and `{}` is not a git working tree",
            checkout.root().display()
        )
        .hint("make it one with `git init` and commit what is there")
    })?;
    let settings = &session.repo()?.settings;
    let missing = |revision: &str| -> Result<Vec<String>> {
        let snapshot = Snapshot::of(checkout, revision, settings.clone(), how)?;
        let nothing = AppRenders::new();
        let scope = Scope::new(snapshot.repo(), &nothing);
        let is_open = |claim: &&&ClaimRef| scope.claim(claim).released_by.is_empty();
        let open = released.iter().filter(is_open);
        Ok(open.map(|claim| format!("`{claim}`")).collect())
    };
    let open = missing("HEAD")?;
    if !open.is_empty() {
        return Err(anyhow!("the release of {} is not committed", open.join(", "))
            .hint("commit and push it, wait until Argo CD has synced it, then run the same command again"));
    }
    if let Some(upstream) = tree.upstream() {
        let open = missing(&upstream)?;
        if !open.is_empty() {
            session.terminal.warn(&format!(
                "the release of {} is not in `{upstream}` yet: push it, and wait for its sync before this one is pushed; else the claim stays",
                open.join(", ")
            ));
        }
    }
    Ok(())
}
