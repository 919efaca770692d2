//! The parameters of the plugin: one table, from which the parsing, `plugin/plugin.yaml`, the announcement, the
//! documentation and the check of unknown names come.
//!
//! An Application says them under `spec.source.plugin.parameters`; Argo CD hands them over as JSON in
//! `ARGOCD_APP_PARAMETERS`, all values as strings
//! ([source](https://argo-cd.readthedocs.io/en/stable/operator-manual/config-management-plugins/)).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use super::claim::Mount;
use super::name::{ClaimName, NamespaceName};
pub use super::patch_target::PatchTarget;
use super::patch_target::read_patches;

/// What a parameter holds. Argo CD knows strings, arrays of strings and maps of strings; a boolean is the string
/// `true` or `false`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One string.
    String,
    /// `"true"` or `"false"`, exactly.
    Boolean,
    /// A list of strings.
    Array,
    /// Strings by key.
    Map,
}

impl Shape {
    /// The field of a parameter that holds it, and Argo CD's `collectionType`.
    pub fn field(self) -> &'static str {
        match self {
            Shape::String | Shape::Boolean => "string",
            Shape::Array => "array",
            Shape::Map => "map",
        }
    }
}

/// One row of [`TABLE`].
#[derive(Debug)]
pub struct Spec {
    /// The name in the Application.
    pub name: &'static str,
    /// What it holds.
    pub shape: Shape,
    /// A few words for Argo CD's form.
    pub title: &'static str,
    /// What it does, in a sentence, for the documentation.
    pub doc: &'static str,
}

const fn spec(name: &'static str, shape: Shape, title: &'static str, doc: &'static str) -> Spec {
    Spec {
        name,
        shape,
        title,
        doc,
    }
}

/// Every parameter, in the order of the documentation.
pub const TABLE: &[Spec] = &[
    spec(
        "owns",
        Shape::Array,
        "Owned claims",
        "Claims of the destination namespace that this Application owns: its workloads write them, all others only read them. Every claim that the chart renders belongs here.",
    ),
    spec(
        "mounts",
        Shape::Array,
        "Mounts",
        "Claims to mount into a workload whose chart does not know them, each as `CLAIM[/SUBPATH]:PATH[,workload=[Kind/]NAME][,container=NAME][,gid=N]`. Read-only unless the claim is in `owns` or `writes`.",
    ),
    spec(
        "writes",
        Shape::Array,
        "Written claims",
        "Claims of other Applications that this one may write all the same.",
    ),
    spec(
        "values-files",
        Shape::Array,
        "Value files",
        "Helm value files, relative to the chart, or from the repository's root with a leading `/`; later ones win.",
    ),
    spec(
        "values",
        Shape::String,
        "Values",
        "Helm values as YAML; they win over all value files.",
    ),
    spec(
        "helm-parameters",
        Shape::Map,
        "Helm parameters",
        "Single values by path, as `helm template --set`; a comma in a value is kept.",
    ),
    spec(
        "release-name",
        Shape::String,
        "Release name",
        "Helm's release name; the Application's name by default.",
    ),
    spec(
        "namespace",
        Shape::String,
        "Release namespace",
        "Helm's release namespace; the destination namespace by default.",
    ),
    spec(
        "skip-crds",
        Shape::Boolean,
        "Skip CRDs",
        "`true` leaves out the chart's `crds/` folder.",
    ),
    spec(
        "kube-version",
        Shape::String,
        "Kubernetes version",
        "The version that the chart sees; the cluster's by default.",
    ),
    spec(
        "api-versions",
        Shape::Array,
        "API versions",
        "The API versions that the chart sees, as `group/version[/Kind]`; the cluster's by default.",
    ),
    spec(
        "patches",
        Shape::Map,
        "Patches",
        "JSON Patches (RFC 6902) by object: key `[group/]Kind/[namespace/]name`, value the patch as JSON. They come before the storage law, so that none can undo it.",
    ),
    spec(
        "allow-empty",
        Shape::Boolean,
        "Allow empty",
        "`true` lets a render without any object through; without it that is an error, since Argo CD would prune everything.",
    ),
    spec(
        "applications",
        Shape::String,
        "Folder of Applications",
        "Where the Applications lie in the repository that this source belongs to, for the ownership registry on Namespaces; `applications` by default.",
    ),
];

