//! HL302: some options of a whole Application do not go together with claims.

use std::cell::LazyCell;

use super::{Check, Finding, Fix, Meta, Rule, Scope, Severity, Subject, fixes};
use crate::model::PointerExt;
use crate::model::application::SYNC_OPTIONS;
use crate::model::claim::is_claim;

static META: Meta = Meta {
    id: "HL302",
    name: "claims-are-not-replaced",
    severity: Severity::Error,
    summary: "an Application with claims has no Replace=true, Force=true or FailOnSharedResource=true",
    why: "`Replace=true` on the Application is added to the options of every object and cannot be switched off for one: Argo \
CD replaces claims instead of patching them, which the API server refuses (the spec is immutable), so that every sync \
fails; together with `Force=true` they are deleted and created again, with new, empty volumes. \
`FailOnSharedResource=true` makes a sync fail as long as another Application's name is on a claim: a claim that a removed \
Application left behind, guarded as it should be, can then never be taken over. Put such options on the objects that need \
them (annotation `argocd.argoproj.io/sync-options`).\n\n\
https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/#replace-resource-instead-of-applying-changes",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(_: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let has_claims =
        LazyCell::new(|| !subject.owns().is_empty() || subject.items.iter().any(|item| is_claim(item.object())));
    let options = subject.app.sync_options().into_iter().enumerate();
    let refused =
        options.filter(|(_, option)| matches!(*option, "Replace=true" | "Force=true" | "FailOnSharedResource=true"));
    for (index, option) in refused.filter(|_| *has_claims) {
        let pointer = SYNC_OPTIONS.child(index);
        let message = format!("`{}` owns claims and has {option}", subject.name);
        findings.push(subject.finding(&META, message, &pointer).fix(Fix::needs_review(
            format!("drop {option}"),
            fixes::patch(subject.manifest, vec![fixes::remove(&pointer)]),
        )));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, claim, owns, plugin_spec};
    use serde_json::{Value, json};

    fn case(parameters: Value, options: Value) -> Case {
        let mut spec = plugin_spec(parameters);
        spec["syncPolicy"] = json!({"syncOptions": options});
        Case::new().app("fetcher", spec)
    }

    #[test]
    fn fires() {
        let all = json!([
            "Replace=true",
            "Force=true",
            "PruneLast=true",
            "FailOnSharedResource=true"
        ]);
        assert_eq!(
            case(json!([owns(["audio"])]), all).messages(&RULE),
            [
                "`fetcher` owns claims and has Replace=true",
                "`fetcher` owns claims and has Force=true",
                "`fetcher` owns claims and has FailOnSharedResource=true",
            ]
        );
        let rendered = case(json!([]), json!(["Replace=true"])).renders("fetcher", [claim("audio", json!({}))]);
        assert_eq!(rendered.messages(&RULE).len(), 1);
    }

    #[test]
    fn stays_silent() {
        assert!(case(json!([]), json!(["Replace=true"])).messages(&RULE).is_empty());
        assert!(
            case(json!([owns(["audio"])]), json!(["Replace=false"]))
                .messages(&RULE)
                .is_empty()
        );
    }

    #[test]
    fn fix_removes_it() {
        let text = case(json!([owns(["audio"])]), json!(["PruneLast=true", "Force=true"])).fixed(&RULE);
        assert!(!text.contains("Force"), "{text}");
    }
}
