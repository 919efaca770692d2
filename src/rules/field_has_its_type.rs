//! HL311: the API server refuses a manifest with a wrong type or without a required field.

use super::declared::dotted;
use super::{Check, Declared, Finding, Fix, Meta, Rule, Severity, fixes};
use crate::model::argocd_schema::{self, Fault, What};
use serde_json::Value;

static META: Meta = Meta {
    id: "HL311",
    name: "field-has-its-type",
    severity: Severity::Error,
    summary: "the fields of Argo CD's kinds have the right types, and the required ones are there",
    why: "The API server checks Applications, ApplicationSets and AppProjects against Argo CD's custom resource definitions and \
refuses the whole manifest when a value has another type (`prune: \"yes\"`, `value: 8080` for a Helm parameter) or a required \
field is missing (`project`, `destination`, `repoURL`). When Argo CD applies it, the sync fails and the Application stays as \
it was, or never comes to be. A null counts as absent. In the template of an ApplicationSet the same types hold before the \
template is filled in: `prune: '{{prune}}'` is a string and is refused; use `templatePatch` for such values.\n\n\
https://argo-cd.readthedocs.io/en/stable/operator-manual/application.yaml",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Object(check),
};

fn check(declared: &Declared<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for fault in declared.faults() {
        match &fault.what {
            What::WrongType { expected, meant } => findings.push(of_type(declared, fault, expected, meant.as_ref())),
            What::Missing { field } if !declared.is_patch() => findings.push(of_missing(declared, fault, field)),
            What::Missing { .. } | What::Unknown { .. } => {}
        }
    }
    findings
}

fn of_type(declared: &Declared<'_>, fault: &Fault, expected: &str, meant: Option<&Value>) -> Finding {
    let value = declared.object().at(&fault.pointer).unwrap_or(&Value::Null);
    let found = described(value);
    let message = match (expected.starts_with("a ") || expected.starts_with("an ")) && !expected.contains(found) {
        true => format!(
            "`{}` is {found} and has to be {expected}: {}",
            dotted(&fault.pointer),
            refused()
        ),
        false => format!("`{}` has to be {expected}: {}", dotted(&fault.pointer), refused()),
    };
    let finding = declared.finding(&META, message, &fault.pointer);
    if let Some(meant) = meant {
        let changes = declared.patch(vec![fixes::replace(&fault.pointer, meant.clone())]);
        let fix = changes.map(|changes| Fix::safe(format!("write {meant} without quotes"), changes));
        return finding.fix_or_hint(fix, format!("write {meant} without quotes"));
    }
    let is_template = value.as_str().is_some_and(|text| text.contains("{{"));
    finding.hint(match expected {
        "a string" if !value.is_object() && !value.is_array() && !value.is_null() => "put it in quotes".to_owned(),
        _ if is_template => "set it with `templatePatch`, which is filled in before it is read".to_owned(),
        "a boolean" if value.is_string() => "write true or false, without quotes".to_owned(),
        "a list" => "write a list, with a `-` before each entry".to_owned(),
        _ => format!("write {expected}, or remove the field"),
    })
}

fn of_missing(declared: &Declared<'_>, fault: &Fault, field: &str) -> Finding {
    let above = dotted(&fault.pointer);
    let (kind, name) = (declared.object().kind(), declared.object().name());
    let has = if above.is_empty() {
        format!("{kind} `{name}` has")
    } else {
        format!("`{above}` has")
    };
    let message = format!("{has} no `{field}`, which is required: {}", refused());
    let finding = declared.finding(&META, message, &fault.pointer);
    finding.hint(match field {
        "project" => "add `project: default`, or the project's name".to_owned(),
        "destination" => "add `destination` with `server` or `name`, and `namespace`".to_owned(),
        _ => format!("add `{field}`"),
    })
}

fn refused() -> String {
    format!(
        "the API server refuses the manifest (Argo CD {})",
        argocd_schema::version()
    )
}

