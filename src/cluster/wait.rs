//! Waits until Applications are Synced, Healthy, or deleted.

use anyhow::Result;

use super::ProgressFn;
use super::applications::{AppStatus, Applications, Progress, Selection};
use crate::model::LiveApplication;

/// A state to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// It is as in Git, and no operation is running.
    Synced,
    /// Argo CD reports it as Healthy.
    Healthy,
    /// It does not exist any more.
    Deleted,
}

/// The states to wait for.
#[derive(Clone, Debug)]
pub struct Request {
    /// All of these.
    pub goals: Vec<Goal>,
    /// The revision that it has to be Synced to, or how that begins.
    pub revision: Option<String>,
}

/// Waits, and returns each Application as it is in the end.
///
/// # Errors
/// When an Application is missing, or the cluster does not answer.
pub fn run(
    applications: &Applications<'_>,
    selection: &Selection,
    request: &Request,
    show: ProgressFn<'_>,
) -> Result<Vec<AppStatus>> {
    let waits_for_deletion = request.goals.contains(&Goal::Deleted);
    let names = match selection {
        // One that is deleted already is as it should be.
        Selection::Named(names) if waits_for_deletion => names.clone(),
        _ => applications
            .find(selection)?
            .iter()
            .map(|app| app.name().to_owned())
            .collect(),
    };
    let progress = |app: Option<&LiveApplication>| missing(app, request).map_or(Progress::Reached, Progress::Pending);
    applications.wait_until(&names, &mut |_, app| progress(app), show)
}

/// Returns what an Application lacks, in one line.
fn missing(app: Option<&LiveApplication>, request: &Request) -> Option<String> {
    let goals = &request.goals;
    let Some(app) = app else {
        return (!goals.contains(&Goal::Deleted)).then(|| "it does not exist".to_owned());
    };
    let mut lacks = Vec::new();
    if goals.contains(&Goal::Deleted) {
        lacks.push(if app.is_being_deleted() {
            "its deletion has not finished".to_owned()
        } else {
            "nobody has deleted it".to_owned()
        });
    }
    if goals.contains(&Goal::Synced) {
        lacks.extend(not_synced(app, request.revision.as_deref()));
    }
    if goals.contains(&Goal::Healthy) && app.health() != "Healthy" {
        lacks.push(format!("not Healthy but {}{}", app.health(), some(&app.unhealthy())));
    }
    if lacks.is_empty() {
        return None;
    }
    lacks.extend(
        app.errors()
            .map(|condition| format!("{}: {}", condition.kind, condition.message)),
    );
    Some(lacks.join("; "))
}

fn not_synced(app: &LiveApplication, revision: Option<&str>) -> Option<String> {
    let operation = app.operation();
    if app.is_operating() {
        let message = operation.map(|operation| operation.message()).unwrap_or_default();
        let colon = if message.is_empty() { "" } else { ": " };
        return Some(format!("an operation is running{colon}{message}"));
    }
    // For an Application that Argo CD cannot compare, its conditions contain the reason.
    if app.sync() != "Unknown" && app.is_stale() {
        return Some("Argo CD has not compared it since its last change".to_owned());
    }
    if app.sync() != "Synced" {
        let failed = operation.filter(|operation| !operation.has_succeeded());
        let failed = failed.map(|operation| format!("; the last sync: {}: {}", operation.phase(), operation.message()));
        return Some(format!(
            "not Synced but {}{}{}",
            app.sync(),
            some(&app.out_of_sync()),
            failed.unwrap_or_default()
        ));
    }
    let wanted = revision?;
    let revisions = app.revisions();
    let is_there = revisions.iter().any(|revision| revision.starts_with(wanted));
    (!is_there).then(|| format!("Synced to {}, not to {wanted}", revisions.join(" + ")))
}

