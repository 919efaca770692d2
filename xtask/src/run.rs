//! Running the tests with what they need.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};

use crate::{cargo, dist, tools};

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(Path::to_owned)
        .unwrap_or_default()
}

/// What git says of the repository.
pub(crate) fn git(arguments: &[&str]) -> Result<String> {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(root())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run git")?;
    if !output.status.success() {
        bail!("git {} failed", arguments[0]);
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// All tests, with the real programs that they need.
pub(crate) fn test(arguments: &[OsString]) -> Result<ExitCode> {
    let mut command = test_command(tools::FOR_TESTS)?;
    command.args(["--workspace", "--no-fail-fast"]).args(arguments);
    // Stories wait for Argo CD more than they work; each of them takes about a gigabyte.
    if std::env::var_os("RUST_TEST_THREADS").is_none() {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        command.env("RUST_TEST_THREADS", (2 * cores).clamp(4, 8).to_string());
    }
    ended(&mut command)
}

/// The tests of the way from an archive to a command that completes; of a given archive, or of one that is made.
pub(crate) fn install_test(archive: Option<&Path>) -> Result<ExitCode> {
    let mut command = test_command(tools::FOR_INSTALL)?;
    command.args(["--workspace", "--test", "install"]);
    if let Some(archive) = archive {
        command.env(variable("archive"), std::path::absolute(archive)?);
    }
    ended(&mut command)
}

/// `cargo test` with these real programs, this project's own and xtask in its environment.
fn test_command(names: &[&'static str]) -> Result<Command> {
    let mut command = cargo::cargo();
    command.arg("test");
    let built = cargo::build(false)?;
    let own = [
        ("static", dist::static_program(&built)?),
        ("program", built.program),
        ("xtask", std::env::current_exe()?),
    ];
    for (name, binary) in tools::get_many(names)?.into_iter().chain(own) {
        command.env(variable(name), binary);
    }
    Ok(command)
}

fn ended(command: &mut Command) -> Result<ExitCode> {
    let status = command.status().context("cannot run cargo")?;
    Ok(status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from))
}

/// The variable that tells tests where a program is.
fn variable(name: &str) -> String {
    format!("HOMELAB_TEST_{}", name.replace('-', "_").to_uppercase())
}
