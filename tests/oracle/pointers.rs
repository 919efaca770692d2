//! The JSON Pointers of a value.

use serde_json::Value;

/// Returns the JSON Pointers of everything in a value, children before their parent.
pub(crate) fn pointers(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    below(value, "", &mut found);
    found
}

fn below(value: &Value, at: &str, found: &mut Vec<String>) {
    let entries: Vec<(String, &Value)> = match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(at, value)| (at.to_string(), value))
            .collect(),
        _ => return,
    };
    for (key, value) in entries {
        let pointer = format!("{at}/{key}");
        below(value, &pointer, found);
        found.push(pointer);
    }
}
