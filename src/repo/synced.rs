//! The files that a source reads from this repository: one answer for reading the repository, for `list`, for the rules
//! and for the render.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Manifest, Repo, RepoPath, SourceType};
use crate::model::glob::Glob;
use crate::model::tool::is_dropped;
use crate::model::{Application, Source};
use crate::parallel;

/// The file name extensions that Argo CD takes for manifests.
const MANIFESTS: [&str; 3] = [".yaml", ".yml", ".json"];

/// What distinguishes the folders of sources: folder, `recurse`, `include` and `exclude`, and whether Kustomize builds it.
pub(super) type Key = (RepoPath, bool, (Option<String>, Option<String>), bool);

/// A folder of manifests as a source reads it: Argo CD's options `recurse`, `include` and `exclude`
/// ([source](https://argo-cd.readthedocs.io/en/stable/user-guide/directory/)).
#[derive(Clone, Debug)]
pub struct FolderSource {
    folder: RepoPath,
    recurse: bool,
    include: Option<(String, Glob)>,
    exclude: Option<(String, Glob)>,
    /// The files that a build by Kustomize takes in, where it is one.
    build: Option<Arc<BTreeSet<RepoPath>>>,
}

impl FolderSource {
    /// Returns the files directly in a folder.
    pub fn flat(folder: RepoPath) -> Self {
        Self {
            folder,
            recurse: false,
            include: None,
            exclude: None,
            build: None,
        }
    }

    /// Returns a build of a folder by Kustomize, which takes in these files.
    pub(super) fn build(folder: RepoPath, files: BTreeSet<RepoPath>) -> Self {
        Self {
            build: Some(Arc::new(files)),
            ..Self::flat(folder)
        }
    }

    /// Reports whether Kustomize builds it: what it reads is not what it syncs.
    pub fn is_build(&self) -> bool {
        self.build.is_some()
    }

    /// Returns the files of a build.
    pub(super) fn built_files(&self) -> Option<&BTreeSet<RepoPath>> {
        self.build.as_deref()
    }

    /// Returns a folder with the options of a source.
    ///
    /// # Errors
    /// When `include` or `exclude` is no glob, or one that Argo CD's library matches wrongly.
    pub fn new(folder: RepoPath, recurse: bool, include: Option<&str>, exclude: Option<&str>) -> Result<Self> {
        let glob = |name: &str, text: Option<&str>| {
            let glob = |text: &str| -> Result<(String, Glob)> { Ok((text.to_owned(), Glob::new(text)?)) };
            let glob = text.map(glob).transpose();
            glob.with_context(|| format!("the parameter `{name}` is no glob"))
        };
        Ok(Self {
            folder,
            recurse,
            include: glob("include", include)?,
            exclude: glob("exclude", exclude)?,
            build: None,
        })
    }

    /// Returns the folder.
    pub fn folder(&self) -> &RepoPath {
        &self.folder
    }

    /// Reports whether folders below the folder are read, too.
    pub fn recurses(&self) -> bool {
        self.recurse
    }

    /// Reports whether the options let a file through, whatever its ending: `include` and `exclude` match its path from
    /// the folder.
    pub fn selects(&self, file: &RepoPath) -> bool {
        if let Some(files) = &self.build {
            return files.contains(file);
        }
        let below = || file.as_str()[self.folder.as_str().len()..].trim_start_matches('/');
        let matches = |glob: &Option<(String, Glob)>| glob.as_ref().map(|(_, glob)| glob.matches(below()));
        self.reaches(file) && matches(&self.exclude) != Some(true) && matches(&self.include) != Some(false)
    }

    /// Reports whether a file is in the folder, as deep as it is read.
    fn reaches(&self, file: &RepoPath) -> bool {
        match self.recurse {
            true => file.is_in(&self.folder) && *file != self.folder,
            false => file.folder_texts().next() == Some(self.folder.as_str()),
        }
    }

    /// Reports whether nothing but `include` or `exclude` keeps a file from being read.
    pub fn excludes(&self, file: &RepoPath) -> bool {
        self.build.is_none() && self.reaches(file) && !self.selects(file)
    }

    /// Reports whether a file is read as manifests.
    pub fn reads(&self, file: &RepoPath) -> bool {
        MANIFESTS.iter().any(|ending| file.as_str().ends_with(ending)) && self.selects(file)
    }

    /// Returns what distinguishes this folder source from another one.
    pub(super) fn key(&self) -> Key {
        let text = |glob: &Option<(String, Glob)>| glob.as_ref().map(|(text, _)| text.clone());
        let globs = (text(&self.include), text(&self.exclude));
        (self.folder.clone(), self.recurse, globs, self.is_build())
    }
}

/// The sources that read each folder, each with the position of its Application among all manifests.
pub(super) type Readers = HashMap<RepoPath, Vec<(usize, FolderSource)>>;

