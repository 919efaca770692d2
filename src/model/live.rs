//! An Application in a cluster: its sync, its health, its conditions and its operation, as Argo CD reports them.

use std::cmp::Ordering;

use serde_json::Value;

use super::application::Application;
use super::object::Object;
use super::pointer::{Pointer, PointerExt};
use crate::masking::without_logins;

/// Annotation: asks Argo CD for a refresh, `normal` or `hard`; the controller removes it when the refresh is done.
pub const REFRESH: &str = "argocd.argoproj.io/refresh";
/// The initiator of this program's operations.
pub const INITIATOR: &str = "kubectl-homelab";
/// Longest message, in characters.
const LONGEST: usize = 600;

/// A view of a live Application.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveApplication {
    object: Object,
}

/// A condition of an Application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition<'o> {
    /// Its type, as `ComparisonError`.
    pub kind: &'o str,
    /// Its message, in one line.
    pub message: String,
}

impl Condition<'_> {
    /// Reports whether something is wrong: Argo CD names such types so.
    pub fn is_error(&self) -> bool {
        self.kind.ends_with("Error")
    }
}

/// A view of the operation that is running, or ran last.
#[derive(Clone, Copy, Debug)]
pub struct Operation<'o> {
    tree: &'o Value,
}

/// An object that an operation could not sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed<'o> {
    /// Its kind.
    pub kind: &'o str,
    /// Its namespace, empty for none.
    pub namespace: &'o str,
    /// Its name.
    pub name: &'o str,
    /// Why, in one line.
    pub message: String,
}

/// Returns a text in one line, without control characters and the logins of URLs, and not endless.
pub fn one_line(text: &str) -> String {
    let text = without_logins(text);
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let line = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

fn text<'v>(tree: &'v Value, pointer: &str) -> &'v str {
    tree.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn list<'v>(tree: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> {
    tree.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

/// Returns `revisions` where there are several sources, else `revision`.
fn revisions<'v>(tree: &'v Value, pointer: &str) -> Vec<&'v str> {
    let several: Vec<&str> = list(tree, &format!("{pointer}/revisions"))
        .filter_map(Value::as_str)
        .collect();
    if several.is_empty() {
        let one = text(tree, &format!("{pointer}/revision"));
        return if one.is_empty() { several } else { vec![one] };
    }
    several
}

impl LiveApplication {
    /// Returns the view of an object of the API server.
    pub fn new(tree: Value) -> Self {
        Self {
            object: Object::new(tree),
        }
    }

    fn text(&self, pointer: &str) -> &str {
        text(self.object.tree(), pointer)
    }

    /// Returns `metadata.name`.
    pub fn name(&self) -> &str {
        self.object.name()
    }

    /// Returns `metadata.namespace`.
    pub fn namespace(&self) -> &str {
        self.object.namespace().unwrap_or_default()
    }

    /// Returns `metadata.resourceVersion`.
    pub fn resource_version(&self) -> &str {
        self.text("/metadata/resourceVersion")
    }

