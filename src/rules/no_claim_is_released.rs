//! HL133: a claim that is released is lost as soon as it is not rendered any more.

use super::{Check, Finding, Meta, Rule, Scope, Severity, Subject};

static META: Meta = Meta {
    id: "HL133",
    name: "no-claim-is-released",
    severity: Severity::Warning,
    summary: "no claim stands in the parameter releases",
    why: "A claim in `releases` is rendered without guards, and the lock lets its deletion through: it is the first of two \
commits that delete data. Until the second one takes the claim out, a renamed release, a changed value or a removed folder \
deletes it just as well, and nobody asks.\n\n\
`kubectl homelab remove-app NAME --delete-data CLAIM`, run again once Argo CD has synced the release, makes the second commit. To keep \
the data, take the entry out: the guards come back with the next sync. A claim that an Application releases and does not \
render is not touched at all: one that a StatefulSet made is deleted by hand.",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(scope: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (source, parameters) in subject.read_sources() {
        let places = source.entries("releases", str::to_owned);
        for path in &parameters.releases {
            let Some(claim) = subject.claim(path) else { continue };
            let is_rendered = scope.claim(&claim).rendered_by.contains(&subject.name);
            let (message, hint) = match !is_rendered && subject.is_seen {
                true => (
                    format!(
                        "`releases` names claim `{claim}`, which `{}` does not render: it has no effect",
                        subject.name
                    ),
                    "take the entry out".to_owned(),
                ),
                false => (
                    format!("claim `{claim}` is released: it is deleted with its data as soon as it is not rendered"),
                    format!(
                        "delete it with `kubectl homelab remove-app {} --delete-data {path}`, or take the entry out and keep the data",
                        subject.name
                    ),
                ),
            };
            findings.push(subject.finding(&META, message, places.at(&path.to_string())).hint(hint));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, claim, owns};
    use crate::rules::{owned_claim_ignores_extraneous, owned_claim_is_guarded};
    use serde_json::json;

    fn case(released: &[&str]) -> Case {
        Case::new()
            .plugin(
                "player",
                json!([owns(["films"]), {"name": "releases", "array": released}]),
            )
            .renders(
                "player",
                [claim("films", json!({"storage.home.arpa/release": "films"}))],
            )
    }

    #[test]
    fn fires() {
        let case = case(&["films", "books"]);
        assert_eq!(
            case.messages(&RULE),
            [
                "`releases` names claim `media/books`, which `player` does not render: it has no effect",
                "claim `media/films` is released: it is deleted with its data as soon as it is not rendered"
            ]
        );
        assert_eq!(
            case.place(&RULE),
            "applications/player.yaml /spec/source/plugin/parameters/1/array/1"
        );
        for rule in [&owned_claim_is_guarded::RULE, &owned_claim_ignores_extraneous::RULE] {
            assert!(case.messages(rule).is_empty(), "it has no guards on purpose");
        }
    }

    #[test]
    fn stays_silent() {
        assert!(case(&[]).messages(&RULE).is_empty());
    }

    #[test]
    fn says_the_way_out() {
        let hint = case(&["media/films"]).findings(&RULE)[0].hint.clone().unwrap();
        assert!(hint.contains("remove-app player --delete-data media/films"), "{hint}");
    }
}
