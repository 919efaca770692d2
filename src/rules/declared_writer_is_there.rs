//! HL137: an entry of `writers` names a claim of the registry, and somebody who is there.

use super::{Check, Finding, Meta, Rule, Scope, Severity, Subject};
use crate::model::writer::{ClaimWriter, Writer};
use crate::model::{AppName, ClaimRef};

static META: Meta = Meta {
    id: "HL137",
    name: "declared-writer-is-there",
    severity: Severity::Warning,
    summary: "an entry of writers names a claim with an owner, and an Application that is there",
    why: "The parameter `writers` of the source of the Namespaces lets others than the owner write a claim: an Application, or a service \
account. The entry stands in the registry of the claim's Namespace, beside the owner. With a claim that nobody owns, or in a Namespace \
that is not in the repository, it says nothing today: the lock on writes holds registered claims only, and whoever owns a claim of that name \
later would have a writer that nobody remembers. An Application that is not there is most often a misspelled one, and the one that was \
meant is refused at its next sync.\n\n\
Correct the entry, or take it out. Names of service accounts are not checked: what makes them is often not in Git.",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(scope: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (source, parameters) in subject.read_sources() {
        let places = source.entries("writers", str::to_owned);
        for written in &parameters.writers {
            if let Some((message, hint)) = fault(scope, subject, written) {
                let finding = subject.finding(&META, message, places.at(&written.to_string()));
                findings.push(finding.hint(hint));
            }
        }
    }
    findings
}

/// Returns what is wrong with an entry, and the next step.
fn fault(scope: &Scope<'_>, subject: &Subject<'_>, written: &ClaimWriter) -> Option<(String, String)> {
    let claim = ClaimRef {
        cluster: subject.cluster.clone(),
        namespace: written.namespace.clone(),
        name: written.name.clone(),
    };
    let (namespace, writer) = (&written.namespace, &written.writer);
    let who = match writer {
        Writer::App(app) => format!("Application `{app}`"),
        Writer::ServiceAccount(account) => format!("service account `{account}`"),
    };
    if scope.lacks(&subject.cluster, namespace.as_str()) {
        return Some((
            format!("{who} may write claim `{claim}`, and namespace `{namespace}` has no manifest"),
            format!("correct the entry, or add the Namespace with `kubectl homelab add-namespace {namespace}`"),
        ));
    }
    if let Some(missing) = scope.missing(&claim) {
        // Who does not know all owners cannot say that there is none.
        if !missing.doubts.is_empty() {
            return None;
        }
        let hint = match missing.namesakes.first() {
            Some(other) => {
                format!("correct the entry: there is `{other}`; or add the claim to `owns` of its Application")
            }
            None => {
                "correct the entry, take it out of `writers`, or add the claim to `owns` of its Application".to_owned()
            }
        };
        return Some((format!("{who} may write claim `{claim}`, which nobody owns"), hint));
    }
    match writer {
        Writer::App(app) if !is_there(scope, app) => Some((
            format!("{who} may write claim `{claim}`, and is not there"),
            "correct the name, or take the entry out of `writers`".to_owned(),
        )),
        _ => None,
    }
}

/// Reports whether there is an Application of the name that the label of its pods has: without its root.
fn is_there(scope: &Scope<'_>, name: &AppName) -> bool {
    scope.subjects.iter().any(|subject| subject.app.name() == name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, owns};
    use serde_json::json;

    fn case(entries: &[&str]) -> Case {
        let media = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "media"}});
        Case::new()
            .plugin("fetcher", json!([owns(["films"])]))
            .renders("fetcher", [])
            .helm("sorter")
            .renders("sorter", [])
            .manifest("namespaces/media.yaml", media)
            .plugin("other", json!([{"name": "writers", "array": entries}]))
            .renders("other", [])
            .namespaces()
    }

    #[test]
    fn fires() {
        let case = case(&[
            "media/films=sorter",
            "media/films=sroter",
            "media/flims=sorter",
            "medai/films=serviceaccount:mover",
        ]);
        let mut messages = case.messages(&RULE);
        messages.sort();
        assert_eq!(
            messages,
            [
                "Application `sorter` may write claim `media/flims`, which nobody owns",
                "Application `sroter` may write claim `media/films`, and is not there",
                "service account `mover` may write claim `medai/films`, and namespace `medai` has no manifest",
            ]
        );
        let misspelled = self::case(&["media/films=sorter", "media/films=sroter"]);
        assert_eq!(
            misspelled.place(&RULE),
            "applications/other.yaml /spec/source/plugin/parameters/0/array/1"
        );
    }

    #[test]
    fn stays_silent() {
        let good = ["media/films=sorter", "media/films=serviceaccount:mover"];
        assert!(case(&good).messages(&RULE).is_empty());
        let kept = Case::new().plugin(
            "namespaces",
            json!([{"name": "writers", "array": ["media/films=serviceaccount:mover"]}, {"name": "keeps", "array": ["media/films=old"]}]),
        );
        assert!(kept.messages(&RULE).is_empty(), "a kept claim is in the registry");
    }

    #[test]
    fn says_the_way_out() {
        let hint = |entry: &str| case(&[entry]).findings(&RULE)[0].hint.clone().unwrap();
        assert!(hint("medai/films=sorter").contains("kubectl homelab add-namespace medai"));
        assert!(hint("media/books=sorter").contains("add the claim to `owns`"));
        assert!(hint("media/films=none").contains("take the entry out of `writers`"));
        let elsewhere = Case::new()
            .plugin("fetcher", json!([owns(["films"])]))
            .renders("fetcher", [])
            .plugin(
                "namespaces",
                json!([{"name": "writers", "array": ["tv/films=fetcher"]}]),
            )
            .renders("namespaces", []);
        let hint = elsewhere.findings(&RULE)[0].hint.clone().unwrap();
        assert!(hint.contains("there is `media/films`"), "{hint}");
    }
}
