//! The repository at a revision, or in another folder, to be rendered as the working tree is.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};

use super::{Opened, Options, SourceDirs, complete};
use crate::disk::Checkout;
use crate::failure::HintExt;
use crate::git::{Export, WorkingTree};
use crate::model::Settings;
use crate::repo::Repo;

/// The repository at a revision, or in another folder. The files of a revision are in a folder of their own, which goes at the
/// end of this value.
#[derive(Debug)]
pub struct Snapshot {
    /// The files of a revision, where it is one.
    export: Option<Export>,
    /// The commit, in full, where that is known.
    commit: Option<String>,
    checkout: Checkout,
    repo: Repo,
    /// The root of the working tree, beside which the checkouts of other sources are.
    home: PathBuf,
}

impl Snapshot {
    /// Reads the repository of a checkout at a revision, as git understands it: a branch, a tag, a commit, `main~1`. The
    /// working tree, the index and the settings stay as they are. `settings` are what the repository says about itself, and
    /// `parents` how charts of Applications are rendered.
    ///
    /// # Errors
    /// When the checkout is no working tree of git, or git knows no such revision or lacks a part of it.
    pub fn of(
        checkout: &Checkout,
        revision: &str,
        settings: Settings,
        parents: (&SourceDirs, &Options),
    ) -> Result<Self> {
        let tree = WorkingTree::at(checkout.root()).ok_or_else(|| {
            anyhow!(
                "`{}` is not a git working tree: there is no revision to read",
                checkout.root().display()
            )
            .hint("change into the working tree, or name its top with `--repo-dir`")
        })?;
        let export = tree.export(revision)?;
        let files = Checkout::open(&export.root())?;
        let mut repo = Repo::read_with(&files, &tree.remotes(), settings)?;
        complete(&mut repo, &files, parents, &mut |_| {})?;
        Ok(Self {
            repo,
            checkout: files,
            home: checkout.root().to_owned(),
            commit: Some(export.commit.clone()),
            export: Some(export),
        })
    }

    /// Reads the repository in another folder, whose sources are found as for a checkout. `urls` mean the repository besides those of
    /// the folder's own remotes.
    ///
    /// # Errors
    /// When it is no folder, or it cannot be read.
    pub fn in_folder(
        folder: &Path,
        (checkout, urls): (&Checkout, &[String]),
        settings: Settings,
        parents: (&SourceDirs, &Options),
    ) -> Result<Self> {
        let opened = Opened::of(Checkout::open(folder)?);
        if let Some(error) = opened.unlisted {
            return Err(error.context(format!("the files of `{}` cannot be listed", folder.display())));
        }
        let all: Vec<String> = opened.remotes.into_iter().chain(urls.iter().cloned()).collect();
        let files = opened.checkout;
        let mut repo = Repo::read_with(&files, &all, settings)?;
        complete(&mut repo, &files, parents, &mut |_| {})?;
        Ok(Self {
            export: None,
            commit: WorkingTree::at(files.root()).and_then(|tree| tree.head().ok()),
            home: checkout.root().to_owned(),
            checkout: files,
            repo,
        })
    }

    /// Returns the repository.
    pub fn repo(&self) -> &Repo {
        &self.repo
    }

    /// Returns its files.
    pub fn checkout(&self) -> &Checkout {
        &self.checkout
    }

    /// Returns the commit, in full; a folder may be at none.
    pub fn commit(&self) -> Option<&str> {
        self.commit.as_deref()
    }

    /// Returns the submodules whose files are not available locally, by their paths.
    pub fn missing_submodules(&self) -> &[String] {
        self.export.as_ref().map_or(&[], |export| &export.missing)
    }

    /// Returns the root of the working tree.
    pub(super) fn home(&self) -> &Path {
        &self.home
    }
}
