//! Finds git's folder of a working tree from its files alone: git may be missing, or refuse a folder of another user.
//!
//! Source: <https://git-scm.com/docs/gitrepository-layout>.
#![expect(clippy::disallowed_methods, reason = "the adapter to the file system")]

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use crate::failure::HintExt;

/// The name of git's folder, or of the file that says where it is.
pub(super) const NAME: &str = ".git";

/// Returns git's folder of the working tree that a folder is in: that of a linked worktree or a submodule is its own.
/// `None` without git, and where the folder is out of reach.
pub(super) fn of(folder: &Path) -> Option<PathBuf> {
    let top = folder.ancestors().find(|folder| folder.join(NAME).exists())?;
    let git = top.join(NAME);
    if git.is_dir() {
        return Some(git);
    }
    if !git.is_file() {
        return None;
    }
    let text = fs::read_to_string(git).ok()?;
    let named = text.strip_prefix("gitdir:")?.trim();
    Some(top.join(named)).filter(|folder| folder.is_dir())
}

/// Returns the folder of git's own that a folder is or is in, when no working tree is nearer; one named `.git` is in its
/// working tree.
pub(super) fn around(folder: &Path) -> Option<PathBuf> {
    folder
        .ancestors()
        .take_while(|folder| !folder.join(NAME).exists())
        .find(|folder| is_one(folder))
        .map(Path::to_owned)
}

/// Returns the error of a folder that has no working tree.
pub(super) fn no_working_tree(folder: &Path) -> anyhow::Error {
    anyhow!(
        "`{}` is git's own folder of a repository, which has no working tree here",
        folder.display()
    )
    .hint("change into a working tree, or make one with `git worktree add DIR`")
}

/// Reports whether a folder is git's own: of a repository, or of a linked worktree.
fn is_one(folder: &Path) -> bool {
    let has = |names: &[&str]| names.iter().all(|name| folder.join(name).exists());
    folder.file_name().is_none_or(|name| name != NAME)
        && (has(&["HEAD", "objects", "refs"]) || has(&["HEAD", "commondir", "gitdir"]))
}
