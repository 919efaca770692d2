//! Maps ([source](https://masterminds.github.io/sprig/dicts.html)).

use super::super::fault::Fault;
use super::super::merging;
use super::super::print::printed;
use super::super::value::{Entries, Value};
use super::{Function, function, text};

pub(super) const TABLE: &[Function] = &[
    function("deepCopy", "a", deep_copied),
    function("dict", "a*", |values| {
        let pairs = values.chunks(2).map(|pair| {
            (
                printed(&pair[0]),
                pair.get(1).cloned().unwrap_or_else(|| Value::text("")),
            )
        });
        Ok(Value::map(pairs))
    }),
    function("dig", "a*", dig),
    function("get", "ms", |values| {
        let found = entries(&values[0]).and_then(|entries| entries.borrow().get(text(&values[1])).cloned());
        Ok(found.unwrap_or_else(|| Value::text("")))
    }),
    function("hasKey", "ms", |values| {
        let has = entries(&values[0]).is_some_and(|entries| entries.borrow().contains_key(text(&values[1])));
        Ok(Value::Bool(has))
    }),
    // Go's order is not defined.
    function("keys", "m*", |values| {
        let maps = values.iter().filter_map(entries);
        Ok(Value::texts(maps.flat_map(|entries| {
            entries.borrow().keys().cloned().collect::<Vec<_>>()
        })))
    }),
    function("merge", "mm*", |values| merge(values, false)),
    function("mergeOverwrite", "mm*", |values| merge(values, true)),
    function("mustDeepCopy", "a", deep_copied),
    function("mustMerge", "mm*", |values| merge(values, false)),
    function("mustMergeOverwrite", "mm*", |values| merge(values, true)),
    function("omit", "ms*", |values| {
        Ok(Value::map(
            copied(&values[0])
                .into_iter()
                .filter(|(key, _)| !names(values).any(|name| name == key)),
        ))
    }),
    function("pick", "ms*", |values| {
        Ok(Value::map(
            copied(&values[0])
                .into_iter()
                .filter(|(key, _)| names(values).any(|name| name == key)),
        ))
    }),
    function("pluck", "sm*", |values| {
        let maps = values[1..].iter().filter_map(entries);
        Ok(Value::list(
            maps.filter_map(|entries| entries.borrow().get(text(&values[0])).cloned())
                .collect(),
        ))
    }),
    function("set", "msa", |values| {
        let map = entries(&values[0]).ok_or_else(|| Fault::invalid("there is no map"))?;
        map.borrow_mut().insert(text(&values[1]).to_owned(), values[2].clone());
        match is_in(map, &values[2]) {
            true => Err(Fault::unsupported("a map in itself")),
            false => Ok(values[0].clone()),
        }
    }),
    function("unset", "ms", |values| {
        if let Some(map) = entries(&values[0]) {
            map.borrow_mut().remove(text(&values[1]));
        }
        Ok(values[0].clone())
    }),
    // Go's order is not defined.
    function("values", "m", |values| {
        Ok(Value::list(
            copied(&values[0]).into_iter().map(|(_, value)| value).collect(),
        ))
    }),
];

fn deep_copied(values: &[Value]) -> Result<Value, Fault> {
    match &values[0] {
        Value::Missing | Value::Nil => Err(Fault::invalid("there is nothing to copy")),
        value => Ok(value.deep_copy()),
    }
}

fn entries(value: &Value) -> Option<&Entries> {
    match value {
        Value::Map(_, entries) => Some(entries),
        _ => None,
    }
}

fn copied(value: &Value) -> Vec<(String, Value)> {
    let pairs = entries(value).map(|entries| entries.borrow().clone().into_iter().collect());
    pairs.unwrap_or_default()
}

fn names(values: &[Value]) -> impl Iterator<Item = &str> {
    values[1..].iter().map(text)
}

/// Reports whether a value holds a map.
fn is_in(map: &Entries, value: &Value) -> bool {
    match value {
        Value::Map(_, entries) if std::rc::Rc::ptr_eq(map, entries) => true,
        Value::Map(_, entries) => entries.borrow().values().any(|value| is_in(map, value)),
        Value::List(_, items) => items.iter().any(|value| is_in(map, value)),
        _ => false,
    }
}

fn dig(values: &[Value]) -> Result<Value, Fault> {
    let [keys @ .., default, map] = values else {
        return Err(Fault::invalid("it needs at least three arguments"));
    };
    if keys.is_empty() {
        return Err(Fault::invalid("it needs at least three arguments"));
    }
    let wrong = || Fault::invalid("it needs keys and maps of anything");
    let keys: Option<Vec<&String>> = keys
        .iter()
        .map(|key| match key {
            Value::Text(key) => Some(key),
            _ => None,
        })
        .collect();
    let mut value = map.clone();
    for key in keys.ok_or_else(wrong)? {
        let Value::Map(super::super::value::Items::Any, entries) = &value else {
            return Err(wrong());
        };
        let next = entries.borrow().get(key).cloned();
        match next {
            Some(next) => value = next,
            None => return Ok(default.clone()),
        }
    }
    Ok(value)
}

fn merge(values: &[Value], overrides: bool) -> Result<Value, Fault> {
    let Some(into) = entries(&values[0]) else {
        return Err(Fault::unsupported("a merge into nothing"));
    };
    for from in values[1..].iter().filter_map(entries) {
        if std::rc::Rc::ptr_eq(into, from) || from.borrow().values().any(|value| is_in(into, value)) {
            return Err(Fault::unsupported("a merge of a map with itself"));
        }
        merging::merge(into, from, overrides)?;
    }
    Ok(values[0].clone())
}
