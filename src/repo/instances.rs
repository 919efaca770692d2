//! Roots that are for two Argo CDs, such as one for production and one for a sandbox, in clusters of their own: what each of
//! them brings is another instance, also where it has the name of what the other one brings.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, anyhow};

use super::bringers::{Bringers, place};
use super::{Manifest, Repo, RepoPath};
use crate::failure::HintExt;
use crate::model::{AppName, Application, Cluster, Clusters};

/// The instances of a repository; none where all that it has is for one Argo CD.
#[derive(Clone, Debug, Default)]
pub(super) struct Instances {
    /// What each root is called, for the documents of what it brings.
    roots: BTreeMap<(RepoPath, usize), String>,
    /// The names that several roots have.
    shared: BTreeSet<String>,
}

impl Instances {
    fn of(repo: &Repo) -> Self {
        let mut by_name: BTreeMap<&str, Vec<&Manifest>> = BTreeMap::new();
        for (manifest, app) in repo.applications() {
            by_name.entry(app.name()).or_default().push(manifest);
        }
        by_name.retain(|_, manifests| manifests.len() > 1);
        if by_name.is_empty() {
            return Self::default();
        }
        let bringers = Bringers::of(repo);
        let root = |manifest| bringers.chain(manifest).last().map(|root| owned(root));
        let (mut found, mut shared) = (BTreeSet::new(), BTreeSet::new());
        for (name, manifests) in by_name {
            for (index, one) in manifests.iter().enumerate() {
                let apart = manifests[index + 1..]
                    .iter()
                    .filter(|other| bringers.are_apart(one, other));
                for other in apart {
                    found.extend([one, other].into_iter().filter_map(|manifest| root(manifest)));
                    shared.insert(name.to_owned());
                }
            }
        }
        if found.is_empty() {
            return Self::default();
        }
        let labels = labels(&found);
        let apps = repo.applications().map(|(manifest, _)| manifest);
        let roots = apps.filter_map(|manifest| Some((owned(manifest), labels.get(&root(manifest)?)?.clone())));
        Self {
            roots: roots.collect(),
            shared,
        }
    }
}

fn owned(manifest: &Manifest) -> (RepoPath, usize) {
    let (file, document) = place(manifest);
    (file.clone(), document)
}

/// Returns what roots are called: what their files have in the places in which these differ.
fn labels(roots: &BTreeSet<(RepoPath, usize)>) -> BTreeMap<(RepoPath, usize), String> {
    let parts = |file: &RepoPath| -> Vec<String> {
        let stem = file.as_str().rsplit_once('.').map_or(file.as_str(), |(stem, _)| stem);
        stem.split('/').map(str::to_owned).collect()
    };
    let all: Vec<Vec<String>> = roots.iter().map(|(file, _)| parts(file)).collect();
    let shortest = all.iter().map(Vec::len).min().unwrap_or_default();
    let is_common = |at: &dyn Fn(&Vec<String>) -> String| all.iter().all(|parts| at(parts) == at(&all[0]));
    let start = (0..shortest)
        .take_while(|index| is_common(&|parts| parts[*index].clone()))
        .count();
    let end = (0..shortest - start)
        .take_while(|index| is_common(&|parts| parts[parts.len() - 1 - index].clone()))
        .count();
    let mut used = BTreeMap::new();
    let mut label = |parts: &[String]| {
        let differing = parts[start..parts.len() - end].join("-");
        let text = if differing.is_empty() {
            "root".to_owned()
        } else {
            differing
        };
        let count: &mut usize = used.entry(text.clone()).or_default();
        *count += 1;
        if *count == 1 { text } else { format!("{text}-{count}") }
    };
    roots
        .iter()
        .zip(&all)
        .map(|(root, parts)| (root.clone(), label(parts)))
        .collect()
}

impl Repo {
    /// Returns the root whose instance a manifest is, where the repository has several.
    pub fn instance(&self, manifest: &Manifest) -> Option<&str> {
        let instances = self.instances.get_or_init(|| Instances::of(self));
        match instances.roots.is_empty() {
            true => None,
            false => instances.roots.get(&owned(manifest)).map(String::as_str),
        }
    }

