//! Where a folder is built: in the checkout where nothing has to be changed, else in a copy.
//!
//! A copy has only those folders as files that something is written to; everything else in it is a symbolic link into the
//! checkout. kustomize takes a folder by its real path, and each kustomization reads only what is in its own real folder, so
//! that both ways give the same objects.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};

use crate::disk::Checkout;
use crate::failure::HintExt;
use crate::render::KustomizeCall;
use crate::repo::RepoPath;
use crate::repo::kustomization::NAMES;

/// The maximum number of files that are copied.
const MOST_FILES: usize = 100_000;

/// The folders on disk.
#[derive(Debug)]
pub(super) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// Makes a copy of the folders that something is written to, if there are any: that of the source where its kustomization is
    /// edited, and those to which charts and remote resources are fetched.
    ///
    /// # Errors
    /// When a folder cannot be read, or there is no room.
    pub(super) fn of(checkout: &Checkout, home: &Path, call: &KustomizeCall) -> Result<Self> {
        let mut written = Vec::new();
        if !call.edits.is_empty() {
            written.push(call.folder.clone());
        }
        for one in &call.graph.kustomizations {
            let homes = one.charts.iter().filter_map(|chart| one.folder.join(&chart.home).ok());
            let fetches = !one.charts.is_empty() || one.remotes().next().is_some();
            written.extend(fetches.then(|| one.folder.clone()).into_iter().chain(homes));
        }
        // Another kustomization that leads to one of these has to lead into the copy.
        if !written.is_empty() {
            written.extend(call.graph.kustomizations.iter().map(|one| one.folder.clone()));
        }
        if written.is_empty() {
            return Ok(Self {
                root: checkout.root().to_owned(),
            });
        }
        let written = written
            .iter()
            .map(|folder| real(checkout, folder))
            .collect::<Result<Vec<_>>>()?;
        let root = home.join("checkout");
        let mut copy = Copy {
            from: checkout.root(),
            to: &root,
            written: &written,
            left: MOST_FILES,
        };
        copy.folder(Path::new(""))?;
        Ok(Self { root })
    }

    /// Returns the root of the repository.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Returns a folder of the repository on disk, without symbolic links.
    ///
    /// # Errors
    /// When it is not in the copy.
    pub(super) fn real(&self, folder: &RepoPath) -> Result<PathBuf> {
        let root = fs::canonicalize(&self.root).context("cannot open a temporary folder")?;
        let real = fs::canonicalize(self.path(folder)).with_context(|| format!("cannot open `{folder}`"))?;
        match real.starts_with(root) {
            true => Ok(real),
            false => bail!("`{folder}` is a symbolic link that leads out of the repository"),
        }
    }

    /// Returns a path of the repository on disk.
    pub(super) fn path(&self, path: &RepoPath) -> PathBuf {
        path.parts().fold(self.root.clone(), |folder, part| folder.join(part))
    }
}

/// Returns the path of a folder below the root without symbolic links; what does not exist is taken as it is named.
fn real(checkout: &Checkout, folder: &RepoPath) -> Result<PathBuf> {
    let absolute = checkout.absolute(folder);
    let real = fs::canonicalize(&absolute).unwrap_or(absolute);
    match real.strip_prefix(checkout.root()) {
        Ok(below) => Ok(below.to_owned()),
        Err(_) => bail!("`{folder}` is a symbolic link that leads out of the repository"),
    }
}

struct Copy<'c> {
    from: &'c Path,
    to: &'c Path,
    /// The folders that something is written to, below the root.
    written: &'c [PathBuf],
    left: usize,
}

impl Copy<'_> {
    fn folder(&mut self, folder: &Path) -> Result<()> {
        let from = self.from.join(folder);
        let cannot_read = || format!("cannot list `{}`", folder.display());
        fs::create_dir_all(self.to.join(folder)).context("cannot make a temporary folder")?;
        for entry in fs::read_dir(&from).with_context(cannot_read)? {
            let entry = entry.with_context(cannot_read)?;
            if entry.file_name() == ".git" {
                continue;
            }
            self.left = self
                .left
                .checked_sub(1)
                .with_context(|| format!("`{}` has too many files to be copied", folder.display()))?;
            self.entry(&entry, &folder.join(entry.file_name()))?;
        }
        Ok(())
    }

    fn entry(&mut self, entry: &fs::DirEntry, path: &Path) -> Result<()> {
        let cannot_copy = || format!("cannot copy `{}`", path.display());
        let kind = entry.file_type().with_context(cannot_copy)?;
        let (from, to) = (self.from.join(path), self.to.join(path));
        let is_written = self.written.iter().any(|folder| path.starts_with(folder));
        let leads_there = self.written.iter().any(|folder| folder.starts_with(path));
        if kind.is_symlink() {
            if is_written && entry.file_name().to_str().is_some_and(|name| NAMES.contains(&name)) {
                return kustomization(&from, &to).with_context(cannot_copy);
            }
            let target = fs::read_link(&from).with_context(cannot_copy)?;
            // What is written in the copy must not reach the checkout.
            let inside = target.strip_prefix(self.from).map(|inside| self.to.join(inside));
            return link(&inside.unwrap_or(target), &to).with_context(cannot_copy);
        }
        if kind.is_dir() && (is_written || leads_there) {
            return self.folder(path);
        }
        if kind.is_file() && is_written {
            return fs::copy(from, to).map(drop).with_context(cannot_copy);
        }
        link(&from, &to).with_context(cannot_copy)
    }
}

/// Copies the file that a link to a kustomization leads to: the copy is written, and the file stays as it is.
fn kustomization(from: &Path, to: &Path) -> Result<()> {
    let real = fs::canonicalize(from).context("the symbolic link leads nowhere")?;
    if from.parent().is_none_or(|folder| !real.starts_with(folder)) {
        return Err(
            anyhow!("it is a symbolic link that leads out of its folder, which kustomize refuses")
                .hint("put the file itself there"),
        );
    }
    fs::copy(real, to).map(drop).context("cannot write a temporary file")
}

#[cfg(unix)]
fn link(target: &Path, link: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(not(unix))]
fn link(target: &Path, link: &Path) -> std::io::Result<()> {
    let target = link.parent().unwrap_or(link).join(target);
    match target.is_dir() {
        true => std::os::windows::fs::symlink_dir(target, link),
        false => fs::copy(target, link).map(drop),
    }
}
