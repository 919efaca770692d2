//! Bounds how many runs of a program there are at a time over all processes. Argo CD's own limit does not count plugins:
//! after a restart of the repo-server every Application renders at once.
//!
//! A slot is a lock on a file. The kernel frees it when the last process that has the file open ends, whatever ends it;
//! the program inherits the open file, so that a slot is taken for as long as its program lives. Whoever wants a slot first
//! waits for the lock `turn`, which Linux gives in the order of asking; its holder alone searches for a free slot.
#![expect(clippy::disallowed_methods, reason = "the adapter to programs")]

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

use super::command::SIGNAL_INTERVAL;
use super::signals::SignalGuard;
use crate::failure::HintExt;
use crate::time::Deadline;

const CANNOT_LOCK: &str = "cannot lock a file in the temporary folder";
/// The interval at which the first in the queue tries to get a slot.
const SLOT_INTERVAL: Duration = Duration::from_micros(500);

/// Returns the folder in which processes of one user on one machine find each other's slots: the system's temporary folder.
pub fn slots_folder() -> PathBuf {
    std::env::temp_dir()
}

/// The slots for one program that all processes of one user on one machine (of one sidecar) share.
#[derive(Clone, Debug)]
pub struct Slots {
    /// The program's name.
    program: &'static str,
    /// The environment variable with their number.
    variable: &'static str,
    folder: PathBuf,
    count: usize,
}

/// The right to run a program, with a folder that nobody else uses meanwhile. Both are given back at the end of this value.
#[derive(Debug)]
pub struct Slot {
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
    /// Returns a program's slots in a folder, as [`slots_folder`]: as many as an environment variable allows, else as many as
    /// there are processors.
    ///
    /// # Errors
    /// When the variable holds no number of processes.
    pub fn shared_in(folder: &Path, program: &'static str, variable: &'static str) -> Result<Self> {
        let count = match std::env::var(variable) {
            Ok(text) => text.parse().ok().filter(|count| *count > 0).ok_or_else(|| {
                anyhow!("`{variable}` is `{text}`, which is not a number of processes").hint("write 1 or more")
            })?,
            Err(_) => std::thread::available_parallelism().map_or(1, Into::into),
        };
        Ok(Self {
            program,
            variable,
            folder: folder.join(folder_name(program)),
            count,
        })
    }

    /// Waits for a slot.
    ///
    /// # Errors
    /// When the deadline comes first, a signal does, or the system refuses.
    pub(super) fn take(&self, deadline: Deadline, signals: &SignalGuard) -> Result<Slot> {
        self.take_in_time(deadline, signals)?.ok_or_else(|| {
            let Self {
                program,
                variable,
                count,
                ..
            } = self;
            let seconds = deadline.timeout().as_secs_f64();
            anyhow!(
                "{program} could not be started within {seconds} s: {count} at a time may run, and others came first"
            )
            .hint(format!(
                "allow more of them with `{variable}`, or give the plugin more processors"
            ))
        })
    }

