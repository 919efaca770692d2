//! Pairs what is gone with what is new: a rename is a rename, and not a deletion beside a creation.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::prediction::{Action, Outcome, Prediction};
use super::state::{AppState, State};
use crate::model::application::GROUP;
use crate::model::{AppName, Object};
use crate::rules::Item;

/// The share of equal values from which two objects are one that was renamed.
const ALIKE: f64 = 0.6;
/// The same of two Applications: in a home, many of them look alike.
const RENAMED: f64 = 0.75;
/// The most pairs of one kind that are compared; with more of them nobody could follow the answer.
const MOST: usize = 40_000;

/// The values of objects, each with its place.
type Leaves = BTreeSet<(String, String)>;

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
    let leaves: Vec<OnceCell<Leaves>> = vec![OnceCell::new(); predictions.len()];
    for [gone, new] in kinds.values().filter(|[gone, new]| gone.len() * new.len() <= MOST) {
        let counts = [gone, new].map(|side| of_each_app(predictions, side));
        for (one, other) in gone.iter().flat_map(|one| new.iter().map(move |other| (*one, *other))) {
            let (old, now) = (&predictions[one], &predictions[other]);
            let score = match is_application(old) {
                true => is_renamed(&renamed, old, now).then_some(1.0),
                false if old.app == now.app || renamed.get(&old.app) == Some(&now.app) => {
                    let is_only = counts[0].get(&old.app) == Some(&1) && counts[1].get(&now.app) == Some(&1);
                    let is_candidate = is_only || is_named_alike(old, now);
                    let alike = || likeness((old, &leaves[one]), (now, &leaves[other]));
                    match is_hashed_alike(old, now) {
                        // The content is what makes the name another one.
                        true => Some(2.0),
                        false => is_candidate.then(alike).flatten(),
                    }
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
        if predictions[one].action() == Action::Prune && is_hashed_alike(&predictions[one], &predictions[other]) {
            let why = format!(
                "`{}` takes its place: kustomize writes a hash of the content into the name",
                predictions[other].place.object.name
            );
            predictions[one].outcome = Outcome::new(Action::Prune, HASHED, why);
        }
    }
}

/// The word of the reason that an object has a name with a hash of its content.
pub(super) const HASHED: &str = "hash-of-content";

/// Reports whether two objects have one name but for the hash that kustomize appends to what it generates
/// ([source](https://github.com/kubernetes-sigs/kustomize/blob/master/api/hasher/hasher.go)).
fn is_hashed_alike(old: &Prediction<'_>, new: &Prediction<'_>) -> bool {
    let of_kind = old.place.is("", "ConfigMap") || old.place.is("", "Secret");
    let stem = |one: &Prediction<'_>| {
        let (stem, hash) = one.place.object.name.rsplit_once('-')?;
        let is_hash = hash.len() == 10 && hash.bytes().all(|byte| b"bcdfghkmt2456789".contains(&byte));
        (is_hash && !stem.is_empty()).then(|| (one.place.object.namespace.clone(), stem.to_owned()))
    };
    of_kind && stem(old).is_some() && stem(old) == stem(new)
}

/// Returns how many of some predictions each Application has.
fn of_each_app<'p>(predictions: &'p [Prediction<'_>], indices: &[usize]) -> BTreeMap<&'p AppName, usize> {
    let mut counts = BTreeMap::new();
    for index in indices {
        *counts.entry(&predictions[*index].app).or_default() += 1;
    }
    counts
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

/// Where an Application's objects come from: the repository, and the path or the chart there.
type Origin = (String, Option<String>, Option<String>);

/// An Application that only one state has.
struct Candidate<'s> {
    name: &'s AppName,
    origins: BTreeSet<Origin>,
    content: Leaves,
}

/// Returns the new names of Applications that are gone: each with the new one whose objects are the most alike.
fn renamed_apps(base: &State<'_>, head: &State<'_>) -> BTreeMap<AppName, AppName> {
    let (gone, new) = (candidates(base, head), candidates(head, base));
    if gone.is_empty() || new.is_empty() {
        return BTreeMap::new();
    }
    let singles = [base, head].map(single_origins);
    let mut pairs = Vec::new();
    for (one, other) in gone.iter().flat_map(|one| new.iter().map(move |other| (one, other))) {
        let mut shared = one.origins.intersection(&other.origins);
        let is_shared = shared.any(|origin| singles.iter().all(|single| single.contains(origin)));
        let score = app_likeness(&one.content, &other.content, is_shared);
        if score >= RENAMED {
            pairs.push((score, one.name, other.name));
        }
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

/// Returns the Applications of a state that another one does not have.
fn candidates<'s>(state: &State<'s>, other: &State<'_>) -> Vec<Candidate<'s>> {
    let only = state.apps().filter(|(name, _)| other.app(name).is_none());
    let found = only.map(|(name, app)| Candidate {
        name,
        origins: origins(app),
        content: content(app),
    });
    found.collect()
}

/// Returns the origins that one Application of a state has alone.
fn single_origins(state: &State<'_>) -> BTreeSet<Origin> {
    let mut counts: BTreeMap<Origin, usize> = BTreeMap::new();
    for origin in state.apps().flat_map(|(_, app)| origins(app)) {
        *counts.entry(origin).or_default() += 1;
    }
    counts.retain(|_, count| *count == 1);
    counts.into_keys().collect()
}

/// Returns how much two Applications are one: by their objects, or where those are not known by an origin that no other has.
fn app_likeness(one: &Leaves, other: &Leaves, is_shared: bool) -> f64 {
    match (one.is_empty() || other.is_empty(), is_shared) {
        (true, true) => 1.0,
        (true, false) => 0.0,
        (false, is_shared) => share(one, other) + if is_shared { 0.15 } else { 0.0 },
    }
}

/// Returns the values of all objects of an Application.
fn content(app: &AppState<'_>) -> Leaves {
    let objects = app.subject.items.iter().map(Item::object);
    let of_object = objects.flat_map(|object| {
        let of_kind = |(at, value): (String, String)| (format!("{}{at}", object.kind()), value);
        leaves(object).into_iter().map(of_kind)
    });
    of_object.collect()
}

/// Returns where the objects of an Application come from, but for files for other sources.
fn origins(app: &AppState<'_>) -> BTreeSet<Origin> {
    let sources = app.app().sources().into_iter();
    let rendered = sources.filter(|source| !source.gives_files_only());
    let parts = rendered.map(|source| {
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
fn share(one: &Leaves, other: &Leaves) -> f64 {
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
fn likeness(
    (old, of_old): (&Prediction<'_>, &OnceCell<Leaves>),
    (new, of_new): (&Prediction<'_>, &OnceCell<Leaves>),
) -> Option<f64> {
    let (one, other) = (old.before?, new.after?);
    let score = share(of_old.get_or_init(|| leaves(one)), of_new.get_or_init(|| leaves(other)));
    // Of several that are alike, the one with the nearest name.
    (score >= ALIKE).then(|| score + name_likeness(&old.place.object.name, &new.place.object.name))
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
fn leaves(object: &Object) -> Leaves {
    let mut found = Leaves::new();
    collect(object.tree(), &mut String::new(), &mut found);
    found
}

fn collect(value: &Value, at: &mut String, found: &mut Leaves) {
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
