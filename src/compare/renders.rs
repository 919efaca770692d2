//! What differs between two renders of one Application.
//!
//! Both sides have to have the same objects in the same order. What also differs between two renders of the first side
//! (random passwords) differs by itself, and is marked so.

use std::collections::BTreeMap;

use super::{Action, Difference, Reason, changed_pointers, name};
use crate::model::Object;

/// Returns what differs between two renders. `again` renders the first side again; it is called only where the two
/// differ.
///
/// # Errors
/// Those of `again`.
pub fn differences<E>(
    before: &[Object],
    again: impl FnOnce() -> Result<Vec<Object>, E>,
    after: &[Object],
) -> Result<Vec<Difference>, E> {
    if before == after {
        return Ok(Vec::new());
    }
    let unpaired = unpaired(before, after);
    if !unpaired.is_empty() {
        return Ok(unpaired);
    }
    let again = again()?;
    let mut found = Vec::new();
    for (index, (one, other)) in before.iter().zip(after).enumerate() {
        let by_itself = again.get(index).filter(|object| object.reference() == one.reference());
        let by_itself = by_itself.map(|again| changed_pointers(one, again)).unwrap_or_default();
        let (random, content): (Vec<String>, Vec<String>) = changed_pointers(one, other)
            .into_iter()
            .partition(|pointer| by_itself.contains(pointer));
        let changed = [(random, Reason::Random), (content, Reason::Content)].into_iter();
        let changed = changed.filter(|(pointers, _)| !pointers.is_empty());
        found.extend(changed.map(|(pointers, reason)| Difference {
            object: name(one),
            action: Action::Changed(pointers),
            reason,
        }));
    }
    Ok(found)
}

/// Returns the objects that only one side has; where there are none, the first that is in another place.
fn unpaired(before: &[Object], after: &[Object]) -> Vec<Difference> {
    let difference = |object: &str, action: Action| Difference {
        object: object.to_owned(),
        action,
        reason: Reason::Content,
    };
    let only = |one: &[Object], other: &[Object], action: Action| -> Vec<Difference> {
        let (one, other) = (counted(one), counted(other));
        let only = one
            .iter()
            .filter(|(name, count)| other.get(*name).unwrap_or(&0) < *count);
        only.map(|(name, _)| difference(name, action.clone())).collect()
    };
    let mut found = only(before, after, Action::Removed);
    found.extend(only(after, before, Action::Added));
    if found.is_empty() {
        let mut pairs = before.iter().zip(after).map(|(one, other)| (name(one), name(other)));
        let moved = pairs.find(|(one, other)| one != other);
        found.extend(moved.map(|(one, _)| difference(&one, Action::Moved)));
    }
    found
}

fn counted(objects: &[Object]) -> BTreeMap<String, usize> {
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    objects
        .iter()
        .for_each(|object| *counted.entry(name(object)).or_default() += 1);
    counted
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::convert::Infallible;

    fn secret(password: &str) -> Object {
        Object::new(
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"password": password}}),
        )
    }

    fn config(value: Value) -> Object {
        Object::new(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": value}))
    }

    fn compared(before: &[Object], again: &[Object], after: &[Object]) -> Vec<(String, Action, Reason)> {
        let found = differences(before, || Ok::<_, Infallible>(again.to_vec()), after).unwrap();
        found
            .into_iter()
            .map(|difference| (difference.object, difference.action, difference.reason))
            .collect()
    }

    fn changed(object: &str, pointer: &str, reason: Reason) -> (String, Action, Reason) {
        (object.to_owned(), Action::Changed(vec![pointer.to_owned()]), reason)
    }

    #[test]
    fn what_is_random_is_marked() {
        let before = [secret("a"), config(json!({"x": "1"}))];
        assert_eq!(compared(&before, &[], &before), []);
        let again = [secret("b"), config(json!({"x": "1"}))];
        let after = [secret("c"), config(json!({"x": "1"}))];
        let random = changed("Secret/s", "/data/password", Reason::Random);
        assert_eq!(compared(&before, &again, &after), std::slice::from_ref(&random));
        let after = [secret("c"), config(json!({"x": "2"}))];
        let content = changed("ConfigMap/c", "/data/x", Reason::Content);
        assert_eq!(compared(&before, &again, &after), [random, content]);
    }

    #[test]
    fn missing_more_and_moved_objects_are_named() {
        let (one, two) = (secret("a"), config(json!({})));
        let all = [one.clone(), two.clone()];
        let of = |name: &str, action: Action| vec![(name.to_owned(), action, Reason::Content)];
        assert_eq!(compared(&all, &[], &all[..1]), of("ConfigMap/c", Action::Removed));
        assert_eq!(compared(&all[..1], &[], &all), of("ConfigMap/c", Action::Added));
        assert_eq!(compared(&all, &[], &[two, one]), of("Secret/s", Action::Moved));
    }
}
