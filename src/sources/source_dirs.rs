//! The directories that a user names for the repositories of sources.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Result, anyhow};

use super::Opened;
use crate::disk::Checkout;
use crate::failure::HintExt;
use crate::git::{Export, WorkingTree};
use crate::model::{Application, repo_url};
use crate::repo::{Files, Repo};
use crate::sets::{Checkouts, Set};

/// Pairs of a repository, by its URL or the last part of it, and the directory with its checkout.
#[derive(Clone, Debug, Default)]
pub struct SourceDirs(pub Vec<(String, String)>);

impl SourceDirs {
    /// Returns the directory that was named for a repository.
    pub fn folder(&self, url: &str) -> Option<&str> {
        let found = self.0.iter().find(|(name, _)| is_meant(name, url));
        found.map(|(_, folder)| folder.as_str())
    }

    /// Refuses a directory for a repository that none of these Applications has as a source, and no set looks at: a typo would
    /// have no effect otherwise.
    ///
    /// # Errors
    /// Names the repository, and those that the Applications have.
    pub fn check<'a>(&self, repo: &'a Repo, applications: impl Iterator<Item = Application<'a>>) -> Result<()> {
        let sources = applications.flat_map(|app| app.sources());
        let sets = repo.sets().filter_map(|set| Set::new(&set.object));
        let of_sets = sets.flat_map(|set| set.repositories());
        let urls: BTreeSet<&str> = sources.map(|source| source.repo_url()).chain(of_sets).collect();
        for (name, _) in &self.0 {
            if !urls.iter().any(|url| is_meant(name, url)) {
                let known: Vec<&str> = urls.iter().copied().filter(|url| !url.is_empty()).collect();
                return Err(anyhow!(
                    "`--source-dir` names `{name}`, which is no Application's source, and no set looks at it"
                )
                .hint(format!("choose one of {}", known.join(", "))));
            }
        }
        Ok(())
    }
}

impl Checkouts for SourceDirs {
    fn files_of(&self, url: &str) -> Result<Option<Box<dyn Files>>> {
        let Some(folder) = self.folder(url) else {
            return Ok(None);
        };
        let checkout = Checkout::open(Path::new(folder)).hint(NAMED)?;
        let opened = Opened::of(checkout);
        match opened.unlisted {
            None => Ok(Some(Box::new(opened.checkout))),
            Some(error) => Err(error.context(format!("the files of `{folder}` cannot be listed"))),
        }
    }
}

/// Which folder cannot be opened.
pub(super) const NAMED: &str = "the folder is the one that `--source-dir` names";

/// The directories of sources, some of them at a revision.
#[derive(Debug)]
pub struct RevisedDirs {
    /// The directories.
    pub dirs: SourceDirs,
    /// The files of the revisions; they go at the end of this value.
    _exports: Vec<Export>,
}

impl SourceDirs {
    /// Returns the directories with those repositories at a revision that are named with one.
    ///
    /// # Errors
    /// When there is no directory for such a repository, or git knows no such revision of it.
    pub fn at(&self, revisions: &[(String, String)]) -> Result<RevisedDirs> {
        let (mut dirs, mut exports) = (self.clone(), Vec::new());
        for (name, revision) in revisions {
            let found = dirs
                .0
                .iter_mut()
                .find(|(other, _)| other == name || is_meant(name, other));
            let Some((_, folder)) = found else {
                return Err(
                    anyhow!("`--source-base` names `{name}`, for which there is no directory")
                        .hint(format!("name its checkout with `--source-dir {name}=DIR`")),
                );
            };
            let tree = WorkingTree::at(Path::new(folder))
                .ok_or_else(|| anyhow!("`{folder}` is not a git working tree: there is no revision to read"))?;
            let export = tree.export(revision)?;
            *folder = export.root().display().to_string();
            exports.push(export);
        }
        Ok(RevisedDirs {
            dirs,
            _exports: exports,
        })
    }
}

/// Reports whether a name, a URL or the last part of one, means a repository.
pub(super) fn is_meant(name: &str, url: &str) -> bool {
    repo_url::same(name, url) || name == repo_url::repository_name(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Object;
    use crate::repo::Memory;
    use serde_json::json;

    fn named(name: &str) -> SourceDirs {
        SourceDirs(vec![(name.to_owned(), "dir".to_owned())])
    }

    #[test]
    fn a_repository_is_named_by_its_url_or_its_name() {
        for name in [
            "media",
            "https://git.example.org/home/media.git",
            "git@git.example.org:home/media",
        ] {
            assert_eq!(
                named(name).folder("https://git.example.org/home/media"),
                Some("dir"),
                "{name}"
            );
        }
        assert_eq!(named("home").folder("https://git.example.org/home/media"), None);
    }

    #[test]
    fn a_name_that_is_no_source_is_refused() {
        let object = Object::new(json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "x"},
            "spec": {"source": {"repoURL": "https://git.example.org/home/media", "path": "."}},
        }));
        let set = r#"{"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "metadata": {"name": "x"},
            "spec": {"generators": [{"git": {"repoURL": "https://git.example.org/home/teams"}}]}}"#;
        let repo = Repo::read(&Memory::new([("set.yaml", set)]).unwrap(), &[]).unwrap();
        let check = |name: &str| named(name).check(&repo, Application::new(&object).into_iter());
        assert!(check("media").is_ok() && check("teams").is_ok());
        let error = check("medai").unwrap_err();
        assert!(format!("{error}").contains("`medai`"), "{error}");
    }
}
