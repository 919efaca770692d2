//! HL304: a source is rendered by one tool.

use super::{Finding, Fix, Meta, Rule, Scope, Severity, Subject, fixes};
use crate::model::Source;
use serde_json::{Map, Value, json};

static META: Meta = Meta {
    id: "HL304",
    name: "plugin-stands-alone",
    severity: Severity::Error,
    summary: "a source with plugin has no helm, kustomize or directory block",
    why: "Argo CD refuses a source that names two tools (\"multiple application sources defined\"): the Application does not \
render at all. Everything that stood under `helm:` has a plugin parameter instead: `valueFiles` becomes `values-files`, \
`values` and `valuesObject` become `values`, `parameters` becomes `helm-parameters` (with `forceString` \
`helm-string-parameters`), `fileParameters` becomes `helm-file-parameters`, and all others keep their names, as \
`release-name` and `skip-crds`; so do `recurse`, `include` and `exclude` of `directory:`. The fix moves them where all of them \
can be moved.\n\n\
https://argo-cd.readthedocs.io/en/stable/operator-manual/config-management-plugins/",
};

/// HL304.
pub(super) struct PluginStandsAlone;

impl Rule for PluginStandsAlone {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn check(&self, scope: &Scope<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for subject in &scope.subjects {
            for (source, _) in subject.sources.iter().filter(|(source, _)| source.plugin().is_some()) {
                let tools = [
                    ("helm", source.helm()),
                    ("kustomize", source.kustomize()),
                    ("directory", source.directory()),
                ];
                for (tool, block) in tools {
                    if let Some(block) = block.filter(|block| !is_zero(block)) {
                        findings.push(of_block(subject, source, tool, block));
                    }
                }
            }
        }
        findings
    }
}

fn of_block(subject: &Subject<'_>, source: &Source<'_>, tool: &str, block: &Value) -> Finding {
    let message = format!("the source has `{tool}` beside `plugin`, and Argo CD takes only one");
    let finding = subject.finding(&META, message, &source.at(&[tool]));
    // Two fixes of one list would undo each other.
    let is_alone = tool == "helm" || source.helm().is_none_or(is_zero);
    let moved = moved(source, tool, block).filter(|_| is_alone);
    match moved {
        Some(parameters) => finding.fix(Fix {
            title: format!("move the {tool} block into plugin parameters"),
            safe: false,
            changes: fixes::patch(
                subject.manifest,
                vec![
                    fixes::set(
                        subject.app.object().tree(),
                        &source.at(&["plugin", "parameters"]),
                        parameters,
                    ),
                    fixes::remove(&source.at(&[tool])),
                ],
            ),
        }),
        None => finding.hint(format!("say it with plugin parameters, and drop `{tool}`")),
    }
}

/// Whether Argo CD takes a block for absent: everything in it is empty.
fn is_zero(block: &Value) -> bool {
    match block {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.values().all(is_zero),
    }
}

/// The parameters of the source with those that a tool's block becomes; `None` when one cannot be moved, or is there.
fn moved(source: &Source<'_>, tool: &str, block: &Value) -> Option<Value> {
    let mut parameters = source
        .plugin()?
        .get("parameters")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    for (field, value) in block.as_object()?.iter().filter(|(_, value)| !is_zero(value)) {
        let moved = match (tool, field.as_str()) {
            ("helm", "valueFiles") => vec![("values-files", "array", value.clone())],
            ("helm", "ignoreMissingValueFiles") => vec![("ignore-missing-values-files", "string", json!("true"))],
            ("helm", "values") => vec![("values", "string", value.clone())],
            ("helm", "valuesObject") => vec![("values", "string", json!(serde_json::to_string_pretty(value).ok()?))],
            ("helm", "parameters") => {
                let (strings, others) = single_values(value)?;
                vec![
                    ("helm-parameters", "map", others),
                    ("helm-string-parameters", "map", strings),
                ]
            }
            ("helm", "fileParameters") => vec![("helm-file-parameters", "map", by_name(value, "path")?)],
            ("helm", "releaseName") => vec![("release-name", "string", value.clone())],
            ("helm", "namespace") => vec![("namespace", "string", value.clone())],
            ("helm", "skipCrds") => vec![("skip-crds", "string", json!("true"))],
            ("helm", "skipTests") => vec![("skip-tests", "string", json!("true"))],
            ("helm", "skipSchemaValidation") => vec![("skip-schema-validation", "string", json!("true"))],
            ("helm", "kubeVersion") => vec![("kube-version", "string", value.clone())],
            ("helm", "apiVersions") => vec![("api-versions", "array", value.clone())],
            // Argo CD takes it and does nothing with it.
            ("helm", "version") => Vec::new(),
            ("directory", "recurse") => vec![("recurse", "string", json!("true"))],
            ("directory", "include" | "exclude") => vec![(field.as_str(), "string", value.clone())],
            _ => return None,
        };
        for (name, shape, value) in moved.into_iter().filter(|(_, _, value)| !is_zero(value)) {
            let is_it = |parameter: &Value| parameter.get("name").and_then(Value::as_str) == Some(name);
            if parameters.iter().any(is_it) {
                return None;
            }
            parameters.push(json!({"name": name, shape: value}));
        }
    }
    Some(Value::Array(parameters))
}

