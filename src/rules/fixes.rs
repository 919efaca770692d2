//! Builds fixes: JSON Patch operations that set a value in a manifest.

use json_patch::{Patch, PatchOperation, RemoveOperation, ReplaceOperation};
use serde_json::{Map, Value, json};

use crate::law::sync_options::with_guards;
use crate::model::object::annotation_pointer;
use crate::model::sync::SYNC_OPTIONS;
use crate::model::{AsPointer, Object, Pointer, PointerExt, Source};
use crate::repo::{Change, ChangeSet, Manifest};
use crate::yaml::ReplaceEntry;

pub use crate::law::operations::{add, below};

/// Replaces a value that is there.
pub fn replace(pointer: impl AsPointer, value: Value) -> PatchOperation {
    PatchOperation::Replace(ReplaceOperation {
        path: pointer.as_pointer().to_buf(),
        value,
    })
}

/// Removes a value that is there.
pub fn remove(pointer: impl AsPointer) -> PatchOperation {
    PatchOperation::Remove(RemoveOperation {
        path: pointer.as_pointer().to_buf(),
    })
}

/// Sets a value below maps, those that are missing or null along the way included: one operation at the first place
/// that is not there.
pub fn set(tree: &Value, pointer: impl AsPointer, value: Value) -> PatchOperation {
    let (mut at, mut value) = (pointer.as_pointer(), value);
    let is_there = |pointer: &Pointer| tree.pointer(pointer.as_str()).is_some_and(|child| !child.is_null());
    while let Some((above, key)) = at.split_back().filter(|_| !is_there(at)) {
        if above.is_root() || is_there(above) {
            break;
        }
        value = Value::Object(Map::from_iter([(key.decoded().into_owned(), value)]));
        at = above;
    }
    match tree.pointer(at.as_str()) {
        Some(_) => replace(at, value),
        None => add(at, value),
    }
}

