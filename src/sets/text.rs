//! The two template languages of sets, and templates in all strings of a tree.

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

    /// Renders all strings and all keys of a tree. Entries that are null are dropped.
    pub(super) fn render_all(self, tree: &Json, parameters: &Value, place: &str) -> Result<Json, Reason> {
        let render = |text: &str| self.render(text, parameters).map_err(|fault| Reason::of(place, fault));
        Ok(match tree {
            Json::String(text) => Json::String(render(text)?),
            Json::Array(list) => {
                let items = list
                    .iter()
                    .enumerate()
                    .map(|(index, item)| self.render_all(item, parameters, &format!("{place}[{index}]")));
                Json::Array(items.collect::<Result<_, _>>()?)
            }
            Json::Object(map) => {
                let mut out = Map::new();
                for (key, value) in map.iter().filter(|(_, value)| !value.is_null()) {
                    let below = if place.is_empty() {
                        key.clone()
                    } else {
                        format!("{place}.{key}")
                    };
                    let value = self.render_all(value, parameters, &below)?;
                    let key = self
                        .render(key, parameters)
                        .map_err(|fault| Reason::of(&below, fault))?;
                    if out.insert(key, value).is_some() {
                        return Err(Reason::unsupported(format!("two keys that become one in `{place}`")));
                    }
                }
                Json::Object(out)
            }
            other => other.clone(),
        })
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
