//! The options of Argo CD's own tools and the parameters of the plugin with the same meaning: one table, for rendering a
//! native source, and for moving one to the plugin and back.
//!
//! Options: <https://argo-cd.readthedocs.io/en/stable/user-guide/helm/>,
//! <https://argo-cd.readthedocs.io/en/stable/user-guide/directory/>.

mod add;
mod to_options;

use anyhow::Result;
use serde_json::Value;

use super::application::Source;
use super::parameter::STAMP_APP;
use super::pointer::{Pointer, PointerBuf};

use add::add;
pub use to_options::{Returned, to_options};

/// How an option is written, and how its parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A string on both sides.
    String,
    /// A list of strings on both sides.
    Strings,
    /// A boolean, and the string `true`.
    Boolean,
    /// A map of any depth, and its YAML as a string.
    Yaml,
    /// A list of `{name, value}`, and a map. Those with `forceString` have a parameter of their own.
    Values,
    /// A list of `{name, path}`, and a map.
    Paths,
    /// A list of `{name, count}`, and a map of strings; a count is a number or a string.
    Counts,
    /// A map of strings on both sides.
    Map,
    /// A list of maps of any depth, and a list of their YAML.
    Documents,
}

impl Form {
    /// Returns the field of an entry that has a name.
    fn field(self) -> &'static str {
        match self {
            Self::Paths => "path",
            Self::Counts => "count",
            _ => "value",
        }
    }
}

/// One option.
#[derive(Debug)]
pub struct Row {
    /// The block that it belongs to: `helm`, `kustomize` or `directory`.
    pub tool: &'static str,
    /// Its name there.
    pub option: &'static str,
    /// The parameter.
    pub parameter: &'static str,
    /// How both are written.
    pub form: Form,
}

const fn row(tool: &'static str, option: &'static str, parameter: &'static str, form: Form) -> Row {
    Row {
        tool,
        option,
        parameter,
        form,
    }
}

/// The parameter for entries of `helm.parameters` that have `forceString`.
pub const STRING_PARAMETERS: &str = "helm-string-parameters";

/// Parameters of the plugin alone whose loss changes nothing in what the chart renders. Claims in `owns` lose their guards, and templates
/// the label by which the lock knows whose they are.
pub const WITHOUT_OPTION: [&str; 3] = ["owns", "allow-empty", STAMP_APP];

/// Every option that has a parameter. `valuesObject` stands behind `values`: the parameter goes back to `values`.
pub const TABLE: &[Row] = &[
    row("helm", "valueFiles", "values-files", Form::Strings),
    row(
        "helm",
        "ignoreMissingValueFiles",
        "ignore-missing-values-files",
        Form::Boolean,
    ),
    row("helm", "values", "values", Form::String),
    row("helm", "valuesObject", "values", Form::Yaml),
    row("helm", "parameters", "helm-parameters", Form::Values),
    row("helm", "fileParameters", "helm-file-parameters", Form::Paths),
    row("helm", "releaseName", "release-name", Form::String),
    row("helm", "namespace", "namespace", Form::String),
    row("helm", "skipCrds", "skip-crds", Form::Boolean),
    row("helm", "skipTests", "skip-tests", Form::Boolean),
    row("helm", "skipSchemaValidation", "skip-schema-validation", Form::Boolean),
    row("helm", "kubeVersion", "kube-version", Form::String),
    row("helm", "apiVersions", "api-versions", Form::Strings),
    row("kustomize", "namePrefix", "name-prefix", Form::String),
    row("kustomize", "nameSuffix", "name-suffix", Form::String),
    row("kustomize", "namespace", "kustomize-namespace", Form::String),
    row("kustomize", "images", "images", Form::Strings),
    row("kustomize", "replicas", "replicas", Form::Counts),
    row("kustomize", "commonLabels", "common-labels", Form::Map),
    row("kustomize", "forceCommonLabels", "force-common-labels", Form::Boolean),
    row(
        "kustomize",
        "labelWithoutSelector",
        "label-without-selector",
        Form::Boolean,
    ),
    row(
        "kustomize",
        "labelIncludeTemplates",
        "label-include-templates",
        Form::Boolean,
    ),
    row("kustomize", "commonAnnotations", "common-annotations", Form::Map),
    row(
        "kustomize",
        "forceCommonAnnotations",
        "force-common-annotations",
        Form::Boolean,
    ),
    row(
        "kustomize",
        "commonAnnotationsEnvsubst",
        "common-annotations-envsubst",
        Form::Boolean,
    ),
    row("kustomize", "patches", "kustomize-patches", Form::Documents),
    row("kustomize", "components", "components", Form::Strings),
    row(
        "kustomize",
        "ignoreMissingComponents",
        "ignore-missing-components",
        Form::Boolean,
    ),
    row("kustomize", "kubeVersion", "kube-version", Form::String),
    row("kustomize", "apiVersions", "api-versions", Form::Strings),
    row("kustomize", "version", "kustomize-version", Form::String),
    row("directory", "recurse", "recurse", Form::Boolean),
    row("directory", "include", "include", Form::String),
    row("directory", "exclude", "exclude", Form::String),
];

