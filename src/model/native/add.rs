//! One option as a parameter.

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::{Form, Moved, Row, STRING_PARAMETERS, Unsupported};
use crate::model::pointer::{Pointer, PointerBuf, PointerExt};

/// Adds the parameter of an option; `yaml` prints the value at a place.
pub(super) fn add(
    row: &Row,
    pointer: &Pointer,
    value: &Value,
    yaml: &impl Fn(&Pointer, &Value) -> Result<String>,
    moved: &mut Moved,
) -> Result<(), Unsupported> {
    let wrong = |pointer: PointerBuf, expected: &str| Unsupported {
        pointer,
        why: format!("`{}.{}` is not {expected}", row.tool, row.option),
        hint: "correct it; Argo CD refuses it as well".to_owned(),
    };
    let mut parameter = |name: &str, field: &str, value: Value| {
        moved.parameters.push(json!({"name": name, field: value}));
        PointerBuf::from(moved.parameters.len() - 1)
    };
    let string = "a string";
    match row.form {
        Form::String => {
            let text = value.as_str().ok_or_else(|| wrong(pointer.to_buf(), string))?;
            let place = parameter(row.parameter, "string", json!(text));
            moved.texts.push((pointer.to_buf(), place.child("string")));
            moved.places.push((pointer.to_buf(), place));
        }
        Form::Boolean => {
            value
                .as_bool()
                .ok_or_else(|| wrong(pointer.to_buf(), "true or false"))?;
            let place = parameter(row.parameter, "string", json!("true"));
            moved.places.push((pointer.to_buf(), place));
        }
        Form::Yaml => {
            let text = value.as_object().and_then(|_| yaml(pointer, value).ok());
            let text = text.ok_or_else(|| wrong(pointer.to_buf(), "a map that can be printed"))?;
            let place = parameter(row.parameter, "string", json!(text));
            moved.places.push((pointer.to_buf(), place));
        }
        Form::Strings => {
            let list = value.as_array().ok_or_else(|| wrong(pointer.to_buf(), "a list"))?;
            if let Some(index) = list.iter().position(|entry| !entry.is_string()) {
                return Err(wrong(pointer.child(index), "a list of strings"));
            }
            let place = parameter(row.parameter, "array", value.clone());
            let array = place.child("array");
            let entries = (0..list.len()).map(|index| (pointer.child(index), array.child(index)));
            moved.texts.extend(entries.clone());
            moved.places.extend(entries);
            moved.places.push((pointer.to_buf(), place));
        }
        Form::Values | Form::Paths | Form::Counts => {
            let list = value.as_array().ok_or_else(|| wrong(pointer.to_buf(), "a list"))?;
            add_pairs(row, pointer, list, moved)
                .map_err(|index| wrong(pointer.child(index), "a list of names and strings"))?;
        }
        Form::Map => {
            let strings = value.as_object().filter(|map| map.values().all(Value::is_string));
            let strings = strings.ok_or_else(|| wrong(pointer.to_buf(), "a map of strings"))?;
            let place = parameter(row.parameter, "map", value.clone());
            let entries = strings
                .keys()
                .map(|key| (pointer.child(key), place.child("map").child(key)));
            moved.texts.extend(entries.clone());
            moved.places.extend(entries);
            moved.places.push((pointer.to_buf(), place));
        }
        Form::Documents => {
            let list = value.as_array().ok_or_else(|| wrong(pointer.to_buf(), "a list"))?;
            let texts = list.iter().enumerate().map(|(index, entry)| {
                let at = pointer.child(index);
                let text = entry.as_object().and_then(|_| yaml(&at, entry).ok());
                text.ok_or_else(|| wrong(at, "a list of maps"))
            });
            let place = parameter(row.parameter, "array", json!(texts.collect::<Result<Vec<_>, _>>()?));
            // The text of an entry has no line of its own for a comment.
            let entries = (0..list.len()).map(|index| (pointer.child(index), place.child("array")));
            moved.places.extend(entries);
            moved.places.push((pointer.to_buf(), place));
        }
    }
    Ok(())
}

/// Adds entries with a name as one map, or two; the error is the index of the first invalid entry.
fn add_pairs(row: &Row, pointer: &Pointer, list: &[Value], moved: &mut Moved) -> Result<(), usize> {
    let field = row.form.field();
    let (mut maps, mut of_entry) = (Vec::<(&str, Map<String, Value>)>::new(), Vec::new());
    for (index, entry) in list.iter().enumerate() {
        let text = |key: &str| match entry.get(key) {
            None | Some(Value::Null) => Ok(String::new()),
            Some(Value::Number(count)) if row.form == Form::Counts => Ok(count.to_string()),
            Some(value) => value.as_str().map(str::to_owned).ok_or(index),
        };
        let (name, value) = (text("name")?, text(field)?);
        let is_string = entry.get("forceString").and_then(Value::as_bool) == Some(true);
        let parameter = if row.form == Form::Values && is_string {
            STRING_PARAMETERS
        } else {
            row.parameter
        };
        let at = maps.iter().position(|(of, _)| *of == parameter).unwrap_or_else(|| {
            maps.push((parameter, Map::new()));
            maps.len() - 1
        });
        // Of two equal names the last counts, as in Argo CD.
        maps[at].1.insert(name.clone(), json!(value));
        of_entry.push((index, at, name));
    }
    let first = moved.parameters.len();
    for (index, at, name) in of_entry {
        let place = PointerBuf::from(first + at).child("map").child(name);
        if row.form != Form::Counts {
            moved.texts.push((pointer.child(index).child(field), place.clone()));
        }
        moved.places.push((pointer.child(index), place));
    }
    moved.places.push((pointer.to_buf(), PointerBuf::from(first)));
    for (parameter, map) in maps {
        moved.parameters.push(json!({"name": parameter, "map": map}));
    }
    Ok(())
}
