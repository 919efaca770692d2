//! How fixes are built: JSON Patch operations that put a value where a manifest has room for it.

use json_patch::jsonptr::PointerBuf;
use json_patch::{Patch, PatchOperation, RemoveOperation, ReplaceOperation};
use serde_json::{Map, Value, json};

use crate::law::sync_options::with_guards;
use crate::model::object::pointer_token;
use crate::model::sync::SYNC_OPTIONS;
use crate::model::{ClaimName, Object, Source};
use crate::repo::{Change, ChangeSet, Manifest};

pub use crate::law::operations::{add, below};

fn path(pointer: &str) -> PointerBuf {
    PointerBuf::parse(pointer).expect("pointers are built from escaped tokens")
}

/// Replaces a value that is there.
pub fn replace(pointer: &str, value: Value) -> PatchOperation {
    PatchOperation::Replace(ReplaceOperation {
        path: path(pointer),
        value,
    })
}

/// Removes a value that is there.
pub fn remove(pointer: &str) -> PatchOperation {
    PatchOperation::Remove(RemoveOperation { path: path(pointer) })
}

/// Sets a value below maps, those that are missing or null along the way included: one operation at the first place
/// that is not there.
pub fn set(tree: &Value, pointer: &str, value: Value) -> PatchOperation {
    let tokens: Vec<&str> = pointer.split('/').skip(1).collect();
    let (mut at, mut node) = (String::new(), tree);
    for (depth, token) in tokens.iter().enumerate() {
        let next = format!("{at}/{token}");
        let child = tree.pointer(&next).filter(|child| !child.is_null());
        match child {
            Some(child) => (at, node) = (next, child),
            None => {
                let missing = tokens[depth + 1..].iter().rev();
                let nested = missing.fold(value, |below, token| {
                    Value::Object(Map::from_iter([(unescaped(token), below)]))
                });
                let is_null = node.as_object().is_some_and(|map| map.contains_key(&unescaped(token)));
                return if is_null {
                    replace(&next, nested)
                } else {
                    add(&next, nested)
                };
            }
        }
    }
    replace(pointer, value)
}

fn unescaped(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

/// Sets an annotation of an object.
pub fn annotate(object: &Object, key: &str, value: &str) -> PatchOperation {
    let pointer = format!("/metadata/annotations/{}", pointer_token(key));
    set(object.tree(), &pointer, json!(value))
}

/// Merges `Prune=false` and `Delete=false` into an object's sync options.
pub fn guard(object: &Object) -> PatchOperation {
    annotate(
        object,
        SYNC_OPTIONS,
        &with_guards(object.annotation(SYNC_OPTIONS).unwrap_or_default()),
    )
}

/// Adds claims to an array parameter of a source (`owns`, `writes`), the parameter itself where it is missing.
pub fn add_to_parameter(source: &Source<'_>, name: &str, claims: &[&ClaimName]) -> Vec<PatchOperation> {
    let entries: Vec<Value> = claims.iter().map(|claim| json!(claim.as_str())).collect();
    let at = |pointer: &str| source.tree().pointer(&pointer[source.pointer.len()..]);
    if let Some(parameter) = source.parameter(name) {
        let array = format!("{parameter}/array");
        return match at(&array).and_then(Value::as_array) {
            Some(there) => (there.len()..)
                .zip(entries)
                .map(|(index, entry)| add(&format!("{array}/{index}"), entry))
                .collect(),
            None if at(&array).is_some() => vec![replace(&array, Value::Array(entries))],
            None => vec![add(&array, Value::Array(entries))],
        };
    }
    let parameter = json!({"name": name, "array": entries});
    let list = source.at(&["plugin", "parameters"]);
    match at(&list) {
        Some(Value::Array(there)) => vec![add(&format!("{list}/{}", there.len()), parameter)],
        Some(_) => vec![replace(&list, json!([parameter]))],
        None => vec![add(&list, json!([parameter]))],
    }
}

/// A patch of one manifest as a change of the repository.
pub fn patch(manifest: &Manifest, operations: Vec<PatchOperation>) -> ChangeSet {
    patch_below(manifest, "", operations)
}

/// A patch of an object that stands at `base` in its manifest.
pub fn patch_below(manifest: &Manifest, base: &str, operations: Vec<PatchOperation>) -> ChangeSet {
    ChangeSet {
        changes: vec![Change::Patch {
            path: manifest.file.clone(),
            document: manifest.document,
            patch: Patch(below(base, operations)),
        }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_makes_what_is_missing() {
        for (tree, after) in [
            (json!({}), json!({"a": {"b/c": 1}})),
            (json!({"a": null}), json!({"a": {"b/c": 1}})),
            (json!({"a": {"x": 2}}), json!({"a": {"x": 2, "b/c": 1}})),
            (json!({"a": {"b/c": 0}}), json!({"a": {"b/c": 1}})),
            (json!({"a": {"b/c": null}}), json!({"a": {"b/c": 1}})),
        ] {
            let mut patched = tree.clone();
            json_patch::patch(&mut patched, &Patch(vec![set(&tree, "/a/b~1c", json!(1))])).unwrap();
            assert_eq!(patched, after, "{tree}");
        }
    }

    #[test]
    fn a_parameter_is_extended_or_made() {
        let claim = ClaimName::new("media").unwrap();
        for plugin in [
            json!({"name": "homelab-v1"}),
            json!({"name": "homelab-v1", "parameters": null}),
            json!({"name": "homelab-v1", "parameters": [{"name": "mounts", "array": []}]}),
            json!({"name": "homelab-v1", "parameters": [{"name": "owns", "array": ["config"]}]}),
            json!({"name": "homelab-v1", "parameters": [{"name": "owns", "array": null}]}),
            json!({"name": "homelab-v1", "parameters": [{"name": "owns"}]}),
        ] {
            let mut tree = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "a"},
                "spec": {"source": {"repoURL": "u", "plugin": plugin}}});
            let object = Object::new(tree.clone());
            let app = crate::model::Application::new(&object).unwrap();
            let operations = add_to_parameter(&app.sources()[0], "owns", &[&claim]);
            json_patch::patch(&mut tree, &Patch(operations)).unwrap();
            let object = Object::new(tree);
            let app = crate::model::Application::new(&object).unwrap();
            assert!(
                app.sources()[0].parameters().unwrap().owns.contains("media"),
                "{object:?}"
            );
        }
    }
}
