//! The values of a template, with the Go types that `text/template` tells apart.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value as Json;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// No value: what a missing key gives.
    Missing,
    /// A nil in a map or a list.
    Nil,
    Bool(bool),
    /// An `int`, an `int64` or a `uint8`.
    Int(Integer, i64),
    Float(f64),
    Text(String),
    List(Items, Rc<Vec<Value>>),
    Map(Items, Entries),
}

/// The entries of a map. Like Go's, a map is shared: `set` changes what all see.
pub(crate) type Entries = Rc<RefCell<BTreeMap<String, Value>>>;

/// The type of a whole number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Integer {
    Int,
    Int64,
    Byte,
}

/// The type of a list's or map's items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Items {
    Any,
    Text,
    Int,
    /// Lists of anything, of which `chunk` makes a list.
    List,
    /// Anything, in what `concat` makes of empty lists. Go has no list then.
    Joined,
    /// Maps of anything: the list of all clusters. Go has none of them where there is no cluster.
    Map,
}

impl Value {
    /// Returns an `int`.
    pub(crate) fn int(number: i64) -> Self {
        Self::Int(Integer::Int, number)
    }

    /// Returns an `int64`.
    pub(crate) fn int64(number: i64) -> Self {
        Self::Int(Integer::Int64, number)
    }

    /// Returns a text.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Returns a list of anything.
    pub(crate) fn list(items: Vec<Value>) -> Self {
        Self::List(Items::Any, Rc::new(items))
    }

    /// Returns a list of texts.
    pub(crate) fn texts<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Self {
        let items = texts.into_iter().map(Self::text).collect();
        Self::List(Items::Text, Rc::new(items))
    }

    /// Returns a map of anything.
    pub(crate) fn map(entries: impl IntoIterator<Item = (String, Value)>) -> Self {
        Self::Map(Items::Any, Rc::new(RefCell::new(entries.into_iter().collect())))
    }

    /// Returns a map of texts.
    pub(crate) fn text_map(entries: impl IntoIterator<Item = (String, String)>) -> Self {
        let entries = entries.into_iter().map(|(key, value)| (key, Self::Text(value)));
        Self::Map(Items::Text, Rc::new(RefCell::new(entries.collect())))
    }

    /// Reads a JSON value as Go does without a type: every number is a float.
    pub(crate) fn of_json(json: &Json) -> Self {
        match json {
            Json::Null => Self::Nil,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => Self::Float(number.as_f64().unwrap_or_default()),
            Json::String(text) => Self::text(text),
            Json::Array(list) => Self::list(list.iter().map(Self::of_json).collect()),
            Json::Object(map) => Self::map(map.iter().map(|(key, value)| (key.clone(), Self::of_json(value)))),
        }
    }

    /// Returns the value as JSON, as Go writes it; `None` for a number that JSON lacks.
    pub(crate) fn to_json(&self) -> Option<Json> {
        Some(match self {
            Self::Missing | Self::Nil => Json::Null,
            Self::Bool(value) => (*value).into(),
            Self::Int(_, number) => (*number).into(),
            Self::Float(number) => json_number(*number)?,
            Self::Text(text) => text.as_str().into(),
            Self::List(Items::Map | Items::Joined, items) if items.is_empty() => Json::Null,
            Self::List(_, items) => Json::Array(items.iter().map(Self::to_json).collect::<Option<_>>()?),
            Self::Map(_, entries) => {
                let entries = entries.borrow();
                let entries = entries.iter().map(|(key, value)| Some((key.clone(), value.to_json()?)));
                Json::Object(entries.collect::<Option<_>>()?)
            }
        })
    }

    /// Returns a copy that shares nothing.
    pub(crate) fn deep_copy(&self) -> Self {
        match self {
            Self::List(of, items) => Self::List(*of, Rc::new(items.iter().map(Self::deep_copy).collect())),
            Self::Map(of, entries) => {
                let entries = entries.borrow();
                let copies = entries.iter().map(|(key, value)| (key.clone(), value.deep_copy()));
                Self::Map(*of, Rc::new(RefCell::new(copies.collect())))
            }
            other => other.clone(),
        }
    }

    /// Reports whether `if` takes the value for true; also what `empty` denies.
    pub(crate) fn is_true(&self) -> bool {
        match self {
            Self::Missing | Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Int(_, number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::List(_, items) => !items.is_empty(),
            Self::Map(_, entries) => !entries.borrow().is_empty(),
        }
    }

    /// Returns the name of the Go type, as `%T` prints it.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Missing | Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(Integer::Int, _) => "int",
            Self::Int(Integer::Int64, _) => "int64",
            Self::Int(Integer::Byte, _) => "uint8",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::List(Items::Any | Items::Joined, _) => "[]interface {}",
            Self::List(Items::Text, _) => "[]string",
            Self::List(Items::Int, _) => "[]int",
            Self::List(Items::List, _) => "[][]interface {}",
            Self::List(Items::Map, _) => "[]map[string]interface {}",
            Self::Map(Items::Text, _) => "map[string]string",
            Self::Map(..) => "map[string]interface {}",
        }
    }
}

impl Items {
    /// Returns Go's zero value of an item.
    pub(crate) fn zero(self) -> Value {
        match self {
            Self::Any | Self::Joined => Value::Nil,
            Self::Text => Value::text(""),
            Self::Int => Value::int(0),
            Self::List => Value::list(Vec::new()),
            Self::Map => Value::map([]),
        }
    }
}

/// Returns a float as a JSON number: a whole one without a fraction, as Go writes it.
fn json_number(number: f64) -> Option<Json> {
    /// Above it not every whole number is a float.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT && (number != 0.0 || number.is_sign_positive()) {
        return Some((number as i64).into());
    }
    serde_json::Number::from_f64(number).map(Json::Number)
}
