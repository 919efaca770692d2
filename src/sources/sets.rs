//! The ApplicationSets of a repository and what they generate from its working tree.

use super::SourceDirs;
use crate::disk::Checkout;
use crate::parallel;
use crate::repo::{Manifest, Repo};
use crate::sets::{Contents, Generated, Reason, RepoContents, Set};

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
pub fn expanded_sets<'r>(repo: &'r Repo, checkout: &Checkout, dirs: &SourceDirs) -> Vec<ExpandedSet<'r>> {
    let contents = RepoContents::new(repo, checkout).with_checkouts(dirs);
    expanded_in(repo, &contents, |_| true)
}

/// Expands those sets that are wanted with what is known of the repository.
pub(super) fn expanded_in<'r>(
    repo: &'r Repo,
    contents: &dyn Contents,
    mut is_wanted: impl FnMut(&Manifest) -> bool,
) -> Vec<ExpandedSet<'r>> {
    let sets = repo.all_manifests().filter_map(|manifest| {
        let set = Set::new(&manifest.object).filter(|_| is_wanted(manifest))?;
        Some((manifest, set))
    });
    let sets: Vec<(&Manifest, Set<'_>)> = sets.collect();
    let expanded = |(manifest, set): &(&'r Manifest, Set<'r>)| ExpandedSet {
        manifest,
        set: *set,
        applications: set.expand(contents),
    };
    parallel::in_order(&sets, expanded, |_| {})
}
