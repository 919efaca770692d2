//! What becomes of objects that are rendered: created, taken over, changed, refused.

use std::collections::BTreeMap;

use super::affected::holds_data;
use super::changed_pointers;
use super::ignored;
use super::immutable::{Resize, changes_role, immutable, is_below, resize};
use super::options;
use super::place::Place;
use super::prediction::{Action, Outcome};
use super::state::State;
use crate::model::claim::is_claim;
use crate::model::claim_use::claim_uses;
use crate::model::sync::{is_hook, is_kept_hook, order};
use crate::model::{Application, Object};
use crate::rules::Subject;

/// Annotation: Argo CD leaves the Application alone.
const SKIP: &str = "argocd.argoproj.io/skip-reconcile";
/// Returns why nothing of an Application is synced, if that is so.
pub(super) fn unsynced(app: &Application<'_>) -> Option<Outcome> {
    let why = match app.object().annotation(SKIP) {
        Some("true") => format!("`{SKIP}` keeps Argo CD from `{}`", app.name()),
        _ if app.automated().is_none() => format!(
            "automated sync of `{}` is off: it waits until somebody syncs",
            app.name()
        ),
        _ => return None,
    };
    Some(Outcome::new(Action::Unsynced, "not-automated", why))
}

/// Returns what becomes of an object that both states have, and that differs at these places.
pub(super) fn changed(
    state: &State<'_>,
    (subject, place): (&Subject<'_>, &Place),
    sides: [&Object; 2],
    pointers: &[String],
) -> Outcome {
    let ([_, new], app) = (sides, &subject.app);
    if is_hook(new) {
        return recreated_hook(new).unwrap_or_else(hook);
    }
    if let Some(outcome) = unsynced(app) {
        return outcome;
    }
    let counting = ignored::counting(app, new, place.namespace(), pointers);
    if counting.is_empty() {
        let why = "`ignoreDifferences` covers all that differs";
        return Outcome::new(Action::Ignored, "ignored-difference", why);
    }
    let applied = ignored::applied(app, new, place.namespace(), pointers);
    let (forced, replaced) = (options::is_forced(sides), options::is_replaced(app, sides));
    if forced && replaced {
        return replaced_by_force();
    }
    if changes_role(new, &applied) && !replaced {
        let why = "the role of a binding is immutable: Argo CD deletes the binding and creates it again";
        return Outcome::new(Action::Recreate, "role-changes", why);
    }
    if let Some(refusal) = refusal(state, subject, sides, &applied) {
        return match forced {
            true => Outcome::new(
                Action::Recreate,
                "forced-refusal",
                format!(
                    "{}, and `Force=true` deletes the object and creates it again",
                    refusal.reason.sentence
                ),
            ),
            false => refusal,
        };
    }
    Outcome::new(
        Action::Change,
        "content-differs",
        format!("it differs at {}", listed(&applied)),
    )
}

/// Returns what becomes of an object that does not differ, if anything does: what is replaced is, with every sync.
pub(super) fn unchanged(subject: &Subject<'_>, object: &Object) -> Option<Outcome> {
    let (sides, app) = ([object, object], &subject.app);
    if is_hook(object) {
        return recreated_hook(object);
    }
    if !options::is_replaced(app, sides) {
        return None;
    }
    match options::is_forced(sides) {
        true => Some(replaced_by_force()),
        false => is_refused_replaced(app, sides).then(|| Outcome::new(Action::Fail, "replaced-claim", REPLACED_CLAIM)),
    }
}

/// Why a claim with `Replace=true` fails.
const REPLACED_CLAIM: &str = "`Replace=true` sends the claim without what the API server has added to its `spec`, which is immutable: every sync fails";

/// Reports whether an object is a claim that is replaced by one without its volume, which the API server refuses.
fn is_refused_replaced(app: &Application<'_>, sides: [&Object; 2]) -> bool {
    let [_, new] = sides;
    is_claim(new) && new.at("/spec/volumeName").is_none() && options::is_replaced(app, sides)
}

/// Returns what becomes of a hook that holds data and was there before: a hook is deleted before it is created again.
fn recreated_hook(new: &Object) -> Option<Outcome> {
    let why = "it is a hook: every sync deletes it and creates it again";
    (holds_data(new) && !is_kept_hook(new)).then(|| Outcome::new(Action::Recreate, "hook-of-every-sync", why))
}

fn replaced_by_force() -> Outcome {
    let why = "`Replace=true` with `Force=true`: every sync deletes it and creates it again";
    Outcome::new(Action::Recreate, "replaced-by-force", why)
}

pub(super) fn hook() -> Outcome {
    Outcome::new(
        Action::Hook,
        "hook",
        "it is a hook: Argo CD creates and deletes it by its own rules",
    )
}

/// Returns some places in words.
pub(super) fn listed(pointers: &[String]) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<String> = pointers
        .iter()
        .take(SHOWN)
        .map(|pointer| format!("`{pointer}`"))
        .collect();
    match pointers.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Returns what becomes of an object that is taken over and cannot be changed to what the new Application renders, if that is so.
pub(super) fn refused(
    state: &State<'_>,
    subject: &Subject<'_>,
    sides: [&Object; 2],
    pointers: &[String],
) -> Option<Outcome> {
    let app = &subject.app;
    let namespace = subject.namespace_of(sides[1]).map(|name| name.to_string());
    let applied = ignored::applied(app, sides[1], namespace.as_deref(), pointers);
    refusal(state, subject, sides, &applied)
}

/// Returns the Jobs and pods of a render that differ from those of an earlier one where they cannot be changed, each with the first of
/// these places. Hooks are left out, and what Argo CD deletes and creates again.
pub fn fixed_templates<'o>(app: &Application<'_>, before: &[Object], after: &'o [Object]) -> Vec<(&'o Object, String)> {
    let fixed = |new: &'o Object| {
        // What gets its name from the API server is created again each time.
        new.reference()?;
        let old = before.iter().find(|old| old.is_same_as(new))?;
        let is_meant = new.is("batch", "Job") || new.is("", "Pod");
        if !is_meant || old == new || is_hook(new) || options::is_forced([old, new]) {
            return None;
        }
        let pointers: Vec<String> = changed_pointers(old, new).into_iter().collect();
        let namespace = new.namespace().or(app.destination_namespace());
        let applied = ignored::applied(app, new, namespace, &pointers);
        Some((new, immutable(old, new, &applied)?.to_owned()))
    };
    after.iter().filter_map(fixed).collect()
}