/// `parameters` of the helm block as maps: those that are forced to be strings, and the others.
fn single_values(list: &Value) -> Option<(Value, Value)> {
    let is_string = |entry: &&Value| entry.get("forceString").and_then(Value::as_bool) == Some(true);
    let (strings, others): (Vec<&Value>, Vec<&Value>) = list.as_array()?.iter().partition(is_string);
    let map = |entries: Vec<&Value>| by_name(&entries.into_iter().cloned().collect(), "value");
    Some((map(strings)?, map(others)?))
}

/// Entries with a name as a map of one of their fields.
fn by_name(list: &Value, field: &str) -> Option<Value> {
    let mut map = Map::new();
    for entry in list.as_array()? {
        map.insert(entry.get("name")?.as_str()?.to_owned(), entry.get(field)?.clone());
    }
    Some(Value::Object(map))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, owns, plugin_spec};

    fn case(tool: &str, block: Value) -> Case {
        let mut spec = plugin_spec(json!([owns(["audio"])]));
        spec["source"][tool] = block;
        Case::new().app("player", spec)
    }

    #[test]
    fn fires() {
        let helm = case("helm", json!({"passCredentials": true}));
        assert_eq!(
            helm.messages(&PluginStandsAlone),
            ["the source has `helm` beside `plugin`, and Argo CD takes only one"]
        );
        assert!(helm.findings(&PluginStandsAlone)[0].hint.is_some());
        assert_eq!(
            case("directory", json!({"recurse": true}))
                .messages(&PluginStandsAlone)
                .len(),
            1
        );
    }

    #[test]
    fn stays_silent() {
        assert!(
            case("helm", json!({"releaseName": "", "valueFiles": [], "skipCrds": false}))
                .messages(&PluginStandsAlone)
                .is_empty()
        );
        let native = Case::new().app(
            "player",
            json!({"source": {"repoURL": "u", "helm": {"releaseName": "x"}}}),
        );
        assert!(native.messages(&PluginStandsAlone).is_empty());
    }

    #[test]
    fn fix_removes_it() {
        let all = json!({"valueFiles": ["values-home.yaml"], "valuesObject": {"a": 1}, "releaseName": "x", "skipCrds": true,
            "parameters": [{"name": "b.c", "value": "d"}, {"name": "e", "value": "1", "forceString": true}],
            "fileParameters": [{"name": "f", "path": "g"}], "skipTests": true, "skipSchemaValidation": true,
            "ignoreMissingValueFiles": true, "namespace": "media", "kubeVersion": "1.33.0", "apiVersions": ["v1"]});
        let text = case("helm", all).fixed(&PluginStandsAlone);
        assert!(
            !text.contains("helm:") && text.contains("helm-parameters") && text.contains("values-home.yaml"),
            "{text}"
        );
        let value = crate::yaml::value(&text).unwrap().unwrap();
        let object = crate::model::Object::new(value);
        let app = crate::model::Application::new(&object).unwrap();
        let parameters = app.sources()[0].parameters().unwrap();
        assert_eq!(
            (parameters.helm_parameters["b.c"].as_str(), parameters.skip_crds),
            ("d", true)
        );
        assert_eq!(
            (
                &parameters.helm_string_parameters["e"][..],
                &parameters.helm_file_parameters["f"][..]
            ),
            ("1", "g")
        );
        assert!(parameters.skip_tests && parameters.skip_schema_validation && parameters.ignore_missing_values_files);
        let directory = case("directory", json!({"recurse": true, "exclude": "x*"})).fixed(&PluginStandsAlone);
        assert!(
            !directory.contains("directory:") && directory.contains("recurse") && directory.contains("x*"),
            "{directory}"
        );
    }
}
