//! What decides about an object's deletion and replacement: its annotations, and the options of its Application
//! ([source](https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/)).

use serde_json::Value;

use crate::model::application::FINALIZER;
use crate::model::finalizer::deleting;
use crate::model::sync::{self, COMPARE_OPTIONS, RESOURCE_POLICY, SYNC_OPTIONS, entries};
use crate::model::{Application, Object};

/// Annotation: the object, kept where its Helm release goes.
const KEEP: &str = "keep";

/// Returns a sync option of an object; that of its Application where it has none.
fn option<'o>(app: &Application<'o>, object: &'o Object, key: &str) -> Option<&'o str> {
    sync::value(entries(object, SYNC_OPTIONS), key).or_else(|| app.sync_option(key))
}

/// Returns whether a prune deletes an object: `false`, `confirm` or something else, as `Prune=…` says.
pub(super) fn prune<'o>(app: &Application<'o>, object: &'o Object) -> Option<&'o str> {
    option(app, object, "Prune")
}

/// Returns whether the deletion of its Application deletes an object, as `Delete=…` says.
pub(super) fn delete<'o>(app: &Application<'o>, object: &'o Object) -> Option<&'o str> {
    option(app, object, "Delete")
}

/// Reports whether an object that nothing renders leaves its Application Synced.
pub(super) fn ignores_extraneous(object: &Object) -> bool {
    entries(object, COMPARE_OPTIONS).any(|entry| entry == "IgnoreExtraneous")
}

/// Reports whether an object stays when its Application is deleted, since its Helm release would keep it.
pub(super) fn is_kept_by_helm(object: &Object) -> bool {
    object
        .annotation(RESOURCE_POLICY)
        .is_some_and(|policy| policy.split(',').any(|entry| entry.trim() == KEEP))
}

/// Reports whether an object of either side has a sync option with this value.
fn any_has(objects: [&Object; 2], key: &str, value: &str) -> bool {
    let has = |object: &Object| entries(object, SYNC_OPTIONS).any(|entry| entry == format!("{key}={value}"));
    objects.into_iter().any(has)
}

/// Reports whether Argo CD deletes an object where it cannot change it: it reads the option from Git and from the live object, and
/// not from the Application.
pub(super) fn is_forced(objects: [&Object; 2]) -> bool {
    any_has(objects, "Force", "true")
}

/// Reports whether Argo CD replaces an object instead of patching it; CustomResourceDefinitions and Namespaces are updated
/// all the same.
pub(super) fn is_replaced(app: &Application<'_>, objects: [&Object; 2]) -> bool {
    let [_, new] = objects;
    let is_updated = new.kind() == "CustomResourceDefinition" || new.kind() == "Namespace";
    !is_updated && (any_has(objects, "Replace", "true") || app.sync_option("Replace") == Some("true"))
}

/// Reports whether automated sync deletes what is not rendered any more.
pub(super) fn prunes(app: &Application<'_>) -> bool {
    switch(app, "prune")
}

/// Reports whether automated sync may delete the last object, too.
pub(super) fn allows_empty(app: &Application<'_>) -> bool {
    switch(app, "allowEmpty")
}

/// Reports whether automated sync restores what others have changed.
pub(super) fn self_heals(app: &Application<'_>) -> bool {
    switch(app, "selfHeal")
}

fn switch(app: &Application<'_>, key: &str) -> bool {
    let value = app.automated().and_then(|automated| automated.get(key));
    value.and_then(Value::as_bool) == Some(true)
}

/// Reports whether the deletion of an Application deletes its objects.
pub(super) fn cascades(app: &Application<'_>) -> bool {
    !deleting(app).is_empty()
}

/// Reports whether deleting a set's Applications leaves their objects.
pub(super) fn preserves(set: &Object) -> bool {
    set.at("/spec/syncPolicy/preserveResourcesOnDeletion") == Some(&Value::Bool(true))
}

/// Reports whether the controller of sets takes a set that is deleted off its Applications, so that they stay if its policy deletes
/// none. Without the finalizer, Kubernetes may delete them first.
pub(super) fn lets_go(set: &Object) -> bool {
    let finalizers = set.at("/metadata/finalizers").and_then(Value::as_array);
    finalizers.is_some_and(|finalizers| finalizers.iter().any(|one| one == FINALIZER)) && !deletes(set)
}

/// Returns what a set may do to Applications, as `create-update`.
pub(super) fn policy(set: &Object) -> &str {
    let policy = set.at("/spec/syncPolicy/applicationsSync").and_then(Value::as_str);
    policy.filter(|policy| !policy.is_empty()).unwrap_or("sync")
}

/// Reports whether a set deletes Applications that it generates no more.
pub(super) fn deletes(set: &Object) -> bool {
    matches!(policy(set), "sync" | "create-delete")
}
