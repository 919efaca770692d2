//! `kubectl homelab replace-app`.

use anyhow::Result;
use clap::{Arg, ArgMatches, Command, FromArgMatches};

use super::add_app;
use super::connection::ConnectionArgs;
use super::handover::{self, PhaseArg};
use super::session::Session;
use crate::edit;
use crate::edit::add_app::Request;
use crate::edit::handover::{Phase, ReplaceApp, Step};
use crate::failure::{Exit, as_usage};
use crate::model::Application;
use crate::repo::{Repo, RepoPath};
use crate::sources::{Options, Sources};

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  # The three steps
  kubectl homelab replace-app fetcher recorder --phase plan

  # Each run makes the next step; the new Application is named as for add-app
  kubectl homelab replace-app fetcher recorder -n radio --commit \\
    --repo https://github.com/you/recorder --path helm/recorder

  # One that is there already takes over
  kubectl homelab replace-app fetcher recorder --commit

  # Look into the cluster before: no pod may write the claims
  kubectl homelab replace-app fetcher recorder --live --phase 2 --commit";

/// Let another Application take over all claims of one, which then goes
///
/// Takes three commits, each of them synced before the next; every run makes the next one. First the workloads of the old Application
/// that write its claims stand still, by the parameter `patches`. Then one commit takes the claims from it and gives them to the new one,
/// which is added with the options of `add-app` where it is not there; a claim that its chart does not render keeps its specification
/// in `claims`. Last, the old Application goes with all that is left of it. Both may render no other object.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
// The options of `add-app` are a group of this name already.
#[group(skip)]
pub(super) struct Args {
    /// The Application that goes
    #[arg(value_name = "APP")]
    old: String,

    #[command(flatten)]
    new: NewApp,

    /// What is done; by default the next step
    #[arg(long, value_enum)]
    phase: Option<PhaseArg>,

    /// Check in the cluster that the step before is done
    #[arg(long)]
    live: bool,

    #[command(flatten)]
    connection: ConnectionArgs,
}

/// The Application that takes its place: the options of `add-app`, of which none is needed where it is there already.
#[derive(Debug)]
struct NewApp(add_app::Args);

/// The options that `add-app` needs: their ids, names, letters, and headings.
const NEEDED: [(&str, &str, Option<char>, Option<&str>); 4] = [
    ("repo", "repo", None, Some("Source")),
    ("path", "path", None, Some("Source")),
    ("revision", "revision", None, Some("Source")),
    ("dest_namespace", "dest-namespace", Some('n'), None),
];

/// Returns an option without what requires it.
fn optional(arg: Arg, name: &'static str, letter: Option<char>, heading: Option<&'static str>) -> Arg {
    let mut new = Arg::new(arg.get_id().clone())
        .long(name)
        .help_heading(heading)
        .value_parser(arg.get_value_parser().clone());
    if let Some(names) = arg.get_value_names() {
        new = new.value_names(names.to_vec());
    }
    if let Some(help) = arg.get_help() {
        new = new.help(help.clone());
    }
    match letter {
        Some(letter) => new.short(letter),
        None => new,
    }
}

impl FromArgMatches for NewApp {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        add_app::Args::from_arg_matches(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.update_from_arg_matches(matches)
    }
}

impl clap::Args for NewApp {
    fn augment_args(command: Command) -> Command {
        let command = add_app::Args::augment_args(command);
        NEEDED
            .into_iter()
            .fold(command, |command, (id, name, letter, heading)| {
                command.mut_arg(id, |arg| optional(arg, name, letter, heading))
            })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    let NewApp(new) = args.new;
    session.reads_with(&new.checkouts, &new.helm);
    let (name, values_dir) = (new.name.clone(), new.values_dir()?);
    let (request, dirs, options, helm, edit_args) = new.into_request()?;
    edit::add_app::check(&request).map_err(as_usage)?;
    session.edit(&edit_args.write)?;
    let step = {
        let (repo, checkout) = (session.repo()?, session.checkout()?);
        let options = Options {
            helm: helm.into_options(&repo.settings),
            ..options
        };
        let preview = edit::add_app::preview(repo, &request);
        let apps = repo.applications().map(|(_, app)| app);
        dirs.check(repo, apps.chain(Application::new(&preview)))?;
        let sources = Sources::new(repo, checkout, &dirs, &options);
        let replacing = ReplaceApp::of(repo, &args.old, &name, &sources)?;
        let phase = match args.phase {
            Some(PhaseArg::Plan) => {
                let again = format!("kubectl homelab replace-app {} {name}", args.old);
                session.terminal.data(&replacing.plan(&again)?)?;
                return Ok(Exit::Done);
            }
            Some(phase) => phase.step(),
            None => None,
        };
        let phase = phase.map_or_else(|| replacing.next(), Ok)?;
        replacing.check(phase)?;
        step(&replacing, phase, repo, (request, values_dir), &sources)?
    };
    handover::check(&step, args.live.then_some(args.connection), session)?;
    session.finish(&edit_args, &step.edit, &step.gate)
}

/// Plans a step.
fn step(
    replacing: &ReplaceApp<'_>,
    phase: Phase,
    repo: &Repo,
    (mut request, values_dir): (Request, Option<RepoPath>),
    sources: &Sources<'_>,
) -> Result<Step> {
    match phase {
        Phase::Stop => replacing.stop(sources),
        Phase::Finish => replacing.finish(sources),
        Phase::Move if replacing.is_there() => replacing.change_hands(None, sources),
        Phase::Move => {
            edit::add_app::values_in_git::turn_round(repo, &mut request, values_dir.as_ref())?;
            edit::add_app::check_against(repo, &request)?;
            replacing.complete(&mut request, sources)?;
            let added = add_app::planned::beside_others(repo, request, sources)?;
            replacing.change_hands(Some(added), sources)
        }
    }
}
