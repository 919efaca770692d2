//! A digest of files and of what else counts, so that equal digests mean equal content.

use std::fs::Metadata;
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, Result, bail, ensure};
use base16ct::lower;
use sha2::{Digest, Sha256};

use crate::repo::{Files, RepoPath};

/// The most that is read for one digest: more than any chart has.
const MOST_FILES: usize = 20_000;
const MOST_BYTES: usize = 64 << 20;

/// A digest that grows part by part.
#[derive(Debug)]
pub struct Fingerprint {
    digest: Sha256,
    /// The number of files and of bytes that may still be read.
    left: (usize, usize),
}

impl Fingerprint {
    /// Starts with the version of this program, and that of what the digest means.
    pub fn new(generation: &str) -> Self {
        let mut fingerprint = Self {
            digest: Sha256::new(),
            left: (MOST_FILES, MOST_BYTES),
        };
        fingerprint.add(generation.as_bytes());
        fingerprint.add(env!("CARGO_PKG_VERSION").as_bytes());
        fingerprint
    }

    /// Adds a part; its length keeps it apart from the next one.
    pub fn add(&mut self, part: &[u8]) {
        self.digest.update((part.len() as u64).to_le_bytes());
        self.digest.update(part);
    }

    /// Adds a part with its name.
    pub fn named(&mut self, name: &str, part: &[u8]) {
        self.add(name.as_bytes());
        self.add(part);
    }

    /// Adds environment variables, set or not.
    pub fn variables(&mut self, names: &[&str]) {
        for name in names {
            self.named(name, std::env::var_os(name).unwrap_or_default().as_encoded_bytes());
        }
    }

    /// Adds the content of a file.
    ///
    /// # Errors
    /// When it cannot be read, or there is too much to read.
    pub fn file(&mut self, files: &dyn Files, path: &RepoPath) -> Result<()> {
        let bytes = files.read(path)?;
        let bytes = bytes.with_context(|| format!("`{path}` is not there"))?;
        let (files, left) = self.left;
        let left = files.checked_sub(1).zip(left.checked_sub(bytes.len()));
        self.left = left.context("there is too much to read")?;
        self.add(&bytes);
        Ok(())
    }

    /// Adds all files of a folder under a name, except for Git's own: no render depends on them.
    ///
    /// # Errors
    /// When something cannot be read, or there is too much to read.
    pub fn folder(&mut self, files: &dyn Files, folder: &RepoPath, name: &str) -> Result<()> {
        let Some(entries) = files.list(folder)? else {
            bail!("`{folder}` is not there");
        };
        for entry in entries.iter().filter(|entry| entry.name != ".git") {
            let (path, name) = (folder.join(&entry.name)?, format!("{name}/{}", entry.name));
            match entry.is_folder {
                true => {
                    // Links could lead in a circle.
                    ensure!(name.len() < 4_000, "`{folder}` is too deep");
                    self.folder(files, &path, &name)?;
                }
                false => {
                    self.add(name.as_bytes());
                    self.file(files, &path)?;
                }
            }
        }
        Ok(())
    }

    /// Adds what distinguishes a program from another one without starting it: where it is, how large, and since when. `name` is what
    /// it is usually called.
    ///
    /// # Errors
    /// When it cannot be read, or only starts another one, which can change unseen.
    pub fn program(&mut self, program: &Path, name: &str) -> Result<()> {
        let real = std::fs::canonicalize(program)?;
        ensure!(
            !starts_another(program, &real, name),
            "what it starts can change unseen"
        );
        let metadata = std::fs::metadata(&real)?;
        let since = metadata.modified()?.duration_since(SystemTime::UNIX_EPOCH)?;
        let identity = format!(
            "{} {} {} {}",
            real.display(),
            metadata.len(),
            since.as_nanos(),
            node(&metadata)
        );
        self.add(identity.as_bytes());
        Ok(())
    }

    /// Returns the digest in hexadecimal digits.
    pub fn finish(self) -> String {
        lower::encode_string(&self.digest.finalize())
    }
}

/// Reports whether a program is not the one of its name but finds one each time, as version managers and snap do: a link to a
/// program of another name, or something in a folder of shims.
fn starts_another(program: &Path, real: &Path, name: &str) -> bool {
    let is_named = |path: &Path| {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        file.to_lowercase().contains(name)
    };
    let is_renamed = program.file_name() != real.file_name() && !is_named(real);
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
        let is = |program: &str, real: &str| starts_another(Path::new(program), Path::new(real), "helm");
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
