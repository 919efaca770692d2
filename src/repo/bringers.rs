//! What brings each Application and ApplicationSet, up to what somebody applies.

use std::collections::BTreeSet;

use super::{Manifest, Repo, RepoPath, SyncedFolders};

/// A document of a file.
pub(super) type Document<'r> = (&'r RepoPath, usize);

/// What brings the Applications, up to what somebody applies.
pub struct Bringers<'r> {
    repo: &'r Repo,
    synced: SyncedFolders<'r>,
    /// The documents that bring others.
    all: BTreeSet<Document<'r>>,
}

impl<'r> Bringers<'r> {
    /// Follows all Applications of a repository.
    pub fn of(repo: &'r Repo) -> Self {
        let mut bringers = Self {
            repo,
            synced: repo.synced_folders(),
            all: BTreeSet::new(),
        };
        for (manifest, _) in repo.applications() {
            let above = bringers.chain(manifest).into_iter().map(place);
            // What is generated or rendered is at the place of what makes it.
            let above: Vec<_> = above.skip(usize::from(manifest.is_written())).collect();
            bringers.all.extend(above);
        }
        bringers
    }

    /// Returns the documents from that of a manifest up to its root.
    pub(super) fn chain(&self, manifest: &'r Manifest) -> Vec<&'r Manifest> {
        let (mut next, mut chain) = (Some(manifest), Vec::<&'r Manifest>::new());
        while let Some(at) = next {
            let at = match at.is_written() {
                true => at,
                false => self.repo.manifest(&at.file, at.document).unwrap_or(at),
            };
            if chain.iter().any(|below| place(below) == place(at)) {
                break;
            }
            chain.push(at);
            next = synced_by(&self.synced, at).map(|(above, _)| above);
        }
        chain
    }

    /// Reports whether two manifests are for two Argo CDs: they have two roots, and come from two objects of one name, which no
    /// Argo CD could have.
    pub fn are_apart(&self, one: &'r Manifest, other: &'r Manifest) -> bool {
        let [one, other] = [one, other].map(|manifest| self.chain(manifest));
        let is_one_object =
            |one: &&Manifest, other: &&Manifest| one.object.is_same_as(&other.object) && self.all.contains(&place(one));
        one.last().map(|root| place(root)) != other.last().map(|root| place(root))
            && one.iter().any(|one| {
                let mut others = other.iter().filter(|other| self.all.contains(&place(other)));
                others.any(|other| is_one_object(one, other))
            })
    }
}

/// Returns the Application that syncs the file of a manifest: another one than itself.
pub(super) fn synced_by<'r>(
    synced: &SyncedFolders<'r>,
    manifest: &Manifest,
) -> Option<(&'r Manifest, crate::model::Application<'r>)> {
    let is_itself = |other: &Manifest| other.object.is_same_as(&manifest.object);
    synced.synced_by(&manifest.file).find(|(other, _)| !is_itself(other))
}

pub(super) fn place(manifest: &Manifest) -> Document<'_> {
    (&manifest.file, manifest.document)
}
