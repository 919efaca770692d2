//! The places of new manifests: next to existing ones, otherwise `applications/<app>.yaml` and
//! `namespaces/<namespace>.yaml`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};

use super::{FolderSource, Repo, RepoPath};
use crate::model::{AppName, Application, NamespaceName};

/// The folder of Applications where no root Application names another one.
pub const APPLICATIONS: &str = "applications";

/// The folder of Namespaces where no Application names another one.
pub const NAMESPACES: &str = "namespaces";

impl Repo {
    /// Returns the file for a new Application.
    ///
    /// # Errors
    /// When a file of that name is already there.
    pub fn file_for_application(&self, name: &AppName) -> Result<RepoPath> {
        let found = self.applications().map(|(manifest, _)| &manifest.file);
        self.free_file(most_used_folder(found), APPLICATIONS, name.as_str())
    }

    /// Returns the file for a new Namespace.
    ///
    /// # Errors
    /// When a file of that name is already there.
    pub fn file_for_namespace(&self, name: &NamespaceName) -> Result<RepoPath> {
        let found = most_used_folder(self.namespaces().map(|manifest| &manifest.file));
        let synced = self
            .namespaces_application()
            .and_then(|app| self.folder_sources(&app).into_iter().next());
        let synced = synced.map(|source| source.folder().clone());
        self.free_file(found.or(synced), NAMESPACES, name.as_str())
    }

    /// Returns the Application that syncs the folder of Namespaces: the one that syncs most of them, otherwise one with
    /// the matching name.
    pub fn namespaces_application(&self) -> Option<Application<'_>> {
        let folders = self.synced_folders();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for manifest in self.namespaces() {
            let readers: BTreeSet<&str> = folders.readers(&manifest.file).map(|app| app.name()).collect();
            for name in readers {
                *counts.entry(name).or_default() += 1;
            }
        }
        let count = |app: &Application<'_>| counts.get(app.name()).copied().unwrap_or_default();
        let apps = || self.applications().map(|(_, app)| app);
        let of_most = apps().max_by_key(count).filter(|app| count(app) > 0);
        let is_for_namespaces = |source: &FolderSource| source.folder().file_name() == NAMESPACES;
        of_most.or_else(|| apps().find(|app| self.folder_sources(app).iter().any(is_for_namespaces)))
    }

    fn free_file(&self, folder: Option<RepoPath>, default: &str, name: &str) -> Result<RepoPath> {
        let folder = folder.unwrap_or(RepoPath::new(default)?);
        let in_folder = |ending: &str| {
            self.files
                .keys()
                .filter(|path| path.parent() == folder && path.as_str().ends_with(ending))
                .count()
        };
        let ending = if in_folder(".yml") > in_folder(".yaml") {
            "yml"
        } else {
            "yaml"
        };
        let path = folder.join(&format!("{name}.{ending}"))?;
        if let Some(malformed) = self.malformed.iter().find(|malformed| malformed.file == path) {
            bail!("`{path}` is already there and cannot be read: {malformed}");
        }
        if self.listing.contains(&path) {
            bail!("`{path}` is already there and holds something else");
        }
        Ok(path)
    }
}

/// Returns the folder with most of the files; the first by name if several have as many.
fn most_used_folder<'a>(files: impl Iterator<Item = &'a RepoPath>) -> Option<RepoPath> {
    let mut counts: BTreeMap<RepoPath, usize> = BTreeMap::new();
    for file in files {
        *counts.entry(file.parent()).or_default() += 1;
    }
    counts
        .into_iter()
        .rev()
        .max_by_key(|(_, count)| *count)
        .map(|(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::Memory;

    fn app(name: &str) -> String {
        format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: {name}\nspec:\n  source:\n    repoURL: https://git.example.org/home\n    path: {}\n",
            if name == "root" { "apps" } else { "cluster/namespaces" }
        )
    }

    #[test]
    fn new_files_go_where_the_others_are() {
        let (root, namespaces) = (app("root").replace("path: apps", "path: applications"), app("ns"));
        let files = Memory::new([
            ("applications/root.yml", root.as_str()),
            ("applications/ns.yml", &namespaces),
        ])
        .unwrap();
        let repo = Repo::read(&files, &[]).unwrap();
        let name = AppName::new("jellyfin").unwrap();
        assert_eq!(
            repo.file_for_application(&name).unwrap().as_str(),
            "applications/jellyfin.yml"
        );
        let name = NamespaceName::new("media").unwrap();
        assert_eq!(
            repo.file_for_namespace(&name).unwrap().as_str(),
            "cluster/namespaces/media.yaml"
        );
        let empty = Repo::default();
        assert_eq!(
            empty.file_for_namespace(&name).unwrap().as_str(),
            "namespaces/media.yaml"
        );
        let taken = AppName::new("root").unwrap();
        assert!(repo.file_for_application(&taken).is_err());
    }

    #[test]
    fn an_application_that_may_be_in_an_unreadable_file_is_not_called_missing() {
        let sound = Repo::read(
            &Memory::new([("applications/ns.yaml", app("ns").as_str())]).unwrap(),
            &[],
        )
        .unwrap();
        let message = |repo: &Repo| repo.named_application("x").unwrap_err().to_string();
        assert_eq!(message(&sound), "there is no Application `x`");
        assert!(sound.check_all_read().is_ok());
        let files = Memory::new([("applications/x.yaml", "a: [\n")]).unwrap();
        let broken = Repo::read(&files, &[]).unwrap();
        assert!(
            message(&broken).contains("not read: applications/x.yaml:1:4:"),
            "{}",
            message(&broken)
        );
        assert!(broken.check_all_read().is_err());
    }

    #[test]
    fn a_file_that_cannot_be_read_is_not_overwritten() {
        let files = Memory::new([("applications/jellyfin.yaml", "a: [\n")]).unwrap();
        let repo = Repo::read(&files, &[]).unwrap();
        let error = repo
            .file_for_application(&AppName::new("jellyfin").unwrap())
            .unwrap_err();
        assert!(
            error
                .to_string()
                .contains("cannot be read: applications/jellyfin.yaml:1:"),
            "{error}"
        );
    }
}
