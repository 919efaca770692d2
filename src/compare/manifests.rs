//! What becomes of the Applications and ApplicationSets that no Application renders: a set generates them, or somebody applies them.

use std::collections::BTreeSet;

use super::applied::listed;
use super::fate::{Fate, Fates, MADE_AGAIN, named};
use super::place::Place;
use super::prediction::{Action, Outcome, Prediction};
use super::{changed_pointers, options};
use crate::model::{AppName, Cluster, Object};
use crate::repo::Bringer;

/// The two sides of an object, each with what brings it.
type Sides<'c, 's> = [Option<(&'s Object, &'c Bringer<'s>)>; 2];

/// Adds what becomes of them.
pub(super) fn predict<'s>(fates: &Fates<'_, 's>, predictions: &mut Vec<Prediction<'s>>) {
    let (base, head) = (fates.base, fates.head);
    let names: BTreeSet<&AppName> = base.apps().chain(head.apps()).map(|(name, _)| name).collect();
    for name in names {
        let side = |state: &'_ super::State<'s>| state.app(name).map(|app| &app.subject.manifest.object);
        let bringer = |app: Option<&'_ super::AppState<'s>>| app.map(|app| app.bringer.clone());
        let (old, new) = (side(base), side(head));
        let (by_old, by_new) = (bringer(base.app(name)), bringer(head.app(name)));
        let sides = [old.zip(by_old.as_ref()), new.zip(by_new.as_ref())];
        let Some(outcome) = outcome(fates, sides, || fates.of(name)) else {
            continue;
        };
        let state = if new.is_some() { head } else { base };
        let mut via = state.chain(name);
        via.pop();
        push(predictions, (name.clone(), via), [old, new], outcome);
    }
    let sets: BTreeSet<&str> = base.sets().chain(head.sets()).map(|(name, _)| name).collect();
    for name in sets {
        let (old, new) = (base.set(name), head.set(name));
        let side = |set: Option<&'_ super::SetState<'s>>| set.map(|set| set.object);
        let sides = [
            old.map(|set| (set.object, &set.bringer)),
            new.map(|set| (set.object, &set.bringer)),
        ];
        let fails = new
            .and_then(|set| set.unknown.as_ref())
            .filter(|_| old.is_some_and(|old| old.unknown.is_none()));
        if let (Some(why), Ok(app)) = (fails, AppName::new(name)) {
            let why = format!("ApplicationSet `{name}` cannot be expanded any more: {why}");
            predictions.retain(|one| one.place.object.kind != "ApplicationSet" || one.place.object.name != name);
            let outcome = Outcome::new(Action::Blocked, "generator-fails", why);
            push(predictions, (app, Vec::new()), [side(old), side(new)], outcome);
            continue;
        }
        let left = || Fate::Left("applied-by-hand", BY_HAND.to_owned());
        let Some(outcome) = outcome(fates, sides, left) else {
            continue;
        };
        if let Ok(app) = AppName::new(name) {
            push(predictions, (app, Vec::new()), [side(old), side(new)], outcome);
        }
    }
}

/// Why nothing becomes of what somebody applies.
const BY_HAND: &str = "nothing in the repository applies its manifest: somebody has to";

/// Returns what becomes of an object, unless an Application renders it, or nothing does.
fn outcome(fates: &Fates<'_, '_>, sides: Sides<'_, '_>, fate: impl FnOnce() -> Fate) -> Option<Outcome> {
    let [old, new] = sides;
    let (_, bringer) = new.or(old)?;
    if matches!(bringer, Bringer::Application(_)) || matches!(old, Some((_, Bringer::Application(_)))) {
        return None;
    }
    let by_hand = || Outcome::new(Action::Unsynced, "applied-by-hand", BY_HAND);
    match (old, new) {
        (Some((_, from @ Bringer::Set(set))), Some((_, to))) if from != to => handed_over(fates, (set, to), fate()),
        (Some((old, _)), Some((new, _))) if old == new => None,
        (_, Some((new, Bringer::Set(set)))) => {
            let policy = fates.head.set(set).map_or("sync", |set| options::policy(set.object));
            Some(match old {
                None => Outcome::new(
                    Action::Create,
                    "generated",
                    format!("ApplicationSet `{set}` generates it"),
                ),
                Some(_) if matches!(policy, "create-only" | "create-delete") => Outcome::new(
                    Action::Left,
                    "set-policy",
                    format!("the policy `{policy}` of ApplicationSet `{set}` changes no Applications"),
                ),
                Some((old, _)) => {
                    let pointers: Vec<String> = changed_pointers(old, new).into_iter().collect();
                    let why = format!(
                        "ApplicationSet `{set}` generates something else: it differs at {}",
                        listed(&pointers)
                    );
                    Outcome::new(Action::Change, "generated", why)
                }
            })
        }
        (_, Some(_)) => Some(by_hand()),
        (Some(_), None) => match fate() {
            Fate::Deleted { .. } => {
                let why = "nothing generates it any more: it is deleted";
                Some(Outcome::new(Action::Prune, "not-generated", why))
            }
            Fate::Left(word, why) => Some(Outcome::new(Action::Left, word, why)),
            Fate::Stays | Fate::Unknown => None,
        },
        (None, None) => None,
    }
}

/// Returns what becomes of an Application that a set has generated, and that something else brings now.
fn handed_over(fates: &Fates<'_, '_>, (set, to): (&str, &Bringer<'_>), fate: Fate) -> Option<Outcome> {
    let (to, owner) = (named(to), fates.head.set(set));
    match fate {
        Fate::Deleted { .. } => {
            let why =
                format!("ApplicationSet `{set}` generates it no more and deletes it; then it is made again by {to}");
            Some(Outcome::new(Action::Recreate, MADE_AGAIN, why))
        }
        _ => owner.filter(|owner| owner.unknown.is_none()).map(|_| {
            let why = format!(
                "it still belongs to ApplicationSet `{set}`, which deletes no Applications: it is not changed by {to}"
            );
            Outcome::new(Action::Left, "set-policy", why)
        }),
    }
}

fn push<'s>(
    predictions: &mut Vec<Prediction<'s>>,
    (app, via): (AppName, Vec<String>),
    [before, after]: [Option<&'s Object>; 2],
    outcome: Outcome,
) {
    let Some(object) = after.or(before).and_then(Object::reference) else {
        return;
    };
    let place = Place {
        cluster: Cluster::Local,
        object,
    };
    let pointers = before
        .zip(after)
        .map(|(before, after)| changed_pointers(before, after).into_iter().collect());
    predictions.push(Prediction {
        owner: Some(app.clone()),
        via,
        before,
        after,
        pointers: pointers.unwrap_or_default(),
        ..Prediction::new(place, app, outcome)
    });
}
