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
const HELM_OPTIONS: [&str; 11] = [
    "releaseName",
    "valueFiles",
    "values",
    "valuesObject",
    "parameters",
    "skipCrds",
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
    let is_set = |value: &Value| !matches!(value, Value::Null | Value::Bool(false)) && value.as_str() != Some("");
    let directory = source.directory().and_then(Value::as_object);
    if let Some((option, _)) = directory.into_iter().flatten().find(|(_, value)| is_set(value)) {
        return Ok(Err(NotAtHand::new(
            format!("it uses `directory.{option}`, which is not rendered here"),
            BY_ARGO_CD,
        )));
    }
    match helm_parameters(source)? {
        Ok(parameters) => request(parameters, false).map(Ok),
        Err(option) => Ok(Err(NotAtHand::new(
            format!("it uses `helm.{option}`, which is not rendered here"),
            BY_ARGO_CD,
        ))),
    }
}

/// The options of Argo CD's own Helm as parameters, or the first one that has none.
fn helm_parameters(source: &Source<'_>) -> Result<Result<Parameters, String>> {
    let mut parameters = Parameters {
        allow_empty: true,
        ..Parameters::default()
    };
    let Some(helm) = source.helm().and_then(Value::as_object) else {
        return Ok(Ok(parameters));
    };
    let is_set = |value: &Value| {
        !matches!(value, Value::Null | Value::Bool(false)) && value.as_array().is_none_or(|list| !list.is_empty())
    };
    let unknown = helm
        .iter()
        .find(|(option, value)| !HELM_OPTIONS.contains(&option.as_str()) && is_set(value));
    if let Some((option, _)) = unknown {
        return Ok(Err(option.clone()));
    }
    let text = |option: &str| {
        helm.get(option)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let strings = |option: &str| -> Vec<String> {
        let list = helm.get(option).and_then(Value::as_array);
        list.into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    };
    parameters.release_name = text("releaseName");
    parameters.kube_version = text("kubeVersion");
    parameters.namespace = text("namespace").map(NamespaceName::new).transpose()?;
    parameters.values_files = strings("valueFiles");
    parameters.api_versions = strings("apiVersions");
    parameters.skip_crds = helm.get("skipCrds").and_then(Value::as_bool) == Some(true);
    if parameters.values_files.iter().any(|file| file.starts_with('$')) {
        return Ok(Err("valueFiles` of another repository (`$ref`), `".to_owned()));
    }
    parameters.values = match helm.get("valuesObject").filter(|object| object.is_object()) {
        Some(object) => Some(yaml::emit(object)?),
        None => text("values"),
    };
    for entry in helm.get("parameters").and_then(Value::as_array).into_iter().flatten() {
        if entry.get("forceString").and_then(Value::as_bool) == Some(true) {
            return Ok(Err("parameters[].forceString".to_owned()));
        }
        let part = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        parameters.helm_parameters.insert(part("name"), part("value"));
    }
    Ok(Ok(parameters))
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
    fn what_cannot_be_rendered_is_said() {
        for (source, part) in [
            (
                json!({"repoURL": "u", "plugin": {"name": "other"}}),
                "the plugin `other`",
            ),
            (json!({"repoURL": "u", "kustomize": {}}), "Kustomize"),
            (
                json!({"repoURL": "u", "directory": {"recurse": true}}),
                "`directory.recurse`",
            ),
            (
                json!({"repoURL": "u", "helm": {"fileParameters": [{}]}}),
                "`helm.fileParameters`",
            ),
            (
                json!({"repoURL": "u", "helm": {"valueFiles": ["$v/x.yaml"]}}),
                "another repository",
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
