//! Kustomizations, as far as their lists of resources go: which files a build of a folder takes in.

pub mod references;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};

use super::{Change, Place, RepoPath, SourceFile};
use crate::failure::HintExt;
use crate::model::Pointer;
use crate::yaml;
use references::{Role, helm_charts, references};

/// The names of the file ([source](https://github.com/kubernetes-sigs/kustomize/blob/master/api/konfig/general.go)).
pub const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The kustomizations of a repository by their folders.
#[derive(Clone, Debug, Default)]
pub struct Kustomizations(BTreeMap<RepoPath, Kustomization>);

/// A kustomization.
#[derive(Clone, Debug)]
pub(super) struct Kustomization {
    file: RepoPath,
    text: String,
    /// What it takes in: paths in the repository.
    paths: Vec<RepoPath>,
    /// What it reads besides: paths in the repository.
    inputs: Vec<RepoPath>,
}

impl Kustomization {
    /// Reads a kustomization; one that cannot be read takes in nothing.
    pub(super) fn of(file: RepoPath, text: String) -> Self {
        let folder = file.parent();
        let tree = yaml::value(&text).ok().flatten().unwrap_or(Value::Null);
        let (mut paths, mut inputs) = (Vec::new(), Vec::new());
        for one in references(&tree).iter().filter(|one| !is_remote(&one.path)) {
            let list = match one.role {
                Role::Resource | Role::Component => &mut paths,
                Role::Plugin | Role::File | Role::ValueFile => &mut inputs,
            };
            list.extend(folder.join(&one.path).ok());
        }
        let charts = helm_charts(&tree);
        inputs.extend(charts.iter().filter_map(|chart| folder.join(&chart.folder()).ok()));
        Self {
            file,
            text,
            paths,
            inputs,
        }
    }
}

impl Kustomizations {
    /// Adds a kustomization.
    pub(super) fn add(&mut self, one: Kustomization) {
        self.0.insert(one.file.parent(), one);
    }

    /// Returns the paths that the kustomization of a folder takes in.
    fn paths(&self, folder: &RepoPath) -> Option<&[RepoPath]> {
        Some(&self.0.get(folder)?.paths)
    }

    /// Returns the folders of the kustomizations that name a path.
    pub(super) fn naming<'k>(&'k self, path: &'k RepoPath) -> impl Iterator<Item = &'k RepoPath> {
        let naming = self.0.iter().filter(|(_, one)| one.paths.contains(path));
        naming.map(|(folder, _)| folder)
    }

    /// Returns every path that a kustomization names, with the kustomization's file.
    pub fn named_paths(&self) -> impl Iterator<Item = (&RepoPath, &RepoPath)> {
        self.0.values().flat_map(|one| {
            let paths = one.paths.iter().chain(&one.inputs);
            paths.map(|path| (&one.file, path))
        })
    }

    /// Reports whether one of them has a text in it.
    pub fn mention(&self, text: &str) -> bool {
        self.0.values().any(|one| one.text.contains(text))
    }

    /// Returns the name of a folder's kustomization.
    pub(super) fn file_name(&self, folder: &RepoPath) -> &str {
        self.0.get(folder).map_or(NAMES[0], |one| one.file.file_name())
    }

