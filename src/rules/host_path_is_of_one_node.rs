//! HL117: a path of the node is another folder on each node.

use serde_json::Value;

use super::{Check, Finding, Item, Meta, Rule, Scope, Severity, Subject};
use crate::model::directory::host_path;
use crate::model::workload::{CONTAINER_LISTS, USUAL_PLACES, is_pinned};
use crate::model::{AsPointer, ClaimRef, PointerBuf, PointerExt};

static META: Meta = Meta {
    id: "HL117",
    name: "host-path-is-of-one-node",
    severity: Severity::Error,
    summary: "in a cluster of several nodes, a hostPath volume says on which node its data is",
    why: "A hostPath volume is a folder of whatever node the pod runs on. In a cluster of several nodes the scheduler puts the pod \
anywhere: after a drain or a reboot it starts on another node, in an empty folder of the same name, and everything is Healthy. Two \
pods that share the volume on two nodes see different files.\n\n\
A PersistentVolume says its node in `spec.nodeAffinity` (`local` instead of `hostPath` demands it); a pod by a `nodeSelector` with \
`kubernetes.io/hostname`. A DaemonSet means every node, and system folders, devices and what is only read have no data of their own: \
all these are no finding. A folder that all nodes mount from one server is better an NFS volume; otherwise ignore the finding by a \
comment.\n\n\
The rule needs to know how many nodes there are: `nodes: 3` in `.homelab.yaml`, or `--nodes 3`. Without that it finds nothing.\n\n\
https://kubernetes.io/docs/concepts/storage/volumes/#hostpath",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

/// The kinds whose pods may run on any node.
const ANYWHERE: [(&str, &str); 7] = [
    ("", "Pod"),
    ("", "ReplicationController"),
    ("apps", "Deployment"),
    ("apps", "ReplicaSet"),
    ("apps", "StatefulSet"),
    ("batch", "CronJob"),
    ("batch", "Job"),
];

fn check(scope: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let Some(nodes) = scope.repo.settings.nodes.filter(|nodes| *nodes > 1) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for item in &subject.items {
        if item.object().is("", "PersistentVolume") {
            findings.extend(of_volume(scope, (subject, item), nodes));
        } else if ANYWHERE.iter().any(|(group, kind)| item.object().is(group, kind)) {
            findings.extend(of_pods(subject, item, nodes));
        }
    }
    findings
}

fn of_volume(scope: &Scope<'_>, (subject, item): (&Subject<'_>, &Item<'_>), nodes: u64) -> Option<Finding> {
    let object = item.object();
    let path = host_path(object.at("/spec")?)?;
    if object.at("/spec/nodeAffinity/required").is_some() || has_pinned_pods(scope, subject, item) {
        return None;
    }
    let message = format!(
        "PersistentVolume `{}` is `{path}` of whatever node its pod runs on, and there are {nodes} nodes",
        object.name()
    );
    let finding = subject.finding_on(&META, message, item, "/spec/hostPath");
    Some(finding.hint("add `spec.nodeAffinity` with the node that has the folder"))
}

/// Reports whether all pods that mount the claim of a volume say their node.
fn has_pinned_pods(scope: &Scope<'_>, subject: &Subject<'_>, item: &Item<'_>) -> bool {
    let mountings = scope.claims_of_volume(subject, item);
    let mountings: Vec<_> = mountings
        .iter()
        .flat_map(|claim: &ClaimRef| scope.mountings(claim))
        .collect();
    !mountings.is_empty() && mountings.iter().all(|mounting| is_pinned(mounting.pod))
}

fn of_pods(subject: &Subject<'_>, item: &Item<'_>, nodes: u64) -> Vec<Finding> {
    let object = item.object();
    let pods = USUAL_PLACES.iter().map(|place| place.as_pointer());
    let pods = pods.filter_map(|pointer| Some((pointer, object.at(pointer)?)));
    let anywhere = pods.filter(|(_, pod)| !is_pinned(pod));
    let found = anywhere.flat_map(|(pointer, pod)| {
        let volumes = written(pod).into_iter();
        volumes.map(move |(index, path)| (pointer.child("volumes").child(index).child("hostPath"), path))
    });
    let finding = |(pointer, path): (PointerBuf, String)| {
        let message = format!(
            "{} `{}` writes `{path}` of whatever node it runs on, and there are {nodes} nodes",
            object.kind(),
            object.name()
        );
        let finding = subject.finding_on(&META, message, item, &pointer);
        finding.hint(
            "name the node that has the folder in `nodeSelector` (`kubernetes.io/hostname`), or mount a claim instead",
        )
    };
    found.map(finding).collect()
}

/// Returns the folders of the node that a pod writes, with the indices of their volumes.
fn written(pod: &Value) -> Vec<(usize, String)> {
    let list = |tree: &'_ Value, key: &str| tree.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let containers = CONTAINER_LISTS.into_iter().flat_map(|key| list(pod, key));
    let mounts = containers.flat_map(|container| list(&container, "volumeMounts"));
    let writing = mounts.filter(|mount| mount.get("readOnly").and_then(Value::as_bool) != Some(true));
    let names: Vec<Value> = writing.filter_map(|mount| mount.get("name").cloned()).collect();
    let volumes = list(pod, "volumes").into_iter().enumerate();
    let written = volumes.filter(|(_, volume)| volume.get("name").is_some_and(|name| names.contains(name)));
    written
        .filter_map(|(index, volume)| Some((index, host_path(&volume)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Settings;
    use crate::rules::case::{Case, claim, deployment};
    use serde_json::json;

    fn volume(affinity: Value) -> Value {
        json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "films"}, "spec": {
            "hostPath": {"path": "/srv/films"}, "claimRef": {"namespace": "media", "name": "films"}, "nodeAffinity": affinity}})
    }

    fn pod(kind: &str, path: &str, more: Value) -> Value {
        let mut pod = json!({"volumes": [{"name": "v", "hostPath": {"path": path}}],
            "containers": [{"name": "c", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}]});
        pod.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "player"}, "spec": {"template": {"spec": pod}}})
    }

    fn on(nodes: Option<u64>, object: Value) -> Vec<String> {
        let settings = Settings {
            nodes,
            ..Settings::default()
        };
        let case = Case::new()
            .settings(settings)
            .helm("player")
            .renders("player", [object]);
        case.messages(&RULE)
    }

    #[test]
    fn fires() {
        assert_eq!(
            on(Some(3), volume(Value::Null)),
            ["PersistentVolume `films` is `/srv/films` of whatever node its pod runs on, and there are 3 nodes"]
        );
        let linux = json!({"nodeSelector": {"kubernetes.io/os": "linux"}});
        assert_eq!(
            on(Some(2), pod("Deployment", "/srv/films", linux)),
            ["Deployment `player` writes `/srv/films` of whatever node it runs on, and there are 2 nodes"]
        );
    }

    #[test]
    fn stays_silent() {
        assert!(
            on(None, volume(Value::Null)).is_empty(),
            "nobody knows how many nodes there are"
        );
        assert!(on(Some(1), volume(Value::Null)).is_empty());
        assert!(on(Some(3), volume(json!({"required": {"nodeSelectorTerms": []}}))).is_empty());
        assert!(on(Some(3), pod("DaemonSet", "/srv/films", json!({}))).is_empty());
        assert!(on(Some(3), pod("Deployment", "/dev/dri", json!({}))).is_empty());
        let named = json!({"nodeSelector": {"kubernetes.io/hostname": "a"}});
        assert!(on(Some(3), pod("Deployment", "/srv/films", named.clone())).is_empty());
        let mut player = deployment("player", "films", false, false);
        player["spec"]["template"]["spec"]["nodeSelector"] = named["nodeSelector"].clone();
        let settings = Settings {
            nodes: Some(3),
            ..Settings::default()
        };
        let objects = [volume(Value::Null), claim("films", json!({})), player];
        let case = Case::new().settings(settings).helm("player").renders("player", objects);
        assert!(case.messages(&RULE).is_empty(), "the only pod says its node");
    }

    #[test]
    fn says_the_way_out() {
        let settings = Settings {
            nodes: Some(3),
            ..Settings::default()
        };
        let case = Case::new()
            .settings(settings)
            .helm("player")
            .renders("player", [volume(Value::Null)]);
        assert!(
            case.findings(&RULE)[0]
                .hint
                .as_deref()
                .unwrap()
                .contains("nodeAffinity")
        );
    }
}
