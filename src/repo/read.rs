//! Reads the repository: what belongs to its state, and what is in these files.
//!
//! The whole working tree is looked through for Argo CD's objects ([`super::scan`]). The Applications among them are
//! followed: the folders of this repository that they point to are read as Argo CD reads them ([`FolderSource`]).

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::Result;

use super::excluded::Excluded;
use super::kustomization::{self, Kustomization};
use super::layout::{APPLICATIONS, NAMESPACES};
use super::parse::{LIST, Parsed};
use super::scan::{Scan, is_looked_for};
use super::{Entry, Files, FolderSource, Malformed, Manifest, Origin, Repo, RepoPath};
use crate::model::namespace::is_namespace;
use crate::model::{Application, Settings, Source};
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
    /// When a folder or file cannot be read at all; what is in a file, however wrong, is no error but [`super::Malformed`].
    pub fn read(files: &dyn Files, remotes: &[String]) -> Result<Self> {
        Self::read_with(files, remotes, Settings::default())
    }

    /// As [`Repo::read`], with what the repository says about itself.
    ///
    /// # Errors
    /// Those of [`Repo::read`].
    pub fn read_with(files: &dyn Files, remotes: &[String], settings: Settings) -> Result<Self> {
        let mut repo = Repo {
            own_urls: remotes.iter().chain(&settings.repo_urls).cloned().collect(),
            settings,
            ..Repo::default()
        };
        let scan = Scan::of(files, &Excluded::new(repo.settings.exclude.iter().map(String::as_str))?)?;
        (repo.listing, repo.excluded) = (scan.listing, scan.excluded);
        (repo.kustomizations, repo.charts, repo.unread) = (scan.kustomizations, scan.charts, scan.unread);
        repo.inactive = scan.inactive;
        scan.found.into_iter().for_each(|parsed| repo.add(parsed));
        repo.learn_own_urls();
        repo.set_inactive_aside();
        // Namespaces that no Application syncs are read as well: a new one must not overwrite them.
        let roots = repo.settings.roots.iter().map(|root| root.path.as_str());
        let folders = [APPLICATIONS, NAMESPACES].into_iter().chain(roots).map(RepoPath::new);
        let folders: Vec<RepoPath> = folders.collect::<Result<_>>()?;
        let folders = folders.into_iter().map(|folder| repo.folder_as_it_is(folder));
        let folders: Vec<FolderSource> = folders.collect();
        Reader::new(files, &repo).read(&mut repo, &folders, Below::Manifests)?;
        repo.follow(files)?;
        Ok(repo)
    }

    /// Reads what the Applications sync from this repository, and follows the Applications in there; what was followed before
    /// is not read again.
    ///
    /// # Errors
    /// Those of [`Repo::read`].
    pub fn follow(&mut self, files: &dyn Files) -> Result<()> {
        let mut reader = Reader::new(files, self);
        let (mut written, mut derived) = (0, 0);
        while written < self.manifests.len() || derived < self.derived.len() {
            if self.learn_own_urls() {
                (written, derived) = (0, 0);
            }
            let found = self.manifests[written..].iter().chain(&self.derived[derived..]);
            let apps = found.filter_map(|manifest| Application::new(&manifest.object));
            let apps: Vec<Application<'_>> = apps.collect();
            let sources = parallel::each(&apps, |app| self.folder_sources(app));
            let mut sources: Vec<FolderSource> = sources.into_iter().flatten().collect();
            sources.retain(|source| self.followed.insert(source.key()));
            (written, derived) = (self.manifests.len(), self.derived.len());
            reader.read(self, &sources, Below::All)?;
        }
        self.inactive
            .sort_by(|a, b| (&a.file, &a.name).cmp(&(&b.file, &b.name)));
        self.malformed
            .sort_by(|a, b| (&a.file, a.position).cmp(&(&b.file, b.position)));
        self.index_folders();
        self.read_overrides(files)
    }

    /// Adds what sets generate and Applications render; [`Repo::follow`] reads what they sync.
    pub fn add_derived(&mut self, manifests: impl IntoIterator<Item = Manifest>) {
        self.forget_answers();
        self.derived.extend(manifests);
    }

    /// Returns the repository with what sets generate in the place of what these sets generated before, and with what a chart
    /// renders in the place of what had the same name.
    #[must_use]
    pub fn regenerated(&self, generated: &[Manifest]) -> Self {
        let set = |manifest: &Manifest| match &manifest.origin {
            Origin::Generated(of) => Some((manifest.file.clone(), manifest.document, of.set.clone())),
            _ => None,
        };
        let is_same = |one: &Manifest, other: &Manifest| {
            let place = |manifest: &Manifest| (manifest.file.clone(), manifest.document, manifest.object.reference());
            matches!(one.origin, Origin::Rendered(_)) && place(one) == place(other)
        };
        let sets: HashSet<_> = generated.iter().filter_map(set).collect();
        let mut repo = self.clone();
        repo.derived.retain(|manifest| match set(manifest) {
            Some(set) => !sets.contains(&set),
            None => !generated.iter().any(|other| is_same(other, manifest)),
        });
        repo.add_derived(generated.iter().cloned());
        repo
    }

    /// Returns the repository with these manifests for all that sets generate and charts render in it.
    #[must_use]
    pub fn with_derived(&self, derived: &[Manifest]) -> Self {
        let mut repo = self.clone();
        repo.derived.retain(Manifest::is_written);
        repo.add_derived(derived.iter().filter(|manifest| !manifest.is_written()).cloned());
        repo
    }

    /// Drops what was read before somebody asked for it; from now on the files are read again.
    pub fn drop_unread(&mut self) {
        self.unread = HashMap::new();
    }

    /// Drops that documents are lists where no Application reads them: tasks of Ansible with manifests in them, say. Nothing takes an
    /// Application out of a list.
    pub fn drop_lists(&mut self) {
        if !self.malformed.iter().any(|one| one.message == LIST) {
            return;
        }
        let synced = self.synced_folders();
        let is_fault = |one: &Malformed| one.message != LIST || synced.reads(&one.file);
        let malformed: Vec<Malformed> = self.malformed.iter().filter(|one| is_fault(one)).cloned().collect();
        self.malformed = malformed;
    }

    /// Adds a URL that means this repository.
    pub fn add_own_url(&mut self, url: &str) {
        self.forget_answers();
        self.own_urls.push(url.to_owned());
    }

    /// Forgets what was found out about the whole repository, before it changes.
    fn forget_answers(&mut self) {
        self.controller.take();
        self.readers.take();
        self.instances.take();
    }

    fn index_folders(&mut self) {
        self.manifests
            .sort_by(|a, b| (&a.file, a.document).cmp(&(&b.file, b.document)));
        self.by_folder.clear();
        self.forget_answers();
        for (index, manifest) in self.manifests.iter().enumerate() {
            self.by_folder.entry(manifest.file.parent()).or_default().push(index);
        }
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

    /// Returns the repository with other texts of its files; what is not text stays as it was.
    pub(super) fn with_texts(&self, texts: BTreeMap<&RepoPath, &str>) -> Self {
        let mut repo = Repo {
            own_urls: self.own_urls.clone(),
            settings: self.settings.clone(),
            kustomizations: self.kustomizations.clone(),
            charts: self.charts.clone(),
            listing: self.listing.clone(),
            skipped: self.skipped.clone(),
            unknown: self.unknown.clone(),
            unsearched: self.unsearched.clone(),
            expanded: self.expanded.clone(),
            excluded: self.excluded,
            ..Repo::default()
        };
        for (path, text) in &texts {
            if kustomization::NAMES.contains(&path.file_name()) {
                let one = Kustomization::of((*path).clone(), (*text).to_owned());
                repo.kustomizations.add(one);
            }
            if repo.charts.is_metadata(path) {
                repo.charts.add(path.parent());
            }
        }
        // What was no manifest before is none because it is changed.
        let is_input = |path: &RepoPath| {
            let is_kustomization = kustomization::NAMES.contains(&path.file_name());
            !self.files.contains_key(path) && (is_kustomization || repo.charts.is_at(&path.parent()))
        };
        let (inputs, texts): (Vec<_>, Vec<_>) = texts.into_iter().partition(|(path, _)| is_input(path));
        repo.listing.extend(inputs.into_iter().map(|(path, _)| path.clone()));
        let parsed = parallel::each(&texts, |(path, text)| {
            Parsed::of_text((*path).clone(), (*text).to_owned())
        });
        parsed.into_iter().for_each(|parsed| repo.add(parsed));
        repo.learn_own_urls();
        repo.set_inactive_aside();
        repo.index_folders();
        let unread = self
            .inactive
            .iter()
            .filter(|inactive| !self.files.contains_key(&inactive.file));
        repo.inactive.extend(unread.cloned());
        let kept = self.derived.iter().filter(|manifest| !manifest.is_written());
        let kept: Vec<Manifest> = kept
            .filter(|manifest| repo.has_home_of(manifest, self))
            .cloned()
            .collect();
        repo.derived.extend(kept);
        repo
    }

    /// Reports whether the document that another repository's manifest was derived from is still there.
    fn has_home_of(&self, derived: &Manifest, before: &Repo) -> bool {
        let home = |repo: &'_ Repo| {
            let manifest = repo.manifest(&derived.file, derived.document)?;
            manifest.object.reference()
        };
        !before.files.contains_key(&derived.file) || home(self) == home(before)
    }

    /// Returns a folder as Argo CD reads it where a source says nothing else.
    fn folder_as_it_is(&self, folder: RepoPath) -> FolderSource {
        match self.kustomizations.files(&folder) {
            Some(files) => FolderSource::build(folder, files),
            None => FolderSource::flat(folder),
        }
    }

    fn add(&mut self, parsed: Parsed) {
        for manifest in parsed.manifests.iter().filter(|manifest| manifest.object.is_list()) {
            self.derived.extend(items(manifest));
        }
        self.manifests.extend(parsed.manifests);
        self.malformed.extend(parsed.malformed);
        self.skipped.extend(parsed.skipped);
        if let Some(file) = parsed.file {
            self.listing.insert(file.path.clone());
            self.files.insert(file.path.clone(), file);
        }
    }

    /// Learns URLs of this repository: an Application whose source path is the folder that it is in has this repository's URL.
    /// Reports whether there is a new one.
    fn learn_own_urls(&mut self) -> bool {
        let written: Vec<&Manifest> = self.all_manifests().filter(|manifest| manifest.is_written()).collect();
        let unknown_urls = |manifest: &&Manifest| -> Vec<String> {
            let sources = Application::new(&manifest.object).map(|app| app.sources());
            let folder = manifest.file.parent();
            let is_here = |source: &Source<'_>| {
                let path = source.path().and_then(|path| RepoPath::new(path).ok());
                path.is_some_and(|path| path == folder || (folder.is_root() && path.as_str() == APPLICATIONS))
            };
            let here = sources.into_iter().flatten().filter(is_here);
            let urls = here.map(|source| source.repo_url().to_owned());
            urls.filter(|url| !url.is_empty() && !self.is_own(url)).collect()
        };
        let found = parallel::each(&written, unknown_urls).concat();
        let before = self.own_urls.len();
        for url in found {
            if !self.is_own(&url) {
                self.own_urls.push(url);
            }
        }
        self.own_urls.len() > before
    }
}

