//! A program of the user's that compares two folders, as kubectl runs it for `kubectl diff`
//! ([source](https://kubernetes.io/docs/reference/generated/kubectl/kubectl-commands#diff)).
#![expect(clippy::disallowed_methods, reason = "the adapter to programs")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

use super::{Command, Environment, Home, find};
use crate::failure::HintExt;
use crate::time::Deadline;

/// The variable that names the program and its options.
const VARIABLE: &str = "KUBECTL_EXTERNAL_DIFF";
/// How the names of the folders start; those of killed runs go by it.
const PREFIX: &str = "homelab-diff-";
/// The time that the program may take: somebody may look at its answer.
const PATIENCE: Duration = Duration::from_secs(3600);

/// The text of a file before and after; one that is empty is not there.
pub struct Pair {
    /// The name of the file.
    pub name: String,
    /// What was in it.
    pub before: String,
    /// What is in it.
    pub after: String,
}

/// Returns what the user's program says of files, if there is one: the variable `KUBECTL_EXTERNAL_DIFF` names it. The files are asked for only then.
///
/// # Errors
/// Those of the files; when the program is not there, or fails: with an exit code above 1.
pub fn external_diff(files: impl FnOnce() -> Result<Vec<Pair>>) -> Result<Option<String>> {
    let Some(line) = std::env::var(VARIABLE).ok().filter(|line| !line.trim().is_empty()) else {
        return Ok(None);
    };
    let mut words = line.split_whitespace();
    let name = words.next().unwrap_or_default();
    let program = find(name).ok_or_else(|| {
        anyhow!("`{name}`, which `{VARIABLE}` names, is not on PATH").hint("correct the variable, or take it away")
    })?;
    let home = Home::temporary(PREFIX)?;
    for side in ["before", "after"] {
        fs::create_dir(home.path().join(side)).context("cannot make a temporary folder")?;
    }
    let write = |folder: &str, name: &str, text: &str| match text {
        "" => Ok(()),
        _ => fs::write(home.path().join(folder).join(name), text).context("cannot write a temporary file"),
    };
    for file in files()? {
        write("before", &file.name, &file.before)?;
        write("after", &file.name, &file.after)?;
    }
    let mut arguments: Vec<_> = words.map(Into::into).collect();
    arguments.extend(["before", "after"].map(|side| Path::new(side).as_os_str().to_owned()));
    let output = Command::new(program, arguments, Environment::inherited())
        .in_folder(home.path())
        .with_pipes()
        .run(Deadline::after(PATIENCE), None)
        .with_context(|| format!("cannot run `{name}`"))?;
    if !matches!(output.status.code(), Some(0 | 1)) {
        let message = String::from_utf8_lossy(&output.stderr);
        return Err(
            anyhow!("`{name}` failed: {}", message.trim()).hint(format!("correct `{VARIABLE}`, or take it away"))
        );
    }
    Ok(Some(String::from_utf8_lossy(&output.stdout).into_owned()))
}
