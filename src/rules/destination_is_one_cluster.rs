//! HL313: an Application is deployed to one cluster, which it names once.

use super::declared::is_placeholder;
use super::{Check, Declared, Finding, Meta, Rule, Severity};
use crate::model::Application;

static META: Meta = Meta {
    id: "HL313",
    name: "destination-is-one-cluster",
    severity: Severity::Error,
    summary: "the destination of an Application has either server or name",
    why: "Argo CD finds the cluster of an Application by `destination.server`, its address, or by `destination.name`, the name \
under which it was added. With both, or with neither, it does not choose: the Application gets the condition \
InvalidSpecError and is never compared or synced. The cluster that Argo CD runs in has the address \
`https://kubernetes.default.svc` and the name `in-cluster`.\n\n\
https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/#applications",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Object(check),
};

fn check(declared: &Declared<'_>) -> Vec<Finding> {
    let found = match declared.template() {
        Some(template) => of(&template),
        None => of(declared),
    };
    found.filter(|_| !declared.is_patch()).into_iter().collect()
}

fn of(declared: &Declared<'_>) -> Option<Finding> {
    let app = Application::new(declared.object())?;
    // A destination that is missing is a missing field.
    app.object().at("/spec/destination").filter(|tree| tree.is_object())?;
    // A value of another type is a wrong type.
    let is_text = |pointer: &'static str| {
        app.object()
            .at(pointer)
            .is_none_or(|value| value.is_null() || value.is_string())
    };
    if !is_text("/spec/destination/server") || !is_text("/spec/destination/name") {
        return None;
    }
    match (app.destination_server(), app.destination_name()) {
        // One of them may come out empty.
        (Some(server), Some(name)) if is_placeholder(server) || is_placeholder(name) => None,
        (Some(_), Some(_)) => {
            let message = "the destination has both `server` and `name`, and Argo CD takes only one (InvalidSpecError)";
            let finding = declared.finding(&META, message, "/spec/destination/name");
            Some(finding.hint("remove one of them"))
        }
        (None, None) => {
            let message =
                "the destination has neither `server` nor `name`, so that it is no cluster (InvalidSpecError)";
            let finding = declared.finding(&META, message, "/spec/destination");
            Some(finding.hint("add `server: https://kubernetes.default.svc` for the cluster that Argo CD runs in"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::Case;
    use serde_json::{Value, json};

    fn case(destination: Value) -> Case {
        Case::new().app(
            "player",
            json!({"destination": destination, "source": {"repoURL": "u"}}),
        )
    }

    #[test]
    fn fires() {
        let both = case(json!({"server": "https://kubernetes.default.svc", "name": "in-cluster"}));
        assert_eq!(
            both.messages(&RULE),
            ["the destination has both `server` and `name`, and Argo CD takes only one (InvalidSpecError)"]
        );
        assert_eq!(both.place(&RULE), "applications/player.yaml /spec/destination/name");
        for none in [
            json!({"namespace": "media"}),
            json!({"server": "", "name": null}),
            json!({}),
        ] {
            assert_eq!(
                case(none).messages(&RULE),
                ["the destination has neither `server` nor `name`, so that it is no cluster (InvalidSpecError)"]
            );
        }
    }

    fn set(destination: Value, more: Value) -> Case {
        let template = json!({"metadata": {"name": "{{.path.basename}}"}, "spec": {"destination": destination}});
        let mut spec = json!({"generators": [{"git": {"values": {"template": "x"}}}], "template": template});
        for (key, value) in more.as_object().unwrap() {
            spec[key] = value.clone();
        }
        let tree = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "metadata": {"name": "s"}, "spec": spec});
        Case::new().manifest("applications/set.yaml", tree)
    }

    #[test]
    fn the_template_of_a_set_is_one_too() {
        let neither = set(json!({"namespace": "media"}), json!({}));
        assert_eq!(neither.messages(&RULE).len(), 1);
        assert_eq!(
            neither.place(&RULE),
            "applications/set.yaml /spec/template/spec/destination"
        );
        let both = json!({"server": "https://kubernetes.default.svc", "name": "in-cluster"});
        assert_eq!(set(both, json!({})).messages(&RULE).len(), 1);
        for right in [
            set(json!({"server": "{{.server}}"}), json!({})),
            set(json!({"server": "{{.server}}", "name": "{{.name}}"}), json!({})),
            set(
                json!({}),
                json!({"templatePatch": "spec: {destination: {name: in-cluster}}"}),
            ),
            set(
                json!({}),
                json!({"generators": [{"merge": {"generators": [{"list": {"template": {"spec": {}}}}]}}]}),
            ),
        ] {
            assert_eq!(right.messages(&RULE), Vec::<String>::new());
        }
    }

    #[test]
    fn stays_silent() {
        for right in [
            json!({"server": "https://kubernetes.default.svc", "name": ""}),
            json!({"name": "in-cluster", "namespace": "media"}),
            json!({"name": 1}),
            Value::Null,
        ] {
            assert!(case(right.clone()).messages(&RULE).is_empty(), "{right}");
        }
    }

    #[test]
    fn says_the_way_out() {
        let hint = case(json!({})).findings(&RULE).remove(0).hint.unwrap();
        assert!(hint.contains("https://kubernetes.default.svc"), "{hint}");
    }
}
