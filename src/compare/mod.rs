//! Two sets of objects, compared: [`renders`] finds what differs between two renders, [`effects`] what the storage rules do
//! to one, and [`Comparison`] what Argo CD does to each object when one state of a repository becomes another.
//!
//! ```text
//! state  the Applications, sets and objects of one side     fate      what becomes of Applications, and of what they leave
//! place  where an object is                                 applied   what becomes of what they render
//! prediction  action, reason, guard                         manifests what becomes of Applications that nothing renders
//! checks  how much it matters                               likeness  what was renamed
//! level   of that                                           consequences  what one outcome means for others
//! statements  what the repository says of claims that move, are kept or let go                locations where it is in files
//! ```

mod affected;
mod applied;
pub mod checks;
mod circumstances;
mod comparison;
mod consequences;
pub mod effects;
mod fate;
#[cfg(test)]
pub(crate) mod fixture;
mod guards;
mod ignored;
mod immutable;
mod level;
mod likeness;
mod locations;
mod manifests;
mod options;
mod place;
mod prediction;
mod reasons;
pub mod renders;
mod state;
mod statements;

use std::collections::BTreeSet;

use json_patch::{Patch, PatchOperation, diff};

use crate::model::Object;

pub use applied::fixed_templates;
pub use circumstances::Circumstances;
pub use comparison::{Comparison, Side, Withheld};
pub use effects::Effects;
pub use level::Level;
pub use place::Place;
pub use prediction::{Action as Predicted, Guard, Hit, Outcome, Prediction, Reason as Why};
pub use reasons::REASONS;
pub use renders::differences;
pub use state::{AppState, Known, Placed, SetState, State};

/// One object that is not the same on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The object, as `Deployment/player`, with its namespace where it has one.
    pub object: String,
    /// What happens to it from the first side to the second.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// Whether a claim is at stake: the object is a claim or a volume, or it differs in which claim it names or makes.
    pub of_claim: bool,
}

/// What happens to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Only the second side has it.
    Added,
    /// Only the first side has it.
    Removed,
    /// It is in another place of the stream.
    Moved,
    /// It differs at these JSON Pointers.
    Changed(Vec<String>),
}

/// Why an object differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The two sides differ.
    Content,
    /// Two renders of the first side differ in this value, too: a random password, a date.
    RandomValue,
    /// Two renders of the first side differ in a name, a key or a length here, too; what stands there was compared as far as
    /// it can be.
    RandomShape,
    /// Two renders of the first side have other objects of this kind, too, so that there is nothing to compare it with.
    Incomparable,
}

/// Returns the name of an object in a report.
fn name(object: &Object) -> String {
    match object.reference() {
        Some(reference) => reference.to_string(),
        None => format!("{} without a name", object.kind()),
    }
}

/// Returns the JSON Pointers at which two objects differ.
fn changed_pointers(one: &Object, other: &Object) -> BTreeSet<String> {
    let operations = changes(one, other).into_iter();
    operations.map(|operation| operation.path().to_string()).collect()
}

/// Returns the operations that make one object the other.
fn changes(one: &Object, other: &Object) -> Vec<PatchOperation> {
    let Patch(operations) = diff(one.tree(), other.tree());
    operations
}

#[cfg(test)]
mod tests;
