//! At most so many helms at a time over all processes of the plugin. Argo CD's own limit does not count plugins: after a
//! restart of the repo-server every Application renders at once.
//!
//! A slot is a lock on a file. The kernel frees it when the last process that has the file open ends, whatever ends it;
//! helm inherits the open file, so that a slot is taken for as long as its helm lives. Whoever wants a slot first waits for
//! the lock `turn`, which Linux gives in the order of asking; its holder alone looks for a free slot.
#![expect(clippy::disallowed_methods, reason = "the door to helm")]

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

use super::signals::Held;
use crate::failure::HintExt;

/// Environment variable: how many helms run at a time; as many as there are processors by default.
pub const MAX_VARIABLE: &str = "HOMELAB_MAX_HELM";
/// How often the first in the queue looks for a free slot.
const LOOK: Duration = Duration::from_millis(2);
/// How often those behind it look for a signal to end.
pub(super) const NOTICE: Duration = Duration::from_millis(50);

/// The slots that all processes of one user on one machine (of one sidecar) share.
#[derive(Clone, Debug)]
pub(super) struct Slots {
    folder: PathBuf,
    count: usize,
}

/// The right to run helm, with a folder that nobody else uses meanwhile. Both are given back at the end of this value.
#[derive(Debug)]
pub(super) struct Slot {
    home: PathBuf,
    _lock: File,
}

impl Slot {
    pub(super) fn home(&self) -> &Path {
        &self.home
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the slot's next holder.
        let _ = std::fs::remove_dir_all(&self.home);
    }
}

impl Slots {
    /// The slots in the system's temporary folder; as many as the environment says.
    pub(super) fn shared() -> Result<Self> {
        let count = match std::env::var(MAX_VARIABLE) {
            Ok(text) => text.parse().ok().filter(|count| *count > 0).ok_or_else(|| {
                anyhow!("`{MAX_VARIABLE}` is `{text}`, which is no number of processes").hint("write 1 or more")
            })?,
            Err(_) => std::thread::available_parallelism().map_or(1, Into::into),
        };
        Ok(Self {
            folder: std::env::temp_dir().join(folder_name()),
            count,
        })
    }

    /// Waits for a slot; none when the deadline comes first.
    pub(super) fn take(&self, deadline: Instant, held: &Held) -> Result<Option<Slot>> {
        let Some(_turn) = self.turn(deadline, held)? else {
            return Ok(None);
        };
        self.check_owner()?;
        let mut files = Vec::new();
        loop {
            for number in 0..self.count {
                if files.len() == number {
                    files.push(self.open(&number.to_string())?);
                }
                match files[number].try_lock() {
                    Ok(()) => return self.slot(number, files.swap_remove(number)).map(Some),
                    Err(TryLockError::WouldBlock) => {}
                    Err(TryLockError::Error(error)) => return Err(error).context("cannot lock a file for helm"),
                }
            }
            held.check()?;
            if Instant::now() >= deadline {
                return Ok(None);
            }
            std::thread::sleep(LOOK);
        }
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The lock that says who is first. A lock cannot be waited for with a deadline: a thread waits, which ends with the
    /// process.
    fn turn(&self, deadline: Instant, held: &Held) -> Result<Option<File>> {
        let turn = self.open("turn")?;
        match turn.try_lock() {
            Ok(()) => return Ok(Some(turn)),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error).context("cannot lock a file for helm"),
        }
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            let locked = loop {
                match turn.lock() {
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    result => break result.map(|()| turn),
                }
            };
            // Nobody listens after the deadline; the lock goes with the file.
            let _ = sender.send(locked);
        });
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match receiver.recv_timeout(left.min(NOTICE)) {
                Ok(locked) => return locked.map(Some).context("cannot lock a file for helm"),
                Err(RecvTimeoutError::Timeout) if left.is_zero() => return Ok(None),
                Err(RecvTimeoutError::Timeout) => held.check()?,
                Err(RecvTimeoutError::Disconnected) => return Err(anyhow!("cannot lock a file for helm")),
            }
        }
    }

    /// In a folder that somebody else made, helm's files would be theirs.
    #[cfg(unix)]
    fn check_owner(&self) -> Result<()> {
        let metadata = std::fs::symlink_metadata(&self.folder).context("cannot look at the temporary folder")?;
        if std::os::unix::fs::MetadataExt::uid(&metadata) == rustix::process::getuid().as_raw() {
            return Ok(());
        }
        Err(anyhow!("the folder for helm in the temporary folder belongs to somebody else").hint("set `TMPDIR`"))
    }

    #[cfg(not(unix))]
    fn check_owner(&self) -> Result<()> {
        Ok(())
    }

    fn slot(&self, number: usize, lock: File) -> Result<Slot> {
        inherited(&lock)?;
        let home = self.folder.join(format!("helm-{number}"));
        let made = make_folder(&home);
        if made
            .as_ref()
            .is_err_and(|error| error.kind() == ErrorKind::AlreadyExists)
        {
            // The one before was killed.
            std::fs::remove_dir_all(&home)
                .and_then(|()| make_folder(&home))
                .context("cannot make a temporary folder")?;
        } else {
            made.context("cannot make a temporary folder")?;
        }
        Ok(Slot { home, _lock: lock })
    }

    fn open(&self, name: &str) -> Result<File> {
        let path = self.folder.join(name);
        let open = || File::options().create(true).truncate(false).write(true).open(&path);
        let opened = match open() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let made = make_folder(&self.folder);
                if !made
                    .as_ref()
                    .is_err_and(|error| error.kind() == ErrorKind::AlreadyExists)
                {
                    made.context("cannot make a temporary folder")?;
                }
                open()
            }
            opened => opened,
        };
        opened.context("cannot open a file for helm in the temporary folder")
    }
}

/// Users do not share slots: none may stop the other.
#[cfg(unix)]
fn folder_name() -> String {
    format!("homelab-helm-{}", rustix::process::getuid().as_raw())
}

#[cfg(not(unix))]
fn folder_name() -> String {
    "homelab-helm".to_owned()
}

/// Makes a folder that its owner alone can look into.
fn make_folder(path: &Path) -> std::io::Result<()> {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only Unix has modes"))]
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Lets programs that are started from now on keep the file open.
#[cfg(unix)]
fn inherited(file: &File) -> Result<()> {
    rustix::io::fcntl_setfd(file, rustix::io::FdFlags::empty()).context("cannot hand a lock over to helm")
}

#[cfg(not(unix))]
fn inherited(_: &File) -> Result<()> {
    Ok(())
}