    /// Returns what is desired: the Application as a manifest has it.
    pub fn application(&self) -> Option<Application<'_>> {
        Application::new(&self.object)
    }

    /// Returns `spec.syncPolicy.retry`.
    pub fn retry(&self) -> Option<&Value> {
        self.object.at("/spec/syncPolicy/retry").filter(|tree| tree.is_object())
    }

    /// Reports whether it is being deleted.
    pub fn is_being_deleted(&self) -> bool {
        self.object.at("/metadata/deletionTimestamp").is_some()
    }

    /// Returns the refresh that was requested and that Argo CD has not done.
    pub fn pending_refresh(&self) -> Option<&str> {
        self.object.annotation(REFRESH)
    }

    /// Returns `Synced`, `OutOfSync` or `Unknown`.
    pub fn sync(&self) -> &str {
        let status = self.text("/status/sync/status");
        if status.is_empty() { "Unknown" } else { status }
    }

    /// Returns `Healthy`, `Progressing`, `Degraded`, `Suspended`, `Missing` or `Unknown`.
    pub fn health(&self) -> &str {
        let status = self.text("/status/health/status");
        if status.is_empty() { "Unknown" } else { status }
    }

    /// Returns the revision of each source that the sync status is about.
    pub fn revisions(&self) -> Vec<&str> {
        revisions(self.object.tree(), "/status/sync")
    }

    /// Returns the conditions.
    pub fn conditions(&self) -> Vec<Condition<'_>> {
        let conditions = list(self.object.tree(), "/status/conditions");
        let of = |condition| Condition {
            kind: text(condition, "/type"),
            message: one_line(text(condition, "/message")),
        };
        conditions.map(of).collect()
    }

    /// Returns the conditions that report an error.
    pub fn errors(&self) -> impl Iterator<Item = Condition<'_>> {
        self.conditions().into_iter().filter(Condition::is_error)
    }

    /// Returns who requested an operation that is not done: the initiator in its `.operation`.
    pub fn requested_by(&self) -> Option<&str> {
        let operation = self.object.at("/operation").filter(|tree| tree.is_object())?;
        Some(initiator(operation))
    }

    /// Returns the operation that is running or ran last.
    pub fn operation(&self) -> Option<Operation<'_>> {
        let tree = self
            .object
            .at("/status/operationState")
            .filter(|tree| tree.is_object())?;
        Some(Operation { tree })
    }

    /// Reports whether an operation is requested or running.
    pub fn is_operating(&self) -> bool {
        self.requested_by().is_some() || self.operation().is_some_and(|operation| !operation.is_final())
    }

    /// Reports whether its sync and health are those from before its last operation, or of another source or destination
    /// than it has now: Argo CD compares again after each (`needRefreshAppStatus` in
    /// <https://github.com/argoproj/argo-cd/blob/v3.5.7/controller/appcontroller.go>).
    pub fn is_stale(&self) -> bool {
        self.is_compared_before_its_operation() || self.is_compared_to_another()
    }

    fn is_compared_before_its_operation(&self) -> bool {
        let Some(operation) = self.operation() else {
            return false;
        };
        // Both in the same form, so that the later one is the greater text; and by whole seconds. Within one, what is
        // Synced to something else than was synced was so before. (An Application that cannot be compared has no such
        // revision.)
        match operation.finished_at().cmp(self.text("/status/reconciledAt")) {
            Ordering::Less => false,
            Ordering::Equal => {
                let synced = operation.revisions();
                self.sync() == "Synced" && !synced.is_empty() && synced != self.revisions()
            }
            Ordering::Greater => true,
        }
    }

    /// Reports whether another spec than the present one was compared last. An Application that hydrates its source is
    /// compared to that source, which its spec does not have in this form.
    fn is_compared_to_another(&self) -> bool {
        let of_spec = |field: &str| {
            self.object
                .at(Pointer::from_static("/spec").child(field))
                .and_then(essence)
        };
        let compared = |field: &str| {
            self.object
                .at(Pointer::from_static("/status/sync/comparedTo").child(field))
                .and_then(essence)
        };
        if self.object.at("/status/sync/comparedTo").is_none() || of_spec("sourceHydrator").is_some() {
            return false;
        }
        let source = if of_spec("sources").is_some() {
            "sources"
        } else {
            "source"
        };
        [source, "destination"]
            .iter()
            .any(|field| of_spec(field) != compared(field))
    }

    /// Returns the objects that differ from Git, as `Kind/name`.
    pub fn out_of_sync(&self) -> Vec<String> {
        self.resources(|resource| text(resource, "/status") == "OutOfSync")
    }

    /// Returns the objects that are not healthy, as `Kind/name`; none where Argo CD does not publish their health.
    pub fn unhealthy(&self) -> Vec<String> {
        self.resources(|resource| !matches!(text(resource, "/health/status"), "" | "Healthy"))
    }

    fn resources(&self, wanted: impl Fn(&Value) -> bool) -> Vec<String> {
        let resources = list(self.object.tree(), "/status/resources").filter(|resource| wanted(resource));
        resources
            .map(|resource| format!("{}/{}", text(resource, "/kind"), text(resource, "/name")))
            .collect()
    }
}

