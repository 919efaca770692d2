//! HL112: the kubelet gives every file of a volume the group that one pod asks for.

use std::collections::BTreeSet;

use serde_json::Value;

use super::storage::Mounting;
use super::{Check, Finding, Fix, Meta, Rule, Scope, Severity, fixes};
use crate::model::ownership::Claim;
use crate::model::{AppName, ClaimRef, PointerExt};

static META: Meta = Meta {
    id: "HL112",
    name: "consumer-keeps-file-groups",
    severity: Severity::Warning,
    summary: "a consumer that may write a claim does not give its files another fsGroup",
    why: "Before a pod with `fsGroup` starts, the kubelet gives all files of its volumes that group, unless \
`persistentVolumeClaim.readOnly` is set at the volume; `readOnly` at the mounts alone does not keep it from that. Files of the \
producer get another group, and its own pod gives them back when it starts again: on a large library each of the two takes \
minutes. Which of the pods may read the files depends on who started last.\n\n\
Use the producer's `fsGroup` in all pods that mount the claim, mount it read-only at the volume where it is only read (the plugin does \
that), or give the pod the files' group by `supplementalGroups` instead. Volumes over NFS and hostPath are never touched, and no \
finding.\n\n\
https://kubernetes.io/docs/tasks/configure-pod-container/security-context/#configure-volume-permission-and-ownership-change-policy-for-pods",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Whole(check),
};

fn check(scope: &Scope<'_>) -> Vec<Finding> {
    scope.in_shared_claims(|reference, claim, mountings| of_claim(scope, (reference, claim), mountings))
}

fn of_claim(
    scope: &Scope<'_>,
    (reference, claim): (&ClaimRef, &Claim),
    (own, foreign): (&[Mounting<'_, '_>], &[Mounting<'_, '_>]),
) -> Vec<Finding> {
    let is_untouched = |item: &super::Item<'_>| {
        let spec = item.object().at("/spec");
        spec.is_some_and(|spec| spec.get("nfs").is_some() || spec.get("hostPath").is_some())
    };
    if scope.volume_of(reference).is_some_and(is_untouched) {
        return Vec::new();
    }
    let Some(owner) = claim.owners.first().filter(|_| claim.owners.len() == 1) else {
        return Vec::new();
    };
    let expected: BTreeSet<i64> = own.iter().filter_map(|mounting| fs_group(mounting)).collect();
    // Only what the cluster gets counts: the plugin may still make a volume read-only.
    let touching = foreign
        .iter()
        .filter(|mounting| mounting.item.is_final && !mounting.volume.read_only);
    let touching: Vec<_> = touching
        .filter_map(|mounting| Some((mounting, fs_group(mounting)?)))
        .collect();
    if own.is_empty() {
        return among_consumers(reference, &touching);
    }
    let others = touching.iter().filter(|(_, group)| !expected.contains(group));
    others
        .map(|(mounting, group)| of_mounting(reference, mounting, *group, (owner, &expected)))
        .collect()
}

/// Returns the findings on a claim whose owner has no pods: its consumers have to agree.
fn among_consumers(reference: &ClaimRef, touching: &[(&Mounting<'_, '_>, i64)]) -> Vec<Finding> {
    let Some((first, expected)) = touching.first() else {
        return Vec::new();
    };
    let others = touching.iter().filter(|(_, group)| group != expected);
    let expected = BTreeSet::from([*expected]);
    others
        .map(|(mounting, group)| of_mounting(reference, mounting, *group, (&first.subject.name, &expected)))
        .collect()
}

