//! `kubectl homelab lock`.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Subcommand, ValueEnum};

use super::connection::ConnectionArgs;
use super::lock_status;
use super::lock_writes::{enable_writes, stamped_jobs};
use super::session::Session;
use super::source_edit::SourceEditArgs;
use crate::edit::fixed_templates::way_out;
use crate::edit::lock::stamps::unstamp;
use crate::edit::lock::{Request, disable, enable};
use crate::edit::{Edit, RuleGate};
use crate::failure::{Exit, Failure, usage};
use crate::lock::Part;
use crate::model::AppRenders;
use crate::repo::RepoPath;
use crate::rules::Scope;

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  # Let the cluster refuse to delete claims that Applications own
  kubectl homelab lock enable deletions --commit

  # And, as a second step, to write claims of others
  kubectl homelab lock enable writes --commit

  # What is live, and what would be refused
  kubectl homelab lock status";

/// Let the cluster itself refuse what would lose data
///
/// The lock is a few admission policies of Kubernetes' own in this repository, synced by Argo CD. They refuse, with a sentence
/// that names the ways to go on, to delete a claim that an Application owns, or a Namespace with such claims: by `kubectl
/// delete`, with all others, by a prune, or by a forced replacement. `kubectl homelab release` lets one deletion through.
/// Enabled by itself, a third policy refuses pods and workloads that would write a claim of another Application. Nothing runs for
/// all that. It needs Kubernetes 1.30.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Enable(Box<EnableArgs>),
    Disable(Box<DisableArgs>),
    Status(Box<StatusArgs>),
}

/// Examples for `--help` of `enable`.
const ENABLE_EXAMPLES: &str = "\
Examples:
  kubectl homelab lock enable deletions --dry-run=client -o diff
  kubectl homelab lock enable deletions --commit

  # The stamps first; once they are synced, the same command writes the policy
  kubectl homelab lock enable writes --commit";

/// Write the policies into the repository, or bring them up to date
///
/// They get an Application of their own, beside the others. Its project has to allow ValidatingAdmissionPolicies and their
/// bindings. Nothing is sent to the cluster: Argo CD syncs them after a push.
///
/// `writes` takes two commits. The first one sets the parameter `stamp-app`, so that pod templates which mount a claim say whose they
/// are; their pods restart once. The second one writes the policy. Each looks into the cluster before: the policies on deletions have
/// to be in force for the first, and for the second nothing may run there that would be refused.
#[derive(clap::Args, Debug)]
#[command(after_help = ENABLE_EXAMPLES)]
struct EnableArgs {
    /// What is refused
    #[arg(value_enum)]
    what: What,

    /// The folder for the Application; by default where the others are
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,

    /// The folder for the policies; `lock` by default
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,

    /// With `writes`: let Argo CD delete Jobs whose templates are to be stamped, and create them again
    #[arg(long)]
    recreate_jobs: bool,

    #[command(flatten)]
    common: SourceEditArgs,

    #[command(flatten)]
    connection: ConnectionArgs,
}

/// The parts of the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// Deletions of claims that Applications own, and of Namespaces with such claims
    Deletions,
    /// Writes into claims of other Applications
    Writes,
}

/// Examples for `--help` of `disable`.
const DISABLE_EXAMPLES: &str = "\
Examples:
  kubectl homelab lock disable --dry-run=client -o diff
  kubectl homelab lock disable --commit";

/// Take the policies, their Application and the stamps out of the repository
///
/// The registry and the labels of owners stay. Releases that are open in the cluster are listed, since they would count again
/// with the next lock. Pods whose templates were stamped restart once.
#[derive(clap::Args, Debug)]
#[command(after_help = DISABLE_EXAMPLES)]
struct DisableArgs {
    #[command(flatten)]
    common: SourceEditArgs,

    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Examples for `--help` of `status`.
const STATUS_EXAMPLES: &str = "\
Examples:
  kubectl homelab lock status
  kubectl homelab lock status -o json";

/// Show what the lock holds in the cluster
///
/// Shows the policies that are live, what would be refused today, what was released, and what the registry lacks. As a
/// proof, it lets the API server check the deletion of a claim and of a Namespace without doing it. What your user may not read is
/// named, and the rest is shown. The exit code is 1 when the lock does not hold, or when that is not known.
#[derive(clap::Args, Debug)]
#[command(after_help = STATUS_EXAMPLES)]
struct StatusArgs {
    /// Output format
    #[arg(short, long, value_enum, default_value = "table")]
    output: StatusOutput,

