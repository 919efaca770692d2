//! Target `parameters`: the plugin's parameters as Argo CD passes them, in all shapes.

use homelab::model::parameter::{self, Parameter, Parameters, TABLE};
use serde_json::{Map, Value, json};

use super::case::{Ran, Target, text};
use super::numbers::Numbers;
use super::shapes;

/// The target.
pub(super) const TARGET: Target = Target {
    name: "parameters",
    oracle: "fuzz-oracle",
    make,
    run,
    verdict: |ran, _| Ok(ran.class.clone()),
};

fn make(numbers: &mut Numbers) -> Value {
    let list: Vec<Value> = (0..numbers.pick(&[0, 1, 1, 2, 3, 5])).map(|_| entry(numbers)).collect();
    let tree = match numbers.below(40) {
        0 => odd(numbers),
        1 => json!({"parameters": list}),
        _ => Value::Array(list),
    };
    let mut written = tree.to_string();
    if numbers.one_in(8) {
        let places: Vec<usize> = written.char_indices().map(|(at, _)| at).collect();
        let place = places.get(numbers.below(places.len())).copied().unwrap_or_default();
        written.insert_str(
            place,
            numbers.pick(&[
                "\"", "{", "}", ",", "null", "\\u0000", "\n", "[", "\\ud800", " ", "1e999", "\u{feff}",
            ]),
        );
    }
    json!({"json": written})
}

/// Returns a parameter: most have the shape of their row in the table.
fn entry(numbers: &mut Numbers) -> Value {
    if numbers.one_in(40) {
        return odd(numbers);
    }
    let row = &TABLE[numbers.below(TABLE.len())];
    let mut entry = Map::new();
    let name = if numbers.one_in(24) {
        shapes::hostile(numbers)
    } else {
        row.name
    };
    entry.insert("name".to_owned(), json!(name));
    let field = match numbers.below(16) {
        0 => numbers.pick(&["string", "array", "map", "value"]),
        _ => row.shape.field(),
    };
    let value = if numbers.one_in(16) {
        odd(numbers)
    } else {
        value(numbers, field)
    };
    entry.insert(field.to_owned(), value);
    if numbers.one_in(16) {
        entry.insert(
            numbers.pick(&["string", "array", "map", "name"]).to_owned(),
            odd(numbers),
        );
    }
    Value::Object(entry)
}

fn value(numbers: &mut Numbers, field: &str) -> Value {
    let word = |numbers: &mut Numbers| {
        let words = [
            "media",
            "own",
            "true",
            "false",
            "",
            "media:/m",
            "values.yaml",
            "Pod/x",
            "[]",
            "a.b.c",
            "[{\"op\":\"remove\",\"path\":\"/a\"}]",
        ];
        if numbers.one_in(5) {
            shapes::hostile(numbers)
        } else {
            numbers.pick(&words)
        }
    };
    match field {
        "array" => (0..numbers.below(4)).map(|_| json!(word(numbers))).collect(),
        "map" => {
            let entries = (0..numbers.below(3)).map(|_| (word(numbers).to_owned(), json!(word(numbers))));
            Value::Object(entries.collect())
        }
        _ => json!(word(numbers)),
    }
}

fn odd(numbers: &mut Numbers) -> Value {
    let odd = [
        Value::Null,
        json!(true),
        json!(7),
        json!(1e300),
        json!("x"),
        json!([]),
        json!({}),
        json!([[null]]),
        json!([7]),
        json!({"a": 1}),
        json!({"name": "owns"}),
        json!({"name": ""}),
        json!({"name": null, "array": ["x"]}),
        json!({"name": "owns", "array": ["b", "a", "b"]}),
    ];
    odd[numbers.below(odd.len())].clone()
}

fn run(case: &Value) -> Ran {
    let Ok(tree) = serde_json::from_str::<Value>(text(case, "json")) else {
        return Ran::fine("no JSON");
    };
    let list = match parameter::read(&tree) {
        Ok(list) => list,
        Err(errors) => return refused("a shape is refused", errors.iter().map(ToString::to_string).collect()),
    };
    let printed: Value = list.iter().map(print).collect();
    if parameter::read(&printed).as_ref() != Ok(&list) {
        return Ran::wrong(format!("they are printed as {printed}, which reads otherwise"));
    }
    match Parameters::parse(&list) {
        Ok(parameters) => match lost(&list, &parameters) {
            Some(why) => Ran::wrong(why),
            None => Ran::fine("read"),
        },
        Err(errors) => refused("a value is refused", errors.iter().map(ToString::to_string).collect()),
    }
}

/// Every refusal says what is wrong.
fn refused(class: &str, messages: Vec<String>) -> Ran {
    if messages.is_empty() || messages.iter().any(String::is_empty) {
        return Ran::wrong("a refusal says nothing");
    }
    Ran::fine(class)
}

/// Returns a parameter as Argo CD writes it.
fn print(parameter: &Parameter) -> Value {
    let mut entry = Map::from_iter([("name".to_owned(), json!(parameter.name))]);
    entry.extend(parameter.string.as_ref().map(|text| ("string".to_owned(), json!(text))));
    entry.extend(parameter.array.as_ref().map(|list| ("array".to_owned(), json!(list))));
    entry.extend(parameter.map.as_ref().map(|map| ("map".to_owned(), json!(map))));
    Value::Object(entry)
}

/// Returns what was given and is not among the values that were read.
fn lost(list: &[Parameter], read: &Parameters) -> Option<String> {
    for parameter in list {
        let array = parameter.array.as_deref().unwrap_or_default();
        let found: Vec<String> = match parameter.name.as_str() {
            "owns" => read.owns.iter().map(ToString::to_string).collect(),
            "writes" => read.writes.iter().map(ToString::to_string).collect(),
            "values-files" => read.values_files.clone(),
            "api-versions" => read.api_versions.clone(),
            "mounts" => {
                let mounts = array.iter().map(|mount| mount.parse().ok());
                if mounts.collect::<Option<Vec<_>>>().as_ref() != Some(&read.mounts) {
                    return Some("the mounts are others".to_owned());
                }
                continue;
            }
            _ => continue,
        };
        if let Some(missing) = array.iter().find(|entry| !found.contains(entry)) {
            return Some(format!("`{missing}` of `{}` is lost", parameter.name));
        }
    }
    None
}
