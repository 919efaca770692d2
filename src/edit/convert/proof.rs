//! Two renders of one Application: equal, but for what the law does.
//!
//! What Argo CD's own tool renders has to be what the plugin gets from Helm or the folder before the law, object for
//! object, in one order. What differs between two renders of the same tool (random passwords) differs by itself and is
//! only said.

use std::collections::{BTreeMap, BTreeSet};

use json_patch::{Patch, diff};

use crate::model::Object;
use crate::model::claim::is_claim;
use crate::model::namespace::is_namespace;
use crate::model::workload::{ClaimVolume, pod_template};

/// What two equal renders show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// How many objects there are.
    pub objects: usize,
    /// What the law changes, by object.
    pub law: Vec<String>,
    /// What differs at every render, by object.
    pub random: Vec<String>,
    /// The claims that some workload writes before the law and only reads under it, with these workloads.
    pub read_only: BTreeMap<String, BTreeSet<String>>,
}

/// How an object is called in a report: `Deployment/player`, with its namespace where it says one.
fn name(object: &Object) -> String {
    match object.reference() {
        Some(reference) => reference.to_string(),
        None => format!("{} without a name", object.kind()),
    }
}

/// The JSON Pointers at which two objects differ.
fn differences(one: &Object, other: &Object) -> BTreeSet<String> {
    let Patch(operations) = diff(one.tree(), other.tree());
    operations
        .iter()
        .map(|operation| operation.path().to_string())
        .collect()
}

/// Compares two renders of the same tool with one of the plugin before the law. `again` is asked for the second one only
/// where the first differs. Gives what differs at every render.
///
/// # Errors
/// The objects that differ otherwise, without their values.
pub fn equal<E>(
    native: &[Object],
    again: impl FnOnce() -> Result<Vec<Object>, E>,
    plugin: &[Object],
) -> Result<Result<Vec<String>, Vec<String>>, E> {
    if native == plugin {
        return Ok(Ok(Vec::new()));
    }
    let moved = order(native, plugin);
    if !moved.is_empty() {
        return Ok(Err(moved));
    }
    let again = again()?;
    let (mut random, mut unequal) = (Vec::new(), Vec::new());
    for (index, (one, other)) in native.iter().zip(plugin).enumerate() {
        let by_itself = again.get(index).filter(|object| object.reference() == one.reference());
        let by_itself = by_itself.map(|again| differences(one, again)).unwrap_or_default();
        let (expected, wrong): (Vec<String>, Vec<String>) = differences(one, other)
            .into_iter()
            .partition(|pointer| by_itself.contains(pointer));
        if !expected.is_empty() {
            random.push(format!("{}: {}", name(one), expected.join(", ")));
        }
        if !wrong.is_empty() {
            unequal.push(format!("{}: differs at {}", name(one), wrong.join(", ")));
        }
    }
    Ok(if unequal.is_empty() { Ok(random) } else { Err(unequal) })
}

/// Objects that only one render has, or that stand in another place.
fn order(native: &[Object], plugin: &[Object]) -> Vec<String> {
    let count = |objects: &[Object]| {
        let mut counted: BTreeMap<String, usize> = BTreeMap::new();
        objects
            .iter()
            .for_each(|object| *counted.entry(name(object)).or_default() += 1);
        counted
    };
    let (before, after) = (count(native), count(plugin));
    let more = |one: &BTreeMap<String, usize>, other: &BTreeMap<String, usize>, who: &str| -> Vec<String> {
        let only = one
            .iter()
            .filter(|(name, count)| other.get(*name).unwrap_or(&0) < *count);
        only.map(|(name, _)| format!("{name}: rendered by {who} only"))
            .collect()
    };
    let mut lines = more(&before, &after, "Argo CD's own tool");
    lines.extend(more(&after, &before, "the plugin"));
    if lines.is_empty() {
        let names = native.iter().zip(plugin).map(|(one, other)| (name(one), name(other)));
        let moved = names.filter(|(one, other)| one != other);
        lines = moved
            .map(|(one, _)| format!("{one}: stands in another place"))
            .take(1)
            .collect();
    }
    lines
}

