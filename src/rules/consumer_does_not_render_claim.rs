//! HL106: a consumer whose chart renders the claim fights with the owner.

use super::{Check, Finding, Meta, Rule, Scope, Severity, Subject};
use crate::model::claim::is_claim;

static META: Meta = Meta {
    id: "HL106",
    name: "consumer-does-not-render-claim",
    severity: Severity::Error,
    summary: "a consumer does not render the claim that it only consumes",
    why: "The Application's chart renders a claim that another Application has in `owns`. Both then apply it, each with its \
own labels, size and storage class; Argo CD shows a shared resource, and which of the two may prune it depends on who \
synced last. When the consumer is removed, the owner's data can go with it.\n\n\
Switch the claim off in the consumer's values (most charts take an `existingClaim`), or name the claim differently when it \
was meant to be one of its own.\n\n\
https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/#fail-the-sync-if-a-shared-resource-is-found",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(scope: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let claims = subject.items.iter().filter(|item| is_claim(item.object()));
    for item in claims.filter(|_| subject.uses_homelab_plugin()) {
        let Some(reference) = subject.claim_beside(item.object(), item.object().name()) else {
            continue;
        };
        let claim = scope.claim(&reference);
        let (Some(owner), false) = (claim.declared_by.first(), claim.declared_by.contains(&subject.name)) else {
            continue;
        };
        let message = format!("`{}` renders claim `{reference}`, which `{owner}` owns", subject.name);
        findings.push(
            subject
                .finding_on(&META, message, item, "")
                .hint("switch the claim off in its values, and mount the owner's"),
        );
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, claim, mounts, owns};
    use serde_json::json;

    fn case(parameters: serde_json::Value) -> Case {
        Case::new()
            .plugin("fetcher", json!([owns(["audio"])]))
            .plugin("player", parameters)
            .renders("player", [claim("audio", json!({})), claim("config", json!({}))])
    }

    #[test]
    fn fires() {
        assert_eq!(
            case(json!([mounts(["audio:/a"]), owns(["config"])])).messages(&RULE),
            ["`player` renders claim `media/audio`, which `fetcher` owns"]
        );
    }

    #[test]
    fn stays_silent() {
        assert!(
            case(json!([owns(["audio", "config"])])).messages(&RULE).is_empty(),
            "that is HL104's"
        );
    }

    #[test]
    fn says_the_way_out() {
        let findings = case(json!([])).findings(&RULE);
        assert!(findings[0].hint.as_deref().unwrap().starts_with("switch the claim off"));
    }
}
