//! What the outcome of one object means for others: a Namespace takes what is in it, a sync that fails or waits holds what comes
//! later. Nothing here makes a deletion less certain.

use std::collections::{BTreeMap, BTreeSet};

use super::affected::hit;
use super::applied::failing_waves;
use super::fate::MADE_AGAIN;
use super::options;
use super::place::Place;
use super::prediction::{Action, Outcome, Prediction};
use super::state::{Known, State};
use super::statements::REFUSED;
use crate::model::claim::is_claim;
use crate::model::sync::{is_hook, order};
use crate::model::{AppName, Cluster, Object};

/// Follows the outcomes.
pub(super) fn follow<'s>(base: &State<'s>, head: &State<'s>, predictions: &mut Vec<Prediction<'s>>) {
    refused_by_projects(head, predictions);
    leave_unsynced(head, predictions);
    namespaces(base, head, predictions);
    let synced = synced(head, predictions);
    prune_now(&synced, predictions);
    hooks_wait(&synced, predictions);
    wiped(head, predictions);
    confirmations(predictions);
    later_waves(predictions);
}

/// Blocks what the sync of an Application brings whose project refuses it, or one of its objects: then Argo CD applies nothing.
fn refused_by_projects(head: &State<'_>, predictions: &mut [Prediction<'_>]) {
    let mut known = BTreeMap::<AppName, Option<String>>::new();
    for prediction in predictions.iter_mut().filter(|one| is_step(one.action())) {
        let find = || {
            let refused = head.scope.refused_by_project(head.app(&prediction.app)?.subject);
            refused.into_iter().next().map(|refused| refused.what)
        };
        if let Some(what) = known.entry(prediction.app.clone()).or_insert_with(find) {
            let why = format!("{what}: Argo CD syncs nothing of `{}`", prediction.app);
            prediction.outcome = Outcome::new(Action::Blocked, REFUSED, why);
        }
    }
}

/// Leaves out what every sync creates again, or fails at, where nothing else makes the Application sync.
fn leave_unsynced(head: &State<'_>, predictions: &mut Vec<Prediction<'_>>) {
    let synced = synced(head, predictions);
    predictions.retain(|one| !is_of_every_sync(one) || synced.contains(&one.app));
}

/// Reports whether an outcome is that of every sync, and not of this change.
fn is_of_every_sync(one: &Prediction<'_>) -> bool {
    let word = one.outcome.reason.word;
    one.pointers.is_empty() && word != MADE_AGAIN && (one.action() == Action::Recreate || word == "replaced-claim")
}

/// Returns the Applications that the change makes sync.
fn synced(head: &State<'_>, predictions: &[Prediction<'_>]) -> BTreeSet<AppName> {
    let syncs = |one: &&Prediction<'_>| {
        let is_step = is_step(one.action()) || matches!(one.action(), Action::Prune | Action::TooLate);
        (is_step && !is_of_every_sync(one)) || is_kept_out_of_sync(head, one) || becomes_hook(one)
    };
    predictions.iter().filter(syncs).map(|one| one.app.clone()).collect()
}

/// Reports whether an object that is kept makes its Application OutOfSync, which with prune on is a sync.
fn is_kept_out_of_sync(head: &State<'_>, one: &Prediction<'_>) -> bool {
    let prunes = || head.app(&one.app).is_some_and(|app| options::prunes(&app.app()));
    let is_extraneous = one.before.is_some_and(options::ignores_extraneous);
    one.outcome.reason.word == "prune-guard" && !is_extraneous && prunes()
}

/// Deletes everything that is in a deleted Namespace.
fn namespaces<'s>(base: &State<'s>, head: &State<'s>, predictions: &mut Vec<Prediction<'s>>) {
    let deleted = predictions
        .iter()
        .filter(|one| one.place.is("", "Namespace") && one.action().deletes());
    let deleted: Vec<(Cluster, String, Vec<String>)> = deleted
        .map(|one| {
            let mut via = one.via.clone();
            via.push(one.place.to_string());
            (one.place.cluster.clone(), one.place.object.name.clone(), via)
        })
        .collect();
    for (cluster, namespace, via) in deleted {
        let outcome = || {
            let why = format!("Namespace `{namespace}` is deleted, and everything in it, whatever its annotations");
            Outcome::new(Action::Prune, "namespace-deleted", why)
        };
        let is_inside = |place: &Place| place.cluster == cluster && place.namespace() == Some(&namespace);
        for prediction in predictions
            .iter_mut()
            .filter(|one| is_inside(&one.place) && one.before.is_some())
        {
            prediction.outcome = outcome();
            prediction.via.clone_from(&via);
        }
        let known: BTreeSet<Place> = predictions.iter().map(|one| one.place.clone()).collect();
        let owned = base.scope.owned_in(&cluster, &namespace);
        let mut claims: BTreeMap<Place, Option<&'s Object>> =
            owned.map(|(claim, _)| (Place::of_claim(claim), None)).collect();
        for (place, placed) in base.placed().filter(|(place, _)| is_inside(place)) {
            if let Some(placed) = placed.iter().find(|placed| is_claim(placed.object)) {
                claims.insert(place.clone(), Some(placed.object));
            }
        }
        claims.retain(|place, _| !known.contains(place));
        predictions.extend(claims.into_iter().filter_map(|(place, before)| {
            let (owner, consumers) = hit(base, head, &place);
            let renders = || base.at(&place).first().map(|placed| placed.subject.name.clone());
            let app = owner.clone().or_else(renders)?;
            Some(Prediction {
                owner,
                consumers,
                via: via.clone(),
                before,
                ..Prediction::new(place, app, outcome())
            })
        }));
    }
}

