//! HL301: Argo CD compares sync options letter by letter and ignores what it does not know.

use super::{Check, Finding, Fix, Meta, Rule, Scope, Severity, Subject, fixes};
use crate::model::object::annotation_pointer;
use crate::model::sync::{COMPARE_OPTIONS, KNOWN_OPTIONS, SYNC_OPTIONS, entries};
use crate::model::{PointerExt, application};
use json_patch::PatchOperation;
use serde_json::json;

static META: Meta = Meta {
    id: "HL301",
    name: "sync-option-is-known",
    severity: Severity::Error,
    summary: "every sync option is one that Argo CD knows, in its spelling",
    why: "Sync options are texts that Argo CD compares whole, `Key=value`, case included. What is spelled otherwise \
(`createNamespace=true`, `Prune=False`, `ServerSideApply = true`) is ignored without a word: the namespace is not made, \
the claim is pruned in spite of its guard. That goes for the Application's `syncPolicy.syncOptions` and for the annotation \
`argocd.argoproj.io/sync-options` of an object. The fix puts right what differs in case and blanks only.\n\n\
https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(_: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = of_application(subject);
    for item in &subject.items {
        let object = item.object();
        let wrong: Vec<&str> = entries(object, SYNC_OPTIONS).filter(|entry| !is_known(entry)).collect();
        if wrong.is_empty() {
            continue;
        }
        let names: Vec<String> = wrong.iter().map(|entry| format!("`{entry}`")).collect();
        let message = format!(
            "{} `{}` has sync options that Argo CD does not know: {}",
            object.kind(),
            object.name(),
            names.join(", ")
        );
        let pointer = annotation_pointer(SYNC_OPTIONS);
        let corrected: Option<Vec<String>> = entries(object, SYNC_OPTIONS).map(corrected).collect();
        let operations = corrected.map(|entries| vec![fixes::annotate(object, SYNC_OPTIONS, &entries.join(","))]);
        let changes = operations.and_then(|operations| item.patch(operations));
        let finding = subject.finding_on(&META, message, item, &pointer);
        let fix = changes.map(|changes| Fix::safe("spell them as Argo CD does", changes));
        findings.push(finding.fix_or_hint(fix, hint(wrong[0])));
    }
    findings
}

fn of_application(subject: &Subject<'_>) -> Vec<Finding> {
    let options = subject.app.sync_options().into_iter().enumerate();
    let wrong = options.filter(|(_, option)| !is_known(option));
    wrong
        .map(|(index, option)| {
            let pointer = application::SYNC_OPTIONS.child(index);
            let message = format!("Argo CD does not know the sync option `{option}`");
            let finding = subject.finding(&META, message, &pointer);
            let Some(right) = corrected(option) else {
                return finding.hint(hint(option));
            };
            let operation: Vec<PatchOperation> = vec![fixes::replace(&pointer, json!(right))];
            finding.fix(Fix::safe(
                format!("write `{right}`"),
                fixes::patch(subject.manifest, operation),
            ))
        })
        .collect()
}

fn is_known(option: &str) -> bool {
    corrected(option).is_some_and(|right| right == option)
}

/// Returns the option in Argo CD's spelling, when only case and blanks are wrong.
fn corrected(option: &str) -> Option<String> {
    let (key, value) = option.split_once('=')?;
    let known = KNOWN_OPTIONS
        .iter()
        .find(|known| known.key.eq_ignore_ascii_case(key.trim()))?;
    let value = known
        .values
        .iter()
        .find(|known| known.eq_ignore_ascii_case(value.trim()))?;
    Some(format!("{}={value}", known.key))
}

/// What people write among the sync options, and Argo CD reads among the compare options.
const SERVER_SIDE_DIFF: &str = "ServerSideDiff";

fn hint(option: &str) -> String {
    let key = option.split('=').next().unwrap_or_default().trim();
    match KNOWN_OPTIONS.iter().find(|known| known.key.eq_ignore_ascii_case(key)) {
        Some(known) => format!("write `{}=` with one of {}", known.key, known.values.join(", ")),
        None if key.eq_ignore_ascii_case(SERVER_SIDE_DIFF) => {
            format!("it is a compare option: put it into the annotation `{COMPARE_OPTIONS}` instead")
        }
        None => {
            let keys: Vec<&str> = KNOWN_OPTIONS.iter().map(|known| known.key).collect();
            format!("use one of {}", keys.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, claim};
    use serde_json::Value;

    fn case(options: Value) -> Case {
        Case::new().app(
            "player",
            json!({"destination": {"namespace": "media"}, "source": {"repoURL": "u"}, "syncPolicy": {"syncOptions": options}}),
        )
    }

    #[test]
    fn fires() {
        let wrong = case(json!(["createNamespace=true", "Prune", "Whatever=1", "Validate=no"]));
        assert_eq!(
            wrong.messages(&RULE),
            [
                "Argo CD does not know the sync option `createNamespace=true`",
                "Argo CD does not know the sync option `Prune`",
                "Argo CD does not know the sync option `Whatever=1`",
                "Argo CD does not know the sync option `Validate=no`",
            ]
        );
        let hints: Vec<_> = wrong.findings(&RULE).into_iter().filter_map(|f| f.hint).collect();
        assert_eq!(hints[0], "write `Prune=` with one of false, confirm, true");
        assert!(hints[1].starts_with("use one of ApplyOutOfSyncOnly,"));
        let compare = case(json!(["ServerSideDiff=true"]));
        assert_eq!(
            compare.findings(&RULE)[0].hint.as_deref(),
            Some("it is a compare option: put it into the annotation `argocd.argoproj.io/compare-options` instead")
        );
        let object = Case::new().helm("fetcher").renders(
            "fetcher",
            [claim("audio", json!({SYNC_OPTIONS: "Prune=False, Delete=false"}))],
        );
        assert_eq!(
            object.messages(&RULE),
            ["PersistentVolumeClaim `audio` has sync options that Argo CD does not know: `Prune=False`"]
        );
    }

    #[test]
    fn stays_silent() {
        for known in KNOWN_OPTIONS {
            let all: Vec<String> = known
                .values
                .iter()
                .map(|value| format!("{}={value}", known.key))
                .collect();
            assert!(case(json!(all)).messages(&RULE).is_empty(), "{}", known.key);
        }
        let blanks = Case::new().helm("fetcher").renders(
            "fetcher",
            [claim("audio", json!({SYNC_OPTIONS: " Prune=false , Delete=false "}))],
        );
        assert!(
            blanks.messages(&RULE).is_empty(),
            "Argo CD trims the entries of the annotation"
        );
    }

    #[test]
    fn fix_removes_it() {
        assert!(
            case(json!(["createNamespace=True"]))
                .fixed(&RULE)
                .contains("CreateNamespace=true")
        );
        let own = Case::new()
            .app("storage", json!({"destination": {"namespace": "media"}, "source": {"repoURL": crate::rules::case::HOME, "path": "storage"}}))
            .manifest("storage/audio.yaml", claim("audio", json!({SYNC_OPTIONS: "prune=false,Delete=false"})));
        assert!(own.fixed(&RULE).contains("Prune=false,Delete=false"));
    }
}
