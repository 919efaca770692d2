//! The workloads that write claims, and the patches that make them stand still: no replicas, suspended, or on no node.

use std::collections::BTreeSet;

use anyhow::{Context, Result, anyhow};
use json_patch::PatchOperation;
use serde_json::{Value, json};

use crate::failure::HintExt;
use crate::model::claim_use::claim_uses;
use crate::model::made_claims::{claim_patterns, patterns_of};
use crate::model::{ClaimRef, Object, Pointer, PointerExt};
use crate::rules::fixes;

/// The label of nodes that no node has.
const STOPPED: &str = "storage.home.arpa/stopped";

/// A workload, and the patch that stops it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stop {
    /// The key of the parameter `patches`.
    pub(super) key: String,
    /// The operation.
    pub(super) operation: PatchOperation,
    /// What it does, in words.
    pub(super) what: String,
}

/// Returns what stops the workloads among rendered objects that mount one of the claims; with `all` those that only read it, too.
/// `raw` is the render before the storage rules and patches, and `destination` the namespace of objects without one.
///
/// # Errors
/// When a workload cannot be stopped by a patch.
pub(super) fn stops(
    (finished, raw): (&[Object], &[Object]),
    claims: &[&ClaimRef],
    destination: &str,
    all: bool,
) -> Result<Vec<Stop>> {
    let is_meant = |name: &str, namespace: Option<&str>| {
        let mut claims = claims.iter();
        claims.any(|claim| claim.name.as_str() == name && claim.namespace.as_str() == namespace.unwrap_or(destination))
    };
    let (mut stops, mut seen) = (Vec::new(), BTreeSet::new());
    for object in finished {
        check_made(object, claims)?;
        let uses = claim_uses(object);
        let mut volumes = uses.volumes.iter().filter(|volume| all || volume.is_written());
        let mut places = uses.places.iter();
        let mounts = volumes.any(|volume| is_meant(volume.claim, volume.manifest.namespace));
        let names = places.any(|place| is_meant(place.claim, place.manifest.namespace));
        if names && !all {
            return Err(refused(object, "names the claim in a place that no patch stops"));
        }
        let key = object.reference().map(|reference| reference.to_string());
        if !mounts || !seen.insert(key.clone()) {
            continue;
        }
        check_scaled(object, finished)?;
        let before = raw.iter().find(|other| other.is_same_as(object)).unwrap_or(object);
        match stop(before) {
            Some((operation, what)) => stops.push(Stop {
                what: format!("{} `{}` {what}", object.kind(), object.name()),
                key: key.context("an object has no name")?,
                operation,
            }),
            None if all => {}
            None => return Err(refused(object, "writes the claim, and no patch stops it")),
        }
    }
    Ok(stops)
}

/// Returns the operation that stops a workload, and what it does; `None` for a kind that cannot be stopped so.
fn stop(object: &Object) -> Option<(PatchOperation, &'static str)> {
    let add = |pointer: &'static str, value: Value| fixes::add(pointer, value);
    match (object.group(), object.kind()) {
        ("apps", "Deployment" | "StatefulSet" | "ReplicaSet") => {
            Some((add("/spec/replicas", json!(0)), "has no replicas"))
        }
        ("batch", "CronJob") => Some((add("/spec/suspend", json!(true)), "is suspended")),
        ("apps", "DaemonSet") => {
            let selector = Pointer::from_static("/spec/template/spec/nodeSelector");
            let operation = match object.at(selector).is_some_and(Value::is_object) {
                true => fixes::add(selector.child(STOPPED), json!("true")),
                false => fixes::add(selector, json!({STOPPED: "true"})),
            };
            Some((operation, "fits no node"))
        }
        _ => None,
    }
}

/// Refuses a claim that a controller makes for an object: it would make it again.
fn check_made(object: &Object, claims: &[&ClaimRef]) -> Result<()> {
    let patterns = claim_patterns(object);
    let is_made = |claim: &&&ClaimRef| patterns_of(claim.name.as_str()).any(|pattern| patterns.contains(&pattern));
    match claims.iter().find(is_made) {
        Some(claim) => Err(anyhow!(
            "{} `{}` makes claim `{claim}`, so that it belongs to its Application as long as that is there",
            object.kind(),
            object.name()
        )
        .hint("remove the Application with its data kept, and add the other one with the claim in `--owns`")),
        None => Ok(()),
    }
}

