//! The tree of Applications: which Application or ApplicationSet brings which others.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::bringers::synced_by;
use super::{Manifest, Origin, Repo, SyncedFolders, Unknown};
use crate::model::application::{GROUP, is_application_set};
use crate::model::{Application, Object};
use crate::parallel;

/// What brings an Application or an ApplicationSet to the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bringer<'r> {
    /// The Application that syncs its manifest, or renders it.
    Application(&'r str),
    /// The ApplicationSet that generates it.
    Set(&'r str),
    /// A chart of this repository that somebody applies.
    Chart(&'r str),
    /// Nothing in the repository: somebody applies it.
    Hand,
}

/// An Application or an ApplicationSet with what brings it.
#[derive(Clone, Debug)]
pub struct Branch<'r> {
    /// The Application or set.
    pub manifest: &'r Manifest,
    /// What brings it.
    pub bringer: Bringer<'r>,
    /// Whether it brings others, or would: it syncs the folder that it is in.
    pub has_children: bool,
    name: &'r str,
}

impl Branch<'_> {
    /// Reports whether it is a root: nothing in the repository brings it, and it brings others.
    pub fn is_root(&self) -> bool {
        self.bringer == Bringer::Hand && self.has_children
    }

    /// Reports whether it is a set.
    pub fn is_set(&self) -> bool {
        is_application_set(&self.manifest.object)
    }
}

impl Repo {
    /// Returns the Applications and sets with what brings them, in the order of files.
    pub fn tree(&self) -> Vec<Branch<'_>> {
        let synced = self.synced_folders();
        let members = self
            .all_manifests()
            .filter(|manifest| Application::new(&manifest.object).is_some() || is_application_set(&manifest.object));
        let members: Vec<&Manifest> = members.collect();
        let mut branches = parallel::each(&members, |manifest| Branch {
            manifest,
            bringer: bringer(manifest, &synced),
            has_children: syncs_itself(manifest, &synced),
            name: manifest.object.name(),
        });
        branches.sort_by_key(|branch| (&branch.manifest.file, branch.manifest.document));
        let brought = open_circles(&mut branches);
        for branch in &mut branches {
            branch.has_children |= brought.contains(&(branch.is_set(), branch.name));
        }
        branches
    }

    /// Reports whether something brings Applications, or would bring them, that nothing in the repository brings: an Application, a set, or a chart; one
    /// of which it is not known what it brings counts.
    pub fn has_root(&self) -> bool {
        let is_of_chart =
            |manifest: &Manifest| matches!(&manifest.origin, Origin::Rendered(rendered) if rendered.is_chart);
        self.not_known().next().is_some()
            || self.derived.iter().any(is_of_chart)
            || self.tree().iter().any(Branch::is_root)
            || self.empty_root().is_some()
    }

    /// Returns the name of an Application that syncs a folder in which there are no others yet.
    pub fn empty_root(&self) -> Option<String> {
        let places = self.empty_folders("NAME").ok()?;
        places.into_iter().find_map(|(_, place)| place.synced_by)
    }

    /// Returns the root Application: the first that nothing in the repository brings, and that brings others.
    pub fn root_application(&self) -> Option<(&Manifest, Application<'_>)> {
        self.root_among(&self.tree())
    }

    fn root_among<'r>(&'r self, tree: &[Branch<'r>]) -> Option<(&'r Manifest, Application<'r>)> {
        let roots = tree.iter().filter(|branch| branch.is_root());
        let apps = roots.filter_map(|branch| Some((branch.manifest, Application::new(&branch.manifest.object)?)));
        let mut apps: Vec<_> = apps.collect();
        // Where there are several, that of most Applications is meant when one is asked for.
        apps.sort_by_cached_key(|(_, app)| std::cmp::Reverse(self.children(app)));
        apps.into_iter().next()
    }

    /// Returns the namespace of Argo CD itself, as far as manifests tell: that of the projects, which count nowhere else,
    /// of the root Application, or of all Applications, where they agree.
    pub fn controller_namespace(&self) -> &str {
        self.controller
            .get_or_init(|| self.found_controller(|| self.root_application()).to_owned())
    }

    /// As [`Repo::controller_namespace`], for who has the tree: it takes long to make.
    pub fn controller_namespace_in<'r>(&'r self, tree: &[Branch<'r>]) -> &'r str {
        self.controller
            .get_or_init(|| self.found_controller(|| self.root_among(tree)).to_owned())
    }

    /// Returns the namespaces in which Applications are, as far as manifests say them.
    pub fn application_namespaces(&self) -> BTreeSet<&str> {
        self.applications()
            .filter_map(|(manifest, _)| manifest.object.namespace())
            .collect()
    }

    /// Returns what brings Applications that are not known: what does certainly, and what may.
    pub fn not_known(&self) -> impl Iterator<Item = &Unknown> {
        self.unknown.iter().chain(&self.unsearched)
    }

    fn found_controller<'r>(&'r self, root: impl FnOnce() -> Option<(&'r Manifest, Application<'r>)>) -> &'r str {
        let projects = self.all_manifests().map(|manifest| &manifest.object);
        let mut projects = projects.filter(|object| object.is(GROUP, "AppProject"));
        let of_project = projects.find_map(Object::namespace);
        let of_root = || root()?.1.object().namespace();
        let of_all = || {
            let mut all = self.applications().filter_map(|(_, app)| app.object().namespace());
            let first = all.next()?;
            all.all(|namespace| namespace == first).then_some(first)
        };
        of_project.or_else(of_root).or_else(of_all).unwrap_or("argocd")
    }

    fn children(&self, app: &Application<'_>) -> usize {
        let sources = self.folder_sources(app);
        let is_child = |manifest: &&Manifest| match &manifest.origin {
            Origin::Rendered(rendered) => rendered.by == app.name(),
            Origin::Generated(_) => false,
            Origin::Document | Origin::Item(_) => sources.iter().any(|source| source.reads(&manifest.file)),
        };
        self.applications()
            .map(|(manifest, _)| manifest)
            .filter(is_child)
            .count()
    }
}