/// A parameter as Argo CD writes it: a name and at most one of three fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameter {
    /// The name.
    pub name: String,
    /// A single string.
    pub string: Option<String>,
    /// A list; present and empty is not the same as absent.
    pub array: Option<Vec<String>>,
    /// Strings by key.
    pub map: Option<BTreeMap<String, String>>,
}

/// All parameters, read and checked; the defaults stand for what was not given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// See [`TABLE`], as for all fields.
    pub owns: BTreeSet<ClaimName>,
    /// `mounts`.
    pub mounts: Vec<Mount>,
    /// `writes`.
    pub writes: BTreeSet<ClaimName>,
    /// `values-files`.
    pub values_files: Vec<String>,
    /// `values`.
    pub values: Option<String>,
    /// `helm-parameters`.
    pub helm_parameters: BTreeMap<String, String>,
    /// `release-name`.
    pub release_name: Option<String>,
    /// `namespace`.
    pub namespace: Option<NamespaceName>,
    /// `skip-crds`.
    pub skip_crds: bool,
    /// `kube-version`.
    pub kube_version: Option<String>,
    /// `api-versions`.
    pub api_versions: Vec<String>,
    /// `patches`: the JSON text of each, checked to be a JSON array.
    pub patches: Vec<(PatchTarget, Value)>,
    /// `allow-empty`.
    pub allow_empty: bool,
    /// `applications`.
    pub applications: Option<String>,
}

/// One thing that is wrong with one parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterError {
    /// Index in the list of parameters, where it belongs to one.
    pub index: Option<usize>,
    /// What is wrong, and what is known or expected.
    pub message: String,
}

impl fmt::Display for ParameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ParameterError {}

/// Reads the list of parameters from its tree: `null` is an empty list, `null` fields are absent.
///
/// # Errors
/// Everything that has not the form that Argo CD's API demands, one error each.
pub fn read(tree: &Value) -> Result<Vec<Parameter>, Vec<ParameterError>> {
    let list = match tree {
        Value::Null => return Ok(Vec::new()),
        Value::Array(list) => list,
        _ => {
            return Err(vec![ParameterError {
                index: None,
                message: "parameters are not a list".to_owned(),
            }]);
        }
    };
    let (mut parameters, mut errors) = (Vec::new(), Vec::new());
    for (index, entry) in list.iter().enumerate() {
        match read_one(entry) {
            Ok(parameter) => parameters.push(parameter),
            Err(message) => errors.push(ParameterError {
                index: Some(index),
                message,
            }),
        }
    }
    if errors.is_empty() { Ok(parameters) } else { Err(errors) }
}

fn read_one(entry: &Value) -> Result<Parameter, String> {
    let Value::Object(fields) = entry else {
        return Err("a parameter is not a map with `name` and one of `string`, `array`, `map`".to_owned());
    };
    let mut parameter = Parameter::default();
    match fields.get("name") {
        Some(Value::String(name)) if !name.is_empty() => parameter.name.clone_from(name),
        _ => return Err("a parameter has no `name`".to_owned()),
    }
    let name = parameter.name.clone();
    for (field, value) in fields {
        let wrong = |expected: &str| format!("parameter `{name}`: `{field}` is not {expected}");
        match (field.as_str(), value) {
            ("name", _) | ("string" | "array" | "map", Value::Null) => {}
            ("string", Value::String(text)) => parameter.string = Some(text.clone()),
            ("string", _) => return Err(wrong("a string; quote it")),
            ("array", Value::Array(items)) => {
                let strings = items
                    .iter()
                    .map(|item| item.as_str().map(str::to_owned))
                    .collect::<Option<_>>();
                parameter.array = Some(strings.ok_or_else(|| wrong("a list of strings; quote its entries"))?);
            }
            ("array", _) => return Err(wrong("a list of strings")),
            ("map", Value::Object(entries)) => {
                let pairs = entries
                    .iter()
                    .map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
                parameter.map = Some(
                    pairs
                        .collect::<Option<_>>()
                        .ok_or_else(|| wrong("a map of strings; quote its values"))?,
                );
            }
            ("map", _) => return Err(wrong("a map of strings")),
            _ => {
                return Err(format!(
                    "parameter `{name}` has the unknown field `{field}`; known are name, string, array, map"
                ));
            }
        }
    }
    Ok(parameter)
}