    /// Returns the change that adds a path to the resources of a folder's kustomization.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub(super) fn with_resource(&self, folder: &RepoPath, path: &RepoPath) -> Result<Change> {
        let one = self
            .0
            .get(folder)
            .with_context(|| format!("there is no kustomization in `{folder}`"))?;
        let documents = yaml::documents(&one.text).with_context(|| format!("`{}`", one.file))?;
        let tree = yaml::value(&one.text).with_context(|| format!("`{}`", one.file))?;
        let tree = tree.unwrap_or_else(|| json!({}));
        let entries = tree.get("resources").and_then(Value::as_array);
        let entry = relative(folder, path);
        let is_dotted = |entry: &Value| entry.as_str().is_some_and(|entry| entry.starts_with("./"));
        let entry = match entries {
            Some(entries) if !entry.starts_with("..") && entries.iter().any(is_dotted) => format!("./{entry}"),
            _ => entry,
        };
        let operation = match (entries, tree.get("resources")) {
            (Some(_), _) => json!([{"op": "add", "path": "/resources/-", "value": entry}]),
            (None, None | Some(Value::Null)) => json!([{"op": "add", "path": "/resources", "value": [entry]}]),
            (None, Some(_)) => {
                return Err(anyhow!("`resources` in `{}` is not a list", one.file).hint("correct the kustomization"));
            }
        };
        let file = SourceFile {
            path: one.file.clone(),
            text: one.text.clone(),
            documents,
        };
        Ok(Change::PatchFile {
            file,
            document: 0,
            patch: serde_json::from_value(operation)?,
        })
    }

    /// Returns the file and the text of a folder's kustomization.
    pub fn at(&self, folder: &RepoPath) -> Option<(&RepoPath, &str)> {
        self.0.get(folder).map(|one| (&one.file, one.text.as_str()))
    }

    /// Returns the place of something in a kustomization; `None` where the file is none.
    pub fn place(&self, file: &RepoPath, pointer: &Pointer) -> Option<Place> {
        let (_, text) = self.at(&file.parent()).filter(|(own, _)| *own == file)?;
        let tree = yaml::Tree::parse(text).ok()?;
        let range = yaml::Locator::new(&tree).locate(pointer)?.value;
        let position = yaml::position(text, range.start);
        let file = file.clone();
        Some(Place { file, position, range })
    }

    /// Returns the changes that take a path out of the resources that name it; a kustomization of which nothing else is left
    /// goes, too.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn without_resource(&self, path: &RepoPath) -> Result<Vec<Change>> {
        let mut changes = Vec::new();
        for folder in self.naming(path) {
            let Some(one) = self.0.get(folder) else { continue };
            let documents = yaml::documents(&one.text).with_context(|| format!("`{}`", one.file))?;
            let tree = yaml::value(&one.text).with_context(|| format!("`{}`", one.file))?;
            let tree = tree.unwrap_or_else(|| json!({}));
            let entries = tree.get("resources").and_then(Value::as_array);
            let entries: Vec<&str> = entries.into_iter().flatten().filter_map(Value::as_str).collect();
            let is_it = |entry: &&str| folder.join(entry).is_ok_and(|entry| entry == *path);
            let Some(index) = entries.iter().position(is_it) else {
                continue;
            };
            let file = SourceFile {
                path: one.file.clone(),
                text: one.text.clone(),
                documents,
            };
            let keys = tree.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
            let is_bare = keys
                .into_iter()
                .all(|key| ["apiVersion", "kind", "resources"].contains(&key));
            if entries.len() == 1 && is_bare {
                changes.push(Change::RemoveFile { file });
                changes.extend(self.without_resource(folder)?);
                continue;
            }
            let operation = json!([{"op": "remove", "path": format!("/resources/{index}")}]);
            changes.push(Change::PatchFile {
                file,
                document: 0,
                patch: serde_json::from_value(operation)?,
            });
        }
        Ok(changes)
    }

    /// Returns the changes that give a path its new name in the resources that name it.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn with_renamed_resource(&self, path: &RepoPath, new: &RepoPath) -> Result<Vec<Change>> {
        let mut changes = Vec::new();
        for folder in self.naming(path) {
            let Some(one) = self.0.get(folder) else { continue };
            let documents = yaml::documents(&one.text).with_context(|| format!("`{}`", one.file))?;
            let tree = yaml::value(&one.text).with_context(|| format!("`{}`", one.file))?;
            let entries = tree.as_ref().and_then(|tree| tree.get("resources")?.as_array());
            let is_it = |entry: &str| folder.join(entry).is_ok_and(|entry| entry == *path);
            let mut operations = Vec::new();
            for (index, entry) in entries.into_iter().flatten().enumerate() {
                let Some(entry) = entry.as_str().filter(|entry| is_it(entry)) else {
                    continue;
                };
                let renamed = match entry.strip_suffix(path.file_name()) {
                    Some(before) => format!("{before}{}", new.file_name()),
                    None => relative(folder, new),
                };
                operations.push(json!({"op": "replace", "path": format!("/resources/{index}"), "value": renamed}));
            }
            let file = SourceFile {
                path: one.file.clone(),
                text: one.text.clone(),
                documents,
            };
            changes.push(Change::PatchFile {
                file,
                document: 0,
                patch: serde_json::from_value(Value::Array(operations))?,
            });
        }
        Ok(changes)
    }

    /// Reports whether a kustomization sets the namespace of what it builds. That is also the name of every Namespace in it
    /// ([source](https://github.com/kubernetes-sigs/kustomize/blob/master/api/internal/konfig/builtinpluginconsts/namespace.go)).
    pub(super) fn sets_namespace(&self, folder: &RepoPath) -> bool {
        let tree = self.at(folder).and_then(|(_, text)| yaml::value(text).ok().flatten());
        let namespace = tree.as_ref().and_then(|tree| tree.get("namespace")?.as_str());
        namespace.is_some_and(|namespace| !namespace.is_empty())
    }

    /// Reports whether a folder has a kustomization.
    pub fn is_at(&self, folder: &RepoPath) -> bool {
        self.0.contains_key(folder)
    }

    /// Returns the files that a build of a folder takes in, those of the folders that it names included; `None` where there is
    /// no kustomization.
    pub fn files(&self, folder: &RepoPath) -> Option<BTreeSet<RepoPath>> {
        self.0.get(folder)?;
        let (mut files, mut folders, mut open) = (BTreeSet::new(), BTreeSet::new(), vec![folder]);
        while let Some(folder) = open.pop() {
            if !folders.insert(folder) {
                continue;
            }
            for entry in self.paths(folder).into_iter().flatten() {
                match self.0.contains_key(entry) {
                    true => open.push(entry),
                    false => {
                        files.insert(entry.clone());
                    }
                }
            }
        }
        Some(files)
    }

    /// Returns the folders of the kustomizations that a build of a folder reads.
    pub fn built(&self, folder: &RepoPath) -> BTreeSet<RepoPath> {
        let (mut built, mut open) = (BTreeSet::new(), vec![folder]);
        while let Some(folder) = open.pop() {
            if let Some(one) = self.0.get(folder)
                && built.insert(folder.clone())
            {
                open.extend(&one.paths);
            }
        }
        built
    }

    /// Returns what builds of some folders read: the folders of kustomizations, and files and folders outside of these.
    pub fn reads(&self, folders: impl IntoIterator<Item = RepoPath>) -> BTreeSet<RepoPath> {
        let (mut reads, mut open) = (BTreeSet::new(), folders.into_iter().collect::<Vec<_>>());
        while let Some(path) = open.pop() {
            if let Some(one) = self.0.get(&path).filter(|_| !reads.contains(&path)) {
                open.extend(one.paths.iter().chain(&one.inputs).cloned());
            }
            reads.insert(path);
        }
        without_nested(reads)
    }

    /// Returns the folder of the kustomization that leaves a file out: one in the file's folder, while no kustomization takes
    /// the file in.
    pub(super) fn leaves_out(&self, file: &RepoPath) -> Option<RepoPath> {
        let beside = file.parent();
        (self.0.contains_key(&beside) && !self.takes_in(file)).then_some(beside)
    }

    /// Reports whether a kustomization names a file.
    pub fn takes_in(&self, file: &RepoPath) -> bool {
        // Its folder or one above names it in nearly all repositories: these are asked first.
        let names = |folder: RepoPath| self.paths(&folder).is_some_and(|paths| paths.contains(file));
        file.folders().any(names) || self.naming(file).next().is_some()
    }
}

