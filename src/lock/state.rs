//! Whether objects are the policies of the lock: those of a repository, or those of a cluster.

use serde_json::Value;

use super::{Policy, VERSION, VERSION_ANNOTATION};
use crate::model::Object;

/// The state of one policy with its binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyState {
    /// Neither is there.
    Missing,
    /// It is there and refuses nothing; why, as a sentence.
    Off(&'static str),
    /// An older version of this program has written it.
    Older(Option<u32>),
    /// A newer version of this program has written it.
    Newer(u32),
    /// It has this version and was changed.
    Changed,
    /// It is as this program writes it.
    Current,
}

/// Returns the state of a policy by the objects of its name.
pub fn state(expected: &Policy, policy: Option<&Object>, binding: Option<&Object>) -> PolicyState {
    let (Some(policy), binding) = (policy, binding) else {
        return match binding {
            None => PolicyState::Missing,
            Some(_) => PolicyState::Off("its policy is missing"),
        };
    };
    let Some(binding) = binding else {
        return PolicyState::Off("its binding is missing");
    };
    if let Some(why) = off(policy, binding) {
        return PolicyState::Off(why);
    }
    match version(policy).min(version(binding)) {
        Some(newer) if newer > VERSION => PolicyState::Newer(newer),
        Some(VERSION) => {
            let is_same = |is: &Object, expected: &Object| covers(&is.tree()["spec"], &expected.tree()["spec"]);
            match is_same(policy, &expected.policy) && is_same(binding, &expected.binding) {
                true => PolicyState::Current,
                false => PolicyState::Changed,
            }
        }
        older => PolicyState::Older(older),
    }
}

/// Returns the version in an object's annotation.
fn version(object: &Object) -> Option<u32> {
    object.annotation(VERSION_ANNOTATION)?.parse().ok()
}

/// Returns why a policy refuses nothing, or not everywhere.
fn off(policy: &Object, binding: &Object) -> Option<&'static str> {
    let denies = binding.at("/spec/validationActions").and_then(Value::as_array);
    if !denies.is_some_and(|actions| actions.iter().any(|action| action == "Deny")) {
        return Some("its binding does not have the action `Deny`");
    }
    if binding.at("/spec/policyName").and_then(Value::as_str) != Some(policy.name()) {
        return Some("its binding names another policy");
    }
    let narrow = binding.at("/spec/matchResources").and_then(Value::as_object);
    if narrow.is_some_and(|narrow| narrow.values().any(selects)) {
        return Some("its binding is limited to some objects by `matchResources`");
    }
    None
}

/// Reports whether a field of `matchResources` selects anything.
fn selects(field: &Value) -> bool {
    match field {
        Value::Object(map) => !map.is_empty(),
        Value::Array(list) => !list.is_empty(),
        _ => false,
    }
}

/// Reports whether a value has everything that another one has; a server may add fields.
fn covers(is: &Value, expected: &Value) -> bool {
    match (is, expected) {
        (Value::Object(is), Value::Object(expected)) => expected
            .iter()
            .all(|(key, value)| is.get(key).is_some_and(|is| covers(is, value))),
        (Value::Array(is), Value::Array(expected)) => {
            is.len() == expected.len() && is.iter().zip(expected).all(|(is, expected)| covers(is, expected))
        }
        _ => is == expected,
    }
}
