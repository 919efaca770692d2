//! Lists ([source](https://masterminds.github.io/sprig/lists.html)).

use std::rc::Rc;

use super::super::fault::Fault;
use super::super::print::printed;
use super::super::value::{Items, Value};
use super::numbers::int64;
use super::{Function, function, int};

pub(super) const TABLE: &[Function] = &[
    function("append", "aa", push),
    function("chunk", "ia", chunk),
    function("compact", "a", compact),
    function("concat", "a*", |values| {
        let lists: Result<Vec<_>, Fault> = values.iter().map(items).collect();
        let all: Vec<Value> = lists?.into_iter().flatten().cloned().collect();
        Ok(match all.is_empty() {
            true => Value::List(Items::Joined, Rc::new(all)),
            false => Value::list(all),
        })
    }),
    function("first", "a", |values| {
        Ok(items(&values[0])?.first().cloned().unwrap_or(Value::Nil))
    }),
    function("has", "aa", has),
    function("initial", "a", |values| {
        let (_, initial) = non_empty(&values[0])?.split_last().ok_or_else(nothing)?;
        Ok(Value::list(initial.to_vec()))
    }),
    function("last", "a", |values| {
        Ok(items(&values[0])?.last().cloned().unwrap_or(Value::Nil))
    }),
    function("list", "a*", |values| Ok(Value::list(values.to_vec()))),
    function("mustAppend", "aa", push),
    function("mustChunk", "ia", chunk),
    function("mustCompact", "a", compact),
    function("mustFirst", "a", |values| {
        Ok(items(&values[0])?.first().cloned().unwrap_or(Value::Nil))
    }),
    function("mustHas", "aa", has),
    function("mustInitial", "a", |values| {
        let (_, initial) = non_empty(&values[0])?.split_last().ok_or_else(nothing)?;
        Ok(Value::list(initial.to_vec()))
    }),
    function("mustLast", "a", |values| {
        Ok(items(&values[0])?.last().cloned().unwrap_or(Value::Nil))
    }),
    function("mustPrepend", "aa", prepend),
    function("mustPush", "aa", push),
    function("mustRest", "a", rest),
    function("mustReverse", "a", |values| {
        Ok(Value::list(items(&values[0])?.iter().rev().cloned().collect()))
    }),
    function("mustSlice", "aa*", slice),
    function("mustUniq", "a", uniq),
    function("mustWithout", "aa*", without),
    function("prepend", "aa", prepend),
    function("push", "aa", push),
    function("rest", "a", rest),
    function("reverse", "a", |values| {
        Ok(Value::list(items(&values[0])?.iter().rev().cloned().collect()))
    }),
    function("slice", "aa*", slice),
    function("sortAlpha", "a", sort_alpha),
    function("tuple", "a*", |values| Ok(Value::list(values.to_vec()))),
    function("uniq", "a", uniq),
    function("without", "aa*", without),
];

fn items(value: &Value) -> Result<&[Value], Fault> {
    match value {
        Value::List(_, items) => Ok(items),
        other => Err(Fault::invalid(format!("a {} is no list", other.type_name()))),
    }
}

/// Returns the items of a list that has some: Go makes a nil of an empty one.
fn non_empty(value: &Value) -> Result<&[Value], Fault> {
    let items = items(value)?;
    if items.is_empty() { Err(nothing()) } else { Ok(items) }
}

fn nothing() -> Fault {
    Fault::unsupported("an empty list")
}

/// Returns the items of a value as texts, without what is null.
pub(super) fn texts_of(value: &Value) -> Vec<String> {
    match value {
        Value::Missing | Value::Nil => Vec::new(),
        Value::List(_, items) => {
            let items = items.iter().filter(|item| !matches!(item, Value::Nil | Value::Missing));
            items.map(printed).collect()
        }
        other => vec![printed(other)],
    }
}

fn push(values: &[Value]) -> Result<Value, Fault> {
    Ok(Value::list([items(&values[0])?, &values[1..]].concat()))
}

fn prepend(values: &[Value]) -> Result<Value, Fault> {
    Ok(Value::list([&values[1..], items(&values[0])?].concat()))
}

fn rest(values: &[Value]) -> Result<Value, Fault> {
    Ok(Value::list(non_empty(&values[0])?[1..].to_vec()))
}

fn compact(values: &[Value]) -> Result<Value, Fault> {
    let full = items(&values[0])?.iter().filter(|item| item.is_true());
    Ok(Value::list(full.cloned().collect()))
}

fn uniq(values: &[Value]) -> Result<Value, Fault> {
    let mut out: Vec<Value> = Vec::new();
    for item in items(&values[0])? {
        if !out.contains(item) {
            out.push(item.clone());
        }
    }
    Ok(Value::list(out))
}

fn without(values: &[Value]) -> Result<Value, Fault> {
    let left = items(&values[0])?.iter().filter(|item| !values[1..].contains(item));
    Ok(Value::list(left.cloned().collect()))
}

fn has(values: &[Value]) -> Result<Value, Fault> {
    match &values[1] {
        Value::Nil | Value::Missing => Ok(Value::Bool(false)),
        list => Ok(Value::Bool(items(list)?.contains(&values[0]))),
    }
}

fn slice(values: &[Value]) -> Result<Value, Fault> {
    let Value::List(of, list) = &values[0] else {
        return Err(Fault::invalid("it is no list"));
    };
    if list.is_empty() {
        return Ok(Value::Nil);
    }
    let place = |index: usize, default: usize| {
        let Some(value) = values.get(index) else {
            return Ok(default);
        };
        usize::try_from(int64(value)?).map_err(|_| Fault::invalid("an index is out of range"))
    };
    let (start, end) = (place(1, 0)?, place(2, list.len())?);
    if end > list.len() {
        // Go's lists may have room behind their end.
        return Err(Fault::unsupported("an index behind the end of the list"));
    }
    let part = list
        .get(start..end)
        .ok_or_else(|| Fault::invalid("an index is out of range"))?;
    Ok(Value::List(*of, Rc::new(part.to_vec())))
}

fn chunk(values: &[Value]) -> Result<Value, Fault> {
    let size = usize::try_from(int(&values[0])).unwrap_or_default();
    let list = items(&values[1])?;
    if size == 0 {
        return Err(Fault::unsupported("chunks without a size"));
    }
    let chunks = list.chunks(size).map(|chunk| Value::list(chunk.to_vec()));
    Ok(Value::List(Items::List, Rc::new(chunks.collect())))
}

fn sort_alpha(values: &[Value]) -> Result<Value, Fault> {
    let mut sorted = texts_of(&values[0]);
    if !matches!(values[0], Value::List(..)) {
        return Ok(Value::texts([printed(&values[0])]));
    }
    sorted.sort();
    // sprig sorts a list of texts in its place, so that others see it.
    let is_shared = matches!(&values[0], Value::List(Items::Text, items) if Rc::strong_count(items) > 1);
    if is_shared && texts_of(&values[0]) != sorted {
        return Err(Fault::unsupported("a list that is used elsewhere"));
    }
    Ok(Value::texts(sorted))
}