/// Leaves out the paths that are below others.
pub fn without_nested(paths: BTreeSet<RepoPath>) -> BTreeSet<RepoPath> {
    let is_nested = |path: &RepoPath| path.folders().any(|folder| folder != *path && paths.contains(&folder));
    paths.iter().filter(|path| !is_nested(path)).cloned().collect()
}

/// Returns a path as an entry of the kustomization in a folder.
fn relative(folder: &RepoPath, path: &RepoPath) -> String {
    let common = folder.parts().zip(path.parts()).take_while(|(a, b)| a == b).count();
    let up = folder.parts().skip(common).map(|_| "..");
    up.chain(path.parts().skip(common)).collect::<Vec<_>>().join("/")
}

/// Reports whether an entry is fetched from elsewhere.
pub fn is_remote(entry: &str) -> bool {
    let is_host = || {
        let first = entry.split('/').next().unwrap_or_default();
        entry.contains("//") || entry.contains("?ref=") || first == "github.com"
    };
    entry.contains("://") || entry.starts_with("git@") || is_host()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RepoPath {
        RepoPath::new(text).unwrap()
    }

    #[test]
    fn a_build_takes_in_what_its_lists_name() {
        let mut all = Kustomizations::default();
        all.add(Kustomization::of(
            path("apps/kustomization.yaml"),
            "resources: [a.yaml, ../base, https://x.example/y.yaml, github.com/o/r?ref=v1]\ncomponents:\n- c\n"
                .to_owned(),
        ));
        all.add(Kustomization::of(
            path("base/kustomization.yaml"),
            "bases: [../apps]\nresources: [deep/b.yaml]\n".to_owned(),
        ));
        let files = all.files(&path("apps")).unwrap();
        let files: Vec<&str> = files.iter().map(RepoPath::as_str).collect();
        assert_eq!(files, ["apps/a.yaml", "apps/c", "base/deep/b.yaml"]);
        let reads = all.reads([path("apps")]);
        let reads: Vec<&str> = reads.iter().map(RepoPath::as_str).collect();
        assert_eq!(reads, ["apps", "base"]);
        assert!(all.files(&path("other")).is_none());
        assert_eq!(all.leaves_out(&path("apps/root.yaml")), Some(path("apps")));
        assert_eq!(all.leaves_out(&path("apps/a.yaml")), None);
        assert_eq!(all.leaves_out(&path("base/deep/b.yaml")), None);
        assert_eq!(all.leaves_out(&path("elsewhere/b.yaml")), None);
    }
}