/// Returns the items of a list that count as manifests of their own.
fn items(list: &Manifest) -> impl Iterator<Item = Manifest> {
    let items = list.object.flatten().into_iter();
    let wanted = items.filter(|(_, item)| is_looked_for(item) || is_namespace(item));
    wanted.map(|(pointer, object)| Manifest {
        file: list.file.clone(),
        document: list.document,
        object,
        origin: Origin::Item(pointer),
    })
}

/// Reads folders of files, each file once.
struct Reader<'f> {
    files: &'f dyn Files,
    seen: HashSet<RepoPath>,
}

impl<'f> Reader<'f> {
    fn new(files: &'f dyn Files, repo: &Repo) -> Self {
        let unread = repo.malformed.iter().map(|malformed| &malformed.file);
        let unread = unread.chain(repo.skipped.iter().map(|skipped| &skipped.path));
        Self {
            files,
            seen: repo.files.keys().chain(unread).cloned().collect(),
        }
    }

    /// Reads what sources read, and adds it to the repository, on all cores.
    fn read(&mut self, repo: &mut Repo, sources: &[FolderSource], below: Below) -> Result<()> {
        let files = self.files;
        let mut unread = Vec::new();
        for found in parallel::each(sources, |source| Found::of(files, source, below)) {
            let found = found?;
            repo.listing.extend(found.listed);
            let new = found.read.into_iter().filter(|path| self.seen.insert(path.clone()));
            unread.extend(new.map(|path| {
                let bytes = repo.unread.remove(&path);
                (path, bytes)
            }));
        }
        let parsed = parallel::each_of(unread, |(path, bytes)| match bytes {
            Some(bytes) => Parsed::of_bytes(&path, bytes),
            None => Parsed::read(files, &path),
        });
        parsed.into_iter().for_each(|parsed| repo.add(parsed));
        Ok(())
    }
}

