//! The two template languages of sets, and templates in all strings of a tree.

use std::fmt;

use serde_json::{Map, Value as Json};

use super::Reason;
use super::template::{self, Fault, MissingKey, Value};

/// A template language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    /// `{{name}}` alone ([source](https://github.com/valyala/fasttemplate)).
    Fast,
    /// Go's templates, with what a missing key gives.
    Go(MissingKey),
}

impl Language {
    /// Reports whether templates are Go's.
    pub(super) fn is_go(self) -> bool {
        self != Self::Fast
    }

    /// Renders a text.
    pub(super) fn render(self, text: &str, parameters: &Value) -> Result<String, Fault> {
        match self {
            Self::Fast => replaced(text, parameters),
            Self::Go(missing) => template::render(text, parameters, missing),
        }
    }

    /// Renders all strings and all keys of a tree that is at a place. Entries that are null are dropped.
    pub(super) fn render_all(self, tree: &Json, parameters: &Value, place: &str) -> Result<Json, Reason> {
        self.render_below(tree, parameters, Place::Top(place))
    }

    fn render_below(self, tree: &Json, parameters: &Value, place: Place<'_>) -> Result<Json, Reason> {
        let render = |text: &str, place: Place<'_>| {
            let rendered = self.render(text, parameters);
            rendered.map_err(|fault| Reason::of(&place.to_string(), fault))
        };
        Ok(match tree {
            Json::String(text) => Json::String(render(text, place)?),
            Json::Array(list) => {
                let items = list.iter().enumerate();
                let items = items.map(|(index, item)| self.render_below(item, parameters, Place::Item(&place, index)));
                Json::Array(items.collect::<Result<_, _>>()?)
            }
            Json::Object(map) => {
                let mut out = Map::new();
                for (key, value) in map.iter().filter(|(_, value)| !value.is_null()) {
                    let below = Place::Key(&place, key);
                    let value = self.render_below(value, parameters, below)?;
                    if out.insert(render(key, below)?, value).is_some() {
                        return Err(Reason::unsupported(format!("two keys that become one in `{place}`")));
                    }
                }
                Json::Object(out)
            }
            other => other.clone(),
        })
    }
}

/// A place in a tree.
#[derive(Clone, Copy)]
enum Place<'p> {
    Top(&'p str),
    Key(&'p Place<'p>, &'p str),
    Item(&'p Place<'p>, usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Top(place) => f.write_str(place),
            Self::Key(Self::Top(""), key) => f.write_str(key),
            Self::Key(above, key) => write!(f, "{above}.{key}"),
            Self::Item(above, index) => write!(f, "{above}[{index}]"),
        }
    }
}

/// Replaces the tags whose parameters are texts; others stay.
fn replaced(text: &str, parameters: &Value) -> Result<String, Fault> {
    let is_template = text
        .split('\n')
        .any(|line| line.find("{{").is_some_and(|open| line[open + 2..].contains("}}")));
    let Value::Map(_, entries) = parameters else {
        return Ok(text.to_owned());
    };
    if !is_template {
        return Ok(text.to_owned());
    }
    let (entries, mut out, mut rest) = (entries.borrow(), String::new(), text);
    while let Some((before, tagged)) = rest.split_once("{{") {
        out.push_str(before);
        let Some((tag, after)) = tagged.split_once("}}") else {
            return Err(Fault::invalid("a `{{` has no `}}`"));
        };
        match entries.get(tag.trim()) {
            Some(Value::Text(value)) if !tag.trim().is_empty() => out.push_str(value),
            _ => {
                out.push_str("{{");
                out.push_str(tag);
                out.push_str("}}");
            }
        }
        rest = after;
    }
    Ok(out + rest)
}
