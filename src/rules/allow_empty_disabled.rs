//! HL303: an Application that may become empty can be pruned whole.

use super::{Check, Finding, Fix, Meta, Rule, Scope, Severity, Subject, fixes};

static META: Meta = Meta {
    id: "HL303",
    name: "allow-empty-disabled",
    severity: Severity::Warning,
    summary: "automated sync does not allow an empty render",
    why: "With automated pruning Argo CD refuses to sync when there is nothing left in Git, since that is nearly always an \
accident: a moved folder, a wrong value, a branch that lost its files. `allowEmpty: true` switches that off, and the \
accident deletes everything that the Application had. Switch it on for the one commit that needs it, if ever.\n\n\
https://argo-cd.readthedocs.io/en/stable/user-guide/auto_sync/#automatic-pruning-with-allow-empty-v18",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(_: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    const POINTER: &str = "/spec/syncPolicy/automated/allowEmpty";
    if subject.app.object().at(POINTER).and_then(|value| value.as_bool()) != Some(true) {
        return Vec::new();
    }
    let message = format!("`{}` may be pruned whole: allowEmpty is true", subject.name);
    vec![subject.finding(&META, message, POINTER).fix(Fix::safe(
        "drop allowEmpty",
        fixes::patch(subject.manifest, vec![fixes::remove(POINTER)]),
    ))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::Case;
    use serde_json::{Value, json};

    fn case(automated: Value) -> Case {
        Case::new().app(
            "player",
            json!({"source": {"repoURL": "u"}, "syncPolicy": {"automated": automated}}),
        )
    }

    #[test]
    fn fires() {
        assert_eq!(
            case(json!({"prune": true, "allowEmpty": true})).messages(&RULE),
            ["`player` may be pruned whole: allowEmpty is true"]
        );
    }

    #[test]
    fn stays_silent() {
        for automated in [json!({"prune": true}), json!({"allowEmpty": false}), Value::Null] {
            assert!(case(automated).messages(&RULE).is_empty());
        }
    }

    #[test]
    fn fix_removes_it() {
        let text = case(json!({"prune": true, "allowEmpty": true})).fixed(&RULE);
        assert!(text.contains("prune: true") && !text.contains("allowEmpty"), "{text}");
    }
}