    fn take_in_time(&self, deadline: Deadline, signals: &SignalGuard) -> Result<Option<Slot>> {
        let Some(_turn) = self.turn(deadline, signals)? else {
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
                    Ok(()) => {
                        let slot = self.slot(number, files.swap_remove(number))?;
                        self.remove_left();
                        return Ok(Some(slot));
                    }
                    Err(TryLockError::WouldBlock) => {}
                    Err(TryLockError::Error(error)) => return Err(error).context(CANNOT_LOCK),
                }
            }
            signals.check()?;
            if deadline.is_over() {
                return Ok(None);
            }
            std::thread::sleep(SLOT_INTERVAL);
        }
    }

    /// Removes the folders of other slots that nobody has any more: who was killed left values in them. Only the first in
    /// the queue does it.
    fn remove_left(&self) {
        let start = format!("{}-", self.program);
        for entry in std::fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let Some(number) = name.to_str().and_then(|name| name.strip_prefix(&start)) else {
                continue;
            };
            if self.open(number).is_ok_and(|lock| lock.try_lock().is_ok()) {
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
    }

    /// Takes the lock that says who is first. A lock cannot be waited for with a deadline: a thread waits, which ends with
    /// the process.
    fn turn(&self, deadline: Deadline, signals: &SignalGuard) -> Result<Option<File>> {
        let turn = self.open("turn")?;
        match turn.try_lock() {
            Ok(()) => return Ok(Some(turn)),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error).context(CANNOT_LOCK),
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
            match receiver.recv_timeout(deadline.left(SIGNAL_INTERVAL)) {
                Ok(locked) => return locked.map(Some).context(CANNOT_LOCK),
                Err(RecvTimeoutError::Timeout) if deadline.is_over() => return Ok(None),
                Err(RecvTimeoutError::Timeout) => signals.check()?,
                Err(RecvTimeoutError::Disconnected) => return Err(anyhow!(CANNOT_LOCK)),
            }
        }
    }

    /// Refuses a folder of another user, who could then change the program's files.
    fn check_owner(&self) -> Result<()> {
        let metadata = std::fs::symlink_metadata(&self.folder).context("cannot read the temporary folder")?;
        if is_own(&metadata) {
            return Ok(());
        }
        let program = self.program;
        Err(anyhow!("the folder for {program} in the temporary folder belongs to somebody else").hint("set `TMPDIR`"))
    }

    fn slot(&self, number: usize, lock: File) -> Result<Slot> {
        inherited(&lock)?;
        let home = self.folder.join(format!("{}-{number}", self.program));
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
        opened.context("cannot open a file in the temporary folder")
    }
}

/// Reports whether a file is this user's.
#[cfg(unix)]
pub(super) fn is_own(metadata: &std::fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::uid(metadata) == rustix::process::getuid().as_raw()
}

#[cfg(not(unix))]
pub(super) fn is_own(_: &std::fs::Metadata) -> bool {
    true
}

/// Returns the name of this user's folder: users do not share slots, none may stop the other.
#[cfg(unix)]
fn folder_name(program: &str) -> String {
    format!("homelab-{program}-{}", rustix::process::getuid().as_raw())
}

#[cfg(not(unix))]
fn folder_name(program: &str) -> String {
    format!("homelab-{program}")
}

/// The mode of a folder that its owner alone can open: there are values in it.
#[cfg(unix)]
pub(super) const PRIVATE: u32 = 0o700;

/// Makes a folder that its owner alone can open.
fn make_folder(path: &Path) -> std::io::Result<()> {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only Unix has modes"))]
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, PRIVATE);
    builder.create(path)
}

/// Lets programs that are started from now on keep the file open.
#[cfg(unix)]
pub(super) fn inherited(file: &File) -> Result<()> {
    rustix::io::fcntl_setfd(file, rustix::io::FdFlags::empty()).context("cannot hand a lock over to a program")
}

#[cfg(not(unix))]
pub(super) fn inherited(_: &File) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_takes_a_slot_removes_what_killed_ones_left_in_others() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for home in ["p-0", "p-2", "p-7"] {
            std::fs::create_dir(at(home)).unwrap();
            std::fs::write(at(home).join("parameter values"), "password: x").unwrap();
        }
        let living = File::create(at("0")).unwrap();
        living.lock().unwrap();
        let slots = Slots {
            program: "p",
            variable: "P",
            folder: folder.path().to_owned(),
            count: 3,
        };
        let signals = SignalGuard::new().unwrap();
        let slot = slots.take(Deadline::never(), &signals).unwrap();
        assert_eq!(slot.home(), at("p-1"));
        let left = ["p-0", "p-1", "p-2", "p-7"].map(|home| at(home).exists());
        assert_eq!(left, [true, true, false, false]);
    }
}
