//! Pairs what is gone with what is new: a rename is a rename, and not a deletion beside a creation.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::prediction::Prediction;
use super::state::{AppState, State};
use crate::model::application::GROUP;
use crate::model::{AppName, Object};

/// The share of equal values from which two objects are one that was renamed.
const ALIKE: f64 = 0.6;
/// The same of two Applications: in a home, many of them look alike.
const RENAMED: f64 = 0.75;
/// The most pairs of one kind that are compared; with more of them nobody could follow the answer.
const MOST: usize = 40_000;

/// Sets the twins of predictions.
pub(super) fn pair(base: &State<'_>, head: &State<'_>, predictions: &mut [Prediction<'_>]) {
    let renamed = renamed_apps(base, head);
    let is_gone = |prediction: &Prediction<'_>| prediction.after.is_none();
    let is_new = |prediction: &Prediction<'_>| prediction.before.is_none();
    let mut kinds: BTreeMap<(&str, &str), [Vec<usize>; 2]> = BTreeMap::new();
    for (index, prediction) in predictions.iter().enumerate() {
        let object = &prediction.place.object;
        let of_kind = kinds.entry((&object.group, &object.kind)).or_default();
        if is_gone(prediction) {
            of_kind[0].push(index);
        } else if is_new(prediction) {
            of_kind[1].push(index);
        }
    }
    let mut pairs = Vec::new();
    for [gone, new] in kinds.values().filter(|[gone, new]| gone.len() * new.len() <= MOST) {
        for (one, other) in gone.iter().flat_map(|one| new.iter().map(move |other| (*one, *other))) {
            let (old, now) = (&predictions[one], &predictions[other]);
            let score = match is_application(old) {
                true => is_renamed(&renamed, old, now).then_some(1.0),
                false if old.app == now.app || renamed.get(&old.app) == Some(&now.app) => {
                    let of = |all: &[usize], app: &AppName| {
                        all.iter().filter(|index| predictions[**index].app == *app).count()
                    };
                    let is_only = of(gone, &old.app) == 1 && of(new, &now.app) == 1;
                    likeness(old, now).filter(|_| is_only || is_named_alike(old, now))
                }
                false => None,
            };
            if let Some(score) = score {
                pairs.push((score, one, other));
            }
        }
    }
    pairs.sort_by(|(one, ..), (other, ..)| other.total_cmp(one));
    let mut taken = BTreeSet::new();
    for (_, one, other) in pairs {
        if taken.contains(&one) || taken.contains(&other) {
            continue;
        }
        taken.extend([one, other]);
        predictions[one].twin = Some(predictions[other].place.clone());
        predictions[other].twin = Some(predictions[one].place.clone());
    }
}

fn is_application(one: &Prediction<'_>) -> bool {
    one.place.is(GROUP, "Application")
}

/// Reports whether an Application that is gone has the name of another one now.
fn is_renamed(renamed: &BTreeMap<AppName, AppName>, old: &Prediction<'_>, new: &Prediction<'_>) -> bool {
    let name = |one: &Prediction<'_>| one.place.object.name.clone();
    let is_it = |other: &AppName, name: &str| other.as_str().rsplit('/').next() == Some(name);
    renamed
        .iter()
        .any(|(from, to)| is_it(from, &name(old)) && is_it(to, &name(new)))
}

/// Returns the new names of Applications that are gone: each with the new one whose objects are the most alike.
pub(super) fn renamed_apps(base: &State<'_>, head: &State<'_>) -> BTreeMap<AppName, AppName> {
    let gone = base.apps().filter(|(name, _)| head.app(name).is_none());
    let new: Vec<_> = head.apps().filter(|(name, _)| base.app(name).is_none()).collect();
    let mut pairs = Vec::new();
    for (name, app) in gone {
        let candidates = new
            .iter()
            .map(|(other, new)| (app_likeness((base, app), (head, new)), name, *other));
        pairs.extend(candidates.filter(|(score, ..)| *score >= RENAMED));
    }
    pairs.sort_by(|(one, ..), (other, ..)| other.total_cmp(one));
    let (mut renamed, mut taken) = (BTreeMap::new(), BTreeSet::new());
    for (_, name, other) in pairs {
        if !renamed.contains_key(name) && taken.insert(other) {
            renamed.insert(name.clone(), other.clone());
        }
    }
    renamed
}

/// Returns how much two Applications are one: by their objects, or where those are not known by a source that no other has.
fn app_likeness((base, one): (&State<'_>, &AppState<'_>), (head, other): (&State<'_>, &AppState<'_>)) -> f64 {
    let shared = sources(one).iter().any(|source| {
        let has = |state: &State<'_>| state.apps().filter(|(_, app)| sources(app).contains(source)).count();
        sources(other).contains(source) && has(base) == 1 && has(head) == 1
    });
    let content = |app: &AppState<'_>| -> BTreeSet<(String, String)> {
        let leaves = app.subject.items.iter().map(|item| {
            let object = item.object();
            let of_kind = |(at, value): (String, String)| (format!("{}{at}", object.kind()), value);
            leaves(object).into_iter().map(of_kind).collect::<Vec<_>>()
        });
        leaves.flatten().collect()
    };
    let (of_one, of_other) = (content(one), content(other));
    match (of_one.is_empty() || of_other.is_empty(), shared) {
        (true, true) => 1.0,
        (true, false) => 0.0,
        (false, shared) => share(&of_one, &of_other) + if shared { 0.15 } else { 0.0 },
    }
}

