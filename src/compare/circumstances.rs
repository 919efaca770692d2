//! What a comparison knows besides the two states.

use std::collections::BTreeMap;

use super::place::Place;
use crate::model::{AppName, Object, Source};

/// The kinds of the objects that are read in a cluster.
const LIVE: [(&str, &str); 3] = [
    ("", "PersistentVolumeClaim"),
    ("", "PersistentVolume"),
    ("", "Namespace"),
];

/// What a comparison knows besides the two states.
#[derive(Clone, Copy, Default)]
pub struct Circumstances<'c> {
    /// What the first state is called in sentences: a commit.
    pub base: &'c str,
    /// Reports whether Argo CD reads the first state from the branch that a source names: a guard counts only then. Without it,
    /// it does.
    pub is_read: Option<&'c dyn Fn(&Source<'_>) -> bool>,
    /// The objects in the cluster, where they were read: their annotations decide instead of those at the base.
    pub live: Option<&'c BTreeMap<Place, Object>>,
    /// Second renders of the first state, for the Applications that differ: what differs between two renders is random.
    pub again: Option<&'c BTreeMap<AppName, Vec<Object>>>,
}

impl<'c> Circumstances<'c> {
    /// Returns those of a comparison with what is called so, of which nothing else is known.
    pub fn named(base: &'c str) -> Self {
        Self {
            base,
            ..Self::default()
        }
    }

    /// Returns the object whose annotations decide.
    pub(super) fn live(&self, place: &Place) -> Option<&'c Object> {
        self.live?.get(place)
    }

    /// Reports whether the cluster was asked for an object, and does not have it.
    pub(super) fn is_absent(&self, place: &Place) -> bool {
        let is_read = place.cluster.is_local() && LIVE.iter().any(|(group, kind)| place.is(group, kind));
        self.live.is_some_and(|live| is_read && !live.contains_key(place))
    }

    /// Returns the second render of an Application.
    pub(super) fn again(&self, app: &AppName) -> Option<&'c [Object]> {
        self.again?.get(app).map(Vec::as_slice)
    }

    /// Reports whether Argo CD reads the first state of a source.
    pub(super) fn is_read(&self, source: &Source<'_>) -> bool {
        self.is_read.is_none_or(|is_read| is_read(source))
    }
}
