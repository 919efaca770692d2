//! HL107: whoever does not own a claim only reads it.

use super::{Check, Finding, Fix, Meta, Rule, Scope, Severity, Subject, fixes};
use crate::model::{ClaimRef, Pointer, PointerExt};
use serde_json::json;

static META: Meta = Meta {
    id: "HL107",
    name: "consumer-mounts-read-only",
    severity: Severity::Error,
    summary: "a consumer mounts another Application's claim read-only",
    why: "A claim has one producer. A second program that can write it can delete, rename or re-own its files: a media \
server that tidies up, a container that changes the group of everything at its start. Access modes do not help, since \
they are matched and not enforced; `readOnly` on the volume does, because the kubelet mounts it read-only for every \
container of the pod.\n\n\
The plugin makes every foreign claim read-only, at the volume and at every mount. In a natively rendered source set both \
in the chart. An Application that really has to write declares that with the parameter `writes`.\n\n\
The kubelet makes the folder of a `subPath` only in a volume that it may write. Where that folder does not exist, a reader's \
pod stays in CreateContainerConfigError until the producer has made it.\n\n\
https://kubernetes.io/docs/concepts/storage/volumes/#read-only-mounts",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(scope: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for item in subject.finished() {
        let object = item.object();
        for (reference, volume) in subject.claim_volumes(item) {
            let claim = scope.claim(&reference);
            if !volume.is_written() || !claim.is_foreign_to(&subject.name) || claim.writers.contains(&subject.name) {
                continue;
            }
            let owners: Vec<String> = claim.owners.iter().map(|owner| format!("`{owner}`")).collect();
            let message = format!(
                "{} `{}` mounts claim `{reference}` read-write; it belongs to {}",
                object.kind(),
                object.name(),
                owners.join(", ")
            );
            let pointer = &volume.pointer;
            let read_only = |place: &Pointer| fixes::set(object.tree(), place.child("readOnly"), json!(true));
            let mut operations = vec![read_only(&pointer.child("persistentVolumeClaim"))];
            let written = volume.mounts.iter().filter(|mount| !mount.read_only);
            operations.extend(written.map(|mount| read_only(&mount.pointer)));
            let finding = subject.finding_on(&META, message, item, pointer);
            let fix = item
                .patch(operations)
                .map(|changes| Fix::needs_review("mount it read-only at the volume and in every container", changes));
            findings.push(finding.fix_or_hint(fix, way_out(subject, &reference)));
        }
    }
    findings
}

/// Returns what to do where no manifest of the repository has the mount.
fn way_out(subject: &Subject<'_>, claim: &ClaimRef) -> String {
    let instead = "`readOnly` at volume and mount";
    let is_own = subject.app.destination_namespace() == Some(claim.namespace.as_str());
    match is_own && !subject.uses_homelab_plugin() {
        true => format!(
            "let the plugin render it with `kubectl homelab convert {}`, with `--writes {}` if it has to write the claim, or set {instead} in the source",
            subject.name, claim.name
        ),
        false => subject.convert_or_set(instead),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, HOME, deployment, owns, writes};

    fn case(volume: bool, mount: bool) -> Case {
        Case::new()
            .plugin("fetcher", json!([owns(["audio"])]))
            .helm("player")
            .renders("player", [deployment("player", "audio", volume, mount)])
    }

    #[test]
    fn names_the_commands_for_a_consumer_that_reads_and_one_that_writes() {
        let found = case(false, false).findings(&RULE);
        let hint = found[0].hint.clone().unwrap_or_default();
        assert!(
            hint.starts_with(
                "let the plugin render it with `kubectl homelab convert player`, with `--writes audio` if"
            ),
            "{hint}"
        );
    }

    #[test]
    fn fires() {
        assert_eq!(
            case(false, false).messages(&RULE),
            ["Deployment `player` mounts claim `media/audio` read-write; it belongs to `fetcher`"]
        );
    }

    #[test]
    fn a_block_device_and_a_volume_apart_from_its_containers_are_written() {
        let claim = |read_only: bool| json!([{"name": "v", "persistentVolumeClaim": {"claimName": "audio", "readOnly": read_only}}]);
        let pod = |read_only: bool| {
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"volumes": claim(read_only),
                "containers": [{"name": "c", "volumeDevices": [{"name": "v", "devicePath": "/dev/v"}]}]}})
        };
        let kafka = |read_only: bool| {
            json!({"apiVersion": "kafka.strimzi.io/v1", "kind": "Kafka", "metadata": {"name": "k"}, "spec": {"kafka": {"template": {
                "pod": {"volumes": claim(read_only)}, "kafkaContainer": {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}}}}})
        };
        for (read_only, expected) in [(false, 2), (true, 0)] {
            let case = Case::new()
                .plugin("fetcher", json!([owns(["audio"])]))
                .helm("player")
                .renders("player", [pod(read_only), kafka(read_only)]);
            assert_eq!(case.messages(&RULE).len(), expected);
        }
    }

    #[test]
    fn stays_silent() {
        for (volume, mount) in [(true, true), (true, false), (false, true)] {
            assert!(case(volume, mount).messages(&RULE).is_empty());
        }
        let own = deployment("fetcher", "audio", false, false);
        let writer = deployment("editor", "audio", false, false);
        let case = Case::new()
            .plugin("fetcher", json!([owns(["audio"])]))
            .renders("fetcher", [own])
            .plugin("editor", json!([writes(["audio"])]))
            .renders("editor", [writer]);
        assert!(case.messages(&RULE).is_empty());
    }

    #[test]
    fn fix_removes_it() {
        let case = Case::new()
            .plugin("fetcher", json!([owns(["audio"])]))
            .app(
                "player",
                json!({"destination": {"namespace": "media"}, "source": {"repoURL": HOME, "path": "player"}}),
            )
            .manifest("player/deployment.yaml", deployment("player", "audio", false, false));
        let text = case.fixed(&RULE);
        assert_eq!(text.matches("readOnly: true").count(), 2, "{text}");
    }
}
