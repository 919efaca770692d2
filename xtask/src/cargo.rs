//! cargo and rustc: their folders, and builds of the program with them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::repository;

/// Returns a command that runs cargo in the repository's root.
///
/// The variables that describe xtask's own package are removed: build scripts read them (ring's does), and everything that
/// depends on them would be built again, for xtask and for the program in turn.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(repository::root());
    for (name, _) in std::env::vars_os() {
        let is_of = |prefix: &str| name.to_string_lossy().starts_with(prefix);
        if is_of("CARGO_PKG_") || is_of("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// The files that a build of the program made.
pub(crate) struct Built {
    /// The program.
    pub(crate) program: PathBuf,
    /// The archive of the crate (`rlib`) that it is linked from.
    pub(crate) archive: PathBuf,
}

/// Builds the program for tests, with the features that the whole workspace needs of the libraries, so that nothing is compiled
/// twice.
pub(crate) fn build() -> Result<Built> {
    let mut command = cargo();
    built(command.args(["build", "--workspace"]), &[])
}

/// Builds the program with one of cargo's commands, and these flags for rustc.
pub(crate) fn built(command: &mut Command, flags: &[&str]) -> Result<Built> {
    command.args([
        "--quiet",
        "--bin",
        "kubectl-homelab",
        "--message-format=json-render-diagnostics",
    ]);
    if !flags.is_empty() {
        command.arg("--").args(flags);
    }
    let output = command.stderr(Stdio::inherit()).output().context("cannot run cargo")?;
    if !output.status.success() {
        bail!("cannot build the program");
    }
    let (mut program, mut archive) = (None, None);
    for line in String::from_utf8(output.stdout)?.lines() {
        let Ok(message) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        let path = |text: &Value| text.as_str().map(PathBuf::from);
        program = path(&message["executable"]).or(program);
        if message["target"]["name"] == "homelab" {
            let mut files = message["filenames"].as_array().into_iter().flatten().filter_map(path);
            archive = files.find(|file| file.extension().is_some_and(|ending| ending == "rlib"));
        }
    }
    Ok(Built {
        program: program.context("cargo named no executable")?,
        archive: archive.context("cargo named no library")?,
    })
}

/// Returns cargo's target folder.
pub(crate) fn target_folder() -> Result<PathBuf> {
    let mut command = cargo();
    command.args(["metadata", "--no-deps", "--format-version=1"]);
    let metadata: Value = serde_json::from_str(&output_of(&mut command)?)?;
    let folder = metadata["target_directory"].as_str().map(PathBuf::from);
    folder.context("cargo named no target folder")
}

/// Returns cargo's home, which holds the sources of crates.
pub(crate) fn home() -> Result<PathBuf> {
    let set = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = set.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    home.context("there is no home folder")
}

/// Returns the folders of crates' sources, one per registry; fetches the sources that are missing.
pub(crate) fn registries(home: &Path) -> Result<Vec<PathBuf>> {
    let status = cargo().args(["fetch", "--quiet", "--locked"]).status()?;
    if !status.success() {
        bail!("the crates cannot be fetched");
    }
    let folder = home.join("registry/src");
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut folders = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<PathBuf>>>()?;
    folders.sort();
    Ok(folders)
}

/// Returns this machine's target triple.
pub(crate) fn host() -> Result<String> {
    let version = output_of(rustc().arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc named no host")?.to_owned())
}

/// Returns the folder of rustc's own libraries.
pub(crate) fn sysroot() -> Result<PathBuf> {
    Ok(PathBuf::from(output_of(rustc().args(["--print", "sysroot"]))?.trim()))
}

/// Returns a command that runs rustc in the repository's root.
pub(crate) fn rustc() -> Command {
    let mut command = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    command.current_dir(repository::root());
    command
}

/// Returns what a program printed.
fn output_of(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {name}"))?;
    if !output.status.success() {
        bail!("{name} ended with {}", output.status);
    }
    Ok(String::from_utf8(output.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_the_package_that_runs_it_are_removed() {
        let removed: Vec<_> = cargo()
            .get_envs()
            .filter(|(_, value)| value.is_none())
            .map(|(name, _)| name.to_owned())
            .collect();
        for name in ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR"] {
            assert!(removed.contains(&name.into()), "{name} of {removed:?}");
        }
        assert!(!removed.contains(&"CARGO".into()));
    }
}
