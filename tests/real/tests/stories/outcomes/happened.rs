//! What became of the objects of the rows, and whether that is what was predicted.

use real_parts::World;
use real_parts::state::strip;
use serde_json::{Value, json};

use super::laid_out::Row;

/// What was said of a row, and what happened.
pub(super) struct Seen {
    /// Action, reason and guard.
    pub(super) prediction: String,
    /// What became of the object.
    pub(super) object: String,
    /// How its Application stands.
    pub(super) app: Option<String>,
    /// What became of it with the next change.
    pub(super) later: Option<String>,
}

impl Seen {
    /// Returns what happened, as the table says it.
    pub(super) fn did(&self) -> String {
        let later = self.later.as_ref().map(|later| format!("later {later}"));
        let parts = [Some(self.object.clone()), self.app.clone(), later];
        parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
    }
}

/// Reports whether what happened is what was predicted.
pub(super) fn agrees(seen: &Seen) -> bool {
    let mut words = seen.prediction.split(' ');
    let (action, reason) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let app = seen.app.as_deref().unwrap_or_default();
    let (object, is) = (seen.object.as_str(), |words: &[&str]| {
        words.contains(&seen.object.as_str())
    });
    let stays = is(&["unchanged"]);
    let is_lost = is(&["deleted", "being deleted", "deleted and created again"]);
    match action {
        "create" => is(&["created"]),
        "adopt" if reason == "moves-without-guard" => is(&["deleted and created again"]),
        "adopt" => object.starts_with("taken over by") || is(&[SHARED]),
        "change" => is(&["changed"]),
        "ignored" => stays && app == "Synced",
        "recreate" => is(&["deleted and created again"]),
        "prune" | "too-late" => is_lost,
        "prune-later" => stays && seen.later.as_deref() == Some("deleted"),
        "keep" => stays && ["Synced", "OutOfSync", GONE].contains(&app),
        "orphan" => stays && [GONE, NO_CLUSTER].contains(&app),
        "left" => stays && app != GONE,
        "blocked" => (stays || is(&["not there"]) || app == SET_FAILS) && HELD.contains(&app),
        "unsynced" => (stays || is(&["not there"])) && ["OutOfSync", ""].contains(&app),
        "wait" => is(&["created"]) && app == WAITS,
        "fail" => (stays || is(&["not there"])) && app == FAILS,
        "hook" if reason == "hook-waits" => is(&["not there"]) && app == "Synced",
        "hook" => object.starts_with("ran as a hook") || is(&["deleted and created again"]),
        _ => false,
    }
}

const SHARED: &str = "taken by each from the other";
const GONE: &str = "the Application is gone";
const NO_CLUSTER: &str = "the cluster is not known";
const WAITS: &str = "the sync waits";
const FAILS: &str = "the sync fails";
const REFUSES: &str = "automated sync refuses";
const DELETION_WAITS: &str = "the deletion of the Application waits";
const SET_FAILS: &str = "the ApplicationSet fails, and keeps its Applications";
/// What holds a change.
const HELD: [&str; 5] = [WAITS, FAILS, REFUSES, DELETION_WAITS, SET_FAILS];

/// Returns the object of a row as it is; null if there is none.
pub(super) fn object(world: &World, row: &Row) -> Value {
    let of = row.of();
    let place = match &of.namespace {
        Some(namespace) => format!("{namespace}/{}", of.name),
        None => of.name,
    };
    world.api().get(&of.kind, &place).unwrap().unwrap_or_default()
}

/// Returns what became of an object.
pub(super) fn became(world: &World, row: &Row, app: &str, [before, after]: [&Value; 2]) -> String {
    let uid = |object: &Value| object["metadata"]["uid"].clone();
    if let Some(phase) = hook_phase(world, row, app) {
        return match before.is_null() || uid(before) == uid(after) {
            true => format!("ran as a hook: {phase}"),
            false => "deleted and created again".to_owned(),
        };
    }
    match (before.is_null(), after.is_null()) {
        (true, true) => "not there".to_owned(),
        (true, false) => "created".to_owned(),
        (false, true) => "deleted".to_owned(),
        (false, false) if uid(before) != uid(after) => "deleted and created again".to_owned(),
        (false, false) if !after["metadata"]["deletionTimestamp"].is_null() => "being deleted".to_owned(),
        (false, false) if row.of().kind.starts_with("Application") => {
            let is_same = before["spec"] == after["spec"];
            if is_same { "unchanged" } else { "changed" }.to_owned()
        }
        (false, false) if is_shared(world, row, app) => SHARED.to_owned(),
        (false, false) => match (tracker(row, before), tracker(row, after)) {
            (old, Some(new)) if old.as_ref() != Some(&new) => format!("taken over by `{new}`"),
            _ if content(before) == content(after) => "unchanged".to_owned(),
            _ => "changed".to_owned(),
        },
    }
}

