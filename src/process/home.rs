//! A folder of its own for one run of a program, with the right to run it where that is bounded.
//!
//! There are values in it. It goes with the run; where that was killed, the next one that makes such a folder removes it: a
//! file in it is locked for as long as the run or its program lives.
#![expect(clippy::disallowed_methods, reason = "the adapter to programs")]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};

use super::signals::SignalGuard;
#[cfg(unix)]
use super::slots::PRIVATE;
use super::slots::{Slot, Slots, inherited, is_own};
use crate::time::Deadline;

/// The file that is locked as long as its folder is used.
const IN_USE: &str = "in-use";

/// A folder for a program's own files; it goes at the end of this value.
#[derive(Debug)]
pub enum Home {
    /// A temporary folder, and the lock on its file.
    Temporary(tempfile::TempDir, File),
    /// The folder of a slot, which is free again at the end of this value.
    Slot(Slot),
}

impl Home {
    /// Makes a temporary folder whose name starts so; no folder of another kind may have such a name. Those of killed runs
    /// are removed first.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn temporary(prefix: &str) -> Result<Self> {
        static CLEANED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
        let mut cleaned = CLEANED.lock().unwrap_or_else(PoisonError::into_inner);
        if cleaned.insert(prefix.to_owned()) {
            remove_left(&std::env::temp_dir(), prefix);
        }
        drop(cleaned);
        Self::temporary_in(&std::env::temp_dir(), prefix).context("cannot make a temporary folder")
    }

    fn temporary_in(temporary: &Path, prefix: &str) -> Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(prefix);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(PRIVATE));
        let folder = builder.tempdir_in(temporary)?;
        // It gets its name when it is locked: without a lock the folder would count as left over.
        let unlocked = folder.path().join("not-in-use");
        let lock = File::create_new(&unlocked)?;
        if lock.try_lock().is_ok() {
            fs::rename(unlocked, folder.path().join(IN_USE))?;
        }
        inherited(&lock)?;
        Ok(Self::Temporary(folder, lock))
    }

    /// Waits for a slot.
    ///
    /// # Errors
    /// When the deadline comes first, a signal does, or the system refuses.
    pub fn in_slot(slots: &Slots, deadline: Deadline, signals: &SignalGuard) -> Result<Self> {
        slots.take(deadline, signals).map(Self::Slot)
    }

    /// Returns the folder.
    pub fn path(&self) -> &Path {
        match self {
            Self::Temporary(folder, _) => folder.path(),
            Self::Slot(slot) => slot.home(),
        }
    }
}

/// Removes the folders of killed runs; what cannot be removed stays.
fn remove_left(temporary: &Path, prefix: &str) {
    for entry in fs::read_dir(temporary).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_ours = entry.file_name().to_string_lossy().starts_with(prefix)
            && fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_dir() && is_own(&metadata));
        // One without the file is being made.
        if is_ours && File::open(path.join(IN_USE)).is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = fs::remove_dir_all(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_a_killed_run_goes_and_that_of_a_living_one_stays() {
        let temporary = tempfile::tempdir().unwrap();
        let at = |name: &str| temporary.path().join(name);
        let make = |name: &str, is_marked: bool| {
            fs::create_dir(at(name)).unwrap();
            fs::write(at(name).join("parameter values"), "password: x").unwrap();
            is_marked.then(|| fs::write(at(name).join(IN_USE), "").unwrap());
        };
        make("run-killed", true);
        make("run-begins", false);
        make("other", true);
        let living = Home::temporary_in(temporary.path(), "run-").unwrap();
        remove_left(temporary.path(), "run-");
        assert!(!at("run-killed").exists());
        assert!(at("run-begins").exists() && at("other").exists());
        let path = living.path().to_owned();
        assert!(path.exists());
        drop(living);
        assert!(!path.exists());
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let temporary = tempfile::tempdir().unwrap();
        let home = Home::temporary_in(temporary.path(), "run-").unwrap();
        assert_eq!(fs::metadata(home.path()).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
