//! The functions of `text/template` itself ([source](https://pkg.go.dev/text/template#hdr-Functions)).

use std::cmp::Ordering;
use std::fmt::Write as _;

use super::super::fault::Fault;
use super::super::print::{formatted, joined};
use super::super::value::{Integer, Value};
use super::{Function, function, length, text};

pub(super) const TABLE: &[Function] = &[
    function("eq", "rr*", |values| eq(values).map(Value::Bool)),
    function("ge", "rr", |values| less(values).map(|less| Value::Bool(!less))),
    function("gt", "rr", |values| Ok(Value::Bool(!(less(values)? || eq(values)?)))),
    function("html", "a*", |values| Ok(Value::Text(html(&shown(values))))),
    function("index", "rr*", index),
    function("js", "a*", |values| js(&shown(values)).map(Value::Text)),
    function("le", "rr", |values| Ok(Value::Bool(less(values)? || eq(values)?))),
    function("len", "r", len),
    function("lt", "rr", |values| less(values).map(Value::Bool)),
    function("ne", "rr", |values| eq(values).map(|eq| Value::Bool(!eq))),
    function("not", "r", |values| Ok(Value::Bool(!values[0].is_true()))),
    function("print", "a*", |values| Ok(Value::Text(joined(values, false)))),
    function("printf", "sa*", |values| {
        formatted(text(&values[0]), &values[1..]).map(Value::Text)
    }),
    function("println", "a*", |values| Ok(Value::Text(joined(values, true) + "\n"))),
    function("urlquery", "a*", |values| Ok(Value::Text(url_query(&shown(values))))),
];

fn is_nothing(value: &Value) -> bool {
    matches!(value, Value::Missing | Value::Nil)
}

/// Returns the order of two values that Go compares; nothing where their types differ.
fn order(a: &Value, b: &Value) -> Option<Option<Ordering>> {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => Some(Some(a.cmp(b))),
        (Value::Int(_, a), Value::Int(_, b)) => Some(Some(a.cmp(b))),
        (Value::Float(a), Value::Float(b)) => Some(a.partial_cmp(b)),
        (Value::Text(a), Value::Text(b)) => Some(Some(a.cmp(b))),
        _ => None,
    }
}

fn eq(values: &[Value]) -> Result<bool, Fault> {
    let (first, others) = (&values[0], &values[1..]);
    if others.is_empty() {
        return Err(Fault::invalid("there is nothing to compare with"));
    }
    for other in others {
        let is_equal = match order(first, other) {
            Some(order) => order == Some(Ordering::Equal),
            None if is_nothing(first) || is_nothing(other) => is_nothing(first) && is_nothing(other),
            None => return Err(incomparable(first, other)),
        };
        if is_equal {
            return Ok(true);
        }
    }
    Ok(false)
}

fn less(values: &[Value]) -> Result<bool, Fault> {
    match order(&values[0], &values[1]) {
        Some(order) if !matches!(values[0], Value::Bool(_)) => Ok(order == Some(Ordering::Less)),
        _ => Err(incomparable(&values[0], &values[1])),
    }
}

fn incomparable(a: &Value, b: &Value) -> Fault {
    Fault::invalid(format!(
        "a {} and a {} cannot be compared",
        a.type_name(),
        b.type_name()
    ))
}

fn len(values: &[Value]) -> Result<Value, Fault> {
    match &values[0] {
        Value::Text(text) => Ok(length(text.len())),
        Value::List(_, items) => Ok(length(items.len())),
        Value::Map(_, entries) => Ok(length(entries.borrow().len())),
        other => Err(Fault::invalid(format!("a {} has no length", other.type_name()))),
    }
}

fn index(values: &[Value]) -> Result<Value, Fault> {
    let mut item = values[0].clone();
    if is_nothing(&item) {
        return Err(Fault::invalid("there is nothing to index"));
    }
    for index in &values[1..] {
        let place = |length: usize| match index {
            Value::Int(_, at) => usize::try_from(*at)
                .ok()
                .filter(|at| *at < length)
                .ok_or_else(|| Fault::invalid("the index is out of range")),
            other => Err(Fault::invalid(format!("a {} is no index here", other.type_name()))),
        };
        item = match (&item, index) {
            (Value::Text(text), _) => {
                let byte = text.as_bytes()[place(text.len())?];
                Value::Int(Integer::Byte, byte.into())
            }
            (Value::List(_, items), _) => items[place(items.len())?].clone(),
            (Value::Map(items, entries), Value::Text(key)) => {
                entries.borrow().get(key).cloned().unwrap_or_else(|| items.zero())
            }
            (other, _) => {
                return Err(Fault::invalid(format!(
                    "a {} has nothing at this index",
                    other.type_name()
                )));
            }
        };
    }
    Ok(item)
}

/// Joins values for a text that is escaped: nothing is `<no value>` there, and not `<nil>`.
fn shown(values: &[Value]) -> String {
    let values = values.iter().map(|value| match is_nothing(value) {
        true => Value::text("<no value>"),
        false => value.clone(),
    });
    joined(&values.collect::<Vec<_>>(), false)
}

fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\0' => out.push('\u{fffd}'),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            other => out.push(other),
        }
    }
    out
}

fn js(text: &str) -> Result<String, Fault> {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | '\'' | '"' => out.extend(['\\', character]),
            '<' | '>' | '&' | '=' | '\0'..='\u{1f}' => {
                // Writing to a text does not fail.
                let _ = write!(out, "\\u{:04X}", u32::from(character));
            }
            ' '..='\u{7f}' => out.push(character),
            other if other.is_alphanumeric() => out.push(other),
            _ => return Err(Fault::unsupported("a character outside of letters")),
        }
    }
    Ok(out)
}

fn url_query(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            other => {
                let _ = write!(out, "%{other:02X}");
            }
        }
    }
    out
}
