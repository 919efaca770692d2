//! What is checked out in a working tree, asked with one call of git.

use anyhow::Result;

use super::{WorkingTree, git};

/// The state of a working tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The commit that is checked out, in full.
    pub commit: String,
    /// The branch, if one is checked out.
    pub branch: Option<String>,
    /// Set when files differ from that commit.
    pub dirty: bool,
}

impl WorkingTree {
    /// Returns the commit that is checked out, in full.
    ///
    /// # Errors
    /// When git fails, as in a tree without a commit.
    pub fn head(&self) -> Result<String> {
        Ok(git(&self.root, &["rev-parse", "HEAD"])?.trim().to_owned())
    }

    /// Returns its state.
    ///
    /// # Errors
    /// When git fails, as in a tree without a commit.
    pub fn state(&self) -> Result<State> {
        let arguments = ["status", "--porcelain=v2", "--branch", "--untracked-files=normal"];
        let listed = git(&self.root, &arguments)?;
        let header = |name: &str| {
            listed
                .lines()
                .find_map(|line| line.strip_prefix("# ")?.strip_prefix(name))
        };
        let commit = match header("branch.oid ").filter(|commit| *commit != "(initial)") {
            Some(commit) => commit.to_owned(),
            // It says why there is none.
            None => self.head()?,
        };
        let branch = header("branch.head ").filter(|name| *name != "(detached)");
        Ok(State {
            commit,
            branch: branch.map(str::to_owned),
            dirty: listed.lines().any(|line| !line.starts_with("# ")),
        })
    }
}
