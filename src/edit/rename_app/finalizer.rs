//! The finalizers by which Argo CD deletes all objects of an Application when it goes: they are off while it gets another name.

use json_patch::PatchOperation;
use serde_json::{Value, json};

use crate::model::finalizer::deleting;
use crate::model::object::annotation_pointer;
use crate::model::{AppName, Application, Pointer, PointerExt};
use crate::rules::fixes;

/// The annotation of an Application that is being renamed: its new name, and the finalizers that it gets back.
pub(super) const RENAMING: &str = "storage.home.arpa/renaming";
const FINALIZERS: &Pointer = Pointer::from_static("/metadata/finalizers");
const ANNOTATIONS: &Pointer = Pointer::from_static("/metadata/annotations");

/// Returns the operations that take them off, and note them.
pub(super) fn taken_off(app: &Application<'_>, new: &AppName) -> Vec<PatchOperation> {
    let off = deleting(app);
    if off.is_empty() {
        return Vec::new();
    }
    let all = app.finalizers();
    let mut operations: Vec<PatchOperation> = match all.len() == off.len() {
        true => vec![fixes::remove(FINALIZERS)],
        false => {
            let indices = (0..all.len()).rev().filter(|index| off.contains(&all[*index]));
            indices.map(|index| fixes::remove(FINALIZERS.child(index))).collect()
        }
    };
    let note = format!("{new}={}", off.join(","));
    operations.push(fixes::annotate(app.object(), RENAMING, &note));
    operations
}

/// Returns the operations that give back what [`taken_off`] took.
pub(super) fn put_back(app: &Application<'_>) -> Vec<PatchOperation> {
    let Some(note) = app.object().annotation(RENAMING) else {
        return Vec::new();
    };
    let (_, finalizers) = note.split_once('=').unwrap_or_default();
    let there = app.finalizers();
    let missing: Vec<&str> = finalizers
        .split(',')
        .filter(|finalizer| !finalizer.is_empty() && !there.contains(finalizer))
        .collect();
    let mut operations: Vec<PatchOperation> = match app.object().at(FINALIZERS).and_then(Value::as_array) {
        _ if missing.is_empty() => Vec::new(),
        Some(list) => (list.len()..)
            .zip(&missing)
            .map(|(index, finalizer)| fixes::add(FINALIZERS.child(index), json!(finalizer)))
            .collect(),
        None => vec![fixes::set(app.object().tree(), FINALIZERS, json!(missing))],
    };
    let annotations = app.object().at(ANNOTATIONS).and_then(Value::as_object);
    operations.push(match annotations.is_some_and(|map| map.len() == 1) {
        true => fixes::remove(ANNOTATIONS),
        false => fixes::remove(annotation_pointer(RENAMING)),
    });
    operations
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Object;
    use crate::model::application::FINALIZER;
    use json_patch::Patch;

    fn patched(object: &Object, operations: Vec<PatchOperation>) -> Object {
        let mut tree = object.tree().clone();
        json_patch::patch(&mut tree, &Patch(operations)).unwrap();
        Object::new(tree)
    }

    #[test]
    fn what_was_taken_off_comes_back_and_nothing_else() {
        let new = AppName::new("new").unwrap();
        for (metadata, off) in [
            (json!({"name": "a", "finalizers": [FINALIZER]}), 0),
            (
                json!({"name": "a", "finalizers": ["x/y", "resources-finalizer.argocd.argoproj.io/background"]}),
                1,
            ),
            (
                json!({"name": "a", "annotations": {"b": "c"}, "finalizers": [FINALIZER]}),
                0,
            ),
        ] {
            let object =
                Object::new(json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": metadata}));
            let app = Application::new(&object).unwrap();
            let without = patched(&object, taken_off(&app, &new));
            let view = Application::new(&without).unwrap();
            assert_eq!((view.finalizers().len(), deleting(&view).len()), (off, 0));
            assert_eq!(patched(&without, put_back(&view)).tree(), object.tree());
        }
        let object = Object::new(
            json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "a"}}),
        );
        let app = Application::new(&object).unwrap();
        assert!(taken_off(&app, &new).is_empty() && put_back(&app).is_empty());
    }
}
