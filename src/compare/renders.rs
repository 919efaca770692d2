//! What differs between two renders of one Application.
//!
//! Both sides have to have the same objects in the same order. What also differs between two renders of the first side
//! (random passwords and names) differs by itself, and is marked so.

use std::collections::{BTreeMap, BTreeSet};

use json_patch::PatchOperation;

use super::{Action, Difference, Reason, changed_pointers, changes, name};
use crate::model::claim::is_claim;
use crate::model::{Object, Pointer, PointerBuf};

const NAME: &str = "/metadata/name";

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
    let again = again()?;
    if !are_pairs(before, &again, after) {
        return Ok(unpaired(before, &again, after));
    }
    let mut found = Vec::new();
    for (index, (one, other)) in before.iter().zip(after).enumerate() {
        let random = Random::between(one, twin(before, &again, index).unwrap_or(one));
        let mut by_reason: BTreeMap<Reason, Vec<String>> = BTreeMap::new();
        for pointer in changed_pointers(one, other) {
            by_reason.entry(random.reason(&pointer)).or_default().push(pointer);
        }
        found.extend(by_reason.into_iter().map(|(reason, pointers)| Difference {
            object: name(one),
            of_claim: pointers.iter().any(|pointer| names_claim(one, pointer)),
            action: Action::Changed(pointers),
            reason,
        }));
    }
    Ok(found)
}

/// Reports whether the objects are the same in the same order, those aside whose names differ between two renders of the
/// first side, too.
fn are_pairs(before: &[Object], again: &[Object], after: &[Object]) -> bool {
    let is_pair = |index: usize, one: &Object, other: &Object| {
        let has_random_name = || twin(before, again, index).is_some_and(|again| again.name() != one.name());
        one.reference() == other.reference() || kind(one) == kind(other) && has_random_name()
    };
    let mut pairs = (0..).zip(before.iter().zip(after));
    before.len() == after.len() && pairs.all(|(index, (one, other))| is_pair(index, one, other))
}

/// Returns what an object is in another render of the same: the one of its name, else the one in its place.
fn twin<'o>(before: &[Object], again: &'o [Object], index: usize) -> Option<&'o Object> {
    let one = &before[index];
    let is_same = |other: &&Object| other.reference() == one.reference();
    let in_place = again.get(index).filter(|other| kind(other) == kind(one));
    let of_name = in_place.filter(is_same).or_else(|| again.iter().find(is_same));
    of_name.or(in_place.filter(|_| again.len() == before.len()))
}

/// Returns what is the same of an object with a random name.
fn kind(object: &Object) -> (&str, &str, Option<&str>) {
    (object.group(), object.kind(), object.namespace())
}

/// The places at which two renders of one object differ.
pub(super) struct Random {
    /// The values that differ.
    values: BTreeSet<String>,
    /// The places below which nothing can be told apart: they have other keys, or another length.
    shapes: Vec<PointerBuf>,
}

impl Random {
    pub(super) fn between(one: &Object, again: &Object) -> Self {
        let (mut values, mut shapes) = (BTreeSet::new(), Vec::new());
        for operation in changes(one, again) {
            let path = operation.path().to_string();
            match operation {
                PatchOperation::Replace(_) => {
                    shapes.extend(PointerBuf::parse(&path));
                    values.insert(path);
                }
                _ => shapes.extend(
                    Pointer::parse(&path)
                        .ok()
                        .and_then(Pointer::parent)
                        .map(Pointer::to_buf),
                ),
            }
        }
        Self { values, shapes }
    }

    /// Reports whether two renders differ at a place, or around it.
    pub(super) fn covers(&self, pointer: &str) -> bool {
        self.reason(pointer) != Reason::Content
    }

    fn reason(&self, pointer: &str) -> Reason {
        if pointer != NAME && self.values.contains(pointer) {
            return Reason::RandomValue;
        }
        let is_below = |shape: &PointerBuf| Pointer::parse(pointer).is_ok_and(|pointer| pointer.starts_with(shape));
        match self.shapes.iter().any(is_below) {
            true => Reason::RandomShape,
            false => Reason::Content,
        }
    }
}

fn is_of_claim(object: &Object) -> bool {
    is_claim(object) || object.is("", "PersistentVolume")
}

/// Reports whether a place says which claim is used or made. Labels and annotations of a claim do not.
fn names_claim(object: &Object, pointer: &str) -> bool {
    let last = pointer.rsplit('/').next().unwrap_or_default();
    let is_remark = || {
        ["/metadata/annotations", "/metadata/labels"]
            .iter()
            .any(|start| pointer.starts_with(start))
    };
    last.eq_ignore_ascii_case("claimName")
        || pointer.contains("volumeClaimTemplates")
        || is_of_claim(object) && !is_remark()
}

