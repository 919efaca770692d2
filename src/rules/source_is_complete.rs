//! HL314: a source says where its manifests are.

use super::declared::is_placeholder;
use super::{Check, Declared, Finding, Fix, Meta, Rule, Severity, fixes};
use crate::model::native::is_zero;
use crate::model::{Application, Pointer, PointerExt, Source};
use crate::repo::RepoPath;
use serde_json::json;

static META: Meta = Meta {
    id: "HL314",
    name: "source-is-complete",
    severity: Severity::Error,
    summary: "a source has a relative path or a chart, and a chart has a version",
    why: "Argo CD needs a `repoURL` and either a `path` in a Git repository or a `chart` of a Helm repository; in `sources`, one \
with a `ref` may have neither. A chart needs a `targetRevision`. Without them the Application gets the condition \
InvalidSpecError and is never synced. A path is one in the repository: when it is absolute (`/player`) or leads out of the \
repository, no manifest can be generated. An Application with a `sourceHydrator` needs the branches that it writes to.\n\n\
https://argo-cd.readthedocs.io/en/stable/user-guide/multiple_sources/\n\
https://argo-cd.readthedocs.io/en/stable/user-guide/application-specification/",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Object(check),
};

/// The ending of what the controller says in the Application's conditions.
const INVALID: &str = "(InvalidSpecError)";

fn check(declared: &Declared<'_>) -> Vec<Finding> {
    let findings = match declared.template() {
        Some(template) => of_application(&template),
        None => of_application(declared),
    };
    if findings.is_empty() || declared.is_patch() {
        return Vec::new();
    }
    findings
}

fn of_application(declared: &Declared<'_>) -> Vec<Finding> {
    let (Some(app), Some(spec)) = (Application::new(declared.object()), declared.object().at("/spec")) else {
        return Vec::new();
    };
    if !spec.is_object() {
        return Vec::new();
    }
    if declared
        .object()
        .at("/spec/sourceHydrator")
        .is_some_and(|tree| tree.is_object())
    {
        return of_hydrator(declared);
    }
    let sources = app.sources();
    if sources.is_empty() {
        let is_typo = ["/spec/source", "/spec/sources"].into_iter().any(|pointer| {
            declared
                .object()
                .at(pointer)
                .is_some_and(|value| !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty()))
        });
        if is_typo {
            return Vec::new();
        }
        let message = format!("the Application has no source {INVALID}");
        let finding = declared.finding(&META, message, "/spec");
        return vec![finding.hint("add `source` with `repoURL` and `path` or `chart`")];
    }
    let is_one = sources.len() == 1 && sources[0].pointer == "/spec/source";
    sources
        .iter()
        .filter_map(|source| of_source(declared, source, is_one))
        .collect()
}

fn of_source(declared: &Declared<'_>, source: &Source<'_>, is_one: bool) -> Option<Finding> {
    let tree = source.tree();
    let found =
        |pointer: &Pointer, message: String, hint: &str| Some(declared.finding(&META, message, pointer).hint(hint));
    if !tree.is_object() {
        return None;
    }
    let lacks = |field: &str| tree.get(field).is_none_or(is_zero);
    if lacks("path") && lacks("chart") && (is_one || lacks("ref")) {
        let (fields, hint) = if is_one {
            (
                "neither `path` nor `chart`",
                "add `path: .` for the root of the repository",
            )
        } else {
            (
                "neither `path`, `chart` nor `ref`",
                "add `path: .` for the root of the repository, or `ref` for one that only has value files",
            )
        };
        return found(&source.pointer, format!("the source has {fields} {INVALID}"), hint);
    }
    if let Some(chart) = source.chart() {
        let pointer = source.at(&["chart"]);
        let message = format!("chart `{chart}` has no `targetRevision`, which a chart needs {INVALID}");
        return lacks("targetRevision")
            .then(|| found(&pointer, message, "add the version, as `targetRevision: 1.2.3`"))?;
    }
    of_path(declared, source)
}

fn of_path(declared: &Declared<'_>, source: &Source<'_>) -> Option<Finding> {
    let path = source.path().filter(|path| !is_placeholder(path))?;
    let pointer = source.at(&["path"]);
    if path.starts_with('/') {
        let relative = RepoPath::new(path).ok()?.to_string();
        let message = format!("the path `{path}` is absolute, and Argo CD refuses to render it");
        let changes = declared.patch(vec![fixes::replace(&pointer, json!(relative))]);
        let fix = changes.map(|changes| Fix::safe(format!("write `{relative}`"), changes));
        let finding = declared.finding(&META, message, &pointer);
        return Some(finding.fix_or_hint(fix, format!("write `{relative}`")));
    }
    RepoPath::new(path).is_err().then(|| {
        let message = format!("the path `{path}` leads out of the repository, and Argo CD refuses to render it");
        let finding = declared.finding(&META, message, &pointer);
        finding.hint("write the path from the root of the repository")
    })
}

