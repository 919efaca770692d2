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
            .map_err(|errors| anyhow!(ParameterError::line(&errors)))?;
        let variables = source.raw_parameters().map(|list| oversized(&list)).unwrap_or_default();
        if let Some((name, bytes)) = variables.first() {
            return Err(anyhow!(
                "the variable `{name}` would have {bytes} bytes, at most {VARIABLE_MAX} are possible: Argo CD could not start the plugin"
            )
            .hint("put large values into a file beside the chart (`values-files`)"));
        }
        return request(parameters, true);
    }
    if let Some(unavailable) = other_plugin(source) {
        return Err(unavailable.into_error());
    }
    let moved = native::to_parameters(source, |_, values| yaml::emit(values)).map_err(|unsupported| {
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

/// Returns that another plugin renders a source; `None` where none does.
pub(super) fn other_plugin(source: &Source<'_>) -> Option<Unavailable> {
    let plugin = source.plugin().filter(|_| !source.uses_homelab_plugin())?;
    let name = plugin.get("name").and_then(Value::as_str).unwrap_or_default();
    let (name, own) = (name.to_owned(), PLUGIN_NAME.to_owned());
    Some(Unavailable::OtherPlugin { name, own })
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

/// Returns the sources with a `ref` whose files the parameters of a native source name.
///
/// # Errors
/// When there is no such source: with several sources, Argo CD takes every `$` at the start of a name for one
/// ([source](https://github.com/argoproj/argo-cd/blob/master/reposerver/repository/repository.go),
/// `resolveReferencedSources`).
pub(super) fn references<'o>(app: &Application<'o>, parameters: &Parameters) -> Result<Vec<Source<'o>>> {
    let sources = app.sources();
    if app.object().at("/spec/sources").is_none() {
        return Ok(Vec::new());
    }
    let files = parameters
        .values_files
        .iter()
        .chain(parameters.helm_file_parameters.values());
    let names = files.filter_map(|file| Some((file, native::reference(file)?)));
    let mut found: Vec<Source<'o>> = Vec::new();
    for (file, name) in names {
        let Some(source) = sources.iter().find(|source| source.reference() == Some(name)) else {
            return Err(
                anyhow!("`{file}` is a file of the source with `ref: {name}`, and there is no such source")
                    .hint("add the source, or correct the name"),
            );
        };
        if source.chart().is_some() {
            return Err(
                anyhow!("`{file}` is a file of a chart, and Argo CD takes none from a source with `chart`")
                    .hint("name a source that is a Git repository"),
            );
        }
        if !found.iter().any(|other| other.pointer == source.pointer) {
            found.push(source.clone());
        }
    }
    Ok(found)
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
    fn files_of_another_source_are_found_by_its_reference() {
        let references = |files: Value, others: Value| -> Result<Vec<String>, String> {
            let mut sources = vec![json!({"repoURL": "u", "chart": "c", "helm": {"valueFiles": files}})];
            sources.extend(others.as_array().unwrap().iter().cloned());
            let object = Object::new(json!({
                "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "a"},
                "spec": {"sources": sources},
            }));
            let app = Application::new(&object).unwrap();
            let parameters = request(&app, &app.sources()[0]).unwrap().parameters;
            let found = super::references(&app, &parameters).map_err(|error| error.to_string())?;
            Ok(found.iter().map(|source| source.repo_url().to_owned()).collect())
        };
        let two = || json!([{"repoURL": "v", "ref": "values"}, {"repoURL": "w", "ref": "more"}]);
        let files = json!(["a.yaml", "$values/b.yaml", "$values/c.yaml", "$more/d.yaml"]);
        assert_eq!(references(files, two()).unwrap(), ["v", "w"]);
        assert_eq!(references(json!(["a.yaml"]), two()).unwrap(), Vec::<String>::new());
        for (file, others, part) in [
            (
                "$x/a.yaml",
                two(),
                "the source with `ref: x`, and there is no such source",
            ),
            ("$ARGOCD_APP_NAME.yaml", two(), "there is no such source"),
            (
                "$v/a.yaml",
                json!([{"repoURL": "v", "ref": "v", "chart": "c"}]),
                "is a file of a chart",
            ),
        ] {
            let error = references(json!([file]), others).unwrap_err();
            assert!(error.contains(part), "{part} in {error}");
        }
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