impl Parameters {
    /// Checks a list of parameters against [`TABLE`] and reads the values.
    ///
    /// # Errors
    /// One for each unknown name (with the known ones), wrong field, duplicate or unreadable value.
    pub fn parse(list: &[Parameter]) -> Result<Self, Vec<ParameterError>> {
        let (mut parameters, mut errors) = (Self::default(), Vec::new());
        let mut seen = BTreeSet::new();
        for (index, parameter) in list.iter().enumerate() {
            let mut fail = |message: String| {
                errors.push(ParameterError {
                    index: Some(index),
                    message,
                })
            };
            if !seen.insert(parameter.name.as_str()) {
                fail(format!("parameter `{}` stands twice", parameter.name));
                continue;
            }
            let Some(spec) = TABLE.iter().find(|spec| spec.name == parameter.name) else {
                let known: Vec<&str> = TABLE.iter().map(|spec| spec.name).collect();
                fail(format!(
                    "parameter `{}` is unknown; known are {}",
                    parameter.name,
                    known.join(", ")
                ));
                continue;
            };
            if let Err(message) = check_shape(spec, parameter) {
                fail(message);
                continue;
            }
            parameters.set(parameter).unwrap_or_else(|messages| {
                messages
                    .into_iter()
                    .for_each(|m| fail(format!("parameter `{}`: {m}", parameter.name)));
            });
        }
        if errors.is_empty() { Ok(parameters) } else { Err(errors) }
    }

    fn set(&mut self, parameter: &Parameter) -> Result<(), Vec<String>> {
        let string = || parameter.string.clone().filter(|text| !text.is_empty());
        let array = parameter.array.as_deref().unwrap_or_default();
        match parameter.name.as_str() {
            "owns" => self.owns = each(array, |name| ClaimName::new(name))?,
            "mounts" => self.mounts = each(array, str::parse::<Mount>)?,
            "writes" => self.writes = each(array, |name| ClaimName::new(name))?,
            "values-files" => self.values_files = array.to_vec(),
            "values" => self.values = string(),
            "helm-parameters" => self.helm_parameters = parameter.map.clone().unwrap_or_default(),
            "release-name" => self.release_name = string(),
            "namespace" => {
                self.namespace = string()
                    .map(NamespaceName::new)
                    .transpose()
                    .map_err(|e| vec![e.to_string()])?
            }
            "skip-crds" => self.skip_crds = parameter.string.as_deref() == Some("true"),
            "kube-version" => self.kube_version = string(),
            "api-versions" => self.api_versions = array.to_vec(),
            "patches" => self.patches = read_patches(parameter.map.as_ref())?,
            "allow-empty" => self.allow_empty = parameter.string.as_deref() == Some("true"),
            "applications" => self.applications = string(),
            name => unreachable!("`{name}` stands in TABLE but is not read"),
        }
        Ok(())
    }
}

