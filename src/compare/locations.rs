//! Where the second state has what is to be looked at.

use super::place::Place;
use super::prediction::Prediction;
use super::state::State;
use crate::model::{Pointer, PointerBuf};
use crate::rules::Location;

/// The name of an object.
const NAME: &Pointer = Pointer::from_static("/metadata/name");

/// Sets the locations of predictions: of an object that is there the first difference, of one that has another name that name.
pub(super) fn find(head: &State<'_>, predictions: &mut [Prediction<'_>]) {
    for prediction in predictions {
        let first = prediction.pointers.first();
        let first = first.and_then(|pointer| PointerBuf::parse(pointer.as_str()).ok());
        let own = location(head, &prediction.place, first.as_deref().unwrap_or(NAME));
        let twin = || location(head, prediction.twin.as_ref()?, NAME);
        prediction.location = own.or_else(twin);
    }
}

fn location(head: &State<'_>, place: &Place, pointer: &Pointer) -> Option<Location> {
    let (manifest, base) = head.at(place).iter().find_map(|placed| placed.home)?;
    Some(Location::of(manifest, base.concat(pointer)))
}
