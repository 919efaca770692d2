//! What a checkout tells a set: its files, and the clusters that its manifests and settings declare. It needs no git, as Argo CD
//! sends a repository to the plugin without it, and perhaps only a part of it.

use std::sync::OnceLock;

use anyhow::{Result, anyhow};

use super::Contents;
use crate::model::settings::GeneratorOutput;
use crate::model::{DeclaredCluster, Object, clusters};
use crate::repo::{Files, Repo, RepoPath};

/// The checkouts of other repositories.
pub trait Checkouts: Sync {
    /// Returns the files of a repository; nothing where there is no checkout of it.
    ///
    /// # Errors
    /// When the checkout cannot be opened.
    fn files_of(&self, url: &str) -> Result<Option<Box<dyn Files>>>;
}

/// A repository, and a checkout of it or of one of its folders.
pub struct RepoContents<'r> {
    repo: &'r Repo,
    files: &'r dyn Files,
    /// The folder that is there, with everything below it.
    folder: RepoPath,
    /// The checkouts that somebody has named.
    named: Option<&'r dyn Checkouts>,
    /// The Secrets of the clusters that the settings declare.
    declared: Vec<Object>,
    /// The sorted paths of the files, or why they cannot be listed.
    listed: OnceLock<Result<Vec<RepoPath>, String>>,
}

impl<'r> RepoContents<'r> {
    /// Takes the whole repository.
    pub fn new(repo: &'r Repo, files: &'r dyn Files) -> Self {
        Self::of_folder(repo, files, RepoPath::root())
    }

    /// Takes one folder of the repository, whose files are at the top of `files`.
    pub fn of_folder(repo: &'r Repo, files: &'r dyn Files, folder: RepoPath) -> Self {
        Self {
            repo,
            files,
            folder,
            named: None,
            declared: repo.settings.clusters.iter().map(DeclaredCluster::secret).collect(),
            listed: OnceLock::new(),
        }
    }

    /// Takes the named checkouts for the repositories that they are named for.
    #[must_use]
    pub fn with_checkouts(self, named: &'r dyn Checkouts) -> Self {
        Self {
            named: Some(named),
            ..self
        }
    }

    fn list(&self) -> Result<Vec<RepoPath>> {
        let files = self.files.all()?;
        let paths = files.iter().map(|file| self.folder.join(file.as_str()));
        let mut paths = paths.collect::<Result<Vec<RepoPath>>>()?;
        paths.sort();
        Ok(paths)
    }

    fn listed(&self) -> Result<&[RepoPath]> {
        let files = self
            .listed
            .get_or_init(|| self.list().map_err(|error| format!("{error:#}")));
        files.as_deref().map_err(|message| anyhow!(message.clone()))
    }
}

