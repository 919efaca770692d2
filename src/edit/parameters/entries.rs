//! The operations that change one parameter of a source. Entries that are there stay as they are.

use json_patch::PatchOperation;
use serde_json::{Map, Value, json};

use crate::model::{PointerExt, Source};
use crate::rules::fixes;

pub use crate::rules::fixes::{add_to_parameter, remove_from_parameter, set_text};

/// Adds an entry to a map parameter, the parameter itself where it is missing.
pub fn put_into_map(source: &Source<'_>, name: &str, (key, value): (&str, &str)) -> Vec<PatchOperation> {
    let entries = || Value::Object(Map::from_iter([(key.to_owned(), json!(value))]));
    if let Some(parameter) = source.parameter(name) {
        let map = parameter.child("map");
        return vec![match source.value(&map) {
            Some(Value::Object(there)) if there.contains_key(key) => fixes::replace(map.child(key), json!(value)),
            Some(Value::Object(_)) => fixes::add(map.child(key), json!(value)),
            Some(_) => fixes::replace(&map, entries()),
            None => fixes::add(&map, entries()),
        }];
    }
    let parameter = json!({"name": name, "map": entries()});
    let list = source.at(&["plugin", "parameters"]);
    vec![match source.value(&list) {
        Some(Value::Array(there)) => fixes::add(list.child(there.len()), parameter),
        Some(_) => fixes::replace(&list, json!([parameter])),
        None => fixes::add(&list, json!([parameter])),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Application, Object};

    fn app(plugin: Value) -> Object {
        Object::new(
            json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "a"},
            "spec": {"source": {"repoURL": "u", "plugin": plugin}}}),
        )
    }

    /// Returns the section of the plugin after an edit.
    fn after(plugin: Value, edit: impl Fn(&Source<'_>) -> Vec<PatchOperation>) -> Value {
        let object = app(plugin);
        let operations = edit(&Application::new(&object).unwrap().sources()[0]);
        let mut tree = object.into_tree();
        json_patch::patch(&mut tree, &operations).unwrap();
        tree["spec"]["source"]["plugin"].take()
    }

    #[test]
    fn entries_go_and_with_the_last_the_parameter() {
        let is_meant = |entry: &str| entry.starts_with('a');
        for (parameters, expected) in [
            (
                json!([{"name": "owns", "array": ["a1"]}, {"name": "mounts", "array": ["a1", "b", "a2"]}]),
                json!({"name": "p", "parameters": [{"name": "owns", "array": ["a1"]}, {"name": "mounts", "array": ["b"]}]}),
            ),
            (
                json!([{"name": "owns", "array": ["a1"]}, {"name": "mounts", "array": ["a1"]}]),
                json!({"name": "p", "parameters": [{"name": "owns", "array": ["a1"]}]}),
            ),
            (json!([{"name": "mounts", "array": ["a1"]}]), json!({"name": "p"})),
            (
                json!([{"name": "mounts", "array": ["b"]}]),
                json!({"name": "p", "parameters": [{"name": "mounts", "array": ["b"]}]}),
            ),
            (
                json!([{"name": "mounts"}]),
                json!({"name": "p", "parameters": [{"name": "mounts"}]}),
            ),
            (Value::Null, json!({"name": "p", "parameters": null})),
        ] {
            let plugin = json!({"name": "p", "parameters": parameters});
            assert_eq!(
                after(plugin, |source| remove_from_parameter(source, "mounts", is_meant)),
                expected
            );
        }
    }

    #[test]
    fn a_text_is_set_and_taken_out() {
        let whole = json!({"name": "stamp-app", "string": "true"});
        for (plugin, text, expected) in [
            (json!({}), Some("true"), json!({"parameters": [whole]})),
            (
                json!({"parameters": null}),
                Some("true"),
                json!({"parameters": [whole]}),
            ),
            (
                json!({"parameters": [{"name": "owns"}]}),
                Some("true"),
                json!({"parameters": [{"name": "owns"}, whole]}),
            ),
            (
                json!({"parameters": [{"name": "stamp-app", "string": "recreate-jobs"}]}),
                Some("true"),
                json!({"parameters": [whole]}),
            ),
            (
                json!({"parameters": [{"name": "stamp-app"}]}),
                Some("true"),
                json!({"parameters": [whole]}),
            ),
            (json!({"parameters": [whole]}), None, json!({})),
            (
                json!({"parameters": [{"name": "owns"}, whole]}),
                None,
                json!({"parameters": [{"name": "owns"}]}),
            ),
            (json!({}), None, json!({})),
        ] {
            assert_eq!(after(plugin, |source| set_text(source, "stamp-app", text)), expected);
        }
    }

    #[test]
    fn an_entry_of_a_map_is_added_or_replaced() {
        let whole = json!({"name": "claims", "map": {"a.b/c": "5Gi"}});
        for (plugin, expected) in [
            (json!({}), json!({"parameters": [whole]})),
            (json!({"parameters": null}), json!({"parameters": [whole]})),
            (
                json!({"parameters": [{"name": "owns"}]}),
                json!({"parameters": [{"name": "owns"}, whole]}),
            ),
            (
                json!({"parameters": [{"name": "claims"}]}),
                json!({"parameters": [whole]}),
            ),
            (
                json!({"parameters": [{"name": "claims", "map": null}]}),
                json!({"parameters": [whole]}),
            ),
            (
                json!({"parameters": [{"name": "claims", "map": {"x": "1", "a.b/c": "2"}}]}),
                json!({"parameters": [{"name": "claims", "map": {"x": "1", "a.b/c": "5Gi"}}]}),
            ),
        ] {
            assert_eq!(
                after(plugin, |source| put_into_map(source, "claims", ("a.b/c", "5Gi"))),
                expected
            );
        }
    }
}
