//! HL132: where a claim comes from is true.

use super::{Check, Finding, Fix, Meta, Rule, Scope, Severity, Subject, fixes};
use crate::model::ClaimRef;
use crate::model::moved_claim::MovedFrom;

static META: Meta = Meta {
    id: "HL132",
    name: "moved-from-names-old-owner",
    severity: Severity::Error,
    summary: "moved-from names a claim that this Application owns, and the Application that owned it before",
    why: "The parameter `moved-from` says that a claim was not lost by one Application and made by another, but moved: `diff` \
and the removal of the old Application rely on it. A statement about a claim that this Application does not own hides a loss. Once \
the old Application is gone, the move is over, and the entry says nothing any more.\n\n\
Put the claim into `owns`, or take the entry out of `moved-from`; the fix takes out what is over. Nothing that is rendered depends \
on it.",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(scope: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (source, parameters) in subject.read_sources() {
        let places = source.entries("moved-from", str::to_owned);
        for moved in &parameters.moved_from {
            let Some(claim) = subject.claim(&moved.claim) else {
                continue;
            };
            let entry = moved.to_string();
            let finding = |message: String| subject.finding(&META, message, places.at(&entry));
            if !subject.owns().contains(&claim) {
                let message = format!("`moved-from` names claim `{claim}`, which is not in `owns`");
                findings.push(finding(message).hint(format!("add `{}` to `owns`, if it moved here", moved.claim)));
                continue;
            }
            let Some(message) = fault(scope, subject, moved, &claim) else {
                continue;
            };
            let operations = fixes::remove_from_parameter(source, "moved-from", |other| other == entry);
            let fix = Fix::safe(
                format!("take `{entry}` out of `moved-from`"),
                fixes::patch(subject.manifest, operations),
            );
            findings.push(finding(message).fix(fix));
        }
    }
    findings
}

/// Returns why the Application that a move names is none that the claim can have come from.
fn fault(scope: &Scope<'_>, subject: &Subject<'_>, moved: &MovedFrom, claim: &ClaimRef) -> Option<String> {
    let from = &moved.from;
    if *from == subject.name {
        return Some(format!(
            "`moved-from` says that claim `{claim}` came from its own Application"
        ));
    }
    // What is removed in this very change was there before it.
    let is_known = |scope: &Scope<'_>| scope.subject(from).is_some();
    let was_there = scope.base().is_some_and(|base| is_known(&base.scope));
    (!is_known(scope) && !was_there)
        .then(|| format!("`moved-from` says that claim `{claim}` came from Application `{from}`, which is not there"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, owns};
    use serde_json::{Value, json};

    fn parameters(owned: &str, entry: &str) -> Value {
        json!([owns([owned]), {"name": "moved-from", "array": [entry]}])
    }

    #[test]
    fn fires() {
        let new = |owned: &str, entry: &str| Case::new().plugin("recorder", parameters(owned, entry));
        assert_eq!(
            new("audio", "fetcher/audio").messages(&RULE),
            ["`moved-from` says that claim `media/audio` came from Application `fetcher`, which is not there"]
        );
        assert_eq!(
            new("audio", "recorder/audio").messages(&RULE),
            ["`moved-from` says that claim `media/audio` came from its own Application"]
        );
        let other = new("other", "fetcher/audio").plugin("fetcher", json!([]));
        assert_eq!(
            other.messages(&RULE),
            ["`moved-from` names claim `media/audio`, which is not in `owns`"]
        );
        assert_eq!(
            other.place(&RULE),
            "applications/recorder.yaml /spec/source/plugin/parameters/1/array/0"
        );
    }

    #[test]
    fn stays_silent() {
        let new = || Case::new().plugin("recorder", parameters("audio", "fetcher/audio"));
        let old = || new().plugin("fetcher", json!([]));
        assert!(old().messages(&RULE).is_empty());
        assert!(
            new().findings_since(&old(), &RULE).is_empty(),
            "it is removed in this change"
        );
    }

    #[test]
    fn fix_removes_it() {
        let case = Case::new().plugin("recorder", parameters("audio", "fetcher/audio"));
        let text = case.fixed(&RULE);
        assert!(!text.contains("moved-from") && text.contains("owns"), "{text}");
    }
}
