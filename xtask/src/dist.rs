//! `cargo xtask dist`: the release archives. They are reproducible: the same sources give the same bytes in any folder, on
//! any machine and at any time.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use sha2::{Digest, Sha256};

use crate::{cargo, repository};

mod archive;
mod build;
mod pages;
mod target;

pub(crate) use build::{released, static_program};
pub(crate) use target::{TARGETS, Target};

/// The file with the checksums of all archives, as `sha256sum --check` reads it.
pub(crate) const SUMS: &str = "sha256sums.txt";

/// The arguments of `cargo xtask dist`.
#[derive(Args)]
pub(crate) struct Request {
    /// Target triple, may be repeated; by default this machine's
    #[arg(long = "target", value_name = "TARGET")]
    targets: Vec<String>,

    /// Output folder; by default `dist` in cargo's target folder
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,

    /// Build again in a folder with another name, and compare
    #[arg(long, conflicts_with = "program")]
    verify: bool,

    /// Pack this program instead of building one
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,

    /// Build no archive; write the checksums of the existing ones
    #[arg(long, conflicts_with_all = ["targets", "verify", "program"])]
    sums: bool,
}

/// Builds the archives and their checksums.
pub(crate) fn dist(request: &Request) -> Result<()> {
    let targets = if request.sums {
        Vec::new()
    } else {
        wanted(&request.targets)?
    };
    let output = match &request.output {
        Some(output) => output.clone(),
        None => folder()?,
    };
    fs::create_dir_all(&output).with_context(|| format!("cannot create the folder {}", output.display()))?;
    for target in targets {
        let program = match &request.program {
            Some(program) => fs::read(program).with_context(|| format!("cannot read {}", program.display()))?,
            None => build::release(target)?,
        };
        let packed = pack(target, &program)?;
        if request.verify {
            verify(target, &program, &packed)?;
        }
        let beside = output.join(target.triple);
        fs::create_dir_all(&beside)?;
        archive::write_program(&beside.join(target.program()), &program)?;
        let archive = output.join(target.archive());
        fs::write(&archive, &packed).with_context(|| format!("cannot write {}", archive.display()))?;
        println!(
            "{}  {} bytes, the program {} bytes",
            archive.display(),
            packed.len(),
            program.len()
        );
    }
    write_sums(&output)
}

/// Returns the default folder of the archives: `dist` in cargo's target folder.
pub(crate) fn folder() -> Result<PathBuf> {
    Ok(cargo::target_folder()?.join("dist"))
}

/// Returns the default path of a target's program.
pub(crate) fn program(triple: &str) -> Result<PathBuf> {
    let target = Target::of(triple)?;
    Ok(folder()?.join(target.triple).join(target.program()))
}

fn wanted(names: &[String]) -> Result<Vec<&'static Target>> {
    if names.is_empty() {
        return Ok(vec![Target::of(&cargo::host()?)?]);
    }
    names.iter().map(|name| Target::of(name)).collect()
}

/// Returns the archive of a program.
fn pack(target: &Target, program: &[u8]) -> Result<Vec<u8>> {
    let root = repository::root();
    let text = |name: &str| fs::read(root.join(name)).with_context(|| format!("cannot read {name}"));
    let mut entries = vec![
        archive::Entry::program(target.program(), program.to_vec()),
        archive::Entry::text("LICENSE", text("LICENSE")?),
        archive::Entry::text("README.md", text("README.md")?),
    ];
    entries.extend(pages::completions()?);
    entries.extend(pages::man()?);
    let time = time()?;
    if target.is_windows() {
        archive::zip(&entries, time)
    } else {
        archive::tar_gz(&entries, time)
    }
}

/// Returns the modification time of the files in an archive: `SOURCE_DATE_EPOCH`, else the time of the last commit.
fn time() -> Result<u64> {
    let text = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => text,
        Err(_) => repository::git(&["log", "-1", "--format=%ct"])
            .context("the files in archives have the time of the last commit; without one, set SOURCE_DATE_EPOCH")?,
    };
    text.trim()
        .parse()
        .with_context(|| format!("invalid number of seconds `{}`", text.trim()))
}

