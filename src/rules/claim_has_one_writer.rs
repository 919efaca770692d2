//! HL123: several writers are allowed, and shown.

use super::{Check, Finding, Meta, Rule, Scope, Severity, Subject};

static META: Meta = Meta {
    id: "HL123",
    name: "claim-has-one-writer",
    severity: Severity::Warning,
    summary: "a claim is written by its owner only",
    why: "Some clusters need it: a downloader and two library managers on one media disk. The parameter `writes` lets an \
Application write a claim that another one owns; without it read-only is forced. It is the one hole in the rule that a \
claim has one producer, so it stays visible: a program in `writes` can delete the owner's files, and backups \
and replacements of the owner have to count with it. Where the writing can be given to the owner, take the entry out. \
Where it is meant, leave it, and switch this rule off (`--rules -HL123`).",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(scope: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (source, parameters) in subject.read_sources() {
        let places = source.entries("writes", str::to_owned);
        for name in &parameters.writes {
            let Some(reference) = subject.claim(name) else { continue };
            let claim = scope.claim(&reference);
            if !claim.is_foreign_to(&subject.name) {
                continue;
            }
            let owners: Vec<String> = claim.owners.iter().map(|owner| format!("`{owner}`")).collect();
            let message = format!("`{}` writes claim `{reference}` of {}", subject.name, owners.join(", "));
            let pointer = places.at(&name.to_string());
            let finding = subject.finding(&META, message, &pointer);
            findings.push(finding.hint("leave it if it is meant; only read the claim otherwise"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, owns, writes};
    use serde_json::json;

    fn case(written: &str) -> Case {
        Case::new()
            .plugin("fetcher", json!([owns(["media"])]))
            .plugin("editor", json!([owns(["own"]), writes([written])]))
    }

    #[test]
    fn fires() {
        assert_eq!(
            case("media").messages(&RULE),
            ["`editor` writes claim `media/media` of `fetcher`"]
        );
        assert_eq!(
            case("media").place(&RULE),
            "applications/editor.yaml /spec/source/plugin/parameters/1/array/0"
        );
    }

    #[test]
    fn stays_silent() {
        assert!(case("own").messages(&RULE).is_empty());
        assert!(case("nobodys").messages(&RULE).is_empty(), "that is HL105's");
    }

    #[test]
    fn says_the_way_out() {
        assert!(case("media").findings(&RULE)[0].hint.is_some());
    }
}
