//! HL135: a claim that no container mounts gets none of the data that it is for.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Check, Finding, Item, Meta, Rule, Scope, Severity, Subject};
use crate::model::claim_use::{Embedded, VolumeUse, claim_uses};
use crate::model::workload::{CONTAINER_LISTS, PodTemplate, mounts, pod_templates};
use crate::model::{ClaimRef, Pointer, PointerBuf, PointerExt};

static META: Meta = Meta {
    id: "HL135",
    name: "claim-volume-is-mounted",
    severity: Severity::Warning,
    summary: "every claim that a pod has as a volume is mounted by one of its containers",
    why: "A volume without a mount is attached to the pod, and none of its programs sees it. The program writes to the same path in its \
own container instead, everything is Healthy, and the data is gone with the next restart. That happens when `volumeMounts` is forgotten, \
stands at the wrong container or names another volume, or when a chart takes only one of the two values.\n\n\
Add the mount to the container, or take the volume out. With the plugin, `kubectl homelab mount CLAIM --into APP --at PATH` adds a mount \
to the volume that is there. Only the kinds of Kubernetes itself are checked: an operator may add the mounts to its own kinds.\n\n\
https://kubernetes.io/docs/concepts/storage/volumes/#how-volumes-work",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

/// The groups whose kinds have the pods that they say, without an operator between them.
const GROUPS: [&str; 3] = ["", "apps", "batch"];

fn check(_: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    // The plugin may still add mounts to what is not rendered, and Kustomize patches.
    let items = subject.finished();
    items
        .flat_map(|item| {
            let uses = claim_uses(item.object());
            let makes_claims = uses.pods.iter().any(|pod| !pod.claim_templates.is_empty());
            let mut findings = of_volumes(subject, item, uses.volumes);
            if makes_claims {
                findings.extend(of_claim_templates(subject, item));
            }
            findings
        })
        .collect()
}

fn is_checked(manifest: &Embedded<'_>) -> bool {
    GROUPS.contains(&manifest.group)
}

/// Returns the findings on the volumes of pod specs.
fn of_volumes(subject: &Subject<'_>, item: &Item<'_>, volumes: Vec<VolumeUse<'_>>) -> Vec<Finding> {
    let unused = volumes.into_iter().filter(|volume| {
        let is_used = volume.has_devices || volume.is_apart || !volume.mounts.is_empty();
        is_checked(&volume.manifest) && !is_used
    });
    unused
        .map(|volume| {
            let claim = subject.claim_of(&volume.manifest, volume.claim);
            let message = format!(
                "{} has claim `{}` as volume `{}`, and none of its containers mounts it",
                item.title(),
                claim.as_ref().map_or(volume.claim.to_owned(), ToString::to_string),
                volume.name
            );
            let finding = subject.finding_on(&META, message, item, &volume.pointer);
            finding.hint(way_out(subject, claim.as_ref()))
        })
        .collect()
}

fn way_out(subject: &Subject<'_>, claim: Option<&ClaimRef>) -> String {
    match claim.filter(|_| subject.uses_homelab_plugin()) {
        Some(claim) => format!(
            "mount it with `kubectl homelab mount {claim} --into {} --at PATH`, or take the volume out of the chart's values",
            subject.name
        ),
        None => "add it to `volumeMounts` of the container that needs it, or take the volume out".to_owned(),
    }
}

/// Returns the findings on the claims that a StatefulSet makes for its pods.
fn of_claim_templates(subject: &Subject<'_>, item: &Item<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for template in pod_templates(item.object()) {
        if !is_checked(&template.manifest) {
            continue;
        }
        let used = used_volumes(&template);
        for name in &template.claim_templates {
            if used.contains(name) {
                continue;
            }
            let message = format!(
                "{} makes a claim of the template `{name}` for each pod, and none of its containers mounts it",
                item.title()
            );
            let finding = subject.finding_on(&META, message, item, claim_template(item, name));
            findings.push(
                finding.hint("add it to `volumeMounts` of the container that needs it, or take the template out"),
            );
        }
    }
    findings
}

/// Returns the names of the volumes that a container mounts, or has as a device.
fn used_volumes<'o>(template: &PodTemplate<'o>) -> BTreeSet<&'o str> {
    let containers = CONTAINER_LISTS.into_iter().flat_map(|list| template.containers(list));
    let entries = containers.flat_map(|container| {
        let devices = container.get("volumeDevices").and_then(Value::as_array);
        mounts(container).iter().chain(devices.into_iter().flatten())
    });
    entries.filter_map(|entry| entry.get("name")?.as_str()).collect()
}

