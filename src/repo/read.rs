//! Reads the repository: which folders belong to its state, and what is in their files.
//!
//! Reading starts with the manifests at the top level, in `applications/` and in `namespaces/`, and follows the
//! Applications found there: the folders of this repository that they point to are read as Argo CD reads them
//! ([`FolderSource`]).

use std::collections::{BTreeMap, BTreeSet, HashSet};

use anyhow::Result;

use super::layout::{APPLICATIONS, NAMESPACES};
use super::parse::Parsed;
use super::{Entry, Files, FolderSource, Malformed, Repo, RepoPath};
use crate::model::Application;
use crate::model::namespace::is_namespace;
use crate::parallel;

/// The choice of sub-folders that are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Below {
    /// All sub-folders, as Argo CD reads a source.
    All,
    /// All except charts, folders whose name starts with a dot, and `tests/`: nothing guarantees that the folder
    /// contains only manifests.
    Manifests,
}

impl Repo {
    /// Reads a repository. `remotes` are URLs that are known to mean this working tree.
    ///
    /// # Errors
    /// When a folder or file cannot be read at all; what is in a file, however wrong, is no error but [`Malformed`].
    pub fn read(files: &dyn Files, remotes: &[String]) -> Result<Self> {
        let mut repo = Repo {
            own_urls: remotes.to_vec(),
            ..Repo::default()
        };
        let mut reader = Reader {
            files,
            seen: HashSet::new(),
        };
        // Namespaces that no Application syncs are read as well: a new one must not overwrite them.
        let folders = ["", APPLICATIONS, NAMESPACES].map(RepoPath::new);
        let folders: Vec<RepoPath> = folders.into_iter().collect::<Result<_>>()?;
        let folders: Vec<FolderSource> = folders.into_iter().map(FolderSource::flat).collect();
        reader.read(&mut repo, &folders, Below::Manifests)?;
        let (mut seen, mut followed) = (BTreeSet::new(), 0);
        while followed < repo.manifests.len() {
            // A URL that was just added may be the one that an earlier Application points to.
            if repo.learn_own_urls(followed) {
                followed = 0;
            }
            let found = repo.manifests[followed..].iter();
            let apps = found.filter_map(|manifest| Application::new(&manifest.object));
            let sources = apps.flat_map(|app| repo.folder_sources(&app));
            let sources: Vec<FolderSource> = sources.filter(|source| seen.insert(source.key())).collect();
            followed = repo.manifests.len();
            reader.read(&mut repo, &sources, Below::All)?;
        }
        repo.refuse_lists();
        repo.malformed
            .sort_by(|a, b| (&a.file, a.position).cmp(&(&b.file, b.position)));
        repo.index_folders();
        Ok(repo)
    }

    fn index_folders(&mut self) {
        self.manifests
            .sort_by(|a, b| (&a.file, a.document).cmp(&(&b.file, b.document)));
        for (index, manifest) in self.manifests.iter().enumerate() {
            self.by_folder.entry(manifest.file.parent()).or_default().push(index);
        }
    }

    /// Reads one folder with everything below it, anywhere in the repository: the Applications beside a source of the
    /// plugin.
    ///
    /// # Errors
    /// Those of [`Repo::read`].
    pub fn read_folder_tree(files: &dyn Files, folder: &RepoPath) -> Result<Self> {
        let mut repo = Repo::default();
        let folder = FolderSource::new(folder.clone(), true, None, None)?;
        let mut reader = Reader {
            files,
            seen: HashSet::new(),
        };
        reader.read(&mut repo, &[folder], Below::Manifests)?;
        repo.refuse_lists();
        repo.learn_own_urls(0);
        repo.index_folders();
        Ok(repo)
    }

    /// Reads the manifests of one text that is not part of a repository: a rendered installation.
    pub fn of_text(name: RepoPath, text: String) -> Self {
        Self::of_files([(name, text)])
    }

    /// Returns the manifests of texts under these names, as those of [`Repo::of_text`].
    pub fn of_files(files: impl IntoIterator<Item = (RepoPath, String)>) -> Self {
        let mut repo = Repo::default();
        for (name, text) in files {
            repo.add(Parsed::of_text(name, text));
        }
        repo.index_folders();
        repo
    }

    /// Builds a repository of these files, for one that results from changes of another.
    pub(super) fn of_texts(texts: BTreeMap<&RepoPath, &str>, own_urls: Vec<String>) -> Self {
        let mut repo = Repo {
            own_urls,
            ..Repo::default()
        };
        let texts: Vec<(&RepoPath, &str)> = texts.into_iter().collect();
        let parsed = parallel::each(&texts, |(path, text)| {
            Parsed::of_text((*path).clone(), (*text).to_owned())
        });
        parsed.into_iter().for_each(|parsed| repo.add(parsed));
        repo.refuse_lists();
        repo.learn_own_urls(0);
        repo.index_folders();
        repo
    }

