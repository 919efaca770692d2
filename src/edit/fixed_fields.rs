//! The fields of a claim that Kubernetes never changes, where a claim gets another owner.
//!
//! An Application that ignores differences in them, and respects that when it syncs, applies the values of the cluster: the storage
//! class, the volume. They are in the claim's last applied configuration from then on. The next owner, if it leaves them out, would take
//! them away, and every sync of it would fail: so it ignores them, too.

use json_patch::{Patch, PatchOperation};
use serde_json::{Value, json};

use super::Edit;
use crate::model::{Application, Pointer, PointerExt};
use crate::repo::{Manifest, Origin};
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

/// Lets an Application leave them as they are in the cluster; where it has no manifest, a remark says what to write.
pub fn ignore(manifest: &Manifest, app: &Application<'_>, edit: &mut Edit) {
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
        edit.notes.push(format!(
            "where the claim was applied with its storage class, the sync of Application `{name}` fails unless it has `{RESPECT}=true` and `ignoreDifferences` for claims: write them in `{}` before",
            manifest.file
        ));
    }
}

fn operations(app: &Application<'_>) -> Vec<PatchOperation> {
    let mut tree = app.object().tree().clone();
    let mut all = Vec::new();
    let entry = json!({"kind": "PersistentVolumeClaim", "jsonPointers": POINTERS});
    let mut put = |pointer: &'static str, value: Value| {
        let at = Pointer::from_static(pointer);
        let operation = match tree.pointer(pointer).and_then(Value::as_array) {
            Some(there) => fixes::add(at.child(there.len()), value),
            None => fixes::set(&tree, at, json!([value])),
        };
        // Its own place is known from the tree: it fits.
        let _ = json_patch::patch(&mut tree, &Patch(vec![operation.clone()]));
        all.push(operation);
    };
    put("/spec/ignoreDifferences", entry);
    if app.sync_option(RESPECT) != Some("true") {
        put("/spec/syncPolicy/syncOptions", json!(format!("{RESPECT}=true")));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Object;

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
    }
}
