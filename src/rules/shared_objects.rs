//! The objects that several Applications render: Argo CD gives each to the one that was synced last, and warns in the others.

use std::collections::{BTreeSet, HashMap};

use super::subject::{Item, Subject};
use crate::model::sync::is_hook;
use crate::model::{Cluster, ObjectRef};

/// An object in a cluster.
type Placed = (Cluster, ObjectRef);

/// The Applications that render each object, as indices.
#[derive(Debug, Default)]
pub(super) struct SharedObjects(HashMap<Placed, BTreeSet<usize>>);

impl SharedObjects {
    pub(super) fn of(subjects: &[Subject<'_>]) -> Self {
        let mut all: HashMap<Placed, BTreeSet<usize>> = HashMap::new();
        for (index, subject) in subjects.iter().enumerate() {
            for placed in subject.items.iter().filter_map(|item| placed(subject, item)) {
                all.entry(placed).or_default().insert(index);
            }
        }
        all.retain(|_, renderers| renderers.len() > 1);
        Self(all)
    }

    /// Returns the first object of an Application that others render, too, with one of them, as an index.
    pub(super) fn first(&self, subject: &Subject<'_>, is_other: impl Fn(usize) -> bool) -> Option<(ObjectRef, usize)> {
        subject.items.iter().find_map(|item| {
            let placed = placed(subject, item)?;
            let other = self.0.get(&placed)?.iter().find(|index| is_other(**index))?;
            Some((placed.1, *other))
        })
    }
}

/// Returns where an object is; nothing for a hook, which Argo CD does not keep for the Application.
fn placed(subject: &Subject<'_>, item: &Item<'_>) -> Option<Placed> {
    let object = item.object();
    let reference = subject.reference_of(object).filter(|_| !is_hook(object))?;
    Some((subject.cluster.clone(), reference))
}