fn initiator(operation: &Value) -> &str {
    let name = text(operation, "/initiatedBy/username");
    let automated = operation.pointer("/initiatedBy/automated").and_then(Value::as_bool);
    match (name, automated) {
        ("", Some(true)) => "Argo CD itself",
        ("", _) => "somebody",
        _ => name,
    }
}

impl<'o> Operation<'o> {
    /// Returns `Running`, `Terminating`, `Succeeded`, `Failed` or `Error`.
    pub fn phase(&self) -> &'o str {
        text(self.tree, "/phase")
    }

    /// Reports whether it has ended.
    pub fn is_final(&self) -> bool {
        matches!(self.phase(), "Succeeded" | "Failed" | "Error")
    }

    /// Reports whether it has ended and synced everything.
    pub fn has_succeeded(&self) -> bool {
        self.phase() == "Succeeded"
    }

    /// Returns its message, in one line.
    pub fn message(&self) -> String {
        one_line(text(self.tree, "/message"))
    }

    /// Returns who requested it.
    pub fn initiator(&self) -> &'o str {
        self.tree.get("operation").map_or("somebody", initiator)
    }

    /// Returns when it was started, as RFC 3339.
    pub fn started_at(&self) -> &'o str {
        text(self.tree, "/startedAt")
    }

    /// Returns when it ended, as RFC 3339; empty before.
    pub fn finished_at(&self) -> &'o str {
        text(self.tree, "/finishedAt")
    }

    /// Returns the revision of each source that it synced to.
    pub fn revisions(&self) -> Vec<&'o str> {
        revisions(self.tree, "/syncResult")
    }

    /// Returns the objects that failed.
    pub fn failed(&self) -> Vec<Failed<'o>> {
        let has_failed = |resource: &&Value| {
            text(resource, "/status") == "SyncFailed" || matches!(text(resource, "/hookPhase"), "Failed" | "Error")
        };
        let failed = list(self.tree, "/syncResult/resources").filter(has_failed);
        failed
            .map(|resource| Failed {
                kind: text(resource, "/kind"),
                namespace: text(resource, "/namespace"),
                name: text(resource, "/name"),
                message: one_line(text(resource, "/message")),
            })
            .collect()
    }
}

