//! An older version of the policies, as somebody has applied it: `lock status` says so, and the new one takes its place.

use serde_json::Value;

use crate::{Locked, objects};

/// Policies of the same names without a version.
const OLDER: &str = include_str!("older.yaml");

/// Returns the states of the live policies.
fn states(locked: &Locked, code: i32) -> Vec<String> {
    let text = locked.runs(code, &["lock", "status", "-o", "json"]);
    let end = text.rfind("\n}").unwrap() + 2;
    let status: Value = serde_json::from_str(&text[..end]).unwrap();
    let policies = status["policies"].as_array().unwrap();
    policies
        .iter()
        .map(|row| row["live"]["state"].as_str().unwrap().to_owned())
        .collect()
}

/// Returns the documents about deletions, or those about writes.
fn part(of_writes: bool) -> String {
    let documents = OLDER.split("\n---\n");
    let meant = documents.filter(|document| document.contains("foreign-claims-read-only") == of_writes);
    meant.collect::<Vec<_>>().join("\n---\n")
}

pub(crate) fn older_policies_are_replaced(locked: &Locked) {
    assert_eq!(states(locked, 0), ["missing", "missing"]);
    locked.cluster.apply(&part(false)).unwrap();
    locked.until("they are in force", || {
        ["pvc films -n media", "namespace media"]
            .iter()
            .all(|object| locked.kubectl(&format!("delete {object} --dry-run=server")).is_err())
    });
    assert_eq!(states(locked, 1), ["older", "older"]);
}

/// The older policy on writes does not know what is read-only at its mounts.
pub(crate) fn an_older_policy_on_writes_is_there(locked: &Locked) {
    assert_eq!(states(locked, 0), ["current", "current"]);
    locked.cluster.apply(&part(true)).unwrap();
    let reads = objects::deployment("reads", "films").replace(", readOnly: true", "");
    let create = ["create", "--dry-run=server", "-f", "-"];
    locked.until("it is in force", || {
        let answer = locked.cluster.kubectl(&create, Some(&reads));
        answer.is_err_and(|error| format!("{error:#}").contains("films belongs to fetcher"))
    });
    assert_eq!(states(locked, 1), ["current", "current", "older"]);
}
