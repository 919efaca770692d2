//! What the storage rules do to a render.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{changed_pointers, name};
use crate::model::Object;
use crate::model::claim::is_claim;
use crate::model::claim_use::{VolumeUse, claim_uses};
use crate::model::namespace::is_namespace;
use crate::model::workload::stamps;

/// What the storage rules change in a render.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// How many objects there are.
    pub objects: usize,
    /// What changes, a line for each object: `Pod/p: claim `films` read-only`.
    pub lines: Vec<String>,
    /// The claims that some workload writes before and only reads afterwards, with these workloads.
    pub read_only: BTreeMap<String, BTreeSet<String>>,
}

impl Effects {
    /// Returns what changes from objects to the same objects under the storage rules.
    pub fn between(before: &[Object], after: &[Object]) -> Self {
        let mut effects = Self {
            objects: after.len(),
            ..Self::default()
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
                        let workloads = effects.read_only.entry(volume.claim.to_owned()).or_default();
                        workloads.insert(name(before));
                    }
                }
                if stamps(before).is_empty() != stamps(after).is_empty() {
                    parts.push("stamped".to_owned());
                }
            }
            if parts.is_empty() {
                let pointers: Vec<String> = changed_pointers(before, after).into_iter().collect();
                parts.push(format!("changed at {}", pointers.join(", ")));
            }
            effects.lines.push(format!("{}: {}", name(before), parts.join(", ")));
        }
        effects
    }
}

/// Returns the volumes of claims that the storage rules made read-only, and whether the workload could write them before.
fn changed_volumes<'o>(before: &'o Object, after: &Object) -> Vec<(VolumeUse<'o>, bool)> {
    let new = claim_uses(after).volumes;
    let new: HashMap<_, _> = new.iter().map(|volume| (&volume.pointer, volume)).collect();
    let pairs = claim_uses(before).volumes.into_iter().filter_map(|volume| {
        let other = new.get(&volume.pointer)?;
        let changed = (volume.read_only, &volume.mounts) != (other.read_only, &other.mounts);
        let turned = volume.is_written() && !other.is_written();
        changed.then_some((volume, turned))
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn a_claim_of_a_custom_kind_turns_read_only_too() {
        let job = |read_only: bool| {
            Object::new(
                json!({"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledJob", "metadata": {"name": "j"}, "spec": {"jobTargetRef": {"template": {"spec": {
                "containers": [{"volumeMounts": [{"name": "v", "readOnly": read_only}]}],
                "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "films", "readOnly": read_only}}]}}}}}),
            )
        };
        let turned = Effects::between(&[job(false)], &[job(true)]);
        assert_eq!(turned.lines, ["keda.sh/ScaledJob/j: claim `films` read-only"]);
        assert_eq!(turned.read_only.keys().collect::<Vec<_>>(), ["films"]);
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
        let turned = Effects::between(&[write], std::slice::from_ref(&read));
        assert_eq!(turned.lines, ["Pod/p: claim `films` read-only"]);
        assert_eq!(turned.read_only.keys().collect::<Vec<_>>(), ["films"]);
        let not_turned = Effects::between(&[half], std::slice::from_ref(&read));
        assert_eq!((not_turned.lines.len(), not_turned.read_only.len()), (1, 0));
        assert_eq!(
            Effects::between(std::slice::from_ref(&read), std::slice::from_ref(&read))
                .lines
                .len(),
            0
        );
    }
}