/// Returns the objects that only one side has; where there are none, the first that is in another place.
fn unpaired(before: &[Object], again: &[Object], after: &[Object]) -> Vec<Difference> {
    let random = random_kinds(before, again);
    let object_of = |wanted: &str| before.iter().chain(after).find(|object| name(object) == wanted);
    let difference = |named: &str, action: Action| {
        let object = object_of(named);
        let is_random = object.is_some_and(|object| random.contains(&kind(object)));
        Difference {
            object: named.to_owned(),
            action,
            reason: if is_random {
                Reason::Incomparable
            } else {
                Reason::Content
            },
            of_claim: object.is_some_and(is_of_claim),
        }
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

/// Returns the kinds of the objects that only one of two renders has.
fn random_kinds<'o>(before: &'o [Object], again: &'o [Object]) -> BTreeSet<(&'o str, &'o str, Option<&'o str>)> {
    let (one, other) = (counted(before), counted(again));
    let objects = before.iter().chain(again);
    let is_random = |object: &&Object| one.get(&name(object)) != other.get(&name(object));
    objects.filter(is_random).map(kind).collect()
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
        let random = changed("Secret/s", "/data/password", Reason::RandomValue);
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
        assert_eq!(compared(&all, &all, &all[..1]), of("ConfigMap/c", Action::Removed));
        assert_eq!(compared(&all[..1], &all[..1], &all), of("ConfigMap/c", Action::Added));
        assert_eq!(compared(&all, &all, &[two, one]), of("Secret/s", Action::Moved));
    }

    fn named(kind: &str, name: &str, spec: Value) -> Object {
        Object::new(json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, "spec": spec}))
    }

    #[test]
    fn random_names_keys_and_lengths_are_told_from_content() {
        let shape = |object: &str, pointers: &[&str], reason: Reason| {
            let pointers = pointers.iter().map(|pointer| (*pointer).to_owned()).collect();
            (object.to_owned(), Action::Changed(pointers), reason)
        };
        let pod = |name: &str, image: &str| [named("Pod", name, json!({"image": image}))];
        assert_eq!(
            compared(&pod("a", "x"), &pod("b", "x"), &pod("c", "x")),
            [shape("Pod/a", &[NAME], Reason::RandomShape)]
        );
        assert_eq!(
            compared(&pod("a", "x"), &pod("b", "x"), &pod("c", "y")),
            [
                shape("Pod/a", &["/spec/image"], Reason::Content),
                shape("Pod/a", &[NAME], Reason::RandomShape)
            ]
        );
        // The name is the same natively, so that it is no chance.
        let gone = |name: &str, action: Action| (name.to_owned(), action, Reason::Content);
        assert_eq!(
            compared(&pod("a", "x"), &pod("a", "x"), &pod("c", "x")),
            [gone("Pod/a", Action::Removed), gone("Pod/c", Action::Added)]
        );
        let keys = |key: &str| [config(json!({ key: "1", "x": "1" }))];
        assert_eq!(
            compared(&keys("a"), &keys("b"), &keys("c")),
            [shape("ConfigMap/c", &["/data/a", "/data/c"], Reason::RandomShape)]
        );
        let more = [config(json!({"a": "1", "x": "1"})), config(json!({}))];
        assert_eq!(
            compared(&more, &[more[0].clone()], &more[..1]),
            [("ConfigMap/c".to_owned(), Action::Removed, Reason::Incomparable)]
        );
    }

    #[test]
    fn what_is_about_claims_is_marked() {
        let of_claim = |one: Object, again: Object, after: Object| {
            let found = differences(&[one], || Ok::<_, Infallible>(vec![again]), &[after]).unwrap();
            found.iter().any(|difference| difference.of_claim)
        };
        let claim = |name: &str| named("PersistentVolumeClaim", name, json!({}));
        assert!(of_claim(claim("a"), claim("b"), claim("c")));
        let pod = |claim: &str| {
            named(
                "Pod",
                "p",
                json!({"volumes": [{"persistentVolumeClaim": {"claimName": claim}}], "env": claim}),
            )
        };
        assert!(of_claim(pod("a"), pod("b"), pod("c")));
        let env = |value: &str| named("Pod", "p", json!({ "env": value }));
        assert!(!of_claim(env("a"), env("b"), env("c")));
    }
}