    /// Refuses Applications and Namespaces in a `List`, which Argo CD takes apart: they are found as documents only and
    /// must not be skipped silently.
    fn refuse_lists(&mut self) {
        for manifest in self.manifests.iter().filter(|manifest| manifest.object.is_list()) {
            let items = manifest.object.flatten();
            let found = items
                .iter()
                .find(|(_, item)| Application::new(item).is_some() || is_namespace(item));
            if let Some((pointer, item)) = found {
                let place = self.place(manifest, pointer);
                self.malformed.push(Malformed {
                    file: place.file,
                    position: Some(place.position),
                    message: format!(
                        "{} `{}` is in a List; write it as a document of its own",
                        item.kind(),
                        item.name()
                    ),
                });
            }
        }
    }

    fn add(&mut self, parsed: Parsed) {
        self.manifests.extend(parsed.manifests);
        self.malformed.extend(parsed.malformed);
        self.skipped.extend(parsed.skipped);
        if let Some(file) = parsed.file {
            self.listing.insert(file.path.clone());
            self.files.insert(file.path.clone(), file);
        }
    }

    /// Learns URLs of this repository from the manifests from an index on: an Application whose source path is the folder
    /// that it is in has this repository's URL. Reports whether there is a new one.
    fn learn_own_urls(&mut self, first: usize) -> bool {
        let mut found = Vec::new();
        for manifest in &self.manifests[first..] {
            let Some(app) = Application::new(&manifest.object) else {
                continue;
            };
            let folder = manifest.file.parent();
            for source in app.sources() {
                let path = source.path().and_then(|path| RepoPath::new(path).ok());
                let here =
                    path.is_some_and(|path| path == folder || (folder.is_root() && path.as_str() == APPLICATIONS));
                if here && !source.repo_url().is_empty() && !self.is_own(source.repo_url()) {
                    found.push(source.repo_url().to_owned());
                }
            }
        }
        let before = self.own_urls.len();
        for url in found {
            if !self.is_own(&url) {
                self.own_urls.push(url);
            }
        }
        self.own_urls.len() > before
    }
}

/// Reads folders of files, each file once.
struct Reader<'f> {
    files: &'f dyn Files,
    seen: HashSet<RepoPath>,
}