/// Builds again, from a copy of the sources in another folder, and compares.
fn verify(target: &Target, program: &[u8], packed: &[u8]) -> Result<()> {
    let place = tempfile::Builder::new().prefix("a folder of another name ").tempdir()?;
    let sources = place.path().join("sources");
    copy_sources(&sources)?;
    let again = build::release_in(target, &sources, &place.path().join("made"))?;
    if let Some(at) = first_difference(program, &again) {
        bail!(
            "two builds of {} differ from byte {at} on ({} and {} bytes): the program depends on the folder",
            target.triple,
            program.len(),
            again.len()
        );
    }
    if pack(target, &again)? != packed {
        bail!("two archives of the same program differ for {}", target.triple);
    }
    println!("{}: two builds in two folders gave the same bytes", target.triple);
    Ok(())
}

fn first_difference(one: &[u8], other: &[u8]) -> Option<usize> {
    let common = one.iter().zip(other).position(|(a, b)| a != b);
    common.or_else(|| (one.len() != other.len()).then(|| one.len().min(other.len())))
}

/// Copies the files that git tracks or does not ignore.
fn copy_sources(to: &Path) -> Result<()> {
    let root = repository::root();
    let listed = repository::git(&["ls-files", "-z", "--cached", "--others", "--exclude-standard"])?;
    for name in listed.split('\0').filter(|name| !name.is_empty()) {
        let (from, to) = (root.join(name), to.join(name));
        if !from.is_file() || from.is_symlink() {
            continue;
        }
        fs::create_dir_all(to.parent().context("a file has a folder")?)?;
        fs::copy(&from, &to).with_context(|| format!("cannot copy {name}"))?;
    }
    Ok(())
}

/// Writes the checksums of all archives in a folder.
fn write_sums(folder: &Path) -> Result<()> {
    let mut lines = Vec::new();
    for target in TARGETS {
        if let Some(sum) = sum(&folder.join(target.archive()))? {
            lines.push(format!("{sum}  {}\n", target.archive()));
        }
    }
    lines.sort_by(|a, b| a[66..].cmp(&b[66..]));
    fs::write(folder.join(SUMS), lines.concat()).with_context(|| format!("cannot write {SUMS}"))
}

/// Returns the SHA-256 of a file; `None` if it does not exist.
pub(crate) fn sum(path: &Path) -> Result<Option<String>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(base16ct::lower::encode_string(&Sha256::digest(bytes)))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_the_same_at_every_time() {
        for triple in ["x86_64-unknown-linux-gnu", "x86_64-pc-windows-gnu"] {
            let target = Target::of(triple).unwrap();
            let first = pack(target, b"program").unwrap();
            // The formats store seconds, zip only even ones.
            std::thread::sleep(std::time::Duration::from_millis(2100));
            assert!(first == pack(target, b"program").unwrap(), "{triple}");
        }
    }

    #[test]
    fn the_first_difference_is_found() {
        assert_eq!(first_difference(b"abc", b"abc"), None);
        assert_eq!(first_difference(b"abc", b"abd"), Some(2));
        assert_eq!(first_difference(b"abc", b"ab"), Some(2));
    }

    #[test]
    fn checksums_are_written_as_sha256sum_reads_them() {
        let folder = tempfile::tempdir().unwrap();
        for target in TARGETS.iter().rev() {
            fs::write(folder.path().join(target.archive()), b"abc").unwrap();
        }
        write_sums(folder.path()).unwrap();
        let sums = fs::read_to_string(folder.path().join(SUMS)).unwrap();
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sums.lines().count(), TARGETS.len());
        assert!(
            sums.starts_with(&format!("{abc}  kubectl-homelab-aarch64-apple-darwin.tar.gz\n")),
            "{sums}"
        );
    }
}
