//! A copy of the files that count, with changes that are not written yet: what a program has to read before the user has decided.
#![expect(clippy::disallowed_methods, reason = "the adapter to the file system")]

use std::fs;

use anyhow::{Context, Result};

use super::Checkout;
use crate::process::Home;
use crate::repo::change::FileChange;
use crate::repo::{Files, RepoPath};

/// How the names of the folders start.
const PREFIX: &str = "homelab-copy-";
/// The copy in such a folder.
const FILES: &str = "files";

/// A copy; it goes at the end of this value, or with the next copy where this process is killed.
#[derive(Debug)]
pub struct Copied {
    checkout: Checkout,
    _home: Home,
}

impl Copied {
    /// Copies the files of a checkout, and makes the changes there.
    ///
    /// # Errors
    /// When a file cannot be read, or the system refuses.
    pub fn of(checkout: &Checkout, changes: &[FileChange]) -> Result<Self> {
        let made = || "cannot make a temporary copy of the repository";
        let home = Home::temporary(PREFIX)?;
        let files = home.path().join(FILES);
        fs::create_dir(&files).with_context(made)?;
        let copy = Checkout::open(&files)?;
        let is_changed = |path: &RepoPath| changes.iter().any(|change| change.path == *path);
        // A submodule is listed as one path, and so is a link to a folder.
        let is_file = |path: &RepoPath| !is_changed(path) && !checkout.absolute(path).is_dir();
        for path in checkout.all()?.iter().filter(|path| is_file(path)) {
            if let Some(bytes) = checkout.read(path)? {
                copy.put(path, &bytes).with_context(made)?;
            }
        }
        for change in changes {
            if let Some(text) = &change.after {
                copy.put(&change.path, text.as_bytes()).with_context(made)?;
            }
        }
        Ok(Self {
            checkout: copy,
            _home: home,
        })
    }

    /// Returns the files of the copy.
    pub fn checkout(&self) -> &Checkout {
        &self.checkout
    }
}

impl Checkout {
    fn put(&self, path: &RepoPath, bytes: &[u8]) -> Result<()> {
        let at = self.absolute(path);
        if let Some(folder) = at.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(fs::write(at, bytes)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_the_changes_and_the_original_has_not() {
        let original = tempfile::tempdir().unwrap();
        fs::create_dir(original.path().join("a")).unwrap();
        fs::write(original.path().join("a/one"), "1").unwrap();
        fs::write(original.path().join("two"), "2").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("a", original.path().join("link")).unwrap();
        let checkout = Checkout::open(original.path()).unwrap();
        let path = |text: &str| RepoPath::new(text).unwrap();
        let change = |at: &str, after: Option<&str>| FileChange {
            path: path(at),
            before: None,
            after: after.map(str::to_owned),
        };
        let copied = Copied::of(&checkout, &[change("a/one", Some("changed")), change("two", None)]).unwrap();
        let read = |of: &Checkout, at: &str| of.read(&path(at)).unwrap();
        assert_eq!(read(copied.checkout(), "a/one"), Some(b"changed".to_vec()));
        assert_eq!(read(copied.checkout(), "two"), None);
        assert_eq!(read(&checkout, "a/one"), Some(b"1".to_vec()));
        // By it the next run knows whether this one lives, and removes what a killed one left.
        let folder = copied.checkout().root().parent().unwrap().to_owned();
        assert!(folder.join("in-use").exists());
        drop(copied);
        assert!(!folder.exists());
    }
}
