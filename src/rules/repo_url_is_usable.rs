//! HL408: a repository that Argo CD cannot read is never synced.

use super::{Check, Finding, Meta, Rule, Scope, Severity, Subject};
use crate::model::repo_url::{self, Fault};

static META: Meta = meta(Severity::Error);
/// The same where the URL may be right for somebody.
static WARNING: Meta = meta(Severity::Warning);

const fn meta(severity: Severity) -> Meta {
    Meta {
        id: "HL408",
        name: "repo-url-is-usable",
        severity,
        summary: "every repoURL is one that Argo CD can read, and has no login in it",
        why: "Argo CD gives `repoURL` to git or helm in its own pod. A URL without a scheme, or a path, means a folder there, which \
does not exist; `ext::…` would make git run a program; a blank is a typing error. The Application shows an error and is never \
synced. A `file://` URL is a warning: somebody may have mounted that folder.\n\n\
A password or token in the URL is readable by everybody who sees the repository or the Application, and it stays in the history \
of Git. Take it out, revoke it, and give Argo CD a Secret with the label `argocd.argoproj.io/secret-type: repository`.\n\n\
https://argo-cd.readthedocs.io/en/stable/user-guide/private-repositories/",
    }
}

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(_: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (source, _) in &subject.sources {
        let url = source.repo_url();
        let fault = match repo_url::check(url, source.is_versioned()) {
            Ok(()) | Err(Fault::Placeholder(_)) => continue,
            Err(fault) => fault,
        };
        let rule = if fault.is_error() { &META } else { &WARNING };
        let message = match &fault {
            Fault::Missing => "a source has no repoURL".to_owned(),
            fault => format!("repoURL `{url}` {fault}"),
        };
        let finding = subject.finding(rule, message, source.at(&["repoURL"]));
        findings.push(finding.hint(fault.hint()));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::Case;
    use serde_json::json;

    fn case(url: &str) -> Case {
        Case::new().app("player", json!({"source": {"repoURL": url, "path": "chart"}}))
    }

    #[test]
    fn fires() {
        let bare = case("github.com/me/home");
        assert_eq!(
            bare.messages(&RULE),
            ["repoURL `github.com/me/home` has no scheme, so that git takes it for a path"]
        );
        assert_eq!(bare.place(&RULE), "applications/player.yaml /spec/source/repoURL");
        let file = case("file:///srv/git/home").findings(&RULE);
        assert_eq!(file[0].rule.severity, Severity::Warning);
        let login = case("https://me:hunter2@git.example.org/me/home").messages(&RULE);
        assert!(
            login[0].starts_with("repoURL `https://git.example.org/me/home` contains a password"),
            "{login:?}"
        );
        assert_eq!(case("").messages(&RULE), ["a source has no repoURL"]);
    }

    #[test]
    fn stays_silent() {
        assert!(case("https://git.example.org/me/home").messages(&RULE).is_empty());
        let placeholder = case("https://github.com/OWNER/home");
        assert!(placeholder.messages(&RULE).is_empty(), "that is HL407's");
        let chart = Case::new().app(
            "player",
            json!({"source": {"repoURL": "registry.example.org/charts", "chart": "player"}}),
        );
        assert!(chart.messages(&RULE).is_empty());
    }

    #[test]
    fn says_the_way_out() {
        let hint = case("ext::sh -c true").findings(&RULE)[0].hint.clone();
        assert!(hint.unwrap().contains("`https` or `ssh` URL"));
    }
}