impl Reader<'_> {
    /// Reads what sources read, and adds it to the repository: folder by folder, on all cores.
    fn read(&mut self, repo: &mut Repo, sources: &[FolderSource], below: Below) -> Result<()> {
        let mut paths = Vec::new();
        for source in sources {
            self.list(repo, source, below, &mut paths)?;
        }
        let files = self.files;
        let parsed = parallel::each(&paths, |path| Parsed::read(files, path));
        parsed.into_iter().for_each(|parsed| repo.add(parsed));
        Ok(())
    }

    /// Lists the files of one source that were not read yet; a folder that is a chart is none of manifests.
    fn list(&mut self, repo: &mut Repo, source: &FolderSource, below: Below, paths: &mut Vec<RepoPath>) -> Result<()> {
        let is_chart = |entries: &[Entry]| entries.iter().any(|entry| entry.name == "Chart.yaml");
        let mut folders = vec![source.folder().clone()];
        while let Some(folder) = folders.pop() {
            let Some(entries) = self.files.list(&folder)? else {
                continue;
            };
            if is_chart(&entries) && (below == Below::Manifests || folder == *source.folder()) {
                continue;
            }
            for entry in entries {
                let path = folder.join(&entry.name)?;
                let is_hidden = entry.name.starts_with('.');
                if !entry.is_folder {
                    repo.listing.insert(path.clone());
                    let is_read = source.reads(&path) && !(below == Below::Manifests && folder.is_root() && is_hidden);
                    if is_read && self.seen.insert(path.clone()) {
                        paths.push(path);
                    }
                } else if source.recurses() && !entry.is_link && entry.name != ".git" {
                    let is_followed = below == Below::All || !is_hidden && entry.name != "tests";
                    folders.extend(is_followed.then_some(path));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::Memory;

    const ROOT: &str = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: root\nspec:\n  source:\n    repoURL: https://git.example.org/home\n    path: applications\n";

    fn app(name: &str, path: &str) -> String {
        ROOT.replace("root", name)
            .replace("path: applications", &format!("path: {path}"))
    }

    #[test]
    fn reads_what_applications_point_at_and_nothing_else() {
        let (namespaces, chart) = (app("namespaces", "cluster/namespaces"), app("local", "charts/local"));
        let files = Memory::new([
            ("applications/root.yaml", ROOT),
            ("applications/namespaces.yaml", &namespaces),
            ("applications/local.yaml", &chart),
            (
                "cluster/namespaces/media.yaml",
                "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: media\n",
            ),
            ("charts/local/Chart.yaml", "name: local\n"),
            ("elsewhere/x.yaml", "apiVersion: v1\nkind: Secret\n"),
        ])
        .unwrap();
        let repo = Repo::read(&files, &[]).unwrap();
        let read: Vec<&str> = repo.files.keys().map(RepoPath::as_str).collect();
        assert_eq!(
            read,
            [
                "applications/local.yaml",
                "applications/namespaces.yaml",
                "applications/root.yaml",
                "cluster/namespaces/media.yaml"
            ]
        );
        assert_eq!(repo.own_urls, ["https://git.example.org/home"]);
        assert!(repo.namespace("media").is_some());
        assert_eq!(repo.root_application().unwrap().1.name(), "root");
    }

    #[test]
    fn folders_are_read_as_deep_as_their_application_syncs_them() {
        let plugin = "\n    plugin: {name: homelab-v1, parameters: [{name: recurse, string: 'true'}]}\n";
        let apps = [
            app("flat", "flat"),
            app("native", "native") + "    directory: {recurse: true}\n",
            app("plugin", "plugin").trim_end().to_owned() + plugin,
        ];
        let namespace = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: x\n";
        let files = Memory::new([
            ("applications/root.yaml", ROOT),
            ("applications/flat.yaml", &apps[0]),
            ("applications/native.yaml", &apps[1]),
            ("applications/plugin.yaml", &apps[2]),
            ("flat/deep/a.yaml", namespace),
            ("native/deep/a.yaml", namespace),
            ("plugin/deep/a.yaml", namespace),
        ])
        .unwrap();
        let repo = Repo::read(&files, &[]).unwrap();
        let deep: Vec<&str> = repo
            .files
            .keys()
            .map(RepoPath::as_str)
            .filter(|path| path.contains("deep"))
            .collect();
        assert_eq!(deep, ["native/deep/a.yaml", "plugin/deep/a.yaml"]);
    }

    #[test]
    fn the_namespace_of_argo_cd_is_that_of_projects_then_of_the_root() {
        let in_namespace = |text: &str, namespace: &str| {
            text.replace("metadata:\n", &format!("metadata:\n  namespace: {namespace}\n"))
        };
        let project = in_namespace(
            "apiVersion: argoproj.io/v1alpha1\nkind: AppProject\nmetadata:\n  name: p\n",
            "gitops",
        );
        let (root, other) = (in_namespace(ROOT, "argo"), in_namespace(&app("other", "x"), "media"));
        for (files, expected) in [
            (
                &[
                    ("applications/root.yaml", root.as_str()),
                    ("applications/b.yaml", &other),
                    ("applications/p.yaml", &project),
                ][..],
                "gitops",
            ),
            (
                &[
                    ("applications/root.yaml", root.as_str()),
                    ("applications/b.yaml", &other),
                ],
                "argo",
            ),
            (&[("applications/b.yaml", other.as_str())], "media"),
            (&[("applications/root.yaml", ROOT)], "argocd"),
        ] {
            let files = Memory::new(files.iter().copied()).unwrap();
            assert_eq!(Repo::read(&files, &[]).unwrap().controller_namespace(), expected);
        }
    }

    #[test]
    fn namespaces_are_read_although_no_application_syncs_them() {
        let namespace = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: media\n";
        let files = Memory::new([("applications/root.yaml", ROOT), ("namespaces/media.yaml", namespace)]).unwrap();
        assert!(Repo::read(&files, &[]).unwrap().namespace("media").is_some());
    }

    #[test]
    fn an_application_in_a_list_is_not_passed_over() {
        let list = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: a}\n- apiVersion: v1\n  kind: Namespace\n  metadata: {name: media}\n";
        let files = Memory::new([("applications/root.yaml", ROOT), ("applications/list.yaml", list)]).unwrap();
        let message = "applications/list.yaml:7:3: Namespace `media` is in a List; write it as a document of its own";
        for repo in [
            Repo::read(&files, &[]).unwrap(),
            Repo::read_folder_tree(&files, &RepoPath::new(APPLICATIONS).unwrap()).unwrap(),
        ] {
            let malformed: Vec<String> = repo.malformed.iter().map(ToString::to_string).collect();
            assert_eq!(malformed, [message]);
        }
    }

    #[test]
    fn a_malformed_file_does_not_hide_the_others() {
        let mut files = Memory::new([("applications/a.yaml", "a: [\n"), ("applications/root.yaml", ROOT)]).unwrap();
        files.0.insert(
            RepoPath::new("applications/b.yaml").unwrap(),
            b"a: b\nc: \xff\n".to_vec(),
        );
        let repo = Repo::read(&files, &[]).unwrap();
        assert_eq!(repo.applications().count(), 1);
        assert_eq!(repo.malformed.len(), 2);
        assert_eq!(repo.malformed[1].to_string(), "applications/b.yaml:2:4: not UTF-8");
    }
}
