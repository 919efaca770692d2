//! Writes changes of the repository: all of them or none, and so that a crash leaves every file old or new.
#![expect(clippy::disallowed_methods, reason = "the adapter to the file system")]

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use tempfile::{NamedTempFile, TempPath};

use super::{Checkout, Lock};
use crate::failure::HintExt;
use crate::repo::change::FileChange;
use crate::repo::{Files, RepoPath};

/// The start and the end of the names of files that are not in their place yet, or no longer.
pub(super) const TEMPORARY: (&str, &str) = (".homelab-", ".tmp");

const UNCHANGED: &str = "no files were changed";

/// A change that can be made.
struct Step<'c> {
    change: &'c FileChange,
    /// The file itself, behind symbolic links.
    target: PathBuf,
    /// Its new text; `None` when it is removed.
    staged: Option<NamedTempFile>,
}

/// What takes a change back.
enum Undo {
    /// The file as it was.
    Restore(TempPath, PathBuf),
    /// There was none.
    Remove(PathBuf),
}

impl Checkout {
    /// Writes changes. All new texts go to temporary files beside their targets and are synced first, so that a full
    /// disk changes nothing; then they are renamed in the order given, then removals happen. A new file replaces none.
    ///
    /// # Errors
    /// When a file is not as the change found it, or the disk refuses: then all files are as they were.
    pub fn write(&self, _: &Lock, changes: &[FileChange]) -> Result<()> {
        let mut folders = NewFolders::default();
        let mut steps: Vec<Step<'_>> = Vec::new();
        let (removed, written): (Vec<_>, Vec<_>) = changes.iter().partition(|change| change.after.is_none());
        for change in written.into_iter().chain(removed) {
            let step = self.step(change, &mut folders)?;
            match steps.iter().find(|other| other.target == step.target) {
                Some(other) if other.change.after == change.after => {}
                Some(other) => bail!(
                    "`{}` and `{}` are one file, and would change in two ways; no files were changed",
                    other.change.path,
                    change.path
                ),
                None => steps.push(step),
            }
        }
        let mut done = Vec::new();
        for step in steps {
            let path = &step.change.path;
            let made = self
                .check_unchanged(step.change)
                .and_then(|()| step.make())
                .with_context(|| format!("cannot change `{path}`"));
            match made {
                Ok(undo) => done.push((path, undo)),
                Err(error) => return Err(taken_back(done, error)),
            }
        }
        folders.keep();
        // With them go the files that took the place of removed ones, and then folders in which nothing is left.
        drop(done);
        let removed = changes.iter().filter(|change| change.after.is_none());
        removed.for_each(|change| self.remove_empty(&change.path.parent()));
        Ok(())
    }

    /// Removes a folder in which nothing is left, and those above it, as git does.
    fn remove_empty(&self, folder: &RepoPath) {
        let mut folder = folder.clone();
        while !folder.is_root() && fs::remove_dir(self.absolute(&folder)).is_ok() {
            folder = folder.parent();
        }
    }

    fn step<'c>(&self, change: &'c FileChange, folders: &mut NewFolders) -> Result<Step<'c>> {
        let path = &change.path;
        self.check_unchanged(change).context(UNCHANGED)?;
        let Some(text) = &change.after else {
            // A symbolic link goes, and not what it leads to.
            return Ok(Step {
                change,
                target: self.absolute(path),
                staged: None,
            });
        };
        let target = self.target(path, folders)?;
        let staged = stage(&target, text).with_context(|| format!("cannot write `{path}`; no files were changed"))?;
        Ok(Step {
            change,
            target,
            staged: Some(staged),
        })
    }

    fn check_unchanged(&self, change: &FileChange) -> Result<()> {
        let now = self.read(&change.path)?;
        let is_same = match (&change.before, &now) {
            (Some(before), Some(now)) if change.after.is_none() => String::from_utf8_lossy(now) == before.as_str(),
            (before, now) => now.as_deref() == before.as_ref().map(String::as_bytes),
        };
        if !is_same {
            return Err(
                anyhow!("`{}` was changed by somebody else in the meantime", change.path).hint("run the command again"),
            );
        }
        Ok(())
    }

    /// Returns the path to write a file to: through symbolic links, in folders that are made when they are missing.
    fn target(&self, path: &RepoPath, folders: &mut NewFolders) -> Result<PathBuf> {
        if let Some(real) = self.resolve(path)? {
            return Ok(real);
        }
        let mut existing = path.parent();
        while self.resolve(&existing)?.is_none() {
            folders.0.push(self.absolute(&existing));
            existing = existing.parent();
        }
        let parent = self.absolute(&path.parent());
        fs::create_dir_all(&parent)
            .with_context(|| format!("cannot make the folder `{}`; no files were changed", path.parent()))?;
        Ok(parent.join(path.file_name()))
    }
}

