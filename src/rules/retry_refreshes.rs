//! HL306: a sync that fails must not keep the commit waiting that repairs it.

use super::{Check, Finding, Fix, Meta, Rule, Scope, Severity, Subject, fixes};
use crate::model::{Pointer, PointerExt};
use serde_json::{Value, json};

static META: Meta = Meta {
    id: "HL306",
    name: "retry-refreshes",
    severity: Severity::Warning,
    summary: "an automated sync is retried, and a retry takes the newest commit",
    why: "Argo CD syncs a commit automatically once. When that fails (a webhook that is not up yet, a claim that the API \
server refuses) it tries again only if `retry.limit` is not 0, and it tries the same old commit, for minutes, while the \
commit that repairs it waits. With `retry: {limit: 5, refresh: true}` each retry reads Git again, and the repair comes \
with the next one: by default they are 10, 20, 40, 80 and 160 seconds apart, and `retry.backoff` changes that.\n\n\
https://argo-cd.readthedocs.io/en/stable/user-guide/auto_sync/",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(_: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    of_subject(subject).into_iter().collect()
}

fn of_subject(subject: &Subject<'_>) -> Option<Finding> {
    const RETRY: &Pointer = Pointer::from_static("/spec/syncPolicy/retry");
    subject.app.automated()?;
    let tree = subject.app.object().tree();
    let retry = subject.app.object().at(RETRY);
    let limit = retry.and_then(|retry| retry.get("limit")?.as_i64());
    let refreshes = retry.and_then(|retry| retry.get("refresh")?.as_bool()) == Some(true);
    let message = match (limit, refreshes) {
        (Some(0), _) => "a failed automated sync is not retried: `retry.limit` is 0",
        (_, false) => "a failed automated sync is retried without looking at Git again: `retry.refresh` is not set",
        _ => return None,
    };
    let pointer = if retry.is_some_and(Value::is_object) {
        RETRY
    } else {
        Pointer::from_static("/spec/syncPolicy/automated")
    };
    let operations = if retry.is_some_and(Value::is_object) {
        let mut operations = Vec::new();
        if limit.is_none_or(|limit| limit == 0) {
            operations.push(fixes::set(tree, RETRY.child("limit"), json!(5)));
        }
        if !refreshes {
            operations.push(fixes::set(tree, RETRY.child("refresh"), json!(true)));
        }
        operations
    } else {
        vec![fixes::set(tree, RETRY, json!({"limit": 5, "refresh": true}))]
    };
    Some(subject.finding(&META, message, pointer).fix(Fix::safe(
        "retry five times, each time with the newest commit",
        fixes::patch(subject.manifest, operations),
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::Case;

    fn case(policy: Value) -> Case {
        Case::new().app("player", json!({"source": {"repoURL": "u"}, "syncPolicy": policy}))
    }

    const FIRING: [&str; 4] = [
        r#"{"automated": {}}"#,
        r#"{"automated": {"prune": true}, "retry": null}"#,
        r#"{"automated": {}, "retry": {"limit": 0, "refresh": true}}"#,
        r#"{"automated": {}, "retry": {"limit": -1, "backoff": {"duration": "5s"}}}"#,
    ];

    #[test]
    fn fires() {
        for policy in FIRING {
            assert_eq!(
                case(serde_json::from_str(policy).unwrap()).messages(&RULE).len(),
                1,
                "{policy}"
            );
        }
    }

    #[test]
    fn stays_silent() {
        for policy in [
            json!({"automated": {}, "retry": {"limit": 5, "refresh": true}}),
            json!({"automated": {}, "retry": {"refresh": true}}),
            json!({"automated": {"enabled": false}}),
            json!({}),
        ] {
            assert!(case(policy).messages(&RULE).is_empty());
        }
    }

    #[test]
    fn fix_removes_it() {
        for policy in FIRING {
            let text = case(serde_json::from_str(policy).unwrap()).fixed(&RULE);
            assert!(text.contains("refresh"), "{text}");
        }
        let text = case(serde_json::from_str(FIRING[3]).unwrap()).fixed(&RULE);
        assert!(text.contains("limit: -1"), "a limit that somebody chose stays: {text}");
    }
}
