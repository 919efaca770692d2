//! What Argo CD sends to a plugin where `manifest-generate-paths` keeps a part of the repository back: one folder of it.

use anyhow::Result;

use crate::repo::{Entry, Files, RepoPath};

/// One folder of a repository, by the paths that its files have in the repository.
#[derive(Clone)]
pub(super) struct Sent<'f> {
    /// The files, by their paths in the folder.
    pub(super) files: &'f dyn Files,
    pub(super) folder: RepoPath,
}

impl Sent<'_> {
    /// Returns a path in the folder; `None` for one outside.
    fn inside(&self, path: &RepoPath) -> Result<Option<RepoPath>> {
        if !path.is_in(&self.folder) {
            return Ok(None);
        }
        RepoPath::new(&path.as_str()[self.folder.as_str().len()..]).map(Some)
    }
}

impl Files for Sent<'_> {
    fn read(&self, path: &RepoPath) -> Result<Option<Vec<u8>>> {
        match self.inside(path)? {
            Some(inside) => self.files.read(&inside),
            None => Ok(None),
        }
    }

    fn list(&self, folder: &RepoPath) -> Result<Option<Vec<Entry>>> {
        if let Some(inside) = self.inside(folder)? {
            return self.files.list(&inside);
        }
        let next = self.folder.folders().chain([self.folder.clone()]);
        let next = next
            .filter(|above| above != folder)
            .find(|above| above.parent() == *folder);
        Ok(next.map(|next| {
            vec![Entry {
                name: next.file_name().to_owned(),
                is_folder: true,
                is_link: false,
            }]
        }))
    }

    fn link(&self, path: &RepoPath) -> Result<Option<RepoPath>> {
        let Some(inside) = self.inside(path)? else {
            return Ok(None);
        };
        let target = self.files.link(&inside)?;
        target.map(|target| self.folder.join(target.as_str())).transpose()
    }

    fn all(&self) -> Result<Vec<RepoPath>> {
        let files = self.files.all()?;
        files.iter().map(|file| self.folder.join(file.as_str())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::Memory;

    #[test]
    fn files_have_their_paths_in_the_repository() {
        let path = |text: &str| RepoPath::new(text).unwrap();
        let files = Memory::new([("apps/a.yaml", "a"), ("b.yaml", "b")]).unwrap();
        let sent = Sent {
            files: &files,
            folder: path("cluster/home"),
        };
        let names = |folder: &str| -> Vec<String> {
            let entries = sent.list(&path(folder)).unwrap().unwrap_or_default();
            entries.into_iter().map(|entry| entry.name).collect()
        };
        assert_eq!(names(""), ["cluster"]);
        assert_eq!(names("cluster"), ["home"]);
        assert_eq!(names("cluster/home"), ["apps", "b.yaml"]);
        assert!(names("other").is_empty());
        assert_eq!(
            sent.read(&path("cluster/home/apps/a.yaml")).unwrap().as_deref(),
            Some(&b"a"[..])
        );
        assert_eq!(sent.read(&path("apps/a.yaml")).unwrap(), None);
        assert_eq!(
            sent.all().unwrap(),
            [path("cluster/home/apps/a.yaml"), path("cluster/home/b.yaml")]
        );
    }
}
