//! How much a change matters: a check for each thing that can go wrong, one in a file. A check asks for the object as it was and as
//! it is, and for what Argo CD does to it, and has two fixtures: in one it fires, in the other it does not. Every check runs over the
//! fixtures of all others.

mod application_removed;
mod application_renamed;
mod case;
mod chart_major_version;
mod claim_class_changed;
mod claim_deleted;
mod claim_field_changed;
mod claim_grown;
mod claim_recreated;
mod claim_renamed;
mod claim_shrunk;
mod consumer_becomes_writer;
mod definition_deleted;
mod destination_changed;
mod finalizer_added;
mod generator_fails;
mod guard_dropped;
mod guard_too_late;
mod image_major_version;
mod immutable_field;
mod namespace_deleted;
mod operator_claims_deleted;
mod owner_changed;
mod preserve_dropped;
mod privileged;
mod prune_switched_on;
mod rbac_widened;
mod read_only_lost;
mod replicas_to_zero;
mod retention_deletes_claims;
mod self_heal_switched_on;
mod set_changes;
mod set_policy_changed;
mod set_removed;
mod set_shrinks;
mod stateful_set_deleted;
mod suspended;
mod versions;
mod volume_deleted;
mod workload_starts_empty;

use super::level::Level;
use super::prediction::{Hit, Prediction};
use super::state::State;
use super::statements;

pub use case::Case;

/// One check of a change.
#[derive(Debug)]
pub struct Check {
    /// Stable id, as the file: `claim-deleted`.
    pub id: &'static str,
    /// How much it matters.
    pub level: Level,
    /// What it finds, in a sentence.
    pub summary: &'static str,
    /// What to do about it, in the imperative.
    pub way_out: &'static str,
    /// Where that is described.
    pub reference: &'static str,
    /// Returns what is to be said of an object, if anything.
    pub query: fn(&Case<'_, '_>) -> Option<String>,
}

/// Every check.
pub static ALL: &[&Check] = &[
    &claim_deleted::CHECK,
    &claim_recreated::CHECK,
    &claim_renamed::CHECK,
    &claim_shrunk::CHECK,
    &claim_grown::CHECK,
    &claim_class_changed::CHECK,
    &claim_field_changed::CHECK,
    &volume_deleted::CHECK,
    &guard_too_late::CHECK,
    &guard_dropped::CHECK,
    &workload_starts_empty::CHECK,
    &namespace_deleted::CHECK,
    &stateful_set_deleted::CHECK,
    &retention_deletes_claims::CHECK,
    &operator_claims_deleted::CHECK,
    &definition_deleted::CHECK,
    &owner_changed::CHECK,
    &consumer_becomes_writer::CHECK,
    &read_only_lost::CHECK,
    &application_renamed::CHECK,
    &application_removed::CHECK,
    &destination_changed::CHECK,
    &finalizer_added::CHECK,
    &prune_switched_on::CHECK,
    &self_heal_switched_on::CHECK,
    &set_removed::CHECK,
    &set_shrinks::CHECK,
    &set_changes::CHECK,
    &set_policy_changed::CHECK,
    &preserve_dropped::CHECK,
    &generator_fails::CHECK,
    &immutable_field::CHECK,
    &replicas_to_zero::CHECK,
    &suspended::CHECK,
    &chart_major_version::CHECK,
    &image_major_version::CHECK,
    &rbac_widened::CHECK,
    &privileged::CHECK,
];

