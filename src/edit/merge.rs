//! Merges wanted values into an existing manifest without touching anything else.

use serde_json::Value;

/// Puts `wanted` over `tree`: maps are merged key by key; lists of named things (`name: …`) by name; lists of strings
/// get the entries that they lack; everything else is replaced.
pub fn merge(tree: &mut Value, wanted: &Value) {
    match (tree, wanted) {
        (Value::Object(tree), Value::Object(wanted)) => {
            for (key, value) in wanted {
                match tree.get_mut(key) {
                    Some(existing) => merge(existing, value),
                    None => {
                        tree.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        (Value::Array(tree), Value::Array(wanted)) if wanted.iter().all(|entry| entry.get("name").is_some()) => {
            for entry in wanted {
                match tree
                    .iter_mut()
                    .find(|existing| existing.get("name") == entry.get("name"))
                {
                    // A parameter with a list or a map keeps its entries, so that no owned claim and no value is lost.
                    Some(existing)
                        if ["array", "map"]
                            .iter()
                            .any(|kind| holds(existing, kind) && holds(entry, kind)) =>
                    {
                        merge(existing, entry)
                    }
                    Some(existing) => *existing = entry.clone(),
                    None => tree.push(entry.clone()),
                }
            }
        }
        (Value::Array(tree), Value::Array(wanted)) => {
            let missing: Vec<Value> = wanted.iter().filter(|entry| !tree.contains(entry)).cloned().collect();
            tree.extend(missing);
        }
        (tree, wanted) => *tree = wanted.clone(),
    }
}

fn holds(parameter: &Value, kind: &str) -> bool {
    parameter.get(kind).is_some_and(|value| !value.is_null())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keeps_what_was_not_asked_for() {
        let mut tree = json!({"a": 1, "p": [{"name": "owns", "array": ["x"]}, {"name": "values", "string": "v"}], "o": ["A=b"], "s": "old"});
        merge(
            &mut tree,
            &json!({"p": [{"name": "owns", "array": ["y"]}], "o": ["A=b", "C=d"], "s": "new", "n": {}}),
        );
        assert_eq!(
            tree,
            json!({"a": 1, "p": [{"name": "owns", "array": ["x", "y"]}, {"name": "values", "string": "v"}], "o": ["A=b", "C=d"], "s": "new", "n": {}})
        );
        let mut tree =
            json!([{"name": "helm-parameters", "map": {"a": "b", "c": "old"}}, {"name": "x", "array": ["y"]}]);
        merge(
            &mut tree,
            &json!([{"name": "helm-parameters", "map": {"c": "d"}}, {"name": "x", "string": "y"}]),
        );
        assert_eq!(
            tree,
            json!([{"name": "helm-parameters", "map": {"a": "b", "c": "d"}}, {"name": "x", "string": "y"}])
        );
    }
}
