//! `kubectl homelab convert`.

mod one;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, anyhow};
use clap::ValueEnum;

use super::checkouts::CheckoutArgs;
use super::helm::HelmArgs;
use super::session::{EditArgs, Outcome, Session};
use super::sources::{Network, Options, Sources};
use crate::edit::convert::{self, guard};
use crate::failure::{Exit, HintExt};
use crate::model::application::GROUP;
use crate::model::{AppName, Application, ClaimName};
use crate::repo::{ChangeSet, Manifest, Repo};
use crate::rules::{Scope, fixes};
use one::{Converted, Ending, One};

/// Move Applications from Argo CD's own Helm to the plugin, and back
///
/// Every option of `helm` and `directory` becomes a parameter; order and comments stay. Both are rendered: the move is made
/// only when they are equal but for the storage law, which is listed. Claims that the source renders go into `owns`. For
/// every other claim that a workload could write until now, say which it is: `--owns`, `--writes` or `--read-only`.
///
/// One commit is safe: names stay as they are, so that nothing is pruned. With `--guard-first` the move takes three
/// commits, each of them synced before the next: the Application gets the sync options `Prune=false` and `Delete=false`,
/// it moves, and the options go again. Every run makes the next one and says what to wait for.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The Applications
    #[arg(value_name = "APP", required_unless_present = "all")]
    apps: Vec<String>,

    /// All Applications but the root one; what cannot be moved is said and stays as it is
    #[arg(long, conflicts_with = "apps")]
    all: bool,

    /// Where to
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

    /// On the way back: let the claims in `owns` lose their guards
    #[arg(long)]
    drop_owns: bool,

    /// Guard everything that an Application has before it moves: three commits, one for each run
    #[arg(long)]
    guard_first: bool,

    #[command(flatten)]
    checkouts: CheckoutArgs,

    /// Fetch the sources that are not at hand; without it, nothing leaves this machine
    #[arg(long)]
    fetch: bool,

    #[command(flatten)]
    helm: HelmArgs,

    #[command(flatten)]
    edit: EditArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum To {
    /// The plugin
    Plugin,
    /// Argo CD's own Helm, or its reader of folders
    Native,
}

/// A claim, with the Application that it is said of where there are several.
#[derive(Clone, Debug)]
struct ClaimOf {
    app: Option<AppName>,
    claim: ClaimName,
}

fn parse_claim(text: &str) -> Result<ClaimOf, String> {
    let (app, claim) = match text.split_once('/') {
        Some((app, claim)) => (Some(AppName::new(app).map_err(|error| format!("{error:#}"))?), claim),
        None => (None, text),
    };
    let claim = ClaimName::new(claim).map_err(|error| format!("{error:#}"))?;
    Ok(ClaimOf { app, claim })
}

impl Args {
    fn options(&self) -> Options {
        Options {
            network: if self.fetch {
                Network::WhenMissing
            } else {
                Network::Never
            },
            helm: self.helm.clone(),
            ..Options::default()
        }
    }

