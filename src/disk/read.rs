//! Reads below a root: symbolic links are followed inside it, and refused where they lead out.
#![expect(clippy::disallowed_methods, reason = "the adapter to the file system")]

use std::fs::{self, File, FileType};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};

use super::Checkout;
use crate::failure::HintExt;
use crate::repo::RepoPath;
use crate::repo::files::{self, Entry, Files, NotPlain};
use crate::repo::listed::{Folder, Kind, Listed};

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
        match direct(&self.absolute(path), Access::Content) {
            Some(Direct::Missing) => return Ok(None),
            // What reading finds wrong is said below.
            Some(Direct::There(file)) => {
                if let Some(bytes) = content(&file) {
                    return Ok(Some(bytes));
                }
            }
            None => {}
        }
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
        let absolute = self.absolute(folder);
        let real = match direct(&absolute, Access::Folder) {
            Some(Direct::There(_)) => Some(absolute),
            Some(Direct::Missing) => None,
            None => self.resolve(folder)?.filter(|real| real.is_dir()),
        };
        let Some(real) = real else {
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

    fn listed(&self, folder: &RepoPath) -> Result<Option<Vec<Entry>>> {
        let Some(files) = &self.files else {
            return self.list(folder);
        };
        let entries = match files.folder(folder) {
            Folder::Unknown => return self.list(folder),
            Folder::Nothing => return Ok(None),
            Folder::Holds(entries) => entries,
        };
        let entry = |(name, kind): (&str, Kind)| {
            let is_link = kind == Kind::Link;
            let leads_to_folder = || fs::metadata(self.absolute(folder).join(name)).is_ok_and(|found| found.is_dir());
            Entry {
                name: name.to_owned(),
                is_folder: kind == Kind::Folder || is_link && leads_to_folder(),
                is_link,
            }
        };
        Ok(Some(entries.into_iter().map(entry).collect()))
    }

    fn is_ignored(&self, path: &RepoPath) -> bool {
        let is_left_out = |files: &Arc<Listed>| !files.has(path) && files.folder(path) == Folder::Nothing;
        self.files.as_ref().is_some_and(is_left_out)
    }

    fn link(&self, path: &RepoPath) -> Result<Option<RepoPath>> {
        if direct(&self.absolute(path), Access::Place).is_some() {
            return Ok(None);
        }
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
            Some(files) => Ok(files.paths().to_vec()),
            None => files::walk(self),
        }
    }
}

/// What is at a path to which no symbolic link leads.
enum Direct {
    There(File),
    Missing,
}

/// The purpose of opening.
#[derive(Clone, Copy)]
enum Access {
    Content,
    Folder,
    Place,
}

/// Opens what is at a path, in one call to the system; `None` where a symbolic link may lead there, or the system does not
/// know: then each step is followed and checked.
#[cfg(target_os = "linux")]
fn direct(path: &Path, access: Access) -> Option<Direct> {
    use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
    use rustix::io::Errno;
    let flags = match access {
        // A FIFO must not wait for somebody who writes to it.
        Access::Content => OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY,
        Access::Folder => OFlags::PATH | OFlags::DIRECTORY,
        Access::Place => OFlags::PATH,
    };
    match openat2(
        CWD,
        path,
        flags | OFlags::CLOEXEC,
        Mode::empty(),
        ResolveFlags::NO_SYMLINKS,
    ) {
        Ok(file) => Some(Direct::There(File::from(file))),
        Err(Errno::NOENT | Errno::NOTDIR) => Some(Direct::Missing),
        Err(_) => None,
    }
}

#[cfg(not(target_os = "linux"))]
fn direct(_: &Path, _: Access) -> Option<Direct> {
    None
}

/// Returns the content of a plain file.
fn content(file: &File) -> Option<Vec<u8>> {
    let metadata = file.metadata().ok().filter(fs::Metadata::is_file)?;
    let length = usize::try_from(metadata.len()).ok()?;
    // With the room for one byte more, the end is found without making more room.
    let mut bytes = Vec::with_capacity(length.checked_add(1)?);
    file.take(u64::MAX).read_to_end(&mut bytes).ok()?;
    Some(bytes)
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