impl Step<'_> {
    /// Makes the change, and returns what takes it back.
    fn make(self) -> Result<Undo> {
        let Self { change, target, staged } = self;
        let undo = match (&change.before, staged) {
            (None, Some(staged)) => {
                create(staged, &target)?;
                Undo::Remove(target.clone())
            }
            (Some(before), Some(staged)) => {
                let old = second_name(&target, before)?;
                staged.persist(&target).map_err(|error| error.error)?;
                Undo::Restore(old, target.clone())
            }
            (_, None) => {
                let place = temporary().tempfile_in(folder(&target)?)?.into_temp_path();
                fs::rename(&target, &place)?;
                Undo::Restore(place, target.clone())
            }
        };
        sync_folder(&target);
        Ok(undo)
    }
}

/// Takes changes back, the last one first; the error says which could not be.
fn taken_back(done: Vec<(&RepoPath, Undo)>, error: anyhow::Error) -> anyhow::Error {
    let mut left = Vec::new();
    for (path, undo) in done.into_iter().rev() {
        let taken = match undo {
            Undo::Restore(old, target) => old.persist(target).map_err(|error| error.error),
            Undo::Remove(target) => fs::remove_file(target),
        };
        if taken.is_err() {
            left.push(format!("`{path}`"));
        }
    }
    if left.is_empty() {
        return error.context(UNCHANGED);
    }
    error.context(format!(
        "half of the change was made, and cannot be taken back in {}",
        left.join(", ")
    ))
}

/// Puts a new file into its place, which has to be free.
fn create(staged: NamedTempFile, target: &Path) -> Result<()> {
    match staged.persist_noclobber(target) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => bail!("it is there already"),
        Err(error) => {
            // A file system that can neither link nor rename without replacing can still make a file that is new.
            File::create_new(target)?;
            error.file.persist(target).map_err(|error| error.error)?;
            Ok(())
        }
    }
}

/// Gives a file a second name beside it, under which it stays when it is replaced; a copy where there are no such names.
fn second_name(target: &Path, text: &str) -> Result<TempPath> {
    let linked = temporary().make_in(folder(target)?, |path| fs::hard_link(target, path));
    match linked {
        Ok(linked) => Ok(linked.into_temp_path()),
        Err(_) => Ok(stage(target, text)?.into_temp_path()),
    }
}

/// Folders that a write made; they are removed again unless it gets to its end.
#[derive(Default)]
struct NewFolders(Vec<PathBuf>);

impl NewFolders {
    fn keep(&mut self) {
        self.0.clear();
    }
}

impl Drop for NewFolders {
    fn drop(&mut self) {
        for folder in &self.0 {
            // Deepest first; a folder that is not empty stays.
            let _ = fs::remove_dir(folder);
        }
    }
}

fn temporary() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY.0).suffix(TEMPORARY.1);
    builder
}

fn folder(target: &Path) -> Result<&Path> {
    target.parent().context("the file has no folder")
}

/// Writes and syncs a temporary file beside its target, with the target's permissions and owner.
pub(super) fn stage(target: &Path, text: &str) -> Result<NamedTempFile> {
    let mut builder = temporary();
    let metadata = fs::metadata(target).ok();
    #[cfg(unix)]
    if metadata.is_none() {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder(target)?)?;
    // Whoever cleans up leaves it alone.
    let _ = file.as_file().try_lock();
    if let Some(metadata) = metadata {
        if metadata.permissions().readonly() {
            bail!("it is read-only");
        }
        keep_owner(file.as_file(), &metadata);
        file.as_file().set_permissions(metadata.permissions())?;
    }
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Gives a file the owner of another one, where the system allows it: root edits the files of others.
#[cfg(unix)]
fn keep_owner(file: &File, of: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};
    let owner = |metadata: &fs::Metadata| (metadata.uid(), metadata.gid());
    if file.metadata().is_ok_and(|own| owner(&own) != owner(of)) {
        let _ = fchown(file, Some(of.uid()), Some(of.gid()));
    }
}

#[cfg(not(unix))]
fn keep_owner(_: &File, _: &fs::Metadata) {}