/// Options that have no parameter and need none, and why they can be left out.
const WITHOUT_EFFECT: &[(&str, &str, &str)] = &[
    ("helm", "version", "Argo CD ignores it"),
    (
        "helm",
        "passCredentials",
        "the plugin fetches with the credentials of its own registry and repository configuration",
    ),
];

/// The options of a source as parameters of the plugin.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Moved {
    /// The parameters, in the options' order, as an Application writes them.
    pub parameters: Vec<Value>,
    /// For each option, and each entry of one, its JSON Pointer in the source and that of the parameter that it became,
    /// below the list of parameters.
    pub places: Vec<(PointerBuf, PointerBuf)>,
    /// As `places`, for every scalar that stays the same string.
    pub texts: Vec<(PointerBuf, PointerBuf)>,
    /// JSON Pointers of what is left out, and why it can be.
    pub left_out: Vec<(PointerBuf, &'static str)>,
}

/// What a source has that cannot be moved: where, what, and what to do instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// JSON Pointer in the Application.
    pub pointer: PointerBuf,
    /// What is not supported.
    pub why: String,
    /// What to do instead, in the imperative.
    pub hint: String,
}

/// Reports whether an option is as if it were not there: Argo CD takes zero values for absent.
pub fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.values().all(is_zero),
    }
}

/// Returns the parameter of the plugin that an option of a tool becomes.
pub fn parameter_of(tool: &str, option: &str) -> Option<&'static str> {
    let row = TABLE.iter().find(|row| row.tool == tool && row.option == option)?;
    Some(row.parameter)
}

/// Returns the `ref` of the source that a file belongs to, as in `$values/home.yaml`; `None` for a file of the source itself.
pub fn reference(file: &str) -> Option<&str> {
    file.strip_prefix('$')?.split('/').next()
}

/// Returns the options of a source as parameters; `yaml` prints the value of `valuesObject`, given its JSON Pointer. A file of
/// another source (`$values/…`) keeps its name.
///
/// # Errors
/// Everything that has no parameter, with its place.
pub fn to_parameters(
    source: &Source<'_>,
    yaml: impl Fn(&Pointer, &Value) -> Result<String>,
) -> Result<Moved, Vec<Unsupported>> {
    let (mut moved, mut unsupported) = (Moved::default(), Vec::new());
    let blocks = [
        ("helm", source.helm()),
        ("kustomize", source.kustomize()),
        ("directory", source.directory()),
    ];
    for (tool, block) in blocks {
        for (option, value) in block.and_then(Value::as_object).into_iter().flatten() {
            let pointer = source.at(&[tool, option]);
            let without_effect = WITHOUT_EFFECT
                .iter()
                .find(|(of, name, _)| *of == tool && name == option);
            let known = TABLE.iter().find(|row| row.tool == tool && row.option == option);
            // `valuesObject` wins over `values`, even when it is empty.
            let is_beaten = known.is_some_and(|row| row.parameter == "values" && row.form == Form::String)
                && block
                    .and_then(|block| block.get("valuesObject"))
                    .is_some_and(Value::is_object);
            // Zero values of an object are values of the chart, or of the labels.
            let holds_zeros = |row: &Row| matches!(row.form, Form::Yaml | Form::Map);
            let is_object = known.is_some_and(holds_zeros) && value.as_object().is_some_and(|map| !map.is_empty());
            match (known, without_effect) {
                _ if is_zero(value) && !is_object => {}
                (_, Some((_, _, why))) => moved.left_out.push((pointer, why)),
                (Some(_), _) if is_beaten => {
                    moved
                        .left_out
                        .push((pointer, "`valuesObject` beside it wins in Argo CD, too"));
                }
                (Some(row), _) => {
                    let added = add(row, &pointer, value, &yaml, &mut moved);
                    unsupported.extend(added.err());
                }
                (None, None) => unsupported.push(without_parameter(tool, option, pointer)),
            }
        }
    }
    if unsupported.is_empty() {
        Ok(moved)
    } else {
        Err(unsupported)
    }
}

