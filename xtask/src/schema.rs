//! `cargo xtask schema`: the fields of Argo CD's kinds as one small table, from the custom resource definitions of the
//! pinned Argo CD. `validate` checks manifests against it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::{repository, tools};

/// The program that has the custom resource definitions beside it.
const TOOL: &str = "verdicts";
/// The definitions: the file of each, and its kind.
const DEFINITIONS: [(&str, &str); 3] = [
    ("application-crd.yaml", "Application"),
    ("applicationset-crd.yaml", "ApplicationSet"),
    ("appproject-crd.yaml", "AppProject"),
];
/// The table in the repository.
const TABLE: &str = "src/model/argocd_schema.txt";
/// The fields of `metadata`, which a custom resource definition leaves to Kubernetes
/// ([source](https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/)).
const METADATA: &str = "
ObjectMeta
  annotations {string}
  creationTimestamp date-time
  deletionGracePeriodSeconds integer
  deletionTimestamp date-time
  finalizers [string]
  generateName string
  generation integer
  labels {string}
  managedFields [object]
  name string
  namespace string
  ownerReferences [object]
  resourceVersion string
  selfLink string
  uid string
";

/// What to write.
#[derive(clap::Args)]
pub(crate) struct Request {
    /// File to write; by default the table in the repository
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Writes the table.
pub(crate) fn write(request: &Request) -> Result<()> {
    let folder = tools::get(TOOL)?;
    let folder = folder.parent().context("the program has a folder")?;
    let mut table = Table::default();
    for (file, kind) in DEFINITIONS {
        let definition = read(&folder.join(file))?;
        table
            .add(&definition, kind)
            .with_context(|| format!("cannot understand {file}"))?;
    }
    let text = table.print(&tools::version(TOOL)?)?;
    let path = request.output.clone().unwrap_or_else(|| repository::root().join(TABLE));
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn read(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(yaml_serde::from_str(&text)?)
}

/// The types of the definitions: each set of fields once, under the name of the field where it was met first.
#[derive(Default)]
struct Table {
    /// The names by the fields of the type, as JSON without descriptions.
    names: BTreeMap<String, String>,
    /// The fields of each type, in the order in which the types were met.
    types: Vec<(String, Vec<String>)>,
    queue: VecDeque<(String, Value)>,
}

impl Table {
    fn add(&mut self, definition: &Value, kind: &str) -> Result<()> {
        let versions = definition["spec"]["versions"]
            .as_array()
            .context("there are no versions")?;
        let [version] = &versions[..] else {
            bail!("there is more than one version");
        };
        ensure!(definition["spec"]["names"]["kind"] == kind && version["name"] == "v1alpha1");
        let mut schema = version["schema"]["openAPIV3Schema"].clone();
        normalise(&mut schema);
        self.name(&schema, kind, "")?;
        while let Some((name, schema)) = self.queue.pop_front() {
            let fields = self.fields(&name, &schema)?;
            self.types.push((name, fields));
        }
        Ok(())
    }

    /// Returns the lines of a type's fields.
    fn fields(&mut self, name: &str, schema: &Value) -> Result<Vec<String>> {
        let required: BTreeSet<&str> = schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let fields = schema["properties"].as_object().context("it has no fields")?;
        ensure!(
            required.iter().all(|field| fields.contains_key(*field)),
            "{name}: a required field is unknown"
        );
        let mut lines = Vec::new();
        for (field, schema) in fields {
            let of = if field == "metadata" && schema["properties"].is_null() {
                "ObjectMeta".to_owned()
            } else {
                self.type_of(schema, name, field)
                    .with_context(|| format!("{name}.{field}"))?
            };
            let mark = if required.contains(field.as_str()) { "!" } else { "" };
            lines.push(format!("{field}{mark} {of}"));
        }
        Ok(lines)
    }

    /// Returns a type as it is written behind a field.
    fn type_of(&mut self, schema: &Value, parent: &str, field: &str) -> Result<String> {
        let has = |keys: &[&str]| {
            schema
                .as_object()
                .is_some_and(|map| map.keys().all(|key| keys.contains(&key.as_str())))
        };
        if schema["x-kubernetes-int-or-string"] == true {
            ensure!(has(&["anyOf", "x-kubernetes-int-or-string"]), "{schema}");
            return Ok("int-or-string".to_owned());
        }
        if schema["x-kubernetes-preserve-unknown-fields"] == true {
            ensure!(has(&["type", "x-kubernetes-preserve-unknown-fields"]), "{schema}");
            return Ok(if schema["type"] == "object" { "object" } else { "any" }.to_owned());
        }
        match schema["type"].as_str() {
            Some("string") => {
                ensure!(
                    has(&["type", "format", "enum", "pattern", "minLength", "maxLength"]),
                    "{schema}"
                );
                text_type(schema)
            }
            Some("boolean") if has(&["type"]) => Ok("boolean".to_owned()),
            Some("integer") if has(&["type", "format"]) => Ok("integer".to_owned()),
            Some("array") if has(&["type", "items"]) => {
                Ok(format!("[{}]", self.type_of(&schema["items"], parent, field)?))
            }
            Some("object") if has(&["type", "additionalProperties"]) && schema["additionalProperties"].is_object() => {
                Ok(format!(
                    "{{{}}}",
                    self.type_of(&schema["additionalProperties"], parent, field)?
                ))
            }
            Some("object") if has(&["type", "properties", "required"]) && schema["properties"].is_object() => {
                self.name(schema, &capitalised(field), parent)
            }
            _ => bail!("unknown: {schema}"),
        }
    }

    /// Returns the name of a set of fields; a new one is described later.
    fn name(&mut self, schema: &Value, wanted: &str, parent: &str) -> Result<String> {
        let fields = serde_json::to_string(schema)?;
        if let Some(name) = self.names.get(&fields) {
            return Ok(name.clone());
        }
        let is_free = |name: &String| !self.names.values().any(|taken| taken == name) && name != "ObjectMeta";
        let longer = || (2..).map(|number| format!("{parent}{wanted}{number}"));
        let mut names = [wanted.to_owned(), format!("{parent}{wanted}")]
            .into_iter()
            .chain(longer());
        let name = names.find(is_free).context("there is always a free name")?;
        self.names.insert(fields, name.clone());
        self.queue.push_back((name.clone(), schema.clone()));
        Ok(name)
    }

    fn print(&self, version: &str) -> Result<String> {
        let mut text = format!(
            "# The fields of Argo CD's kinds, from its custom resource definitions. Written by `cargo xtask schema`.\n\
# `!` marks required fields; `[T]` is a list, `{{T}}` a map of any keys, `object` a map of anything.\nversion {}\n{METADATA}",
            version.trim_start_matches('v')
        );
        for (name, fields) in &self.types {
            writeln!(text, "\n{name}")?;
            fields.iter().try_for_each(|field| writeln!(text, "  {field}"))?;
        }
        Ok(text)
    }
}

/// Returns the type of a text: `string`, `date-time`, the texts that it may be, or what it may not be.
fn text_type(schema: &Value) -> Result<String> {
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
        return Ok(values.join("|"));
    }
    let bound = |key: &str| schema[key].as_u64();
    match (
        schema["format"].as_str(),
        schema["pattern"].as_str(),
        bound("minLength"),
        bound("maxLength"),
    ) {
        (None, None, None, None) => Ok("string".to_owned()),
        (Some("date-time"), None, None, None) => Ok("date-time".to_owned()),
        // At least two characters, or one that is neither a dot nor a slash.
        (None, Some("^.{2,}|[^./]$"), Some(1), None) => Ok("path".to_owned()),
        (None, None, None, Some(most)) => Ok(format!("string..{most}")),
        _ => bail!("unknown: {schema}"),
    }
}

/// Removes what says nothing about values: descriptions, and how lists are merged.
fn normalise(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            // A field may have one of these names: only texts are descriptions.
            map.retain(|key, value| {
                !(key == "description" && value.is_string()
                    || matches!(key.as_str(), "x-kubernetes-map-type" | "x-kubernetes-list-type")
                    || key == "required" && value.as_array().is_some_and(Vec::is_empty))
            });
            map.values_mut().for_each(normalise);
        }
        Value::Array(list) => list.iter_mut().for_each(normalise),
        _ => {}
    }
}

