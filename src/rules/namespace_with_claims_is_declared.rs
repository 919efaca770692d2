//! HL204: removing a Namespace that has claims leaves them unguarded.

use std::collections::BTreeMap;

use super::kept_claim_has_no_owner::reference;
use super::{Check, Finding, Meta, Rule, Scope, Severity, Subject};

static META: Meta = Meta {
    id: "HL204",
    name: "namespace-with-claims-is-declared",
    severity: Severity::Error,
    summary: "a namespace with owned claims keeps its manifest",
    why: "The Namespace's manifest carries the guards that keep the namespace, and the registry that says whose each claim \
is. A change that removes the manifest while Applications still own claims there takes both away: at best nothing guards \
the data any more, at worst the Namespace is pruned and all claims go with it. That is why this is an error of the change, \
and why a repository that already is in that state gets it too: it declares some Namespaces, but not the one that an \
Application with claims is destined to. Applications with `CreateNamespace=true` and the namespaces that every cluster has \
are left out.\n\n\
Put the manifest back (`kubectl homelab add-namespace`). To give the namespace up, remove its Applications first.\n\n\
https://kubernetes.io/docs/concepts/storage/persistent-volumes/#reclaiming",
};

/// The rule.
pub static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(scope: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = kept(scope, subject);
    let Some(namespace) = subject.app.destination_namespace() else {
        return findings;
    };
    let creates = subject.app.sync_option("CreateNamespace") == Some("true");
    if creates || !scope.loses_claims(&subject.cluster, namespace) {
        return findings;
    }
    let owned = scope
        .owned_in(&subject.cluster, namespace)
        .filter(|(_, claim)| claim.owners.contains(&subject.name));
    let claims: Vec<String> = owned.map(|(claim, _)| format!("`{}`", claim.name)).collect();
    if claims.is_empty() {
        return findings;
    }
    let message = format!(
        "namespace `{namespace}` has no manifest, and `{}` owns claims in it: {}",
        subject.name,
        claims.join(", ")
    );
    let finding = subject.finding(&META, message, "/spec/destination/namespace");
    findings.push(finding.hint(format!("run `kubectl homelab add-namespace {namespace}`")));
    findings
}

/// Returns the findings on Namespaces without a manifest in which an Application keeps claims.
fn kept(scope: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let mut namespaces = BTreeMap::new();
    for (source, parameters) in subject.read_sources() {
        let places = source.entries("keeps", str::to_owned);
        let only_kept = |claim| scope.claim(&claim).is_only_kept();
        let kept = parameters
            .keeps
            .iter()
            .filter(|kept| only_kept(reference(subject, kept)));
        for kept in kept.filter(|kept| scope.loses_claims(&subject.cluster, kept.namespace.as_str())) {
            let (_, claims) = namespaces
                .entry(kept.namespace.clone())
                .or_insert_with(|| (places.at(&kept.to_string()), Vec::new()));
            claims.push(format!("`{}`", kept.name));
        }
    }
    let finding = |(namespace, (place, claims)): (_, (_, Vec<String>))| {
        let message = format!(
            "namespace `{namespace}` has no manifest, and claims in it are kept: {}",
            claims.join(", ")
        );
        let finding = subject.finding(&META, message, &place);
        finding.hint(format!("run `kubectl homelab add-namespace {namespace}`"))
    };
    namespaces.into_iter().map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, owns, plugin_spec};
    use serde_json::json;

    fn namespace(case: Case, name: &str) -> Case {
        let path = format!("namespaces/{name}.yaml");
        case.namespaces().manifest(
            &path,
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}),
        )
    }

    fn case() -> Case {
        Case::new().plugin("fetcher", json!([owns(["audio"])]))
    }

    #[test]
    fn fires() {
        assert_eq!(
            namespace(case(), "other").messages(&RULE),
            ["namespace `media` has no manifest, and `fetcher` owns claims in it: `audio`"]
        );
    }

    #[test]
    fn kept_claims_count() {
        let keeps = || {
            Case::new().plugin(
                "keeper",
                json!([{"name": "keeps", "array": ["media/films=old", "tv/audio=old"]}]),
            )
        };
        assert_eq!(
            namespace(keeps(), "tv").messages(&RULE),
            ["namespace `media` has no manifest, and claims in it are kept: `films`"]
        );
        assert!(keeps().messages(&RULE).is_empty(), "the repository declares none");
    }

    #[test]
    fn stays_silent() {
        assert!(namespace(case(), "media").messages(&RULE).is_empty());
        assert!(case().messages(&RULE).is_empty(), "the repository declares none");
        let mut created = plugin_spec(json!([owns(["audio"])]));
        created["syncPolicy"] = json!({"syncOptions": ["CreateNamespace=true"]});
        let created = namespace(Case::new().app("fetcher", created), "other");
        assert!(created.messages(&RULE).is_empty());
    }

    #[test]
    fn says_the_way_out() {
        let findings = namespace(case(), "other").findings(&RULE);
        assert_eq!(
            findings[0].hint.as_deref(),
            Some("run `kubectl homelab add-namespace media`")
        );
    }
}