fn without_parameter(tool: &str, option: &str, pointer: PointerBuf) -> Unsupported {
    let hint = match option {
        "jsonnet" => "leave it to Argo CD: the plugin renders YAML and JSON only",
        _ => "leave the source to Argo CD, or configure it in another way",
    };
    Unsupported {
        pointer,
        why: format!("`{tool}.{option}` is an unknown option"),
        hint: hint.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::AsPointer;
    use crate::model::parameter::{self, Parameters};
    use serde_json::{Map, json};

    const POINTER: &str = "/spec/source";

    fn of(tree: &Value) -> Source<'_> {
        Source::new(POINTER.as_pointer().to_buf(), tree)
    }

    fn moved(tree: &Value) -> Result<Moved, Vec<Unsupported>> {
        to_parameters(&of(tree), |_, value| Ok(format!("{value}\n")))
    }

    fn every_option() -> Value {
        json!({"repoURL": "u", "path": "p", "helm": {
            "valueFiles": ["a.yaml", "/b.yaml"], "ignoreMissingValueFiles": true, "values": "a: 1\n",
            "parameters": [{"name": "x.y", "value": "1"}, {"name": "z", "value": "2", "forceString": true}],
            "fileParameters": [{"name": "f", "path": "f.txt"}], "releaseName": "r", "namespace": "n",
            "skipCrds": true, "skipTests": true, "skipSchemaValidation": true, "kubeVersion": "1.30.0",
            "apiVersions": ["v1"]},
            "directory": {"recurse": true, "include": "*.yaml", "exclude": "b*"}})
    }

    fn every_option_of_kustomize() -> Value {
        json!({"repoURL": "u", "path": "p", "kustomize": {
            "namePrefix": "a-", "nameSuffix": "-b", "namespace": "n", "images": ["a=b:1"],
            "replicas": [{"name": "w", "count": 2}], "commonLabels": {"a": "", "b": "c"}, "forceCommonLabels": true,
            "labelWithoutSelector": true, "labelIncludeTemplates": true, "commonAnnotations": {"x": "y"},
            "forceCommonAnnotations": true, "commonAnnotationsEnvsubst": true,
            "patches": [{"target": {"kind": "Pod"}, "patch": "- op: remove\n"}, {"path": "p.yaml"}],
            "components": ["../c"], "ignoreMissingComponents": true, "kubeVersion": "1.30.0", "apiVersions": ["v1"],
            "version": "v5"}})
    }

    #[test]
    fn every_option_of_kustomize_has_its_parameter_and_goes_back() {
        let tree = every_option_of_kustomize();
        let there = moved(&tree).unwrap();
        let list = parameter::read(&json!(there.parameters)).unwrap();
        let parsed = Parameters::parse(&list).unwrap();
        assert_eq!(parsed.kustomize.replicas["w"], 2);
        assert_eq!(parsed.kustomize.common_labels["a"], "");
        assert_eq!(parsed.kustomize.patches.len(), 2);
        for row in TABLE.iter().filter(|row| row.tool == "kustomize") {
            assert!(
                list.iter().any(|parameter| parameter.name == row.parameter),
                "{}",
                row.parameter
            );
        }
        for (from, to) in &there.places {
            assert!(of(&tree).value(from).is_some(), "{from}");
            assert!(json!(there.parameters).pointer(to.as_str()).is_some(), "{to}");
        }
        let mut plugin = json!({"repoURL": "u", "path": "p"});
        plugin["plugin"] = json!({"name": "homelab-v1", "parameters": there.parameters});
        let back = to_options(&of(&plugin), true, |text| serde_json::from_str(text).ok());
        assert_eq!(
            back.blocks,
            Map::from_iter([("kustomize".to_owned(), tree["kustomize"].clone())])
        );
        for (from, to) in &back.places {
            assert!(of(&plugin).value(from).is_some(), "{from}");
            assert!(tree.pointer(to.as_str()).is_some(), "{to}");
        }
    }

    #[test]
    fn every_option_has_its_parameter_and_goes_back() {
        let tree = every_option();
        let there = moved(&tree).unwrap();
        let list = parameter::read(&json!(there.parameters)).unwrap();
        let parsed = Parameters::parse(&list).unwrap();
        assert_eq!(parsed.values_files, ["a.yaml", "/b.yaml"]);
        let names: Vec<&str> = list.iter().map(|parameter| parameter.name.as_str()).collect();
        for row in TABLE.iter().filter(|row| row.tool != "kustomize") {
            assert!(
                names.contains(&row.parameter),
                "{} is not among {names:?}",
                row.parameter
            );
        }
        let mut plugin = json!({"repoURL": "u", "path": "p"});
        plugin["plugin"] = json!({"name": "homelab-v1", "parameters": there.parameters});
        let back = to_options(&of(&plugin), false, |_| None);
        assert_eq!(back.blocks["helm"], tree["helm"]);
        assert_eq!(back.blocks["directory"], tree["directory"]);
        let texts = |value: &Value| serde_json::to_string(value).unwrap();
        assert_eq!(texts(&back.blocks["helm"]), texts(&tree["helm"]), "the order stays");
    }

    #[test]
    fn entries_know_where_they_went() {
        let tree = every_option();
        let there = moved(&tree).unwrap();
        let list = json!(there.parameters);
        for (from, to) in &there.places {
            assert!(of(&tree).value(from).is_some(), "{from}");
            assert!(list.pointer(to.as_str()).is_some(), "{from} → {to} in {list}");
        }
        let goal = |from: &str| {
            there
                .places
                .iter()
                .find(|(pointer, _)| pointer.as_str() == from)
                .unwrap()
                .1
                .clone()
        };
        assert_eq!(goal("/spec/source/helm/parameters/1"), "/4/map/z");
        assert_eq!(goal("/spec/source/helm/valueFiles/1"), "/0/array/1");
    }

    #[test]
    fn zero_is_absent_and_the_object_wins() {
        let tree = json!({"helm": {"releaseName": "", "valueFiles": [], "skipCrds": false, "values": "a: 2", "version": "v3",
            "valuesObject": {"a": 1}, "passCredentials": true}, "directory": {"recurse": false, "jsonnet": {}}});
        let there = moved(&tree).unwrap();
        assert_eq!(
            json!(there.parameters),
            json!([{"name": "values", "string": "{\"a\":1}\n"}])
        );
        let left: Vec<&str> = there.left_out.iter().map(|(pointer, _)| pointer.as_str()).collect();
        assert_eq!(
            left,
            [
                "/spec/source/helm/values",
                "/spec/source/helm/version",
                "/spec/source/helm/passCredentials"
            ]
        );
    }

    #[test]
    fn what_cannot_be_moved_is_named_with_its_place() {
        let tree = json!({"helm": {"valueFiles": ["a.yaml", "$values/b.yaml", "$ARGOCD_APP_NAME.yaml"], "new": 1,
            "fileParameters": [{"name": "x", "path": "$values/x"}], "releaseName": 7, "apiVersions": ["v1", 2],
            "parameters": [{"name": "a", "value": 1}]},
            "directory": {"jsonnet": {"libs": ["x"]}}});
        let unsupported = moved(&tree).unwrap_err();
        let pointers: Vec<&str> = unsupported
            .iter()
            .map(|unsupported| unsupported.pointer.as_str())
            .collect();
        assert_eq!(
            pointers,
            [
                "/spec/source/helm/new",
                "/spec/source/helm/releaseName",
                "/spec/source/helm/apiVersions/1",
                "/spec/source/helm/parameters/0",
                "/spec/source/directory/jsonnet",
            ]
        );
        assert_eq!(reference("$values/b.yaml"), Some("values"));
        assert_eq!(reference("b.yaml"), None);
    }
}
