//! HL104: a claim of two owners is nobody's.

use std::collections::{BTreeMap, BTreeSet};

use super::{Check, Finding, Item, Meta, Rule, Scope, Severity, Subject};
use crate::model::claim::is_claim;
use crate::model::{AppName, ClaimRef, PointerBuf};
use crate::repo::RepoPath;

static META: Meta = Meta {
    id: "HL104",
    name: "claim-has-one-owner",
    severity: Severity::Error,
    summary: "a claim is rendered or owned by one Application",
    why: "Argo CD finds the objects of an Application by a tracking annotation, and the Application that synced last has \
its name in it. Two Applications that render one claim take it from each other at every sync; when one of them goes, the \
claim can go with it although the other needs it. Two Applications that both have it in `owns` both write it, and the \
registry on the Namespace can name only one of them.\n\n\
Leave the claim to the Application that produces the data. The others mount it (parameter `mounts`), and switch it off in \
their chart; one that has to write it declares that with `writes`. When a claim moves from one Application to another, guard it \
first, then take it out of the one and put it into the other in one commit.\n\n\
https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/#fail-the-sync-if-a-shared-resource-is-found",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Whole(check),
};

fn check(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut places: BTreeMap<&AppName, Declared<'_>> = BTreeMap::new();
    for (reference, claim) in scope.ownership.claims().filter(|(_, claim)| claim.owners.len() > 1) {
        // An Application that renders a claim which another one declares is HL106's.
        let mut owners = claim.owners.clone();
        if !claim.declared_by.is_empty() {
            owners.retain(|app| {
                claim.declared_by.contains(app)
                    || claim.made_for.contains(app)
                    || !scope.subject(app).is_some_and(Subject::uses_homelab_plugin)
            });
        }
        let Some(last) = owners.last().filter(|_| owners.len() > 1) else {
            continue;
        };
        let Some(subject) = scope.subject(last) else { continue };
        let declared = |app: &AppName| scope.subject(app).and_then(|subject| base(subject, reference));
        let bases: BTreeSet<_> = owners.iter().map(declared).collect();
        if bases.len() == 1 && bases.iter().all(Option::is_some) {
            continue;
        }
        let names: Vec<String> = owners.iter().map(|app| format!("`{app}`")).collect();
        let message = format!("claim `{reference}` has {} owners: {}", names.len(), names.join(", "));
        let places = places.entry(&subject.name).or_insert_with(|| Declared::of(subject));
        let finding = match (places.owns.get(reference), places.items.get(reference)) {
            (Some(pointer), _) => subject.finding(&META, message, pointer),
            (None, Some(item)) => subject.finding_on(&META, message, item, ""),
            (None, None) => subject.finding(&META, message, subject.source_pointer()),
        };
        findings.push(finding.hint("leave it to the one that produces the data, and let the others mount it"));
    }
    findings
}

/// Returns the document from which Kustomize makes a claim of an Application, if it does. What several builds take in is a base,
/// to which each gives a name of its own.
fn base<'s>(subject: &'s Subject<'_>, claim: &ClaimRef) -> Option<(&'s RepoPath, usize)> {
    let is_it = |item: &&Item<'_>| {
        let object = item.object();
        is_claim(object) && subject.claim_beside(object, object.name()).as_ref() == Some(claim)
    };
    let item = subject.items.iter().find(is_it)?;
    let (manifest, _) = item.home.as_ref().filter(|_| !item.is_final)?;
    Some((&manifest.file, manifest.document))
}

/// Where an Application declares its claims.
struct Declared<'s> {
    owns: BTreeMap<ClaimRef, PointerBuf>,
    items: BTreeMap<ClaimRef, &'s Item<'s>>,
}

impl<'s> Declared<'s> {
    fn of(subject: &'s Subject<'_>) -> Self {
        let mut declared = Self {
            owns: BTreeMap::new(),
            items: BTreeMap::new(),
        };
        for (source, parameters) in subject.read_sources() {
            let entries = source.entries("owns", str::to_owned);
            for path in &parameters.owns {
                let Some(claim) = subject.claim(path) else { continue };
                let place = declared.owns.entry(claim);
                let (entry, is_made) = (path.to_string(), parameters.claims.contains_key(path));
                let made = || source.map_entry("claims", &entry).filter(|_| is_made);
                place.or_insert_with(|| made().unwrap_or_else(|| entries.at(&entry)));
            }
        }
        for item in subject.items.iter().filter(|item| is_claim(item.object())) {
            let object = item.object();
            if let Some(claim) = subject.claim_beside(object, object.name()) {
                declared.items.entry(claim).or_insert(item);
            }
        }
        declared
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, HOME, claim, owns};
    use serde_json::json;

