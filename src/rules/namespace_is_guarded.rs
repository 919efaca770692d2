//! HL201: a namespace takes everything in it along.

use super::{Check, Finding, Fix, Meta, Rule, Scope, Severity, Subject, fixes};
use crate::model::namespace::is_namespace;
use crate::model::sync::{SYNC_OPTIONS, entries, value};

static META: Meta = Meta {
    id: "HL201",
    name: "namespace-is-guarded",
    severity: Severity::Error,
    summary: "a Namespace that an Application syncs carries Prune=false and Delete=false",
    why: "Deleting a Namespace deletes all claims in it, whatever their own annotations are: the guards of the claims are \
for Argo CD, and a namespace is emptied by Kubernetes itself. A Namespace whose file is removed or renamed is pruned; one \
whose Application is deleted with its finalizer goes with it. With `Prune=false,Delete=false` on the live Namespace it \
stays until somebody deletes it.\n\n\
Let the plugin render the folder of Namespaces, which also writes the ownership registry on them; or set the annotation.\n\n\
https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/#no-prune-resources",
};

/// The rule.
pub static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(scope: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for item in subject.finished().filter(|item| is_namespace(item.object())) {
        let object = item.object();
        let lacks = |key: &&str| {
            let own = value(entries(object, SYNC_OPTIONS), key);
            own.or_else(|| subject.app.sync_option(key)) != Some("false")
        };
        let missing: Vec<String> = ["Prune", "Delete"]
            .iter()
            .filter(|key| lacks(key))
            .map(|key| format!("{key}=false"))
            .collect();
        if missing.is_empty() {
            continue;
        }
        let claims = scope.owned_in(&subject.cluster, object.name()).count();
        let lost = match claims {
            0 => String::new(),
            1 => "; it holds 1 claim".to_owned(),
            claims => format!("; it holds {claims} claims"),
        };
        let message = format!(
            "Namespace `{}` has no {}{lost}",
            object.name(),
            missing.join(" and no ")
        );
        let finding = subject.finding_on(&META, message, item, "/metadata");
        let fix = item
            .patch(vec![fixes::guard(object)])
            .map(|changes| Fix::safe(format!("add {} to its sync options", missing.join(" and ")), changes));
        findings.push(finding.fix_or_hint(fix, subject.convert_or_set("`argocd.argoproj.io/sync-options`")));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, HOME, owns};
    use serde_json::{Value, json};

    fn namespace(annotations: Value) -> Value {
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "media", "annotations": annotations}})
    }

    #[test]
    fn fires() {
        let case = Case::new()
            .namespaces()
            .manifest("namespaces/media.yaml", namespace(json!({SYNC_OPTIONS: "Prune=false"})))
            .plugin("fetcher", json!([owns(["audio", "films"])]));
        assert_eq!(
            case.messages(&RULE),
            ["Namespace `media` has no Delete=false; it holds 2 claims"]
        );
        assert_eq!(case.place(&RULE), "namespaces/media.yaml /metadata");
    }

    #[test]
    fn what_another_plugin_renders_is_not_known() {
        let case = |plugin: Value| {
            let source = json!({"repoURL": HOME, "path": "player", "plugin": plugin});
            Case::new()
                .app(
                    "player",
                    json!({"destination": {"namespace": "media"}, "source": source}),
                )
                .manifest("player/namespace.yaml", namespace(json!({})))
        };
        assert_eq!(case(Value::Null).messages(&RULE).len(), 1);
        for plugin in [json!({"name": "other"}), json!({})] {
            assert!(case(plugin.clone()).messages(&RULE).is_empty(), "{plugin}");
        }
    }

    #[test]
    fn stays_silent() {
        let guarded = Case::new().namespaces().manifest(
            "namespaces/media.yaml",
            namespace(json!({SYNC_OPTIONS: "Prune=false,Delete=false"})),
        );
        assert!(guarded.messages(&RULE).is_empty());
        let of_plugin = Case::new()
            .app(
                "namespaces",
                json!({"source": {"repoURL": HOME, "path": "namespaces", "plugin": {"name": "homelab-v1"}}}),
            )
            .manifest("namespaces/media.yaml", namespace(Value::Null));
        assert!(of_plugin.messages(&RULE).is_empty(), "the plugin guards it");
    }

    #[test]
    fn fix_removes_it() {
        let case = Case::new()
            .namespaces()
            .manifest("namespaces/media.yaml", namespace(Value::Null));
        assert!(case.fixed(&RULE).contains("Prune=false,Delete=false"));
    }
}