/// Returns a value without what Go leaves out when it writes it: `null`, and what is `false` or empty.
fn essence(value: &Value) -> Option<Value> {
    match value {
        Value::Null | Value::Bool(false) => None,
        Value::String(text) => (!text.is_empty()).then(|| value.clone()),
        Value::Array(items) => {
            // An item of which nothing is left keeps its place.
            let items: Vec<Value> = items.iter().map(|item| essence(item).unwrap_or_default()).collect();
            (!items.is_empty()).then_some(Value::Array(items))
        }
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), essence(value)?)));
            let fields: serde_json::Map<_, _> = fields.collect();
            (!fields.is_empty()).then_some(Value::Object(fields))
        }
        Value::Bool(true) | Value::Number(_) => Some(value.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn messages_are_one_line_and_end() {
        assert_eq!(one_line(" a\n\tb \u{1b}[31mc\r\n"), "a b [31mc");
        assert_eq!(one_line(&"ä".repeat(1000)).chars().count(), LONGEST + 1);
    }

    #[test]
    fn an_operation_runs_from_its_request_to_its_last_phase() {
        let of = |tree: Value| LiveApplication::new(tree).is_operating();
        assert!(!of(json!({})));
        assert!(of(json!({"operation": {"sync": {}}})));
        assert!(!of(json!({"operation": null})));
        for (phase, is_operating) in [
            ("Running", true),
            ("Terminating", true),
            ("Succeeded", false),
            ("Failed", false),
            ("Error", false),
        ] {
            assert_eq!(
                of(json!({"status": {"operationState": {"phase": phase}}})),
                is_operating,
                "{phase}"
            );
        }
    }

    #[test]
    fn what_was_compared_before_the_last_operation_is_stale() {
        let of = |finished: Value, compared: &str| {
            let state = json!({"phase": "Succeeded", "finishedAt": finished});
            LiveApplication::new(json!({"status": {"operationState": state, "reconciledAt": compared}})).is_stale()
        };
        assert!(of(json!("2020-01-01T10:00:00Z"), "2020-01-01T09:59:59Z"));
        assert!(!of(json!("2020-01-01T10:00:00Z"), "2020-01-01T10:00:00Z"));
        assert!(!of(Value::Null, "2020-01-01T10:00:00Z"));
    }

    #[test]
    fn within_a_second_the_revision_shows_what_came_first() {
        let of = |sync: &str, compared: &str| {
            let now = "2020-01-01T10:00:00Z";
            let state = json!({"phase": "Failed", "finishedAt": now, "syncResult": {"revision": "new"}});
            let sync = json!({"status": sync, "revision": compared});
            let status = json!({"operationState": state, "reconciledAt": now, "sync": sync});
            LiveApplication::new(json!({"status": status})).is_stale()
        };
        assert!(of("Synced", "old"));
        assert!(!of("Synced", "new"));
        assert!(!of("Unknown", "main"), "what does not render is not waited for");
    }

    #[test]
    fn what_was_compared_to_another_spec_is_stale() {
        let of = |spec: Value, compared: Value| {
            LiveApplication::new(json!({"spec": spec, "status": {"sync": {"comparedTo": compared}}})).is_stale()
        };
        let source = |owns: Value| json!({"repoURL": "a", "plugin": {"name": "homelab-v1", "parameters": [{"name": "owns", "array": owns}]}});
        let one =
            |owns: Value, namespace: &str| json!({"source": source(owns), "destination": {"namespace": namespace}});
        assert!(!of(one(json!(["audio"]), "media"), one(json!(["audio"]), "media")));
        assert!(of(one(json!(["audio"]), "media"), one(json!([]), "media")));
        assert!(of(one(json!([]), "media"), one(json!([]), "web")));
        assert!(
            !of(
                json!({"source": {"repoURL": "a", "helm": {}, "path": ""}, "project": "default"}),
                json!({"source": {"repoURL": "a"}, "destination": {}})
            ),
            "what Go leaves out is no difference"
        );
        assert!(of(
            json!({"sources": [{"repoURL": "a"}, {"repoURL": "b"}], "source": {"repoURL": "a"}}),
            json!({"sources": [{"repoURL": "a"}]})
        ));
        assert!(
            !of(
                json!({"sourceHydrator": {"syncSource": {"path": "a"}}}),
                json!({"source": {"path": "a"}})
            ),
            "the spec does not have a hydrated source in this form"
        );
    }

    #[test]
    fn several_sources_have_several_revisions() {
        let of = |sync: Value| LiveApplication::new(json!({"status": {"sync": sync}}));
        assert_eq!(of(json!({"revision": "a"})).revisions(), ["a"]);
        assert_eq!(
            of(json!({"revision": "", "revisions": ["a", "b"]})).revisions(),
            ["a", "b"]
        );
        assert!(of(json!({})).revisions().is_empty());
    }

    #[test]
    fn what_failed_is_named() {
        let app = LiveApplication::new(
            json!({"status": {"operationState": {"phase": "Failed", "syncResult": {"resources": [
                {"kind": "PersistentVolumeClaim", "namespace": "media", "name": "films", "status": "SyncFailed", "message": "no\nway"},
                {"kind": "Job", "namespace": "media", "name": "migrate", "hookPhase": "Error", "message": "x"},
                {"kind": "Service", "namespace": "media", "name": "web", "status": "Synced", "hookPhase": "Running"},
            ]}}}}),
        );
        let failed = app.operation().unwrap().failed();
        assert_eq!(
            failed.iter().map(|object| object.name).collect::<Vec<_>>(),
            ["films", "migrate"]
        );
        assert_eq!(failed[0].message, "no way");
    }
}
