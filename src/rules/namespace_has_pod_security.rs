//! HL203: without a label every pod may do everything.

use super::{Check, Finding, Meta, Rule, Scope, Severity, Subject};
use crate::model::namespace::is_namespace;

/// Label: the Pod Security Standard that is enforced.
const ENFORCE: &str = "pod-security.kubernetes.io/enforce";

static META: Meta = Meta {
    id: "HL203",
    name: "namespace-has-pod-security",
    severity: Severity::Warning,
    summary: "a Namespace enforces a Pod Security Standard",
    why: "A Namespace without the label `pod-security.kubernetes.io/enforce` takes privileged pods and hostPath volumes: a \
chart from the internet can read and write the whole disk of the node, all claims of local-path included, and no \
`readOnly` helps. `baseline` refuses both and suits most home charts; `restricted` suits those that run without root; \
`privileged` says that somebody has thought about it. Choose the one that fits: \
`kubectl homelab add-namespace NAME --pod-security baseline` writes it for new ones.\n\n\
https://kubernetes.io/docs/concepts/security/pod-security-admission/",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(_: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let namespaces = subject.items.iter().filter(|item| is_namespace(item.object()));
    namespaces
        .filter(|item| item.object().label(ENFORCE).is_none())
        .map(|item| {
            let message = format!("Namespace `{}` has no label `{ENFORCE}`", item.object().name());
            let finding = subject.finding_on(&META, message, item, "/metadata");
            finding.hint("add the label with `baseline`, `restricted` or `privileged`")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::Case;
    use serde_json::{Value, json};

    fn case(labels: Value) -> Case {
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "media", "labels": labels}});
        Case::new().namespaces().manifest("namespaces/media.yaml", namespace)
    }

    #[test]
    fn fires() {
        assert_eq!(
            case(Value::Null).messages(&RULE),
            ["Namespace `media` has no label `pod-security.kubernetes.io/enforce`"]
        );
    }

    #[test]
    fn stays_silent() {
        assert!(case(json!({ENFORCE: "baseline"})).messages(&RULE).is_empty());
    }

    #[test]
    fn says_the_way_out() {
        assert!(
            case(Value::Null).findings(&RULE)[0]
                .hint
                .as_deref()
                .unwrap()
                .contains("baseline")
        );
    }
}
