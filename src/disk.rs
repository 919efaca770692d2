//! The adapter to the file system: finds the repository, reads below a root, and writes changes so that a crash leaves every
//! file old or new.
#![expect(clippy::disallowed_methods, reason = "the adapter to the file system")]

mod cache;
pub mod completer;
mod read;

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};

use crate::failure::HintExt;
use crate::repo::change::FileChange;
use crate::repo::layout::APPLICATIONS;
use crate::repo::{Files, RepoPath};

pub use cache::{CACHE_VARIABLE, cache, cache_folder, named_cache, replace_folder, temporary_folder_in};

/// A folder with everything below it; nothing outside is ever read or written.
#[derive(Clone, Debug)]
pub struct Checkout {
    root: PathBuf,
}

impl Checkout {
    /// Opens a folder.
    ///
    /// # Errors
    /// When it does not exist or is not a folder.
    pub fn open(root: &Path) -> Result<Self> {
        let real = fs::canonicalize(root).with_context(|| format!("cannot open `{}`", root.display()))?;
        if !real.is_dir() {
            bail!("`{}` is not a folder", root.display());
        }
        Ok(Self { root: real })
    }

    /// Finds the repository that a folder is in: the nearest ancestor with `.git`, else the nearest with
    /// `applications/`.
    ///
    /// # Errors
    /// When there is none.
    pub fn find(start: &Path) -> Result<Self> {
        let start = fs::canonicalize(start).with_context(|| format!("cannot open `{}`", start.display()))?;
        let nearest = |name: &str| start.ancestors().find(|folder| folder.join(name).exists());
        let root = nearest(".git").or_else(|| nearest(APPLICATIONS));
        let root = root.ok_or_else(|| {
            anyhow!(
                "`{}` is not in a GitOps repository: no ancestor has `.git` or `{APPLICATIONS}`",
                start.display()
            )
            .hint("change into the repository, name it with `--repo-dir`, or make one with `kubectl homelab init`")
        })?;
        Ok(Self { root: root.to_owned() })
    }

    /// Returns the root, absolute and without symbolic links.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns a path of the working directory as one of the repository.
    ///
    /// # Errors
    /// When it does not exist, is outside, or has a name that is not UTF-8.
    pub fn relative(&self, path: &Path) -> Result<RepoPath> {
        let real = fs::canonicalize(path).with_context(|| format!("cannot open `{}`", path.display()))?;
        let Ok(below) = real.strip_prefix(&self.root) else {
            bail!(
                "`{}` is not in the repository `{}`",
                path.display(),
                self.root.display()
            );
        };
        let text = below
            .to_str()
            .with_context(|| format!("the path `{}` is not UTF-8", below.display()))?;
        RepoPath::new(&text.replace(std::path::MAIN_SEPARATOR, "/"))
    }

    /// Returns the path on disk.
    pub fn absolute(&self, path: &RepoPath) -> PathBuf {
        path.parts().fold(self.root.clone(), |folder, part| folder.join(part))
    }
}

impl Checkout {
    /// Writes changes: all new texts go to temporary files beside their targets and are synced first, so that a full
    /// disk changes nothing; then they are renamed in the order given, then removals happen.
    ///
    /// # Errors
    /// When a file has changed since the change was made, or the disk refuses; before the first rename nothing has changed.
    pub fn write(&self, changes: &[FileChange]) -> Result<()> {
        let mut folders = NewFolders::default();
        let mut staged = Vec::new();
        for change in changes {
            let path = &change.path;
            self.check_unchanged(change)?;
            if let Some(text) = &change.after {
                let target = self.target(path, &mut folders)?;
                let file =
                    stage(&target, text).with_context(|| format!("cannot write `{path}`; no files were changed"))?;
                staged.push((file, target, path));
            }
        }
        folders.keep();
        for (file, target, path) in staged {
            file.persist(&target)
                .map_err(|error| error.error)
                .with_context(|| format!("cannot replace `{path}`"))?;
            sync_folder(&target);
        }
        for change in changes.iter().filter(|change| change.after.is_none()) {
            let target = self.absolute(&change.path);
            fs::remove_file(&target).with_context(|| format!("cannot remove `{}`", change.path))?;
            sync_folder(&target);
        }
        Ok(())
    }

