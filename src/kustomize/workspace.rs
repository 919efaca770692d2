//! Where a folder is built: in the checkout where nothing has to be changed, else in a copy.
//!
//! A copy has only those folders as files that something is written to; everything else in it is a symbolic link into the
//! checkout. kustomize takes a folder by its real path, and each kustomization reads only what is in its own real folder, so
//! that both ways give the same objects.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};

use crate::disk::Checkout;
use crate::failure::HintExt;
use crate::render::KustomizeCall;
use crate::render::kustomize_call::Edit;
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
    pub(super) fn of(checkout: &Checkout, home: &Path, call: &KustomizeCall, runs_programs: bool) -> Result<Self> {
        let mut written = Vec::new();
        for one in &call.graph.kustomizations {
            let homes = one.charts.iter().filter_map(|chart| one.folder.join(&chart.home).ok());
            let fetches = !one.charts.is_empty() || one.remotes().next().is_some();
            written.extend(fetches.then(|| one.folder.clone()).into_iter().chain(homes));
        }
        // Another kustomization that leads to one of these has to lead into the copy.
        if !written.is_empty() {
            written.extend(call.graph.kustomizations.iter().map(|one| one.folder.clone()));
        }
        if !call.edits.is_empty() {
            written.push(call.folder.clone());
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
        let copy = Copy {
            from: checkout.root(),
            to: &root,
            written: &written,
        };
        copy.make(needed(call, runs_programs).as_deref())?;
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

/// Returns all that the build reads, below the root, where that is known: helm and programs of the repository read what they
/// like, and a change may name files by a pattern.
fn needed(call: &KustomizeCall, runs_programs: bool) -> Option<Vec<PathBuf>> {
    let names_files = |edit: &Edit| match edit {
        Edit::Command { parameter, .. } => *parameter == "components",
        Edit::Patches(patches) => patches.iter().any(|patch| patch.get("path").is_some()),
    };
    if runs_programs || call.graph.may_inflate_charts() || call.edits.iter().any(names_files) {
        return None;
    }
    Some(call.graph.reads.iter().map(|path| path.parts().collect()).collect())
}

/// Something in the checkout, below its root.
struct Entry {
    path: PathBuf,
    kind: fs::FileType,
}

struct Copy<'c> {
    from: &'c Path,
    to: &'c Path,
    /// The folders that something is written to, below the root.
    written: &'c [PathBuf],
}

impl Copy<'_> {
    /// Makes the copy; of what nothing is written to only what is needed, if that is known. Each link is a file to make and to
    /// remove, and a folder of Applications has as many as there are Applications.
    fn make(&self, needed: Option<&[PathBuf]>) -> Result<()> {
        let mut entries = Vec::new();
        self.list(Path::new(""), &mut entries)?;
        // A symbolic link may lead anywhere.
        let needed = needed.filter(|_| !entries.iter().any(|entry| entry.kind.is_symlink()));
        let is_needed = |path: &Path| {
            let leads = |read: &PathBuf| read.starts_with(path) || path.starts_with(read);
            needed.is_none_or(|needed| needed.iter().any(leads))
        };
        fs::create_dir_all(self.to).context("cannot make a temporary folder")?;
        for entry in &entries {
            if self.is_copied(entry) || is_needed(&entry.path) {
                self.put(entry)
                    .with_context(|| format!("cannot copy `{}`", entry.path.display()))?;
            }
        }
        Ok(())
    }

    /// Lists a folder, and those in it that are copied; a folder stands before what is in it.
    fn list(&self, folder: &Path, entries: &mut Vec<Entry>) -> Result<()> {
        let cannot_read = || format!("cannot list `{}`", folder.display());
        for entry in fs::read_dir(self.from.join(folder)).with_context(cannot_read)? {
            let entry = entry.with_context(cannot_read)?;
            if entry.file_name() == ".git" {
                continue;
            }
            if entries.len() == MOST_FILES {
                bail!("`{}` has too many files to be copied", folder.display());
            }
            let kind = entry.file_type().with_context(cannot_read)?;
            let path = folder.join(entry.file_name());
            entries.push(Entry { path, kind });
            let entry = &entries[entries.len() - 1];
            if kind.is_dir() && self.is_copied(entry) {
                let below = entry.path.clone();
                self.list(&below, entries)?;
            }
        }
        Ok(())
    }

    /// Reports whether something is in a folder that is written to, or leads to one.
    fn is_copied(&self, entry: &Entry) -> bool {
        let leads_there = |folder: &PathBuf| entry.kind.is_dir() && folder.starts_with(&entry.path);
        self.is_written(&entry.path) || self.written.iter().any(leads_there)
    }

    fn is_written(&self, path: &Path) -> bool {
        self.written.iter().any(|folder| path.starts_with(folder))
    }

    fn put(&self, entry: &Entry) -> Result<()> {
        let Entry { path, kind } = entry;
        let (from, to) = (self.from.join(path), self.to.join(path));
        if kind.is_symlink() {
            let name = path.file_name().and_then(OsStr::to_str);
            if self.is_written(path) && name.is_some_and(|name| NAMES.contains(&name)) {
                return kustomization(&from, &to);
            }
            let target = fs::read_link(&from)?;
            // What is written in the copy must not reach the checkout.
            let inside = target.strip_prefix(self.from).map(|inside| self.to.join(inside));
            return Ok(link(&inside.unwrap_or(target), &to)?);
        }
        if self.is_copied(entry) {
            if kind.is_dir() {
                return Ok(fs::create_dir(to)?);
            }
            if kind.is_file() {
                return Ok(fs::copy(from, to).map(drop)?);
            }
        }
        Ok(link(&from, &to)?)
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
