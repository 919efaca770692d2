//! The adapter to the file system: finds the repository, reads below a root, and writes changes under a lock, so that a
//! crash leaves every file old or new.
#![expect(clippy::disallowed_methods, reason = "the adapter to the file system")]

mod begun;
mod cache;
pub mod completer;
mod copied;
mod fingerprint;
mod git_folder;
mod leftovers;
mod lock;
mod read;
mod store;
mod write;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};

use crate::failure::HintExt;
use crate::repo::RepoPath;
use crate::repo::layout::APPLICATIONS;
use crate::repo::listed::Listed;

pub use begun::{Begun, Intent, Record, Rest};
pub use cache::{CACHE_VARIABLE, cache, cache_folder, named_cache, replace_folder, temporary_folder_in};
pub use copied::Copied;
pub use fingerprint::Fingerprint;
pub use lock::{LOCK_TIMEOUT_VARIABLE, Lock};
pub use store::Store;

use write::stage;

/// A folder with everything below it; nothing outside is ever read or written.
#[derive(Clone, Debug)]
pub struct Checkout {
    root: PathBuf,
    /// The files that count, where git says it.
    files: Option<Arc<Listed>>,
    /// The commit that is checked out, where git says it.
    commit: Option<String>,
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
        Ok(Self {
            root: real,
            files: None,
            commit: None,
        })
    }

    /// Finds the repository that a folder is in: the nearest ancestor with `.git`, else the nearest with
    /// `applications/` or `.homelab.yaml`.
    ///
    /// # Errors
    /// When there is none, as in a bare repository.
    pub fn find(start: &Path) -> Result<Self> {
        let start = fs::canonicalize(start).with_context(|| format!("cannot open `{}`", start.display()))?;
        if let Some(folder) = git_folder::around(&start) {
            return Err(git_folder::no_working_tree(&folder));
        }
        let nearest = |name: &str| start.ancestors().find(|folder| folder.join(name).exists());
        let root = MARKS.iter().find_map(|mark| nearest(mark));
        let root = root.ok_or_else(|| {
            anyhow!(
                "`{}` is not in a GitOps repository: no ancestor has `.git` or `{APPLICATIONS}`",
                start.display()
            )
            .hint("change into the repository, name it with `--repo-dir`, or make one with `kubectl homelab init`")
        })?;
        Ok(Self {
            root: root.to_owned(),
            files: None,
            commit: None,
        })
    }

    /// Takes these files for all that count below the root: those that git has, and those that it would add.
    #[must_use]
    pub fn with_files(mut self, files: Listed) -> Self {
        self.files = Some(Arc::new(files));
        self
    }

    /// Takes this commit for the one that is checked out.
    #[must_use]
    pub fn at_commit(self, commit: Option<String>) -> Self {
        Self { commit, ..self }
    }

    /// Returns the commit that is checked out, in full, as far as somebody has said it.
    pub fn commit(&self) -> Option<&str> {
        self.commit.as_deref()
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
        let mut absolute = self.root.clone();
        absolute.extend(path.parts());
        absolute
    }
}

/// What tells the root of a repository.
const MARKS: [&str; 3] = [".git", APPLICATIONS, ".homelab.yaml"];

/// Reports whether a folder is a repository's root: it has `.git`, the folder of Applications, or the settings.
pub fn is_repository(folder: &Path) -> bool {
    MARKS.iter().any(|name| folder.join(name).exists())
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
    text(bytes, &format!("`{}`", path.display()))
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
    text(bytes, "standard input")
}

fn text(bytes: Vec<u8>, what: &str) -> Result<String> {
    String::from_utf8(bytes).map_err(|error| match error.as_bytes() {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => anyhow!("{what} is UTF-16, not UTF-8").hint(
            "convert it with `iconv -f UTF-16 -t UTF-8`; Windows PowerShell writes UTF-16 with `>` and `Out-File`",
        ),
        _ => {
            let at = error.utf8_error().valid_up_to();
            anyhow!("{what} is not UTF-8 at byte {at}").hint("convert it to UTF-8, as `iconv` does")
        }
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
    use crate::failure::Failure;
    use crate::repo::Files;

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
    }

    #[test]
    fn what_is_not_utf_8_is_refused_with_the_way_it_came_about() {
        let refused = |bytes: &[u8]| Failure::from(text(bytes.to_vec(), "standard input").unwrap_err());
        let utf16 = refused(b"\xff\xfea\x00");
        assert_eq!(utf16.one_line(), "standard input is UTF-16, not UTF-8");
        assert!(utf16.hints[0].contains("PowerShell"));
        let latin = refused(b"a: \xe4\n");
        assert_eq!(latin.one_line(), "standard input is not UTF-8 at byte 3");
        assert!(latin.hints[0].contains("iconv"));
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
