//! The key of a render: a digest of all that helm reads and is told, so that equal keys mean equal renders.
//!
//! Helm runs in an environment of its own ([`super::sandbox`]), so that nothing else counts: not the user's folders, plugins
//! and repositories, not the place of the chart. What comes from the network is not in the key; a render that depends on it
//! says so ([`crate::render::Raw::is_settled`]).
#![expect(clippy::disallowed_methods, reason = "the adapter to helm")]

use std::fs::Metadata;
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, Result, bail, ensure};
use base16ct::lower;
use sha2::{Digest, Sha256};

use super::{Checkouts, LazyHelm, REMOTE_SCHEMAS_VARIABLE, dependencies, find_program};
use crate::render::{Argument, HelmCall};
use crate::repo::{Files, RepoPath};

/// The version of what a key means; it changes whenever helm is called differently, or entries are made differently.
const GENERATION: &str = "1";
/// The variables that change what is printed.
const VARIABLES: [&str; 3] = ["TZ", "GODEBUG", REMOTE_SCHEMAS_VARIABLE];
/// The most that is read for one key: more than any chart has.
const MOST_FILES: usize = 20_000;
const MOST_BYTES: usize = 64 << 20;

/// Returns the key of a call.
///
/// # Errors
/// When something cannot be read, or nobody knows which helm it is; the render itself says more.
pub(super) fn of(helm: &LazyHelm, call: &HelmCall) -> Result<String> {
    let files = helm.checkouts.get(&call.tree)?;
    let mut parts = Parts {
        files,
        checkouts: &helm.checkouts,
        digest: Sha256::new(),
        left: (MOST_FILES, MOST_BYTES),
    };
    for text in [GENERATION, env!("CARGO_PKG_VERSION"), &identity(helm)?] {
        parts.add(text.as_bytes());
    }
    for name in VARIABLES {
        parts.add(std::env::var_os(name).unwrap_or_default().as_encoded_bytes());
    }
    // Values are not held against some schemas without it.
    parts.add(&[u8::from(helm.network)]);
    for argument in &call.arguments {
        parts.argument(argument)?;
    }
    parts.add(b"chart");
    parts.folder(&call.chart, "")?;
    for text in dependencies::places(files, &call.chart)? {
        parts.add(text.as_bytes());
    }
    for folder in dependencies::folders(files, &call.chart)? {
        parts.folder(&folder, folder.as_str())?;
    }
    Ok(lower::encode_string(&parts.digest.finalize()))
}

/// What a key is made of.
struct Parts<'f> {
    /// The tree that the chart is in.
    files: &'f dyn Files,
    checkouts: &'f Checkouts,
    digest: Sha256,
    /// The number of files and of bytes that may still be read.
    left: (usize, usize),
}

impl Parts<'_> {
    /// Adds a part; its length keeps it apart from the next one.
    fn add(&mut self, part: &[u8]) {
        self.digest.update((part.len() as u64).to_le_bytes());
        self.digest.update(part);
    }

    fn argument(&mut self, argument: &Argument) -> Result<()> {
        match argument {
            Argument::Text(text) => self.named("text", text.as_bytes()),
            Argument::Temporary(text) => self.named("values", text.as_bytes()),
            Argument::File(tree, path) => {
                self.add(b"file");
                self.file(self.checkouts.get(tree)?, path)?;
            }
            Argument::SetFile(name, tree, path) => {
                self.named("value", name.as_bytes());
                self.file(self.checkouts.get(tree)?, path)?;
            }
        }
        Ok(())
    }

    fn named(&mut self, name: &str, part: &[u8]) {
        self.add(name.as_bytes());
        self.add(part);
    }

    /// Adds the content of a file.
    fn file(&mut self, files: &dyn Files, path: &RepoPath) -> Result<()> {
        let bytes = files.read(path)?;
        let bytes = bytes.with_context(|| format!("`{path}` is not there"))?;
        let (files, left) = self.left;
        let left = files.checked_sub(1).zip(left.checked_sub(bytes.len()));
        self.left = left.context("there is too much to read")?;
        self.add(&bytes);
        Ok(())
    }

    /// Adds all files of a folder, except for Git's own: no render depends on them.
    fn folder(&mut self, folder: &RepoPath, name: &str) -> Result<()> {
        let Some(entries) = self.files.list(folder)? else {
            bail!("`{folder}` is not there");
        };
        for entry in entries.iter().filter(|entry| entry.name != ".git") {
            let (path, name) = (folder.join(&entry.name)?, format!("{name}/{}", entry.name));
            match entry.is_folder {
                true => {
                    // Links could lead in a circle.
                    ensure!(name.len() < 4_000, "`{folder}` is too deep");
                    self.folder(&path, &name)?;
                }
                false => {
                    self.add(name.as_bytes());
                    self.file(self.files, &path)?;
                }
            }
        }
        Ok(())
    }
}

/// Returns what tells one helm from another without starting it: where it is, how large, and since when.
fn identity(helm: &LazyHelm) -> Result<String> {
    let program = find_program(helm.program.as_deref())?;
    let real = std::fs::canonicalize(&program)?;
    ensure!(!starts_another(&program, &real), "what it starts can change unseen");
    let metadata = std::fs::metadata(&real)?;
    let since = metadata.modified()?.duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(format!(
        "{} {} {} {}",
        real.display(),
        metadata.len(),
        since.as_nanos(),
        node(&metadata)
    ))
}

/// Reports whether a program is not helm itself but finds one each time, as version managers and snap do: a link to a program
/// of another name, or something in a folder of shims.
fn starts_another(program: &Path, real: &Path) -> bool {
    let is_helm = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.to_lowercase().contains("helm")
    };
    let is_renamed = program.file_name() != real.file_name() && !is_helm(real);
    is_renamed
        || [program, real]
            .iter()
            .any(|path| path.iter().any(|part| part == "shims"))
}

/// Returns what the system knows a file by, and when it changed anything about it.
#[cfg(unix)]
fn node(metadata: &Metadata) -> String {
    use std::os::unix::fs::MetadataExt;
    format!("{} {}.{}", metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
}

#[cfg(not(unix))]
fn node(_: &Metadata) -> String {
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_starts_another_helm_is_known() {
        let is = |program: &str, real: &str| starts_another(Path::new(program), Path::new(real));
        for (program, real) in [
            ("/usr/local/bin/helm", "/usr/local/bin/helm"),
            ("/usr/bin/helm", "/opt/helm/linux-amd64/helm-3.19"),
            ("/home/me/count", "/home/me/count"),
            ("/home/me/.local/share/mise/installs/helm/3/helm", "/x/helm"),
        ] {
            assert!(!is(program, real), "{program}");
        }
        for (program, real) in [
            ("/snap/bin/helm", "/usr/bin/snap"),
            ("/home/me/.asdf/shims/helm", "/home/me/.asdf/shims/helm"),
            ("/home/me/.local/share/mise/shims/helm", "/usr/bin/mise"),
        ] {
            assert!(is(program, real), "{program}");
        }
    }
}
