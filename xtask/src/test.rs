//! `cargo xtask test`, `cargo xtask stories` and `cargo xtask install-test`: the tests, with the programs that they need.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::{cargo, dist, tools};

/// Runs all tests with the real programs that they need.
pub(crate) fn all(arguments: &[OsString]) -> Result<ExitCode> {
    let mut command = test_command(tools::FOR_TESTS)?;
    command.args(["--workspace", "--no-fail-fast"]);
    run(command, arguments)
}

/// Runs the stories, those sequences included that only repeat others with another renderer or other names, and those stories
/// whose programs take long to build, which are ignored elsewhere.
pub(crate) fn stories(arguments: &[OsString]) -> Result<ExitCode> {
    let mut command = test_command(&[tools::FOR_TESTS, tools::FOR_STORIES].concat())?;
    command.args(["--workspace", "--test", "stories", "--no-fail-fast"]);
    command.env("HOMELAB_STORIES", "all");
    run(command, &with_the_ignored(arguments))
}

/// Returns arguments of `cargo test` with which the ignored tests run, too.
fn with_the_ignored(arguments: &[OsString]) -> Vec<OsString> {
    let mut arguments = arguments.to_vec();
    if !arguments.iter().any(|argument| argument == "--") {
        arguments.push("--".into());
    }
    arguments.push("--include-ignored".into());
    arguments
}

fn run(mut command: Command, arguments: &[OsString]) -> Result<ExitCode> {
    command.args(arguments);
    // Stories wait for Argo CD more than they work; each of them takes about a gigabyte.
    if std::env::var_os("RUST_TEST_THREADS").is_none() {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        command.env("RUST_TEST_THREADS", (2 * cores).clamp(4, 8).to_string());
    }
    exit_code(&mut command)
}

/// Runs the tests of the installation, with a given archive or with one that they make.
pub(crate) fn installation(archive: Option<&Path>) -> Result<ExitCode> {
    let mut command = test_command(tools::FOR_INSTALL)?;
    command.args(["--workspace", "--test", "install"]);
    if let Some(archive) = archive {
        command.env(variable("archive"), std::path::absolute(archive)?);
    }
    exit_code(&mut command)
}

/// Returns `cargo test` with these real programs, the project's own and xtask in its environment.
fn test_command(names: &[&'static str]) -> Result<Command> {
    let mut command = cargo::cargo();
    command.arg("test");
    let built = cargo::build()?;
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

fn exit_code(command: &mut Command) -> Result<ExitCode> {
    let status = command.status().context("cannot run cargo")?;
    Ok(status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Returns the name of the variable with a program's path for tests.
fn variable(name: &str) -> String {
    format!("HOMELAB_TEST_{}", name.replace('-', "_").to_uppercase())
}
