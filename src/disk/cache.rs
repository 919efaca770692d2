//! Finds the folders for what is kept for the next time: in the user's cache, or where the environment sets it.
#![expect(clippy::disallowed_methods, reason = "the adapter to the file system")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use base16ct::lower;
use etcetera::{BaseStrategy, choose_base_strategy};
use sha2::{Digest, Sha256};

use super::make_folder;
use crate::failure::HintExt;

/// Environment variable: the cache, instead of the folder in the user's cache.
pub const CACHE_VARIABLE: &str = "HOMELAB_CACHE_DIR";

/// The start of the names of temporary folders in the cache, and the age from which on one was left by a killed command.
const NEW: &str = ".new-";
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

/// Returns the cache that the environment names, if it does.
///
/// # Errors
/// When that is no absolute path.
pub fn named_cache() -> Result<Option<PathBuf>> {
    let Some(folder) = std::env::var_os(CACHE_VARIABLE).filter(|folder| !folder.is_empty()) else {
        return Ok(None);
    };
    let folder = PathBuf::from(folder);
    if !folder.is_absolute() {
        return Err(anyhow!(
            "`{CACHE_VARIABLE}` is `{}`, which is not an absolute path",
            folder.display()
        )
        .hint("write the whole path of a folder"));
    }
    Ok(Some(folder))
}

/// Returns the cache that the environment names, else this project's folder in the user's cache: in `XDG_CACHE_HOME` or
/// `~/.cache` on Linux and macOS, in the local application data on Windows.
///
/// # Errors
/// When the user has no home folder.
pub fn cache() -> Result<PathBuf> {
    if let Some(folder) = named_cache()? {
        return Ok(folder);
    }
    let folders = choose_base_strategy()
        .ok()
        .context("there is no home folder for a cache")
        .hint(format!("set `HOME` or `{CACHE_VARIABLE}`"))?;
    Ok(folders.cache_dir().join("kubectl-homelab"))
}

/// Returns a folder of the cache for one thing, named by a digest of what it is. The folder may be missing.
///
/// # Errors
/// Those of [`cache`].
pub fn cache_folder(kind: &str, what: &[&str]) -> Result<PathBuf> {
    Ok(cache()?.join(kind).join(digest_of(what)))
}

/// Returns a name for one thing: a digest of what it is.
pub(super) fn digest_of(what: &[&str]) -> String {
    lower::encode_string(&Sha256::digest(what.join("\n").as_bytes())[..16])
}

/// Makes a temporary folder inside another one, which is made where it is missing.
///
/// # Errors
/// When the system refuses.
pub fn temporary_folder_in(folder: &Path) -> Result<tempfile::TempDir> {
    make_folder(folder)?;
    remove_abandoned(folder);
    tempfile::Builder::new()
        .prefix(NEW)
        .tempdir_in(folder)
        .context("cannot make a folder in the cache")
}

/// Removes the temporary folders that nobody can be at work on any more.
fn remove_abandoned(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_new = entry.file_name().to_string_lossy().starts_with(NEW);
        let age = entry
            .metadata()
            .and_then(|metadata| metadata.modified())
            .map(|time| time.elapsed());
        if is_new && age.is_ok_and(|age| age.is_ok_and(|age| age > ABANDONED)) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Puts a finished temporary folder into its place.
///
/// # Errors
/// When the system refuses.
pub fn replace_folder(from: tempfile::TempDir, to: &Path) -> Result<()> {
    if to.exists() {
        fs::remove_dir_all(to).context("cannot replace a folder in the cache")?;
    }
    fs::rename(from.keep(), to).context("cannot replace a folder in the cache")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    #[test]
    fn what_a_killed_command_left_in_the_cache_goes_after_a_day() {
        let folder = tempfile::tempdir().unwrap();
        for (name, age) in [
            (".new-old", 2 * ABANDONED),
            (".new-new", Duration::ZERO),
            ("old", 2 * ABANDONED),
        ] {
            fs::create_dir(folder.path().join(name)).unwrap();
            let opened = fs::File::open(folder.path().join(name)).unwrap();
            opened.set_modified(SystemTime::now() - age).unwrap();
        }
        let made = temporary_folder_in(folder.path()).unwrap();
        assert!(made.path().exists());
        let left = [".new-old", ".new-new", "old"].map(|name| folder.path().join(name).exists());
        assert_eq!(left, [false, true, true]);
    }
}
