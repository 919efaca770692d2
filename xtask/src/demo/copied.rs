//! Copies of folders as they are on disk, without what git ignores.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use homelab::git::WorkingTree;

/// Copies a folder as it is: links stay links, and files that git ignores are left out.
pub(super) fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    for file in files(from)? {
        let (source, target) = (from.join(&file), to.join(&file));
        // Deleted, but not committed.
        let Ok(metadata) = fs::symlink_metadata(&source) else {
            continue;
        };
        fs::create_dir_all(target.parent().unwrap_or(to))?;
        if metadata.is_symlink() {
            symlink(fs::read_link(&source)?, &target)
        } else if metadata.is_dir() {
            // A submodule.
            copy_tree(&source, &target)?;
            Ok(())
        } else {
            fs::copy(&source, &target).map(drop)
        }
        .with_context(|| format!("cannot copy {}", source.display()))?;
    }
    Ok(())
}

/// Returns the files of a folder, relative to it: those that git tracks or does not ignore, or all without git.
pub(super) fn files(folder: &Path) -> Result<BTreeSet<PathBuf>> {
    if WorkingTree::at(folder).is_none() {
        return all_files(folder);
    }
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .context("cannot run git")?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        bail!("git ls-files failed in {}: {}", folder.display(), message.trim());
    }
    let names = output.stdout.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    Ok(names.map(|name| PathBuf::from(OsStr::from_bytes(name))).collect())
}

fn all_files(folder: &Path) -> Result<BTreeSet<PathBuf>> {
    let mut files = BTreeSet::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        let name = PathBuf::from(entry.file_name());
        if entry.file_type()?.is_dir() {
            files.extend(all_files(&entry.path())?.iter().map(|file| name.join(file)));
        } else {
            files.insert(name);
        }
    }
    Ok(files)
}