impl Contents for RepoContents<'_> {
    fn is_own(&self, url: &str) -> bool {
        self.repo.is_own(url)
    }

    fn has(&self, folder: &RepoPath) -> bool {
        folder.is_in(&self.folder)
    }

    fn files(&self) -> Result<Vec<RepoPath>> {
        self.listed().map(<[RepoPath]>::to_vec)
    }

    /// Takes one stretch of the sorted paths: fifty sets over their own folders would else go through all files fifty times.
    fn files_in(&self, folder: &RepoPath) -> Result<Vec<RepoPath>> {
        if folder.is_root() {
            return self.files();
        }
        let below = format!("{folder}/");
        let listed = self.listed()?;
        let first = listed.partition_point(|file| file.as_str() < below.as_str());
        let files = listed[first..].iter();
        Ok(files
            .take_while(|file| file.as_str().starts_with(&below))
            .cloned()
            .collect())
    }

    fn read(&self, path: &RepoPath) -> Result<Option<Vec<u8>>> {
        if !path.is_in(&self.folder) {
            return Ok(None);
        }
        let below = &path.as_str()[self.folder.as_str().len()..];
        self.files.read(&RepoPath::new(below)?)
    }

    fn named(&self, url: &str) -> Result<Option<Box<dyn Files>>> {
        self.named.map_or(Ok(None), |named| named.files_of(url))
    }

    fn clusters(&self) -> Vec<&Object> {
        let objects = self.repo.all_manifests().map(|manifest| &manifest.object);
        let secrets = objects.filter(|object| clusters::is_secret(object));
        secrets.chain(&self.declared).collect()
    }

    fn generator_outputs(&self) -> &[GeneratorOutput] {
        &self.repo.settings.generator_outputs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::Memory;
    use crate::sets::{Reason, Set};
    use serde_json::json;

    const OWN: &str = "https://git.example.org/me/home.git";

    fn names(generator: &serde_json::Value, folder: &str) -> Result<Vec<String>, Reason> {
        let set = Object::new(
            json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "metadata": {"name": "set"},
            "spec": {"goTemplate": true, "generators": [generator], "template": {
                "metadata": {"name": "{{ with .path }}{{ .path | replace \"/\" \"-\" }}{{ else }}{{ .name }}{{ end }}"},
                "spec": {"project": "default", "destination": {}}}}}),
        );
        let mut repo = Repo::default();
        repo.own_urls.push("git@git.example.org:me/home".to_owned());
        let attic = DeclaredCluster {
            name: "attic".to_owned(),
            server: "https://attic.lan".to_owned(),
            ..DeclaredCluster::default()
        };
        repo.settings.add_clusters(vec![attic]);
        let whole = [
            ("apps/media/config.yaml", ""),
            ("apps/web/config.yaml", ""),
            ("infra/db/config.yaml", ""),
        ];
        let sent = whole
            .iter()
            .filter_map(|(path, text)| Some((path.strip_prefix(folder)?, *text)));
        let files = Memory::new(sent).unwrap();
        let contents = RepoContents::of_folder(&repo, &files, RepoPath::new(folder).unwrap());
        let expanded = Set::new(&set).unwrap().expand(&contents)?;
        Ok(expanded
            .iter()
            .map(|generated| generated.application.name().to_owned())
            .collect())
    }

    fn git(key: &str, pattern: &str) -> serde_json::Value {
        json!({"git": {"repoURL": OWN, "revision": "HEAD", key: [{"path": pattern}]}})
    }

    #[test]
    fn a_checkout_without_git_is_enough() {
        assert_eq!(
            names(&git("directories", "apps/*"), "").unwrap(),
            ["apps-media", "apps-web"]
        );
        assert_eq!(
            names(&git("files", "*/config.yaml"), "").unwrap(),
            ["apps-media", "apps-web", "infra-db"]
        );
        assert_eq!(names(&json!({"clusters": {}}), "").unwrap(), ["attic", "in-cluster"]);
    }

    /// A checkout of one repository.
    struct Named(&'static str);

    impl Checkouts for Named {
        fn files_of(&self, url: &str) -> Result<Option<Box<dyn Files>>> {
            let files = Memory::new([
                ("teams/a/config.yaml", "team: red"),
                ("teams/b/config.yaml", "team: blue"),
            ])?;
            Ok((url == self.0).then(|| Box::new(files) as Box<dyn Files>))
        }
    }

    #[test]
    fn a_named_checkout_is_looked_at_and_gives_no_places_of_this_repository() {
        let other = "https://git.example.org/me/teams";
        let set = |key: &str, pattern: &str| {
            Object::new(
                json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "metadata": {"name": "set"},
                "spec": {"goTemplate": true, "generators": [{"matrix": {"generators": [
                    {"git": {"repoURL": other, "revision": "HEAD", key: [{"path": pattern}]}}, {"list": {"elements": [{"x": 1}]}},
                ]}}], "template": {"metadata": {"name": "{{ .path.basename }}{{ .team }}"}, "spec": {"project": "default", "destination": {}}}}}),
            )
        };
        let (repo, files, named) = (Repo::default(), Memory::new([("teams/c/x", "")]).unwrap(), Named(other));
        let contents = RepoContents::new(&repo, &files).with_checkouts(&named);
        for (key, pattern, expected) in [
            ("directories", "teams/*", ["a<no value>", "b<no value>"]),
            ("files", "teams/*/config.yaml", ["ared", "bblue"]),
        ] {
            let set = set(key, pattern);
            let set = Set::new(&set).unwrap();
            assert_eq!(set.repositories(), [other]);
            let expanded = set.expand(&contents).unwrap();
            let names: Vec<&str> = expanded.iter().map(|one| one.application.name()).collect();
            assert_eq!(names, expected);
            assert!(expanded.iter().all(|one| one.origins.is_empty()));
            let without = RepoContents::new(&repo, &files);
            assert!(matches!(set.expand(&without), Err(Reason::OtherRepository { .. })));
        }
    }

    #[test]
    fn what_is_not_there_is_never_taken_for_nothing() {
        assert_eq!(
            names(&git("directories", "apps/*"), "apps/").unwrap(),
            ["apps-media", "apps-web"]
        );
        assert_eq!(names(&git("files", "apps/web/*"), "apps/").unwrap(), ["apps-web"]);
        assert_eq!(
            names(&git("files", "apps/web/config.yaml"), "apps/").unwrap(),
            ["apps-web"]
        );
        for generator in [
            git("directories", "*/*"),
            git("directories", "infra/*"),
            git("directories", "a?ps/*"),
            git("directories", "apps"),
            git("files", "**/config.yaml"),
            git("files", "infra/db/config.yaml"),
            git("files", "apps/../infra/*"),
            git("files", "apps/*/../../infra/*"),
        ] {
            let reason = names(&generator, "apps/").unwrap_err();
            assert!(matches!(reason, Reason::NotSent { .. }), "{generator}: {reason}");
        }
    }
}
