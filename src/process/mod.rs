//! The adapter to programs: runs one in a clean environment until it ends, its deadline comes, or a signal does; and bounds
//! how many run at a time over all processes.
//!
//! It knows no program by name: [`crate::helm`] and [`crate::git`] stand on it.

mod command;
mod environment;
mod home;
mod signals;
mod slots;
mod supervisor;

use std::path::{Path, PathBuf};

pub use command::{Command, ProcessGroup, RunError};
pub use environment::Environment;
pub use home::Home;
pub use signals::{SignalGuard, Signalled};
pub use slots::Slots;
pub use supervisor::{WORD, supervise_with_this_program, supervised};

/// Finds a program: by its path, or by its name on PATH.
pub fn find(program: impl AsRef<Path>) -> Option<PathBuf> {
    which::which(program.as_ref()).ok()
}
