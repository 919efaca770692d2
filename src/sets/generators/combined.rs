//! Generators of generators: matrix and merge.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::super::Reason;
use super::super::selector::texts;
use super::super::template::{Style, Value, json_text, merge, printed};
use super::{Context, ParameterSet};
use crate::model::{PointerBuf, PointerExt};

impl Context<'_> {
    /// Returns every set of the first generator with every set of the second one, which may depend on it.
    pub(super) fn matrix(&self, generator: &Json, place: &PointerBuf) -> Result<Vec<ParameterSet>, Reason> {
        let entries = generator["generators"].as_array().map(Vec::as_slice);
        let Some([first, second]) = entries else {
            return Err(Reason::invalid("a matrix generator needs exactly two generators"));
        };
        let list = place.child("generators");
        let (of_first, of_second) = (list.child(0), list.child(1));
        let mut sets = Vec::new();
        for a in self.nested((first, &of_first), None)? {
            for b in self.nested((second, &of_second), Some(&a))? {
                let mut set = match self.language.is_go() {
                    true => {
                        let set = ParameterSet::new([]);
                        overridden(&set, &b)?;
                        overridden(&set, &a)?;
                        set
                    }
                    false => combined(&a, &b)?,
                };
                set.origins = [a.origins.clone(), b.origins].concat();
                set.places = [a.places.clone(), b.places].concat();
                sets.push(set);
            }
        }
        Ok(sets)
    }

    /// Returns the sets of the first generator, overridden by those of the others that have the same keys.
    pub(super) fn merge(&self, generator: &Json, place: &PointerBuf) -> Result<Vec<ParameterSet>, Reason> {
        let entries = generator["generators"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        if entries.len() < 2 {
            return Err(Reason::invalid("a merge generator needs at least two generators"));
        }
        let keys = texts(&generator["mergeKeys"]);
        if keys.is_empty() {
            return Err(Reason::invalid("a merge generator needs `mergeKeys`"));
        }
        let mut all = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            let place = place.child("generators").child(index);
            all.push(self.nested((entry, &place), None)?);
        }
        let mut all = all.into_iter();
        let mut base = by_keys(&keys, all.next().unwrap_or_default())?;
        for sets in all {
            for (key, other) in by_keys(&keys, sets)? {
                let Some((_, set)) = base.iter_mut().find(|(known, _)| *known == key) else {
                    continue;
                };
                match (&set.values, &other.values) {
                    (Value::Map(_, into), Value::Map(_, from)) if !self.language.is_go() => {
                        let from = from.borrow().clone();
                        // Argo CD may not have made the map of an empty element.
                        if into.borrow().is_empty() && !from.is_empty() {
                            return Err(Reason::unsupported("a merge into an element without parameters"));
                        }
                        into.borrow_mut().extend(from);
                    }
                    _ => overridden(set, &other)?,
                }
                set.origins.extend(other.origins);
                set.places.extend(other.places);
            }
        }
        Ok(base.into_iter().map(|(_, set)| set).collect())
    }
}

fn overridden(into: &ParameterSet, from: &ParameterSet) -> Result<(), Reason> {
    match (&into.values, &from.values) {
        (Value::Map(_, into), Value::Map(_, from)) => {
            merge(into, from, true).map_err(|fault| Reason::of("generators", fault))
        }
        _ => Ok(()),
    }
}

/// Joins parameters as texts; a key must not have two values.
fn combined(a: &ParameterSet, b: &ParameterSet) -> Result<ParameterSet, Reason> {
    let mut values: BTreeMap<String, String> = BTreeMap::new();
    for set in [a, b] {
        let Value::Map(_, entries) = &set.values else { continue };
        for (key, value) in entries.borrow().iter() {
            let text = printed(value);
            if values.get(key).is_some_and(|known| *known != text) {
                return Err(Reason::invalid(format!(
                    "both generators of a matrix have the key `{key}`, with different values"
                )));
            }
            values.insert(key.clone(), text);
        }
    }
    Ok(ParameterSet::new(
        values.into_iter().map(|(key, text)| (key, Value::Text(text))),
    ))
}

/// Returns the sets with the values of their keys, which must be unique.
fn by_keys(keys: &[String], sets: Vec<ParameterSet>) -> Result<Vec<(String, ParameterSet)>, Reason> {
    let mut out: Vec<(String, ParameterSet)> = Vec::new();
    for set in sets {
        let Value::Map(_, entries) = &set.values else { continue };
        let values = keys.iter().map(|key| {
            let value = entries.borrow().get(key).map_or(Some(Json::Null), Value::to_json);
            value.map(|value| (key.clone(), value))
        });
        let values: Option<serde_json::Map<String, Json>> = values.collect();
        let values = values.ok_or_else(|| Reason::unsupported("a number that JSON lacks"))?;
        let key = json_text(&Json::Object(values), Style::Raw);
        if out.iter().any(|(known, _)| *known == key) {
            return Err(Reason::invalid(format!(
                "two sets of parameters have the same `{}`",
                keys.join("`, `")
            )));
        }
        out.push((key, set));
    }
    Ok(out)
}
