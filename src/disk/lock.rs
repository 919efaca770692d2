//! Lets the commands that edit one working tree take turns.
//!
//! The lock is the system's, on a file: it is free as soon as its process is gone, whatever ended it. The file is in git's
//! folder of the working tree. A linked worktree and a submodule have one of their own, so that commands in two working
//! trees do not wait for each other. Without git it is beside the files. It goes with the lock.
#![expect(clippy::disallowed_methods, reason = "the adapter to the file system")]

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};

use super::git_folder;
use crate::failure::HintExt;
use crate::time::{self, Deadline};

/// Environment variable: the time to wait for another command, as `2m`; `0` is without end.
pub const LOCK_TIMEOUT_VARIABLE: &str = "HOMELAB_LOCK_TIMEOUT";
/// The time to wait without that variable.
const TIMEOUT: Duration = Duration::from_secs(120);
/// The interval at which the lock is tried.
const INTERVAL: Duration = Duration::from_millis(20);
/// The name of the file.
const FILE: &str = ".kubectl-homelab.lock";

/// The right to edit the files of a working tree; it ends with this value.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Waits for the right to edit the files below a folder; `waits` is called again and again meanwhile.
    ///
    /// # Errors
    /// When another command keeps it for longer than the deadline, the folder is in git's own, or the system refuses.
    pub fn take(root: &Path, waits: &mut dyn FnMut()) -> Result<Self> {
        if let Some(folder) = git_folder::around(root) {
            return Err(git_folder::no_working_tree(&folder));
        }
        let path = git_folder::of(root).unwrap_or_else(|| root.to_owned()).join(FILE);
        Self::at(path, waits)
            .with_context(|| format!("cannot edit the repository `{}`; no files were changed", root.display()))
    }

    /// Waits for the right to fill a folder of the cache, which need not be there.
    ///
    /// # Errors
    /// Those of [`Lock::take`].
    pub fn of_cached(folder: &Path) -> Result<Self> {
        let mut name = folder.as_os_str().to_owned();
        name.push(".lock");
        Self::at(name.into(), &mut || {})
    }

    fn at(path: PathBuf, waits: &mut dyn FnMut()) -> Result<Self> {
        let deadline = Deadline::after(timeout()?);
        let refused = || format!("cannot lock the file `{}`", path.display());
        loop {
            let file = open(&path).with_context(refused)?;
            match file.try_lock() {
                Ok(()) if is_at(&file, &path) => return Ok(Self { file, path }),
                // The one before has removed it.
                Ok(()) => continue,
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(error).with_context(refused),
            }
            if deadline.is_over() {
                return Err(busy(deadline));
            }
            waits();
            std::thread::sleep(deadline.left(INTERVAL));
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Who waits for it tries again when it is gone.
        if cfg!(unix) && is_at(&self.file, &self.path) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn timeout() -> Result<Duration> {
    match std::env::var(LOCK_TIMEOUT_VARIABLE) {
        Ok(text) => time::parse_duration(&text).with_context(|| format!("`{LOCK_TIMEOUT_VARIABLE}`")),
        Err(_) => Ok(TIMEOUT),
    }
}

fn busy(deadline: Deadline) -> anyhow::Error {
    anyhow!(
        "another command is at work there, and has not ended within {} s",
        deadline.timeout().as_secs_f64()
    )
    .hint(format!(
        "wait until it has ended, or end it; `{LOCK_TIMEOUT_VARIABLE}` sets how long to wait"
    ))
}

fn open(path: &Path) -> Result<File> {
    if fs::symlink_metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        bail!("it is not a plain file");
    }
    let opened = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path);
    match opened {
        // Another user's, which can be locked nevertheless.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => File::open(path).map_err(|_| error.into()),
        opened => Ok(opened?),
    }
}

/// Reports whether a file still has this path.
#[cfg(unix)]
pub(super) fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |metadata: &fs::Metadata| (metadata.dev(), metadata.ino());
    matches!((file.metadata(), fs::symlink_metadata(path)), (Ok(one), Ok(other)) if id(&one) == id(&other))
}

/// Reports that a file still has its path: it is not removed here.
#[cfg(not(unix))]
pub(super) fn is_at(_: &File, _: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn one_at_a_time_has_the_lock_and_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let inside = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..10 {
                        let lock = Lock::take(folder.path(), &mut || {}).unwrap();
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        inside.fetch_sub(1, Ordering::SeqCst);
                        drop(lock);
                    }
                });
            }
        });
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn two_working_trees_do_not_wait_for_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("main/.git/worktrees/linked")).unwrap();
        fs::create_dir_all(at("main/sub")).unwrap();
        fs::create_dir(at("linked")).unwrap();
        fs::write(at("linked/.git"), "gitdir: ../main/.git/worktrees/linked\n").unwrap();
        let main = Lock::take(&at("main"), &mut || {}).unwrap();
        let linked = Lock::take(&at("linked"), &mut || {}).unwrap();
        assert!(main.path.ends_with(Path::new("main/.git").join(FILE)));
        assert!(linked.path.ends_with(Path::new(".git/worktrees/linked").join(FILE)));
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            // A folder in a working tree has the lock of that tree.
            scope.spawn(move || Lock::take(&at("main/sub"), &mut || sender.send(()).unwrap()));
            receiver.recv().unwrap();
            drop(main);
        });
    }

    #[test]
    fn a_file_that_a_killed_command_left_is_no_lock() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "").unwrap();
        drop(Lock::take(folder.path(), &mut || {}).unwrap());
        assert!(!folder.path().join(FILE).exists());
    }

    #[test]
    fn a_bare_repository_has_no_files_to_edit() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("HEAD"), "ref: refs/heads/main\n").unwrap();
        for name in ["objects", "refs", "hooks"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        for inside in ["", "hooks"] {
            let error = Lock::take(&folder.path().join(inside), &mut || {}).unwrap_err();
            assert!(error.to_string().contains("has no working tree"), "{error:#}");
        }
    }
}