/// The fixtures of every check.
#[cfg(test)]
const FIXTURES: &[(&Check, &str, &str)] = &[
    (&claim_deleted::CHECK, claim_deleted::FIRES, claim_deleted::SILENT),
    (&claim_recreated::CHECK, claim_recreated::FIRES, claim_recreated::SILENT),
    (&claim_renamed::CHECK, claim_renamed::FIRES, claim_renamed::SILENT),
    (&claim_shrunk::CHECK, claim_shrunk::FIRES, claim_shrunk::SILENT),
    (&claim_grown::CHECK, claim_grown::FIRES, claim_grown::SILENT),
    (
        &claim_class_changed::CHECK,
        claim_class_changed::FIRES,
        claim_class_changed::SILENT,
    ),
    (
        &claim_field_changed::CHECK,
        claim_field_changed::FIRES,
        claim_field_changed::SILENT,
    ),
    (&volume_deleted::CHECK, volume_deleted::FIRES, volume_deleted::SILENT),
    (&guard_too_late::CHECK, guard_too_late::FIRES, guard_too_late::SILENT),
    (&guard_dropped::CHECK, guard_dropped::FIRES, guard_dropped::SILENT),
    (
        &workload_starts_empty::CHECK,
        workload_starts_empty::FIRES,
        workload_starts_empty::SILENT,
    ),
    (
        &namespace_deleted::CHECK,
        namespace_deleted::FIRES,
        namespace_deleted::SILENT,
    ),
    (
        &stateful_set_deleted::CHECK,
        stateful_set_deleted::FIRES,
        stateful_set_deleted::SILENT,
    ),
    (
        &retention_deletes_claims::CHECK,
        retention_deletes_claims::FIRES,
        retention_deletes_claims::SILENT,
    ),
    (
        &operator_claims_deleted::CHECK,
        operator_claims_deleted::FIRES,
        operator_claims_deleted::SILENT,
    ),
    (
        &definition_deleted::CHECK,
        definition_deleted::FIRES,
        definition_deleted::SILENT,
    ),
    (&owner_changed::CHECK, owner_changed::FIRES, owner_changed::SILENT),
    (
        &consumer_becomes_writer::CHECK,
        consumer_becomes_writer::FIRES,
        consumer_becomes_writer::SILENT,
    ),
    (&read_only_lost::CHECK, read_only_lost::FIRES, read_only_lost::SILENT),
    (
        &application_renamed::CHECK,
        application_renamed::FIRES,
        application_renamed::SILENT,
    ),
    (
        &application_removed::CHECK,
        application_removed::FIRES,
        application_removed::SILENT,
    ),
    (
        &destination_changed::CHECK,
        destination_changed::FIRES,
        destination_changed::SILENT,
    ),
    (&finalizer_added::CHECK, finalizer_added::FIRES, finalizer_added::SILENT),
    (
        &prune_switched_on::CHECK,
        prune_switched_on::FIRES,
        prune_switched_on::SILENT,
    ),
    (
        &self_heal_switched_on::CHECK,
        self_heal_switched_on::FIRES,
        self_heal_switched_on::SILENT,
    ),
    (&set_removed::CHECK, set_removed::FIRES, set_removed::SILENT),
    (&set_shrinks::CHECK, set_shrinks::FIRES, set_shrinks::SILENT),
    (&set_changes::CHECK, set_changes::FIRES, set_changes::SILENT),
    (
        &set_policy_changed::CHECK,
        set_policy_changed::FIRES,
        set_policy_changed::SILENT,
    ),
    (
        &preserve_dropped::CHECK,
        preserve_dropped::FIRES,
        preserve_dropped::SILENT,
    ),
    (&generator_fails::CHECK, generator_fails::FIRES, generator_fails::SILENT),
    (&immutable_field::CHECK, immutable_field::FIRES, immutable_field::SILENT),
    (
        &replicas_to_zero::CHECK,
        replicas_to_zero::FIRES,
        replicas_to_zero::SILENT,
    ),
    (&suspended::CHECK, suspended::FIRES, suspended::SILENT),
    (
        &chart_major_version::CHECK,
        chart_major_version::FIRES,
        chart_major_version::SILENT,
    ),
    (
        &image_major_version::CHECK,
        image_major_version::FIRES,
        image_major_version::SILENT,
    ),
    (&rbac_widened::CHECK, rbac_widened::FIRES, rbac_widened::SILENT),
    (&privileged::CHECK, privileged::FIRES, privileged::SILENT),
];

/// Runs every check on every prediction, and sets the levels.
pub(super) fn apply<'s>(base: &State<'s>, head: &State<'s>, predictions: &mut [Prediction<'s>]) {
    let hits: Vec<Vec<Hit>> = predictions
        .iter()
        .map(|prediction| {
            let case = Case {
                base,
                head,
                all: predictions,
                prediction,
            };
            let hits = ALL.iter().filter_map(|check| {
                Some(Hit {
                    id: check.id,
                    level: check.level,
                    message: (check.query)(&case)?,
                    way_out: check.way_out,
                    reference: check.reference,
                })
            });
            hits.collect()
        })
        .collect();
    for (prediction, mut hits) in predictions.iter_mut().zip(hits) {
        hits.sort_by_key(|hit| std::cmp::Reverse(hit.level));
        let of_hits = hits.first().map(|hit| hit.level).unwrap_or_default();
        prediction.level = of_hits.max(statements::level(&prediction.outcome));
        prediction.hits = hits;
    }
}

#[cfg(test)]
mod tests;
