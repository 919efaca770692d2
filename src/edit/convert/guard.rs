//! Guards for an Application while it moves: `Prune=false` and `Delete=false` for all its objects.
//!
//! A claim that Argo CD renders itself gets its own guards with the first sync of the plugin's render. To have guards
//! before that, the Application itself gets them: Argo CD applies a sync option of the Application to every object that
//! does not set it itself
//! ([source](https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/#no-prune-resources)), as soon as the
//! Application in the cluster has it. An annotation records what was added, so that exactly that is removed at the end.

use json_patch::PatchOperation;
use serde_json::{Value, json};

use crate::model::application::SYNC_OPTIONS;
use crate::model::claim::is_claim;
use crate::model::namespace::is_namespace;
use crate::model::native::Unsupported;
use crate::model::object::annotation_pointer;
use crate::model::{Application, Object, Pointer, PointerExt};
use crate::rules::fixes;

/// The annotation of an Application that lists the sync options added for its move.
pub(super) const MOVING: &str = "storage.home.arpa/moving";
const OPTIONS: [(&str, &str); 2] = [("Prune", "Prune=false"), ("Delete", "Delete=false")];

/// Reports whether any of the objects is a claim or a Namespace: losing one would lose data.
pub(in crate::edit) fn needs_guard(objects: &[Object]) -> bool {
    objects.iter().any(|object| is_claim(object) || is_namespace(object))
}

/// Reports whether an Application is guarded for its move.
pub(in crate::edit) fn is_moving(app: &Application<'_>) -> bool {
    app.object().annotation(MOVING).is_some()
}

/// Returns the operations that guard an Application; none if it is guarded already.
///
/// # Errors
/// When it has one of the sync options with another value.
pub(in crate::edit) fn add(app: &Application<'_>) -> Result<Vec<PatchOperation>, Unsupported> {
    let mut missing = Vec::new();
    for (key, option) in OPTIONS {
        match app.sync_option(key) {
            Some("false") => {}
            None => missing.push(option),
            Some(other) => {
                return Err(Unsupported {
                    pointer: SYNC_OPTIONS.to_buf(),
                    why: format!("the sync option `{key}={other}` is set where `{option}` has to guard the move"),
                    hint: format!("write `{option}` there, or leave out `--guard-first`"),
                });
            }
        }
    }
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let tree = app.object().tree();
    let mut operations: Vec<PatchOperation> = match app.object().at(SYNC_OPTIONS).and_then(Value::as_array) {
        Some(there) => (there.len()..)
            .zip(&missing)
            .map(|(index, option)| fixes::add(SYNC_OPTIONS.child(index), json!(option)))
            .collect(),
        None => vec![fixes::set(tree, SYNC_OPTIONS, json!(missing))],
    };
    operations.push(fixes::annotate(app.object(), MOVING, &missing.join(",")));
    Ok(operations)
}

/// Returns the operations that remove the guards that [`add`] added.
pub(in crate::edit) fn remove(app: &Application<'_>) -> Vec<PatchOperation> {
    let Some(added) = app.object().annotation(MOVING) else {
        return Vec::new();
    };
    let added: Vec<&str> = added.split(',').collect();
    let options = app.sync_options();
    let own = (0..options.len())
        .rev()
        .filter(|index| added.contains(&options[*index]));
    // A list or map that `add` created is removed as a whole if nothing else is in it.
    let mut operations: Vec<PatchOperation> = if options.iter().all(|option| added.contains(option)) {
        let alone = |pointer: &Pointer| {
            let map = app.object().at(pointer).and_then(Value::as_object);
            map.is_some_and(|map| map.len() == 1)
        };
        let policy = Pointer::from_static("/spec/syncPolicy");
        let pointer = if alone(policy) { policy } else { SYNC_OPTIONS };
        if options.is_empty() {
            Vec::new()
        } else {
            vec![fixes::remove(pointer)]
        }
    } else {
        own.map(|index| fixes::remove(SYNC_OPTIONS.child(index))).collect()
    };
    let annotations = app.object().at("/metadata/annotations").and_then(Value::as_object);
    operations.push(if annotations.is_some_and(|map| map.len() == 1) {
        fixes::remove("/metadata/annotations")
    } else {
        fixes::remove(annotation_pointer(MOVING))
    });
    operations
}

#[cfg(test)]
mod tests {
    use super::*;
    use json_patch::Patch;

    fn patched(tree: &Value, operations: Vec<PatchOperation>) -> Value {
        let mut tree = tree.clone();
        json_patch::patch(&mut tree, &Patch(operations)).unwrap();
        tree
    }

    #[test]
    fn what_was_added_goes_and_nothing_else() {
        for spec in [
            json!({}),
            json!({"syncPolicy": {"automated": {}}}),
            json!({"syncPolicy": {"syncOptions": ["ServerSideApply=true"]}}),
            json!({"syncPolicy": {"syncOptions": ["Delete=false", "ServerSideApply=true"]}}),
        ] {
            let tree = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "a"}, "spec": spec});
            let object = Object::new(tree.clone());
            let guarded = Object::new(patched(&tree, add(&Application::new(&object).unwrap()).unwrap()));
            let app = Application::new(&guarded).unwrap();
            assert_eq!(
                (app.sync_option("Prune"), app.sync_option("Delete")),
                (Some("false"), Some("false"))
            );
            assert!(is_moving(&app) && add(&app).unwrap().is_empty());
            assert_eq!(patched(guarded.tree(), remove(&app)), tree);
        }
    }

    #[test]
    fn guards_of_the_persons_own_stay() {
        let object = Object::new(
            json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "a"},
            "spec": {"syncPolicy": {"syncOptions": ["Prune=false", "Delete=false"]}}}),
        );
        let app = Application::new(&object).unwrap();
        assert!(add(&app).unwrap().is_empty() && remove(&app).is_empty());
        let other = Object::new(
            json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "a"},
            "spec": {"syncPolicy": {"syncOptions": ["Prune=confirm"]}}}),
        );
        assert!(
            add(&Application::new(&other).unwrap())
                .unwrap_err()
                .why
                .contains("`Prune=confirm`")
        );
    }
}