/// Checks the places that the source hydrator reads and writes.
fn of_hydrator(declared: &Declared<'_>) -> Vec<Finding> {
    let base = Pointer::from_static("/spec/sourceHydrator");
    let mut findings = Vec::new();
    for (place, field) in [
        ("drySource", "repoURL"),
        ("syncSource", "targetBranch"),
        ("hydrateTo", "targetBranch"),
    ] {
        let pointer = base.child(place).child(field);
        if declared.object().at(&pointer).and_then(|value| value.as_str()) == Some("") {
            let message = format!("`{place}` has no `{field}` {INVALID}");
            findings.push(
                declared
                    .finding(&META, message, &pointer)
                    .hint(format!("add `{field}`")),
            );
        }
    }
    let dry = base.child("drySource");
    let source = declared.object().at(&dry).map(|tree| Source::new(dry.clone(), tree));
    findings.extend(source.and_then(|source| of_path(declared, &source)));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::Case;
    use serde_json::Value;

    fn one(source: Value) -> Case {
        Case::new().app("player", json!({"source": source}))
    }

    fn many(sources: Value) -> Case {
        Case::new().app("player", json!({"sources": sources}))
    }

    #[test]
    fn fires() {
        for (case, message, place) in [
            (one(json!({"repoURL": "u", "path": ""})), "the source has neither `path` nor `chart` (InvalidSpecError)", "/spec/source"),
            (one(json!({"repoURL": "u", "ref": "v"})), "the source has neither `path` nor `chart` (InvalidSpecError)", "/spec/source"),
            (
                many(json!([{"repoURL": "u", "path": "p"}, {"repoURL": "u"}])),
                "the source has neither `path`, `chart` nor `ref` (InvalidSpecError)",
                "/spec/sources/1",
            ),
            (
                one(json!({"repoURL": "u", "chart": "web"})),
                "chart `web` has no `targetRevision`, which a chart needs (InvalidSpecError)",
                "/spec/source/chart",
            ),
            (one(json!({"repoURL": "u", "path": "/player"})), "the path `/player` is absolute, and Argo CD refuses to render it", "/spec/source/path"),
            (
                one(json!({"repoURL": "u", "path": "a/../../b"})),
                "the path `a/../../b` leads out of the repository, and Argo CD refuses to render it",
                "/spec/source/path",
            ),
            (Case::new().app("player", json!({"project": "default"})), "the Application has no source (InvalidSpecError)", "/spec"),
            (
                Case::new().app("player", json!({"sourceHydrator": {"drySource": {"repoURL": "u", "path": "p"}, "syncSource": {"targetBranch": ""}}})),
                "`syncSource` has no `targetBranch` (InvalidSpecError)",
                "/spec/sourceHydrator/syncSource/targetBranch",
            ),
        ] {
            assert_eq!(case.messages(&RULE), [message]);
            assert_eq!(case.place(&RULE), format!("applications/player.yaml {place}"));
        }
    }

    #[test]
    fn the_template_of_a_set_has_sources_too() {
        let set = |source: Value| {
            let template = json!({"metadata": {"name": "{{.path.basename}}"}, "spec": {"source": source}});
            let spec = json!({"generators": [], "template": template});
            Case::new().manifest(
                "applications/set.yaml",
                json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "metadata": {"name": "s"}, "spec": spec}),
            )
        };
        let absolute = set(json!({"repoURL": "u", "path": "/player"}));
        assert_eq!(
            absolute.place(&RULE),
            "applications/set.yaml /spec/template/spec/source/path"
        );
        assert!(absolute.fixed(&RULE).contains("path: player"));
        assert_eq!(set(json!({"repoURL": "u"})).messages(&RULE).len(), 1);
        for right in ["{{.path.path}}", "/{{.path.path}}", "{{.path.path}}/../../chart"] {
            assert!(
                set(json!({"repoURL": "u", "path": right})).messages(&RULE).is_empty(),
                "{right}"
            );
        }
    }

    #[test]
    fn stays_silent() {
        for case in [
            one(json!({"repoURL": "u", "path": "."})),
            one(json!({"repoURL": "u", "path": "./a/../b/"})),
            one(json!({"repoURL": "u", "chart": "web", "targetRevision": "1.2.3", "path": "/ignored"})),
            many(json!([{"repoURL": "u", "ref": "v"}, {"repoURL": "oci://r/c", "path": "."}])),
            // These are missing fields and wrong types, and HL408 is about addresses.
            one(json!({"repoURL": "", "path": "p"})),
            one(json!({"path": "p"})),
            Case::new().app("player", json!({"source": "p"})),
            Case::new().app("player", json!({"sources": [null]})),
        ] {
            assert_eq!(case.messages(&RULE), Vec::<String>::new());
        }
    }

    #[test]
    fn fix_removes_it() {
        assert!(
            one(json!({"repoURL": "u", "path": "/charts/player"}))
                .fixed(&RULE)
                .contains("path: charts/player\n")
        );
        assert!(
            one(json!({"repoURL": "u", "path": "/"}))
                .fixed(&RULE)
                .contains("path: \".\"\n")
        );
    }
}
