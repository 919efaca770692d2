//! The places of new manifests: where others of their kind are, and where an Application syncs them.

mod error;
mod pattern;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, anyhow, bail};

use super::{Change, FolderSource, Manifest, Repo, RepoPath};
use crate::failure::HintExt;
use crate::model::application::GROUP;
use crate::model::namespace::is_namespace;
use crate::model::{AppName, Application, NamespaceName};

pub use error::folder_patterns;

use pattern::Pattern;

/// The folder of Applications of a new repository.
pub const APPLICATIONS: &str = "applications";

/// The folder of Namespaces where no Application names another one.
pub const NAMESPACES: &str = "namespaces";

/// The kinds that go with Namespaces: a folder with others is one of an Application's own objects.
const BESIDE_NAMESPACES: [&str; 9] = [
    "Namespace",
    "LimitRange",
    "NetworkPolicy",
    "ResourceQuota",
    "Role",
    "RoleBinding",
    "Application",
    "ApplicationSet",
    "AppProject",
];

/// The place of a new manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct NewFile {
    /// The file.
    pub path: RepoPath,
    /// The Application that syncs it, if one does.
    pub synced_by: Option<String>,
    /// The kustomizations that have to take it in, changed.
    kustomizations: Vec<Change>,
}

impl NewFile {
    /// Returns the changes that write this text into it.
    pub fn create(self, text: String) -> Vec<Change> {
        let file = Change::Create { path: self.path, text };
        std::iter::once(file).chain(self.kustomizations).collect()
    }
}

/// Files that are named in one way.
struct Group<'r> {
    pattern: Pattern,
    /// One of them: the first that an Application syncs, if one does.
    example: &'r RepoPath,
    count: usize,
}

impl Repo {
    /// Returns the place of a new Application: in the folder that is named, otherwise where the others are and an Application
    /// syncs it.
    ///
    /// # Errors
    /// When there is none or more than one, or a file is there already.
    pub fn place_for_application(&self, name: &AppName, folder: Option<&RepoPath>) -> Result<NewFile> {
        let place = self.find_place_for_application(name.as_str(), folder)?;
        self.check_free(&place.path)?;
        Ok(place)
    }

    /// Returns where new Applications go, in words, or why there is no place for them.
    ///
    /// # Errors
    /// Those of [`Repo::place_for_application`].
    pub fn describe_applications(&self) -> Result<String> {
        Ok(self.find_place_for_application("NAME", None)?.path.to_string())
    }

    fn find_place_for_application(&self, name: &str, folder: Option<&RepoPath>) -> Result<NewFile> {
        let apps: Vec<&Manifest> = self.applications().map(|(manifest, _)| manifest).collect();
        if let Some(folder) = folder {
            return self.place_in(&apps, folder, name);
        }
        let mut places = self.synced_places(&apps, name)?;
        if places.is_empty() {
            places = self.empty_folders(name)?;
        }
        if places.is_empty() {
            places = self.synced_places(&self.sets().collect::<Vec<_>>(), name)?;
        }
        let (first, others) = places.split_first().ok_or_else(|| self.no_place())?;
        match others {
            [] => Ok(first.1.clone()),
            _ => Err(error::several(places.iter().map(|(group, _)| group))),
        }
    }

    /// Returns the place of a new Namespace: where the others are and an Application syncs it, otherwise `namespaces/`.
    ///
    /// # Errors
    /// When a file is there already.
    pub fn place_for_namespace(&self, name: &NamespaceName) -> Result<NewFile> {
        let place = self.find_place_for_namespace(name.as_str())?;
        self.check_free(&place.path)?;
        Ok(place)
    }

    /// Refuses a repository in which no Application would sync a new Namespace.
    ///
    /// # Errors
    /// Names the command that adds one.
    pub fn check_namespaces_are_synced(&self) -> Result<()> {
        self.describe_namespaces().map(|_| ())
    }

    /// Returns where new Namespaces go, in words.
    ///
    /// # Errors
    /// When no Application syncs a folder of Namespaces.
    pub fn describe_namespaces(&self) -> Result<String> {
        let place = self.find_place_for_namespace("NAME")?;
        match place.synced_by {
            Some(_) => Ok(place.path.to_string()),
            None => Err(error::no_namespaces()),
        }
    }

