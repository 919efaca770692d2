//! Pairs what is gone with what is new: a rename is a rename, and not a deletion beside a creation.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::prediction::Prediction;
use super::state::{AppState, State};
use crate::model::{AppName, Object, repo_url};
use crate::repo::Bringer;

/// The share of equal values from which two objects are one that was renamed.
const ALIKE: f64 = 0.6;
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
            let is_near = old.app == now.app || renamed.get(&old.app) == Some(&now.app);
            if let Some(score) = is_near.then(|| likeness(old, now)).flatten() {
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

/// Returns the new names of Applications that are gone: each with the only new one that has a source of it, or the most objects.
pub(super) fn renamed_apps(base: &State<'_>, head: &State<'_>) -> BTreeMap<AppName, AppName> {
    let mut new: Vec<(&AppName, &AppState<'_>)> = head.apps().filter(|(name, _)| base.app(name).is_none()).collect();
    let mut renamed = BTreeMap::new();
    for (name, app) in base.apps().filter(|(name, _)| head.app(name).is_none()) {
        let best = new
            .iter()
            .enumerate()
            .map(|(index, (_, other))| (app_likeness(app, other), index));
        let best = best
            .max_by(|(one, _), (other, _)| one.total_cmp(other))
            .filter(|(score, _)| *score >= ALIKE);
        if let Some((_, index)) = best {
            let (other, _) = new.swap_remove(index);
            renamed.insert(name.clone(), other.clone());
        }
    }
    renamed
}

fn app_likeness(one: &AppState<'_>, other: &AppState<'_>) -> f64 {
    let source = |app: &AppState<'_>| -> Vec<(String, Option<String>, Option<String>)> {
        let sources = app.app().sources().into_iter();
        let parts = sources.map(|source| {
            let path = source.path().map(str::to_owned);
            (
                source.repo_url().to_owned(),
                path,
                source.pulled_chart().map(str::to_owned),
            )
        });
        parts.collect()
    };
    let (of_one, of_other) = (source(one), source(other));
    let shares_source = of_one.iter().any(|(url, path, chart)| {
        let is_it = |(other_url, other_path, other_chart): &(String, Option<String>, Option<String>)| {
            repo_url::same(url, other_url) && (path, chart) == (other_path, other_chart)
        };
        of_other.iter().any(is_it)
    });
    let same_set = matches!((&one.bringer, &other.bringer), (Bringer::Set(one), Bringer::Set(other)) if one == other);
    let shapes = |app: &AppState<'_>| -> BTreeMap<(String, String), usize> {
        let mut counted = BTreeMap::new();
        for item in &app.subject.items {
            let object = item.object();
            *counted
                .entry((object.group().to_owned(), object.kind().to_owned()))
                .or_default() += 1;
        }
        counted
    };
    let (of_one, of_other) = (shapes(one), shapes(other));
    let total: usize = of_one.values().chain(of_other.values()).sum();
    let shared: usize = of_one
        .iter()
        .map(|(kind, count)| count.min(of_other.get(kind).unwrap_or(&0)))
        .sum();
    #[expect(clippy::cast_precision_loss, reason = "counts of objects are small")]
    let shape = if total == 0 {
        0.0
    } else {
        2.0 * shared as f64 / total as f64
    };
    match (shares_source, same_set) {
        (true, _) => 1.0 + shape,
        (false, true) => shape,
        (false, false) => shape - 0.3,
    }
}

/// Returns how much of two objects is the same, names aside; `None` where it is too little.
fn likeness(old: &Prediction<'_>, new: &Prediction<'_>) -> Option<f64> {
    let (one, other) = (old.before?, new.after?);
    let names = (old.place.object.name.as_str(), new.place.object.name.as_str());
    let (one, other) = (leaves(one), leaves(other));
    let shared = one.intersection(&other).count();
    let total = one.len() + other.len();
    #[expect(clippy::cast_precision_loss, reason = "an object has few values")]
    let score = if total == 0 {
        1.0
    } else {
        2.0 * shared as f64 / total as f64
    };
    // Of several that are alike, the one with the nearest name.
    (score >= ALIKE).then(|| score + name_likeness(names.0, names.1))
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