/// Returns the place of a template of a StatefulSet; that of all of them where the set is inside another object.
fn claim_template(item: &Item<'_>, name: &str) -> PointerBuf {
    let all = Pointer::from_static("/spec/volumeClaimTemplates");
    let templates = item.object().at(all).and_then(Value::as_array);
    let is_it = |template: &Value| template.pointer("/metadata/name").and_then(Value::as_str) == Some(name);
    match templates.and_then(|templates| templates.iter().position(is_it)) {
        Some(index) => all.child(index),
        None => PointerBuf::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, HOME, deployment, owns};
    use serde_json::json;

    fn case(workload: Value) -> Case {
        Case::new()
            .app(
                "player",
                json!({"destination": {"namespace": "media"}, "source": {"repoURL": HOME, "path": "player"}}),
            )
            .manifest("player/player.yaml", workload)
    }

    fn without_mount() -> Value {
        let mut workload = deployment("player", "films", false, false);
        workload["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] =
            json!([{"name": "tmp", "mountPath": "/tmp"}]);
        workload
    }

    fn stateful_set(mounted: &str) -> Value {
        json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": {
            "volumeClaimTemplates": [{"metadata": {"name": "log"}}, {"metadata": {"name": "data"}}],
            "template": {"spec": {"initContainers": [{"name": "i", "volumeMounts": [{"name": "log", "mountPath": "/l"}]}],
                "containers": [{"name": "c", "volumeMounts": [{"name": mounted, "mountPath": "/d"}]}]}}}})
    }

    #[test]
    fn fires() {
        let forgotten = case(without_mount());
        assert_eq!(
            forgotten.messages(&RULE),
            ["Deployment `player` has claim `media/films` as volume `data`, and none of its containers mounts it"]
        );
        assert_eq!(
            forgotten.place(&RULE),
            "player/player.yaml /spec/template/spec/volumes/0"
        );
        let made = case(stateful_set("dtaa"));
        assert_eq!(
            made.messages(&RULE),
            [
                "StatefulSet `db` makes a claim of the template `data` for each pod, and none of its containers mounts it"
            ]
        );
        assert_eq!(made.place(&RULE), "player/player.yaml /spec/volumeClaimTemplates/1");
    }

    #[test]
    fn stays_silent() {
        assert!(
            case(deployment("player", "films", false, false))
                .messages(&RULE)
                .is_empty()
        );
        assert!(case(stateful_set("data")).messages(&RULE).is_empty());
        let mut in_init = without_mount();
        in_init["spec"]["template"]["spec"]["initContainers"] =
            json!([{"name": "i", "volumeMounts": [{"name": "data", "mountPath": "/d"}]}]);
        assert!(case(in_init).messages(&RULE).is_empty(), "an init container mounts it");
        let mut device = without_mount();
        device["spec"]["template"]["spec"]["containers"][0]["volumeDevices"] =
            json!([{"name": "data", "devicePath": "/dev/x"}]);
        assert!(case(device).messages(&RULE).is_empty(), "it is a device");
        let mut operated = without_mount();
        operated["apiVersion"] = json!("media.example.org/v1");
        assert!(case(operated).messages(&RULE).is_empty(), "an operator may mount it");
        let unrendered = Case::new()
            .app(
                "player",
                json!({"destination": {"namespace": "media"}, "source": {"repoURL": HOME, "path": "player",
                    "plugin": {"name": "homelab-v1", "parameters": [owns(["films"])]}}}),
            )
            .manifest("player/player.yaml", without_mount());
        assert!(unrendered.messages(&RULE).is_empty(), "the plugin may mount it");
    }

    #[test]
    fn says_the_way_out() {
        let hint = |case: Case| case.findings(&RULE)[0].hint.clone().unwrap();
        assert!(hint(case(without_mount())).starts_with("add it to `volumeMounts`"));
        let rendered = Case::new()
            .plugin("player", json!([owns(["films"])]))
            .renders("player", [without_mount()]);
        assert!(
            hint(rendered).starts_with("mount it with `kubectl homelab mount media/films --into player --at PATH`")
        );
    }
}
