//! HL307: a child that is removed from Git must take its objects with it.

use super::{Check, Finding, Fix, Meta, Rule, Scope, Severity, Subject, fixes};
use crate::model::application::{FINALIZER, is_application};
use crate::model::finalizer::deleting;
use crate::model::{AppName, Pointer, PointerExt};
use serde_json::{Value, json};
use std::collections::BTreeSet;

static META: Meta = Meta {
    id: "HL307",
    name: "child-has-finalizer",
    severity: Severity::Warning,
    summary: "an Application that another one syncs has the resources finalizer",
    why: "When an Application's file is removed, the root Application prunes it. Without the finalizer \
`resources-finalizer.argocd.argoproj.io` only the Application goes: its workloads run on, nobody manages them any more, \
and a later Application of the same name takes them over silently. With the finalizer its objects are deleted, except \
what carries `Delete=false`: the owned claims. The root itself is better off without one, since it would take the whole \
cluster along.\n\n\
https://argo-cd.readthedocs.io/en/stable/user-guide/app_deletion/#about-the-deletion-finalizer",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Whole(check),
};

fn check(scope: &Scope<'_>) -> Vec<Finding> {
    let mut children: BTreeSet<AppName> = BTreeSet::new();
    let parents: BTreeSet<&AppName> = scope
        .items()
        .filter(|(_, item)| is_application(item.object()))
        .map(|(parent, item)| {
            children.extend(
                AppName::new(item.object().name())
                    .ok()
                    .filter(|child| child != &parent.name),
            );
            &parent.name
        })
        .collect();
    let is_child = |subject: &&Subject<'_>| children.contains(&subject.name) && !parents.contains(&subject.name);
    scope.subjects.iter().filter(is_child).filter_map(of_child).collect()
}

fn of_child(subject: &Subject<'_>) -> Option<Finding> {
    const POINTER: &Pointer = Pointer::from_static("/metadata/finalizers");
    if !deleting(&subject.app).is_empty() {
        return None;
    }
    let tree = subject.app.object().tree();
    let operation = match subject.app.object().at(POINTER).and_then(Value::as_array) {
        Some(there) => fixes::add(POINTER.child(there.len()), json!(FINALIZER)),
        None => fixes::set(tree, POINTER, json!([FINALIZER])),
    };
    let message = format!(
        "`{}` has no finalizer: removed from Git, its objects stay and nobody manages them",
        subject.name
    );
    Some(subject.finding(&META, message, "/metadata").fix(Fix::needs_review(
        format!("add the finalizer {FINALIZER}"),
        fixes::patch(subject.manifest, vec![operation]),
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, HOME};

    fn case(finalizers: Value) -> Case {
        Case::new()
            .app("root", json!({"source": {"repoURL": HOME, "path": "applications"}}))
            .manifest(
                "applications/player.yaml",
                json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
                    "metadata": {"name": "player", "finalizers": finalizers}, "spec": {"source": {"repoURL": "u"}}}),
            )
    }

    #[test]
    fn fires() {
        assert_eq!(
            case(Value::Null).messages(&RULE),
            ["`player` has no finalizer: removed from Git, its objects stay and nobody manages them"]
        );
    }

    #[test]
    fn stays_silent() {
        assert!(case(json!([FINALIZER])).messages(&RULE).is_empty());
        assert!(
            case(json!([format!("{FINALIZER}/background")]))
                .messages(&RULE)
                .is_empty()
        );
        let orphan = Case::new().app("player", json!({"source": {"repoURL": "u"}}));
        assert!(orphan.messages(&RULE).is_empty(), "nobody prunes it");
    }

    #[test]
    fn fix_removes_it() {
        for finalizers in [
            Value::Null,
            json!([]),
            json!(["example.org/other"]),
            json!([format!("{FINALIZER}.example.org")]),
        ] {
            assert!(case(finalizers).fixed(&RULE).contains(FINALIZER));
        }
    }
}