    /// Returns the name of an Application: `ROOT/APP` where several roots bring one of its name; `None` where its name is not
    /// Kubernetes'.
    pub fn app_name(&self, manifest: &Manifest) -> Option<AppName> {
        let name = AppName::new(manifest.object.name()).ok()?;
        Some(
            match self.instance(manifest).filter(|_| self.is_shared(name.as_str())) {
                Some(root) => name.of_root(root),
                None => name,
            },
        )
    }

    /// Returns the name of an Application as [`Self::app_name`], or as it is written.
    pub fn shown_name(&self, manifest: &Manifest) -> String {
        let name = self.app_name(manifest);
        name.map_or_else(|| manifest.object.name().to_owned(), |name| name.to_string())
    }

    /// Reports whether several roots bring an Application of this name.
    fn is_shared(&self, name: &str) -> bool {
        let instances = self.instances.get_or_init(|| Instances::of(self));
        instances.shared.contains(name)
    }

    /// Returns the cluster that an Application is deployed to: that of each root's Argo CD is another one.
    pub fn cluster(&self, manifest: &Manifest, app: &Application<'_>, clusters: &Clusters) -> Cluster {
        match (clusters.of(app), self.instance(manifest)) {
            (Cluster::Local, Some(root)) => Cluster::OfRoot(root.to_owned()),
            (cluster, _) => cluster,
        }
    }

    /// Refuses a name that several roots have.
    ///
    /// # Errors
    /// Names those that are meant, perhaps.
    pub fn check_one(&self, name: &str) -> Result<()> {
        if !self.is_shared(name) {
            return Ok(());
        }
        let of_name = self.applications().filter(|(_, app)| app.name() == name);
        let names: Vec<String> = of_name
            .filter_map(|(manifest, _)| Some(self.app_name(manifest)?.to_string()))
            .collect();
        Err(
            anyhow!("several roots bring an Application `{name}`: {}", names.join(", "))
                .hint("name it with its root, as `ROOT/APP`"),
        )
    }
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

    fn read(files: &[(&str, String)]) -> Repo {
        let files = Memory::new(files.iter().map(|(path, text)| (*path, text.as_str()))).unwrap();
        Repo::read(&files, &["https://git.example.org/home".to_owned()]).unwrap()
    }

    fn names(repo: &Repo) -> Vec<String> {
        let apps = repo.applications();
        apps.filter_map(|(manifest, _)| Some(repo.app_name(manifest)?.to_string()))
            .collect()
    }

    #[test]
    fn what_two_roots_of_one_name_bring_is_two_instances() {
        let repo = read(&[
            ("clusters/production/root.yaml", app("root", "production")),
            ("clusters/sandbox/root.yaml", app("root", "sandbox")),
            ("production/web.yaml", app("web", "charts/web")),
            ("production/notes.yaml", app("notes", "charts/notes")),
            ("sandbox/web.yaml", app("web", "charts/web")),
            ("by-hand.yaml", app("other", "charts/web")),
        ]);
        assert_eq!(
            names(&repo),
            [
                "other",
                "production/root",
                "sandbox/root",
                "notes",
                "production/web",
                "sandbox/web"
            ]
        );
        assert_eq!(
            repo.application("sandbox/web").unwrap().0.file.as_str(),
            "sandbox/web.yaml"
        );
        let clusters = repo.clusters();
        let cluster = |name: &str| {
            let (manifest, app) = repo.application(name).unwrap();
            repo.cluster(manifest, &app, &clusters).to_string()
        };
        assert_eq!(cluster("notes"), "in-cluster of production");
        assert_eq!(cluster("other"), "in-cluster");
        let error = repo.named_application("web").map(|_| ()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "several roots bring an Application `web`: production/web, sandbox/web"
        );
        assert!(repo.named_application("notes").is_ok());
    }

    #[test]
    fn two_of_one_name_below_one_root_are_one_instance() {
        let repo = read(&[
            ("root.yaml", app("root", "apps")),
            ("apps/a.yaml", app("web", "x")),
            ("apps/b.yaml", app("web", "y")),
        ]);
        assert_eq!(names(&repo), ["web", "web", "root"]);
        assert!(repo.named_application("web").is_ok());
    }
}
