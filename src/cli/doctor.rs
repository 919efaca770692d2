//! `kubectl homelab doctor`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use super::checks::{self, CheckArgs};
use super::connection::ClusterArgs;
use super::lock_status;
use super::output::FindingsOutput;
use super::session::Session;
use crate::failure::{Exit, Failure, HintExt};
use crate::lock::Fault;
use crate::model::NamespaceName;
use crate::repo::{Repo, RepoPath};
use crate::rules::installation::{self, Installation};
use crate::{cluster, disk, yaml};

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  # The Argo CD that runs in your cluster
  kubectl homelab doctor

  # The one that you are about to apply; no cluster is needed
  kubectl kustomize . | kubectl homelab doctor -f -
  helm template argocd argo/argo-cd -f values.yaml | kubectl homelab doctor -f -";

/// The way on without a cluster.
const RENDERED: &str =
    "or check an installation that is not applied yet: `kubectl kustomize DIR | kubectl homelab doctor -f -`";

/// Check an Argo CD for what is missing or unsafe in the plugin's installation
///
/// Reads Deployments, StatefulSets and ConfigMaps in the namespace of Argo CD, with the kubeconfig and its current context;
/// nothing is changed, and no login to Argo CD is needed. With `--filename` it reads an installation as it is rendered
/// instead, by kustomize, helm or `kubectl get deployment,configmap -o yaml`, and needs no cluster. The plugin that the
/// Applications of the repository name is checked, too, and in a cluster the lock: it tries a deletion that is to be refused, and
/// deletes nothing.
///
/// Exits 0 when there are no errors, 1 when there are, 3 when it could not be checked at all.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Check a rendered installation instead of the cluster's; `-` for standard input
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["ClusterArgs", "ConnectionArgs"])]
    filename: Option<PathBuf>,

    #[command(flatten)]
    checks: CheckArgs,

    /// Output format; findings with source excerpts by default
    #[arg(short, long, value_enum)]
    output: Option<FindingsOutput>,

    #[command(flatten)]
    cluster: ClusterArgs,
}

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    let Args {
        filename,
        checks,
        output,
        cluster,
    } = args;
    let (rendered, what, lock) = match &filename {
        Some(filename) => (read(filename)?, of_file(filename), Vec::new()),
        None => running(cluster, session).hint(RENDERED)?,
    };
    let home = session.repo_if_any()?;
    let found = Installation::new(&rendered, home).context(what);
    let mut installation = match filename {
        Some(_) if !rendered.malformed.is_empty() => found?,
        Some(_) => found
            .hint("give the whole rendered installation, as `kubectl kustomize DIR` or `helm template` prints it")?,
        None => found.hint("name its namespace with `--namespace`").hint(RENDERED)?,
    };
    installation.take_lock(lock);
    let settings = home.map(|home| home.settings.clone()).unwrap_or_default();
    let mut report = installation::check(&installation, &settings);
    report.select(checks.rules());
    checks::print(session, &rendered, &report, output)?;
    if home.is_none() {
        session
            .terminal
            .say("there is no repository here: which plugin its Applications name was not checked");
    }
    Ok(checks.exit(&report))
}

/// Returns the installation in the cluster, each object as a file with the name that kubectl gives it, the sentence for when
/// it is none, and what is wrong with the lock.
fn running(args: ClusterArgs, session: &Session) -> Result<(Repo, String, Vec<Fault>)> {
    let progress = session.terminal.progress_later("asking the cluster");
    let (cluster, namespace) = args.connect()?;
    let objects = cluster::installation(&cluster, &namespace)?;
    let files = objects.iter().map(file).collect::<Result<Vec<_>>>()?;
    let lock = lock_status::read(&cluster, session.repo_if_any()?);
    drop(progress);
    let faults = match lock {
        Ok(status) => {
            let unread = status.missing_grants.iter();
            let unread: Vec<String> = unread.map(|grant| format!("`{grant}`")).collect();
            if !status.is_off() && !unread.is_empty() {
                let line = format!(
                    "not all of the lock was checked: your user may not {}",
                    unread.join(", ")
                );
                session.terminal.say(&line);
            }
            status.faults()
        }
        Err(error) => {
            let why = Failure::from(error).one_line();
            session.terminal.say(&format!("the lock was not checked: {why}"));
            Vec::new()
        }
    };
    Ok((Repo::of_files(files), of_namespace(&namespace), faults))
}

fn file(object: &Value) -> Result<(RepoPath, String)> {
    let kind = object["kind"].as_str().unwrap_or_default().to_lowercase();
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    Ok((RepoPath::new(&format!("{kind}/{name}"))?, yaml::emit(object)?))
}

fn of_namespace(namespace: &NamespaceName) -> String {
    format!("there is no Argo CD in the namespace `{namespace}` of the cluster")
}

fn of_file(filename: &Path) -> String {
    match filename.to_str() {
        Some("-") => "standard input is no installation of Argo CD".to_owned(),
        _ => format!("`{}` is no installation of Argo CD", filename.display()),
    }
}

/// Returns the manifests of a file, or of standard input, under the name that findings show.
fn read(filename: &Path) -> Result<Repo> {
    if filename == Path::new("-") {
        return Ok(Repo::of_text(RepoPath::new("STDIN")?, disk::read_stdin()?));
    }
    let name = filename.file_name().unwrap_or_default().to_string_lossy();
    Ok(Repo::of_text(RepoPath::new(&name)?, disk::read_text(filename)?))
}
