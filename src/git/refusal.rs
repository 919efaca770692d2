//! Repositories that git refuses to read, since they belong to another user, and what can be known of them nevertheless.
#![expect(clippy::disallowed_methods, reason = "the adapter to git")]

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use super::git;

/// Git refuses to read a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Git's own sentence.
    pub message: String,
    /// The command that git names as the way out.
    pub cure: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refused {}

impl Refused {
    /// Reads what git printed; `None` where it failed for another reason
    /// ([source](https://git-scm.com/docs/git-config#Documentation/git-config.txt-safedirectory)).
    pub(super) fn of(stderr: &str, reason: &str) -> Option<Self> {
        let mut lines = stderr.lines().map(str::trim);
        let cure = lines.find(|line| line.starts_with("git config") && line.contains("safe.directory"))?;
        Some(Self {
            message: reason.to_owned(),
            cure: cure.to_owned(),
        })
    }

    /// Returns the next step.
    pub fn hint(&self) -> String {
        format!("run `{}` if you trust what is in it", self.cure)
    }
}

/// Returns the values of a setting in the configuration of a working tree, read as a file: git does not need the repository
/// for that.
pub(super) fn settings(root: &Path, pattern: &str) -> Option<String> {
    let file = common_folder(root)?.join("config");
    git(root, &["config", "--file", file.to_str()?, "--get-regexp", pattern]).ok()
}

/// Returns the folder of git that all working trees of a repository share.
fn common_folder(root: &Path) -> Option<PathBuf> {
    let git = root.join(".git");
    if git.is_dir() {
        return Some(git);
    }
    let text = fs::read_to_string(&git).ok()?;
    let own = root.join(text.strip_prefix("gitdir:")?.trim());
    let common = fs::read_to_string(own.join("commondir")).ok();
    Some(common.map_or_else(|| own.clone(), |common| own.join(common.trim())))
}