/// The files of one source.
#[derive(Default)]
struct Found {
    /// All files of its folders.
    listed: Vec<RepoPath>,
    /// Those that it reads.
    read: Vec<RepoPath>,
}

impl Found {
    /// Lists the files of a source; a folder that is a chart is none of manifests.
    fn of(files: &dyn Files, source: &FolderSource, below: Below) -> Result<Self> {
        let mut found = Found::default();
        if let Some(files) = source.built_files() {
            found
                .read
                .extend(files.iter().filter(|file| source.reads(file)).cloned());
            return Ok(found);
        }
        let is_chart = |entries: &[Entry]| entries.iter().any(|entry| entry.name == "Chart.yaml");
        let mut folders = vec![source.folder().clone()];
        while let Some(folder) = folders.pop() {
            let Some(entries) = files.listed(&folder)? else {
                continue;
            };
            if is_chart(&entries) && (below == Below::Manifests || folder == *source.folder()) {
                continue;
            }
            for entry in entries {
                let path = folder.join(&entry.name)?;
                let is_hidden = entry.name.starts_with('.');
                if !entry.is_folder {
                    if source.reads(&path) && !(below == Below::Manifests && folder.is_root() && is_hidden) {
                        found.read.push(path.clone());
                    }
                    found.listed.push(path);
                } else if source.recurses() && !entry.is_link && entry.name != ".git" {
                    let is_followed = below == Below::All || !is_hidden && entry.name != "tests";
                    folders.extend(is_followed.then_some(path));
                }
            }
        }
        Ok(found)
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
    fn lists_are_a_fault_only_where_an_application_reads_them() {
        let task = "- name: resume\n  definition:\n    apiVersion: argoproj.io/v1alpha1\n    kind: Application\n    metadata: {name: a}\n";
        let files = Memory::new([
            ("applications/root.yaml", ROOT),
            ("applications/task.yaml", task),
            ("ansible/tasks/resume.yaml", task),
        ])
        .unwrap();
        let mut repo = Repo::read(&files, &[]).unwrap();
        assert!(!repo.malformed.is_empty());
        repo.drop_lists();
        let faults: Vec<String> = repo.malformed.iter().map(ToString::to_string).collect();
        assert_eq!(
            faults,
            ["applications/task.yaml:1:1: not a manifest: the document is a list"]
        );
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
    fn the_items_of_a_list_are_manifests_of_their_own() {
        let list = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: a}\n- apiVersion: v1\n  kind: Namespace\n  metadata: {name: media}\n";
        let files = Memory::new([("applications/root.yaml", ROOT), ("applications/list.yaml", list)]).unwrap();
        let repo = Repo::read(&files, &[]).unwrap();
        assert_eq!(repo.malformed, []);
        let media = repo.namespace("media").unwrap();
        let name = crate::model::Pointer::from_static("/metadata/name");
        let position = repo.place(media, name).position;
        assert_eq!((position.line, position.column), (9, 14));
    }

    #[test]
    fn applications_are_found_wherever_they_are() {
        let deep = ROOT.replace("path: applications", "path: deep");
        let list = "kind: List\napiVersion: v1\nitems:\n- apiVersion: argoproj.io/v1alpha1\n  kind: ApplicationSet\n  metadata: {name: s}\n";
        let left_out = app("old", "elsewhere");
        let template = app("{{ .name }}", "elsewhere");
        let files = Memory::new([
            ("infra/.argo/a.yml", deep.as_str()),
            ("tests/list.yaml", list),
            (
                "deep/b.json",
                r#"{"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "b"}}"#,
            ),
            ("k/kustomization.yaml", "resources: [in.yaml]\n"),
            ("k/in.yaml", &app("in", "elsewhere")),
            ("k/old.yaml", &left_out),
            ("k/root.yaml", &app("top", "k")),
            ("chart/Chart.yaml", "name: c\n"),
            ("chart/templates/t.yaml", &template),
            ("boiler/plate.yaml", &template),
            (
                "broken.yaml",
                "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec: [\n",
            ),
            (
                "broken.tpl.yaml",
                "apiVersion: argoproj.io/v1alpha1\nkind: Application\n  {{- if .x }}\n",
            ),
            ("other.yaml", "a: [\n"),
            ("workflow.yaml", "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\n"),
        ])
        .unwrap();
        let repo = Repo::read(&files, &["https://git.example.org/home".to_owned()]).unwrap();
        let names: Vec<&str> = repo.applications().map(|(_, app)| app.name()).collect();
        assert_eq!(names, ["b", "root", "in", "top"]);
        assert_eq!(repo.unexpanded_sets().count(), 1);
        let inactive: Vec<(&str, String)> = repo
            .inactive
            .iter()
            .map(|inactive| (inactive.file.as_str(), inactive.why.to_string()))
            .collect();
        assert_eq!(
            inactive,
            [
                ("boiler/plate.yaml", "a template fills it in".to_owned()),
                ("broken.tpl.yaml", "a template fills it in".to_owned()),
                ("k/old.yaml", "the kustomization in `k` leaves it out".to_owned()),
            ]
        );
        let malformed: Vec<String> = repo.malformed.iter().map(|one| one.file.to_string()).collect();
        assert_eq!(malformed, ["broken.yaml"]);
        let children = repo.synced_folders();
        let of = |path: &str| {
            let path = RepoPath::new(path).unwrap();
            children.readers(&path).map(|app| app.name()).collect::<Vec<_>>()
        };
        assert_eq!(
            (of("k/in.yaml"), of("k/old.yaml"), of("deep/b.json")),
            (vec!["top"], vec![], vec!["root"])
        );
    }

    #[test]
    fn what_include_leaves_out_is_not_alive() {
        let root = app("root", "apps") + "    directory: {recurse: true, include: '*/app.yaml'}\n";
        let files = Memory::new([
            ("root.yaml", root.as_str()),
            ("apps/a/app.yaml", &app("a", "x")),
            ("apps/a/off.yaml", &app("off", "x")),
        ])
        .unwrap();
        let repo = Repo::read(&files, &["https://git.example.org/home".to_owned()]).unwrap();
        let names: Vec<&str> = repo.applications().map(|(_, app)| app.name()).collect();
        assert_eq!(names, ["a", "root"]);
        assert_eq!(repo.inactive[0].why, crate::repo::Dormant::Excluded("root".to_owned()));
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