fn of_mounting(
    reference: &ClaimRef,
    mounting: &Mounting<'_, '_>,
    group: i64,
    (other, expected): (&AppName, &BTreeSet<i64>),
) -> Finding {
    let has = match expected.first() {
        Some(group) => format!("whose pods have {group}"),
        None => "whose pods have none".to_owned(),
    };
    let message = format!(
        "`fsGroup` {group} of {} changes the group of all files in claim `{reference}`, which `{other}` uses, too, {has}",
        mounting.workload()
    );
    let pointer = mounting.pointer.child("securityContext").child("fsGroup");
    let finding = mounting.subject.finding_on(&META, message, mounting.item, &pointer);
    let writes = mounting.volume.is_written();
    let volume = mounting.volume.pointer.child("persistentVolumeClaim").child("readOnly");
    let (operation, title) = match expected.first() {
        _ if !writes => (
            fixes::set(mounting.item.object().tree(), &volume, Value::Bool(true)),
            "make the volume read-only".to_owned(),
        ),
        Some(group) => (
            fixes::replace(&pointer, Value::from(*group)),
            format!("set `fsGroup` to {group}"),
        ),
        None => (fixes::remove(&pointer), "take out `fsGroup`".to_owned()),
    };
    let fix = mounting.item.patch(vec![operation]);
    let hint = format!("{title} in the chart's values, or with the parameter `patches`");
    finding.fix_or_hint(fix.map(|changes| Fix::needs_review(title, changes)), hint)
}

fn fs_group(mounting: &Mounting<'_, '_>) -> Option<i64> {
    mounting.pod.pointer("/securityContext/fsGroup")?.as_i64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, HOME, deployment, guarded_claim, owns};
    use serde_json::json;

    fn workload(name: &str, read_only: (bool, bool), group: Value) -> Value {
        let mut workload = deployment(name, "audio", read_only.0, read_only.1);
        workload["spec"]["template"]["spec"]["securityContext"] = json!({"fsGroup": group});
        workload
    }

    fn case(producer: Value, volume: (bool, bool), group: i64) -> Case {
        Case::new()
            .plugin("fetcher", json!([owns(["audio"])]))
            .renders(
                "fetcher",
                [guarded_claim("audio"), workload("fetcher", (false, false), producer)],
            )
            .app(
                "player",
                json!({"destination": {"namespace": "media"}, "source": {"repoURL": HOME, "path": "player"}}),
            )
            .manifest("player/player.yaml", workload("player", volume, json!(group)))
    }

    #[test]
    fn fires() {
        assert_eq!(
            case(json!(1000), (false, true), 568).messages(&RULE),
            [
                "`fsGroup` 568 of Deployment `player` changes the group of all files in claim `media/audio`, which `fetcher` uses, too, whose pods have 1000"
            ]
        );
        assert!(case(Value::Null, (false, false), 568).messages(&RULE)[0].ends_with("whose pods have none"));
        let pair = |group: i64| {
            Case::new()
                .plugin("storage", json!([owns(["audio"])]))
                .renders("storage", [guarded_claim("audio")])
                .helm("a")
                .helm("b")
                .renders("a", [workload("a", (false, false), json!(1000))])
                .renders("b", [workload("b", (false, false), json!(group))])
        };
        assert_eq!(pair(568).messages(&RULE).len(), 1);
        assert!(pair(1000).messages(&RULE).is_empty());
    }

    #[test]
    fn stays_silent() {
        assert!(case(json!(1000), (false, false), 1000).messages(&RULE).is_empty());
        assert!(
            case(json!(1000), (true, true), 568).messages(&RULE).is_empty(),
            "it is read-only"
        );
        let nfs = json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "audio"}, "spec": {
            "claimRef": {"namespace": "media", "name": "audio"}, "nfs": {"server": "nas", "path": "/a"}}});
        let case = case(json!(1000), (false, false), 568)
            .helm("volumes")
            .renders("volumes", [nfs]);
        assert!(case.messages(&RULE).is_empty(), "the kubelet leaves NFS alone");
    }

    #[test]
    fn fix_removes_it() {
        assert!(
            case(json!(1000), (false, false), 568)
                .fixed(&RULE)
                .contains("fsGroup: 1000")
        );
        assert!(
            !case(Value::Null, (false, false), 568)
                .fixed(&RULE)
                .contains("fsGroup: 568")
        );
        assert!(
            case(Value::Null, (false, true), 568)
                .fixed(&RULE)
                .contains("claimName: audio\n")
        );
    }
}
