//! The ApplicationSets of a repository and what they generate from its working tree.

use crate::disk::Checkout;
use crate::repo::{Manifest, Repo};
use crate::sets::{Generated, Reason, RepoContents, Set};

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
    let contents = RepoContents::new(repo, checkout);
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