/// Refuses a workload that KEDA starts again.
fn check_scaled(object: &Object, all: &[Object]) -> Result<()> {
    let target = |scaled: &&Object| {
        let name = scaled.at("/spec/scaleTargetRef/name").and_then(Value::as_str);
        scaled.is("keda.sh", "ScaledObject") && name == Some(object.name())
    };
    match all.iter().find(target) {
        Some(scaled) => Err(anyhow!(
            "ScaledObject `{}` would start {} `{}` again",
            scaled.name(),
            object.kind(),
            object.name()
        )
        .hint("pause it with the annotation `autoscaling.keda.sh/paused-replicas: \"0\"` in a commit before, and run the command again")),
        None => Ok(()),
    }
}

fn refused(object: &Object, why: &str) -> anyhow::Error {
    anyhow!("{} `{}` {why}", object.kind(), object.name())
        .hint("let it end, and take it out of what the Application renders first")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ClaimName, Cluster, NamespaceName};

    fn workload(api_version: &str, kind: &str, spec: Value) -> Object {
        Object::new(json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}, "spec": spec}))
    }

    fn pod(read_only: bool) -> Value {
        json!({"containers": [{"name": "c", "volumeMounts": [{"name": "v", "mountPath": "/v", "readOnly": read_only}]}],
            "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "audio"}}]})
    }

    fn claim(name: &str) -> ClaimRef {
        ClaimRef {
            cluster: Cluster::Local,
            namespace: NamespaceName::new("media").unwrap(),
            name: ClaimName::new(name).unwrap(),
        }
    }

    fn stopped(object: &Object, all: bool) -> Result<Vec<Value>> {
        let objects = std::slice::from_ref(object);
        let stops = stops((objects, objects), &[&claim("audio")], "media", all)?;
        let one = |stop: Stop| json!([stop.key, serde_json::to_value(stop.operation).unwrap()]);
        Ok(stops.into_iter().map(one).collect())
    }

    #[test]
    fn each_kind_stands_still_in_its_way() {
        let deployment = workload("apps/v1", "Deployment", json!({"template": {"spec": pod(false)}}));
        assert_eq!(
            stopped(&deployment, false).unwrap(),
            [json!(["apps/Deployment/x", {"op": "add", "path": "/spec/replicas", "value": 0}])]
        );
        let job = json!({"jobTemplate": {"spec": {"template": {"spec": pod(false)}}}});
        assert_eq!(
            stopped(&workload("batch/v1", "CronJob", job), false).unwrap(),
            [json!(["batch/CronJob/x", {"op": "add", "path": "/spec/suspend", "value": true}])]
        );
        let mut spec = json!({"template": {"spec": pod(false)}});
        let daemons = stopped(&workload("apps/v1", "DaemonSet", spec.clone()), false).unwrap();
        assert_eq!(daemons[0][1]["path"], "/spec/template/spec/nodeSelector");
        spec["template"]["spec"]["nodeSelector"] = json!({"a": "b"});
        let daemons = stopped(&workload("apps/v1", "DaemonSet", spec), false).unwrap();
        assert_eq!(
            daemons[0][1]["path"],
            "/spec/template/spec/nodeSelector/storage.home.arpa~1stopped"
        );
    }

    #[test]
    fn who_only_reads_goes_on() {
        let reader = workload("apps/v1", "Deployment", json!({"template": {"spec": pod(true)}}));
        assert!(stopped(&reader, false).unwrap().is_empty());
        assert_eq!(stopped(&reader, true).unwrap().len(), 1);
    }

    #[test]
    fn what_no_patch_stops_is_refused() {
        for (api_version, kind, spec) in [
            ("batch/v1", "Job", json!({"template": {"spec": pod(false)}})),
            ("v1", "Pod", pod(false)),
            (
                "argoproj.io/v1alpha1",
                "Rollout",
                json!({"template": {"spec": pod(false)}}),
            ),
        ] {
            let error = stopped(&workload(api_version, kind, spec), false).unwrap_err();
            assert!(error.to_string().contains("no patch stops it"), "{kind}: {error:#}");
        }
        let set = workload(
            "apps/v1",
            "StatefulSet",
            json!({"volumeClaimTemplates": [{"metadata": {"name": "data"}}], "template": {"spec": {}}}),
        );
        let made = claim("data-x-0");
        let sets = std::slice::from_ref(&set);
        let error = stops((sets, sets), &[&made], "media", false).unwrap_err();
        assert!(error.to_string().contains("makes claim"), "{error:#}");
    }
}
