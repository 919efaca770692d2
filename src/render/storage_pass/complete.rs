//! What a document of a render has to be: objects with apiVersion, kind and name, in lists or alone.

use anyhow::{Result, bail};
use serde_json::Value;

use super::Document;
use crate::model::Object;

/// Returns the items of a tree that is a list, as [`Object::is_list`] decides.
fn items(tree: &Value) -> Option<&Vec<Value>> {
    tree.get("items").and_then(Value::as_array)
}

/// Reports whether Argo CD takes a tree for an empty list, which charts make with an empty `range`
/// ([source](https://github.com/argoproj/argo-cd/blob/master/reposerver/repository/repository.go), `isNullList`).
fn is_null_list(tree: &Value) -> bool {
    let absent = |field: &str| tree.get(field).is_none();
    tree.get("items").is_some_and(Value::is_null) && absent("spec") && absent("status")
}

pub(super) fn any_object(tree: &Value, holds: &impl Fn(&Object) -> bool) -> bool {
    match items(tree) {
        Some(items) => items.iter().any(|item| any_object(item, holds)),
        None => holds(&Object::new(tree.clone())),
    }
}

/// Counts the objects of a document, lists flattened.
///
/// # Errors
/// When one has no apiVersion, kind or name (or `generateName`, which hooks may have instead).
pub(super) fn complete(tree: &Value, document: &Document<'_>) -> Result<usize> {
    if !tree.is_object() {
        bail!("the document {document} is not an object");
    }
    if let Some(items) = items(tree) {
        return items.iter().map(|item| complete(item, document)).sum();
    }
    if is_null_list(tree) {
        return Ok(0);
    }
    let says = |pointer: &str| {
        tree.pointer(pointer)
            .and_then(Value::as_str)
            .is_some_and(|text| !text.is_empty())
    };
    let lacks = [
        ("apiVersion", says("/apiVersion")),
        ("kind", says("/kind")),
        (
            "metadata.name",
            says("/metadata/name") || says("/metadata/generateName"),
        ),
    ];
    match lacks.iter().find(|(_, says)| !says) {
        Some((field, _)) => {
            bail!("an object of the document {document} has no `{field}`: the render is incomplete")
        }
        None => Ok(1),
    }
}

pub(super) fn describe(tree: &Value) -> String {
    let object = Object::new(tree.clone());
    let reference = object.reference();
    reference.map_or_else(|| object.kind().to_owned(), |reference| reference.to_string())
}