/// The folders of this repository that its Applications sync as manifests, found by the files in them.
#[derive(Clone, Copy, Debug)]
pub struct SyncedFolders<'r> {
    repo: &'r Repo,
    readers: &'r Readers,
}

impl<'r> SyncedFolders<'r> {
    /// Returns the Applications that sync a file, one for each source that reads it.
    pub fn readers<'s>(&'s self, file: &'s RepoPath) -> impl Iterator<Item = Application<'r>> + 's {
        self.synced_by(file).map(|(_, app)| app)
    }

    /// Returns the Applications that sync a file with their manifests, one for each source that reads it.
    pub fn synced_by<'s>(&'s self, file: &'s RepoPath) -> impl Iterator<Item = (&'r Manifest, Application<'r>)> + 's {
        let sources = file.folder_texts().filter_map(|folder| self.readers.get(folder));
        let reading = sources.flatten().filter(|(_, source)| source.reads(file));
        reading.filter_map(|(place, _)| {
            let manifest = self.repo.nth_manifest(*place)?;
            Some((manifest, Application::new(&manifest.object)?))
        })
    }

    /// Reports whether an Application syncs a file.
    pub fn reads(&self, file: &RepoPath) -> bool {
        self.readers(file).next().is_some()
    }
}

impl Repo {
    /// Returns the folders of this repository that its Applications sync as manifests.
    pub fn synced_folders(&self) -> SyncedFolders<'_> {
        SyncedFolders {
            repo: self,
            readers: self.readers.get_or_init(|| self.found_readers()),
        }
    }

    /// Returns one of all manifests.
    fn nth_manifest(&self, position: usize) -> Option<&Manifest> {
        match position.checked_sub(self.manifests.len()) {
            None => self.manifests.get(position),
            Some(position) => self.derived.get(position),
        }
    }

    fn found_readers(&self) -> Readers {
        let mut folders = Readers::new();
        let manifests: Vec<&Manifest> = self.all_manifests().collect();
        let sources = parallel::each(&manifests, |manifest| match Application::new(&manifest.object) {
            Some(app) => self.folder_sources(&app),
            None => Vec::new(),
        });
        for (position, sources) in sources.into_iter().enumerate() {
            for source in sources {
                // A build may take in files of other folders.
                let mut places: BTreeSet<RepoPath> = source
                    .built_files()
                    .into_iter()
                    .flatten()
                    .map(RepoPath::parent)
                    .collect();
                if !source.is_build() {
                    places.insert(source.folder.clone());
                }
                for place in places {
                    folders.entry(place).or_default().push((position, source.clone()));
                }
            }
        }
        folders
    }

    /// Returns the folders of this repository that one Application syncs as manifests.
    pub fn folder_sources(&self, app: &Application<'_>) -> Vec<FolderSource> {
        let sources = app.sources();
        sources.iter().filter_map(|source| self.folder_source(source)).collect()
    }

    /// Returns the folder of this repository that a source reads; `None` for another repository, a chart that is pulled,
    /// and options that cannot be understood.
    pub fn folder_source(&self, source: &Source<'_>) -> Option<FolderSource> {
        if !self.is_own(source.repo_url()) || source.pulled_chart().is_some() {
            return None;
        }
        let folder = RepoPath::new(source.path()?).ok()?;
        if self.source_type(source, &folder) == SourceType::Kustomize {
            // Without a kustomization nothing is read.
            let files = self.kustomizations.files(&folder).unwrap_or_default();
            return Some(FolderSource::build(folder, files));
        }
        if source.uses_homelab_plugin() {
            let parameters = source.parameters().ok()?;
            let (include, exclude) = (parameters.include.as_deref(), parameters.exclude.as_deref());
            return FolderSource::new(folder, parameters.recurse, include, exclude).ok();
        }
        // Nobody knows what another plugin reads.
        if source.plugin().is_some() {
            return None;
        }
        let option = |name: &str| source.directory().and_then(|directory| directory.get(name));
        let recurse = option("recurse").and_then(Value::as_bool).unwrap_or(false);
        let glob = |name: &str| option(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        FolderSource::new(folder, recurse, glob("include"), glob("exclude")).ok()
    }

    /// Returns the type of a source whose folder is in this repository: what it says itself, else what Argo CD takes the folder
    /// for.
    pub fn source_type(&self, source: &Source<'_>, folder: &RepoPath) -> SourceType {
        if source.pulled_chart().is_some() {
            return SourceType::Helm;
        }
        let tools = [
            ("plugin", None),
            ("kustomize", Some(SourceType::Kustomize)),
            ("helm", Some(SourceType::Helm)),
            ("directory", Some(SourceType::Directory)),
        ];
        let is_said = |tool: &str| {
            source
                .tree()
                .get(tool)
                .is_some_and(|section| !is_dropped(tool, section))
        };
        let said = tools.into_iter().find(|(tool, _)| is_said(tool));
        said.and_then(|(_, said)| said).unwrap_or_else(|| self.detected(folder))
    }

    /// Returns what Argo CD takes a folder of this repository for.
    pub fn detected(&self, folder: &RepoPath) -> SourceType {
        let chart = self.charts.is_at(folder).then_some("Chart.yaml");
        let kustomization = self.kustomizations.is_at(folder);
        let kustomization = kustomization.then(|| self.kustomizations.file_name(folder));
        SourceType::of_names(chart.into_iter().chain(kustomization))
    }

    /// Returns the manifests that a source reads from this repository; `None` where that is not known without rendering.
    pub fn synced_manifests(&self, source: &Source<'_>) -> Option<Vec<&Manifest>> {
        let source = self.folder_source(source)?;
        if let Some(files) = source.built_files() {
            let of_file = |file: &RepoPath| self.by_folder.get(&file.parent()).into_iter().flatten();
            let manifests = files.iter().flat_map(of_file).map(|index| &self.manifests[*index]);
            let mut seen = BTreeSet::new();
            let once = manifests
                .filter(|manifest| source.reads(&manifest.file) && seen.insert((&manifest.file, manifest.document)));
            return Some(once.collect());
        }
        // The sub-folders of a folder come after it, possibly with siblings like `path-2` in between.
        let below = self.by_folder.range(source.folder.clone()..);
        let below = below.take_while(|(folder, _)| folder.as_str().starts_with(source.folder.as_str()));
        let deepest = if source.recurse { usize::MAX } else { 1 };
        let manifests = below
            .take(deepest)
            .flat_map(|(_, indices)| indices.iter().map(|index| &self.manifests[*index]))
            .filter(|manifest| source.reads(&manifest.file));
        Some(manifests.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::Memory;

    const CLAIM: &str = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: c}\n";

    fn files_of(path: &str, options: &str) -> Option<Vec<String>> {
        let app = format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: a}}\nspec: {{source: {{repoURL: https://git.example.org/home, path: {path}{options}}}}}\n"
        );
        let files = Memory::new([
            ("applications/a.yaml", app.as_str()),
            ("media/a.yaml", CLAIM),
            ("media/b.yml", CLAIM),
            ("media/deep/c.yaml", CLAIM),
            ("media/.homelab.yaml", "kubeVersion: [\n"),
            ("media/tests/d.json", "{\"kind\": \"A\"}"),
            ("media/.hidden/e.yaml", CLAIM),
            ("media-2/f.yaml", CLAIM),
            ("chart/Chart.yaml", "name: x\n"),
            ("chart/templates/a.yaml", "{{ x }}\n"),
        ])
        .unwrap();
        let repo = Repo::read(&files, &["https://git.example.org/home".to_owned()]).unwrap();
        assert_eq!(repo.malformed, []);
        let (_, app) = repo.application("a").unwrap();
        let manifests = repo.synced_manifests(&app.sources()[0])?;
        Some(manifests.iter().map(|manifest| manifest.file.to_string()).collect())
    }

    #[test]
    fn a_folder_is_read_as_its_options_say() {
        let all = [
            "media/.hidden/e.yaml",
            "media/a.yaml",
            "media/b.yml",
            "media/deep/c.yaml",
            "media/tests/d.json",
        ];
        let plugin = |parameters: &str| format!(", plugin: {{name: homelab-v1, parameters: [{parameters}]}}");
        for (options, expected) in [
            (String::new(), &["media/a.yaml", "media/b.yml"][..]),
            (", directory: {recurse: true}".to_owned(), &all),
            (", directory: {include: '*.yml'}".to_owned(), &["media/b.yml"]),
            (
                ", directory: {recurse: true, exclude: '*/*'}".to_owned(),
                &["media/a.yaml", "media/b.yml"],
            ),
            (plugin("{name: recurse, string: 'true'}"), &all),
            (plugin("{name: exclude, string: b.yml}"), &["media/a.yaml"]),
        ] {
            let mut files = files_of("media", &options).unwrap();
            files.sort();
            assert_eq!(files, expected, "{options}");
        }
        assert_eq!(files_of("media", ", directory: {include: '['}"), None);
        assert_eq!(
            files_of(
                "media",
                ", plugin: {name: homelab-v1, parameters: [{name: recurse, string: x}]}"
            ),
            None
        );
    }

    #[test]
    fn a_chart_and_what_is_not_there_give_no_manifests() {
        assert_eq!(files_of("chart", ""), Some(Vec::new()));
        assert_eq!(files_of("nowhere", ""), Some(Vec::new()));
        assert_eq!(files_of("x", ", chart: web"), None);
        let pulled = ", plugin: {name: homelab-v1, parameters: [{name: chart, string: web}, {name: chart-repo, string: 'https://c.example'}, {name: chart-version, string: 1.0.0}]}";
        assert_eq!(files_of("media", pulled), None, "its folder has the values");
    }
}
