//! Kustomizations, as far as their lists of resources go: which files a build of a folder takes in.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::RepoPath;
use crate::yaml;

/// The names of the file ([source](https://github.com/kubernetes-sigs/kustomize/blob/master/api/konfig/general.go)).
pub const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The lists whose entries are manifests, or folders with a kustomization.
const LISTS: [&str; 3] = ["resources", "bases", "components"];

/// The kustomizations of a repository by their folders, with what they take in: paths in the repository.
#[derive(Clone, Debug, Default)]
pub struct Kustomizations(BTreeMap<RepoPath, Vec<RepoPath>>);

impl Kustomizations {
    /// Adds the kustomization of a folder; one that cannot be read takes in nothing.
    pub(super) fn add(&mut self, folder: RepoPath, text: &str) {
        let tree = yaml::value(text).ok().flatten().unwrap_or(Value::Null);
        let lists = LISTS.iter().filter_map(|name| tree.get(name)?.as_array());
        let entries = lists.flatten().filter_map(Value::as_str);
        let local = entries.filter(|entry| !is_remote(entry));
        let paths = local.filter_map(|entry| folder.join(entry).ok()).collect();
        self.0.insert(folder, paths);
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
            for entry in self.0.get(folder).into_iter().flatten() {
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

    /// Returns the folder of the kustomization that leaves a file out: one in the file's folder, while no kustomization takes
    /// the file in.
    pub(super) fn leaves_out(&self, file: &RepoPath) -> Option<RepoPath> {
        let beside = file.parent();
        (self.0.contains_key(&beside) && !self.takes_in(file)).then_some(beside)
    }

    /// Reports whether a kustomization names a file.
    pub fn takes_in(&self, file: &RepoPath) -> bool {
        // Its folder or one above names it in nearly all repositories: these are asked first.
        let names = |folder: RepoPath| self.0.get(&folder).is_some_and(|paths| paths.contains(file));
        file.folders().any(names) || self.0.values().any(|paths| paths.contains(file))
    }
}

/// Reports whether an entry is fetched from elsewhere.
fn is_remote(entry: &str) -> bool {
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
        all.add(
            path("apps"),
            "resources: [a.yaml, ../base, https://x.example/y.yaml, github.com/o/r?ref=v1]\ncomponents:\n- c\n",
        );
        all.add(path("base"), "bases: [../apps]\nresources: [deep/b.yaml]\n");
        let files = all.files(&path("apps")).unwrap();
        let files: Vec<&str> = files.iter().map(RepoPath::as_str).collect();
        assert_eq!(files, ["apps/a.yaml", "apps/c", "base/deep/b.yaml"]);
        assert!(all.files(&path("other")).is_none());
        assert_eq!(all.leaves_out(&path("apps/root.yaml")), Some(path("apps")));
        assert_eq!(all.leaves_out(&path("apps/a.yaml")), None);
        assert_eq!(all.leaves_out(&path("base/deep/b.yaml")), None);
        assert_eq!(all.leaves_out(&path("elsewhere/b.yaml")), None);
    }
}
