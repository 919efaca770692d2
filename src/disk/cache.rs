//! Where things are kept for the next time: the user's cache, or the folder that the environment names.
#![expect(clippy::disallowed_methods, reason = "the door to the file system")]

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use sha2::{Digest, Sha256};

use super::make_folder;
use crate::failure::HintExt;

/// Environment variable: the folder for what is kept for the next time.
pub const CACHE_VARIABLE: &str = "HOMELAB_CACHE_DIR";

/// The cache that the environment names, if it does.
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
            "`{CACHE_VARIABLE}` is `{}`, which is no absolute path",
            folder.display()
        )
        .hint("write the whole path of a folder"));
    }
    Ok(Some(folder))
}

/// The cache that the environment names, else this project's folder in the user's cache.
///
/// # Errors
/// When nobody says where the user's cache is.
pub fn cache() -> Result<PathBuf> {
    if let Some(folder) = named_cache()? {
        return Ok(folder);
    }
    let set = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let home = || std::env::home_dir().map(|home| home.join(".cache"));
    let cache = set("XDG_CACHE_HOME").or_else(|| set("LOCALAPPDATA")).or_else(home);
    let cache = cache
        .context("there is no home folder for a cache")
        .hint("set `XDG_CACHE_HOME`")?;
    Ok(cache.join("kubectl-homelab"))
}

/// A folder of the user's cache for one thing, named by a digest of what it is. The folder need not be there.
///
/// # Errors
/// Those of [`cache`].
pub fn cache_folder(kind: &str, what: &[&str]) -> Result<PathBuf> {
    let digest = Sha256::digest(what.join("\n").as_bytes());
    let name: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    Ok(cache()?.join(kind).join(name))
}

/// A temporary folder inside another one, which is made where it is missing.
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