    #[test]
    fn fires() {
        let declared = Case::new()
            .plugin("a", json!([owns(["audio"])]))
            .plugin("b", json!([owns(["config", "audio"])]));
        assert_eq!(declared.messages(&RULE), ["claim `media/audio` has 2 owners: `a`, `b`"]);
        assert_eq!(
            declared.place(&RULE),
            "applications/b.yaml /spec/source/plugin/parameters/0/array/1"
        );
        let rendered = Case::new()
            .plugin("a", json!([owns(["audio"])]))
            .helm("b")
            .renders("b", [claim("audio", json!({}))]);
        assert_eq!(rendered.messages(&RULE).len(), 1);
    }

    #[test]
    fn a_claim_that_a_stateful_set_makes_has_its_owner() {
        let set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "films"}, "spec": {
            "volumeClaimTemplates": [{"metadata": {"name": "media"}}]}});
        // Whatever the replicas are now.
        for name in ["media-films-0", "media-films-7"] {
            let base = || Case::new().plugin("films", json!([])).renders("films", [set.clone()]);
            let owned = base().plugin("owner", json!([owns([name])]));
            assert_eq!(
                owned.messages(&RULE),
                [format!("claim `media/{name}` has 2 owners: `films`, `owner`")]
            );
            let rendered = base()
                .plugin("owner", json!([]))
                .renders("owner", [claim(name, json!({}))]);
            assert_eq!(rendered.messages(&RULE).len(), 1);
        }
        let own = Case::new()
            .plugin("films", json!([owns(["media-films-0"])]))
            .renders("films", [set])
            .plugin("other", json!([owns(["media-films"])]));
        assert!(own.messages(&RULE).is_empty());
    }

    #[test]
    fn two_clusters_may_have_a_claim_of_one_name() {
        let on = |destination: serde_json::Value| json!({"destination": destination, "source": {"repoURL": "u", "plugin": {"name": "homelab-v1", "parameters": [owns(["films"])]}}});
        let local = || {
            Case::new().app(
                "a",
                on(json!({"server": "https://kubernetes.default.svc", "namespace": "media"})),
            )
        };
        for (other, owners) in [
            (json!({"server": "https://nas.lan:6443", "namespace": "media"}), 1),
            (json!({"name": "nas", "namespace": "media"}), 1),
            (json!({"name": "in-cluster", "namespace": "media"}), 2),
        ] {
            assert_eq!(local().app("b", on(other)).messages(&RULE).len(), owners - 1);
        }
    }

    #[test]
    fn what_several_builds_take_in_is_a_base() {
        let app = |case: Case, name: &str, text: &str| {
            let spec = json!({"destination": {"namespace": "media"}, "source": {"repoURL": HOME, "path": name}});
            case.app(name, spec).file(&format!("{name}/kustomization.yaml"), text)
        };
        let text = "namePrefix: own-\nresources: [../base/claim.yaml]\n";
        let both = |case: Case, text: &str| app(app(case, "a", text), "b", text);
        let case = both(Case::new(), text).manifest("base/claim.yaml", claim("data", json!({})));
        assert!(case.messages(&RULE).is_empty(), "{:?}", case.messages(&RULE));
        let two = both(Case::new(), "resources: [claim.yaml]\n")
            .manifest("a/claim.yaml", claim("data", json!({})))
            .manifest("b/claim.yaml", claim("data", json!({})));
        assert_eq!(two.messages(&RULE), ["claim `media/data` has 2 owners: `a`, `b`"]);
    }

    #[test]
    fn stays_silent() {
        let other_namespace = claim("audio", json!({}));
        let case = Case::new()
            .plugin("a", json!([owns(["audio"])]))
            .renders("a", [claim("audio", json!({}))])
            .app(
                "b",
                json!({"destination": {"namespace": "other"}, "source": {"repoURL": "u"}}),
            )
            .renders("b", [other_namespace])
            .plugin("consumer", json!([]))
            .renders("consumer", [claim("audio", json!({}))]);
        assert!(
            case.messages(&RULE).is_empty(),
            "the consumer that renders it is HL106's"
        );
    }

    #[test]
    fn says_the_way_out() {
        let case = Case::new()
            .plugin("a", json!([owns(["audio"])]))
            .plugin("b", json!([owns(["audio"])]));
        assert!(
            case.findings(&RULE)[0]
                .hint
                .as_deref()
                .unwrap()
                .contains("let the others mount it")
        );
    }
}