fn described(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, HOME};
    use serde_json::json;

    fn spec() -> Value {
        json!({"project": "default", "destination": {"server": "https://kubernetes.default.svc", "namespace": "media"},
            "source": {"repoURL": "u", "path": "p", "targetRevision": "main"},
            "syncPolicy": {"automated": {"prune": true}}})
    }

    fn with(pointer: &str, key: &str, value: Value) -> Case {
        let mut spec = spec();
        spec.pointer_mut(pointer).unwrap()[key] = value;
        Case::new().app("player", spec)
    }

    #[test]
    fn fires() {
        let version = argocd_schema::version();
        let refused = format!("the API server refuses the manifest (Argo CD {version})");
        for (case, message, place, hint) in [
            (
                with("/syncPolicy/automated", "prune", json!("yes")),
                "`spec.syncPolicy.automated.prune` is a string and has to be a boolean",
                "/spec/syncPolicy/automated/prune",
                "write true or false, without quotes",
            ),
            (
                with(
                    "/source",
                    "helm",
                    json!({"parameters": [{"name": "port", "value": 8080}]}),
                ),
                "`spec.source.helm.parameters[0].value` is a number and has to be a string",
                "/spec/source/helm/parameters/0/value",
                "put it in quotes",
            ),
            (
                with("", "project", Value::Null),
                "`spec` has no `project`, which is required",
                "/spec",
                "add `project: default`, or the project's name",
            ),
            (
                with("", "ignoreDifferences", json!([{"group": "apps"}])),
                "`spec.ignoreDifferences[0]` has no `kind`, which is required",
                "/spec/ignoreDifferences/0",
                "add `kind`",
            ),
        ] {
            assert_eq!(case.messages(&RULE), [format!("{message}: {refused}")]);
            assert_eq!(case.place(&RULE), format!("applications/player.yaml {place}"));
            assert_eq!(case.findings(&RULE)[0].hint.as_deref(), Some(hint));
        }
    }

    #[test]
    fn stays_silent() {
        let right = with(
            "/source",
            "kustomize",
            json!({"replicas": [{"name": "a", "count": "2"}, {"name": "b", "count": 2}]}),
        );
        assert_eq!(right.messages(&RULE), Vec::<String>::new());
        assert!(
            with("/syncPolicy", "automated", Value::Null).messages(&RULE).is_empty(),
            "a null is absent"
        );
        let patch = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "p"}, "spec": {"source": {"targetRevision": "v2"}}});
        let mut overlay = spec();
        overlay["source"] = json!({"repoURL": HOME, "path": "overlay"});
        let kustomize = Case::new()
            .app("overlay", overlay)
            .manifest(
                "overlay/kustomization.yaml",
                json!({"patches": [{"path": "patch.yaml"}]}),
            )
            .manifest("overlay/patch.yaml", patch);
        assert_eq!(kustomize.messages(&RULE), Vec::<String>::new());
    }

    #[test]
    fn templates_of_sets_are_texts() {
        let set = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "metadata": {"name": "s"}, "spec": {
            "generators": [{"list": {"elements": [{"name": "a"}]}}],
            "template": {"metadata": {"name": "{{name}}"}, "spec": {"project": "{{name}}", "destination": {"server": "{{server}}"},
                "source": {"repoURL": "u", "path": "{{path}}"}, "syncPolicy": {"automated": {"prune": "{{prune}}"}}}}}});
        let case = Case::new().manifest("applications/set.yaml", set);
        let findings = case.findings(&RULE);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(
            case.place(&RULE),
            "applications/set.yaml /spec/template/spec/syncPolicy/automated/prune"
        );
        assert!(findings[0].hint.as_deref().unwrap().contains("templatePatch"));
    }

    #[test]
    fn fix_removes_it() {
        assert!(
            with("/syncPolicy/automated", "prune", json!("true"))
                .fixed(&RULE)
                .contains("prune: true")
        );
        let limit = with("", "revisionHistoryLimit", json!("3")).fixed(&RULE);
        assert!(limit.contains("revisionHistoryLimit: 3"), "{limit}");
    }
}
