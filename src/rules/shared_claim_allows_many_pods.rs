//! HL110: ReadWriteOncePod is the one access mode that Kubernetes enforces.

use super::{Check, Finding, Fix, Meta, Rule, Scope, Severity, Subject, fixes};
use crate::model::claim::is_claim;
use serde_json::{Value, json};

static META: Meta = Meta {
    id: "HL110",
    name: "shared-claim-allows-many-pods",
    severity: Severity::Error,
    summary: "a claim with consumers is not ReadWriteOncePod",
    why: "ReadWriteOncePod lets one pod in the whole cluster use the claim. The scheduler enforces it: as long as the \
producer runs, every consumer stays Pending, and the other way round. Access modes of an existing claim cannot be changed, \
so this is easiest to see before the claim is made. Use ReadWriteOnce (pods of one node) or ReadWriteMany; what keeps \
consumers from writing is their read-only mount, not the access mode.\n\n\
https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(scope: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for item in subject.items.iter().filter(|item| is_claim(item.object())) {
        let object = item.object();
        let modes = object.at("/spec/accessModes").and_then(Value::as_array);
        let once_pod = modes.is_some_and(|modes| modes.iter().any(|mode| mode == "ReadWriteOncePod"));
        let Some(reference) = subject.claim_beside(object, object.name()).filter(|_| once_pod) else {
            continue;
        };
        let claim = scope.claim(&reference);
        let consumers: Vec<String> = claim.foreign_consumers().map(|app| format!("`{app}`")).collect();
        if consumers.is_empty() {
            continue;
        }
        let message = format!(
            "claim `{reference}` is ReadWriteOncePod and mounted by {}",
            consumers.join(", ")
        );
        let finding = subject.finding_on(&META, message, item, "/spec/accessModes");
        let operation = fixes::replace("/spec/accessModes", json!(["ReadWriteOnce"]));
        let fix = item
            .patch(vec![operation])
            .map(|changes| Fix::needs_review("make it ReadWriteOnce", changes));
        findings.push(finding.fix_or_hint(fix, "set ReadWriteOnce or ReadWriteMany in the chart's values"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, HOME, mounts};

    fn case(mode: &str) -> Case {
        let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "audio"}, "spec": {"accessModes": [mode]}});
        Case::new()
            .app(
                "fetcher",
                json!({"destination": {"namespace": "media"}, "source": {"repoURL": HOME, "path": "storage"}}),
            )
            .manifest("storage/audio.yaml", claim)
    }

    #[test]
    fn fires() {
        let case = case("ReadWriteOncePod").plugin("player", json!([mounts(["audio:/a"])]));
        assert_eq!(
            case.messages(&RULE),
            ["claim `media/audio` is ReadWriteOncePod and mounted by `player`"]
        );
    }

    #[test]
    fn stays_silent() {
        assert!(
            case("ReadWriteOncePod").messages(&RULE).is_empty(),
            "nobody else mounts it"
        );
        let shared = case("ReadWriteOnce").plugin("player", json!([mounts(["audio:/a"])]));
        assert!(shared.messages(&RULE).is_empty());
    }

    #[test]
    fn fix_removes_it() {
        let case = case("ReadWriteOncePod").plugin("player", json!([mounts(["audio:/a"])]));
        assert!(!case.fixed(&RULE).contains("OncePod"));
    }
}
