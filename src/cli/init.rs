//! `kubectl homelab init`.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::session::{EditArgs, Outcome, Session};
use crate::disk;
use crate::edit;
use crate::failure::{Exit, HintExt};
use crate::git::WorkingTree;

/// Make a GitOps repository, or fill in the placeholder of the shipped one
///
/// Writes the root Application, which brings everything, and the one that syncs the Namespaces. In a copy of the shipped
/// repository it replaces `OWNER` in every URL instead.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The folder; the working directory by default
    dir: Option<PathBuf>,

    /// The URL under which Argo CD reads this repository; the remote `origin` by default
    #[arg(long, value_name = "URL")]
    repo_url: Option<String>,

    /// The branch or tag that Argo CD follows
    #[arg(long, value_name = "REV", default_value = "main")]
    revision: String,

    /// The namespace that Argo CD runs in
    #[arg(long, value_name = "NAMESPACE", default_value = "argocd")]
    argocd_namespace: String,

    /// Change nothing, say what an existing repository was found to be
    #[arg(long, conflicts_with_all = ["repo_url", "force"])]
    adopt: bool,

    /// Add what is missing to a repository that has Applications already
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    edit: EditArgs,
}

pub(super) fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let Args {
        dir,
        repo_url,
        revision,
        argocd_namespace,
        adopt,
        force,
        edit,
    } = args;
    let folder = dir.clone().unwrap_or_else(|| session.start().to_owned());
    if !adopt && edit.is_written() {
        disk::make_folder(&folder)?;
    }
    session.open(&folder)?;
    if *adopt {
        let lines = edit::init::adopt(session.repo()?);
        session.terminal.data(&format!("{}\n", lines.join("\n")))?;
        session
            .terminal
            .hint("see what is dangerous in it with `kubectl homelab validate`");
        return Ok(Exit::Done);
    }
    let remote = || {
        WorkingTree::at(session.checkout().ok()?.root())?
            .remotes()
            .into_iter()
            .next()
    };
    let repo_url = repo_url.clone().or_else(remote);
    let request = edit::init::Request {
        repo_url: repo_url
            .context("the URL of this repository is not known")
            .hint("name it with `--repo-url URL`")?,
        revision: revision.clone(),
        argocd_namespace: argocd_namespace.clone(),
        force: *force,
    };
    let outcome = Outcome {
        changes: edit::init(session.repo()?, &request)?,
        message: "Set up the GitOps repository".to_owned(),
        next: Some("add a Namespace with `kubectl homelab add-namespace NAME`".to_owned()),
        ..Outcome::default()
    };
    session.finish(edit, &outcome)
}