/// Returns the first ones of a list, in parentheses.
fn some(objects: &[String]) -> String {
    match objects {
        [] => String::new(),
        few if few.len() <= 3 => format!(" ({})", few.join(", ")),
        many => format!(" ({} and {} more)", many[..2].join(", "), many.len() - 2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn lacks(goals: &[Goal], revision: Option<&str>, tree: Value) -> Option<String> {
        let request = Request {
            goals: goals.to_vec(),
            revision: revision.map(str::to_owned),
        };
        missing(Some(&LiveApplication::new(tree)), &request)
    }

    fn synced() -> Value {
        json!({"status": {"sync": {"status": "Synced", "revision": "0123456789"}, "health": {"status": "Healthy"},
            "operationState": {"phase": "Succeeded"}}})
    }

    const BOTH: &[Goal] = &[Goal::Synced, Goal::Healthy];

    #[test]
    fn nothing_is_missing_when_all_is_reached() {
        assert_eq!(lacks(BOTH, None, synced()), None);
        assert_eq!(lacks(BOTH, Some("01234"), synced()), None);
    }

    #[test]
    fn what_is_missing_is_reported() {
        let mut other = synced();
        other["status"]["sync"]["status"] = json!("OutOfSync");
        other["status"]["resources"] = json!([{"kind": "Service", "name": "web", "status": "OutOfSync"}]);
        other["status"]["operationState"] = json!({"phase": "Failed", "message": "one object\nis refused"});
        other["status"]["conditions"] = json!([{"type": "SyncError", "message": "Failed last sync"}]);
        assert_eq!(
            lacks(BOTH, None, other).unwrap(),
            "not Synced but OutOfSync (Service/web); the last sync: Failed: one object is refused; SyncError: Failed last sync"
        );
        assert_eq!(
            lacks(BOTH, Some("12"), synced()).unwrap(),
            "Synced to 0123456789, not to 12"
        );
        assert_eq!(
            lacks(BOTH, None, json!({})).unwrap(),
            "not Synced but Unknown; not Healthy but Unknown"
        );
    }

    #[test]
    fn a_running_operation_is_not_synced_yet() {
        let mut asked = synced();
        asked["operation"] = json!({"sync": {}});
        assert_eq!(
            lacks(&[Goal::Synced], None, asked.clone()).unwrap(),
            "an operation is running"
        );
        assert_eq!(lacks(&[Goal::Healthy], None, asked), None);
        let mut running = synced();
        running["status"]["operationState"] = json!({"phase": "Running", "message": "waiting for a hook"});
        assert_eq!(
            lacks(&[Goal::Synced], None, running).unwrap(),
            "an operation is running: waiting for a hook"
        );
    }

    #[test]
    fn a_status_of_another_spec_is_not_waited_for() {
        let mut changed = synced();
        changed["spec"] = json!({"source": {"repoURL": "new"}});
        changed["status"]["sync"]["comparedTo"] = json!({"source": {"repoURL": "old"}});
        assert_eq!(
            lacks(&[Goal::Synced], None, changed.clone()).unwrap(),
            "Argo CD has not compared it since its last change"
        );
        changed["status"]["sync"]["status"] = json!("Unknown");
        assert_eq!(lacks(&[Goal::Synced], None, changed).unwrap(), "not Synced but Unknown");
    }

    #[test]
    fn a_deleted_application_is_deleted() {
        let request = |goal| Request {
            goals: vec![goal],
            revision: None,
        };
        assert_eq!(missing(None, &request(Goal::Deleted)), None);
        assert_eq!(missing(None, &request(Goal::Healthy)).unwrap(), "it does not exist");
        assert_eq!(
            lacks(&[Goal::Deleted], None, synced()).unwrap(),
            "nobody has deleted it"
        );
        let deleting = json!({"metadata": {"deletionTimestamp": "2020-01-01T00:00:00Z"}});
        assert_eq!(
            lacks(&[Goal::Deleted], None, deleting).unwrap(),
            "its deletion has not finished"
        );
    }

    #[test]
    fn long_lists_are_cut() {
        let names: Vec<String> = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        assert_eq!(some(&names), " (a, b and 2 more)");
        assert_eq!(some(&names[..3]), " (a, b, c)");
        assert_eq!(some(&[]), "");
    }
}
