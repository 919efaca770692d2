//! The way back: the plugin's parameters as options of Argo CD's own tools.

use serde_json::{Map, Value, json};

use super::{Form, Row, STRING_PARAMETERS, TABLE, is_zero};
use crate::model::application::Source;
use crate::model::pointer::{Pointer, PointerBuf, PointerExt};

/// The parameters of a source as options of Argo CD's own tools.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Returned {
    /// The blocks `helm`, `kustomize` and `directory`, those without options left out.
    pub blocks: Map<String, Value>,
    /// For each parameter, and each entry of one, its JSON Pointer in the source and that of the option that it became,
    /// below the source.
    pub places: Vec<(PointerBuf, PointerBuf)>,
    /// As `places`, for every scalar that stays the same string.
    pub texts: Vec<(PointerBuf, PointerBuf)>,
}

/// Returns the parameters of a source as options, in their order; parameters that only the plugin has are not among
/// them. `is_kustomize` says that the source is a Kustomize folder; `yaml` reads the value of a text.
pub fn to_options(source: &Source<'_>, is_kustomize: bool, yaml: impl Fn(&str) -> Option<Value>) -> Returned {
    let mut returned = Returned::default();
    let list = source.plugin().and_then(|plugin| plugin.get("parameters")?.as_array());
    for (index, parameter) in list.into_iter().flatten().enumerate() {
        let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
        // Some parameters are options of both Helm and Kustomize.
        let mut rows = TABLE.iter().filter(|row| row.parameter == name);
        let first = rows.next();
        let row = rows.find(|row| is_kustomize && row.tool == "kustomize").or(first);
        let (row, force) = match row {
            Some(row) => (row, false),
            None if name == STRING_PARAMETERS => match TABLE.iter().find(|row| row.form == Form::Values) {
                Some(row) => (row, true),
                None => continue,
            },
            None => continue,
        };
        let pointer = source.at(&["plugin", "parameters"]).child(index);
        let block = returned.blocks.entry(row.tool).or_insert_with(|| json!({}));
        let option = PointerBuf::from_tokens([row.tool, row.option]);
        let mut places = vec![(pointer.clone(), option.clone())];
        let mut texts = vec![(pointer.child("string"), option.clone())];
        let value = match row.form {
            Form::String | Form::Yaml => parameter.get("string").cloned(),
            Form::Boolean => Some(json!(parameter.get("string").and_then(Value::as_str) == Some("true"))),
            Form::Strings => parameter.get("array").cloned(),
            Form::Map => parameter.get("map").cloned(),
            Form::Documents => {
                let texts = parameter.get("array").and_then(Value::as_array).into_iter().flatten();
                Some(texts.filter_map(|text| yaml(text.as_str()?)).collect())
            }
            Form::Values | Form::Paths | Form::Counts => {
                let before = block.get(row.option).and_then(Value::as_array).cloned();
                let mut entries = before.unwrap_or_default();
                let map = parameter.get("map").and_then(Value::as_object);
                for (key, value) in map.into_iter().flatten() {
                    let (place, at) = (pointer.child("map").child(key), option.child(entries.len()));
                    texts.push((place.clone(), at.child(row.form.field())));
                    places.push((place, at));
                    entries.push(entry(row, key, value, force));
                }
                Some(Value::Array(entries))
            }
        };
        let is_empty = |value: &Value| match row.form {
            Form::Map => value.as_object().is_none_or(Map::is_empty),
            _ => is_zero(value),
        };
        let Some(value) = value.filter(|value| !is_empty(value)) else {
            continue;
        };
        for (from, to, is_text) in inside(row, &value, &pointer, &option) {
            texts.extend(is_text.then(|| (from.clone(), to.clone())));
            places.push((from, to));
        }
        block[row.option] = value;
        returned.places.extend(places);
        if !matches!(row.form, Form::Boolean | Form::Counts) {
            returned.texts.extend(texts);
        }
    }
    returned
        .blocks
        .retain(|_, block| block.as_object().is_some_and(|block| !block.is_empty()));
    returned
}

/// Returns an entry with a name.
fn entry(row: &Row, key: &str, value: &Value, force: bool) -> Value {
    let value = match value.as_str().map(str::parse::<i64>) {
        Some(Ok(count)) if row.form == Form::Counts => json!(count),
        _ => value.clone(),
    };
    let mut entry = json!({"name": key, row.form.field(): value});
    if force {
        entry["forceString"] = json!(true);
    }
    entry
}

/// Returns the places of what is inside a value that keeps its form: in the parameter and in the option, and whether it is a
/// string that stays the same.
fn inside(row: &Row, value: &Value, pointer: &Pointer, option: &Pointer) -> Vec<(PointerBuf, PointerBuf, bool)> {
    let (map, array) = (pointer.child("map"), pointer.child("array"));
    match row.form {
        Form::Map => {
            let keys = value.as_object().into_iter().flatten().map(|(key, _)| key);
            keys.map(|key| (map.child(key), option.child(key), true)).collect()
        }
        Form::Strings | Form::Documents => {
            let (count, is_text) = (value.as_array().map_or(0, Vec::len), row.form == Form::Strings);
            (0..count)
                .map(|entry| (array.child(entry), option.child(entry), is_text))
                .collect()
        }
        _ => Vec::new(),
    }
}
