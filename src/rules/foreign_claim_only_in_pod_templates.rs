//! HL126: in a custom resource nobody can force a claim to be read-only.

use serde_json::Value;

use super::{Finding, Meta, Rule, Scope, Severity};
use crate::model::application::GROUP;
use crate::model::claim::is_claim;
use crate::model::workload::pod_template;
use crate::model::{Pointer, PointerBuf, PointerExt};

static META: Meta = Meta {
    id: "HL126",
    name: "foreign-claim-only-in-pod-templates",
    severity: Severity::Warning,
    summary: "a foreign claim is named in pod templates only",
    why: "Operators have kinds of their own that name a claim (`claimName`) and make the pods themselves. The plugin knows \
where a pod template has its volumes and mounts, and makes foreign claims read-only there; what an operator makes of a \
`claimName` in its own kind it cannot know. Look up whether that kind has a read-only switch; if the operator writes the \
claim on purpose, declare that with the parameter `writes`, which also silences this.",
};

pub(super) static RULE: Rule = Rule { meta: &META, check };

fn check(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (subject, item) in scope.items() {
        let object = item.object();
        let is_known = is_claim(object) || object.is("", "PersistentVolume") || object.group() == GROUP;
        if is_known || pod_template(object).is_some() {
            continue;
        }
        let mut named = Vec::new();
        claim_names(object.tree(), Pointer::root(), &mut named);
        for (pointer, name) in named {
            let Some(reference) = subject.claim_beside(object, name) else {
                continue;
            };
            let claim = scope.claim(&reference);
            if claim.owners.contains(&subject.name) || claim.writers.contains(&subject.name) {
                continue;
            }
            let message = format!(
                "{} `{}` names claim `{reference}`, which `{}` does not own, and has no pod template to make it read-only in",
                object.kind(),
                object.name(),
                subject.name
            );
            let finding = subject.finding_on(&META, message, item, &pointer);
            findings.push(finding.hint("make it read-only in that kind's own way, or add the claim to `writes`"));
        }
    }
    findings
}

/// Collects every `claimName` below a tree that is a text, with its pointer.
fn claim_names<'t>(tree: &'t Value, pointer: &Pointer, out: &mut Vec<(PointerBuf, &'t str)>) {
    match tree {
        Value::Object(map) => {
            for (key, value) in map {
                let below = pointer.child(key);
                match value.as_str().filter(|_| key == "claimName") {
                    Some(name) => out.push((below, name)),
                    None => claim_names(value, &below, out),
                }
            }
        }
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                claim_names(value, &pointer.child(index), out);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, deployment, owns, writes};
    use serde_json::json;

    fn case(parameters: Value) -> Case {
        let custom = json!({"apiVersion": "example.org/v1", "kind": "Player", "metadata": {"name": "p"},
            "spec": {"media": [{"persistentVolumeClaim": {"claimName": "audio"}}], "claimName": {"not": "text"}}});
        Case::new()
            .plugin("fetcher", json!([owns(["audio"])]))
            .plugin("player", parameters)
            .renders("player", [custom, deployment("d", "audio", true, true)])
    }

    #[test]
    fn fires() {
        assert_eq!(
            case(json!([])).messages(&RULE),
            [
                "Player `p` names claim `media/audio`, which `player` does not own, and has no pod template to make it read-only in"
            ]
        );
    }

    #[test]
    fn stays_silent() {
        assert!(case(json!([writes(["audio"])])).messages(&RULE).is_empty());
        assert!(case(json!([owns(["audio"])])).messages(&RULE).is_empty());
    }

    #[test]
    fn says_the_way_out() {
        assert!(
            case(json!([])).findings(&RULE)[0]
                .hint
                .as_deref()
                .unwrap()
                .contains("`writes`")
        );
    }
}
