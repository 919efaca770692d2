//! Generators: from a set's `spec.generators` to sets of parameters.

mod clusters;
mod combined;
mod fill;
mod git;
mod list;
mod outside;

use serde_json::{Map, Value as Json};

use super::selector::{Selector, flattened};
use super::template::{Fault, MissingKey, Value};
use super::text::Language;
use super::{Contents, Reason};
use crate::model::{PointerBuf, PointerExt};
use crate::repo::RepoPath;

use fill::fill;

/// What all generators of a set see.
pub(super) struct Context<'c> {
    pub(super) contents: &'c dyn Contents,
    pub(super) language: Language,
    /// The set's name.
    pub(super) set: &'c str,
    pub(super) spec: &'c Json,
}

/// A generator, or an entry of a list of them, and where it is in the set.
type Placed<'g> = (&'g Json, &'g PointerBuf);

/// Parameters of one Application.
#[derive(Clone, Debug)]
pub(super) struct ParameterSet {
    pub(super) values: Value,
    /// The folders and files that they come from.
    pub(super) origins: Vec<RepoPath>,
    /// The places in the set that they come from; none for the whole generator.
    pub(super) places: Vec<PointerBuf>,
}

/// What one generator gives, with its template.
pub(super) struct Transformed {
    pub(super) sets: Vec<ParameterSet>,
    pub(super) template: Map<String, Json>,
}

/// The kinds of generators, in Argo CD's order.
const KINDS: [&str; 9] = [
    "list",
    "clusters",
    "git",
    "scmProvider",
    "clusterDecisionResource",
    "pullRequest",
    "matrix",
    "merge",
    "plugin",
];

impl ParameterSet {
    fn new(values: impl IntoIterator<Item = (String, Value)>) -> Self {
        Self {
            values: Value::map(values),
            origins: Vec::new(),
            places: Vec::new(),
        }
    }

    /// Reports whether there is no parameter.
    pub(super) fn is_empty(&self) -> bool {
        !self.values.is_true()
    }
}