    fn find_place_for_namespace(&self, name: &str) -> Result<NewFile> {
        let namespaces: Vec<&Manifest> = self.namespaces().filter(|one| self.is_among_namespaces(one)).collect();
        let main = self.namespaces_application();
        let places = self.synced_places(&namespaces, name)?;
        let is_main = |place: &NewFile| main.is_some_and(|app| place.synced_by.as_deref() == Some(app.name()));
        let of_main = places.iter().find(|(_, place)| is_main(place)).or(places.first());
        if let Some((_, place)) = of_main {
            return Ok(place.clone());
        }
        for source in main.iter().flat_map(|app| self.folder_sources(app)) {
            let place = self.place_in(&[], source.folder(), name)?;
            if place.synced_by.is_some() {
                return Ok(place);
            }
        }
        self.place_in(&namespaces, &RepoPath::new(NAMESPACES)?, name)
    }

    /// Returns the Application that syncs the folder of Namespaces: the one that syncs most of them, otherwise one with
    /// the matching name.
    pub fn namespaces_application(&self) -> Option<Application<'_>> {
        let folders = self.synced_folders();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for manifest in self.namespaces().filter(|one| self.is_among_namespaces(one)) {
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

    /// Reports whether a Namespace's folder is one of Namespaces, where another one may go: not that of an Application's own objects,
    /// which brings its Namespace, nor one in which kustomize gives every Namespace the name of one.
    fn is_among_namespaces(&self, manifest: &Manifest) -> bool {
        let folder = manifest.file.parent();
        let beside = self.by_folder.get(&folder).into_iter().flatten();
        let beside = beside.map(|index| &self.manifests[*index]);
        let count = |is: fn(&Manifest) -> bool| beside.clone().filter(|one| is(one)).count();
        let is_of_many = count(|one| is_namespace(&one.object)) > 1;
        let is_own = || count(|one| !BESIDE_NAMESPACES.contains(&one.object.kind())) > 0;
        let is_renamed = || {
            let mut builds = self.kustomizations.naming(&manifest.file);
            builds.any(|folder| self.kustomizations.sets_namespace(folder))
        };
        is_of_many || (!is_own() && !is_renamed())
    }

    /// Returns the places beside manifests that an Application syncs, those of most manifests first.
    fn synced_places(&self, siblings: &[&Manifest], name: &str) -> Result<Vec<(String, NewFile)>> {
        let mut places = Vec::new();
        for group in self.groups(siblings) {
            let place = self.place_of(&group.pattern, Some(group.example), name)?;
            if place.synced_by.is_some() {
                places.push((group.pattern.folder.to_string(), place));
            }
        }
        Ok(places)
    }

    /// Returns how the files of manifests are named, each folder's most used way, those of most manifests first.
    fn groups<'r>(&self, siblings: &[&'r Manifest]) -> Vec<Group<'r>> {
        let written = || siblings.iter().filter(|manifest| manifest.is_written());
        let mut folders: BTreeMap<(RepoPath, &str), BTreeSet<RepoPath>> = BTreeMap::new();
        for manifest in written() {
            let folder = manifest.file.parent();
            let same = (folder.parent(), manifest.file.file_name());
            folders.entry(same).or_default().insert(folder);
        }
        let is_repeated = |file: &RepoPath| {
            let same = folders.get(&(file.parent().parent(), file.file_name()));
            same.is_some_and(|folders| folders.len() > 1)
        };
        let synced = self.synced_folders();
        let mut groups: BTreeMap<Pattern, Group<'_>> = BTreeMap::new();
        for manifest in written() {
            let pattern = Pattern::of(&manifest.file, manifest.object.name(), is_repeated(&manifest.file));
            let group = groups.entry(pattern.clone()).or_insert(Group {
                pattern,
                example: &manifest.file,
                count: 0,
            });
            group.count += 1;
            if !synced.reads(group.example) && synced.reads(&manifest.file) {
                group.example = &manifest.file;
            }
        }
        let mut groups: Vec<Group<'_>> = groups.into_values().collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.count));
        let mut seen = BTreeSet::new();
        groups.retain(|group| seen.insert(group.pattern.folder.clone()));
        groups
    }

    /// Returns the place of a name in a folder that is named.
    fn place_in(&self, siblings: &[&Manifest], folder: &RepoPath, name: &str) -> Result<NewFile> {
        if let Some(chart) = folder
            .join("x")?
            .folders()
            .find(|folder| self.charts.is_at(folder) && !folder.is_root())
        {
            return Err(anyhow!("`{folder}` is in the chart `{chart}`, whose files Helm reads")
                .hint("write it as a template of the chart by hand, or name another folder with `--dir DIR`"));
        }
        let groups = self.groups(siblings);
        if let Some(group) = groups.iter().find(|group| group.pattern.folder == *folder) {
            return self.place_of(&group.pattern, Some(group.example), name);
        }
        let in_folder = |ending: &str| {
            let files = self.files.keys().filter(|path| path.parent() == *folder);
            files.filter(|path| path.as_str().ends_with(ending)).count()
        };
        let ending = if in_folder(".yml") > in_folder(".yaml") {
            ".yml"
        } else {
            ".yaml"
        };
        self.place_of(&Pattern::plain(folder.clone(), ending), None, name)
    }

    /// Returns the place of a name by a pattern; `example` is a file that is there.
    fn place_of(&self, pattern: &Pattern, example: Option<&RepoPath>, name: &str) -> Result<NewFile> {
        let path = pattern.file(name)?;
        let reads = |source: &FolderSource| !self.charts.is_at(source.folder()) && source.reads(&path);
        let mut apps = self.applications().map(|(_, app)| app);
        let direct = apps.find(|app| self.folder_sources(app).iter().any(reads));
        if let Some(app) = direct {
            return Ok(NewFile {
                synced_by: Some(app.name().to_owned()),
                path,
                kustomizations: Vec::new(),
            });
        }
        let kustomizations = self.kustomizations_for(&path, example)?;
        let is_built = |app: &Application<'_>| {
            let sources = self.folder_sources(app);
            let takes_in = |source: &FolderSource| match example {
                Some(example) => source.is_build() && source.reads(example),
                None => source.is_build() && *source.folder() == path.parent(),
            };
            sources.iter().any(takes_in)
        };
        let mut apps = self.applications().map(|(_, app)| app);
        let by = apps.find(|app| !kustomizations.is_empty() && is_built(app));
        Ok(NewFile {
            synced_by: by.map(|app| app.name().to_owned()),
            path,
            kustomizations,
        })
    }

    /// Returns the changes of kustomizations that make them take in a file as they take in the example.
    fn kustomizations_for(&self, path: &RepoPath, example: Option<&RepoPath>) -> Result<Vec<Change>> {
        let all = &self.kustomizations;
        let own = path.parent();
        let Some(example) = example else {
            let own = all.is_at(&own).then(|| all.with_resource(&own, path));
            return own.into_iter().collect();
        };
        let mut changes = Vec::new();
        for folder in all.naming(example) {
            if *folder != example.parent() || *folder == own {
                changes.push(all.with_resource(folder, path)?);
                continue;
            }
            // Each has a folder with a kustomization, which another one names.
            let above: Vec<&RepoPath> = all.naming(folder).collect();
            if above.is_empty() {
                continue;
            }
            changes.push(Change::Create {
                path: own.join(all.file_name(folder))?,
                text: format!(
                    "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n- {}\n",
                    path.file_name()
                ),
            });
            for folder in above {
                changes.push(all.with_resource(folder, &own)?);
            }
        }
        Ok(changes)
    }

    /// Returns the places in folders that an Application syncs for others and that have none yet: it goes to the namespace of
    /// Argo CD, and there is nothing else in its folder.
    pub(super) fn empty_folders(&self, name: &str) -> Result<Vec<(String, NewFile)>> {
        let is_argo_cd = |file: &RepoPath| {
            let mut manifests = self.manifests.iter().filter(|manifest| manifest.file == *file);
            manifests.all(|manifest| {
                ["Application", "ApplicationSet"]
                    .iter()
                    .any(|kind| manifest.object.is(GROUP, kind))
            })
        };
        let mut places = BTreeMap::new();
        for (_, app) in self.applications() {
            if app.destination_namespace() != Some(self.controller_namespace()) {
                continue;
            }
            for source in self.folder_sources(&app) {
                let folder = source.folder();
                let is_free = self
                    .listed_in(&source)
                    .all(|file| self.files.contains_key(file) && is_argo_cd(file));
                if is_free && !self.charts.is_at(folder) {
                    let place = self.place_in(&[], folder, name)?;
                    if place.synced_by.is_some() {
                        places.insert(folder.to_string(), place);
                    }
                }
            }
        }
        Ok(places.into_iter().collect())
    }

    /// Returns the files of the repository that a source reads.
    pub fn listed_in<'r>(&'r self, source: &'r FolderSource) -> impl Iterator<Item = &'r RepoPath> {
        self.listing.iter().filter(|file| source.reads(file))
    }

    /// Refuses a file that is there.
    fn check_free(&self, path: &RepoPath) -> Result<()> {
        if let Some(malformed) = self.malformed.iter().find(|malformed| malformed.file == *path) {
            bail!("`{path}` is already there and cannot be read: {malformed}");
        }
        if self.listing.contains(path) {
            bail!("`{path}` is already there and holds something else");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
