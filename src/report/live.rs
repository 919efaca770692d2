//! What `refresh`, `sync` and `wait` show: Applications as the cluster has them, as a table or as JSON.

use serde::Serialize;
use serde_json::{Value, json};

use super::list::API_VERSION;
use super::table::{Cell, sized};
use crate::model::LiveApplication;

/// One Application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LiveRow {
    /// Its name.
    pub name: String,
    /// Whether the cluster has it.
    pub exists: bool,
    /// Argo CD's sync status; absent where it is not there, as are the following.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync: Option<String>,
    /// Argo CD's health status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<String>,
    /// The revision of each source.
    pub revisions: Vec<String>,
    /// What Argo CD remarks on it.
    pub conditions: Vec<ConditionRow>,
    /// The operation that is running or ran last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationRow>,
    /// What was waited for in vain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
}

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConditionRow {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its text.
    pub message: String,
    /// Whether something is wrong.
    pub error: bool,
}

/// One operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OperationRow {
    /// How far it is.
    pub phase: String,
    /// Its text.
    pub message: String,
    /// Who asked for it.
    pub initiator: String,
    /// When it was started.
    pub started_at: String,
    /// When it was over; empty before.
    pub finished_at: String,
    /// The revision of each source.
    pub revisions: Vec<String>,
    /// The objects that failed.
    pub failed: Vec<FailedRow>,
}

/// One object that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FailedRow {
    /// Its kind.
    pub kind: String,
    /// Its namespace, empty for none.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Why.
    pub message: String,
}

