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
    summary: "an Application with claims has no Replace=true or Force=true, and what another one renders, too, no FailOnSharedResource=true",
    why: "`Replace=true` on the Application is added to the options of every object and cannot be switched off for one: Argo \
CD replaces claims instead of patching them, which the API server refuses (the spec is immutable), so that every sync \
fails; together with `Force=true` they are deleted and created again, with new, empty volumes. \
`FailOnSharedResource=true` makes a sync fail while the name of another Application is on one of the objects. Two Applications \
that render one object take it from each other with every sync, so that those of the one with this option fail; where no other \
renders it, the option is right. It also keeps an Application from taking over what a removed one left behind, as a guarded \
claim: leave it out for that sync. Put such options on the objects that need them (annotation `argocd.argoproj.io/sync-options`).\n\n\
https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/#replace-resource-instead-of-applying-changes",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(scope: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let has_claims =
        LazyCell::new(|| !subject.owns().is_empty() || subject.items.iter().any(|item| is_claim(item.object())));
    let options = subject.app.sync_options().into_iter().enumerate();
    for (index, option) in options {
        let pointer = SYNC_OPTIONS.child(index);
        let message = match option {
            "Replace=true" | "Force=true" if *has_claims => {
                format!("`{}` owns claims and has {option}", subject.name)
            }
            "FailOnSharedResource=true" => match scope.shared(subject) {
                Some((object, other)) => format!(
                    "`{}` has {option}, and `{}` renders {object}, too: a sync fails when the other was synced last",
                    subject.name, other.name
                ),
                None => continue,
            },
            _ => continue,
        };
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
        let all = json!(["Replace=true", "Force=true", "PruneLast=true"]);
        assert_eq!(
            case(json!([owns(["audio"])]), all).messages(&RULE),
            [
                "`fetcher` owns claims and has Replace=true",
                "`fetcher` owns claims and has Force=true",
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
    fn an_option_against_shared_objects_is_wrong_where_one_is_shared() {
        let case = case(json!([owns(["audio"])]), json!(["FailOnSharedResource=true"]));
        assert!(case.messages(&RULE).is_empty());
        let volume = |name: &str| json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}});
        let other = json!({"destination": {"namespace": "other"}, "source": {"repoURL": "u"}});
        let with = |mine: Value, others: Value| {
            let case = self::case(json!([]), json!(["FailOnSharedResource=true"])).app("web", other.clone());
            case.renders("fetcher", [mine]).renders("web", [others]).messages(&RULE)
        };
        assert_eq!(
            with(volume("nas"), volume("nas")),
            [
                "`fetcher` has FailOnSharedResource=true, and `web` renders PersistentVolume/nas, too: a sync fails when the other was synced last"
            ]
        );
        assert!(with(volume("nas"), volume("tape")).is_empty());
        // The one is in `media`, the other in `other`.
        assert!(with(claim("audio", json!({})), claim("audio", json!({}))).is_empty());
    }

    #[test]
    fn fix_removes_it() {
        let text = case(json!([owns(["audio"])]), json!(["PruneLast=true", "Force=true"])).fixed(&RULE);
        assert!(!text.contains("Force"), "{text}");
    }
}