impl Context<'_> {
    /// Runs an entry of a list of generators; `outer` are the parameters of the generator that it depends on.
    pub(super) fn transform(
        &self,
        (entry, place): Placed<'_>,
        base: &Map<String, Json>,
        outer: Option<&ParameterSet>,
    ) -> Result<Vec<Transformed>, Reason> {
        let selector = match &entry["selector"] {
            Json::Null => None,
            selector => Some(Selector::new(selector)?),
        };
        let kinds: Vec<&'static str> = KINDS.into_iter().filter(|kind| !entry[*kind].is_null()).collect();
        if kinds.is_empty() {
            return Err(Reason::invalid("an entry of `generators` has no generator"));
        }
        let rendered = match outer.filter(|outer| !outer.is_empty()) {
            Some(outer) => &self.interpolated(entry, outer)?,
            None => entry,
        };
        let mut results = Vec::new();
        for kind in kinds {
            let mut template = entry[kind]["template"].as_object().cloned().unwrap_or_default();
            fill(&mut template, base);
            let place = place.child(kind);
            let mut sets = self.generate(kind, (&rendered[kind], &place))?;
            for set in sets.iter_mut().filter(|set| set.places.is_empty()) {
                set.places.push(place.clone());
            }
            if let Some(selector) = &selector {
                sets.retain(|set| selector.matches(&flattened(&set.values)));
            }
            results.push(Transformed { sets, template });
        }
        Ok(results)
    }

    fn generate(&self, kind: &'static str, (generator, place): Placed<'_>) -> Result<Vec<ParameterSet>, Reason> {
        match kind {
            "list" => self.list(generator, place),
            "clusters" => self.clusters(generator),
            "git" => self.git(generator),
            "matrix" => self.matrix(generator, place),
            "merge" => self.merge(generator, place),
            kind => self.outside(kind, generator),
        }
    }

    /// Runs a generator inside of another one: exactly one.
    fn nested(&self, entry: Placed<'_>, outer: Option<&ParameterSet>) -> Result<Vec<ParameterSet>, Reason> {
        let mut results = self.transform(entry, &Map::new(), outer)?;
        match (results.pop(), results.is_empty()) {
            (Some(result), true) => Ok(result.sets),
            _ => Err(Reason::invalid("an entry of `generators` has several generators")),
        }
    }

    /// Renders the templates of a generator with the parameters of the one that it depends on.
    fn interpolated(&self, entry: &Json, outer: &ParameterSet) -> Result<Json, Reason> {
        let mut entry = entry.clone();
        let kept = self.kept_values(&mut entry, outer)?;
        let mut rendered = self.language.render_all(&entry, &outer.values, "generators")?;
        for (pointer, values) in kept {
            if let Some(slot) = rendered.pointer_mut(&pointer).and_then(Json::as_object_mut) {
                slot.insert("values".to_owned(), values);
            }
        }
        Ok(rendered)
    }

    /// Takes the `values` of generators out, and renders them as far as their parameters are known already.
    fn kept_values(&self, entry: &mut Json, outer: &ParameterSet) -> Result<Vec<(String, Json)>, Reason> {
        let mut places: Vec<String> = KINDS.iter().map(|kind| format!("/{kind}")).collect();
        for kind in ["matrix", "merge"] {
            let count = entry[kind]["generators"].as_array().map_or(0, Vec::len);
            for index in 0..count {
                places.extend(
                    KINDS[..6]
                        .iter()
                        .map(|inner| format!("/{kind}/generators/{index}/{inner}")),
                );
                places.push(format!("/{kind}/generators/{index}/plugin"));
            }
        }
        places.retain(|place| !place.ends_with("/list"));
        let mut kept = Vec::new();
        for place in places {
            let Some(generator) = entry.pointer_mut(&place).and_then(Json::as_object_mut) else {
                continue;
            };
            if let Some(Json::Object(values)) = generator.remove("values") {
                kept.push((place, Json::Object(self.known_values(values, outer)?)));
            }
        }
        Ok(kept)
    }

    fn known_values(&self, mut values: Map<String, Json>, outer: &ParameterSet) -> Result<Map<String, Json>, Reason> {
        let language = match self.language {
            Language::Fast | Language::Go(MissingKey::Unknown) => self.language,
            Language::Go(_) => Language::Go(MissingKey::Error),
        };
        for value in values.values_mut() {
            let Json::String(text) = value else { continue };
            match language.render(text, &outer.values) {
                Ok(rendered) => *text = rendered,
                Err(Fault::MissingKey(_)) => {}
                Err(fault) => return Err(Reason::of("values", fault)),
            }
        }
        Ok(values)
    }

    /// Adds the `values` of a generator to parameters, which they may use.
    fn add_values(&self, values: &Json, set: &ParameterSet) -> Result<(), Reason> {
        let mut rendered = Vec::new();
        for (key, text) in values.as_object().into_iter().flatten() {
            let text = self.language.render(text.as_str().unwrap_or_default(), &set.values);
            rendered.push((
                key.clone(),
                text.map_err(|fault| Reason::of(&format!("values.{key}"), fault))?,
            ));
        }
        self.add_texts(rendered, set);
        Ok(())
    }

    /// Adds texts to parameters as their `values`.
    fn add_texts(&self, texts: Vec<(String, String)>, set: &ParameterSet) {
        let Value::Map(_, entries) = &set.values else { return };
        if texts.is_empty() {
            return;
        }
        let mut entries = entries.borrow_mut();
        match self.language {
            Language::Go(_) => {
                entries.insert("values".to_owned(), Value::text_map(texts));
            }
            Language::Fast => {
                let texts = texts.into_iter();
                entries.extend(texts.map(|(key, text)| (format!("values.{key}"), Value::Text(text))));
            }
        }
    }
}

/// Returns the URLs of git generators, those inside of others included.
pub(super) fn repositories(spec: &Json) -> Vec<&str> {
    let entries = spec["generators"].as_array().into_iter().flatten();
    let urls = entries.flat_map(|entry| {
        let inner = ["matrix", "merge"]
            .into_iter()
            .flat_map(|kind| repositories(&entry[kind]));
        entry["git"]["repoURL"].as_str().into_iter().chain(inner)
    });
    urls.collect()
}

/// Returns the kinds of generators, with those inside of others.
pub(super) fn described(spec: &Json) -> Vec<String> {
    let entries = spec["generators"].as_array().into_iter().flatten();
    let kinds = entries.flat_map(|entry| {
        KINDS
            .into_iter()
            .filter(|kind| !entry[*kind].is_null())
            .map(|kind| match described(&entry[kind]) {
                inner if inner.is_empty() => kind.to_owned(),
                inner => format!("{kind}({})", inner.join(", ")),
            })
    });
    kinds.collect()
}