/// What the law does to objects, and which claims turn read-only by it.
pub fn law(before: &[Object], after: &[Object]) -> Proof {
    let mut proof = Proof {
        objects: after.len(),
        ..Proof::default()
    };
    for (before, after) in before.iter().zip(after) {
        if before == after {
            continue;
        }
        let mut parts = Vec::new();
        if is_namespace(before) {
            parts.push("guarded, with the owners of its claims".to_owned());
        } else if is_claim(before) || before.is("", "PersistentVolume") {
            parts.push("guarded".to_owned());
        } else {
            for (volume, changed) in changed_volumes(before, after) {
                parts.push(format!("claim `{}` read-only", volume.claim));
                if changed {
                    let workloads = proof.read_only.entry(volume.claim.to_owned()).or_default();
                    workloads.insert(name(before));
                }
            }
        }
        if parts.is_empty() {
            let pointers: Vec<String> = differences(before, after).into_iter().collect();
            parts.push(format!("changed at {}", pointers.join(", ")));
        }
        proof.law.push(format!("{}: {}", name(before), parts.join(", ")));
    }
    proof
}

/// The volumes of claims that the law made read-only, and whether the workload could write them before.
fn changed_volumes<'o>(before: &'o Object, after: &Object) -> Vec<(ClaimVolume<'o>, bool)> {
    let (Some(old), Some(new)) = (pod_template(before), pod_template(after)) else {
        return Vec::new();
    };
    let writes = |volume: &ClaimVolume<'_>| !volume.read_only && volume.mounts.iter().any(|mount| !mount.read_only);
    let new = new.claim_volumes();
    let pairs = old.claim_volumes().into_iter().filter_map(|volume| {
        let other = new.iter().find(|other| other.index == volume.index)?;
        let changed = (volume.read_only, &volume.mounts) != (other.read_only, &other.mounts);
        let turned = writes(&volume) && !writes(other);
        changed.then_some((volume, turned))
    });
    pairs.collect()
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

    fn compared(native: &[Object], again: &[Object], plugin: &[Object]) -> Result<Vec<String>, Vec<String>> {
        equal(native, || Ok::<_, Infallible>(again.to_vec()), plugin).unwrap()
    }

    #[test]
    fn what_is_random_is_said_and_what_differs_is_refused() {
        let native = [secret("a"), config(json!({"x": "1"}))];
        assert_eq!(compared(&native, &[], &native), Ok(Vec::new()));
        let again = [secret("b"), config(json!({"x": "1"}))];
        let plugin = [secret("c"), config(json!({"x": "1"}))];
        assert_eq!(
            compared(&native, &again, &plugin),
            Ok(vec!["Secret/s: /data/password".to_owned()])
        );
        let plugin = [secret("c"), config(json!({"x": "2"}))];
        assert_eq!(
            compared(&native, &again, &plugin),
            Err(vec!["ConfigMap/c: differs at /data/x".to_owned()])
        );
    }

    #[test]
    fn missing_more_and_moved_objects_are_named() {
        let (one, two) = (secret("a"), config(json!({})));
        let all = [one.clone(), two.clone()];
        assert_eq!(
            compared(&all, &[], &all[..1]),
            Err(vec!["ConfigMap/c: rendered by Argo CD's own tool only".to_owned()])
        );
        assert_eq!(
            compared(&all[..1], &[], &all),
            Err(vec!["ConfigMap/c: rendered by the plugin only".to_owned()])
        );
        assert_eq!(
            compared(&all, &[], &[two, one]),
            Err(vec!["Secret/s: stands in another place".to_owned()])
        );
    }

    #[test]
    fn a_claim_that_turns_read_only_is_named_with_its_workloads() {
        let pod = |volume: Value, mount: Value| {
            Object::new(
                json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {
                "containers": [{"name": "c", "volumeMounts": [mount]}], "volumes": [{"name": "v", "persistentVolumeClaim": volume}]}}),
            )
        };
        let read = pod(
            json!({"claimName": "films", "readOnly": true}),
            json!({"name": "v", "mountPath": "/f", "readOnly": true}),
        );
        let write = pod(json!({"claimName": "films"}), json!({"name": "v", "mountPath": "/f"}));
        let half = pod(
            json!({"claimName": "films"}),
            json!({"name": "v", "mountPath": "/f", "readOnly": true}),
        );
        let turned = law(&[write], std::slice::from_ref(&read));
        assert_eq!(turned.law, ["Pod/p: claim `films` read-only"]);
        assert_eq!(turned.read_only.keys().collect::<Vec<_>>(), ["films"]);
        let not_turned = law(&[half], std::slice::from_ref(&read));
        assert_eq!((not_turned.law.len(), not_turned.read_only.len()), (1, 0));
        assert_eq!(
            law(std::slice::from_ref(&read), std::slice::from_ref(&read)).law.len(),
            0
        );
    }
}
