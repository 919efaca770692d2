//! Keeps the charts that other charts depend on for the next render: Argo CD gives a plugin a fresh copy of the repository each
//! time, so that without this every render would fetch them again.
//!
//! One folder for each entry, named by the digest of what decides its content: packed charts, and a list of their digests.
//! An entry is made aside and renamed into its place, so that it is there whole or not at all; whoever takes it checks
//! every digest. All entries together stay below a size; what was used longest ago goes first.
#![expect(clippy::disallowed_methods, reason = "the adapter to helm")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use base16ct::lower;
use sha2::{Digest, Sha256};

use super::staged::packed;

/// Limit for all entries together, in bytes.
const LARGEST: u64 = 512 << 20;
/// The age after which an entry that is not in its place is considered abandoned.
const ABANDONED: Duration = Duration::from_secs(3600);
/// The prefix of folders that are not entries yet, or no longer.
const ASIDE: &str = ".aside-";
/// The list of an entry's files and their digests.
const LIST: &str = "list.json";

/// The entries in one folder.
#[derive(Clone, Debug)]
pub(super) struct Cache {
    folder: PathBuf,
    largest: u64,
}

impl Cache {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            largest: LARGEST,
        }
    }

    /// Reports whether there is an entry, damaged or not.
    pub(super) fn has(&self, key: &str) -> bool {
        self.folder.join(key).exists()
    }

    /// Copies an entry into a folder; returns `false` when there is none. One that is damaged is removed.
    pub(super) fn take(&self, key: &str, into: &Path) -> bool {
        let entry = self.folder.join(key);
        if !self.has(key) {
            return false;
        }
        if self.copy_checked(&entry, into).is_ok() {
            return true;
        }
        // Remove all of it, or it would be rendered.
        let _ = packed(into).map(|files| files.iter().try_for_each(fs::remove_file));
        self.remove(&entry);
        false
    }

    fn copy_checked(&self, entry: &Path, into: &Path) -> Result<()> {
        let list = fs::read(entry.join(LIST))?;
        let list: BTreeMap<String, String> = serde_json::from_slice(&list)?;
        fs::create_dir_all(into)?;
        for (name, digest) in &list {
            ensure!(Path::new(name).file_name().is_some_and(|last| last == name.as_str()));
            let bytes = fs::read(entry.join(name))?;
            ensure!(
                lower::encode_string(&Sha256::digest(&bytes)) == *digest,
                "`{name}` is damaged"
            );
            fs::write(into.join(name), bytes)?;
        }
        // Mark the entry as used now; if that fails, it only counts as older.
        let _ = fs::File::options()
            .append(true)
            .open(entry.join(LIST))
            .and_then(|file| file.set_modified(SystemTime::now()));
        Ok(())
    }

    /// Makes an entry of the packed charts in a folder. Errors are ignored: the program works without a cache.
    pub(super) fn keep(&self, key: &str, from: &Path) {
        let _ = self.keep_whole(key, from).and_then(|()| self.make_room(key));
    }

    /// Makes an entry as [`Cache::keep`] does, in the place of an older one.
    pub(super) fn replace(&self, key: &str, from: &Path) {
        let entry = self.folder.join(key);
        if entry.exists() {
            self.remove(&entry);
        }
        self.keep(key, from);
    }

    fn keep_whole(&self, key: &str, from: &Path) -> Result<()> {
        fs::create_dir_all(&self.folder)?;
        let aside = tempfile::Builder::new().prefix(ASIDE).tempdir_in(&self.folder)?;
        let (mut list, mut size) = (BTreeMap::new(), 0);
        for path in packed(from)? {
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .context("a name is not UTF-8")?;
            let bytes = fs::read(&path)?;
            size += bytes.len() as u64;
            list.insert(name.to_owned(), lower::encode_string(&Sha256::digest(&bytes)));
            fs::write(aside.path().join(name), bytes)?;
        }
        ensure!(size <= self.largest);
        let mut file = fs::File::create(aside.path().join(LIST))?;
        file.write_all(&serde_json::to_vec(&list)?)?;
        // If another process was first, the rename fails, and this copy is removed.
        fs::rename(aside.path(), self.folder.join(key))?;
        let _ = aside.keep();
        Ok(())
    }

    /// Removes the least recently used entries until the rest is small enough.
    fn make_room(&self, newest: &str) -> Result<()> {
        let (mut entries, mut total) = (Vec::new(), 0);
        for entry in fs::read_dir(&self.folder)?.flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            if name.to_string_lossy().starts_with(ASIDE) {
                let age = entry
                    .metadata()
                    .and_then(|data| data.modified())
                    .map(|time| time.elapsed());
                if age.is_ok_and(|age| age.is_ok_and(|age| age > ABANDONED)) {
                    let _ = fs::remove_dir_all(path);
                }
                continue;
            }
            let size: u64 = fs::read_dir(&path)?
                .flatten()
                .filter_map(|file| Some(file.metadata().ok()?.len()))
                .sum();
            let used = fs::metadata(path.join(LIST)).and_then(|data| data.modified());
            total += size;
            if name != newest {
                entries.push((used.unwrap_or(SystemTime::UNIX_EPOCH), size, path));
            }
        }
        entries.sort();
        for (_, size, path) in entries {
            if total <= self.largest {
                break;
            }
            self.remove(&path);
            total -= size;
        }
        Ok(())
    }

    /// Takes an entry out of its place at once, then removes its files.
    fn remove(&self, entry: &Path) {
        let aside = tempfile::Builder::new().prefix(ASIDE).tempdir_in(&self.folder);
        // Renamed into the folder, which goes at the end of this value.
        let _ = aside.and_then(|aside| fs::rename(entry, aside.path().join("entry")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folders {
        _folder: tempfile::TempDir,
        cache: Cache,
        charts: PathBuf,
        into: PathBuf,
    }

    fn folders(largest: u64) -> Folders {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("charts")).unwrap();
        Folders {
            cache: Cache {
                folder: path("cache"),
                largest,
            },
            charts: path("charts"),
            into: path("into"),
            _folder: folder,
        }
    }

    impl Folders {
        fn keep(&self, key: &str, text: &str) {
            fs::write(self.charts.join("lib-1.0.0.tgz"), text).unwrap();
            self.cache.keep(key, &self.charts);
        }

        fn take(&self, key: &str) -> Option<String> {
            let _ = fs::remove_dir_all(&self.into);
            let taken = self.cache.take(key, &self.into);
            let text = fs::read_to_string(self.into.join("lib-1.0.0.tgz")).ok();
            assert_eq!(taken, text.is_some(), "nothing stays of what was not taken");
            text
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.cache.folder).unwrap();
            let mut names: Vec<_> = entries
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        }

        fn used(&self, key: &str, seconds_ago: u64) {
            let list = fs::File::options()
                .append(true)
                .open(self.cache.folder.join(key).join(LIST))
                .unwrap();
            list.set_modified(SystemTime::now() - Duration::from_secs(seconds_ago))
                .unwrap();
        }
    }

    #[test]
    fn what_was_kept_is_taken_and_the_first_stays() {
        let folders = folders(LARGEST);
        assert_eq!(folders.take("a"), None);
        fs::write(folders.charts.join("README.md"), "no chart").unwrap();
        folders.keep("a", "1");
        folders.keep("a", "2");
        assert_eq!(folders.take("a").unwrap(), "1");
        assert!(!folders.into.join("README.md").exists());
        assert_eq!(folders.names(), ["a"], "nothing is left over");
    }

    #[test]
    fn what_is_damaged_is_not_taken_and_goes() {
        for damage in [
            (|entry: &Path| fs::write(entry.join("lib-1.0.0.tgz"), "other").unwrap()) as fn(&Path),
            |entry| fs::remove_file(entry.join("lib-1.0.0.tgz")).unwrap(),
            |entry| fs::write(entry.join(LIST), "").unwrap(),
            |entry| fs::write(entry.join(LIST), r#"{"lib-1.0.0.tgz": "6b86b273ff3"#).unwrap(),
            |entry| {
                fs::write(
                    entry.join(LIST),
                    r#"{"../x/lib-1.0.0.tgz": "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"}"#,
                )
                .unwrap()
            },
            |entry| fs::remove_file(entry.join(LIST)).unwrap(),
        ] {
            let folders = folders(LARGEST);
            folders.keep("a", "1");
            damage(&folders.cache.folder.join("a"));
            assert_eq!(folders.take("a"), None);
            assert!(folders.names().is_empty(), "{:?}", folders.names());
            folders.keep("a", "2");
            assert_eq!(folders.take("a").unwrap(), "2");
        }
    }

    #[test]
    fn all_of_it_stays_below_a_size_and_what_was_used_last_stays() {
        let folders = folders(400);
        for (key, age) in [("a", 30), ("b", 20)] {
            folders.keep(key, &"x".repeat(100));
            folders.used(key, age);
        }
        folders.take("a").unwrap();
        folders.keep("c", &"x".repeat(100));
        assert_eq!(folders.names(), ["a", "c"]);
        folders.keep("d", &"x".repeat(500));
        assert_eq!(folders.names(), ["a", "c"], "what is too large alone is not kept");
    }

    #[test]
    fn what_was_left_half_done_goes_when_nobody_can_be_at_work_on_it() {
        let folders = folders(LARGEST);
        folders.keep("a", "1");
        for (name, age) in [(".aside-old", 2 * ABANDONED), (".aside-new", Duration::ZERO)] {
            fs::create_dir(folders.cache.folder.join(name)).unwrap();
            let folder = fs::File::open(folders.cache.folder.join(name)).unwrap();
            folder.set_modified(SystemTime::now() - age).unwrap();
        }
        folders.keep("b", "1");
        assert_eq!(folders.names(), [".aside-new", "a", "b"]);
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_no_cache() {
        let folders = folders(LARGEST);
        fs::write(&folders.cache.folder, "a file").unwrap();
        folders.keep("a", "1");
        assert_eq!(folders.take("a"), None);
    }

    #[test]
    fn many_at_once_see_whole_entries_only() {
        let folders = folders(2_000_000);
        std::thread::scope(|scope| {
            for worker in 0..8_u8 {
                let folders = &folders;
                scope.spawn(move || {
                    let charts = folders.charts.join(worker.to_string());
                    fs::create_dir(&charts).unwrap();
                    for round in 0..20_u8 {
                        let key = (round % 5).to_string();
                        let text = key.repeat(500_000);
                        fs::write(charts.join("x.tgz"), &text).unwrap();
                        let into = charts.join("into");
                        if folders.cache.take(&key, &into) {
                            assert_eq!(fs::read_to_string(into.join("x.tgz")).unwrap(), text);
                        } else {
                            folders.cache.keep(&key, &charts);
                        }
                        let _ = fs::remove_dir_all(into);
                    }
                });
            }
        });
    }
}