fn capitalised(field: &str) -> String {
    let mut letters = field.chars();
    letters
        .next()
        .map(|first| first.to_ascii_uppercase())
        .into_iter()
        .chain(letters)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn table(fields: Value) -> Result<String> {
        let schema = json!({"type": "object", "required": ["a"], "properties": fields});
        let definition = json!({"spec": {"names": {"kind": "K"}, "versions": [
            {"name": "v1alpha1", "schema": {"openAPIV3Schema": schema}}]}});
        let mut table = Table::default();
        table.add(&definition, "K")?;
        Ok(table.print("v1.2.3")?.split_once("uid string\n").unwrap().1.to_owned())
    }

    #[test]
    fn a_set_of_fields_stands_there_once() {
        let of = json!({"type": "object", "properties": {"x": {"type": "boolean", "description": "d"}}});
        let text = table(json!({
            "a": {"type": "array", "items": of, "x-kubernetes-list-type": "atomic"}, "b": of,
            "c": {"type": "object", "additionalProperties": {"type": "string"}}, "metadata": {"type": "object"},
            "d": {"type": "string", "enum": ["x", "y"]}, "e": {"x-kubernetes-preserve-unknown-fields": true},
        }));
        assert_eq!(
            text.unwrap(),
            "\nK\n  a! [A]\n  b A\n  c {string}\n  metadata ObjectMeta\n  d x|y\n  e any\n\nA\n  x boolean\n"
        );
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for schema in [
            json!({"type": "string", "pattern": "x"}),
            json!({"type": "integer", "minimum": 1}),
            json!({"type": "object", "properties": {}, "x-kubernetes-validations": []}),
            json!({"type": "number"}),
        ] {
            assert!(table(json!({"a": schema})).is_err(), "{schema}");
        }
        assert!(
            table(json!({"b": {"type": "string"}})).is_err(),
            "a required field is missing"
        );
    }
}