    /// The Applications that are meant, each once.
    fn manifests<'r>(&self, repo: &'r Repo) -> Result<Vec<&'r Manifest>> {
        if self.all {
            let root = repo.root_application().map(|(manifest, _)| manifest);
            let all = repo
                .manifests
                .iter()
                .filter(|manifest| Application::new(&manifest.object).is_some() || is_set(manifest));
            return Ok(all
                .filter(|manifest| !root.is_some_and(|root| std::ptr::eq(root, *manifest)))
                .collect());
        }
        let names: BTreeSet<&String> = self.apps.iter().collect();
        let one = |name: &String| {
            let app = repo.application(name).map(|(manifest, _)| manifest);
            let set = || {
                repo.manifests
                    .iter()
                    .find(|manifest| is_set(manifest) && manifest.object.name() == name)
            };
            app.or_else(set).ok_or_else(|| {
                let known: Vec<&str> = repo.applications().map(|(_, app)| app.name()).collect();
                anyhow!("there is no Application `{name}`").hint(format!("choose one of {}", known.join(", ")))
            })
        };
        names.into_iter().map(one).collect()
    }

    /// The claims of one flag for one Application.
    fn claims_of(list: &[ClaimOf], app: &str) -> BTreeSet<ClaimName> {
        let of_app = list
            .iter()
            .filter(|of| of.app.as_ref().is_none_or(|name| name.as_str() == app));
        of_app.map(|of| of.claim.clone()).collect()
    }

    /// Refuses a claim of which it is not clear whose it is.
    fn check_claims(&self, names: &[&str]) -> Result<()> {
        for (flag, list) in [
            ("--owns", &self.owns),
            ("--writes", &self.writes),
            ("--read-only", &self.read_only),
        ] {
            for of in list {
                match &of.app {
                    None if names.len() > 1 => {
                        return Err(
                            anyhow!("`{flag} {}` does not say for which Application", of.claim).hint(format!(
                                "write `{flag} APP/{}` when several Applications are converted",
                                of.claim
                            )),
                        );
                    }
                    Some(app) if !names.contains(&app.as_str()) => {
                        return Err(
                            anyhow!("`{flag} {app}/{}` names an Application that is not converted", of.claim)
                                .hint(format!("choose one of {}", names.join(", "))),
                        );
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

fn is_set(manifest: &Manifest) -> bool {
    manifest.object.is(GROUP, "ApplicationSet")
}

pub(super) fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    if args.guard_first && args.to == To::Native {
        return Err(anyhow!("`--guard-first` is for the way to the plugin").hint("leave it out"));
    }
    let (mut converted, mut stays, mut refused) = (Vec::new(), 0, Vec::new());
    let outcome = {
        let repo = session.repo()?;
        let renders = BTreeMap::new();
        let ownership = Scope::new(repo, &renders).ownership;
        let options = args.options();
        let sources = Sources::new(session, &args.checkouts, &options)?;
        args.checkouts.check(repo.applications().map(|(_, app)| app))?;
        let manifests = args.manifests(repo)?;
        let names: Vec<&str> = manifests.iter().map(|manifest| manifest.object.name()).collect();
        args.check_claims(&names)?;
        for manifest in &manifests {
            let name = manifest.object.name();
            let progress = session.terminal.progress(&format!("converting {name}"));
            let one = One {
                args,
                repo,
                sources: &sources,
                ownership: &ownership,
                manifest,
            };
            let result = one.convert();
            drop(progress);
            match result {
                Ok(Ending::Converted(one)) => converted.push(*one),
                Ok(Ending::Already) if guard::is_moving_manifest(manifest) && args.guard_first => {}
                Ok(Ending::Already) => session.terminal.say(&already(args.to, name)),
                Ok(Ending::Refused(lines)) => refused.extend(lines),
                Err(error) if args.all => {
                    stays += 1;
                    let failure = crate::failure::Failure::from(error);
                    session.terminal.say(&failure.one_line());
                    failure.hints.iter().for_each(|hint| session.terminal.hint(hint));
                }
                Err(error) => return Err(error),
            }
        }
        if !refused.is_empty() {
            for (line, hint) in refused {
                session.terminal.say(&line);
                hint.iter().for_each(|hint| session.terminal.hint(hint));
            }
            session.terminal.say("nothing was changed");
            return Ok(Exit::Findings);
        }
        outcome(args, repo, &manifests, converted)?
    };
    let exit = session.finish(&args.edit, &outcome)?;
    Ok(if exit == Exit::Done && stays > 0 {
        Exit::Findings
    } else {
        exit
    })
}

fn already(to: To, name: &str) -> String {
    match to {
        To::Plugin => format!("Application `{name}` is rendered by the plugin already"),
        To::Native => format!("Application `{name}` is rendered by Argo CD itself already"),
    }
}

/// What is to be done in this run: everything, or with `--guard-first` the next of three steps.
fn outcome(args: &Args, repo: &Repo, manifests: &[&Manifest], converted: Vec<Converted>) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    if args.guard_first {
        guard_step(repo, &converted, &mut outcome)?;
        if !outcome.changes.changes.is_empty() {
            return Ok(outcome);
        }
        if converted.is_empty() {
            release_step(manifests, &mut outcome);
            return Ok(outcome);
        }
    }
    let names: Vec<String> = converted.iter().map(|one| one.name.to_string()).collect();
    let where_to = match args.to {
        To::Plugin => "to the plugin",
        To::Native => "back to Argo CD's own tools",
    };
    outcome.message = format!("Convert {} {where_to}", called(&names));
    if args.to == To::Native && args.drop_owns {
        outcome.accepted = vec!["owned-claim-is-guarded", "namespace-is-guarded"];
    }
    for one in converted {
        outcome.notes.extend(one.notes);
        outcome.changes.changes.extend(one.changes.changes);
        outcome.before.insert(one.name.clone(), one.before);
        outcome.renders.insert(one.name, one.after);
    }
    let is_moving = |name: &String| repo.application(name).is_some_and(|(_, app)| guard::is_moving(&app));
    let again = if names.iter().any(is_moving) {
        outcome.notes.push("step 2 of 3: the move itself".to_owned());
        ", then run the same command again: it takes the guards of the move away"
    } else {
        ""
    };
    outcome.next = Some(format!(
        "push it, wait with `kubectl homelab wait {} --for synced`{again}",
        if args.all { "--all".to_owned() } else { names.join(" ") }
    ));
    Ok(outcome)
}

/// The first step: Applications with claims keep everything, whatever comes.
fn guard_step(repo: &Repo, converted: &[Converted], outcome: &mut Outcome) -> Result<()> {
    let mut names = Vec::new();
    for one in converted.iter().filter(|one| one.needs_guard) {
        let Some((manifest, app)) = repo.application(one.name.as_str()) else {
            continue;
        };
        let operations =
            guard::add(&app).map_err(|obstacle| convert::error(repo, manifest, std::slice::from_ref(&obstacle)))?;
        if !operations.is_empty() {
            names.push(one.name.to_string());
            outcome
                .changes
                .changes
                .extend(fixes::patch(manifest, operations).changes);
        }
    }
    if names.is_empty() {
        return Ok(());
    }
    outcome.message = format!("Guard {} for the move to the plugin", called(&names));
    outcome.notes.push(format!(
        "step 1 of 3: Argo CD prunes and deletes nothing of {}",
        called(&names)
    ));
    let root = repo.root_application().map(|(_, app)| app.name());
    outcome.next = Some(match root {
        Some(root) => format!(
            "push it, wait with `kubectl homelab wait {root} --for synced`, then run the same command again: it makes the move"
        ),
        None => "apply the Application, then run the same command again: it makes the move".to_owned(),
    });
    Ok(())
}

/// The last step: the guards of the move go; the claims have their own by now.
fn release_step(manifests: &[&Manifest], outcome: &mut Outcome) {
    let mut names = Vec::new();
    let mut changes = ChangeSet::default();
    for manifest in manifests {
        let Some(app) = Application::new(&manifest.object).filter(guard::is_moving) else {
            continue;
        };
        names.push(app.name().to_owned());
        changes
            .changes
            .extend(fixes::patch(manifest, guard::remove(&app)).changes);
    }
    if names.is_empty() {
        return;
    }
    outcome.message = format!("Take the guards of the move from {}", called(&names));
    outcome.notes.push(format!(
        "step 3 of 3: the claims of {} have guards of their own",
        called(&names)
    ));
    outcome.changes = changes;
    outcome.next = Some("push it; the move is done".to_owned());
}

fn called(names: &[String]) -> String {
    match names {
        [one] => format!("Application {one}"),
        [] => "no Application".to_owned(),
        many => format!("{} Applications", many.len()),
    }
}
