//! Whether Argo CD reads a commit: a guard in it counts only then.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::disk::Checkout;
use crate::git::WorkingTree;
use crate::model::Source;
use crate::repo::Repo;

/// Returns whether Argo CD reads a commit from the branch that a source names; of a state that is no commit, it does. Git is asked once
/// for each branch.
pub(super) fn reads<'r>(
    checkout: &Checkout,
    repo: &'r Repo,
    commit: Option<&'r str>,
) -> impl Fn(&Source<'_>) -> bool + 'r {
    let tree = WorkingTree::at(checkout.root());
    let known: RefCell<BTreeMap<String, bool>> = RefCell::default();
    move |source| {
        let (Some(tree), Some(commit)) = (&tree, commit) else {
            return true;
        };
        if source.is_versioned() || !repo.is_own(source.repo_url()) {
            return true;
        }
        let revision = source.target_revision();
        let mut known = known.borrow_mut();
        *known
            .entry(revision.to_owned())
            .or_insert_with(|| tree.may_hold(revision, commit))
    }
}
