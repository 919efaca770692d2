//! HL101: a claim that is pruned or deleted takes its data along.

use std::collections::HashMap;

use super::{Check, Finding, Fix, Item, Meta, Rule, Scope, Severity, Subject, fixes};
use crate::law::claims::{is_skipped, recreated_by};
use crate::law::stateful_sets::claim_patterns;
use crate::model::sync::{SYNC_OPTIONS, entries, value};
use crate::model::workload::deletes_its_claims;
use crate::model::{ClaimName, NamespaceName, Object};

static META: Meta = Meta {
    id: "HL101",
    name: "owned-claim-is-guarded",
    severity: Severity::Error,
    summary: "an owned claim carries Prune=false and Delete=false, and nothing that undoes them",
    why: "Without `Prune=false` Argo CD deletes a claim as soon as the chart renames it or renders it no more; without \
`Delete=false` it goes with its Application. Most home storage classes (local-path in k3s and kind) reclaim a volume by \
erasing its directory, so the data is gone a second later. Argo CD reads both options from the live object: they have to \
be in the cluster before the commit that removes the claim. A claim that is a hook, or has `Replace=true` or `Force=true`, \
is deleted and created again in spite of every guard; so is one that a StatefulSet deletes by its retention policy.\n\n\
A PersistentVolume needs the same: its claim may be one that a StatefulSet or an operator makes.\n\n\
The plugin writes both options on every claim and volume that it renders: let it render the source (`plugin: {name: homelab-v1}`), or \
set the annotation `argocd.argoproj.io/sync-options: Prune=false,Delete=false` in the chart.\n\n\
https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/#no-prune-resources",
};

/// The rule.
pub static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(_: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for item in subject.kept_storage() {
        findings.extend(unguarded(subject, item).or_else(|| undone(subject, item)));
    }
    let owned = subject.numbered_owns();
    let sets = subject.items.iter();
    findings.extend(sets.filter_map(|item| deleted_by_its_set(subject, item, &owned)));
    findings
}

