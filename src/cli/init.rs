//! `kubectl homelab init`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::edit_args::EditArgs;
use super::session::Session;
use crate::disk::{self, Checkout};
use crate::edit::init::Request;
use crate::edit::{self, Edit, RuleGate};
use crate::failure::{Exit, HintExt};
use crate::git::WorkingTree;
use crate::masking::without_logins;
use crate::model::repo_url;
use crate::repo::{Repo, RepoPath};

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
/// In a copy of the shipped repository it replaces `OWNER` in every URL instead. In any other repository that has Applications it
/// adds what is missing, beside them, and says what it leaves alone.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The folder; the working directory by default
    dir: Option<PathBuf>,

    /// The URL under which Argo CD reads this repository; the remote `origin` by default
    #[arg(long, value_name = "URL")]
    repo_url: Option<String>,

    /// The branch or tag that Argo CD follows; that of the root Application, or `main` by default
    #[arg(long, value_name = "REV")]
    revision: Option<String>,

    /// The namespace that Argo CD runs in; that of the Applications, or `argocd` by default
    #[arg(long, value_name = "NAMESPACE")]
    argocd_namespace: Option<String>,

    /// The folder for the Application of the Namespaces; by default where the others are
    #[arg(long = "dir", value_name = "DIR")]
    applications_dir: Option<PathBuf>,

    /// Change nothing, describe the existing repository
    #[arg(long, conflicts_with_all = ["repo_url", "force"])]
    adopt: bool,

    /// Add a root Application to a repository whose Applications are applied by hand
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
    let setup = edit::init(session.repo()?, &args.request(session.repo()?, session.checkout()?)?)?;
    if setup.changes.changes.is_empty() {
        setup.notes.iter().for_each(|note| session.terminal.say(note));
    }
    let edit = Edit {
        changes: setup.changes,
        message: "Set up the GitOps repository".to_owned(),
        notes: outer.into_iter().chain(setup.notes).collect(),
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
        // As the root Application has them, Argo CD reads the repository already.
        let root = repo
            .root_application()
            .map(|(_, app)| app.sources())
            .unwrap_or_default();
        let root = root.iter().find(|source| repo.is_own(source.repo_url()));
        let of_root = || {
            root.map(|source| source.repo_url().to_owned())
                .filter(|url| is_filled(&url))
        };
        let repo_url = self.repo_url.clone().or_else(of_root).or_else(remote).or_else(learned);
        let revision = || root.and_then(|source| source.tree().get("targetRevision")?.as_str());
        let has_applications = repo.applications().next().is_some();
        let namespace = || has_applications.then(|| repo.controller_namespace().to_owned());
        let folder = self
            .applications_dir
            .as_deref()
            .map(|dir| RepoPath::new(&dir.to_string_lossy()));
        Ok(Request {
            repo_url: repo_url
                .context("the URL of this repository is not known")
                .hint("name it with `--repo-url URL`")?,
            revision: self
                .revision
                .clone()
                .unwrap_or_else(|| revision().unwrap_or("main").to_owned()),
            argocd_namespace: self
                .argocd_namespace
                .clone()
                .or_else(namespace)
                .unwrap_or_else(|| "argocd".to_owned()),
            force: self.force,
            folder: folder.transpose()?,
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
