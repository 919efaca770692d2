//! Who is hit when something becomes of an object.

use std::collections::BTreeSet;

use super::place::Place;
use super::state::State;
use crate::model::claim::is_claim;
use crate::model::{AppName, Object};

/// Reports whether data goes with an object.
pub(super) fn holds_data(object: &Object) -> bool {
    is_claim(object) || object.is("", "PersistentVolume") || object.is("", "Namespace")
}

/// Returns the owner of a claim and the other Applications that use it; of a Namespace those that have objects in it.
pub(super) fn hit(base: &State<'_>, head: &State<'_>, place: &Place) -> (Option<AppName>, Vec<AppName>) {
    if place.is("", "Namespace") {
        let is_inside = |other: &Place| other.cluster == place.cluster && other.namespace() == Some(&place.object.name);
        let inside = base.placed().filter(|(other, _)| is_inside(other));
        let apps: BTreeSet<AppName> = inside
            .flat_map(|(_, placed)| placed)
            .map(|placed| placed.subject.name.clone())
            .collect();
        return (None, apps.into_iter().collect());
    }
    let Some(claim) = place.claim() else {
        return (None, Vec::new());
    };
    let (before, after) = (base.scope.claim(&claim), head.scope.claim(&claim));
    let owner = after.owners.first().or(before.owners.first()).cloned();
    let mut consumers: BTreeSet<AppName> = BTreeSet::new();
    for known in [&before, &after] {
        consumers.extend(known.consumers.union(&known.users).cloned());
    }
    consumers.retain(|app| Some(app) != owner.as_ref());
    (owner, consumers.into_iter().collect())
}
