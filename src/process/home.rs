//! A folder of its own for one run of a program, with the right to run it where that is bounded.

use std::path::Path;

use anyhow::{Context, Result};

use super::signals::SignalGuard;
use super::slots::{Slot, Slots};
use crate::time::Deadline;

/// A folder for a program's own files; it goes at the end of this value.
#[derive(Debug)]
pub enum Home {
    /// A temporary folder.
    Temporary(tempfile::TempDir),
    /// The folder of a slot, which is free again at the end of this value.
    Slot(Slot),
}

impl Home {
    /// Makes a temporary folder whose name starts so.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn temporary(prefix: &str) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix(prefix).tempdir();
        folder.map(Self::Temporary).context("cannot make a temporary folder")
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
            Self::Temporary(folder) => folder.path(),
            Self::Slot(slot) => slot.home(),
        }
    }
}
