//! Remembers a change of several files from before its first write until after its last, so that the same command completes what a
//! run that was killed has begun.
//!
//! The record is in git's folder of the working tree, as the lock is, and without git in the user's cache. It is never beside the files: it
//! holds their new texts, and a `git add` must not find it. Its process keeps it locked while a commit runs, so that nobody takes a
//! living run for one that was killed.
#![expect(clippy::disallowed_methods, reason = "the adapter to the file system")]

use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use base16ct::lower;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::cache::digest_of;
use super::lock::is_at;
use super::store::make_private;
use super::write::sync_folder;
use super::{Checkout, Lock, cache_folder, git_folder};
use crate::repo::change::FileChange;
use crate::repo::{Files, RepoPath};

/// The version of the form of a record.
const VERSION: u64 = 1;
/// The name in git's folder.
const NAME: &str = ".kubectl-homelab";
const ENDING: &str = ".begun";
/// What follows the name of a record that is not in its place yet.
const UNPLACED: &str = ".new";

/// What a command is about to do, besides the files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Intent {
    /// Its words, without those that do not change what is written.
    pub command: Vec<String>,
    /// The message of a commit where the user gives none.
    pub message: String,
    /// The next step, for the user.
    pub next: Option<String>,
    /// Whether git had no other changes in the files.
    pub is_clean: bool,
}

/// The record of a living run.
#[derive(Debug)]
pub struct Record {
    /// Locked, until this value goes.
    file: File,
    path: PathBuf,
}

impl Record {
    /// Forgets the change. Another run may have put a record of its own there meanwhile, which stays.
    pub fn remove(self) {
        if is_at(&self.file, &self.path) {
            let _ = fs::remove_file(&self.path);
        }
    }

    /// Forgets a change that failed, unless a part of it could not be taken back.
    pub fn remove_unless_half(self, checkout: &Checkout) {
        let text = fs::read_to_string(&self.path).unwrap_or_default();
        let rest = parsed(&text).map(|(_, files)| rest(&files, checkout));
        if !matches!(rest, Ok(Rest::Files(_))) {
            self.remove();
        }
    }
}

/// The change that a run which is over has begun.
#[derive(Debug)]
pub struct Begun {
    file: File,
    path: PathBuf,
    /// What it was about to do.
    pub intent: Intent,
    files: Vec<BegunFile>,
}

/// A file of such a change.
#[derive(Debug)]
struct BegunFile {
    path: RepoPath,
    /// The digest of what it was; `None` when it is new.
    before: Option<String>,
    /// Its text after; `None` when it is removed.
    after: Option<String>,
}

/// What is left of a change to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Rest {
    /// Everything: no file is written, or each of them is as it was again.
    All,
    /// Nothing: all files are written.
    Nothing,
    /// These files.
    Files(Vec<FileChange>),
    /// It cannot be said: this file is neither as it was nor as it would be.
    Unknown(RepoPath),
}

impl Checkout {
    /// Remembers a change that is about to be written.
    ///
    /// # Errors
    /// When a file cannot be read, or the record cannot be written.
    pub fn remember(&self, _: &Lock, changes: &[FileChange], intent: &Intent) -> Result<Record> {
        let files = changes.iter().map(|change| {
            let before = self.read(&change.path)?.map(|bytes| digest(&bytes));
            Ok(json!({"path": change.path.as_str(), "before": before, "after": change.after}))
        });
        let tree = json!({
            "version": VERSION,
            "command": intent.command,
            "message": intent.message,
            "next": intent.next,
            "clean": intent.is_clean,
            "files": files.collect::<Result<Vec<Value>>>()?,
        });
        write(self.record()?, &serde_json::to_vec(&tree)?)
    }

    /// Returns the change that a run which is over has begun and not forgotten.
    ///
    /// # Errors
    /// When there is a record that cannot be read.
    pub fn begun(&self) -> Result<Option<Begun>> {
        // Without a place, nothing was remembered.
        let Ok(path) = self.record() else { return Ok(None) };
        let mut file = match File::options().read(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("`{}`", path.display())),
        };
        match file.try_lock_shared() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error).with_context(|| format!("`{}`", path.display())),
        }
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        let (intent, files) = parsed(&text).with_context(|| format!("`{}`", path.display()))?;
        Ok(Some(Begun {
            file,
            path,
            intent,
            files,
        }))
    }

    /// Forgets what a run which is over has begun.
    pub fn forget_begun(&self, _: &Lock) {
        if let Ok(path) = self.record() {
            let _ = fs::remove_file(path);
        }
    }

    /// Removes the record that a killed run was about to put into its place, and returns how many there were.
    pub(super) fn remove_unplaced_record(&self) -> usize {
        let path = self.record().map(|path| unplaced(&path));
        usize::from(path.is_ok_and(|path| fs::remove_file(path).is_ok()))
    }

    /// Returns the path of the record: there is one for each root in a working tree.
    fn record(&self) -> Result<PathBuf> {
        let root = self.root().to_string_lossy();
        let Some(folder) = git_folder::of(self.root()) else {
            return cache_folder("begun", &[&root]);
        };
        Ok(folder.join(match self.root().join(git_folder::NAME).exists() {
            true => format!("{NAME}{ENDING}"),
            false => format!("{NAME}-{}{ENDING}", digest_of(&[&root])),
        }))
    }
}

