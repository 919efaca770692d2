//! A checkout with changes that are not written yet, as sets would look at it.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::repo::change::FileChange;
use crate::repo::{Entry, Files, RepoPath};

/// Files with changes.
pub(super) struct Changed<'f> {
    pub(super) files: &'f dyn Files,
    pub(super) changed: &'f [FileChange],
}

impl Changed<'_> {
    fn change(&self, path: &RepoPath) -> Option<&FileChange> {
        self.changed.iter().find(|change| change.path == *path)
    }

    /// Returns the entries of a folder, of which these are there without the changes.
    fn entries(&self, folder: &RepoPath, there: Option<Vec<Entry>>) -> Option<Vec<Entry>> {
        let mut entries: BTreeSet<Entry> = there.iter().flatten().cloned().collect();
        for change in self.changed {
            let is_there = change.after.is_some();
            let chain = std::iter::once(change.path.clone()).chain(change.path.folders());
            for path in chain.filter(|path| !path.is_root() && path.parent() == *folder) {
                let entry = Entry {
                    name: path.file_name().to_owned(),
                    is_folder: path != change.path,
                    is_link: false,
                };
                match is_there {
                    true => drop(entries.insert(entry)),
                    false if path == change.path => drop(entries.remove(&entry)),
                    false => {}
                }
            }
        }
        (there.is_some() || !entries.is_empty()).then(|| entries.into_iter().collect())
    }
}

impl Files for Changed<'_> {
    fn read(&self, path: &RepoPath) -> Result<Option<Vec<u8>>> {
        match self.change(path) {
            Some(change) => Ok(change.after.clone().map(String::into_bytes)),
            None => self.files.read(path),
        }
    }

    fn list(&self, folder: &RepoPath) -> Result<Option<Vec<Entry>>> {
        Ok(self.entries(folder, self.files.list(folder)?))
    }

    fn listed(&self, folder: &RepoPath) -> Result<Option<Vec<Entry>>> {
        Ok(self.entries(folder, self.files.listed(folder)?))
    }

    fn is_ignored(&self, path: &RepoPath) -> bool {
        self.change(path).is_none() && self.files.is_ignored(path)
    }

    fn link(&self, path: &RepoPath) -> Result<Option<RepoPath>> {
        self.files.link(path)
    }

    fn all(&self) -> Result<Vec<RepoPath>> {
        let mut all: BTreeSet<RepoPath> = self.files.all()?.into_iter().collect();
        for FileChange { path, after, .. } in self.changed {
            match after {
                Some(_) => drop(all.insert(path.clone())),
                None => drop(all.remove(path)),
            }
        }
        Ok(all.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::Memory;

    #[test]
    fn new_files_are_there_and_removed_ones_are_not() {
        let files = Memory::new([("a/one.yaml", "1"), ("a/two.yaml", "2")]).unwrap();
        let path = |text: &str| RepoPath::new(text).unwrap();
        let change = |at: &str, after: Option<&str>| FileChange {
            path: path(at),
            before: None,
            after: after.map(str::to_owned),
        };
        let changed = Changed {
            files: &files,
            changed: &[change("a/two.yaml", None), change("b/c/new.yaml", Some("n"))],
        };
        let names = |folder: &str| -> Vec<String> {
            let entries = changed.list(&path(folder)).unwrap().unwrap_or_default();
            entries.into_iter().map(|entry| entry.name).collect()
        };
        assert_eq!(
            (names(""), names("a"), names("b/c")),
            (
                vec!["a".into(), "b".into()],
                vec!["one.yaml".into()],
                vec!["new.yaml".into()]
            )
        );
        assert_eq!(changed.all().unwrap(), [path("a/one.yaml"), path("b/c/new.yaml")]);
        assert_eq!(changed.read(&path("a/two.yaml")).unwrap(), None);
        assert_eq!(changed.read(&path("b/c/new.yaml")).unwrap(), Some(b"n".to_vec()));
        assert_eq!(changed.list(&path("x")).unwrap(), None);
    }
}
