//! The parameter `moves` of Applications whose charts render a claim that others own, when it gets its next owner.

use anyhow::Result;
use json_patch::PatchOperation;
use serde_json::{Value, json};

use super::Renders;
use super::keeps::Written;
use super::parameters::{Target, entries};
use crate::model::moved_claim::MovedTo;
use crate::model::{AppName, AppRenders, ClaimRef, NamespaceName, PointerExt, Source};
use crate::repo::Repo;
use crate::rules::{Scope, fixes};

/// The name of the parameter.
const MOVES: &str = "moves";

/// Names the next owner of a claim in every Application that leaves it out, but for some that are changed otherwise.
///
/// # Errors
/// When there is no place for the entries.
pub fn follow(
    repo: &Repo,
    renders: &dyn Renders,
    (claim, to): (&ClaimRef, &AppName),
    but: &[&AppName],
) -> Result<Written> {
    let nothing = AppRenders::new();
    let mut written = Written::default();
    for subject in &Scope::new(repo, &nothing).subjects {
        let destination = subject.namespace.as_ref();
        let mut moves = subject.read_sources().flat_map(|(_, parameters)| &parameters.moves);
        let is_other = |moved: &MovedTo| moved.to != *to && moved.claim.is(claim, destination);
        if subject.cluster != claim.cluster || but.contains(&&subject.name) || !moves.any(is_other) {
            continue;
        }
        let target = Target::new(repo, renders, subject.name.as_str())?;
        let changed = target.change(&target.positions(), &|_, source| {
            renamed(source, &|moved| is_other(moved).then(|| to.clone()))
        })?;
        written.notes.push(format!(
            "Application `{}` leaves claim `{claim}` to `{to}` from now on",
            subject.name
        ));
        written.add(&subject.name, changed);
    }
    Ok(written)
}

/// Returns the operations that give entries another owner.
fn renamed(source: &Source<'_>, owner: &dyn Fn(&MovedTo) -> Option<AppName>) -> Vec<PatchOperation> {
    let Some(array) = source.parameter(MOVES).map(|parameter| parameter.child("array")) else {
        return Vec::new();
    };
    let there = source.value(&array).and_then(Value::as_array);
    let there = there.into_iter().flatten().enumerate();
    let operation = |(index, entry): (usize, &Value)| {
        let moved: MovedTo = entry.as_str()?.parse().ok()?;
        let to = owner(&moved)?;
        let claim = moved.claim;
        Some(fixes::replace(
            array.child(index),
            json!(MovedTo { claim, to }.to_string()),
        ))
    };
    there.filter_map(operation).collect()
}

/// Returns the operations by which an Application that gets a claim into `owns` renders it again, where it left it out.
pub fn take_back(source: &Source<'_>, claim: &ClaimRef, destination: Option<&NamespaceName>) -> Vec<PatchOperation> {
    let list = source.at(&["plugin", "parameters"]);
    let operations = entries::remove_from_parameter(source, MOVES, |entry| is_of(entry, claim, destination));
    match source.parameter(MOVES) {
        // The list stays: `owns` is in it then.
        Some(parameter) if operations == [fixes::remove(&list)] => vec![fixes::remove(parameter)],
        _ => operations,
    }
}

/// Reports whether an entry of `moves` is about a claim.
pub fn is_of(entry: &str, claim: &ClaimRef, destination: Option<&NamespaceName>) -> bool {
    entry
        .parse()
        .is_ok_and(|moved: MovedTo| moved.claim.is(claim, destination))
}
