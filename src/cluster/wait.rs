//! Waiting: until Applications are Synced, Healthy, or gone.

use anyhow::Result;

use super::{Cluster, Found, Progress, Selection, Tell};
use crate::model::LiveApplication;

/// What an Application can be waited for to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// As Git says, with no operation under way.
    Synced,
    /// Healthy, as Argo CD judges it.
    Healthy,
    /// Not there any more.
    Deleted,
}

/// What is waited for.
#[derive(Clone, Debug)]
pub struct Request {
    /// All of these.
    pub goals: Vec<Goal>,
    /// The revision that it has to be Synced to, or how that begins.
    pub revision: Option<String>,
}

/// Waits, and gives how each Application was found in the end.
///
/// # Errors
/// When an Application is not there, or the cluster does not answer.
pub fn run(cluster: &Cluster, selection: &Selection, request: &Request, tell: Tell<'_>) -> Result<Vec<Found>> {
    let is_gone_meant = request.goals.contains(&Goal::Deleted);
    let names = match selection {
        // What is gone already is as it should be.
        Selection::Named(names) if is_gone_meant => names.clone(),
        _ => cluster
            .find(selection)?
            .iter()
            .map(|app| app.name().to_owned())
            .collect(),
    };
    let progress = |app: Option<&LiveApplication>| missing(app, request).map_or(Progress::Reached, Progress::Open);
    cluster.until(&names, &mut |_, app| progress(app), tell)
}

/// What an Application lacks, in one line.
fn missing(app: Option<&LiveApplication>, request: &Request) -> Option<String> {
    let goals = &request.goals;
    let Some(app) = app else {
        return (!goals.contains(&Goal::Deleted)).then(|| "it is not there".to_owned());
    };
    let mut lacks = Vec::new();
    if goals.contains(&Goal::Deleted) {
        lacks.push(if app.is_going() {
            "its deletion is not done".to_owned()
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
        return Some(format!("an operation is under way{colon}{message}"));
    }
    // What Argo CD cannot compare, it has looked at: its conditions say why.
    if app.sync() != "Unknown" && app.is_stale() {
        return Some("Argo CD has not looked at it since its last change".to_owned());
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

/// The first ones of a list, in parentheses.
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
    fn what_is_missing_is_said() {
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
    fn an_operation_under_way_is_not_synced_yet() {
        let mut asked = synced();
        asked["operation"] = json!({"sync": {}});
        assert_eq!(
            lacks(&[Goal::Synced], None, asked.clone()).unwrap(),
            "an operation is under way"
        );
        assert_eq!(lacks(&[Goal::Healthy], None, asked), None);
        let mut running = synced();
        running["status"]["operationState"] = json!({"phase": "Running", "message": "waiting for a hook"});
        assert_eq!(
            lacks(&[Goal::Synced], None, running).unwrap(),
            "an operation is under way: waiting for a hook"
        );
    }

    #[test]
    fn a_status_of_another_spec_is_not_waited_for() {
        let mut changed = synced();
        changed["spec"] = json!({"source": {"repoURL": "new"}});
        changed["status"]["sync"]["comparedTo"] = json!({"source": {"repoURL": "old"}});
        assert_eq!(
            lacks(&[Goal::Synced], None, changed.clone()).unwrap(),
            "Argo CD has not looked at it since its last change"
        );
        changed["status"]["sync"]["status"] = json!("Unknown");
        assert_eq!(lacks(&[Goal::Synced], None, changed).unwrap(), "not Synced but Unknown");
    }

    #[test]
    fn gone_is_gone() {
        let request = |goal| Request {
            goals: vec![goal],
            revision: None,
        };
        assert_eq!(missing(None, &request(Goal::Deleted)), None);
        assert_eq!(missing(None, &request(Goal::Healthy)).unwrap(), "it is not there");
        assert_eq!(
            lacks(&[Goal::Deleted], None, synced()).unwrap(),
            "nobody has deleted it"
        );
        let going = json!({"metadata": {"deletionTimestamp": "2020-01-01T00:00:00Z"}});
        assert_eq!(
            lacks(&[Goal::Deleted], None, going).unwrap(),
            "its deletion is not done"
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