/// Returns what an Application renders, but for files for other sources.
fn sources(app: &AppState<'_>) -> Vec<(String, Option<String>, Option<String>)> {
    let sources = app
        .app()
        .sources()
        .into_iter()
        .filter(|source| !source.gives_files_only());
    let parts = sources.map(|source| {
        let path = source.path().map(str::to_owned);
        (
            normalized(source.repo_url()),
            path,
            source.pulled_chart().map(str::to_owned),
        )
    });
    parts.collect()
}

fn normalized(url: &str) -> String {
    url.trim_end_matches('/').trim_end_matches(".git").to_owned()
}

/// Returns how many of two sets are in both, from 0 to 1.
fn share(one: &BTreeSet<(String, String)>, other: &BTreeSet<(String, String)>) -> f64 {
    let (shared, total) = (one.intersection(other).count(), one.len() + other.len());
    #[expect(clippy::cast_precision_loss, reason = "objects have few values")]
    let share = if total == 0 {
        1.0
    } else {
        2.0 * shared as f64 / total as f64
    };
    share
}

/// Returns how much of two objects is the same, names aside; `None` where it is too little.
fn likeness(old: &Prediction<'_>, new: &Prediction<'_>) -> Option<f64> {
    let (one, other) = (old.before?, new.after?);
    let names = (old.place.object.name.as_str(), new.place.object.name.as_str());
    let (one, other) = (leaves(one), leaves(other));
    let score = share(&one, &other);
    // Of several that are alike, the one with the nearest name.
    (score >= ALIKE).then(|| score + name_likeness(names.0, names.1))
}

/// Reports whether two names have enough in common: of several claims, each looks like all others.
fn is_named_alike(old: &Prediction<'_>, new: &Prediction<'_>) -> bool {
    const ENOUGH: f64 = 0.4;
    name_likeness(&old.place.object.name, &new.place.object.name) >= ENOUGH
}

/// Returns how much of two names is the same at their start and their end, from 0 to 1.
fn name_likeness(one: &str, other: &str) -> f64 {
    let longest = one.len().max(other.len()).max(1);
    let equal = |(one, other): &(u8, u8)| one == other;
    let start = one.bytes().zip(other.bytes()).take_while(equal).count();
    let end = one.bytes().rev().zip(other.bytes().rev()).take_while(equal).count();
    #[expect(clippy::cast_precision_loss, reason = "names are short")]
    let share = (start + end).min(longest) as f64 / longest as f64;
    share
}

/// Returns the values of an object with their places, without what names it.
fn leaves(object: &Object) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    collect(object.tree(), &mut String::new(), &mut found);
    found
}

fn collect(value: &Value, at: &mut String, found: &mut BTreeSet<(String, String)>) {
    let mut below = |key: &str, value: &Value| {
        let length = at.len();
        at.push('/');
        at.push_str(key);
        collect(value, at, found);
        at.truncate(length);
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| below(key, value)),
        Value::Array(items) => (0..)
            .zip(items)
            .for_each(|(index, item): (usize, _)| below(&index.to_string(), item)),
        leaf => {
            let is_name = ["/metadata/name", "/metadata/labels", "/metadata/annotations"]
                .iter()
                .any(|name| at.starts_with(name));
            if !is_name {
                found.insert((at.clone(), leaf.to_string()));
            }
        }
    }
}