/// Reports whether two Applications of a row fight over an object: the warning, and whose the object is, change all the time.
fn is_shared(world: &World, row: &Row, app: &str) -> bool {
    let mut applications = row.applications().map(|name| world.application(&name));
    !is_failed(&world.application(app)) && applications.any(|one| has_condition(&one, "SharedResourceWarning"))
}

/// Returns how a hook ended.
fn hook_phase(world: &World, row: &Row, app: &str) -> Option<String> {
    let (application, of) = (world.application(app), row.of());
    let results = application["status"]["operationState"]["syncResult"]["resources"].as_array()?;
    let is_it = |result: &&Value| result["kind"] == *of.kind && result["name"] == *of.name;
    let result = results.iter().find(is_it)?;
    // What is no hook has a phase, too.
    let hook = result["hookType"].as_str().filter(|hook| !hook.is_empty());
    hook.and(result["hookPhase"].as_str()).map(str::to_owned)
}

const TRACKING: &str = "argocd.argoproj.io/tracking-id";

/// Returns the Application whose name an object carries.
fn tracker(row: &Row, object: &Value) -> Option<String> {
    let id = object["metadata"]["annotations"][TRACKING].as_str()?;
    let name = id.split(':').next()?;
    Some(name.strip_prefix(&row.app("")).unwrap_or(name).to_owned())
}

/// Returns what somebody wrote into an object.
fn content(object: &Value) -> Value {
    let mut object = object.clone();
    strip(&mut object);
    let annotations = object["metadata"]["annotations"].as_object_mut();
    if let Some(annotations) = annotations {
        annotations.retain(|name, _| name != TRACKING && !name.starts_with("kubectl.kubernetes.io/"));
    }
    object
}

fn is_failed(application: &Value) -> bool {
    ["Failed", "Error"]
        .map(Value::from)
        .contains(&application["status"]["operationState"]["phase"])
}

fn has_condition(application: &Value, kind: &str) -> bool {
    let mut conditions = application["status"]["conditions"].as_array().into_iter().flatten();
    conditions.any(|condition| condition["type"] == kind)
}

/// Returns how the Application of a row stands, unless it is itself the object.
pub(super) fn state(world: &World, row: &Row, app: &str, revision: &str) -> Option<String> {
    let of = row.of();
    let word = match of.kind.as_str() {
        "Application" => return None,
        "ApplicationSet" => {
            let set = object(world, row);
            let conditions = set["status"]["conditions"].as_array().cloned().unwrap_or_default();
            let fails = conditions
                .iter()
                .any(|one| one["type"] == "ErrorOccurred" && one["status"] == "True");
            let applications = world.api().list("Application", "argocd/").unwrap();
            let keeps = applications
                .iter()
                .any(|one| one["metadata"]["ownerReferences"][0]["name"] == *of.name);
            return (fails && keeps).then(|| SET_FAILS.to_owned());
        }
        _ if is_shared(world, row, app) => return None,
        _ => of_application(&world.application(app), revision),
    };
    Some(word)
}

fn of_application(application: &Value, revision: &str) -> String {
    let status = &application["status"];
    let operation = &status["operationState"];
    let is_of_it = operation["operation"]["sync"]["revision"] == revision;
    let word = match application {
        Value::Null => GONE,
        _ if !application["metadata"]["deletionTimestamp"].is_null() => DELETION_WAITS,
        _ if has_condition(application, "InvalidSpecError") => NO_CLUSTER,
        _ if is_of_it && operation["phase"] == "Running" => WAITS,
        _ if is_of_it && is_failed(application) => FAILS,
        _ if has_condition(application, "SyncError") => REFUSES,
        _ => status["sync"]["status"].as_str().unwrap_or("not compared"),
    };
    word.to_owned()
}

/// Reports whether an Application has compared a revision, and has done what it does with it or waits for somebody.
pub(super) fn is_settled(application: &Value, revision: &str) -> bool {
    let status = &application["status"];
    let operation = &status["operationState"];
    let message = operation["message"].as_str().unwrap_or_default();
    let waits = message.starts_with("waiting for");
    let is_seen = status["sync"]["revision"] == revision
        || has_condition(application, "ComparisonError")
        || has_condition(application, "InvalidSpecError");
    let is_shared = has_condition(application, "SharedResourceWarning");
    let is_going = !application["metadata"]["deletionTimestamp"].is_null();
    let is_quiet = waits || (application["operation"].is_null() && operation["phase"] != "Running");
    application.is_null() || is_going || (is_seen && (is_quiet || is_shared))
}

/// Returns what must not move any more of an Application; nothing of one that two fight over.
pub(super) fn standing(application: &Value) -> Option<String> {
    let status = &application["status"];
    let conditions: Vec<&Value> = status["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|condition| &condition["type"])
        .collect();
    let text = json!([
        application["metadata"]["name"],
        application["metadata"]["deletionTimestamp"],
        application["spec"],
        status["sync"]["status"],
        status["sync"]["revision"],
        status["operationState"]["phase"],
        conditions,
    ]);
    (!has_condition(application, "SharedResourceWarning")).then(|| text.to_string())
}