/// Makes a rename durable; where folders cannot be synced (some file systems) the rename itself stands.
pub(super) fn sync_folder(target: &Path) {
    if let Some(folder) = target.parent()
        && let Ok(folder) = File::open(folder)
    {
        let _ = folder.sync_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(path: &str, before: Option<&str>, after: Option<&str>) -> FileChange {
        let own = |text: Option<&str>| text.map(str::to_owned);
        FileChange {
            path: RepoPath::new(path).unwrap(),
            before: own(before),
            after: own(after),
        }
    }

    fn write(folder: &Path, changes: &[FileChange]) -> Result<()> {
        let lock = Lock::take(folder, &mut || {}).unwrap();
        Checkout::open(folder).unwrap().write(&lock, changes)
    }

    fn names(folder: &Path) -> Vec<String> {
        let checkout = Checkout::open(folder).unwrap();
        let entries = checkout.list(&RepoPath::root()).unwrap().unwrap();
        entries.into_iter().map(|entry| entry.name).collect()
    }

    fn text(folder: &Path, name: &str) -> String {
        fs::read_to_string(folder.join(name)).unwrap()
    }

    #[test]
    fn writes_creates_and_removes() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        fs::write(folder.join("a"), "1").unwrap();
        fs::write(folder.join("b"), "1").unwrap();
        let changes = [
            change("a", Some("1"), Some("2")),
            change("b", Some("1"), None),
            change("x/y/c", None, Some("3")),
        ];
        write(folder, &changes).unwrap();
        assert_eq!(names(folder), ["a", "x"]);
        assert_eq!(names(&folder.join("x/y")), ["c"]);
        assert_eq!((text(folder, "a"), text(folder, "x/y/c")), ("2".into(), "3".into()));
    }

    #[test]
    fn a_file_that_is_no_text_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("chart.tgz"), b"\x1f\x8b\xff").unwrap();
        let seen = String::from_utf8_lossy(b"\x1f\x8b\xff");
        write(folder.path(), &[change("chart.tgz", Some(&seen), None)]).unwrap();
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn a_folder_goes_with_its_last_file() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("apps/web/deep")).unwrap();
        fs::write(folder.path().join("apps/web/deep/a"), "1").unwrap();
        fs::write(folder.path().join("apps/b"), "1").unwrap();
        write(folder.path(), &[change("apps/web/deep/a", Some("1"), None)]).unwrap();
        assert_eq!(names(&folder.path().join("apps")), ["b"]);
    }

    #[test]
    fn a_file_that_changed_meanwhile_stops_everything() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("b"), "other").unwrap();
        let changes = [change("x/a", None, Some("1")), change("b", Some("1"), Some("2"))];
        let error = write(folder.path(), &changes).unwrap_err();
        assert!(
            format!("{error:#}").contains("`b` was changed by somebody else"),
            "{error:#}"
        );
        assert_eq!(
            names(folder.path()),
            ["b"],
            "neither a file nor a folder is left behind"
        );
    }

    #[test]
    fn a_new_file_replaces_none() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a");
        let staged = stage(&target, "new").unwrap();
        fs::write(&target, "other").unwrap();
        let error = create(staged, &target).unwrap_err();
        assert_eq!(error.to_string(), "it is there already");
        assert_eq!(names(folder.path()), ["a"]);
        assert_eq!(text(folder.path(), "a"), "other");
    }

    #[test]
    fn half_a_change_is_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        for name in ["a", "b"] {
            fs::write(folder.join(name), "1").unwrap();
        }
        let checkout = Checkout::open(folder).unwrap();
        let changes = [
            change("x/new", None, Some("1")),
            change("a", Some("1"), Some("2")),
            change("b", Some("1"), None),
        ];
        let mut folders = NewFolders::default();
        let mut done = Vec::new();
        for change in &changes {
            let step = checkout.step(change, &mut folders).unwrap();
            done.push((&change.path, step.make().unwrap()));
        }
        assert_eq!(text(folder, "a"), "2");
        let error = taken_back(done, anyhow!("the next one failed"));
        drop(folders);
        assert_eq!(format!("{error:#}"), "no files were changed: the next one failed");
        assert_eq!(names(folder), ["a", "b"]);
        assert_eq!((text(folder, "a"), text(folder, "b")), ("1".into(), "1".into()));
    }

    #[cfg(unix)]
    #[test]
    fn mode_and_symbolic_links_stay() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        fs::write(folder.join("real"), "1").unwrap();
        fs::set_permissions(folder.join("real"), fs::Permissions::from_mode(0o640)).unwrap();
        symlink("real", folder.join("link")).unwrap();
        write(folder, &[change("link", Some("1"), Some("2"))]).unwrap();
        assert!(fs::symlink_metadata(folder.join("link")).unwrap().is_symlink());
        assert_eq!(text(folder, "real"), "2");
        let mode = fs::metadata(folder.join("real")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        let twice = [
            change("link", Some("2"), Some("3")),
            change("real", Some("2"), Some("3")),
        ];
        write(folder, &twice).unwrap();
        assert_eq!(text(folder, "real"), "3");
        let apart = [
            change("link", Some("3"), Some("4")),
            change("real", Some("3"), Some("5")),
        ];
        let error = write(folder, &apart).unwrap_err();
        assert!(error.to_string().contains("are one file"), "{error:#}");
        write(folder, &[change("link", Some("3"), None)]).unwrap();
        assert_eq!(names(folder), ["real"]);
    }
}
