//! HL109: a pod mounts claims of its own namespace, and no others.

use std::collections::BTreeSet;

use super::mounted_claim_has_owner::named_claims;
use super::{Check, Finding, Meta, Rule, Scope, Severity, Subject};
use crate::model::ClaimRef;

static META: Meta = Meta {
    id: "HL109",
    name: "claim-namespace-matches",
    severity: Severity::Error,
    summary: "a claim is mounted in the cluster and the namespace that it is in",
    why: "A claim is an object of one namespace, and only pods of that namespace can mount it; there is no way to share it \
across. A consumer in another namespace stays Pending, waiting for a claim of the same name in its own. Producer and \
consumers of one claim have to have the same destination: namespace and cluster. Argo CD knows a cluster by its API server \
or by its name; which of them belong together is known from the Secret of the cluster, if the repository has it.\n\n\
An Application may own a claim of another namespace than its destination: it is `NAMESPACE/CLAIM` in `owns`. Where its source puts a \
workload into that namespace, `mounts` means that one with `namespace=NAMESPACE`.\n\n\
https://kubernetes.io/docs/concepts/storage/persistent-volumes/#a-note-on-namespaces",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(scope: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    consumed(scope, subject)
}

/// Returns where a claim is that is certainly missing here, if it is anywhere, and what to do about it.
fn elsewhere(scope: &Scope<'_>, claim: &ClaimRef) -> Option<(String, &'static str)> {
    let missing = scope.missing(claim).filter(|missing| missing.doubts.is_empty())?;
    let here = missing.namesakes.iter().filter(|other| other.cluster == claim.cluster);
    let mut names: Vec<String> = here.map(|other| format!("`{}`", other.namespace)).collect();
    if !names.is_empty() {
        let place = format!("in namespace {}", names.join(", "));
        return Some((place, "deploy both Applications to one namespace"));
    }
    names.extend(missing.namesakes.iter().map(|other| format!("`{}`", other.cluster)));
    names.dedup();
    let place = format!("in cluster {}", names.join(", "));
    (!names.is_empty()).then_some((place, "deploy both Applications to one cluster"))
}

fn consumed(scope: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let (mut findings, mut seen) = (Vec::new(), BTreeSet::new());
    for (source, parameters) in subject.read_sources() {
        for (parameter, places, name) in named_claims(source, parameters) {
            let Some(claim) = subject.claim(&name).filter(|claim| !seen.contains(claim)) else {
                continue;
            };
            if let Some((place, hint)) = elsewhere(scope, &claim) {
                let pointer = places.at(&name.to_string());
                let message = format!("`{parameter}` names claim `{claim}`, which is {place}");
                findings.push(subject.finding(&META, message, &pointer).hint(hint));
                seen.insert(claim);
            }
        }
    }
    for item in &subject.items {
        for (claim, volume) in subject.claim_volumes(item) {
            let Some((place, hint)) = elsewhere(scope, &claim).filter(|_| !seen.contains(&claim)) else {
                continue;
            };
            let (kind, name) = (item.object().kind(), item.object().name());
            let message = format!("{kind} `{name}` mounts claim `{claim}`, which is {place}");
            findings.push(subject.finding_on(&META, message, item, &volume.pointer).hint(hint));
            seen.insert(claim);
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, deployment, mounts, owns};
    use serde_json::json;

    fn case(parameters: serde_json::Value) -> Case {
        Case::new()
            .app("fetcher", json!({"destination": {"namespace": "audio"}, "source": {"repoURL": "u", "plugin": {"name": "homelab-v1", "parameters": [owns(["files"])]}}}))
            .plugin("player", parameters)
    }

    #[test]
    fn fires() {
        let by_parameter =
            case(json!([mounts(["files:/f"])])).renders("player", [deployment("player", "files", true, true)]);
        assert_eq!(
            by_parameter.messages(&RULE),
            ["`mounts` names claim `media/files`, which is in namespace `audio`"]
        );
        let by_chart = case(json!([])).renders("player", [deployment("player", "files", true, true)]);
        assert_eq!(
            by_chart.messages(&RULE),
            ["Deployment `player` mounts claim `media/files`, which is in namespace `audio`"]
        );
    }

    #[test]
    fn fires_on_another_cluster() {
        let on = |destination: serde_json::Value, parameters: serde_json::Value| json!({"destination": destination, "source": {"repoURL": "u", "plugin": {"name": "homelab-v1", "parameters": parameters}}});
        for (here, there, name) in [
            (
                json!({"server": "https://kubernetes.default.svc", "namespace": "media"}),
                json!({"server": "https://nas.lan:6443", "namespace": "media"}),
                "in-cluster",
            ),
            (
                json!({"name": "one", "namespace": "media"}),
                json!({"name": "two", "namespace": "media"}),
                "one",
            ),
        ] {
            let case = Case::new()
                .app("fetcher", on(here, json!([owns(["files"])])))
                .app("player", on(there, json!([mounts(["files:/f"])])));
            assert_eq!(
                case.messages(&RULE),
                [format!(
                    "`mounts` names claim `media/files`, which is in cluster `{name}`"
                )]
            );
        }
    }

    #[test]
    fn stays_silent() {
        assert!(
            case(json!([owns(["files"]), mounts(["files:/f"])]))
                .messages(&RULE)
                .is_empty()
        );
        assert!(
            case(json!([mounts(["nowhere:/f"])])).messages(&RULE).is_empty(),
            "that is HL105's"
        );
    }

    #[test]
    fn says_the_way_out() {
        let findings = case(json!([mounts(["files:/f"])])).findings(&RULE);
        assert_eq!(
            findings[0].hint.as_deref(),
            Some("deploy both Applications to one namespace")
        );
    }
}
