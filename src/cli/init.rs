//! `kubectl homelab init`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::session::{EditArgs, Session};
use crate::disk::{self, Checkout};
use crate::edit::init::Request;
use crate::edit::{self, Edit, RuleGate};
use crate::failure::{Exit, HintExt};
use crate::git::WorkingTree;
use crate::masking::without_logins;
use crate::model::repo_url;
use crate::repo::Repo;

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  # A new repository that Argo CD will read from this URL
  kubectl homelab init home --repo-url https://github.com/you/home

  # Describe a repository that you made by hand; nothing is changed
  kubectl homelab init --adopt";

/// Make a GitOps repository, or fill in the placeholder of the shipped one
///
/// Writes the root Application, which brings everything, the one that syncs the Namespaces, and Argo CD's own Namespace.
/// In a copy of the shipped repository it replaces `OWNER` in every URL instead.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
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

    /// Change nothing, describe the existing repository
    #[arg(long, conflicts_with_all = ["repo_url", "force"])]
    adopt: bool,

    /// Add what is missing to a repository that has Applications already
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    edit: EditArgs,
}

/// The steps that follow.
const FIRST_APPLICATION: &str =
    "add an Application with `kubectl homelab add-app NAME --repo URL --path DIR -n NAMESPACE --create-namespace`";
const PLUGIN: &str = "add the plugin to Argo CD with what `kubectl homelab cmp manifest -o kustomize` prints, push the \
                      repository, and apply its root Application";

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    let folder = args.dir.clone().unwrap_or_else(|| session.start().to_owned());
    let stand_in = args.stand_in(&folder)?;
    if !args.adopt {
        session.edit_folder(&args.edit.write, &folder)?;
    }
    session.open(stand_in.as_ref().map_or(folder.as_path(), AsRef::as_ref))?;
    if args.adopt {
        let lines = edit::init::adopt(session.repo()?);
        session
            .terminal
            .data(&format!("{}\n", without_logins(&lines.join("\n"))))?;
        session
            .terminal
            .hint("see what is dangerous in it with `kubectl homelab validate`");
        return Ok(Exit::Done);
    }
    let outer = if stand_in.is_none() {
        outer(&folder, session.checkout()?)
    } else {
        None
    };
    let edit = Edit {
        changes: edit::init(session.repo()?, &args.request(session.repo()?, session.checkout()?)?)?,
        message: "Set up the GitOps repository".to_owned(),
        notes: outer.into_iter().collect(),
        next: Some(FIRST_APPLICATION.to_owned()),
        ..Edit::default()
    };
    let exit = session.finish(&args.edit, &edit, &RuleGate::default())?;
    if args.edit.is_written() && exit == Exit::Done && !edit.changes.changes.is_empty() {
        session.terminal.hint(PLUGIN);
    }
    Ok(exit)
}

impl Args {
    /// Makes the folder; in a dry run returns an empty one in place of a folder that does not exist.
    fn stand_in(&self, folder: &Path) -> Result<Option<impl AsRef<Path> + use<>>> {
        if self.adopt || disk::exists(folder) {
            return Ok(None);
        }
        if self.edit.is_written() {
            disk::make_folder(folder)?;
            return Ok(None);
        }
        disk::empty_folder().map(Some)
    }

    fn request(&self, repo: &Repo, checkout: &Checkout) -> Result<Request> {
        // A clone may have a login in its remote, which Argo CD gets elsewhere.
        let remote = || Some(without_logins(WorkingTree::at(checkout.root())?.remotes().first()?));
        let is_filled = |url: &&String| repo_url::placeholder(url).is_none();
        let learned = || repo.own_urls.iter().find(is_filled).cloned();
        let repo_url = self.repo_url.clone().or_else(remote).or_else(learned);
        Ok(Request {
            repo_url: repo_url
                .context("the URL of this repository is not known")
                .hint("name it with `--repo-url URL`")?,
            revision: self.revision.clone(),
            argocd_namespace: self.argocd_namespace.clone(),
            force: self.force,
        })
    }
}

/// Returns a remark where the folder is inside of another repository: other commands look for the nearest `.git` first.
fn outer(folder: &Path, checkout: &Checkout) -> Option<String> {
    let outer = Checkout::find(folder).ok()?;
    let is_another = outer.root() != checkout.root() && disk::exists(&outer.root().join(".git"));
    is_another.then(|| {
        format!(
            "it is in the repository `{}`, which other commands take from here: run `git init` in it, or name it with `--repo-dir`",
            outer.root().display()
        )
    })
}
