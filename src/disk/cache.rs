//! Finds the folders for what is kept for the next time: in the user's cache, or where the environment sets it.
#![expect(clippy::disallowed_methods, reason = "the adapter to the file system")]

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use base16ct::lower;
use etcetera::{BaseStrategy, choose_base_strategy};
use sha2::{Digest, Sha256};

use super::make_folder;
use crate::failure::HintExt;

/// Environment variable: the cache, instead of the folder in the user's cache.
pub const CACHE_VARIABLE: &str = "HOMELAB_CACHE_DIR";

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
    let digest = Sha256::digest(what.join("\n").as_bytes());
    Ok(cache()?.join(kind).join(lower::encode_string(&digest[..16])))
}

/// Makes a temporary folder inside another one, which is made where it is missing.
///
/// # Errors
/// When the system refuses.
pub fn temporary_folder_in(folder: &Path) -> Result<tempfile::TempDir> {
    make_folder(folder)?;
    tempfile::Builder::new()
        .prefix(".new-")
        .tempdir_in(folder)
        .context("cannot make a folder in the cache")
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
