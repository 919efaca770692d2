//! `kubectl homelab init`.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::session::{EditArgs, Session};
use crate::disk::{self, Checkout};
use crate::edit::{self, Edit, RuleGate};
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
    // What would be written to a folder that is not there is what is written to an empty one.
    let stand_in = if *adopt || disk::exists(&folder) {
        None
    } else if edit.is_written() {
        disk::make_folder(&folder)?;
        None
    } else {
        Some(disk::empty_folder()?)
    };
    session.open(stand_in.as_ref().map_or(folder.as_path(), |stand_in| stand_in.path()))?;
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
    // Other commands look for the nearest `.git` first.
    let outer = Checkout::find(&folder).ok().filter(|outer| {
        let root = session.checkout().ok().map(Checkout::root);
        stand_in.is_none() && Some(outer.root()) != root && disk::exists(&outer.root().join(".git"))
    });
    let notes = outer.map(|outer| {
        format!(
            "it lies in the repository `{}`, which other commands take from here: run `git init` in it, or name it with `--repo-dir`",
            outer.root().display()
        )
    });
    let outcome = Edit {
        changes: edit::init(session.repo()?, &request)?,
        message: "Set up the GitOps repository".to_owned(),
        notes: notes.into_iter().collect(),
        next: Some("add a Namespace with `kubectl homelab add-namespace NAME`".to_owned()),
        ..Edit::default()
    };
    session.finish(edit, &outcome, &RuleGate::default())
}
