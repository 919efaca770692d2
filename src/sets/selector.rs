//! Selectors over parameters ([source](https://argo-cd.readthedocs.io/en/stable/operator-manual/applicationset/Generators-Post-Selector/)).

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::Reason;
use super::template::{Items, Value, printed};
use crate::model::label;

/// A selector.
pub(super) struct Selector(Vec<Requirement>);

struct Requirement {
    key: String,
    operator: Operator,
    values: Vec<String>,
}

#[derive(Clone, Copy, PartialEq)]
enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

impl Selector {
    /// Reads a selector; one that is empty selects everything.
    pub(super) fn new(selector: &Json) -> Result<Self, Reason> {
        let mut requirements = Vec::new();
        for (key, value) in selector["matchLabels"].as_object().into_iter().flatten() {
            let values = value.as_str().map(str::to_owned).into_iter().collect();
            requirements.push(Requirement::new(key, Operator::In, values)?);
        }
        for expression in selector["matchExpressions"].as_array().into_iter().flatten() {
            let operator = match expression["operator"].as_str() {
                Some("In") => Operator::In,
                Some("NotIn") => Operator::NotIn,
                Some("Exists") => Operator::Exists,
                Some("DoesNotExist") => Operator::DoesNotExist,
                _ => return Err(Reason::invalid("a selector has an unknown operator")),
            };
            let key = expression["key"].as_str().unwrap_or_default();
            requirements.push(Requirement::new(key, operator, texts(&expression["values"]))?);
        }
        Ok(Self(requirements))
    }

    /// Reads a selector of Kubernetes, whose values have to be those of labels.
    pub(super) fn of_labels(selector: &Json) -> Result<Self, Reason> {
        let read = Self::new(selector)?;
        let values = read.0.iter().flat_map(|requirement| &requirement.values);
        match values.map(|value| label::check_value(value)).find_map(Result::err) {
            Some(error) => Err(Reason::invalid(format!("a selector of labels is malformed: {error:#}"))),
            None => Ok(read),
        }
    }

    /// Reports whether labels are selected.
    pub(super) fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.iter().all(|requirement| {
            let value = labels.get(&requirement.key);
            let is_named = value.is_some_and(|value| requirement.values.contains(value));
            match requirement.operator {
                Operator::In => is_named,
                Operator::NotIn => !is_named,
                Operator::Exists => value.is_some(),
                Operator::DoesNotExist => value.is_none(),
            }
        })
    }
}

impl Requirement {
    fn new(key: &str, operator: Operator, values: Vec<String>) -> Result<Self, Reason> {
        if !is_qualified(key) {
            return Err(Reason::invalid(format!(
                "`{key}` is not allowed as a key of a selector"
            )));
        }
        let needs_values = matches!(operator, Operator::In | Operator::NotIn);
        if needs_values == values.is_empty() {
            return Err(Reason::invalid(format!(
                "the selector of `{key}` has a wrong number of values"
            )));
        }
        Ok(Self {
            key: key.to_owned(),
            operator,
            values,
        })
    }
}

/// Reports whether Kubernetes accepts a key of a label.
fn is_qualified(key: &str) -> bool {
    let (prefix, name) = key
        .split_once('/')
        .map_or((None, key), |(prefix, name)| (Some(prefix), name));
    let is_edge = |text: &str, letters: fn(&u8) -> bool| {
        let bytes = text.as_bytes();
        bytes.first().is_some_and(letters) && bytes.last().is_some_and(letters)
    };
    let is_name = name.len() <= 63
        && is_edge(name, u8::is_ascii_alphanumeric)
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    let is_lower = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_part = |part: &str| {
        is_edge(part, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            && part.bytes().all(|byte| is_lower(&byte) || byte == b'-')
    };
    is_name && prefix.is_none_or(|prefix| prefix.len() <= 253 && prefix.split('.').all(is_part))
}

/// Flattens parameters to texts, with dots between the keys.
pub(super) fn flattened(parameters: &Value) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    flatten("", parameters, &mut out);
    out
}

fn flatten(prefix: &str, value: &Value, out: &mut BTreeMap<String, String>) {
    let key = |name: &str| {
        if prefix.is_empty() {
            name.to_owned()
        } else {
            format!("{prefix}.{name}")
        }
    };
    match value {
        Value::Map(_, entries) => {
            for (name, value) in entries.borrow().iter() {
                flatten(&key(name), value, out);
            }
        }
        Value::List(Items::Any, items) => {
            for (index, value) in items.iter().enumerate() {
                flatten(&key(&index.to_string()), value, out);
            }
        }
        value => {
            out.insert(prefix.to_owned(), printed(value));
        }
    }
}

/// Returns the texts of a list.
pub(super) fn texts(list: &Json) -> Vec<String> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
}
