//! HL407: the placeholder of a template is nobody's repository.

use super::{Check, Finding, Meta, Rule, Scope, Severity, Subject};
use crate::model::repo_url::placeholder;

static META: Meta = Meta {
    id: "HL407",
    name: "repo-url-has-no-placeholder",
    severity: Severity::Warning,
    summary: "no repoURL has a placeholder, as OWNER",
    why: "The repository that this project ships has `OWNER` where the account belongs \
(`https://github.com/OWNER/home-media`), so that nobody syncs somebody else's repository by accident. Argo CD cannot fetch \
such a URL. `kubectl homelab init --repo-url URL` replaces it everywhere; the repositories of the two charts have to be \
yours as well. What a template left (`<you>`, `{{ … }}`, `${…}`) is a placeholder, too.",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(_: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (source, _) in &subject.sources {
        let url = source.repo_url();
        let Some(placeholder) = placeholder(url) else { continue };
        let message = format!("repoURL `{url}` has the placeholder {placeholder}");
        let finding = subject.finding(&META, message, source.at(&["repoURL"]));
        findings.push(finding.hint("run `kubectl homelab init --repo-url URL`, or write the account's name"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::Case;
    use serde_json::json;

    fn case(url: &str) -> Case {
        Case::new().app("player", json!({"source": {"repoURL": url}}))
    }

    #[test]
    fn fires() {
        let case = case("https://github.com/OWNER/home-media");
        assert_eq!(
            case.messages(&RULE),
            ["repoURL `https://github.com/OWNER/home-media` has the placeholder OWNER"]
        );
        assert_eq!(case.place(&RULE), "applications/player.yaml /spec/source/repoURL");
        let template = self::case("https://github.com/<you>/home");
        assert!(template.messages(&RULE)[0].ends_with("has the placeholder <you>"));
    }

    #[test]
    fn stays_silent() {
        for url in ["https://github.com/owner/home-media", "https://github.com/NEWOWNER/x"] {
            assert!(case(url).messages(&RULE).is_empty());
        }
    }

    #[test]
    fn says_the_way_out() {
        let hint = case("git@github.com:OWNER/x.git").findings(&RULE)[0].hint.clone();
        assert!(hint.unwrap().contains("init --repo-url"));
    }
}
