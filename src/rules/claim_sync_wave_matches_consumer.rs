//! HL121: a claim that waits for its first pod must not be waited for.

use std::collections::BTreeMap;

use super::{Check, Finding, Fix, Meta, Rule, Scope, Severity, Subject, fixes};
use crate::model::ClaimRef;
use crate::model::claim::is_claim;
use crate::model::object::annotation_pointer;
use crate::model::sync::{SYNC_WAVE, order};
use serde_json::json;

static META: Meta = Meta {
    id: "HL121",
    name: "claim-sync-wave-matches-consumer",
    severity: Severity::Warning,
    summary: "a claim is in the wave of its first consumer, not before it",
    why: "Argo CD waits until everything of a wave is healthy before it applies the next one, and a Pending claim is not. \
With `volumeBindingMode: WaitForFirstConsumer`, which is what local-path has in k3s and kind, a claim stays Pending until \
a pod uses it: when that pod's workload is in a later wave (or in a PostSync hook), each waits for the other, and the sync \
never ends. Give claims no wave; inside a wave Argo CD applies them before workloads anyway.\n\n\
https://github.com/argoproj/argo-cd/issues/12840",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(_: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let consumers = first_consumers(subject);
    for item in subject.items.iter().filter(|item| is_claim(item.object())) {
        let object = item.object();
        let (Some(claim), Some(at)) = (subject.claim_beside(object, object.name()), order(object)) else {
            continue;
        };
        let Some((first, consumer)) = consumers.get(&claim).filter(|(first, _)| at < *first) else {
            continue;
        };
        let when = |(phase, wave): (i8, i64)| match phase {
            -1 => format!("PreSync wave {wave}"),
            1 => format!("PostSync wave {wave}"),
            _ => format!("wave {wave}"),
        };
        let message = format!(
            "claim `{claim}` is in {}, its first consumer {consumer} only in {}",
            when(at),
            when(*first)
        );
        let pointer = annotation_pointer(SYNC_WAVE);
        let finding = subject.finding_on(&META, message, item, &pointer);
        let same_wave = fixes::set(object.tree(), pointer, json!(first.1.to_string()));
        let fix = item
            .patch(vec![same_wave])
            .filter(|_| first.0 == at.0)
            .map(|changes| Fix::safe(format!("move the claim to wave {}", first.1), changes));
        findings.push(finding.fix_or_hint(fix, "put the claim and its first consumer into the same wave"));
    }
    findings
}

/// When an object is applied, and which it is.
type Consumer = ((i8, i64), String);

/// Returns the first object of the Application that mounts each claim.
fn first_consumers(subject: &Subject<'_>) -> BTreeMap<ClaimRef, Consumer> {
    let mut first: BTreeMap<ClaimRef, Consumer> = BTreeMap::new();
    for item in &subject.items {
        let object = item.object();
        let volumes = subject.claim_volumes(item);
        let Some(at) = order(object).filter(|_| !volumes.is_empty()) else {
            continue;
        };
        let consumer = (at, format!("{} `{}`", object.kind(), object.name()));
        for (claim, _) in volumes {
            let known = first.entry(claim).or_insert_with(|| consumer.clone());
            if consumer < *known {
                known.clone_from(&consumer);
            }
        }
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, HOME, claim, deployment, owns};

    fn case(annotations: serde_json::Value) -> Case {
        Case::new().plugin("fetcher", json!([owns(["audio"])])).renders(
            "fetcher",
            [
                claim("audio", annotations),
                deployment("fetcher", "audio", false, false),
            ],
        )
    }

    #[test]
    fn fires() {
        let case = case(json!({SYNC_WAVE: "-5"}));
        assert_eq!(
            case.messages(&RULE),
            ["claim `media/audio` is in wave -5, its first consumer Deployment `fetcher` only in wave 0"]
        );
    }

    #[test]
    fn stays_silent() {
        assert!(case(json!({})).messages(&RULE).is_empty());
        assert!(case(json!({SYNC_WAVE: "1"})).messages(&RULE).is_empty());
    }

    #[test]
    fn fix_removes_it() {
        let case = Case::new()
            .app(
                "fetcher",
                json!({"destination": {"namespace": "media"}, "source": {"repoURL": HOME, "path": "fetcher"}}),
            )
            .manifest("fetcher/claim.yaml", claim("audio", json!({SYNC_WAVE: "-5"})))
            .manifest("fetcher/deployment.yaml", deployment("fetcher", "audio", false, false));
        assert!(!case.fixed(&RULE).contains("-5"));
    }
}
