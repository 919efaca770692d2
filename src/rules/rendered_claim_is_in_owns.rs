//! HL124: the registry is made of `owns` alone.

use std::collections::BTreeSet;

use super::unrendered::{exists, likeness};
use super::{Check, Finding, Fix, Meta, Rule, Scope, Severity, Subject, fixes};
use crate::model::parameter::Parameters;
use crate::model::workload::brought_claims;
use crate::model::{ClaimName, ClaimPath, ClaimRef};

static META: Meta = Meta {
    id: "HL124",
    name: "rendered-claim-is-in-owns",
    severity: Severity::Error,
    summary: "every claim that an Application brings is in the parameter owns of each of its plugin sources",
    why: "The registry on the Namespace says, inside the cluster, whose each claim is. It is made when the GitOps \
repository is rendered, where the charts of the Applications cannot be seen: only `owns` can. A claim that is rendered and \
not in `owns` has no owner there, other Applications can treat it as their own, and nothing refuses its deletion. An \
Application with several plugin sources needs the same `owns` in each: a source cannot see what the others render, and \
takes their claims for foreign ones that it may only read. The claims that a StatefulSet makes, one for each replica, belong there \
as well: nothing else names them.\n\n\
The fix adds the claim. `kubectl homelab add-app` fills `owns` from the render. Where `owns` has claims that are not rendered, review it first: after an Application was renamed, its chart asks for new claims, and these are empty. The parameter `release-name` with the old name brings the old ones back.",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(scope: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    of_subject(scope, subject).unwrap_or_default()
}

fn of_subject(scope: &Scope<'_>, subject: &Subject<'_>) -> Option<Vec<Finding>> {
    let sources: Vec<_> = subject.read_sources().collect();
    let of_plugin = subject.sources.iter().filter(|(_, parameters)| parameters.is_some());
    if sources.is_empty() || of_plugin.count() != sources.len() {
        return None;
    }
    let owned = subject.owns().into_iter();
    let left: Vec<ClaimRef> = owned.filter(|claim| is_left(scope, subject, claim)).collect();
    let mut findings = Vec::new();
    for claim in candidates(scope, subject) {
        let path = ClaimPath::of(&claim, subject.namespace.as_ref());
        let has = |parameters: &Parameters| {
            parameters
                .owns
                .iter()
                .any(|path| subject.claim(path).as_ref() == Some(&claim))
        };
        let lacking: Vec<_> = sources
            .iter()
            .filter(|(_, parameters)| !has(parameters))
            .map(|(source, _)| *source)
            .collect();
        let Some(first) = lacking.first() else { continue };
        let message = if lacking.len() == sources.len() {
            missing(scope, &claim)
        } else {
            format!("claim `{claim}` is in `owns` of one plugin source and not of all")
        };
        let changes = lacking
            .iter()
            .flat_map(|source| fixes::add_to_parameter(source, "owns", std::slice::from_ref(&path)))
            .collect();
        let pointer = first.parameter("owns").unwrap_or_else(|| first.pointer.clone());
        let (title, changes) = (
            format!("add `{path}` to `owns`"),
            fixes::patch(subject.manifest, changes),
        );
        let finding = subject.finding(&META, message, &pointer);
        let is_new = lacking.len() == sources.len();
        let replaced = left
            .iter()
            .max_by_key(|left| likeness(left.name.as_str(), claim.name.as_str()));
        findings.push(match replaced.filter(|_| is_new) {
            Some(left) => finding
                .hint(left_behind(&left.name))
                .fix(Fix::needs_review(title, changes)),
            None => finding.fix(Fix::safe(title, changes)),
        });
    }
    Some(findings)
}

/// Reports whether a claim in `owns` is neither rendered nor made by a controller, as far as that is known.
fn is_left(scope: &Scope<'_>, subject: &Subject<'_>, claim: &ClaimRef) -> bool {
    subject.is_seen && !exists(&scope.claim(claim))
}

/// Returns the next step where a claim is rendered and another one in `owns` is not: one may have the place of the other.
fn left_behind(left: &ClaimName) -> String {
    format!(
        "`{left}` in `owns` is not rendered: if this claim has its place, it starts empty; after a rename of the Application, set the parameter `release-name` to the old name instead"
    )
}

/// Returns what is wrong with a claim that no source declares.
fn missing(scope: &Scope<'_>, claim: &ClaimRef) -> String {
    match scope.claim(claim).rendered_by.is_empty() {
        true => format!("a StatefulSet makes claim `{claim}`, which is not in `owns`"),
        false => format!("claim `{claim}` is rendered and not in `owns`"),
    }
}

/// Returns the claims that it renders or its StatefulSets make and nobody else declares, and those that a source declares.
fn candidates(scope: &Scope<'_>, subject: &Subject<'_>) -> BTreeSet<ClaimRef> {
    let objects = subject.items.iter().map(|item| item.object());
    let brought = objects.flat_map(|object| {
        let names = brought_claims(object).into_iter();
        names.filter_map(move |name| subject.claim_beside(object, name.as_str()))
    });
    let mine = brought.filter(|claim| {
        let known = scope.claim(claim);
        known.declared_by.is_empty() || known.declared_by.contains(&subject.name)
    });
    mine.chain(subject.owns()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, claim, owns};
    use serde_json::{Value, json};

    #[test]
    fn a_claim_of_another_namespace_is_owned_by_its_path() {
        let elsewhere = || json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "media", "namespace": "tv"}});
        let storage = |parameters: Value| {
            Case::new()
                .plugin("storage", parameters)
                .renders("storage", [elsewhere()])
        };
        let case = storage(json!([owns(["media"])]));
        assert_eq!(case.messages(&RULE), ["claim `tv/media` is rendered and not in `owns`"]);
        storage(json!([])).fixed(&RULE);
        assert!(storage(json!([owns(["tv/media"])])).messages(&RULE).is_empty());
    }

    fn rendered(parameters: Value) -> Case {
        Case::new()
            .plugin("fetcher", parameters)
            .renders("fetcher", [claim("audio", json!({})), claim("config", json!({}))])
    }

    fn two_sources(first: Value, second: Value) -> Case {
        let source =
            |parameters: Value| json!({"repoURL": "u", "plugin": {"name": "homelab-v1", "parameters": parameters}});
        Case::new().app(
            "fetcher",
            json!({"destination": {"namespace": "media"}, "sources": [source(first), source(second), {"repoURL": "u", "chart": "c"}]}),
        )
    }

    #[test]
    fn fires() {
        assert_eq!(
            rendered(json!([owns(["config"])])).messages(&RULE),
            ["claim `media/audio` is rendered and not in `owns`"]
        );
        let unequal = two_sources(json!([owns(["audio"])]), json!([]));
        assert_eq!(
            unequal.messages(&RULE),
            ["claim `media/audio` is in `owns` of one plugin source and not of all"]
        );
        assert_eq!(unequal.place(&RULE), "applications/fetcher.yaml /spec/sources/1");
    }

    #[test]
    fn claims_that_a_stateful_set_makes_belong_there() {
        let case = |parameters: Value| {
            let set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"},
                "spec": {"replicas": 2, "volumeClaimTemplates": [{"metadata": {"name": "data"}}]}});
            Case::new().plugin("db", parameters).renders("db", [set])
        };
        assert_eq!(
            case(json!([owns(["data-db-0"])])).messages(&RULE),
            ["a StatefulSet makes claim `media/data-db-1`, which is not in `owns`"]
        );
        let text = case(json!([])).fixed(&RULE);
        assert!(text.contains("data-db-0") && text.contains("data-db-1"), "{text}");
        let scaled_down = case(json!([owns(["data-db-0", "data-db-1", "data-db-2"])]));
        assert!(scaled_down.messages(&RULE).is_empty());
    }

    #[test]
    fn stays_silent() {
        assert!(
            rendered(json!([owns(["audio", "config", "unrendered"])]))
                .messages(&RULE)
                .is_empty()
        );
        let native = Case::new()
            .helm("fetcher")
            .renders("fetcher", [claim("audio", json!({}))]);
        assert!(native.messages(&RULE).is_empty(), "it has no parameters");
        let of_other = Case::new()
            .plugin("owner", json!([owns(["audio"])]))
            .plugin("fetcher", json!([]))
            .renders("fetcher", [claim("audio", json!({}))]);
        assert!(of_other.messages(&RULE).is_empty(), "that is HL106's");
    }

    #[test]
    fn a_claim_that_may_replace_another_is_not_added_unseen() {
        let renamed = rendered(json!([owns(["config", "old-audio"])]));
        let found = renamed.findings(&RULE);
        assert!(!found[0].fix.as_ref().unwrap().safe);
        assert!(
            found[0]
                .hint
                .as_ref()
                .unwrap()
                .contains("`old-audio` in `owns` is not rendered")
        );
    }

    #[test]
    fn fix_removes_it() {
        for parameters in [json!([owns(["config"])]), json!([]), Value::Null] {
            assert!(rendered(parameters).fixed(&RULE).contains("audio"));
        }
        two_sources(json!([owns(["audio"])]), json!([])).fixed(&RULE);
    }
}