impl Begun {
    /// Returns what is left to do in the files as they are now.
    pub fn rest(&self, checkout: &Checkout) -> Rest {
        rest(&self.files, checkout)
    }

    /// Returns all its files.
    pub fn paths(&self) -> impl Iterator<Item = &RepoPath> {
        self.files.iter().map(|file| &file.path)
    }

    /// Reports whether it makes a file that was not there before.
    pub fn is_new(&self, path: &RepoPath) -> bool {
        self.files
            .iter()
            .any(|file| file.path == *path && file.before.is_none())
    }

    /// Takes the record over, for a run that completes the change.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn into_record(self) -> Result<Record> {
        let Self { file, path, .. } = self;
        file.lock()?;
        Ok(Record { file, path })
    }
}

fn rest(files: &[BegunFile], checkout: &Checkout) -> Rest {
    let (mut rest, mut made) = (Vec::new(), 0);
    for file in files {
        let Ok(now) = checkout.read(&file.path) else {
            return Rest::Unknown(file.path.clone());
        };
        if now.as_deref() == file.after.as_deref().map(str::as_bytes) {
            made += 1;
        } else if now.as_deref().map(digest) == file.before {
            rest.push(FileChange {
                path: file.path.clone(),
                before: now.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
                after: file.after.clone(),
            });
        } else {
            return Rest::Unknown(file.path.clone());
        }
    }
    match (rest.is_empty(), made) {
        (true, _) => Rest::Nothing,
        (false, 0) => Rest::All,
        (false, _) => Rest::Files(rest),
    }
}

fn digest(bytes: &[u8]) -> String {
    lower::encode_string(&Sha256::digest(bytes))
}

fn unplaced(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(UNPLACED);
    name.into()
}

/// Writes a record, for the user alone and whole or not at all.
fn write(path: PathBuf, bytes: &[u8]) -> Result<Record> {
    let refused = || format!("cannot write `{}`", path.display());
    let folder = path.parent().context("the record has no folder")?;
    if !folder.exists() {
        make_private(folder)?;
    }
    let unplaced = unplaced(&path);
    let name = unplaced.file_name().context("the record has no name")?;
    // That of a run that was killed: its process has no lock any more.
    let _ = fs::remove_file(&unplaced);
    let mut new = tempfile::Builder::new()
        .prefix(name)
        .rand_bytes(0)
        .tempfile_in(folder)
        .with_context(refused)?;
    new.as_file().lock().with_context(refused)?;
    new.write_all(bytes).with_context(refused)?;
    new.as_file().sync_all().with_context(refused)?;
    let file = new.persist(&path).map_err(|error| error.error).with_context(refused)?;
    sync_folder(&path);
    Ok(Record { file, path })
}

