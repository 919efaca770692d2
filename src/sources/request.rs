//! A source as a request for `render`: the plugin's parameters, or the options of Argo CD's own Helm and folder reader.

use anyhow::{Result, anyhow};
use serde_json::Value;

use crate::failure::HintExt;
use crate::model::application::PLUGIN_NAME;
use crate::model::native;
use crate::model::parameter::{self, ParameterError, Parameters};
use crate::model::variable::{VARIABLE_MAX, oversized};
use crate::model::{AppName, Application, NamespaceName, Source, Unavailable};
use crate::render::Request;
use crate::repo::{RepoPath, SourceType};
use crate::yaml;

/// Returns the request of a source.
///
/// # Errors
/// [`Unavailable`] when another tool renders the source; any other error when it has invalid settings: wrong
/// parameters, an unusable namespace.
pub(super) fn request(app: &Application<'_>, source: &Source<'_>) -> Result<Request> {
    let request = |parameters: Parameters, storage_rules: bool| -> Result<Request> {
        Ok(Request {
            app: AppName::new(app.name())?,
            destination: app.destination_namespace().map(NamespaceName::new).transpose()?,
            source_path: RepoPath::root(),
            prefix: RepoPath::root(),
            source_type: explicit(source),
            parameters,
            kube_version: None,
            api_versions: Vec::new(),
            variables: std::collections::BTreeMap::new(),
            storage_rules,
            for_rules: false,
        })
    };
    if source.uses_homelab_plugin() {
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
        return request(parameters, true);
    }
    if let Some(name) = source
        .plugin()
        .map(|plugin| plugin.get("name").and_then(Value::as_str).unwrap_or_default())
    {
        let (name, own) = (name.to_owned(), PLUGIN_NAME.to_owned());
        return Err(Unavailable::OtherPlugin { name, own }.into_error());
    }
    let sources = app.sources();
    let references: Vec<&str> = sources.iter().filter_map(Source::reference).collect();
    let moved = native::to_parameters(source, &references, |_, values| yaml::emit(values)).map_err(|unsupported| {
        let what = unsupported.into_iter().map(|unsupported| unsupported.why).collect();
        Unavailable::UnsupportedOptions { what }.into_error()
    })?;
    let wrong = |errors: Vec<ParameterError>| {
        let messages: Vec<String> = errors.iter().map(ToString::to_string).collect();
        anyhow!(messages.join("; "))
    };
    let list = parameter::read(&Value::Array(moved.parameters)).map_err(wrong)?;
    let parameters = Parameters {
        // Argo CD's own tools allow an empty render without an option.
        allow_empty: true,
        ..Parameters::parse(&list).map_err(wrong)?
    };
    request(parameters, false)
}

/// Returns the type that a source names itself; the plugin looks at the folder.
fn explicit(source: &Source<'_>) -> Option<SourceType> {
    let sections = [
        (source.plugin(), None),
        (source.kustomize(), Some(SourceType::Kustomize)),
        (source.helm(), Some(SourceType::Helm)),
        (source.directory(), Some(SourceType::Directory)),
    ];
    sections.into_iter().find(|(section, _)| section.is_some())?.1
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
        request(&app, &app.sources()[0]).map_err(|error| {
            assert!(crate::failure::find::<Unavailable>(&error).is_some(), "{error:#}");
            error.to_string()
        })
    }

    #[test]
    fn native_helm_becomes_parameters_without_the_storage_rules() {
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
    fn what_cannot_be_rendered_is_reported() {
        for (source, part) in [
            (
                json!({"repoURL": "u", "plugin": {"name": "other"}}),
                "the plugin `other`",
            ),
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
                "`$v/x.yaml` is a file of another source",
            ),
            (
                json!({"repoURL": "u", "ref": "v", "helm": {"fileParameters": [{"name": "a", "path": "$v/x"}]}}),
                "`$v/x` is a file of another source",
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
