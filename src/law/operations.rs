//! JSON Patch operations: building them, and the smallest ones that set labels and annotations.

use std::collections::BTreeMap;

use json_patch::jsonptr::PointerBuf;
use json_patch::{AddOperation, PatchOperation};
use serde_json::{Value, json};

use crate::model::Object;
use crate::model::object::pointer_token;

/// `add` at a JSON Pointer whose keys are escaped.
pub fn add(pointer: &str, value: Value) -> PatchOperation {
    PatchOperation::Add(AddOperation {
        path: parse(pointer),
        value,
    })
}

/// A pointer of which every token was made by [`pointer_token`] or is a number.
fn parse(pointer: &str) -> PointerBuf {
    PointerBuf::parse(pointer.to_owned()).expect("pointers are built from escaped tokens")
}

/// The operations with their paths below a pointer: for an object inside a list.
pub fn below(pointer: &str, operations: Vec<PatchOperation>) -> Vec<PatchOperation> {
    if pointer.is_empty() {
        return operations;
    }
    let moved = |path: PointerBuf| parse(&format!("{pointer}{path}"));
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

/// Sets labels or annotations (`map` is the key in `metadata`); what has the value already is left alone.
pub fn set_metadata(object: &Object, map: &str, wanted: &BTreeMap<String, String>) -> Vec<PatchOperation> {
    let existing = object
        .at("/metadata")
        .and_then(|metadata| metadata.get(map))
        .filter(|tree| tree.is_object());
    let Some(existing) = existing else {
        return if wanted.is_empty() {
            Vec::new()
        } else {
            vec![add(&format!("/metadata/{map}"), json!(wanted))]
        };
    };
    let differs = wanted
        .iter()
        .filter(|(key, value)| existing.get(*key).and_then(Value::as_str) != Some(value));
    differs
        .map(|(key, value)| add(&format!("/metadata/{map}/{}", pointer_token(key)), json!(value)))
        .collect()
}

/// Appends to the list under a key of a map, which is made when it is missing or null.
pub fn append(map: &Value, pointer: &str, key: &str, values: Vec<Value>) -> Vec<PatchOperation> {
    if values.is_empty() {
        return Vec::new();
    }
    match map.get(key) {
        Some(Value::Array(_)) => values
            .into_iter()
            .map(|value| add(&format!("{pointer}/{key}/-"), value))
            .collect(),
        _ => vec![add(&format!("{pointer}/{key}"), Value::Array(values))],
    }
}