    #[command(flatten)]
    connection: ConnectionArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StatusOutput {
    Table,
    Wide,
    Json,
    Yaml,
}

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    match args.verb {
        Verb::Enable(args) => args.run(session),
        Verb::Disable(args) => args.run(session),
        Verb::Status(args) => args.run(session),
    }
}

impl EnableArgs {
    fn run(self, session: &mut Session) -> Result<Exit> {
        let folder = |dir: Option<PathBuf>| dir.map(|dir| RepoPath::new(&dir.to_string_lossy())).transpose();
        let request = Request {
            dir: folder(self.dir)?,
            path: folder(self.path)?,
        };
        if self.what == What::Writes {
            let cluster = (&self.common, self.connection);
            return enable_writes(&request, self.recreate_jobs, cluster, session);
        }
        if self.recreate_jobs {
            return Err(usage("'--recreate-jobs' is for `lock enable writes`"));
        }
        let edit = self.common.planned(session, |repo, _, _| {
            repo.check_found()?;
            repo.check_all_read()?;
            enable(repo, Part::Deletions, &request)
        })?;
        session.finish(&self.common.edit, &edit, &RuleGate::default())
    }
}

impl DisableArgs {
    fn run(self, session: &mut Session) -> Result<Exit> {
        let (mut edit, gate) = self.common.planned(session, |repo, sources, _| {
            repo.check_all_read()?;
            let nothing = AppRenders::new();
            let (stamps, gate) = unstamp(&Scope::new(repo, &nothing), sources)?;
            let mut edit = disable(repo)?;
            edit.changes.changes.extend(stamps.changes.changes);
            edit.notes.extend(stamps.notes);
            Ok((edit, gate))
        })?;
        if !edit.changes.changes.is_empty() {
            add_what_is_live(&mut edit, self.connection);
        }
        session.finish(&self.common.edit, &edit, &gate)
    }
}

/// Adds the open releases and the stamped Jobs to the notes of an edit; no cluster is needed for the edit itself.
fn add_what_is_live(edit: &mut Edit, connection: ConnectionArgs) {
    let cluster = match connection.connect() {
        Ok(cluster) => cluster,
        Err(error) => return edit.notes.push(not_known("which releases are open", error)),
    };
    match lock_status::releases(&cluster) {
        Ok(releases) => edit.notes.extend(releases.into_iter().map(|target| {
            format!("`{target}` is released: take that back with `kubectl homelab release {target} --cancel`")
        })),
        Err(error) => edit.notes.push(not_known("which releases are open", error)),
    }
    match stamped_jobs(&cluster) {
        Ok(jobs) => edit.notes.extend(jobs.into_iter().map(|(namespace, name)| {
            let way_out = way_out("Job", &namespace, &name);
            format!("the template of Job `{namespace}/{name}` cannot lose its stamp: where it is in Git, {way_out}")
        })),
        Err(error) => edit.notes.push(not_known("which Jobs are stamped", error)),
    }
}

fn not_known(what: &str, error: anyhow::Error) -> String {
    format!("{what} is not known: {}", Failure::from(error).one_line())
}

impl StatusArgs {
    fn run(self, session: &Session) -> Result<Exit> {
        let progress = session.terminal.progress_later("asking the cluster");
        let cluster = self.connection.connect()?;
        let status = lock_status::read(&cluster, session.repo_if_any()?)?;
        drop(progress);
        let text = match self.output {
            StatusOutput::Table => status.text(false),
            StatusOutput::Wide => status.text(true),
            StatusOutput::Json => super::output::DocumentOutput::Json.render(&status.tree())?,
            StatusOutput::Yaml => super::output::DocumentOutput::Yaml.render(&status.tree())?,
        };
        session.terminal.data(&text)?;
        status.remarks().iter().for_each(|line| session.terminal.say(line));
        if status.is_off() {
            session
                .terminal
                .hint("turn the lock on with `kubectl homelab lock enable deletions`");
        }
        Ok(match status.is_known() && status.faults().is_empty() {
            true => Exit::Done,
            false => Exit::Findings,
        })
    }
}
