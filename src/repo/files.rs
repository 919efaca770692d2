//! Access to a repository's files: a trait that the adapter to the file system implements, and a map in memory.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Result, bail};

use crate::parallel;

/// A path inside a repository or checkout: relative, parts joined by `/`, no `.` and no `..`; empty for the root.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoPath(String);

impl RepoPath {
    /// Returns the root.
    pub fn root() -> Self {
        Self::default()
    }

    /// Reads a path as Argo CD's fields write it: `.`, a leading `/` or `./` and a trailing `/` are allowed; `..` is
    /// resolved.
    ///
    /// # Errors
    /// When it leads out of the repository.
    pub fn new(path: &str) -> Result<Self> {
        Self::root().join(path.trim_start_matches('/'))
    }

    /// Returns a path relative to this one.
    ///
    /// # Errors
    /// When it leads out of the repository.
    pub fn join(&self, path: &str) -> Result<Self> {
        if !path.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Ok(Self(match self.is_root() {
                true => path.to_owned(),
                false => format!("{}/{path}", self.0),
            }));
        }
        let mut parts: Vec<&str> = self.parts().collect();
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." if parts.pop().is_none() => bail!("path `{path}` leads out of the repository"),
                ".." => {}
                _ => parts.push(part),
            }
        }
        Ok(Self(parts.join("/")))
    }

    /// Returns the parts between the slashes.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|part| !part.is_empty())
    }

    /// Returns the path as text; empty for the root.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reports whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the parent folder; the root's is the root.
    pub fn parent(&self) -> Self {
        Self(
            self.0
                .rsplit_once('/')
                .map_or(String::new(), |(parent, _)| parent.to_owned()),
        )
    }

    /// Returns the folders that the file is in, from its own to the root.
    pub fn folders(&self) -> impl Iterator<Item = Self> + use<> {
        std::iter::successors(Some(self.parent()), |folder| {
            (!folder.is_root()).then(|| folder.parent())
        })
    }

    /// Returns the same folders as text.
    pub fn folder_texts(&self) -> impl Iterator<Item = &str> {
        let parent = |path: &'_ str| path.rsplit_once('/').map_or("", |(parent, _)| parent).len();
        std::iter::successors(Some(parent(&self.0)), move |length| {
            (*length > 0).then(|| parent(&self.0[..*length]))
        })
        .map(|length| &self.0[..length])
    }

    /// Returns the last part; empty for the root.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// Reports whether the path is the folder or below it.
    pub fn is_in(&self, folder: &RepoPath) -> bool {
        folder.is_root() || self == folder || self.0.strip_prefix(&folder.0).is_some_and(|rest| rest.starts_with('/'))
    }
}

/// Lets maps be asked with a part of a path.
impl Borrow<str> for RepoPath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(if self.is_root() { "." } else { &self.0 })
    }
}

/// One entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Its name, without the folder.
    pub name: String,
    /// Whether it is a folder, or a symbolic link to one.
    pub is_folder: bool,
    /// Whether it is a symbolic link.
    pub is_link: bool,
}

/// A file that is no plain file: a FIFO, a socket or a device, of which reading may never end. Git keeps none of them, so
/// that Argo CD never sees one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotPlain {
    /// The file.
    pub path: RepoPath,
    /// What it is, as `a FIFO`.
    pub what: &'static str,
}

impl fmt::Display for NotPlain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is {}, not a plain file", self.path, self.what)
    }
}

impl std::error::Error for NotPlain {}

/// Reads files below one root. Symbolic links are followed inside the root; one that leads out of it is an error.
pub trait Files: Sync {
    /// Reads a file; returns `None` when there is none.
    ///
    /// # Errors
    /// When it is there and cannot be read, or is outside the root; [`NotPlain`] when reading may never end.
    fn read(&self, path: &RepoPath) -> Result<Option<Vec<u8>>>;

    /// Lists the entries of a folder, sorted by the bytes of their names; returns `None` when there is no such folder.
    ///
    /// # Errors
    /// When it is there and cannot be read, or is outside the root.
    fn list(&self, folder: &RepoPath) -> Result<Option<Vec<Entry>>>;

    /// Lists the entries of a folder as [`Files::list`], without what git leaves out; returns `None` when that is everything.
    /// Where nobody knows what git leaves out, that is nothing.
    ///
    /// # Errors
    /// Those of [`Files::list`].
    fn listed(&self, folder: &RepoPath) -> Result<Option<Vec<Entry>>> {
        self.list(folder)
    }

