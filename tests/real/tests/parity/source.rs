//! The requests of a case to the repo-server: native, and with the plugin.

use std::path::PathBuf;

use real_parts::generate;
use real_parts::tools::of_the_test_run;
use serde_json::{Map, Value, json};

use crate::table::{Case, ChartOf};

/// The renderer of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Native,
    Plugin,
}

/// Returns the request for a case, of a repository at a revision.
pub(crate) fn request(case: &Case, way: Way, url: &str, revision: &str) -> Value {
    let mut source = json!({"repoURL": url, "path": case.chart, "targetRevision": "main"});
    match (way, &case.plugin_folder) {
        (Way::Native, _) => {
            for (key, tree) in [
                ("helm", &case.helm),
                ("directory", &case.directory),
                ("kustomize", &case.kustomize),
            ] {
                if !tree.is_empty() {
                    source[key] = json!(tree);
                }
            }
        }
        (Way::Plugin, Some(folder)) => source["path"] = json!(folder),
        (Way::Plugin, None) => source["plugin"] = json!({"name": "homelab-v1", "parameters": parameters(case)}),
    }
    let mut request = match &case.of {
        Some(chart) if way == Way::Native => of_a_chart(case, chart, source, url),
        _ => generate::request(&case.app, &case.destination, &source, revision),
    };
    request["kustomizeOptions"] = json!({
        "BuildOptions": case.build,
        // Another kustomize, with options that it would build everything with.
        "Versions": [{"Name": "newer", "Path": newer(), "BuildOptions": "--load-restrictor LoadRestrictionsNone"}],
    });
    if let Some(paths) = &case.paths {
        request["annotationManifestGeneratePaths"] = json!(paths);
    }
    request
}

/// Returns the path of a newer kustomize than the default one.
pub(crate) fn newer() -> PathBuf {
    of_the_test_run("kustomize-newer").unwrap()
}

/// Returns the request for a chart of a Helm repository, with a second source `$values`: this repository.
fn of_a_chart(case: &Case, chart: &ChartOf, mut source: Value, url: &str) -> Value {
    source["repoURL"] = json!(chart.repository);
    source["chart"] = json!(chart.chart);
    source["targetRevision"] = json!(chart.version);
    source.as_object_mut().unwrap().remove("path");
    let mut request = generate::request(&case.app, &case.destination, &source, &chart.version);
    request["repo"] = json!({"repo": chart.repository, "type": "helm", "name": "charts"});
    request["hasMultipleSources"] = json!(true);
    request["refSources"] = json!({"$values": {"repo": {"repo": url}, "targetRevision": "main"}});
    request
}

/// Converts the options of a native source to parameters of the plugin.
fn parameters(case: &Case) -> Value {
    let mut parameters = Vec::new();
    let mut add = |name: &str, value: Value| {
        let field = match value {
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "map",
            _ => panic!("a parameter is a string, a list or a map: {name}"),
        };
        parameters.push(json!({"name": name, field: value}));
    };
    if let Some(chart) = &case.of {
        add("chart", json!(chart.chart));
        add("chart-repo", json!(chart.repository));
        add("chart-version", json!(chart.version));
    }
    for (option, value) in &case.kustomize {
        add_of_kustomize(option, value, &mut add);
    }
    for (option, value) in case.helm.iter().chain(&case.directory) {
        match option.as_str() {
            "releaseName" => add("release-name", value.clone()),
            "namespace" => add("namespace", value.clone()),
            "kubeVersion" => add("kube-version", json!(text(value))),
            "apiVersions" => add("api-versions", value.clone()),
            "skipCrds" => add("skip-crds", json!(value.to_string())),
            "skipTests" => add("skip-tests", json!(value.to_string())),
            "skipSchemaValidation" => add("skip-schema-validation", json!(value.to_string())),
            "valueFiles" if case.of.is_some() => add("values-files", value_files(value)),
            "valueFiles" => add("values-files", value.clone()),
            "ignoreMissingValueFiles" => add("ignore-missing-values-files", json!(value.to_string())),
            // The object wins over the text.
            "values" if case.helm.contains_key("valuesObject") => {}
            "values" => add("values", value.clone()),
            "valuesObject" => add("values", json!(value.to_string())),
            "parameters" => {
                let is_forced = |parameter: &&Value| parameter["forceString"] == true;
                let all = || value.as_array().into_iter().flatten();
                let plain = map(all().filter(|parameter| !is_forced(parameter)), "value");
                let strings = map(all().filter(is_forced), "value");
                for (name, map) in [("helm-parameters", plain), ("helm-string-parameters", strings)] {
                    if !map.is_empty() {
                        add(name, json!(map));
                    }
                }
            }
            "fileParameters" => add(
                "helm-file-parameters",
                json!(map(value.as_array().into_iter().flatten(), "path")),
            ),
            "recurse" => add("recurse", json!(value.to_string())),
            "include" => add("include", value.clone()),
            "exclude" => add("exclude", value.clone()),
            unknown => panic!("{}: the plugin has no parameter for `{unknown}`", case.name),
        }
    }
    for (name, value) in &case.parameters {
        add(name, value.clone());
    }
    json!(parameters)
}

/// Converts an option of `spec.source.kustomize`.
fn add_of_kustomize(option: &str, value: &Value, add: &mut impl FnMut(&str, Value)) {
    match option {
        "namePrefix" => add("name-prefix", value.clone()),
        "nameSuffix" => add("name-suffix", value.clone()),
        "namespace" => add("kustomize-namespace", value.clone()),
        "images" => add("images", value.clone()),
        "replicas" => {
            let list = value.as_array().into_iter().flatten();
            let counts = list.map(|entry| (text(&entry["name"]), json!(text(&entry["count"]))));
            add("replicas", Value::Object(counts.collect()));
        }
        "commonLabels" => add("common-labels", value.clone()),
        "forceCommonLabels" => add("force-common-labels", json!(value.to_string())),
        "labelWithoutSelector" => add("label-without-selector", json!(value.to_string())),
        "labelIncludeTemplates" => add("label-include-templates", json!(value.to_string())),
        "commonAnnotations" => add("common-annotations", value.clone()),
        "forceCommonAnnotations" => add("force-common-annotations", json!(value.to_string())),
        "commonAnnotationsEnvsubst" => add("common-annotations-envsubst", json!(value.to_string())),
        "patches" => {
            let list = value.as_array().into_iter().flatten();
            let texts = list.map(|patch| yaml_serde::to_string(patch).unwrap());
            add("kustomize-patches", json!(texts.collect::<Vec<_>>()));
        }
        "components" => add("components", value.clone()),
        "ignoreMissingComponents" => add("ignore-missing-components", json!(value.to_string())),
        "version" => add("kustomize-version", value.clone()),
        "kubeVersion" => add("kube-version", json!(text(value))),
        "apiVersions" => add("api-versions", value.clone()),
        unknown => panic!("the plugin has no parameter for `kustomize.{unknown}`"),
    }
}

/// Converts value files beside a chart: those of `$values` lie in the plugin's own repository, others in the chart.
fn value_files(list: &Value) -> Value {
    let files = list.as_array().into_iter().flatten().map(|file| {
        let file = text(file);
        match file.strip_prefix("$values/") {
            Some(path) => format!("/{path}"),
            None if file.contains("://") => file,
            None => format!("chart:{file}"),
        }
    });
    json!(files.collect::<Vec<_>>())
}

fn map<'v>(list: impl Iterator<Item = &'v Value>, field: &str) -> Map<String, Value> {
    list.map(|entry| (text(&entry["name"]), entry[field].clone())).collect()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
