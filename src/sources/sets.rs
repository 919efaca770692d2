//! The ApplicationSets of a repository and what they generate from its working tree.

use std::cell::OnceCell;

use anyhow::{Result, anyhow};

use crate::disk::Checkout;
use crate::model::settings::GeneratorOutput;
use crate::model::{DeclaredCluster, Object, clusters};
use crate::repo::{Files, Manifest, Repo, RepoPath};
use crate::sets::{Contents, Generated, Reason, Set};

/// A set, and its Applications or why they are unknown.
#[derive(Debug)]
pub struct ExpandedSet<'r> {
    /// The set's manifest.
    pub manifest: &'r Manifest,
    /// The set.
    pub set: Set<'r>,
    /// Its Applications.
    pub applications: Result<Vec<Generated>, Reason>,
}

/// Expands the sets of a repository, in the order of files.
pub fn expanded_sets<'r>(repo: &'r Repo, checkout: &Checkout) -> Vec<ExpandedSet<'r>> {
    let contents = WorkingFiles {
        repo,
        checkout,
        declared: repo.settings.clusters.iter().map(DeclaredCluster::secret).collect(),
        files: OnceCell::new(),
    };
    let sets = repo.all_manifests().filter_map(|manifest| {
        let set = Set::new(&manifest.object)?;
        Some(ExpandedSet {
            manifest,
            set,
            applications: set.expand(&contents),
        })
    });
    sets.collect()
}

/// The files of the working tree: those that git has, and those that it would add.
struct WorkingFiles<'r> {
    repo: &'r Repo,
    checkout: &'r Checkout,
    /// The Secrets of the clusters that the settings declare.
    declared: Vec<Object>,
    /// Their paths, or why they cannot be listed.
    files: OnceCell<Result<Vec<RepoPath>, String>>,
}

impl Contents for WorkingFiles<'_> {
    fn is_own(&self, url: &str) -> bool {
        self.repo.is_own(url)
    }

    fn files(&self) -> Result<Vec<RepoPath>> {
        let files = self
            .files
            .get_or_init(|| self.checkout.all().map_err(|error| format!("{error:#}")));
        files.clone().map_err(|message| anyhow!(message))
    }

    fn read(&self, path: &RepoPath) -> Result<Option<Vec<u8>>> {
        self.checkout.read(path)
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
