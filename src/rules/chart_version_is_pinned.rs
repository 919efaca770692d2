//! HL308: a chart that updates itself updates the claims with it.

use super::{Check, Finding, Meta, Rule, Scope, Severity, Subject};
use crate::model::native::is_zero;

static META: Meta = Meta {
    id: "HL308",
    name: "chart-version-is-pinned",
    severity: Severity::Warning,
    summary: "a chart of a Helm or OCI repository has one exact version",
    why: "A range (`1.x`, `^2.0`, `*`) or, for an OCI source, a missing `targetRevision` makes Argo CD take the newest chart \
that fits, at whatever moment it looks. No commit says that anything changed, a new major version can rename a claim or \
change its immutable fields, and going back means finding out what ran before. Pin the exact version; a bot such as \
Renovate can propose new ones as commits, which can be reviewed before they are merged. Branches of Git repositories are \
not meant.\n\n\
https://argo-cd.readthedocs.io/en/stable/user-guide/tracking_strategies/#helm",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(_: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (source, _) in subject.sources.iter().filter(|(source, _)| source.is_versioned()) {
        let revision = source.target_revision();
        // A chart without a version does not render at all (HL314).
        let is_missing = source.chart().is_some() && source.tree().get("targetRevision").is_none_or(is_zero);
        if is_missing || is_pinned(revision) {
            continue;
        }
        let chart = source.chart().unwrap_or_else(|| source.repo_url());
        let message = format!("chart `{chart}` has the floating version `{revision}`");
        let finding = subject.finding(&META, message, source.at(&["targetRevision"]));
        findings.push(finding.hint("pin one version, as `1.2.3`"));
    }
    findings
}

/// Reports whether a revision means one version: `1.2.3` with what semver allows behind, a `v` before, a digest, or a
/// tag that is no version and no range, such as `2024-05-01`; `latest` and its like move.
fn is_pinned(revision: &str) -> bool {
    let revision = revision.trim();
    if revision.contains("sha256:") {
        return true;
    }
    if revision.chars().any(|c| "*^~<>=|, ".contains(c)) || matches!(revision, "HEAD" | "latest" | "stable" | "main") {
        return false;
    }
    let version = revision.strip_prefix('v').unwrap_or(revision);
    let core = version.split(['-', '+']).next().unwrap_or_default();
    let parts: Vec<&str> = core.split('.').collect();
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_wild = |part: &&str| matches!(*part, "x" | "X");
    if parts.iter().any(is_wild) {
        return false;
    }
    let numbers = parts.iter().take_while(|part| is_number(part)).count();
    // `1` and `1.2` are ranges; `2024-05-01` and `rc-4` are tags.
    !(numbers == parts.len() && numbers < 3 && core == version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::Case;
    use serde_json::{Value, json};

    fn case(revision: Value) -> Case {
        Case::new().app(
            "player",
            json!({"source": {"repoURL": "https://charts.example.org", "chart": "player", "targetRevision": revision}}),
        )
    }

    #[test]
    fn fires() {
        for floating in [
            "*",
            "1.x",
            "^2.0.0",
            "~1.2",
            ">=1.0.0 <2.0.0",
            "1",
            "1.2",
            "v1",
            "HEAD",
            "latest",
            "1.2.X",
        ] {
            assert_eq!(case(json!(floating)).messages(&RULE).len(), 1, "{floating}");
        }
        let oci = Case::new().app(
            "player",
            json!({"source": {"repoURL": "oci://r.example.org/player", "path": "."}}),
        );
        assert_eq!(
            oci.messages(&RULE),
            ["chart `oci://r.example.org/player` has the floating version `HEAD`"]
        );
    }

    #[test]
    fn stays_silent() {
        assert!(
            case(Value::Null).messages(&RULE).is_empty(),
            "that is an error of its own"
        );
        for pinned in [
            "1.2.3",
            "v1.2.3",
            "1.2.3-rc.1+build.x",
            "2024-05-01",
            "sha256:0123",
            "3.3.0",
        ] {
            assert!(case(json!(pinned)).messages(&RULE).is_empty(), "{pinned}");
        }
        let git = Case::new().app(
            "player",
            json!({"source": {"repoURL": "https://git.example.org/x", "path": "chart", "targetRevision": "main"}}),
        );
        assert!(git.messages(&RULE).is_empty());
    }

    #[test]
    fn says_the_way_out() {
        assert_eq!(
            case(json!("*")).findings(&RULE)[0].hint.as_deref(),
            Some("pin one version, as `1.2.3`")
        );
    }
}
