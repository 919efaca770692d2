//! Builds JSON Patch operations, the smallest ones that set labels and annotations among them.

use std::collections::BTreeMap;

use json_patch::{AddOperation, PatchOperation};
use serde_json::{Value, json};

use crate::model::{AsPointer, Object, Pointer, PointerBuf, PointerExt};

/// Returns the operation that adds a value at a JSON Pointer.
pub fn add(pointer: impl AsPointer, value: Value) -> PatchOperation {
    PatchOperation::Add(AddOperation {
        path: pointer.as_pointer().to_buf(),
        value,
    })
}

/// Returns the operations with their paths below a pointer, for an object that is inside a list.
pub fn below(pointer: &Pointer, operations: Vec<PatchOperation>) -> Vec<PatchOperation> {
    if pointer.is_root() {
        return operations;
    }
    let moved = |path: PointerBuf| pointer.concat(&path);
    let shift = |operation| match operation {
        PatchOperation::Add(mut op) => {
            op.path = moved(op.path);
            PatchOperation::Add(op)
        }
        PatchOperation::Remove(mut op) => {
            op.path = moved(op.path);
            PatchOperation::Remove(op)
        }
        PatchOperation::Replace(mut op) => {
            op.path = moved(op.path);
            PatchOperation::Replace(op)
        }
        PatchOperation::Move(mut op) => {
            (op.path, op.from) = (moved(op.path), moved(op.from));
            PatchOperation::Move(op)
        }
        PatchOperation::Copy(mut op) => {
            (op.path, op.from) = (moved(op.path), moved(op.from));
            PatchOperation::Copy(op)
        }
        PatchOperation::Test(mut op) => {
            op.path = moved(op.path);
            PatchOperation::Test(op)
        }
    };
    operations.into_iter().map(shift).collect()
}

/// Returns the operations that set labels or annotations (`map` is the key in `metadata`); none for values that are set
/// already.
pub fn set_metadata(object: &Object, map: &str, wanted: &BTreeMap<String, String>) -> Vec<PatchOperation> {
    set_metadata_at(object, Pointer::root(), map, wanted)
}

/// As [`set_metadata`], for something inside an object, which may have no `metadata` yet.
pub fn set_metadata_at(
    object: &Object,
    at: &Pointer,
    map: &str,
    wanted: &BTreeMap<String, String>,
) -> Vec<PatchOperation> {
    let pointer = at.child("metadata");
    let metadata = object.at(&pointer).filter(|tree| tree.is_object());
    let existing = metadata
        .and_then(|metadata| metadata.get(map))
        .filter(|tree| tree.is_object());
    let Some(existing) = existing else {
        return match metadata {
            _ if wanted.is_empty() => Vec::new(),
            Some(_) => vec![add(pointer.child(map), json!(wanted))],
            None => vec![add(pointer, json!({map: wanted}))],
        };
    };
    let pointer = pointer.child(map);
    let differs = wanted
        .iter()
        .filter(|(key, value)| existing.get(*key).and_then(Value::as_str) != Some(value));
    differs
        .map(|(key, value)| add(pointer.child(key), json!(value)))
        .collect()
}

/// Returns the operations that append to the list under a key of a map; the list is created when it is missing or null.
pub fn append(map: &Value, pointer: &Pointer, key: &str, values: Vec<Value>) -> Vec<PatchOperation> {
    if values.is_empty() {
        return Vec::new();
    }
    let list = pointer.child(key);
    match map.get(key) {
        Some(Value::Array(_)) => values.into_iter().map(|value| add(list.child("-"), value)).collect(),
        _ => vec![add(list, Value::Array(values))],
    }
}
