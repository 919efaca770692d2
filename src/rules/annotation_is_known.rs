//! HL317: Argo CD ignores an annotation that is spelled otherwise.

use super::{Check, Declared, Finding, Fix, Meta, Rule, Severity};
use crate::model::spelling::nearest;
use crate::model::sync::KNOWN_KEYS;
use crate::model::{AsPointer, Object, PointerExt};
use serde_json::Value;

static META: Meta = Meta {
    id: "HL317",
    name: "annotation-is-known",
    severity: Severity::Error,
    summary: "annotations and labels of Argo CD are spelled as Argo CD spells them",
    why: "Argo CD reads the annotations and labels that begin with `argocd.argoproj.io/` by their exact names, and ignores all \
others. With `argocd.argoproj.io/sync-option` a claim has no guard and is pruned, with `manifest-generate-path` an \
Application is rendered again by each commit, or not by one that changes what it reads. Nothing tells that an annotation \
was ignored. The fix spells it right where only one is meant.\n\n\
https://argo-cd.readthedocs.io/en/stable/user-guide/annotations-and-labels/",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Object(check),
};

fn check(declared: &Declared<'_>) -> Vec<Finding> {
    let finding = |(map, key, right): (&'static str, &str, &'static str)| {
        let message = format!("Argo CD does not know `{key}`");
        let pointer = map.as_pointer().child(key);
        let finding = declared.finding(&META, message, &pointer);
        let is_free = declared.object().at(map).is_some_and(|map| map.get(right).is_none());
        let rename = is_free.then(|| declared.rename(&pointer, right)).flatten();
        let fix = rename.map(|changes| Fix::safe(format!("write `{right}`"), changes));
        finding.fix_or_hint(fix, format!("`{right}` seems to be meant"))
    };
    misspelled(declared.object()).into_iter().map(finding).collect()
}

/// Returns the keys that nearly are one of Argo CD's, each with its map and the one that is meant.
fn misspelled(object: &Object) -> Vec<(&'static str, &str, &'static str)> {
    let mut found = Vec::new();
    for map in ["/metadata/annotations", "/metadata/labels"] {
        let keys = object
            .at(map)
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(key, _)| key.as_str());
        let of_argo_cd = keys.filter(|key| key.contains("argo") && key.contains('/'));
        found.extend(of_argo_cd.filter_map(|key| Some((map, key, nearest(key, KNOWN_KEYS.iter().copied())?))));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, claim};
    use serde_json::json;

    fn case(annotations: Value) -> Case {
        Case::new().manifest("namespaces/claim.yaml", claim("media", annotations))
    }

    #[test]
    fn fires() {
        let wrong = case(json!({"argocd.argoproj.io/sync-option": "Prune=false", "argocd.argoproj.io/Sync-Wave": "1"}));
        assert_eq!(
            wrong.messages(&RULE),
            [
                "Argo CD does not know `argocd.argoproj.io/sync-option`",
                "Argo CD does not know `argocd.argoproj.io/Sync-Wave`",
            ]
        );
        assert_eq!(
            wrong.place(&RULE),
            "namespaces/claim.yaml /metadata/annotations/argocd.argoproj.io~1sync-option"
        );
        let rendered = Case::new().helm("fetcher").renders(
            "fetcher",
            [claim("audio", json!({"argocd.argoprj.io/sync-options": "Prune=false"}))],
        );
        assert_eq!(
            rendered.messages(&RULE),
            ["Argo CD does not know `argocd.argoprj.io/sync-options`"]
        );
    }

    #[test]
    fn stays_silent() {
        for key in KNOWN_KEYS {
            assert!(case(json!({*key: "x"})).messages(&RULE).is_empty(), "{key}");
        }
        for key in [
            "argocd-image-updater.argoproj.io/image-list",
            "notifications.argoproj.io/subscribe.on-sync-failed.slack",
            "link.argocd.argoproj.io/external-link",
            "argocd.argoproj.io/my-own",
            "workflows.argoproj.io/description",
        ] {
            assert!(case(json!({key: "x"})).messages(&RULE).is_empty(), "{key}");
        }
    }

    #[test]
    fn fix_removes_it() {
        let text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  annotations:\n    argocd.argoproj.io/sync-wawe: '1' # first\n";
        let case = Case::new().file("namespaces/a.yaml", text);
        assert_eq!(case.fixed(&RULE), text.replace("wawe", "wave"));
        let both =
            json!({"argocd.argoproj.io/sync-option": "Prune=false", "argocd.argoproj.io/sync-options": "Prune=true"});
        assert!(super::tests::case(both).findings(&RULE)[0].fix.is_none());
    }
}