/// Returns the guards that an object lacks; those of the Application count where the object does not set them.
pub fn missing(subject: &Subject<'_>, object: &Object) -> Vec<&'static str> {
    let is_false = |key: &str| {
        let own = value(entries(object, SYNC_OPTIONS), key);
        own.or_else(|| subject.app.sync_option(key)) == Some("false")
    };
    let guards = [("Prune", "Prune=false"), ("Delete", "Delete=false")];
    guards
        .into_iter()
        .filter(|(key, _)| !is_false(key))
        .map(|(_, guard)| guard)
        .collect()
}

fn unguarded(subject: &Subject<'_>, item: &Item<'_>) -> Option<Finding> {
    let missing = missing(subject, item.object());
    if missing.is_empty() {
        return None;
    }
    let object = item.object();
    let message = format!(
        "`{}/{}` has no {}",
        object.kind(),
        object.name(),
        missing.join(" and no ")
    );
    let finding = subject.finding_on(&META, message, item, "/metadata");
    let fix = item
        .patch(vec![fixes::guard(object)])
        .map(|changes| Fix::safe(format!("add {} to its sync options", missing.join(" and ")), changes));
    Some(finding.fix_or_hint(fix, subject.convert_or_set("`argocd.argoproj.io/sync-options`")))
}

fn undone(subject: &Subject<'_>, item: &Item<'_>) -> Option<Finding> {
    let object = item.object();
    let cause = recreated_by(object)?;
    let effect = if is_skipped(object) {
        "does not apply it"
    } else {
        "deletes and creates it, whatever its guards"
    };
    let message = format!("`{}/{}` has `{cause}`: Argo CD {effect}", object.kind(), object.name());
    let finding = subject.finding_on(&META, message, item, "/metadata/annotations");
    Some(finding.hint(format!("take `{cause}` off")))
}

fn deleted_by_its_set(
    subject: &Subject<'_>,
    item: &Item<'_>,
    owned: &HashMap<(NamespaceName, String), ClaimName>,
) -> Option<Finding> {
    let object = item.object();
    let policy = deletes_its_claims(object);
    let when = policy.first()?;
    let patterns = claim_patterns(object);
    let namespace = subject.namespace_of(object)?;
    let mut patterns = patterns.into_iter();
    let claim = patterns.find_map(|pattern| owned.get(&(namespace.clone(), pattern)))?;
    let message = format!(
        "StatefulSet `{}` deletes its claim `{claim}`: {when} is Delete",
        object.name()
    );
    let pointer = "/spec/persistentVolumeClaimRetentionPolicy";
    Some(
        subject
            .finding_on(&META, message, item, pointer)
            .hint("set the retention policy to Retain"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, HOME, claim, guarded_claim, owns};
    use serde_json::json;

    #[test]
    fn fires() {
        let case = Case::new().helm("fetcher").renders(
            "fetcher",
            [
                claim("plain", json!({})),
                claim("half", json!({SYNC_OPTIONS: "Prune=false,Delete=confirm"})),
                claim("hook", json!({SYNC_OPTIONS: "Prune=false,Delete=false", "helm.sh/hook": "pre-install"})),
                claim("forced", json!({SYNC_OPTIONS: "Prune=false,Delete=false,Force=true"})),
                json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv"}, "spec": {"claimRef": {"name": "plain"}}}),
            ],
        );
        assert_eq!(
            case.messages(&RULE),
            [
                "`PersistentVolumeClaim/plain` has no Prune=false and no Delete=false",
                "`PersistentVolumeClaim/half` has no Delete=false",
                "`PersistentVolumeClaim/hook` has `helm.sh/hook`: Argo CD deletes and creates it, whatever its guards",
                "`PersistentVolumeClaim/forced` has `Force=true`: Argo CD deletes and creates it, whatever its guards",
                "`PersistentVolume/pv` has no Prune=false and no Delete=false",
            ]
        );
        assert_eq!(case.place(&RULE), "applications/fetcher.yaml /spec/source");
    }

    #[test]
    fn fires_on_a_set_that_deletes_an_owned_claim() {
        let set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": {
            "volumeClaimTemplates": [{"metadata": {"name": "data"}}], "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"}}});
        let case = |owned| {
            Case::new()
                .plugin("db", json!([owns([owned])]))
                .renders("db", [set.clone()])
        };
        assert_eq!(
            case("data-db-0").messages(&RULE),
            ["StatefulSet `db` deletes its claim `data-db-0`: whenDeleted is Delete"]
        );
        assert!(case("other").messages(&RULE).is_empty());
    }

    #[test]
    fn stays_silent() {
        let case = Case::new()
            .plugin("fetcher", json!([owns(["audio"])]))
            .renders("fetcher", [guarded_claim("audio")])
            .plugin("unrendered", json!([owns(["films"])]))
            .app(
                "whole",
                json!({"destination": {"namespace": "media"}, "source": {"repoURL": "u"}, "syncPolicy": {"syncOptions": ["Prune=false", "Delete=false"]}}),
            )
            .renders("whole", [claim("books", json!({}))]);
        assert!(case.messages(&RULE).is_empty());
    }

    #[test]
    fn what_a_kustomization_sets_has_no_fix_in_the_manifest() {
        let found = |options: serde_json::Value| {
            let case = Case::new()
                .app(
                    "storage",
                    json!({"destination": {"namespace": "media"}, "source": {"repoURL": HOME, "path": "storage"}}),
                )
                .file("storage/kustomization.yaml", "resources: [audio.yaml]\n")
                .manifest("storage/audio.yaml", claim("audio", options))
                .renders("storage", [claim("audio", json!({SYNC_OPTIONS: "Delete=false"}))]);
            case.findings(&RULE).remove(0)
        };
        let overridden = found(json!({SYNC_OPTIONS: "Prune=false"}));
        assert!(overridden.fix.is_none());
        assert_eq!(
            overridden.hint.as_deref(),
            Some(
                "let the plugin render it with `kubectl homelab convert storage`, or set `argocd.argoproj.io/sync-options` in the source"
            )
        );
        assert!(found(json!({SYNC_OPTIONS: "Delete=false"})).fix.is_some());
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
                claim("audio", json!({SYNC_OPTIONS: "Validate=false,Prune=true"})),
            );
        let text = case.fixed(&RULE);
        assert!(text.contains("Validate=false,Prune=false,Delete=false"), "{text}");
    }
}
