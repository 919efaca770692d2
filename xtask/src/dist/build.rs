//! Builds of the program: for a release, and a static one for the tests.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::Target;
use crate::{cargo, repository};

/// The version of cargo-auditable, which lists the crates of a program inside it, for scanners of programs and images.
const AUDITABLE: &str = "0.7.7";

/// Builds the program of a target as it is released.
pub(super) fn release(target: &Target) -> Result<Vec<u8>> {
    release_in(target, &repository::root(), &cargo::target_folder()?)
}

/// Builds it from sources in another folder, with a separate target folder.
pub(super) fn release_in(target: &Target, sources: &Path, target_folder: &Path) -> Result<Vec<u8>> {
    check(target)?;
    let mut command = Command::new(auditable()?);
    command.args(["auditable", "build", "--quiet", "--release", "--locked"]);
    command.args(["--package", "kubectl-homelab", "--bin", "kubectl-homelab"]);
    command
        .args(["--target", target.triple, "--target-dir"])
        .arg(target_folder);
    command
        .current_dir(sources)
        .env("CARGO_ENCODED_RUSTFLAGS", flags(target, sources, target_folder)?);
    if let Some((linker, _)) = target.linker.filter(|_| is_foreign(target)) {
        let variable = target.triple.to_uppercase().replace('-', "_");
        command.env(format!("CARGO_TARGET_{variable}_LINKER"), linker);
    }
    let status = command.status().context("cannot run cargo")?;
    if !status.success() {
        bail!("cannot build the program for {}", target.triple);
    }
    let program = target_folder.join(target.triple).join("release").join(target.program());
    if target.os == "linux" && !is_foreign(target) && !starts(&program) {
        bail!(
            "the program for {} does not start: the release needs glibc 2.36 or newer",
            target.triple
        );
    }
    fs::read(&program).with_context(|| format!("cannot read {}", program.display()))
}

/// Reports whether a program starts here.
fn starts(program: &Path) -> bool {
    let output = Command::new(program).arg("version").output();
    output.is_ok_and(|output| output.status.success())
}

/// Checks that the parts that a target needs are installed.
fn check(target: &Target) -> Result<()> {
    let triple = target.triple;
    let library = cargo::sysroot()?.join("lib/rustlib").join(triple).join("lib");
    if !library.is_dir() {
        bail!("the standard library for {triple} is missing: run `rustup target add {triple}`");
    }
    if !is_foreign(target) {
        return Ok(());
    }
    let Some((linker, packages)) = target.linker else {
        bail!("{triple} is linked on macOS only; the release workflow does it there");
    };
    if which::which(linker).is_err() {
        bail!("`{linker}`, which links {triple}, is missing: on Debian, `apt-get install {packages}`");
    }
    Ok(())
}

/// Reports whether this machine's linker cannot link a target. Apple's links for both of its processors.
fn is_foreign(target: &Target) -> bool {
    let here = (std::env::consts::OS, std::env::consts::ARCH);
    match target.os {
        "darwin" => here.0 != "macos",
        os => here.0 != os || !target.triple.starts_with(here.1),
    }
}

/// Returns rustc's flags: those of the target, and neutral names for the folders that panic messages would show.
fn flags(target: &Target, sources: &Path, target_folder: &Path) -> Result<OsString> {
    let mut flags: Vec<OsString> = target.flags.iter().map(OsString::from).collect();
    let mut rename = |folder: &Path, name: &str| {
        let mut flag = OsString::from("--remap-path-prefix=");
        flag.push(folder);
        flag.push("=");
        flag.push(name);
        flags.push(flag);
    };
    let crates = cargo::home()?;
    rename(&crates, "/cargo");
    // The folder of a crate depends on its registry; of several matching names the last one is used.
    for registry in cargo::registries(&crates)? {
        rename(&registry, "/crates");
    }
    rename(sources, "/kubectl-homelab");
    rename(target_folder, "/target");
    Ok(flags.join(OsString::from("\u{1f}").as_os_str()))
}

/// Returns cargo-auditable; installs it once into the user's cache.
fn auditable() -> Result<PathBuf> {
    let root = homelab::disk::cache()?.join(format!("cargo-auditable-{AUDITABLE}"));
    let program = root
        .join("bin")
        .join(format!("cargo-auditable{}", std::env::consts::EXE_SUFFIX));
    if !program.exists() {
        let mut command = cargo::cargo();
        command.args(["install", "--quiet", "--locked", "--root"]).arg(&root);
        let spare = tempfile::tempdir()?;
        command.arg("--target-dir").arg(spare.path());
        let status = command.arg(format!("cargo-auditable@{AUDITABLE}")).status()?;
        if !status.success() {
            bail!("cannot install cargo-auditable {AUDITABLE}");
        }
    }
    Ok(program)
}

/// Builds the program as it is released for this machine, for measurements: linked with the same flags, from where it lies.
pub(crate) fn released() -> Result<PathBuf> {
    let flags = Target::of(&cargo::host()?).map_or(&[][..], |target| target.flags);
    Ok(cargo::built(cargo::cargo().args(["rustc", "--release"]), flags)?.program)
}

/// Links the program statically for tests, as it is released but with the dev profile. It uses the libraries of the tests,
/// so that it costs one link. On systems without static programs, returns the dynamic program.
pub(crate) fn static_program(built: &cargo::Built) -> Result<PathBuf> {
    if !cfg!(all(target_os = "linux", target_env = "gnu")) {
        return Ok(built.program.clone());
    }
    let folder = cargo::target_folder()?.join("static");
    fs::create_dir_all(&folder)?;
    let kept = folder.join("kubectl-homelab");
    if is_newer(&kept, &built.program) {
        return Ok(kept);
    }
    let deps = built.program.with_file_name("deps");
    let mut named = OsString::from("homelab=");
    named.push(&built.archive);
    let staged = folder.join("staged");
    let mut command = cargo::rustc();
    command.args(["src/main.rs", "--crate-name=kubectl_homelab", "--edition=2024"]);
    command.args(["-Ctarget-feature=+crt-static", "-Cstrip=symbols"]);
    command
        .arg("--extern")
        .arg(named)
        .arg("-L")
        .arg(deps)
        .arg("-o")
        .arg(&staged);
    if !command.status().context("cannot run rustc")?.success() {
        bail!("cannot link the static program: on Debian, install libc6-dev");
    }
    fs::rename(&staged, &kept)?;
    Ok(kept)
}

/// Reports whether a file is newer than another one.
fn is_newer(made: &Path, from: &Path) -> bool {
    let time = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    matches!((time(made), time(from)), (Some(made), Some(from)) if made > from)
}
