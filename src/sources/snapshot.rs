//! The repository at a revision, to be rendered as the working tree is.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};

use super::{Options, SourceDirs, complete};
use crate::disk::Checkout;
use crate::failure::HintExt;
use crate::git::{Export, WorkingTree};
use crate::model::Settings;
use crate::repo::Repo;

/// The repository at a revision. Its files are in a folder of their own, which goes at the end of this value.
#[derive(Debug)]
pub struct Snapshot {
    export: Export,
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
            export,
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

    /// Returns the commit, in full.
    pub fn commit(&self) -> &str {
        &self.export.commit
    }

    /// Returns the submodules whose files are not available locally, by their paths.
    pub fn missing_submodules(&self) -> &[String] {
        &self.export.missing
    }

    /// Returns the root of the working tree.
    pub(super) fn home(&self) -> &Path {
        &self.home
    }
}
