//! HL130: a claim that has an owner again needs nobody to keep it.

use super::{Check, Finding, Fix, Meta, Rule, Scope, Severity, Subject, fixes};
use crate::model::{ClaimRef, KeptClaim};

static META: Meta = Meta {
    id: "HL130",
    name: "kept-claim-has-no-owner",
    severity: Severity::Warning,
    summary: "a claim in keeps has no owner",
    why: "The parameter `keeps` of the source of the Namespaces remembers claims whose Application is gone, so that they stay \
in the ownership registry, and nobody takes them for his own or deletes them. Once an Application owns the claim again, the \
entry says nothing that holds: the owner is in the registry, and when that Application goes in turn, the claim would seem to be \
accounted for.\n\n\
`kubectl homelab restore` and `add-app --owns` take the entry out in the commit that gives the claim its owner; the fix does it \
for an owner that was written by hand.",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(scope: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (source, parameters) in subject.read_sources() {
        let places = source.entries("keeps", str::to_owned);
        for kept in &parameters.keeps {
            let claim = scope.claim(&reference(subject, kept));
            let Some(owner) = claim.owners.first() else { continue };
            let (claim, entry) = (format!("{}/{}", kept.namespace, kept.name), kept.to_string());
            let message = format!("claim `{claim}` is kept for `{}`, and `{owner}` owns it", kept.owner);
            let operations = fixes::remove_from_parameter(source, "keeps", |text| text == entry);
            let fix = Fix::safe(
                format!("take `{entry}` out of `keeps`"),
                fixes::patch(subject.manifest, operations),
            );
            findings.push(subject.finding(&META, message, places.at(&entry)).fix(fix));
        }
    }
    findings
}

/// Returns the claim that an entry of `keeps` of an Application names.
pub(super) fn reference(subject: &Subject<'_>, kept: &KeptClaim) -> ClaimRef {
    ClaimRef {
        cluster: subject.cluster.clone(),
        namespace: kept.namespace.clone(),
        name: kept.name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, owns};
    use serde_json::json;

    fn case(entries: &[&str]) -> Case {
        Case::new()
            .plugin("namespaces", json!([{"name": "keeps", "array": entries}]))
            .plugin("player", json!([owns(["films", "data-db-0"])]))
    }

    #[test]
    fn fires() {
        let case = case(&["media/films=old", "media/books=old", "media/data-db-0=db"]);
        assert_eq!(
            case.messages(&RULE),
            [
                "claim `media/data-db-0` is kept for `db`, and `player` owns it",
                "claim `media/films` is kept for `old`, and `player` owns it"
            ]
        );
        assert_eq!(
            case.place(&RULE),
            "applications/namespaces.yaml /spec/source/plugin/parameters/0/array/2"
        );
    }

    #[test]
    fn stays_silent() {
        assert!(case(&["media/books=old", "tv/films=old"]).messages(&RULE).is_empty());
    }

    #[test]
    fn fix_removes_it() {
        let text = case(&["media/films=old", "media/books=old", "media/data-db-0=db"]).fixed(&RULE);
        assert!(text.contains("media/books=old") && !text.contains("films") && !text.contains("data-db-0"));
        let text = case(&["media/films=old"]).fixed(&RULE);
        assert!(!text.contains("keeps"), "{text}");
    }
}
