//! HL102: a kept claim must not keep its Application out of sync.

use super::{Check, Finding, Fix, Meta, Rule, Scope, Severity, Subject, fixes};
use crate::law::sync_options::{IGNORE_EXTRANEOUS, with_ignore_extraneous};
use crate::model::sync::{COMPARE_OPTIONS, SYNC_OPTIONS, entries, value};

static META: Meta = Meta {
    id: "HL102",
    name: "owned-claim-ignores-extraneous",
    severity: Severity::Warning,
    summary: "an owned claim that is never pruned carries IgnoreExtraneous",
    why: "A claim with `Prune=false` stays in the cluster when its manifest goes, and the Application is OutOfSync from then \
on: a state that people learn to ignore, and that hides real differences. With `argocd.argoproj.io/compare-options: \
IgnoreExtraneous` on the live claim Argo CD leaves it out of the comparison. It has to be written while the claim is still \
in Git. The plugin writes it on every claim that it renders. Claims without `Prune=false` are left to HL101.\n\n\
https://argo-cd.readthedocs.io/en/stable/user-guide/compare-options/#ignoring-resources-that-are-extraneous",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(_: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for item in subject.kept_storage() {
        let object = item.object();
        let prune = value(entries(object, SYNC_OPTIONS), "Prune").or_else(|| subject.app.sync_option("Prune"));
        if prune != Some("false") || entries(object, COMPARE_OPTIONS).any(|entry| entry == IGNORE_EXTRANEOUS) {
            continue;
        }
        let message = format!(
            "`{}/{}` is never pruned and has no IgnoreExtraneous",
            object.kind(),
            object.name()
        );
        let finding = subject.finding_on(&META, message, item, "/metadata");
        let options = with_ignore_extraneous(object.annotation(COMPARE_OPTIONS).unwrap_or_default());
        let fix = item
            .patch(vec![fixes::annotate(object, COMPARE_OPTIONS, &options)])
            .map(|changes| Fix::safe("add IgnoreExtraneous to its compare options", changes));
        findings.push(finding.fix_or_hint(fix, subject.convert_or_set("`argocd.argoproj.io/compare-options`")));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, HOME, claim, guarded_claim};
    use serde_json::json;

    #[test]
    fn fires() {
        let guards = json!({SYNC_OPTIONS: "Prune=false,Delete=false", COMPARE_OPTIONS: "ServerSideDiff=true"});
        let case = Case::new().helm("fetcher").renders("fetcher", [claim("audio", guards)]);
        assert_eq!(
            case.messages(&RULE),
            ["`PersistentVolumeClaim/audio` is never pruned and has no IgnoreExtraneous"]
        );
    }

    #[test]
    fn stays_silent() {
        let case = Case::new()
            .helm("fetcher")
            .renders("fetcher", [guarded_claim("audio"), claim("unguarded", json!({}))]);
        assert!(case.messages(&RULE).is_empty());
    }

    #[test]
    fn fix_removes_it() {
        let case = Case::new()
            .app(
                "storage",
                json!({"destination": {"namespace": "media"}, "source": {"repoURL": HOME, "path": "storage"}}),
            )
            .manifest(
                "storage/audio.yaml",
                claim(
                    "audio",
                    json!({SYNC_OPTIONS: "Prune=false", COMPARE_OPTIONS: "ServerSideDiff=true"}),
                ),
            );
        let text = case.fixed(&RULE);
        assert!(text.contains("ServerSideDiff=true,IgnoreExtraneous"), "{text}");
    }
}
