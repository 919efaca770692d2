//! Removes what a killed command left between the files of a repository.
#![expect(clippy::disallowed_methods, reason = "the adapter to the file system")]

use std::fs::{self, File, TryLockError};
use std::path::Path;

use super::write::TEMPORARY;
use super::{Checkout, Lock, git_folder};

impl Checkout {
    /// Removes the temporary files of killed commands, and returns how many there were. What a living command uses is
    /// locked; a folder with a git of its own has a lock of its own.
    pub fn remove_leftovers(&self, _: &Lock) -> usize {
        let mut removed = self.remove_unplaced_record();
        let mut folders = vec![self.root().to_owned()];
        while let Some(folder) = folders.pop() {
            // A folder that cannot be listed has none of ours: nobody could have written there.
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let Ok(kind) = entry.file_type() else { continue };
                let (path, name) = (entry.path(), entry.file_name());
                if kind.is_dir() && name != git_folder::NAME && !path.join(git_folder::NAME).exists() {
                    folders.push(path);
                } else if kind.is_file() && is_temporary(&name.to_string_lossy()) && is_left(&path) {
                    removed += usize::from(fs::remove_file(path).is_ok());
                }
            }
        }
        removed
    }
}

fn is_temporary(name: &str) -> bool {
    let (start, end) = TEMPORARY;
    name.strip_prefix(start).is_some_and(|rest| rest.ends_with(end))
}

fn is_left(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| !matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_uses_goes_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["a/b", "sub/.git", "a/.homelab-folder.tmp"] {
            fs::create_dir_all(at(name)).unwrap();
        }
        let names = [
            "a/b/.homelab-Ab12x9.tmp",
            "sub/.homelab-Ab12x9.tmp",
            "a/homelab.tmp",
            ".homelab-used.tmp",
        ];
        for name in names {
            fs::write(at(name), "").unwrap();
        }
        let used = File::open(at(".homelab-used.tmp")).unwrap();
        used.try_lock().unwrap();
        let lock = Lock::take(folder.path(), &mut || {}).unwrap();
        let checkout = Checkout::open(folder.path()).unwrap();
        assert_eq!(checkout.remove_leftovers(&lock), 1);
        let left: Vec<bool> = names.iter().map(|name| at(name).exists()).collect();
        assert_eq!(left, [false, true, true, true]);
        drop(used);
        assert_eq!(checkout.remove_leftovers(&lock), 1);
    }
}
