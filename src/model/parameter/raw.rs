//! A parameter as it is written in an Application or in `ARGOCD_APP_PARAMETERS`: a name and a string, a list or a map; not yet
//! held against the table.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

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

impl Parameter {
    /// Returns the string, an empty one as none.
    pub(super) fn text(&self) -> Option<String> {
        self.string.clone().filter(|text| !text.is_empty())
    }

    /// Reports whether the string is `true`.
    pub(super) fn is_true(&self) -> bool {
        self.string.as_deref() == Some("true")
    }

    /// Returns the array; none is an empty one.
    pub(super) fn list(&self) -> &[String] {
        self.array.as_deref().unwrap_or_default()
    }

    /// Returns the map; none is an empty one.
    pub(super) fn entries(&self) -> BTreeMap<String, String> {
        self.map.clone().unwrap_or_default()
    }
}

/// One thing that is wrong with one parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterError {
    /// Index in the list of parameters, where it belongs to one.
    pub index: Option<usize>,
    /// What is wrong, and what is known or expected.
    pub message: String,
}

impl ParameterError {
    /// Returns all that is wrong in one line.
    pub fn line(errors: &[Self]) -> String {
        let errors: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
        errors.join("; ")
    }
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
