//! Reads below a root: symbolic links are followed inside it, and refused where they lead out.
#![expect(clippy::disallowed_methods, reason = "the adapter to the file system")]

use std::fs::{self, FileType};
use std::io::ErrorKind;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail};

use super::Checkout;
use crate::failure::HintExt;
use crate::repo::RepoPath;
use crate::repo::files::{self, Entry, Files, NotPlain};

impl Checkout {
    /// Returns the path with symbolic links resolved, `None` when it does not exist.
    ///
    /// # Errors
    /// When it leads out of the root, or a link leads nowhere.
    pub(super) fn resolve(&self, path: &RepoPath) -> Result<Option<PathBuf>> {
        let absolute = self.absolute(path);
        match fs::canonicalize(&absolute) {
            Ok(real) if real.starts_with(&self.root) => Ok(Some(real)),
            Ok(_) => bail!("`{path}` is a symbolic link that leads out of the repository"),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                if fs::symlink_metadata(&absolute).is_ok() {
                    bail!("`{path}` is a symbolic link that leads nowhere");
                }
                Ok(None)
            }
            Err(error) if is_circle(&error) => {
                let start: Vec<&str> = path.parts().take(5).collect();
                bail!("symbolic links lead in a circle at `{}/…`", start.join("/"))
            }
            Err(error) => Err(error).with_context(|| format!("cannot open `{path}`")),
        }
    }
}

impl Files for Checkout {
    fn read(&self, path: &RepoPath) -> Result<Option<Vec<u8>>> {
        let Some(real) = self.resolve(path)? else {
            return Ok(None);
        };
        let cannot_read = || format!("cannot read `{path}`");
        let kind = fs::metadata(&real).with_context(cannot_read)?.file_type();
        if !kind.is_file() && !kind.is_dir() {
            let what = name_of(kind);
            let error = anyhow::Error::new(NotPlain {
                path: path.clone(),
                what,
            });
            return Err(error.hint("remove it, or put a plain file in its place"));
        }
        fs::read(real).map(Some).with_context(cannot_read)
    }

    fn list(&self, folder: &RepoPath) -> Result<Option<Vec<Entry>>> {
        let Some(real) = self.resolve(folder)?.filter(|real| real.is_dir()) else {
            return Ok(None);
        };
        let mut entries = Vec::new();
        for entry in fs::read_dir(&real).with_context(|| format!("cannot list `{folder}`"))? {
            let entry = entry.with_context(|| format!("cannot list `{folder}`"))?;
            let name = entry.file_name().into_string().map_err(|name| {
                anyhow!("the name `{}` in `{folder}` is not UTF-8", name.to_string_lossy()).hint("rename the file")
            })?;
            let kind = entry.file_type().with_context(|| format!("cannot list `{folder}`"))?;
            let is_link = kind.is_symlink();
            let is_folder = if is_link {
                fs::metadata(entry.path()).is_ok_and(|metadata| metadata.is_dir())
            } else {
                kind.is_dir()
            };
            entries.push(Entry {
                name,
                is_folder,
                is_link,
            });
        }
        entries.sort();
        Ok(Some(entries))
    }

    fn link(&self, path: &RepoPath) -> Result<Option<RepoPath>> {
        if self.resolve(&path.parent())?.is_none() {
            return Ok(None);
        }
        // What is not a symbolic link, or does not exist, is an error to the system.
        let Ok(target) = fs::read_link(self.absolute(path)) else {
            return Ok(None);
        };
        let below = match target.is_absolute() {
            true => target
                .strip_prefix(&self.root)
                .ok()
                .map(|below| (RepoPath::root(), below)),
            false => Some((path.parent(), target.as_path())),
        };
        let target = below.and_then(|(from, below)| {
            let below = below.to_str()?.replace(std::path::MAIN_SEPARATOR, "/");
            from.join(&below).ok()
        });
        match target {
            Some(target) => Ok(Some(target)),
            None => bail!("`{path}` is a symbolic link that leads out of the repository"),
        }
    }

    fn all(&self) -> Result<Vec<RepoPath>> {
        match &self.files {
            Some(files) => Ok(files.to_vec()),
            None => files::walk(self),
        }
    }
}

/// Returns what a file is that is neither plain nor a folder.
#[cfg(unix)]
fn name_of(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    match (kind.is_fifo(), kind.is_socket()) {
        (true, _) => "a FIFO",
        (_, true) => "a socket",
        _ => "a device",
    }
}

#[cfg(not(unix))]
fn name_of(_: FileType) -> &'static str {
    "a device"
}

/// Reports whether the system gave up on following symbolic links.
#[cfg(unix)]
fn is_circle(error: &std::io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

#[cfg(not(unix))]
fn is_circle(_: &std::io::Error) -> bool {
    false
}
