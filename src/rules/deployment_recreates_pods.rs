//! HL113: a rolling update runs two pods at a time over a claim that is for one node.

use serde_json::{Value, json};

use super::{Check, Finding, Fix, Meta, Rule, Scope, Severity, Subject, fixes};
use crate::model::claim_spec::claim_specs;
use crate::model::{ClaimRef, Object};

static META: Meta = Meta {
    id: "HL113",
    name: "deployment-recreates-pods",
    severity: Severity::Warning,
    summary: "a Deployment that writes a ReadWriteOnce claim has the strategy Recreate",
    why: "The default strategy of a Deployment, RollingUpdate, starts the new pod before it ends the old one. ReadWriteOnce \
means one node, not one pod: on the same node both write at the same time, and a database in a file, as most programs of a home have \
one, is locked or damaged. If the scheduler puts the new pod on another node, the volume cannot be attached there, and the update \
waits for ever (`Multi-Attach error`).\n\n\
`Recreate` ends the old pod first; the program is away for as long as it takes to start. `rollingUpdate.maxSurge: 0` does the same and \
keeps other replicas running. A claim that is only read is no finding.\n\n\
https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#strategy",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(scope: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for item in subject
        .items
        .iter()
        .filter(|item| item.object().is("apps", "Deployment"))
    {
        let object = item.object();
        if !starts_before_it_ends(object) {
            continue;
        }
        let volumes = subject.claim_volumes(item).into_iter();
        let mut written = volumes
            .filter(|(_, volume)| volume.is_written())
            .map(|(claim, _)| claim);
        let Some(claim) = written.find(|claim| is_of_one_node(scope, claim)) else {
            continue;
        };
        let message = format!(
            "Deployment `{}` writes claim `{claim}`, which is for one node, and starts a new pod before the old one has ended",
            object.name()
        );
        let finding = subject.finding_on(&META, message, item, "/spec/strategy");
        let operation = fixes::set(object.tree(), "/spec/strategy", json!({"type": "Recreate"}));
        let fix = item
            .patch(vec![operation])
            .map(|changes| Fix::needs_review("set the strategy Recreate", changes));
        findings.push(finding.fix_or_hint(
            fix,
            "set the strategy Recreate in the chart's values, or with the parameter `patches`",
        ));
    }
    findings
}

/// Reports whether a Deployment has more pods than replicas while it is updated.
fn starts_before_it_ends(object: &Object) -> bool {
    let kind = object.at("/spec/strategy/type").and_then(Value::as_str);
    let is_none = |surge: &Value| surge.as_u64() == Some(0) || matches!(surge.as_str(), Some("0" | "0%"));
    kind != Some("Recreate") && !object.at("/spec/strategy/rollingUpdate/maxSurge").is_some_and(is_none)
}

fn is_of_one_node(scope: &Scope<'_>, claim: &ClaimRef) -> bool {
    let Some((_, item)) = scope.claim_object(claim) else {
        return false;
    };
    claim_specs(item.object()).iter().any(|spec| spec.is_of_one_node())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, HOME, deployment};

    fn case(strategy: Value, mode: &str, read_only: bool) -> Case {
        let mut workload = deployment("player", "config", read_only, read_only);
        if !strategy.is_null() {
            workload["spec"]["strategy"] = strategy;
        }
        let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "config"}, "spec": {"accessModes": [mode]}});
        Case::new()
            .app(
                "player",
                json!({"destination": {"namespace": "media"}, "source": {"repoURL": HOME, "path": "player"}}),
            )
            .manifest("player/player.yaml", workload)
            .manifest("player/claim.yaml", claim)
    }

    #[test]
    fn fires() {
        for strategy in [
            Value::Null,
            json!({"type": "RollingUpdate"}),
            json!({"rollingUpdate": {"maxSurge": 1}}),
        ] {
            assert_eq!(
                case(strategy, "ReadWriteOnce", false).messages(&RULE),
                [
                    "Deployment `player` writes claim `media/config`, which is for one node, and starts a new pod before the old one has ended"
                ]
            );
        }
    }

    #[test]
    fn stays_silent() {
        for (strategy, mode, read_only) in [
            (json!({"type": "Recreate"}), "ReadWriteOnce", false),
            (
                json!({"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}),
                "ReadWriteOnce",
                false,
            ),
            (json!({"rollingUpdate": {"maxSurge": "0%"}}), "ReadWriteOnce", false),
            (Value::Null, "ReadWriteMany", false),
            (Value::Null, "ReadWriteOnce", true),
        ] {
            assert!(
                case(strategy.clone(), mode, read_only).messages(&RULE).is_empty(),
                "{strategy} {mode}"
            );
        }
    }

    #[test]
    fn fix_removes_it() {
        let case = case(
            json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}),
            "ReadWriteOnce",
            false,
        );
        let fixed = case.fixed(&RULE);
        assert!(
            fixed.contains("type: Recreate") && !fixed.contains("rollingUpdate"),
            "{fixed}"
        );
    }
}
