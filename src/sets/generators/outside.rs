//! The generators that need a server: what somebody has said that they give.

use serde_json::{Map, Value as Json};

use super::super::Reason;
use super::super::selector::flattened;
use super::super::template::Value;
use super::{Context, ParameterSet};
use crate::model::settings::GeneratorOutput;

impl Context<'_> {
    /// Returns what was said that a generator gives.
    pub(super) fn outside(&self, kind: &'static str, generator: &Json) -> Result<Vec<ParameterSet>, Reason> {
        let mut sets = Vec::new();
        for map in self.output(kind)? {
            let mut values = Value::of_json(&Json::Object(map.clone()));
            if !self.language.is_go() {
                let flat = flattened(&values).into_iter();
                values = Value::map(flat.map(|(key, text)| (key, Value::Text(text))));
            }
            let set = ParameterSet {
                values,
                ..ParameterSet::new([])
            };
            match kind {
                // Argo CD renders no template in these.
                "clusterDecisionResource" => self.add_texts(texts(&generator["values"]), &set),
                _ => self.add_values(&generator["values"], &set)?,
            }
            sets.push(set);
        }
        Ok(sets)
    }

    /// Returns the sets of parameters that belong to a generator of this kind.
    fn output(&self, kind: &'static str) -> Result<&[Map<String, Json>], Reason> {
        let of_set = || {
            self.contents
                .generator_outputs()
                .iter()
                .filter(|output| output.set == self.set)
        };
        let of_kind = of_set().find(|output| output.generator.as_deref() == Some(kind));
        let given = of_kind.or_else(|| of_set().find(|output| output.generator.is_none()));
        let Some(given) = given else {
            return Err(Reason::Outside { generator: kind });
        };
        let kinds: &[&str] = match of_kind {
            Some(_) => &[kind],
            None => &GeneratorOutput::KINDS,
        };
        match count(self.spec, kinds) {
            0 | 1 => Ok(&given.parameters),
            _ => Err(Reason::unsupported(format!(
                "one list of parameters for several generators `{}`",
                kinds.join("`, `")
            ))),
        }
    }
}

fn texts(map: &Json) -> Vec<(String, String)> {
    let entries = map.as_object().into_iter().flatten();
    entries
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

/// Counts the generators of these kinds, also inside of others.
fn count(generator: &Json, kinds: &[&str]) -> usize {
    let entries = generator["generators"].as_array().into_iter().flatten();
    let of_entry = |entry: &Json| {
        let own = kinds.iter().filter(|kind| !entry[**kind].is_null()).count();
        own + count(&entry["matrix"], kinds) + count(&entry["merge"], kinds)
    };
    entries.map(of_entry).sum()
}
