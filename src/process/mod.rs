//! The adapter to programs: runs one in a clean environment until it ends, its deadline comes, or a signal does; and bounds
//! how many run at a time over all processes.
//!
//! It knows no program by name: [`crate::helm`], [`crate::kustomize`] and [`crate::git`] stand on it.
#![expect(clippy::disallowed_methods, reason = "the adapter to programs")]

mod command;
mod diff_program;
mod environment;
mod home;
mod printed;
mod signals;
mod slots;
mod supervisor;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

use crate::failure::HintExt;
use crate::time;

pub use command::{Command, ProcessGroup, RunError, Running};
pub use diff_program::{Pair, external_diff};
pub use environment::Environment;
pub use home::Home;
pub use signals::{SignalGuard, Signalled};
pub use slots::{Slots, slots_folder};
pub use supervisor::{WORD, supervise_with_this_program, supervised};

/// Finds a program: by its path, or by its name on PATH.
pub fn find(program: impl AsRef<Path>) -> Option<PathBuf> {
    which::which(program.as_ref()).ok()
}

/// Returns the timeout that an environment variable sets, as `50s` or `1m30s`, else another one.
///
/// # Errors
/// When the variable holds no duration, or none that a program can end in.
pub fn timeout(variable: &str, default: Duration) -> Result<Duration> {
    std::env::var(variable).map_or(Ok(default), |text| read_timeout(variable, &text))
}

fn read_timeout(variable: &str, text: &str) -> Result<Duration> {
    let timeout = time::parse_duration(text).with_context(|| format!("`{variable}`"))?;
    if timeout.is_zero() {
        return Err(anyhow!("`{variable}` must be more than 0").hint("write it as `50s`"));
    }
    Ok(timeout)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_a_duration_of_more_than_nothing() {
        for (text, milliseconds) in [
            ("50", 50_000),
            ("50s", 50_000),
            ("1m30s", 90_000),
            ("1h", 3_600_000),
            ("500ms", 500),
            ("0.5", 500),
        ] {
            assert_eq!(read_timeout("X", text).unwrap(), Duration::from_millis(milliseconds));
        }
        for text in ["", "x", "0", "0s", "-1", "1d", "inf", "nan"] {
            let error = format!("{:#}", read_timeout("X", text).unwrap_err());
            assert!(error.starts_with("`X`"), "{error}");
        }
    }
}
