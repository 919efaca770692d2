//! A generator's own template over the set's, as the library mergo merges them
//! ([source](https://github.com/imdario/mergo/blob/v1.0.2/merge.go)).

use serde_json::{Map, Value as Json};

/// Fills what is empty in a template with what another one has; values that are free stay whole.
pub(super) fn fill(into: &mut Map<String, Json>, from: &Map<String, Json>) {
    for (key, value) in from {
        match (into.get_mut(key), value) {
            // The text of a free value is kept, and not even that of an empty map is empty.
            (Some(Json::Object(_)), _) if key == "valuesObject" => {}
            (Some(Json::Object(inner)), Json::Object(other)) => fill(inner, other),
            (Some(known), _) if !is_empty(known) => {}
            _ => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
}

/// Reports whether Go takes a value for its type's zero value.
fn is_empty(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::Bool(value) => !value,
        Json::Number(number) => number.as_f64() == Some(0.0),
        Json::String(text) => text.is_empty(),
        Json::Array(list) => list.is_empty(),
        Json::Object(map) => map.is_empty(),
    }
}