/// Reads every entry of an array; all the errors, not only the first.
fn each<T, C: FromIterator<T>>(array: &[String], read: impl Fn(&str) -> anyhow::Result<T>) -> Result<C, Vec<String>> {
    let (good, bad): (Vec<_>, Vec<_>) = array.iter().map(|text| read(text)).partition(Result::is_ok);
    if bad.is_empty() {
        return Ok(good.into_iter().flatten().collect());
    }
    Err(bad
        .into_iter()
        .filter_map(Result::err)
        .map(|error| format!("{error:#}"))
        .collect())
}

fn check_shape(spec: &Spec, parameter: &Parameter) -> Result<(), String> {
    let fields = [
        ("string", parameter.string.is_some()),
        ("array", parameter.array.is_some()),
        ("map", parameter.map.is_some()),
    ];
    let expected = spec.shape.field();
    for (field, present) in fields {
        if present && field != expected {
            return Err(format!(
                "parameter `{}` has `{field}`, it takes `{expected}`",
                spec.name
            ));
        }
    }
    if spec.shape == Shape::Boolean && !matches!(parameter.string.as_deref(), None | Some("" | "true" | "false")) {
        return Err(format!("parameter `{}` is neither \"true\" nor \"false\"", spec.name));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(tree: Value) -> Result<Parameters, Vec<String>> {
        let list = read(&tree).map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        Parameters::parse(&list).map_err(|errors| errors.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn every_row_of_the_table_is_read() {
        for spec in TABLE {
            let value = match spec.shape {
                Shape::String if spec.name == "namespace" => json!("media"),
                Shape::String => json!("x"),
                Shape::Boolean => json!("true"),
                Shape::Array if spec.name == "mounts" => json!(["media:/m"]),
                Shape::Array => json!(["x"]),
                Shape::Map if spec.name == "patches" => json!({"Pod/x": "[]"}),
                Shape::Map => json!({"x": "y"}),
            };
            let parsed = parse(json!([{"name": spec.name, spec.shape.field(): value}])).unwrap();
            assert_ne!(parsed, Parameters::default(), "{}", spec.name);
        }
    }

    #[test]
    fn null_absent_and_empty_are_defaults() {
        assert_eq!(parse(json!(null)).unwrap(), Parameters::default());
        assert_eq!(
            parse(json!([{"name": "owns", "array": []}])).unwrap(),
            Parameters::default()
        );
        assert_eq!(
            parse(json!([{"name": "values", "string": null}, {"name": "owns"}])).unwrap(),
            Parameters::default()
        );
    }

    #[test]
    fn what_is_wrong_is_said_all_at_once() {
        let errors = parse(json!([
            {"name": "own", "array": ["a"]},
            {"name": "owns", "string": "a"},
            {"name": "skip-crds", "string": "yes"},
            {"name": "mounts", "array": ["media:m"]},
            {"name": "mounts", "array": []},
            {"name": "patches", "map": {"deployment/x": "[]", "Pod/x": "{}", "Pod/y": "["}},
        ]))
        .unwrap_err();
        let all = errors.join("\n");
        for part in [
            "`own` is unknown; known are owns,",
            "has `string`, it takes `array`",
            "neither \"true\"",
            "not absolute",
            "stands twice",
            "[group/]Kind",
            "not a JSON array",
            "line 1",
        ] {
            assert!(all.contains(part), "{part} in {all}");
        }
    }

    #[test]
    fn wrong_json_types_are_named() {
        for (tree, part) in [
            (json!({}), "not a list"),
            (json!([1]), "not a map"),
            (json!([{"string": "x"}]), "no `name`"),
            (json!([{"name": "owns", "array": [1]}]), "quote its entries"),
            (json!([{"name": "values", "string": true}]), "quote it"),
            (
                json!([{"name": "helm-parameters", "map": {"a": 1}}]),
                "quote its values",
            ),
            (json!([{"name": "owns", "list": []}]), "unknown field `list`"),
        ] {
            let all = parse(tree).unwrap_err().join("\n");
            assert!(all.contains(part), "{part} in {all}");
        }
    }
}