    fn check_unchanged(&self, change: &FileChange) -> Result<()> {
        let now = self.read(&change.path)?;
        if now.as_deref() != change.before.as_ref().map(String::as_bytes) {
            return Err(anyhow!(
                "`{}` was changed by somebody else in the meantime; no files were changed",
                change.path
            )
            .hint("run the command again"));
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

/// Folders that a write made; they are removed again unless it gets as far as renaming.
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

/// Writes and syncs a temporary file beside its target, with the target's permissions.
fn stage(target: &Path, text: &str) -> Result<tempfile::NamedTempFile> {
    let folder = target.parent().context("the file has no folder")?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".homelab-").suffix(".tmp");
    let metadata = fs::metadata(target).ok();
    #[cfg(unix)]
    if metadata.is_none() {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder)?;
    if let Some(metadata) = metadata {
        if metadata.permissions().readonly() {
            bail!("it is read-only");
        }
        file.as_file().set_permissions(metadata.permissions())?;
    }
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Makes a rename durable; where folders cannot be synced (some file systems) the rename itself stands.
fn sync_folder(target: &Path) {
    if let Some(folder) = target.parent()
        && let Ok(folder) = fs::File::open(folder)
    {
        let _ = folder.sync_all();
    }
}

/// Reports whether a folder is a repository's root: it has `.git` or the folder of Applications.
pub fn is_repository(folder: &Path) -> bool {
    [".git", APPLICATIONS].iter().any(|name| folder.join(name).exists())
}

/// Reports whether a folder on disk is a chart.
pub fn is_chart(folder: &Path) -> bool {
    folder.join("Chart.yaml").exists()
}

/// Makes a folder that the user named, with those above it.
///
/// # Errors
/// When the system refuses.
pub fn make_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).with_context(|| format!("cannot make the folder `{}`", path.display()))
}

/// Reports whether a path exists.
pub fn exists(path: &Path) -> bool {
    path.exists()
}

/// Makes an empty folder that is removed when its value is dropped.
///
/// # Errors
/// When the system refuses.
pub fn empty_folder() -> Result<tempfile::TempDir> {
    tempfile::tempdir().context("cannot make a temporary folder")
}

/// Reads a file that the user named on the command line.
///
/// # Errors
/// When it cannot be read or is not UTF-8.
pub fn read_text(path: &Path) -> Result<String> {
    let bytes = fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    String::from_utf8(bytes).map_err(|_| anyhow!("`{}` is not UTF-8", path.display()))
}

/// Reads standard input, whole.
///
/// # Errors
/// When it cannot be read or is not UTF-8.
pub fn read_stdin() -> Result<String> {
    let mut bytes = Vec::new();
    unbuffered_stdin()
        .and_then(|mut input| input.read_to_end(&mut bytes))
        .context("cannot read standard input")?;
    String::from_utf8(bytes).map_err(|error| {
        anyhow!(
            "standard input is not UTF-8 at byte {}",
            error.utf8_error().valid_up_to()
        )
    })
}

/// Returns standard input as a file: one whose size is known is read in one go.
#[cfg(unix)]
fn unbuffered_stdin() -> std::io::Result<fs::File> {
    use std::os::fd::AsFd;
    std::io::stdin().as_fd().try_clone_to_owned().map(fs::File::from)
}

#[cfg(windows)]
fn unbuffered_stdin() -> std::io::Result<fs::File> {
    use std::os::windows::io::AsHandle;
    std::io::stdin().as_handle().try_clone_to_owned().map(fs::File::from)
}

/// Writes a file that the user asked for, whole or not at all.
///
/// # Errors
/// When the system refuses.
pub fn write_text(path: &Path, text: &str) -> Result<()> {
    let staged = stage(path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
    staged
        .persist(path)
        .map_err(|error| error.error)
        .with_context(|| format!("cannot write `{}`", path.display()))?;
    Ok(())
}

/// Returns the folders beside the repository, in which checkouts of its sources are searched for.
pub fn siblings(root: &Path) -> Vec<PathBuf> {
    let entries = root
        .parent()
        .and_then(|parent| fs::read_dir(parent).ok())
        .into_iter()
        .flatten()
        .flatten();
    let mut folders: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.join(".git").exists())
        .collect();
    folders.sort();
    folders
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

    fn names(folder: &Path) -> Vec<String> {
        let checkout = Checkout::open(folder).unwrap();
        let entries = checkout.list(&RepoPath::root()).unwrap().unwrap();
        entries.into_iter().map(|entry| entry.name).collect()
    }

    #[test]
    fn writes_creates_and_removes() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "1").unwrap();
        fs::write(folder.path().join("b"), "1").unwrap();
        let checkout = Checkout::open(folder.path()).unwrap();
        let changes = [
            change("a", Some("1"), Some("2")),
            change("b", Some("1"), None),
            change("x/y/c", None, Some("3")),
        ];
        checkout.write(&changes).unwrap();
        assert_eq!(names(folder.path()), ["a", "x"]);
        assert_eq!(fs::read_to_string(folder.path().join("x/y/c")).unwrap(), "3");
    }

    #[test]
    fn a_file_that_changed_meanwhile_stops_everything() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("b"), "other").unwrap();
        let checkout = Checkout::open(folder.path()).unwrap();
        let changes = [change("x/a", None, Some("1")), change("b", Some("1"), Some("2"))];
        let error = checkout.write(&changes).unwrap_err();
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

    #[cfg(unix)]
    #[test]
    fn a_path_of_the_working_directory_becomes_one_of_the_repository() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("a")).unwrap();
        let checkout = Checkout::open(folder.path()).unwrap();
        assert_eq!(checkout.relative(&folder.path().join("a")).unwrap().as_str(), "a");
        assert!(checkout.relative(folder.path()).unwrap().is_root());
        assert!(checkout.relative(&folder.path().join("b")).is_err());
        assert!(checkout.relative(Path::new("/")).is_err());
    }

    #[test]
    fn symbolic_links_stay_inside() {
        let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(outside.path().join("secret"), "s").unwrap();
        fs::write(folder.path().join("real"), "1").unwrap();
        let link = |to: &Path, name: &str| std::os::unix::fs::symlink(to, folder.path().join(name)).unwrap();
        link(&outside.path().join("secret"), "out");
        link(Path::new("real"), "in");
        link(Path::new("nowhere"), "broken");
        let checkout = Checkout::open(folder.path()).unwrap();
        let read = |path: &str| checkout.read(&RepoPath::new(path).unwrap());
        assert!(
            read("out")
                .unwrap_err()
                .to_string()
                .contains("leads out of the repository")
        );
        assert!(read("broken").unwrap_err().to_string().contains("leads nowhere"));
        assert_eq!(read("in").unwrap().unwrap(), b"1");
        let target = |path: &str| checkout.link(&RepoPath::new(path).unwrap());
        assert_eq!(target("in").unwrap(), Some(RepoPath::new("real").unwrap()));
        assert_eq!(
            (target("real").unwrap(), target("nothing/at/all").unwrap()),
            (None, None)
        );
        assert!(
            target("out")
                .unwrap_err()
                .to_string()
                .contains("leads out of the repository")
        );
        let links: Vec<_> = checkout.list(&RepoPath::root()).unwrap().unwrap();
        let links: Vec<_> = links.iter().map(|entry| (&entry.name[..], entry.is_link)).collect();
        assert_eq!(links, [("broken", true), ("in", true), ("out", true), ("real", false)]);
        checkout.write(&[change("in", Some("1"), Some("2"))]).unwrap();
        assert!(fs::symlink_metadata(folder.path().join("in")).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(folder.path().join("real")).unwrap(), "2");
    }

    #[test]
    fn finds_git_before_applications() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("repo/sub/applications/deep")).unwrap();
        fs::create_dir(folder.path().join("repo/.git")).unwrap();
        let deep = folder.path().join("repo/sub/applications/deep");
        assert!(Checkout::find(&deep).unwrap().root().ends_with("repo"));
        fs::remove_dir(folder.path().join("repo/.git")).unwrap();
        assert!(Checkout::find(&deep).unwrap().root().ends_with("sub"));
    }
}
