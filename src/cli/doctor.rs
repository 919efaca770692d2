//! `kubectl homelab doctor`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::ValueEnum;

use super::session::Session;
use crate::disk;
use crate::failure::Exit;
use crate::repo::{Repo, RepoPath};
use crate::report::{findings, json};
use crate::rules::Selection;
use crate::rules::installation::{self, Installation};

/// Say what of the plugin is missing or unsafe in an Argo CD
///
/// Reads the installation as it is rendered: `kubectl kustomize DIR | kubectl homelab doctor -f -`, or what
/// `helm template` prints, or `kubectl get deployment,configmap -n argocd -o yaml`. The Applications of the repository are
/// asked for the plugin that they name. Exits 0 when there are no errors, 1 when there are, 3 when it could not be judged
/// at all.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The rendered installation; `-` for standard input
    #[arg(short, long, value_name = "FILE")]
    filename: PathBuf,

    /// Let warnings fail, too
    #[arg(long)]
    strict: bool,

    /// Which rules to apply: `-HL509` leaves one out, `+HL50` takes all that start so; several with commas
    #[arg(
        long,
        value_name = "±HL…",
        allow_hyphen_values = true,
        default_value = "",
        hide_default_value = true
    )]
    rules: Selection,

    /// How to print the findings; with source excerpts by default
    #[arg(short, long, value_enum)]
    output: Option<Output>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    Table,
    Json,
}

pub(super) fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let Args {
        filename,
        strict,
        rules,
        output,
    } = args;
    let rendered = read(filename)?;
    let home = session.repo_if_any()?;
    let installation = Installation::new(&rendered, home).with_context(|| match filename.to_str() {
        Some("-") => "standard input is no installation of Argo CD".to_owned(),
        _ => format!("`{}` is no installation of Argo CD", filename.display()),
    })?;
    let mut judgement = installation::judge(&installation);
    judgement.select(rules);
    let text = match output {
        None => findings::judgement(&rendered, &judgement),
        Some(Output::Table) => findings::findings_table(&rendered, &judgement),
        Some(Output::Json) => json::finding_list(&rendered, &judgement)?,
    };
    session.terminal.data(&text)?;
    if *output == Some(Output::Table) {
        session.terminal.say(findings::summary(&judgement).trim_end());
    }
    if home.is_none() {
        session
            .terminal
            .say("there is no repository here: which plugin its Applications name was not looked at");
    }
    let fails = judgement.errors() > 0 || *strict && judgement.warnings() > 0;
    Ok(if fails { Exit::Findings } else { Exit::Done })
}

/// The manifests of a file, or of standard input, under the name that findings show.
fn read(filename: &Path) -> Result<Repo> {
    if filename == Path::new("-") {
        return Ok(Repo::of_text(RepoPath::new("STDIN")?, disk::read_stdin()?));
    }
    let name = filename.file_name().unwrap_or_default().to_string_lossy();
    Ok(Repo::of_text(RepoPath::new(&name)?, disk::read_text(filename)?))
}
