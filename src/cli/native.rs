//! A source as a request for the render room: the plugin's parameters, or the options of Argo CD's own Helm.

use anyhow::{Result, anyhow};
use serde_json::Value;

use super::sources::NotAtHand;
use crate::failure::HintExt;
use crate::model::application::PLUGIN_NAME;
use crate::model::parameter::Parameters;
use crate::model::variable::{VARIABLE_MAX, oversized};
use crate::model::{AppName, Application, NamespaceName, Source};
use crate::render::Request;
use crate::repo::RepoPath;
use crate::yaml;

/// Options of Argo CD's own Helm that a render here honours.
const HELM_OPTIONS: [&str; 15] = [
    "releaseName",
    "valueFiles",
    "ignoreMissingValueFiles",
    "values",
    "valuesObject",
    "parameters",
    "fileParameters",
    "skipCrds",
    "skipTests",
    "skipSchemaValidation",
    "kubeVersion",
    "apiVersions",
    "namespace",
    "version",
    "passCredentials",
];

/// The way out for what only Argo CD renders.
pub(super) const BY_ARGO_CD: &str =
    "render it with Argo CD itself, or pipe its objects through `kubectl homelab filter`";

/// The request of a source, or why it cannot be rendered here.
///
/// # Errors
/// When the source says what cannot be meant: wrong parameters, an unusable namespace.
pub(super) fn request(app: &Application<'_>, source: &Source<'_>) -> Result<Result<Request, NotAtHand>> {
    let request = |parameters: Parameters, storage_rules: bool| -> Result<Request> {
        Ok(Request {
            app: AppName::new(app.name())?,
            destination: app.destination_namespace().map(NamespaceName::new).transpose()?,
            source_path: RepoPath::root(),
            prefix: RepoPath::root(),
            parameters,
            kube_version: None,
            api_versions: Vec::new(),
            variables: std::collections::BTreeMap::new(),
            storage_rules,
        })
    };
    if source.is_ours() {
        let parameters = source
            .parameters()
            .map_err(|errors| anyhow!(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")))?;
        let variables = source.raw_parameters().map(|list| oversized(&list)).unwrap_or_default();
        if let Some((name, bytes)) = variables.first() {
            return Err(anyhow!(
                "the variable `{name}` would have {bytes} bytes, at most {VARIABLE_MAX} are possible: Argo CD could not start the plugin"
            )
            .hint("put large values into a file beside the chart (`values-files`)"));
        }
        return request(parameters, true).map(Ok);
    }
    if let Some(name) = source
        .plugin()
        .map(|plugin| plugin.get("name").and_then(Value::as_str).unwrap_or("without a name"))
    {
        let hint = format!("only the plugin `{PLUGIN_NAME}` is rendered here");
        return Ok(Err(NotAtHand::new(
            format!("it is rendered by the plugin `{name}`"),
            hint,
        )));
    }
    if source.kustomize().is_some() {
        return Ok(Err(NotAtHand::new("it is rendered by Kustomize", BY_ARGO_CD)));
    }
    let not_here =
        |option: String| NotAtHand::new(format!("it uses `{option}`, which is not rendered here"), BY_ARGO_CD);
    let mut parameters = match helm_parameters(app, source)? {
        Ok(parameters) => parameters,
        Err(option) => return Ok(Err(not_here(format!("helm.{option}")))),
    };
    if let Err(option) = read_directory(source, &mut parameters) {
        return Ok(Err(not_here(format!("directory.{option}"))));
    }
    request(parameters, false).map(Ok)
}

/// Whether Argo CD takes an option for said.
fn is_set(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(fields) => fields.values().any(is_set),
        _ => true,
    }
}

/// The options of a folder of manifests as parameters; or the first one that has none.
fn read_directory(source: &Source<'_>, parameters: &mut Parameters) -> Result<(), String> {
    let options = source.directory().and_then(Value::as_object);
    for (option, value) in options.into_iter().flatten().filter(|(_, value)| is_set(value)) {
        match (option.as_str(), value) {
            ("recurse", Value::Bool(recurse)) => parameters.recurse = *recurse,
            ("include", Value::String(glob)) => parameters.include = Some(glob.clone()),
            ("exclude", Value::String(glob)) => parameters.exclude = Some(glob.clone()),
            _ => return Err(option.clone()),
        }
    }
    Ok(())
}

/// The options of Argo CD's own Helm as parameters, or the first one that has none.
fn helm_parameters(app: &Application<'_>, source: &Source<'_>) -> Result<Result<Parameters, String>> {
    let mut parameters = Parameters {
        allow_empty: true,
        ..Parameters::default()
    };
    let Some(helm) = source.helm().and_then(Value::as_object) else {
        return Ok(Ok(parameters));
    };
    let unknown = helm
        .iter()
        .find(|(option, value)| !HELM_OPTIONS.contains(&option.as_str()) && is_set(value));
    if let Some((option, _)) = unknown {
        return Ok(Err(option.clone()));
    }
    let part = |tree: &Value, key: &str| tree.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let text = |option: &str| {
        let text = helm.get(option).and_then(Value::as_str);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let list = |option: &str| helm.get(option).and_then(Value::as_array).into_iter().flatten();
    let strings = |option: &str| list(option).filter_map(Value::as_str).map(str::to_owned).collect();
    let is_true = |option: &str| helm.get(option).and_then(Value::as_bool) == Some(true);
    parameters.release_name = text("releaseName");
    parameters.kube_version = text("kubeVersion");
    parameters.namespace = text("namespace").map(NamespaceName::new).transpose()?;
    parameters.values_files = strings("valueFiles");
    parameters.ignore_missing_values_files = is_true("ignoreMissingValueFiles");
    parameters.api_versions = strings("apiVersions");
    parameters.skip_crds = is_true("skipCrds");
    parameters.skip_tests = is_true("skipTests");
    parameters.skip_schema_validation = is_true("skipSchemaValidation");
    parameters.values = match helm.get("valuesObject").filter(|object| object.is_object()) {
        Some(object) => Some(yaml::emit(object)?),
        None => text("values"),
    };
    // Of two with one name the last counts, as in Argo CD's own maps.
    for entry in list("parameters") {
        let is_string = entry.get("forceString").and_then(Value::as_bool) == Some(true);
        let values = match is_string {
            true => &mut parameters.helm_string_parameters,
            false => &mut parameters.helm_parameters,
        };
        values.insert(part(entry, "name"), part(entry, "value"));
    }
    for entry in list("fileParameters") {
        let values = &mut parameters.helm_file_parameters;
        values.insert(part(entry, "name"), part(entry, "path"));
    }
    let is_elsewhere = |file: &String| is_reference(app, file);
    if parameters.values_files.iter().any(is_elsewhere) {
        return Ok(Err("valueFiles` of another repository (`$ref`), `".to_owned()));
    }
    if parameters.helm_file_parameters.values().any(is_elsewhere) {
        return Ok(Err("fileParameters` of another repository (`$ref`), `".to_owned()));
    }
    Ok(Ok(parameters))
}

/// Whether a file is one of another source: its first part is a dollar and that source's `ref`.
fn is_reference(app: &Application<'_>, file: &str) -> bool {
    let first = file
        .strip_prefix('$')
        .map(|rest| rest.split('/').next().unwrap_or_default());
    let sources = app.sources();
    let mut references = sources.iter().filter_map(Source::reference);
    first.is_some_and(|first| references.any(|reference| reference == first))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Object;
    use serde_json::json;

    fn of(source: Value) -> Result<Request, String> {
        let object = Object::new(json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "a"},
            "spec": {"destination": {"namespace": "media"}, "source": source},
        }));
        let app = Application::new(&object).unwrap();
        request(&app, &app.sources()[0])
            .unwrap()
            .map_err(|why| why.error().to_string())
    }

    #[test]
    fn native_helm_becomes_parameters_without_the_law() {
        let request = of(json!({"repoURL": "u", "path": "p", "helm": {
            "releaseName": "r", "valueFiles": ["v.yaml"], "valuesObject": {"a": 1}, "parameters": [{"name": "x", "value": "y"}], "skipCrds": true}}))
        .unwrap();
        assert!(!request.storage_rules && request.parameters.skip_crds);
        assert_eq!(request.parameters.values.as_deref(), Some("a: 1\n"));
        assert_eq!(request.parameters.helm_parameters["x"], "y");
    }

    #[test]
    fn every_option_of_native_helm_has_its_parameter() {
        let parameters = of(json!({"repoURL": "u", "path": "p", "helm": {
            "ignoreMissingValueFiles": true, "skipTests": true, "skipSchemaValidation": true, "version": "v3",
            "valueFiles": ["$ARGOCD_APP_NAME/*.yaml"], "fileParameters": [{"name": "f", "path": "a"}, {"name": "f", "path": "b"}],
            "parameters": [
                {"name": "x", "value": "1"}, {"name": "x", "value": "2"}, {"name": "x", "value": "3", "forceString": true},
            ],
        }}))
        .unwrap()
        .parameters;
        assert!(parameters.ignore_missing_values_files && parameters.skip_tests && parameters.skip_schema_validation);
        assert_eq!(parameters.values_files, ["$ARGOCD_APP_NAME/*.yaml"]);
        assert_eq!(
            (
                &parameters.helm_parameters["x"][..],
                &parameters.helm_string_parameters["x"][..]
            ),
            ("2", "3")
        );
        assert_eq!(parameters.helm_file_parameters["f"], "b");
    }

    #[test]
    fn a_folder_of_manifests_keeps_its_options() {
        let parameters = of(json!({"repoURL": "u", "path": "p",
            "directory": {"recurse": true, "include": "*.yaml", "exclude": "{a,b}*", "jsonnet": {"tlas": []}}}))
        .unwrap()
        .parameters;
        assert_eq!(
            (
                parameters.recurse,
                parameters.include.as_deref(),
                parameters.exclude.as_deref()
            ),
            (true, Some("*.yaml"), Some("{a,b}*"))
        );
    }

    #[test]
    fn what_cannot_be_rendered_is_said() {
        for (source, part) in [
            (
                json!({"repoURL": "u", "plugin": {"name": "other"}}),
                "the plugin `other`",
            ),
            (json!({"repoURL": "u", "kustomize": {}}), "Kustomize"),
            (
                json!({"repoURL": "u", "directory": {"jsonnet": {"libs": ["x"]}}}),
                "`directory.jsonnet`",
            ),
            (
                json!({"repoURL": "u", "helm": {"fileParamaters": [{"name": "a"}]}}),
                "`helm.fileParamaters`",
            ),
            (
                json!({"repoURL": "u", "ref": "v", "helm": {"valueFiles": ["$v/x.yaml"]}}),
                "valueFiles` of another repository",
            ),
            (
                json!({"repoURL": "u", "ref": "v", "helm": {"fileParameters": [{"name": "a", "path": "$v/x"}]}}),
                "fileParameters` of another repository",
            ),
        ] {
            let error = of(source).unwrap_err();
            assert!(error.contains(part), "{part} in {error}");
        }
        assert!(
            of(json!({"repoURL": "u", "directory": {"recurse": false}, "plugin": {"name": "homelab-v1"}}))
                .unwrap()
                .storage_rules
        );
    }
}