/// Sets an annotation of an object.
pub fn annotate(object: &Object, key: &str, value: &str) -> PatchOperation {
    set(object.tree(), annotation_pointer(key), json!(value))
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
pub fn add_to_parameter(source: &Source<'_>, name: &str, claims: &[impl ToString]) -> Vec<PatchOperation> {
    let entries: Vec<Value> = claims.iter().map(|claim| json!(claim.to_string())).collect();
    if let Some(parameter) = source.parameter(name) {
        let array = parameter.child("array");
        return match source.value(&array).and_then(Value::as_array) {
            Some(there) => (there.len()..)
                .zip(entries)
                .map(|(index, entry)| add(array.child(index), entry))
                .collect(),
            None if source.value(&array).is_some() => vec![replace(&array, Value::Array(entries))],
            None => vec![add(&array, Value::Array(entries))],
        };
    }
    let parameter = json!({"name": name, "array": entries});
    let list = source.at(&["plugin", "parameters"]);
    match source.value(&list) {
        Some(Value::Array(there)) => vec![add(list.child(there.len()), parameter)],
        Some(_) => vec![replace(&list, json!([parameter]))],
        None => vec![add(&list, json!([parameter]))],
    }
}

/// Takes entries out of an array parameter of a source (`keeps`, `releases`); the parameter goes with its last entry.
pub fn remove_from_parameter(source: &Source<'_>, name: &str, is_gone: impl Fn(&str) -> bool) -> Vec<PatchOperation> {
    let Some(parameter) = source.parameter(name) else {
        return Vec::new();
    };
    let array = parameter.child("array");
    let entries = source.value(&array).and_then(Value::as_array);
    let entries = entries.map_or(&[][..], Vec::as_slice);
    let goes = |entry: &Value| entry.as_str().is_some_and(&is_gone);
    if entries.iter().all(goes) {
        let list = source.at(&["plugin", "parameters"]);
        let is_alone = source.value(&list).and_then(Value::as_array).map(Vec::len) == Some(1);
        return match entries.is_empty() {
            true => Vec::new(),
            false => vec![remove(if is_alone { &list } else { &parameter })],
        };
    }
    let gone = entries.iter().enumerate().rev().filter(|(_, entry)| goes(entry));
    gone.map(|(index, _)| remove(array.child(index))).collect()
}

/// Sets a parameter that is a text, or takes it out; with the last parameter the list goes.
pub fn set_text(source: &Source<'_>, name: &str, text: Option<&str>) -> Vec<PatchOperation> {
    let list = source.at(&["plugin", "parameters"]);
    let there = source.value(&list).and_then(Value::as_array).map(Vec::len);
    match (source.parameter(name), text) {
        (None, None) => Vec::new(),
        (Some(parameter), None) => vec![remove(if there == Some(1) { list } else { parameter })],
        (Some(parameter), Some(text)) => match source.value(&parameter.child("string")) {
            Some(is) if is == text => Vec::new(),
            Some(_) => vec![replace(parameter.child("string"), json!(text))],
            None => vec![add(parameter.child("string"), json!(text))],
        },
        (None, Some(text)) => {
            let parameter = json!({"name": name, "string": text});
            vec![match (there, source.value(&list)) {
                (Some(length), _) => add(list.child(length), parameter),
                (None, Some(_)) => replace(&list, json!([parameter])),
                (None, None) => add(&list, json!([parameter])),
            }]
        }
    }
}

/// Returns a patch of one manifest as a change of the repository.
pub fn patch(manifest: &Manifest, operations: Vec<PatchOperation>) -> ChangeSet {
    patch_below(manifest, Pointer::root(), operations)
}

/// Returns a patch of an object at `base` in its manifest; nothing for a manifest that is not written in the repository.
pub fn patch_below(manifest: &Manifest, base: &Pointer, operations: Vec<PatchOperation>) -> ChangeSet {
    let Some(item) = manifest.origin.base() else {
        return ChangeSet::default();
    };
    let base = &item.concat(base);
    ChangeSet {
        changes: vec![Change::Patch {
            path: manifest.file.clone(),
            document: manifest.document,
            patch: Patch(below(base, operations)),
        }],
    }
}

/// Gives a field another name in its place; `None` where there is no such field. `field` starts at an object, which is at
/// `base` in its manifest.
pub fn rename(manifest: &Manifest, base: &Pointer, field: &Pointer, name: &str) -> Option<ChangeSet> {
    let pointer = base.concat(field);
    let value = manifest.object.at(&pointer)?.clone();
    let pointer = manifest.origin.base()?.concat(&pointer);
    let replacement = ReplaceEntry {
        pointer,
        key: name.to_owned(),
        value,
        comments: Vec::new(),
        texts: Vec::new(),
    };
    Some(ChangeSet {
        changes: vec![Change::ReplaceEntry {
            path: manifest.file.clone(),
            document: manifest.document,
            replacement,
        }],
    })
}

/// Returns the operations for a tree that may lack maps which they were made for: what they set is set there with the
/// maps that are missing.
pub fn fitted(tree: &Value, operations: &[PatchOperation]) -> Vec<PatchOperation> {
    let mut tree = tree.clone();
    let fit = |operation: &PatchOperation| {
        let fitted = match operation {
            PatchOperation::Add(op) if !has_parent(&tree, &op.path) => set(&tree, &op.path, op.value.clone()),
            PatchOperation::Replace(op) if tree.pointer(op.path.as_str()).is_none() => {
                set(&tree, &op.path, op.value.clone())
            }
            operation => operation.clone(),
        };
        // Who applies them hears of one that does not fit.
        let _ = json_patch::patch(&mut tree, std::slice::from_ref(&fitted));
        fitted
    };
    operations.iter().map(fit).collect()
}

fn has_parent(tree: &Value, pointer: &Pointer) -> bool {
    let parent = pointer.parent().and_then(|parent| tree.pointer(parent.as_str()));
    parent.is_some_and(|parent| parent.is_object() || parent.is_array())
}

/// Returns those operations that are about the object at a pointer, with their paths starting there.
pub fn above<'o>(base: &Pointer, operations: impl IntoIterator<Item = &'o PatchOperation>) -> Vec<PatchOperation> {
    let of_object = |operation: &PatchOperation| {
        let path = operation.path().below(base).filter(|path| !path.is_root())?;
        match operation {
            PatchOperation::Add(op) => Some(add(path, op.value.clone())),
            PatchOperation::Replace(op) => Some(replace(path, op.value.clone())),
            PatchOperation::Remove(_) => Some(remove(path)),
            _ => None,
        }
    };
    operations.into_iter().filter_map(of_object).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ClaimPath;

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
        let claim = "media".parse::<ClaimPath>().unwrap();
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
            let operations = add_to_parameter(&app.sources()[0], "owns", std::slice::from_ref(&claim));
            json_patch::patch(&mut tree, &Patch(operations)).unwrap();
            let object = Object::new(tree);
            let app = crate::model::Application::new(&object).unwrap();
            assert!(
                app.sources()[0].parameters().unwrap().owns.contains(&claim),
                "{object:?}"
            );
        }
    }

    #[test]
    fn entries_are_taken_out_and_the_parameter_with_the_last() {
        let owns = |array: Value| json!({"name": "owns", "array": array});
        for (parameters, after) in [
            (
                json!([owns(json!(["a", "b", "c", "a"]))]),
                json!([owns(json!(["b", "c"]))]),
            ),
            (
                json!([owns(json!(["a"])), {"name": "writes"}]),
                json!([{"name": "writes"}]),
            ),
            (json!([owns(json!(["a"]))]), json!(null)),
            (json!([owns(json!(["b"]))]), json!([owns(json!(["b"]))])),
            (json!([owns(json!([]))]), json!([owns(json!([]))])),
        ] {
            let tree = json!({"repoURL": "u", "plugin": {"name": "homelab-v1", "parameters": parameters}});
            let source = Source::new(crate::model::PointerBuf::new(), &tree);
            let operations = remove_from_parameter(&source, "owns", |entry| entry == "a");
            let mut patched = tree.clone();
            json_patch::patch(&mut patched, &Patch(operations)).unwrap();
            assert_eq!(patched["plugin"]["parameters"], after, "{parameters}");
        }
    }

    #[test]
    fn operations_fit_a_tree_that_lacks_a_map() {
        let wanted = [
            add("/metadata/annotations/a", json!("1")),
            replace("/spec/x", json!(true)),
            remove("/spec/y"),
        ];
        let mut tree = json!({"metadata": {"name": "n"}, "spec": {"y": 1}});
        let fitted = fitted(&tree, &wanted);
        json_patch::patch(&mut tree, &fitted).unwrap();
        assert_eq!(
            tree,
            json!({"metadata": {"name": "n", "annotations": {"a": "1"}}, "spec": {"x": true}})
        );
        let of_item = above(
            "/items/0".as_pointer(),
            &below("/items/0".as_pointer(), wanted.to_vec()),
        );
        assert_eq!(of_item, wanted);
        assert_eq!(
            above(
                "/items/1".as_pointer(),
                &below("/items/0".as_pointer(), wanted.to_vec())
            ),
            []
        );
    }
}
