//! The files of a working tree as git lists them: those that it has or would add. What it ignores is on disk as well, but Argo CD
//! never has it.

use std::collections::{BTreeMap, BTreeSet};

use super::RepoPath;

/// What git lists under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A file.
    File,
    /// A symbolic link.
    Link,
    /// A folder: that of another repository, of which git lists nothing.
    Folder,
}

/// The names that git lists, and what is there.
#[derive(Debug, Default)]
pub struct Listed {
    paths: Vec<RepoPath>,
    /// What is no file.
    others: BTreeMap<RepoPath, Kind>,
}

/// What a list says of a folder.
#[derive(Debug, PartialEq, Eq)]
pub enum Folder<'l> {
    /// The names in it, sorted by their bytes.
    Holds(BTreeSet<(&'l str, Kind)>),
    /// Git has nothing in it.
    Nothing,
    /// It is part of another repository, or a symbolic link leads there.
    Unknown,
}

impl Listed {
    /// Takes all names, in any order.
    pub fn new(names: impl IntoIterator<Item = (RepoPath, Kind)>) -> Self {
        let mut listed = Self::default();
        for (path, kind) in names {
            if kind != Kind::File {
                listed.others.insert(path.clone(), kind);
            }
            listed.paths.push(path);
        }
        listed.paths.sort();
        listed
    }

    /// Returns the names, sorted.
    pub fn paths(&self) -> &[RepoPath] {
        &self.paths
    }

    /// Reports whether git has a file, or would add it; also where it is in another repository, or behind a symbolic link.
    pub fn has(&self, path: &RepoPath) -> bool {
        self.paths.binary_search(path).is_ok() || self.is_elsewhere(path)
    }

    /// Returns what is in a folder.
    pub fn folder(&self, folder: &RepoPath) -> Folder<'_> {
        if self.is_elsewhere(folder) {
            return Folder::Unknown;
        }
        let start = match folder.is_root() {
            true => String::new(),
            false => format!("{folder}/"),
        };
        let first = self.paths.partition_point(|path| path.as_str() < start.as_str());
        let below = self.paths[first..].iter();
        let below = below.map_while(|path| Some((path, path.as_str().strip_prefix(&start)?)));
        let entries: BTreeSet<(&str, Kind)> = below
            .map(|(path, name)| match name.split_once('/') {
                Some((name, _)) => (name, Kind::Folder),
                None => (name, self.others.get(path).copied().unwrap_or(Kind::File)),
            })
            .collect();
        match entries.is_empty() {
            true => Folder::Nothing,
            false => Folder::Holds(entries),
        }
    }

    /// Reports whether a path is, or is below, something of which git lists nothing.
    fn is_elsewhere(&self, path: &RepoPath) -> bool {
        let is_it = |path: &str| self.others.contains_key(path);
        !self.others.is_empty() && (is_it(path.as_str()) || path.folder_texts().any(is_it))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RepoPath {
        RepoPath::new(text).unwrap()
    }

    #[test]
    fn folders_hold_what_git_lists() {
        let names = [
            ("a/b.yaml", Kind::File),
            ("a-b/c.yaml", Kind::File),
            ("a/d/e.yaml", Kind::File),
            ("a/d/f.yaml", Kind::File),
            ("link", Kind::Link),
            ("sub/module", Kind::Folder),
            ("top.yaml", Kind::File),
        ];
        let listed = Listed::new(names.map(|(name, kind)| (path(name), kind)));
        let held = |folder: &str| match listed.folder(&path(folder)) {
            Folder::Holds(entries) => entries
                .into_iter()
                .map(|(name, kind)| format!("{name} {kind:?}"))
                .collect(),
            other => vec![format!("{other:?}")],
        };
        assert_eq!(held("a"), ["b.yaml File", "d Folder"]);
        assert_eq!(
            held(""),
            ["a Folder", "a-b Folder", "link Link", "sub Folder", "top.yaml File"]
        );
        assert_eq!(held("sub"), ["module Folder"]);
        for (folder, answer) in [
            ("sub/module", "Unknown"),
            ("sub/module/x", "Unknown"),
            ("link", "Unknown"),
            ("a/b.yaml", "Nothing"),
            ("b", "Nothing"),
        ] {
            assert_eq!(held(folder), [answer], "{folder}");
        }
        assert!(listed.has(&path("a/b.yaml")) && listed.has(&path("link/x")) && listed.has(&path("sub/module/y")));
        assert!(!listed.has(&path("a/ignored.yaml")) && !listed.has(&path("a")));
    }
}
