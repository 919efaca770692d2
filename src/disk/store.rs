//! What one folder of the cache holds: a file for each key.
//!
//! A file is made aside and renamed into its place, so that it is there whole or not at all; whoever takes it checks its
//! digest. All of them together stay below a size; what was used longest ago goes first. There may be passwords in what
//! is kept: the folder is the user's alone.
#![expect(clippy::disallowed_methods, reason = "the adapter to the file system")]

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

/// The share of the limit that is left after files were removed, in percent: it is not reached again at once.
const LEFT: u64 = 90;
/// The age after which a file that is not in its place is considered abandoned.
const ABANDONED: Duration = Duration::from_secs(3600);
/// The prefix of files that are not in their place yet.
const ASIDE: &str = ".new-";
/// The length of a digest.
const DIGEST: usize = 32;

/// The files of one folder of the cache.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    largest: u64,
    /// Whether the folder is there, and the user's alone.
    is_there: OnceLock<bool>,
    /// The size of all files, once something was added.
    total: Mutex<Option<u64>>,
}

impl Store {
    /// Returns the files of a folder, which stay below a size; the folder is made when something is kept.
    pub fn new(folder: PathBuf, largest: u64) -> Self {
        Self {
            folder,
            largest,
            is_there: OnceLock::new(),
            total: Mutex::default(),
        }
    }

    /// Returns what was kept; `None` when there is nothing, or it is damaged.
    pub fn take(&self, key: &str) -> Option<Vec<u8>> {
        if !self.is_there() {
            return None;
        }
        let path = self.folder.join(key);
        let mut file = File::options().read(true).append(true).open(&path).ok()?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).ok()?;
        let kept = unpacked(key, &bytes);
        match kept {
            // Mark it as used now; if that fails, it only counts as older.
            Ok(_) => drop(file.set_modified(SystemTime::now())),
            Err(_) => drop(fs::remove_file(path)),
        }
        kept.ok()
    }

    /// Keeps bytes, in the place of older ones. Errors are ignored: the program works without a cache.
    pub fn keep(&self, key: &str, bytes: &[u8]) {
        if self.is_there() {
            let _ = self.added(key, bytes).and_then(|size| self.make_room(key, size));
        }
    }

    fn is_there(&self) -> bool {
        *self.is_there.get_or_init(|| make_private(&self.folder).is_ok())
    }

    /// Adds a file, and returns its size.
    fn added(&self, key: &str, bytes: &[u8]) -> Result<u64> {
        let bytes = packed(key, bytes)?;
        let size = bytes.len() as u64;
        ensure!(size <= self.largest / 4, "it would replace too many others");
        // Its owner alone can read it.
        let mut file = tempfile::Builder::new().prefix(ASIDE).tempfile_in(&self.folder)?;
        file.write_all(&bytes)?;
        file.persist(self.folder.join(key))?;
        Ok(size)
    }

    /// Removes the least recently used files when all of them are too large. What other processes add meanwhile counts the
    /// next time.
    fn make_room(&self, newest: &str, added: u64) -> Result<()> {
        let mut total = self.total.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = total.map(|known| known + added).filter(|known| *known <= self.largest) {
            *total = Some(known);
            return Ok(());
        }
        let (mut files, mut size) = (Vec::new(), 0);
        for entry in fs::read_dir(&self.folder)?.flatten() {
            let (path, Ok(metadata)) = (entry.path(), entry.metadata()) else {
                continue;
            };
            let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            if entry.file_name().to_string_lossy().starts_with(ASIDE) {
                if used.elapsed().is_ok_and(|age| age > ABANDONED) {
                    let _ = fs::remove_file(path);
                }
                continue;
            }
            size += metadata.len();
            if entry.file_name() != newest {
                files.push((used, metadata.len(), path));
            }
        }
        if size > self.largest {
            files.sort();
            for (_, length, path) in files {
                if size <= self.largest / 100 * LEFT {
                    break;
                }
                let _ = fs::remove_file(path);
                size -= length;
            }
        }
        *total = Some(size);
        Ok(())
    }
}

/// Makes a folder that its owner alone can open.
pub(super) fn make_private(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    // Nobody but the owner can do that.
    #[cfg(unix)]
    fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    Ok(())
}

/// Returns the content of a file: a digest, then the bytes, compressed.
fn packed(key: &str, bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes)?;
    let body = encoder.finish()?;
    let mut packed = digest(key, &body).to_vec();
    packed.extend(body);
    Ok(packed)
}