    /// Reports whether git leaves out a file that is there, or everything in a folder: Argo CD never has it.
    fn is_ignored(&self, _: &RepoPath) -> bool {
        false
    }

    /// Returns the target of a symbolic link at exactly this path, resolved by one step; `None` when there is none.
    ///
    /// # Errors
    /// When it leads out of the root.
    fn link(&self, path: &RepoPath) -> Result<Option<RepoPath>>;

    /// Returns every file that is committed or would be, sorted; symbolic links to folders are files here. Where nobody knows
    /// better, that is everything outside of `.git`.
    ///
    /// # Errors
    /// When a folder cannot be listed.
    fn all(&self) -> Result<Vec<RepoPath>> {
        walk(self)
    }
}

/// Lists every file outside of `.git`, sorted; symbolic links to folders are files here.
///
/// # Errors
/// When a folder cannot be listed.
pub fn walk<F: Files + ?Sized>(files: &F) -> Result<Vec<RepoPath>> {
    let (mut found, mut folders) = (Vec::new(), vec![RepoPath::root()]);
    while !folders.is_empty() {
        let mut below = Vec::new();
        for (folder, entries) in folders
            .iter()
            .zip(parallel::each(&folders, |folder| files.list(folder)))
        {
            for entry in entries?.unwrap_or_default() {
                let path = folder.join(&entry.name)?;
                match entry.is_folder && !entry.is_link {
                    true if entry.name == ".git" => {}
                    true => below.push(path),
                    false => found.push(path),
                }
            }
        }
        folders = below;
    }
    found.sort();
    Ok(found)
}

/// Files in memory.
#[derive(Clone, Debug, Default)]
pub struct Memory(pub BTreeMap<RepoPath, Vec<u8>>);

impl Memory {
    /// Files from pairs of path and text.
    ///
    /// # Errors
    /// When a path leads out of the root.
    pub fn new<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        let files = files
            .into_iter()
            .map(|(path, text)| Ok((RepoPath::new(path)?, text.as_bytes().to_vec())));
        Ok(Self(files.collect::<Result<_>>()?))
    }
}

impl Files for Memory {
    fn read(&self, path: &RepoPath) -> Result<Option<Vec<u8>>> {
        Ok(self.0.get(path).cloned())
    }

    fn list(&self, folder: &RepoPath) -> Result<Option<Vec<Entry>>> {
        let mut entries: Vec<Entry> = Vec::new();
        for path in self.0.keys().filter(|path| path.is_in(folder) && *path != folder) {
            let below = path.as_str()[folder.as_str().len()..].trim_start_matches('/');
            let (name, is_folder) = below.split_once('/').map_or((below, false), |(name, _)| (name, true));
            entries.push(Entry {
                name: name.to_owned(),
                is_folder,
                is_link: false,
            });
        }
        entries.sort();
        entries.dedup();
        Ok((!entries.is_empty()).then_some(entries))
    }

    fn link(&self, _: &RepoPath) -> Result<Option<RepoPath>> {
        Ok(None)
    }

    fn all(&self) -> Result<Vec<RepoPath>> {
        Ok(self.0.keys().cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        assert_eq!(RepoPath::new("/a/./b/../c/").unwrap().as_str(), "a/c");
        assert!(RepoPath::new("a/../../b").is_err());
        let path = RepoPath::new("a/b/c.yaml").unwrap();
        assert_eq!((path.parent().as_str(), path.file_name()), ("a/b", "c.yaml"));
        assert!(path.is_in(&RepoPath::new("a").unwrap()) && path.is_in(&RepoPath::root()));
        assert!(!RepoPath::new("ab/c").unwrap().is_in(&RepoPath::new("a").unwrap()));
    }

    #[test]
    fn memory_lists_folders_once() {
        let files = Memory::new([("a/x.yaml", ""), ("a/b/y.yaml", ""), ("a/b/z.yaml", "")]).unwrap();
        let entries = files.list(&RepoPath::new("a").unwrap()).unwrap().unwrap();
        let names: Vec<_> = entries.iter().map(|e| (e.name.as_str(), e.is_folder)).collect();
        assert_eq!(names, [("b", true), ("x.yaml", false)]);
        assert_eq!(files.list(&RepoPath::new("q").unwrap()).unwrap(), None);
    }
}