/// Reports whether an object was none before and is a hook: what is there is not in Git any more, which is a sync.
fn becomes_hook(one: &Prediction<'_>) -> bool {
    one.after.is_some_and(is_hook) && one.before.is_some_and(|before| !is_hook(before))
}

/// Makes what the next sync deletes deleted now, where this change is a sync of its Application.
fn prune_now(synced: &BTreeSet<AppName>, predictions: &mut [Prediction<'_>]) {
    let later = predictions.iter_mut().filter(|one| one.action() == Action::PruneLater);
    for prediction in later.filter(|one| synced.contains(&one.app)) {
        let why = format!(
            "IgnoreExtraneous without `Prune=false`: what else this change brings makes `{}` sync, and that deletes it",
            prediction.app
        );
        prediction.outcome = Outcome::new(Action::Prune, "extraneous-without-guard", why);
    }
}

/// Says of hooks that they wait, where the change is no sync of their Application: Argo CD does not compare hooks.
fn hooks_wait(synced: &BTreeSet<AppName>, predictions: &mut [Prediction<'_>]) {
    let runs = |one: &Prediction<'_>| one.action() == Action::Hook && one.after.and_then(order).is_some();
    for prediction in predictions
        .iter_mut()
        .filter(|one| runs(one) && !synced.contains(&one.app))
    {
        let why = format!(
            "it is a hook: it runs with the next sync of `{}`, which nothing of this change brings about",
            prediction.app
        );
        prediction.outcome = Outcome::new(Action::Hook, "hook-waits", why);
    }
}

/// Blocks what would delete the last object of an Application: automated sync refuses that.
fn wiped(head: &State<'_>, predictions: &mut [Prediction<'_>]) {
    for (name, app) in head.apps() {
        let view = app.app();
        let is_empty = app.known == Known::Rendered && app.subject.items.iter().all(|item| is_hook(item.object()));
        if !is_empty || !options::prunes(&view) || options::allows_empty(&view) {
            continue;
        }
        let gone = predictions
            .iter_mut()
            .filter(|one| one.app == *name && one.after.is_none());
        for prediction in
            gone.filter(|one| matches!(one.action(), Action::Prune | Action::PruneLater | Action::TooLate))
        {
            if prediction.outcome.reason.word == "namespace-deleted" {
                continue;
            }
            let why = format!(
                "`{name}` renders nothing any more: automated sync refuses to delete everything, until somebody syncs"
            );
            prediction.outcome = Outcome::new(Action::Blocked, "all-objects-removed", why);
        }
    }
}

/// Reports whether an outcome is one of the sync's own steps, which a sync that stops does not come to.
fn is_step(action: Action) -> bool {
    matches!(
        action,
        Action::Create | Action::Adopt | Action::Change | Action::Recreate | Action::Wait | Action::Fail
    )
}

/// Blocks what a sync brings that waits for a confirmation.
fn confirmations(predictions: &mut [Prediction<'_>]) {
    let waiting = predictions
        .iter()
        .filter(|one| one.outcome.reason.word == "prune-confirm");
    let waiting: BTreeMap<AppName, String> = waiting.map(|one| (one.app.clone(), one.place.to_string())).collect();
    for prediction in predictions.iter_mut().filter(|one| is_step(one.action())) {
        if let Some(place) = waiting.get(&prediction.app) {
            let why = format!("the sync waits until somebody confirms the deletion of `{place}`");
            prediction.outcome = Outcome::new(Action::Blocked, "waits-for-confirmation", why);
        }
    }
}

/// Blocks what comes in a later wave than an object that fails or that the sync waits for.
fn later_waves(predictions: &mut [Prediction<'_>]) {
    let outcomes = predictions
        .iter()
        .filter_map(|one| Some((one.app.as_str(), one.after?, one.action(), &one.place)));
    let stops: BTreeMap<String, ((i8, i64), String)> = failing_waves(outcomes)
        .into_iter()
        .map(|(app, stop)| (app.to_owned(), stop))
        .collect();
    for prediction in predictions.iter_mut().filter(|one| is_step(one.action())) {
        let at = prediction.after.and_then(order);
        let Some((stop, place)) = stops.get(prediction.app.as_str()) else {
            continue;
        };
        if at.is_some_and(|at| at > *stop) {
            let why = format!("the sync stops at `{place}`, in an earlier wave");
            prediction.outcome = Outcome::new(Action::Blocked, "earlier-wave-stops", why);
        }
    }
}