fn unpacked(key: &str, packed: &[u8]) -> Result<Vec<u8>> {
    let (expected, body) = packed.split_at_checked(DIGEST).context("it is too short")?;
    ensure!(digest(key, body) == *expected, "it is damaged");
    let mut bytes = Vec::new();
    GzDecoder::new(body).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Returns the digest of a file's content, which belongs to its name.
fn digest(key: &str, body: &[u8]) -> [u8; DIGEST] {
    Sha256::new().chain_update(key).chain_update(body).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(largest: u64) -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().join("deep/store"), largest);
        (folder, store)
    }

    /// Returns a text that does not get smaller.
    fn noise(seed: u64, length: usize) -> String {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            char::from(b'!' + u8::try_from(state % 90).unwrap())
        };
        (0..length).map(|_| next()).collect()
    }

    impl Store {
        fn names(&self) -> Vec<String> {
            let listed = fs::read_dir(&self.folder).unwrap();
            let mut names: Vec<_> = listed
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        }

        fn used(&self, key: &str, seconds_ago: u64) {
            let file = File::options().append(true).open(self.folder.join(key)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(seconds_ago))
                .unwrap();
        }
    }

    #[test]
    fn what_was_kept_is_taken_and_nothing_is_left_over() {
        let (_folder, store) = store(1 << 20);
        assert_eq!(store.take("a"), None);
        for text in ["kind: A\n", "", "---\n\n---\nkind: Ä\n"] {
            store.keep("a", text.as_bytes());
            assert_eq!(store.take("a"), Some(text.as_bytes().to_vec()));
        }
        assert_eq!(store.names(), ["a"]);
    }

    #[cfg(unix)]
    #[test]
    fn the_user_alone_can_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let (_folder, store) = store(1 << 20);
        fs::create_dir_all(&store.folder).unwrap();
        fs::set_permissions(&store.folder, fs::Permissions::from_mode(0o755)).unwrap();
        store.keep("a", "a".as_bytes());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&store.folder), 0o700);
        assert_eq!(mode(&store.folder.join("a")), 0o600);
    }

    #[test]
    fn what_is_damaged_is_not_taken_and_goes() {
        for damage in [
            (|path: &Path| fs::write(path, "").unwrap()) as fn(&Path),
            |path| fs::write(path, [0; 40]).unwrap(),
            |path| {
                let mut bytes = fs::read(path).unwrap();
                let last = bytes.len() - 1;
                bytes[last] ^= 1;
                fs::write(path, bytes).unwrap();
            },
            |path| {
                let bytes = fs::read(path).unwrap();
                fs::write(path, &bytes[..bytes.len() - 1]).unwrap();
            },
            |path| {
                fs::copy(path.with_file_name("b"), path).unwrap();
            },
        ] {
            let (_folder, store) = store(1 << 20);
            store.keep("a", "a".as_bytes());
            store.keep("b", "b".as_bytes());
            damage(&store.folder.join("a"));
            assert_eq!(store.take("a"), None);
            assert_eq!(store.names(), ["b"]);
            store.keep("a", "c".as_bytes());
            assert_eq!(store.take("a"), Some("c".as_bytes().to_vec()));
        }
    }

    #[test]
    fn all_of_them_stay_below_a_size_and_what_was_used_last_stays() {
        let (_folder, store) = store(4_800);
        for (seed, key) in (1..).zip(["a", "b", "c", "d"]) {
            store.keep(key, noise(seed, 1_000).as_bytes());
            store.used(key, 100 - seed);
        }
        store.take("a").unwrap();
        store.keep("e", noise(5, 1_000).as_bytes());
        store.keep("f", noise(6, 1_000).as_bytes());
        assert_eq!(store.names(), ["a", "d", "e", "f"]);
        store.keep("g", noise(7, 3_000).as_bytes());
        assert_eq!(store.names(), ["a", "d", "e", "f"], "one alone does not replace many");
    }

    #[test]
    fn what_was_left_half_done_goes_when_nobody_can_be_at_work_on_it() {
        let (_folder, store) = store(1 << 20);
        fs::create_dir_all(&store.folder).unwrap();
        for (name, age) in [(".new-old", 2 * ABANDONED), (".new-new", Duration::ZERO)] {
            let file = File::create(store.folder.join(name)).unwrap();
            file.set_modified(SystemTime::now() - age).unwrap();
        }
        store.keep("a", "a".as_bytes());
        assert_eq!(store.names(), [".new-new", "a"]);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_no_cache() {
        let (folder, store) = store(1 << 20);
        fs::write(folder.path().join("deep"), "a file").unwrap();
        store.keep("a", "a".as_bytes());
        assert_eq!(store.take("a"), None);
    }

    #[test]
    fn many_at_once_see_whole_files_only() {
        let (_folder, store) = store(100_000);
        std::thread::scope(|scope| {
            for worker in 0..8_u64 {
                // As another process has it: the folder alone is shared.
                let own = Store::new(store.folder.clone(), store.largest);
                scope.spawn(move || {
                    for round in 0..50 {
                        let seed = (worker + round) % 12 + 1;
                        let (key, bytes) = (seed.to_string(), noise(seed, 20_000).into_bytes());
                        match own.take(&key) {
                            Some(taken) => assert_eq!(taken, bytes),
                            None => own.keep(&key, &bytes),
                        }
                    }
                });
            }
        });
        assert!(store.names().iter().all(|name| !name.starts_with(ASIDE)));
    }
}
