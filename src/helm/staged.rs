//! Copies a chart for helm to fill: the checkout stays as it is, and two renders of one chart do not meet.
//!
//! Everything is read through the checkout, so that no link and no `file://` dependency brings in what is outside it.
#![expect(clippy::disallowed_methods, reason = "the adapter to helm")]

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::repo::{Files, RepoPath};

/// The maximum number of files, more than any chart has; circular links produce more.
const MOST_FILES: usize = 100_000;

/// A folder that replaces the checkout and has copies of some of its folders.
pub(super) struct Staged<'f> {
    files: &'f dyn Files,
    root: PathBuf,
    left: usize,
}

impl<'f> Staged<'f> {
    pub(super) fn new(files: &'f dyn Files, root: PathBuf) -> Self {
        Self {
            files,
            root,
            left: MOST_FILES,
        }
    }

    pub(super) fn path(&self, path: &RepoPath) -> PathBuf {
        path.parts().fold(self.root.clone(), |folder, part| folder.join(part))
    }

    /// Copies a folder with everything below it, except for Git's own; what was copied goes into the digest.
    pub(super) fn copy(&mut self, folder: &RepoPath, digest: &mut Sha256) -> Result<()> {
        let Some(entries) = self.files.list(folder)? else {
            bail!("the folder `{folder}` does not exist");
        };
        std::fs::create_dir_all(self.path(folder)).context("cannot make a temporary folder")?;
        for entry in entries.iter().filter(|entry| entry.name != ".git") {
            let path = folder.join(&entry.name)?;
            self.left = self.left.checked_sub(1).with_context(|| {
                format!("`{folder}` has too many files: a symbolic link may lead back to its own folder")
            })?;
            if entry.is_folder {
                self.copy(&path, digest)?;
            } else if let Some(bytes) = self.files.read(&path)? {
                for part in [path.as_str().as_bytes(), &bytes] {
                    digest.update(part.len().to_le_bytes());
                    digest.update(part);
                }
                std::fs::write(self.path(&path), bytes).context("cannot write a temporary file")?;
            }
        }
        Ok(())
    }
}

/// Removes the packed charts in `charts/`, all of which helm would replace or remove.
pub(super) fn remove_packed(charts: &Path) -> Result<()> {
    for packed in packed(charts)? {
        std::fs::remove_file(packed).context("cannot remove a temporary file")?;
    }
    Ok(())
}

/// Returns the packed charts in a folder, in the order of their names.
pub(super) fn packed(charts: &Path) -> Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(charts) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).context("cannot list a temporary folder"),
    };
    let mut packed = Vec::new();
    for entry in entries {
        let path = entry.context("cannot list a temporary folder")?.path();
        if path.extension().is_some_and(|ending| ending == "tgz") && path.is_file() {
            packed.push(path);
        }
    }
    packed.sort();
    Ok(packed)
}
