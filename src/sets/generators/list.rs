//! The list generator.

use serde_json::Value as Json;

use super::super::Reason;
use super::super::template::Value;
use super::{Context, ParameterSet};
use crate::model::{PointerBuf, PointerExt};
use crate::yaml;

impl Context<'_> {
    /// Returns the elements of a list.
    pub(super) fn list(&self, generator: &Json, place: &PointerBuf) -> Result<Vec<ParameterSet>, Reason> {
        let mut sets = Vec::new();
        let elements = generator["elements"].as_array().into_iter().flatten();
        for (index, element) in elements.enumerate() {
            let Json::Object(map) = element else {
                return Err(Reason::invalid("an element of a list is not a map"));
            };
            let mut set = match self.language.is_go() {
                true => ParameterSet::new(map.iter().map(|(key, value)| (key.clone(), Value::of_json(value)))),
                false => plain(map)?,
            };
            set.places.push(place.child("elements").child(index));
            sets.push(set);
        }
        let text = generator["elementsYaml"].as_str().unwrap_or_default();
        if !text.is_empty() {
            let read = yaml::raw_value(text);
            let elements = read.map_err(|error| Reason::invalid(format!("`elementsYaml` is not YAML: {error}")))?;
            let wrong = || Reason::invalid("`elementsYaml` is not a list of maps");
            let elements = match elements {
                None | Some(Json::Null) => Vec::new(),
                Some(Json::Array(elements)) => elements,
                Some(_) => return Err(wrong()),
            };
            for element in elements {
                let mut set = match element {
                    Json::Object(map) => {
                        ParameterSet::new(map.iter().map(|(key, value)| (key.clone(), Value::of_json(value))))
                    }
                    Json::Null => ParameterSet::new([]),
                    _ => return Err(wrong()),
                };
                set.places.push(place.child("elementsYaml"));
                sets.push(set);
            }
        }
        Ok(sets)
    }
}

/// Reads an element of which only texts count.
fn plain(map: &serde_json::Map<String, Json>) -> Result<ParameterSet, Reason> {
    let text = |key: &str, value: &Json| {
        let text = value.as_str().map(Value::text);
        text.ok_or_else(|| {
            Reason::invalid(format!(
                "`{key}` of an element is not a string; `goTemplate: true` allows other values"
            ))
        })
    };
    let mut values = Vec::new();
    for (key, value) in map {
        match value {
            Json::Object(inner) if key == "values" => {
                for (key, value) in inner {
                    values.push((format!("values.{key}"), text(key, value)?));
                }
            }
            value => values.push((key.clone(), text(key, value)?)),
        }
    }
    Ok(ParameterSet::new(values))
}