fn parsed(text: &str) -> Result<(Intent, Vec<BegunFile>)> {
    // What is in it is in no message.
    let tree: Value = serde_json::from_str(text).ok().context("it is not JSON")?;
    if tree["version"] != json!(VERSION) {
        bail!("it is of another version of this program");
    }
    let string = |value: &Value| value.as_str().map(str::to_owned);
    let of_files = tree["files"].as_array().context("it names no files")?;
    let files = of_files.iter().map(|file| {
        Ok(BegunFile {
            path: RepoPath::new(file["path"].as_str().context("a file has no path")?)?,
            before: string(&file["before"]),
            after: string(&file["after"]),
        })
    });
    let command = tree["command"].as_array().context("it names no command")?;
    let intent = Intent {
        command: command.iter().filter_map(string).collect(),
        message: string(&tree["message"]).context("it has no message")?,
        next: string(&tree["next"]),
        is_clean: tree["clean"] == json!(true),
    };
    let files = files.collect::<Result<Vec<_>>>()?;
    ensure!(!files.is_empty(), "it names no files");
    Ok((intent, files))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Tree {
        folder: tempfile::TempDir,
        checkout: Checkout,
        changes: Vec<FileChange>,
        intent: Intent,
    }

    /// Makes a working tree with a change of one file, a new one, and one that goes and is no text.
    fn tree() -> Tree {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join(".git")).unwrap();
        fs::write(folder.path().join("a"), "1").unwrap();
        fs::write(folder.path().join("gone.tgz"), b"\x1f\x8b\xff").unwrap();
        let change = |path: &str, before: Option<&[u8]>, after: Option<&str>| FileChange {
            path: RepoPath::new(path).unwrap(),
            before: before.map(|bytes| String::from_utf8_lossy(bytes).into_owned()),
            after: after.map(str::to_owned),
        };
        Tree {
            checkout: Checkout::open(folder.path()).unwrap(),
            changes: vec![
                change("a", Some(b"1"), Some("2")),
                change("new/b", None, Some("password: hunter2")),
                change("gone.tgz", Some(b"\x1f\x8b\xff"), None),
            ],
            intent: Intent {
                command: vec!["remove-app".to_owned(), "a".to_owned()],
                message: "Remove a".to_owned(),
                next: Some("push it".to_owned()),
                is_clean: true,
            },
            folder,
        }
    }

    impl Tree {
        fn lock(&self) -> Lock {
            Lock::take(self.folder.path(), &mut || {}).unwrap()
        }

        fn rest(&self) -> Rest {
            self.checkout.begun().unwrap().unwrap().rest(&self.checkout)
        }
    }

    #[test]
    fn what_is_left_is_known_behind_each_file() {
        let tree = tree();
        let lock = tree.lock();
        drop(tree.checkout.remember(&lock, &tree.changes, &tree.intent).unwrap());
        assert_eq!(tree.checkout.begun().unwrap().unwrap().intent, tree.intent);
        assert_eq!(tree.rest(), Rest::All);
        fs::write(tree.folder.path().join("a"), "2").unwrap();
        assert_eq!(tree.rest(), Rest::Files(tree.changes[1..].to_vec()));
        fs::create_dir(tree.folder.path().join("new")).unwrap();
        fs::write(tree.folder.path().join("new/b"), "password: hunter2").unwrap();
        assert_eq!(tree.rest(), Rest::Files(tree.changes[2..].to_vec()));
        let Rest::Files(rest) = tree.rest() else { panic!() };
        tree.checkout.write(&lock, &rest).unwrap();
        assert_eq!(tree.rest(), Rest::Nothing);
        fs::write(tree.folder.path().join("a"), "mine").unwrap();
        assert_eq!(tree.rest(), Rest::Unknown(tree.changes[0].path.clone()));
        tree.checkout.forget_begun(&lock);
        assert!(tree.checkout.begun().unwrap().is_none());
    }

    #[test]
    fn a_living_run_is_none_that_was_killed() {
        let tree = tree();
        let record = tree
            .checkout
            .remember(&tree.lock(), &tree.changes, &tree.intent)
            .unwrap();
        assert!(tree.checkout.begun().unwrap().is_none());
        drop(record);
        let record = tree.checkout.begun().unwrap().unwrap().into_record().unwrap();
        assert!(tree.checkout.begun().unwrap().is_none());
        // A hook of its commit edits, too.
        let other = tree
            .checkout
            .remember(&tree.lock(), &tree.changes[..1], &tree.intent)
            .unwrap();
        record.remove();
        drop(other);
        assert_eq!(tree.checkout.begun().unwrap().unwrap().paths().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_user_reads_a_record() {
        use std::os::unix::fs::PermissionsExt;
        let tree = tree();
        let path = tree.folder.path().join(".git/.kubectl-homelab.begun");
        // Another run was killed while it wrote one.
        fs::write(unplaced(&path), "half").unwrap();
        let record = tree
            .checkout
            .remember(&tree.lock(), &tree.changes, &tree.intent)
            .unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        record.remove();
        assert_eq!(fs::read_dir(tree.folder.path().join(".git")).unwrap().count(), 0);
    }

    #[test]
    fn a_record_that_cannot_be_read_is_said_without_what_is_in_it() {
        let tree = tree();
        let path = tree.folder.path().join(".git/.kubectl-homelab.begun");
        for text in [
            "hunter2",
            r#"{"version": 2, "files": ["hunter2"]}"#,
            r#"{"version": 1, "files": [{"path": "../hunter2"}]}"#,
            r#"{"version": 1, "command": [], "message": "", "files": []}"#,
        ] {
            fs::write(&path, text).unwrap();
            let error = format!("{:#}", tree.checkout.begun().unwrap_err());
            assert!(error.contains(".begun`: "), "{error}");
            assert!(!error.contains("version\""), "{error}");
        }
    }

    #[test]
    fn each_root_in_a_working_tree_has_its_own() {
        let tree = tree();
        fs::create_dir(tree.folder.path().join("home")).unwrap();
        let below = Checkout::open(&tree.folder.path().join("home")).unwrap();
        drop(
            tree.checkout
                .remember(&tree.lock(), &tree.changes, &tree.intent)
                .unwrap(),
        );
        assert!(below.begun().unwrap().is_none());
        assert!(below.record().unwrap().starts_with(tree.checkout.root().join(".git")));
    }
}
