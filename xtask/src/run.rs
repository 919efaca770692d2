//! Running programs, and the tests with what they need.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::tools;

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(Path::to_owned)
        .unwrap_or_default()
}

fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// All tests, with the real programs that they need.
pub(crate) fn test(arguments: &[OsString]) -> Result<ExitCode> {
    let mut command = cargo();
    command.args(["test", "--workspace", "--no-fail-fast"]).args(arguments);
    let tools = tools::get_many(tools::FOR_TESTS)?;
    // Stories wait for Argo CD more than they work; each of them takes about a gigabyte.
    if std::env::var_os("RUST_TEST_THREADS").is_none() {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        command.env("RUST_TEST_THREADS", (2 * cores).clamp(4, 8).to_string());
    }
    for (name, binary) in tools.into_iter().chain([("program", build_program(false)?)]) {
        command.env(variable(name), binary);
    }
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

/// Builds the program and gives its path. With the features that the whole workspace asks of the libraries: nothing is
/// compiled twice.
pub(crate) fn build_program(release: bool) -> Result<PathBuf> {
    let mut command = cargo();
    command.args([
        "build",
        "--quiet",
        "--workspace",
        "--bin",
        "kubectl-homelab",
        "--message-format=json-render-diagnostics",
    ]);
    if release {
        command.arg("--release");
    }
    let output = command
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("cannot run cargo")?;
    if !output.status.success() {
        bail!("the program does not build");
    }
    let messages = String::from_utf8(output.stdout)?;
    let artifacts = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let path = artifacts
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .next_back();
    path.context("cargo named no executable")
}