/// Returns why the API server refuses a change, if it does.
fn refusal(state: &State<'_>, subject: &Subject<'_>, sides: [&Object; 2], pointers: &[String]) -> Option<Outcome> {
    let app = &subject.app;
    let fail = |word: &'static str, why: String| Some(Outcome::new(Action::Fail, word, why));
    if is_refused_replaced(app, sides) {
        return fail("immutable-field", REPLACED_CLAIM.to_owned());
    }
    let [old, new] = sides;
    if changes_role(new, pointers) && options::is_replaced(app, sides) {
        return fail(
            "immutable-field",
            "`/roleRef` of a binding is immutable: the sync fails".to_owned(),
        );
    }
    if let Some(pointer) = immutable(old, new, pointers) {
        return fail(
            "immutable-field",
            format!("`{pointer}` of a {} is immutable: the sync fails", new.kind()),
        );
    }
    if !pointers.iter().any(|pointer| is_below(pointer, "/spec/resources")) {
        return None;
    }
    match resize(old, new)? {
        Resize::Shrinks => fail("claim-shrinks", "a claim cannot shrink: the sync fails".to_owned()),
        Resize::Grows => {
            let class = old.at("/spec/storageClassName").and_then(serde_json::Value::as_str)?;
            match state.scope.can_grow(&subject.cluster, class) {
                Some(false) => {
                    let why =
                        format!("class `{class}` does not expand volumes: the sync fails once the claim is bound");
                    fail("class-does-not-expand", why)
                }
                _ => None,
            }
        }
    }
}

/// Returns what becomes of an object that is new.
pub(super) fn created(
    state: &State<'_>,
    (subject, place): (&Subject<'_>, &Place),
    new: &Object,
    base: &str,
) -> Outcome {
    if is_hook(new) {
        return hook();
    }
    if let Some(outcome) = unsynced(&subject.app) {
        return outcome;
    }
    if is_claim(new)
        && let Some(why) = waits(state, subject, place, new)
    {
        return Outcome::new(Action::Wait, "no-consumer-yet", why);
    }
    Outcome::new(
        Action::Create,
        "new-object",
        format!("no Application rendered it at `{base}`"),
    )
}

/// Returns why a new claim waits, if it does: it is Pending until its first pod, which comes in a later wave only.
fn waits(state: &State<'_>, subject: &Subject<'_>, place: &Place, claim: &Object) -> Option<String> {
    let at = order(claim)?;
    let class = claim.at("/spec/storageClassName").and_then(serde_json::Value::as_str);
    let binds_at_once = class.is_some_and(|class| {
        let mut objects = state.placed().flat_map(|(_, placed)| placed);
        objects.any(|placed| {
            let object = placed.object;
            let mode = object.at("/volumeBindingMode").and_then(serde_json::Value::as_str);
            object.is("storage.k8s.io", "StorageClass")
                && object.name() == class
                && mode != Some("WaitForFirstConsumer")
        })
    });
    let is_static = claim.at("/spec/volumeName").is_some();
    let mounts = |object: &Object| {
        let mut volumes = claim_uses(object).volumes.into_iter();
        volumes.any(|volume| {
            volume.claim == claim.name()
                && subject.namespace_of(object).map(|name| name.to_string()).as_deref() == place.namespace()
        })
    };
    let objects = subject.items.iter().map(crate::rules::Item::object);
    let users = objects.filter(|object| mounts(object)).filter_map(order);
    let first = users.min()?;
    (first > at && !binds_at_once && !is_static).then(|| {
        format!(
            "the claim is Pending until its first pod, which comes in wave {} only: with Argo CD's own health check the sync waits in wave {}",
            first.1, at.1
        )
    })
}

/// Returns the wave in which the sync of each Application stops, since an object in it fails.
pub(super) fn failing_waves<'p>(
    outcomes: impl Iterator<Item = (&'p str, &'p Object, Action, &'p Place)>,
) -> BTreeMap<&'p str, ((i8, i64), String)> {
    let mut waves: BTreeMap<&str, ((i8, i64), String)> = BTreeMap::new();
    for (app, object, action, place) in outcomes {
        let Some(at) = order(object).filter(|_| matches!(action, Action::Fail | Action::Wait)) else {
            continue;
        };
        let known = waves.entry(app).or_insert_with(|| (at, place.to_string()));
        if at < known.0 {
            *known = (at, place.to_string());
        }
    }
    waves
}
