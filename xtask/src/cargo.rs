//! cargo and rustc: where they put things, and builds of the program with them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::repository;

/// cargo, in the repository's root.
///
/// It does not hear what the cargo that runs xtask says of xtask's own package: build scripts look at those variables
/// (ring's does), and would build all that needs them again, for xtask and for the program in turn.
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

/// What a build of the program made.
pub(crate) struct Built {
    /// The program.
    pub(crate) program: PathBuf,
    /// The library that is all of it.
    pub(crate) library: PathBuf,
}

/// Builds the program. With the features that the whole workspace asks of the libraries: nothing is compiled twice.
pub(crate) fn build(release: bool) -> Result<Built> {
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
    let output = command.stderr(Stdio::inherit()).output().context("cannot run cargo")?;
    if !output.status.success() {
        bail!("the program does not build");
    }
    let (mut program, mut library) = (None, None);
    for line in String::from_utf8(output.stdout)?.lines() {
        let Ok(message) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        let path = |text: &Value| text.as_str().map(PathBuf::from);
        program = path(&message["executable"]).or(program);
        if message["target"]["name"] == "homelab" {
            let mut files = message["filenames"].as_array().into_iter().flatten().filter_map(path);
            library = files.find(|file| file.extension().is_some_and(|ending| ending == "rlib"));
        }
    }
    Ok(Built {
        program: program.context("cargo named no executable")?,
        library: library.context("cargo named no library")?,
    })
}

/// cargo's target folder.
pub(crate) fn target_folder() -> Result<PathBuf> {
    let mut command = cargo();
    command.args(["metadata", "--no-deps", "--format-version=1"]);
    let metadata: Value = serde_json::from_str(&said(&mut command)?)?;
    let folder = metadata["target_directory"].as_str().map(PathBuf::from);
    folder.context("cargo named no target folder")
}

/// cargo's home, where the sources of crates lie.
pub(crate) fn home() -> Result<PathBuf> {
    let set = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = set.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    home.context("there is no home folder")
}

/// The folders of crates' sources, one for each registry. They are fetched where they are missing.
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

/// This machine's target, as rustc names it.
pub(crate) fn host() -> Result<String> {
    let version = said(rustc().arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc named no host")?.to_owned())
}

/// Where rustc's own libraries lie.
pub(crate) fn sysroot() -> Result<PathBuf> {
    Ok(PathBuf::from(said(rustc().args(["--print", "sysroot"]))?.trim()))
}

/// rustc, in the repository's root.
pub(crate) fn rustc() -> Command {
    let mut command = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    command.current_dir(repository::root());
    command
}

/// What a program printed.
fn said(command: &mut Command) -> Result<String> {
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
    fn it_hears_nothing_of_the_package_that_runs_it() {
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
