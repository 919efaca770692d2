//! The requests of a case to the repo-server: native, and with the plugin.

use real_parts::generate;
use serde_json::{Map, Value, json};

use crate::table::Case;

/// The renderer of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Native,
    Plugin,
}

/// Returns the request for a case, of a repository at a revision.
pub(crate) fn request(case: &Case, way: Way, url: &str, revision: &str) -> Value {
    let mut source = json!({"repoURL": url, "path": case.chart, "targetRevision": "main"});
    match way {
        Way::Native => {
            for (key, tree) in [("helm", &case.helm), ("directory", &case.directory)] {
                if !tree.is_empty() {
                    source[key] = json!(tree);
                }
            }
        }
        Way::Plugin => source["plugin"] = json!({"name": "homelab-v1", "parameters": parameters(case)}),
    }
    let mut request = generate::request(&case.app, &case.destination, &source, revision);
    if let Some(paths) = &case.paths {
        request["annotationManifestGeneratePaths"] = json!(paths);
    }
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
    for (option, value) in case.helm.iter().chain(&case.directory) {
        match option.as_str() {
            "releaseName" => add("release-name", value.clone()),
            "namespace" => add("namespace", value.clone()),
            "kubeVersion" => add("kube-version", json!(text(value))),
            "apiVersions" => add("api-versions", value.clone()),
            "skipCrds" => add("skip-crds", json!(value.to_string())),
            "skipTests" => add("skip-tests", json!(value.to_string())),
            "skipSchemaValidation" => add("skip-schema-validation", json!(value.to_string())),
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

fn map<'v>(list: impl Iterator<Item = &'v Value>, field: &str) -> Map<String, Value> {
    list.map(|entry| (text(&entry["name"]), entry[field].clone())).collect()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