fn owned(list: &[&str]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

impl LiveRow {
    /// Returns the row of an Application, of which something may be missing.
    pub fn new(name: &str, app: Option<&LiveApplication>, missing: Option<&str>) -> Self {
        let conditions = app.map(LiveApplication::conditions).unwrap_or_default();
        let conditions = conditions.into_iter().map(|condition| ConditionRow {
            kind: condition.kind.to_owned(),
            error: condition.is_error(),
            message: condition.message,
        });
        Self {
            name: name.to_owned(),
            exists: app.is_some(),
            sync: app.map(|app| app.sync().to_owned()),
            health: app.map(|app| app.health().to_owned()),
            revisions: app.map(|app| owned(&app.revisions())).unwrap_or_default(),
            conditions: conditions.collect(),
            operation: app.and_then(operation),
            missing: missing.map(str::to_owned),
        }
    }

    /// Reports whether a condition is an error.
    pub fn has_error(&self) -> bool {
        self.conditions.iter().any(|condition| condition.error)
    }

    /// Reports whether the operation is over and has not done all that it should.
    pub fn has_failed(&self) -> bool {
        let phase = self.operation.as_ref().map(|operation| operation.phase.as_str());
        matches!(phase, Some("Failed" | "Error"))
    }
}

fn operation(app: &LiveApplication) -> Option<OperationRow> {
    let operation = app.operation()?;
    let failed = operation.failed().into_iter().map(|object| FailedRow {
        kind: object.kind.to_owned(),
        namespace: object.namespace.to_owned(),
        name: object.name.to_owned(),
        message: object.message,
    });
    Some(OperationRow {
        phase: operation.phase().to_owned(),
        message: operation.message(),
        initiator: operation.initiator().to_owned(),
        started_at: operation.started_at().to_owned(),
        finished_at: operation.finished_at().to_owned(),
        revisions: owned(&operation.revisions()),
        failed: failed.collect(),
    })
}

/// Renders Applications with their state; `whole` shows whole revisions, and the operation.
pub fn states_table(rows: &[LiveRow], whole: bool) -> String {
    let mut heads = vec!["name", "sync", "health", "revision", "conditions"];
    if whole {
        heads.extend(["operation", "message"]);
    }
    let cells = rows.iter().map(|row| {
        let kinds = row.conditions.iter().map(|condition| condition.kind.clone());
        let mut cells = vec![
            Cell::Word(row.name.clone()),
            word(row.sync.as_ref()),
            word(row.health.as_ref()),
            Cell::Text(joined(&row.revisions, whole)),
            Cell::List(kinds.collect()),
        ];
        if whole {
            let operation = row.operation.as_ref();
            cells.push(word(operation.map(|operation| &operation.phase)));
            cells.push(word(operation.map(|operation| &operation.message)));
        }
        cells
    });
    sized(&heads, &cells.collect::<Vec<_>>(), whole)
}

/// Renders Applications with the operation that ran; `whole` shows whole revisions, and the state.
pub fn operations_table(rows: &[LiveRow], whole: bool) -> String {
    let mut heads = vec!["name", "phase", "revision", "message"];
    if whole {
        heads.extend(["sync", "health"]);
    }
    let cells = rows.iter().map(|row| {
        let operation = row.operation.as_ref();
        let revisions = operation.map(|operation| joined(&operation.revisions, whole));
        let message = operation.map(|operation| operation.message.clone());
        let mut cells = vec![
            Cell::Word(row.name.clone()),
            word(operation.map(|operation| &operation.phase)),
            Cell::Text(revisions.unwrap_or_default()),
            Cell::Text(message.unwrap_or_default()),
        ];
        if whole {
            cells.extend([&row.sync, &row.health].map(|state| word(state.as_ref())));
        }
        cells
    });
    sized(&heads, &cells.collect::<Vec<_>>(), whole)
}

fn word(text: Option<&String>) -> Cell {
    Cell::Word(text.cloned().unwrap_or_default())
}

/// Revisions in one cell; those of Git as short as git shows them, unless they are to be whole.
fn joined(revisions: &[String], whole: bool) -> String {
    let is_commit = |text: &str| text.len() >= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let short = |text: &String| match text.get(..7) {
        Some(short) if !whole && is_commit(text) => short.to_owned(),
        _ => text.clone(),
    };
    revisions.iter().map(short).collect::<Vec<_>>().join(" + ")
}

/// Returns the lines below the table: error conditions, objects that failed, and goals that were not reached.
pub fn remarks(rows: &[LiveRow], with_operation: bool) -> Vec<String> {
    let mut lines = Vec::new();
    for row in rows {
        if let Some(operation) = row.operation.as_ref().filter(|_| with_operation && row.has_failed()) {
            lines.extend(operation.failed.iter().map(|object| {
                let place = if object.namespace.is_empty() {
                    String::new()
                } else {
                    format!("{}/", object.namespace)
                };
                format!(
                    "{}: {}/{place}{}: {}",
                    row.name, object.kind, object.name, object.message
                )
            }));
        }
        if let Some(missing) = &row.missing {
            lines.push(format!("{}: {missing}", row.name));
            continue;
        }
        let errors = row.conditions.iter().filter(|condition| condition.error);
        lines.extend(errors.map(|condition| format!("{}: {}: {}", row.name, condition.kind, condition.message)));
    }
    lines
}

/// Returns the Applications as the tree of a versioned list.
pub fn tree(rows: &[LiveRow]) -> Value {
    json!({"apiVersion": API_VERSION, "kind": "LiveApplicationList", "items": rows})
}

/// Returns what a dry run would write, as the tree of a versioned list: name, namespace and JSON Merge Patch of each
/// Application.
pub fn patch_tree<'p>(patches: impl IntoIterator<Item = (&'p str, &'p str, &'p Value)>) -> Value {
    let item =
        |(name, namespace, patch): (&str, &str, &Value)| json!({"name": name, "namespace": namespace, "patch": patch});
    let items: Vec<Value> = patches.into_iter().map(item).collect();
    json!({"apiVersion": API_VERSION, "kind": "ApplicationPatchList", "items": items})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<LiveRow> {
        let app = LiveApplication::new(json!({
            "metadata": {"name": "player", "namespace": "argocd"},
            "status": {
                "sync": {"status": "OutOfSync", "revision": "0123456789012345678901234567890123456789"},
                "health": {"status": "Progressing"},
                "conditions": [{"type": "SyncError", "message": "Failed last\nsync"}, {"type": "OrphanedResourceWarning", "message": "1"}],
                "operationState": {
                    "phase": "Failed", "message": "one object failed", "startedAt": "2020-01-01T00:00:00Z",
                    "operation": {"initiatedBy": {"username": "kubectl-homelab"}},
                    "syncResult": {"revision": "1.2.3", "resources": [
                        {"kind": "PersistentVolumeClaim", "namespace": "media", "name": "films", "status": "SyncFailed", "message": "immutable"}]},
                },
            },
        }));
        vec![
            LiveRow::new("player", Some(&app), None),
            LiveRow::new("gone", None, Some("it is not there")),
        ]
    }

    #[test]
    fn tables() {
        insta::assert_snapshot!(states_table(&rows(), false), @"
        NAME     SYNC        HEALTH        REVISION   CONDITIONS
        player   OutOfSync   Progressing   0123456    SyncError OrphanedResourceWarning
        gone     -           -             -          -
        ");
        insta::assert_snapshot!(states_table(&rows(), true), @"
        NAME     SYNC        HEALTH        REVISION                                   CONDITIONS                          OPERATION   MESSAGE
        player   OutOfSync   Progressing   0123456789012345678901234567890123456789   SyncError OrphanedResourceWarning   Failed      one object failed
        gone     -           -             -                                          -                                   -           -
        ");
        insta::assert_snapshot!(operations_table(&rows(), false), @"
        NAME     PHASE    REVISION   MESSAGE
        player   Failed   1.2.3      one object failed
        gone     -        -          -
        ");
    }

    #[test]
    fn each_problem_is_reported_once() {
        assert_eq!(
            remarks(&rows(), true),
            [
                "player: PersistentVolumeClaim/media/films: immutable",
                "player: SyncError: Failed last sync",
                "gone: it is not there",
            ]
        );
        assert_eq!(remarks(&rows(), false).len(), 2);
    }

    #[test]
    fn json_is_whole_and_has_a_version() {
        let player = json!({
            "name": "player", "exists": true, "sync": "OutOfSync", "health": "Progressing",
            "revisions": ["0123456789012345678901234567890123456789"],
            "conditions": [
                {"type": "SyncError", "message": "Failed last sync", "error": true},
                {"type": "OrphanedResourceWarning", "message": "1", "error": false},
            ],
            "operation": {
                "phase": "Failed", "message": "one object failed", "initiator": "kubectl-homelab",
                "startedAt": "2020-01-01T00:00:00Z", "finishedAt": "", "revisions": ["1.2.3"],
                "failed": [{"kind": "PersistentVolumeClaim", "namespace": "media", "name": "films", "message": "immutable"}],
            },
        });
        let gone =
            json!({"name": "gone", "exists": false, "revisions": [], "conditions": [], "missing": "it is not there"});
        assert_eq!(
            tree(&rows()),
            json!({"apiVersion": "homelab.home.arpa/v1", "kind": "LiveApplicationList", "items": [player, gone]})
        );
    }
}