fn bringer<'r>(manifest: &'r Manifest, synced: &SyncedFolders<'r>) -> Bringer<'r> {
    match &manifest.origin {
        Origin::Generated(generated) => Bringer::Set(&generated.set),
        Origin::Rendered(rendered) if rendered.is_chart => Bringer::Chart(&rendered.by),
        Origin::Rendered(rendered) => Bringer::Application(&rendered.by),
        Origin::Document | Origin::Item(_) => {
            synced_by(synced, manifest).map_or(Bringer::Hand, |(_, app)| Bringer::Application(app.name()))
        }
    }
}

/// Reports whether an Application syncs the file that it is in.
fn syncs_itself(manifest: &Manifest, synced: &SyncedFolders<'_>) -> bool {
    let mut others = synced.synced_by(&manifest.file);
    manifest.is_written() && others.any(|(other, _)| other.object.is_same_as(&manifest.object))
}

/// Returns what a bringer is called among the branches: whether it is a set, and its name.
fn key<'r>(bringer: &Bringer<'r>) -> Option<(bool, &'r str)> {
    match bringer {
        Bringer::Application(name) => Some((false, name)),
        Bringer::Set(name) => Some((true, name)),
        Bringer::Chart(_) | Bringer::Hand => None,
    }
}

/// Takes the first of those for a root that bring each other in a circle: somebody has to apply it. Returns what brings others,
/// by what it is called.
fn open_circles<'r>(branches: &mut [Branch<'r>]) -> HashSet<(bool, &'r str)> {
    let bringing: HashSet<_> = branches.iter().filter_map(|branch| key(&branch.bringer)).collect();
    let mut by_key = HashMap::new();
    for (index, branch) in branches.iter().enumerate() {
        let key = (branch.is_set(), branch.name);
        if bringing.contains(&key) {
            by_key.entry(key).or_insert(index);
        }
    }
    let above: Vec<Option<usize>> = branches
        .iter()
        .map(|branch| key(&branch.bringer).and_then(|key| by_key.get(&key).copied()))
        .collect();
    let mut state = vec![0_u8; branches.len()];
    for start in 0..branches.len() {
        let (mut path, mut at) = (Vec::new(), Some(start));
        while let Some(index) = at.filter(|index| state[*index] == 0) {
            state[index] = 1;
            path.push(index);
            at = above[index];
        }
        if let Some(index) = at.filter(|index| state[*index] == 1) {
            let circle = path.iter().skip_while(|member| **member != index);
            if let Some(first) = circle.min() {
                branches[*first].bringer = Bringer::Hand;
            }
        }
        path.into_iter().for_each(|index| state[index] = 2);
    }
    branches.iter().filter_map(|branch| key(&branch.bringer)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::Memory;

    fn app(name: &str, path: &str) -> String {
        format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}}}\nspec: {{source: {{repoURL: https://git.example.org/home, path: {path}}}}}\n"
        )
    }

    fn described(files: &[(&str, String)]) -> Vec<String> {
        let files = Memory::new(files.iter().map(|(path, text)| (*path, text.as_str()))).unwrap();
        let repo = Repo::read(&files, &["https://git.example.org/home".to_owned()]).unwrap();
        let text = |branch: &Branch<'_>| {
            let root = if branch.is_root() { " root" } else { "" };
            format!("{} {:?}{root}", branch.manifest.object.name(), branch.bringer)
        };
        repo.tree().iter().map(text).collect()
    }

    #[test]
    fn an_application_is_brought_by_the_one_that_syncs_its_file() {
        let tree = described(&[
            ("bootstrap/root.yaml", app("root", "apps")),
            ("apps/a.yaml", app("a", "deep")),
            ("apps/root-copy.yaml", app("root", "apps")),
            (
                "deep/b.json",
                r#"{"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "b"}}"#
                    .to_owned(),
            ),
            ("by-hand.yml", app("c", "elsewhere")),
        ]);
        assert_eq!(
            tree,
            [
                "a Application(\"root\")",
                "root Hand root",
                "root Hand root",
                "c Hand",
                "b Application(\"a\")",
            ]
        );
    }

    #[test]
    fn the_first_of_a_circle_is_a_root() {
        let tree = described(&[("one/a.yaml", app("a", "two")), ("two/b.yaml", app("b", "one"))]);
        assert_eq!(tree, ["a Hand root", "b Application(\"a\")"]);
    }
}
