//! `kubectl homelab doctor`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::checks::{self, CheckArgs};
use super::output::FindingsOutput;
use super::session::Session;
use crate::disk;
use crate::failure::Exit;
use crate::repo::{Repo, RepoPath};
use crate::rules::installation::{self, Installation};

/// Check an Argo CD for what is missing or unsafe in the plugin's installation
///
/// Reads the installation as it is rendered: `kubectl kustomize DIR | kubectl homelab doctor -f -`, or what
/// `helm template` prints, or `kubectl get deployment,configmap -n argocd -o yaml`. The plugin that the Applications of
/// the repository name is checked, too. Exits 0 when there are no errors, 1 when there are, 3 when it could not be checked
/// at all.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The rendered installation; `-` for standard input
    #[arg(short, long, value_name = "FILE")]
    filename: PathBuf,

    #[command(flatten)]
    checks: CheckArgs,

    /// Output format; findings with source excerpts by default
    #[arg(short, long, value_enum)]
    output: Option<FindingsOutput>,
}

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    let Args {
        filename,
        checks,
        output,
    } = args;
    let rendered = read(&filename)?;
    let home = session.repo_if_any()?;
    let installation = Installation::new(&rendered, home).with_context(|| match filename.to_str() {
        Some("-") => "standard input is no installation of Argo CD".to_owned(),
        _ => format!("`{}` is no installation of Argo CD", filename.display()),
    })?;
    let mut report = installation::check(&installation);
    report.select(checks.rules());
    checks::print(session, &rendered, &report, output)?;
    if home.is_none() {
        session
            .terminal
            .say("there is no repository here: which plugin its Applications name was not checked");
    }
    Ok(checks.exit(&report))
}

/// Returns the manifests of a file, or of standard input, under the name that findings show.
fn read(filename: &Path) -> Result<Repo> {
    if filename == Path::new("-") {
        return Ok(Repo::of_text(RepoPath::new("STDIN")?, disk::read_stdin()?));
    }
    let name = filename.file_name().unwrap_or_default().to_string_lossy();
    Ok(Repo::of_text(RepoPath::new(&name)?, disk::read_text(filename)?))
}
