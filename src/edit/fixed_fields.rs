//! The fields of a claim that Kubernetes never changes, where a claim gets another owner.
//!
//! An Application that ignores differences in them, and respects that when it syncs, applies the values of the cluster: the storage
//! class, the volume. They are in the claim's last applied configuration from then on. The next owner, if it leaves them out, would take
//! them away, and every sync of it would fail: so it ignores them, too.

use json_patch::{Patch, PatchOperation};
use serde_json::{Value, json};

use super::convert::template;
use super::{Edit, Renders, leading_value};
use crate::model::{Application, Object, Pointer, PointerExt};
use crate::repo::{Manifest, Origin, Repo};
use crate::rules::claim_keeps_fixed_fields::is_ignored;
use crate::rules::fixes;

/// The fields that Kubernetes never changes on a claim
/// ([source](https://kubernetes.io/docs/concepts/storage/persistent-volumes/#persistentvolumeclaims)).
pub const POINTERS: [&str; 4] = [
    "/spec/accessModes",
    "/spec/storageClassName",
    "/spec/volumeMode",
    "/spec/volumeName",
];
/// The sync option by which what is ignored is not applied either.
pub const RESPECT: &str = "RespectIgnoreDifferences";

/// Reports whether an Application leaves all of them as they are in the cluster.
pub fn are_ignored(app: &Application<'_>) -> bool {
    POINTERS
        .iter()
        .all(|pointer| is_ignored(app, pointer.rsplit('/').next().unwrap_or_default()))
}

/// Lets an Application leave them as they are in the cluster; where it has no manifest, a remark says what to write, and where.
pub fn ignore((repo, renders): (&Repo, &dyn Renders), (manifest, app): (&Manifest, &Application<'_>), edit: &mut Edit) {
    if are_ignored(app) {
        return;
    }
    let name = app.name();
    if matches!(manifest.origin, Origin::Document | Origin::Item(_)) {
        edit.changes
            .changes
            .extend(fixes::patch(manifest, operations(app)).changes);
        edit.notes.push(format!(
            "Application `{name}` leaves the storage class and the volume of its claims as they are in the cluster (`ignoreDifferences`)"
        ));
    } else {
        let (what, place) = (by_hand(app), place(repo, renders, manifest));
        edit.notes.push(format!(
            "where the claim was applied with its storage class, the sync of Application `{name}` fails unless it leaves that as it is in \
             the cluster: {place}, add {what}, and sync that before"
        ));
    }
}

/// Returns what is missing in an Application, as it is written by hand.
fn by_hand(app: &Application<'_>) -> String {
    let entry = format!(
        "to `ignoreDifferences` the entry `{{kind: PersistentVolumeClaim, jsonPointers: [{}]}}`",
        POINTERS.join(", ")
    );
    let option = format!("to `syncPolicy.syncOptions` the entry `{RESPECT}=true`");
    let all = [(lacks_entry(app), entry), (lacks_option(app), option)];
    let missing: Vec<String> = all
        .into_iter()
        .filter_map(|(lacks, what)| lacks.then_some(what))
        .collect();
    missing.join(" and ")
}

fn lacks_option(app: &Application<'_>) -> bool {
    app.sync_option(RESPECT) != Some("true")
}

/// Reports whether an Application would not leave the fields alone if it had the option.
fn lacks_entry(app: &Application<'_>) -> bool {
    let mut tree = app.object().tree().clone();
    let option = with_option(&tree);
    let _ = json_patch::patch(&mut tree, &Patch(vec![option]));
    let object = Object::new(tree);
    !Application::new(&object).is_some_and(|app| are_ignored(&app))
}

/// Returns the operation that adds the option.
fn with_option(tree: &Value) -> PatchOperation {
    added(tree, "/spec/syncPolicy/syncOptions", json!(format!("{RESPECT}=true")))
}

/// Returns the operation that adds an item to a list.
fn added(tree: &Value, pointer: &'static str, item: Value) -> PatchOperation {
    let at = Pointer::from_static(pointer);
    match tree.pointer(pointer).and_then(Value::as_array) {
        Some(there) => fixes::add(at.child(there.len()), item),
        None => fixes::set(tree, at, json!([item])),
    }
}

/// Returns where an Application is written that has no manifest: no file of a source can have these fields.
fn place(repo: &Repo, renders: &dyn Renders, manifest: &Manifest) -> String {
    if let Origin::Rendered(rendered) = &manifest.origin {
        let places = leading_value::places(repo, renders.files(), rendered, manifest.object.name());
        return match places.is_empty() {
            true => format!("in the `spec` that `{}` renders", rendered.by),
            false => format!("in its template, beside the source at {}", places.join(", ")),
        };
    }
    match template::set_of(repo, manifest) {
        Some(set) => format!(
            "in the template of ApplicationSet `{}`, for all its Applications, in the `spec` at `{}`",
            set.object.name(),
            repo.place(set, Pointer::from_static("/spec/template/spec"))
        ),
        None => format!("in `{}`", manifest.file),
    }
}

fn operations(app: &Application<'_>) -> Vec<PatchOperation> {
    let tree = app.object().tree();
    let entry = json!({"kind": "PersistentVolumeClaim", "jsonPointers": POINTERS});
    let mut all = Vec::new();
    if lacks_entry(app) {
        all.push(added(tree, "/spec/ignoreDifferences", entry));
    }
    if lacks_option(app) {
        all.push(with_option(tree));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(spec: &Value) -> Value {
        let object = Object::new(
            json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "a"}, "spec": spec}),
        );
        let app = Application::new(&object).unwrap();
        let mut tree = object.tree().clone();
        json_patch::patch(&mut tree, &Patch(operations(&app))).unwrap();
        let object = Object::new(tree);
        assert!(are_ignored(&Application::new(&object).unwrap()));
        object.tree()["spec"].clone()
    }

    #[test]
    fn what_is_there_stays() {
        let entry = json!({"kind": "PersistentVolumeClaim", "jsonPointers": POINTERS});
        let option = format!("{RESPECT}=true");
        assert_eq!(
            changed(&json!({})),
            json!({"ignoreDifferences": [entry], "syncPolicy": {"syncOptions": [option]}})
        );
        let other = json!({"kind": "Deployment", "jsonPointers": ["/spec/replicas"]});
        assert_eq!(
            changed(&json!({"ignoreDifferences": [other], "syncPolicy": {"automated": {}, "syncOptions": ["A=true"]}})),
            json!({"ignoreDifferences": [other, entry], "syncPolicy": {"automated": {}, "syncOptions": ["A=true", option]}})
        );
        assert_eq!(
            changed(&json!({"ignoreDifferences": [other], "syncPolicy": {"syncOptions": [option]}})),
            json!({"ignoreDifferences": [other, entry], "syncPolicy": {"syncOptions": [option]}})
        );
        assert_eq!(
            changed(&json!({"ignoreDifferences": [entry], "syncPolicy": {"automated": {}}})),
            json!({"ignoreDifferences": [entry], "syncPolicy": {"automated": {}, "syncOptions": [option]}})
        );
    }
}
