//! HL131: a claim that moves has somebody who owns it.

use super::{Check, Finding, Meta, Rule, Scope, Severity, Subject};
use crate::model::ClaimRef;
use crate::model::moved_claim::MovedTo;

static META: Meta = Meta {
    id: "HL131",
    name: "moved-claim-has-new-owner",
    severity: Severity::Error,
    summary: "the Application that moves names owns the claim and brings it",
    why: "The parameter `moves` keeps a claim out of the render of an Application whose chart always makes it: another Application \
owns it now. The plugin sees one Application only, so it cannot check that. If the other one is not there, or does not own the \
claim, the claim is nobody's: every workload may mount only its own claims read-write, and this one belongs to none. If nobody \
renders it, it stays in this cluster, but a new cluster would not have it.\n\n\
Put the claim into `owns` of the Application that `moves` names, with its specification in `claims` where its chart has none. \
`kubectl homelab move-owner CLAIM --to APP` writes both sides.",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(scope: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (source, parameters) in subject.read_sources() {
        let places = source.entries("moves", str::to_owned);
        for moved in &parameters.moves {
            let Some(claim) = subject.claim(&moved.claim) else {
                continue;
            };
            if let Some((message, hint)) = fault(scope, subject, moved, &claim) {
                let finding = subject.finding(&META, message, places.at(&moved.to_string()));
                findings.push(finding.hint(hint));
            }
        }
    }
    findings
}

/// Returns what is wrong with a move, and the next step.
fn fault(scope: &Scope<'_>, subject: &Subject<'_>, moved: &MovedTo, claim: &ClaimRef) -> Option<(String, String)> {
    let to = &moved.to;
    if *to == subject.name {
        return Some((
            format!("claim `{claim}` moves to its own Application, and is not rendered"),
            "take the entry out of `moves`".to_owned(),
        ));
    }
    let Some(new) = scope.subject(to) else {
        if scope.claim(claim).kept_for.contains(to) {
            return None;
        }
        return Some((
            format!("claim `{claim}` moves to Application `{to}`, which is not there"),
            format!("take the entry out of `moves`, or add Application `{to}` with the claim in `owns`"),
        ));
    };
    let known = scope.claim(claim);
    if !known.owners.contains(to) {
        return Some((
            format!("claim `{claim}` moves to Application `{to}`, which does not own it"),
            format!("add it to `owns` of Application `{to}`"),
        ));
    }
    let is_brought = known.rendered_by.contains(to) || known.made_for.contains(to);
    (new.is_seen && !is_brought).then(|| {
        (
            format!(
                "claim `{claim}` moves to Application `{to}`, which does not render it: a new cluster would not have it"
            ),
            format!("add its specification to the parameter `claims` of Application `{to}`"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, claim, owns};
    use serde_json::{Value, json};

    fn moves(entry: &str) -> Value {
        json!([{"name": "moves", "array": [entry]}])
    }

    #[test]
    fn fires() {
        let old = || Case::new().plugin("fetcher", moves("audio=recorder"));
        let message = |case: Case| case.messages(&RULE);
        assert_eq!(
            message(old()),
            ["claim `media/audio` moves to Application `recorder`, which is not there"]
        );
        assert_eq!(
            message(old().plugin("recorder", json!([owns(["other"])]))),
            ["claim `media/audio` moves to Application `recorder`, which does not own it"]
        );
        let rendered = old()
            .plugin("recorder", json!([owns(["audio"])]))
            .renders("recorder", []);
        assert_eq!(
            message(rendered),
            [
                "claim `media/audio` moves to Application `recorder`, which does not render it: a new cluster would not have it"
            ]
        );
        assert_eq!(
            message(Case::new().plugin("fetcher", moves("audio=fetcher"))),
            ["claim `media/audio` moves to its own Application, and is not rendered"]
        );
        assert_eq!(
            old().place(&RULE),
            "applications/fetcher.yaml /spec/source/plugin/parameters/0/array/0"
        );
    }

    #[test]
    fn stays_silent() {
        let old = || Case::new().plugin("fetcher", moves("audio=recorder"));
        let new = json!([owns(["audio"])]);
        let unknown = old().plugin("recorder", new.clone());
        assert!(unknown.messages(&RULE).is_empty(), "nobody knows what it renders");
        let rendered = old()
            .plugin("recorder", new)
            .renders("recorder", [claim("audio", json!({}))]);
        assert!(rendered.messages(&RULE).is_empty());
        let kept = json!([{"name": "keeps", "array": ["media/audio=recorder"]}]);
        assert!(old().plugin("spaces", kept).messages(&RULE).is_empty());
        let elsewhere = Case::new()
            .plugin("fetcher", moves("tv/audio=recorder"))
            .plugin("recorder", json!([owns(["tv/audio"])]));
        assert!(elsewhere.messages(&RULE).is_empty());
    }

    #[test]
    fn says_the_way_out() {
        let case = Case::new()
            .plugin("fetcher", moves("audio=recorder"))
            .plugin("recorder", json!([]));
        assert_eq!(
            case.findings(&RULE)[0].hint.as_deref(),
            Some("add it to `owns` of Application `recorder`")
        );
    }
}
