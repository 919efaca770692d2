//! HL111: what one group may read, another one may not.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::storage::Mounting;
use super::{Check, Finding, Fix, Meta, Rule, Scope, Severity, fixes};
use crate::model::pod_identity::PodIdentity;
use crate::model::{ClaimRef, PointerExt};

static META: Meta = Meta {
    id: "HL111",
    name: "consumer-has-producer-group",
    severity: Severity::Warning,
    summary: "a consumer that does not run as root has the group of the producer's files",
    why: "Files get the group of the pod that writes them: its `fsGroup`, else its `runAsGroup`. A consumer with another \
user and none of these groups can only read what everybody may read. Its volume is read-only, so that the kubelet does not give the \
files its own `fsGroup` either, and it starts with `permission denied` on every file that the producer did not open to all.\n\n\
Give the consumer the producer's group: `gid=N` in its entry of the parameter `mounts`, or `supplementalGroups` in its pod's \
security context. Only what both manifests say counts; a container without `runAsUser` and `runAsGroup` is as its image says, and no \
finding.\n\n\
https://kubernetes.io/docs/tasks/configure-pod-container/security-context/",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Whole(check),
};

fn check(scope: &Scope<'_>) -> Vec<Finding> {
    scope.in_shared_claims(|reference, _, (own, foreign)| {
        let Some(producer) = Producer::of(own) else {
            return Vec::new();
        };
        let findings = foreign
            .iter()
            .filter_map(|mounting| producer.finding(reference, mounting));
        findings.collect()
    })
}

/// As whom the owner writes a claim.
struct Producer {
    app: String,
    users: BTreeSet<i64>,
    groups: BTreeSet<i64>,
}

impl Producer {
    /// Returns what is known of the owner's pods; `None` unless all that write say their group.
    fn of(own: &[Mounting<'_, '_>]) -> Option<Self> {
        let mut producer = Self {
            app: own.first()?.subject.name.to_string(),
            users: BTreeSet::new(),
            groups: BTreeSet::new(),
        };
        for mounting in own {
            for (container, is_written) in mounting.containers() {
                let identity = PodIdentity::of(mounting.pod, container);
                producer.users.extend(identity.user);
                if is_written {
                    producer.groups.insert(identity.of_files()?);
                }
            }
        }
        (!producer.groups.is_empty()).then_some(producer)
    }

    fn finding(&self, reference: &ClaimRef, mounting: &Mounting<'_, '_>) -> Option<Finding> {
        let lacks = |(container, _): (&Value, bool)| {
            let identity = PodIdentity::of(mounting.pod, container);
            let user = identity.user.filter(|user| *user != 0)?;
            let groups = identity.groups();
            let is_known = identity.group.is_some_and(|group| group != 0);
            let shares = self.users.contains(&user) || !groups.is_disjoint(&self.groups);
            (is_known && !shares).then_some(groups)
        };
        let groups = mounting.containers().find_map(lacks)?;
        let group = self.groups.first()?;
        let message = format!(
            "{} mounts claim `{reference}` with {}, and `{}` writes it with {}",
            mounting.workload(),
            named(&groups),
            self.app,
            named(&self.groups)
        );
        let context = mounting.pointer.child("securityContext");
        let finding = mounting.subject.finding_on(&META, message, mounting.item, &context);
        let object = mounting.item.object();
        let list = context.child("supplementalGroups");
        let operation = match object.at(&list).and_then(Value::as_array) {
            Some(there) => fixes::add(list.child(there.len()), json!(group)),
            None => fixes::set(object.tree(), &list, json!([group])),
        };
        let fix = mounting
            .item
            .patch(vec![operation])
            .map(|changes| Fix::needs_review(format!("add {group} to `supplementalGroups`"), changes));
        let hint = format!("add `gid={group}` to the mount, or {group} to `supplementalGroups` in the chart's values");
        Some(finding.fix_or_hint(fix, hint))
    }
}

fn named(groups: &BTreeSet<i64>) -> String {
    let numbers: Vec<String> = groups.iter().map(ToString::to_string).collect();
    match numbers.len() {
        1 => format!("group {}", numbers[0]),
        _ => format!("groups {}", numbers.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, HOME, deployment, guarded_claim, owns};

    fn workload(name: &str, read_only: bool, context: Value) -> Value {
        let mut workload = deployment(name, "audio", read_only, read_only);
        workload["spec"]["template"]["spec"]["securityContext"] = context;
        workload
    }

    fn case(producer: Value, consumer: Value) -> Case {
        Case::new()
            .plugin("fetcher", json!([owns(["audio"])]))
            .renders(
                "fetcher",
                [guarded_claim("audio"), workload("fetcher", false, producer)],
            )
            .app(
                "player",
                json!({"destination": {"namespace": "media"}, "source": {"repoURL": HOME, "path": "player"}}),
            )
            .manifest("player/player.yaml", workload("player", true, consumer))
    }

    #[test]
    fn fires() {
        let case = case(json!({"fsGroup": 1000}), json!({"runAsUser": 568, "runAsGroup": 568}));
        assert_eq!(
            case.messages(&RULE),
            ["Deployment `player` mounts claim `media/audio` with group 568, and `fetcher` writes it with group 1000"]
        );
    }

    #[test]
    fn stays_silent() {
        let producer = || json!({"runAsUser": 1000, "runAsGroup": 1000});
        for consumer in [
            json!({}),
            json!({"runAsUser": 568}),
            json!({"runAsUser": 0, "runAsGroup": 568}),
            json!({"runAsUser": 1000, "runAsGroup": 568}),
            json!({"runAsUser": 568, "runAsGroup": 568, "supplementalGroups": [1000]}),
            json!({"runAsUser": 568, "runAsGroup": 1000}),
        ] {
            assert!(
                case(producer(), consumer.clone()).messages(&RULE).is_empty(),
                "{consumer}"
            );
        }
        let other = json!({"runAsUser": 568, "runAsGroup": 568});
        assert!(case(json!({}), other).messages(&RULE).is_empty(), "the image decides");
    }

    #[test]
    fn fix_removes_it() {
        let case = case(json!({"fsGroup": 1000}), json!({"runAsUser": 568, "runAsGroup": 568}));
        assert!(case.fixed(&RULE).contains("supplementalGroups:"));
    }
}
