//! From the plugin's form to Argo CD's: the chart is a source, and this repository another one with a `ref`.

use serde_json::{Map, Value, json};

use super::super::ConversionBuilder;
use super::Field;
use crate::model::chart_reference::OF_CHART;
use crate::model::native::{Returned, Unsupported};
use crate::model::{ChartReference, Pointer, PointerBuf, PointerExt, Source};
use crate::repo::RepoPath;
use crate::yaml::{Goal, ReplaceEntry};

/// The name for the source with the values, where it is not taken.
const NAME: &str = "values";

/// A source as it is for Argo CD's own Helm.
pub(in crate::edit) struct Back {
    /// The fields that change, in the places of others: the name of the old one, and the new one.
    pub(in crate::edit) fields: Vec<(&'static str, Field)>,
    /// Fields that are new.
    pub(in crate::edit) added: Vec<Field>,
    /// The source that the values come from; `None` where no file is taken, or there is one.
    pub(in crate::edit) values: Option<Value>,
    /// The name of that source.
    name: String,
    /// The folder of the plugin's source.
    folder: RepoPath,
}

/// Turns a source of the plugin back; `None` for one without the parameter `chart`. `all` are the sources of its Application.
///
/// # Errors
/// When its parameters or its path cannot be read.
pub(in crate::edit) fn back(source: &Source<'_>, all: &[Source<'_>]) -> Result<Option<Back>, Unsupported> {
    if source.chart().is_some() || source.pulled_chart().is_none() {
        return Ok(None);
    }
    let wrong = |why: String| Unsupported {
        pointer: source.at(&["plugin"]),
        why,
        hint: "correct it first".to_owned(),
    };
    let parameters = source.parameters().map_err(|errors| {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        wrong(errors.join("; "))
    })?;
    let folder = RepoPath::new(source.path().unwrap_or(".")).map_err(|error| wrong(error.to_string()))?;
    let Some(chart) = parameters.chart else { return Ok(None) };
    let files = parameters
        .values_files
        .iter()
        .chain(parameters.helm_file_parameters.values());
    let takes_files = files
        .into_iter()
        .any(|file| !file.starts_with(OF_CHART) && !file.contains("://"));
    let is_it = |other: &&Source<'_>| {
        other.gives_files_only()
            && other.repo_url() == source.repo_url()
            && other.target_revision() == source.target_revision()
    };
    let there = all.iter().find(is_it).and_then(Source::reference);
    let name = there.map_or_else(|| free_name(all), str::to_owned);
    let mut back = of_chart(source, &chart);
    back.values = (takes_files && there.is_none()).then(|| values(source, &name));
    back.name = name;
    back.folder = folder;
    Ok(Some(back))
}

/// Returns the fields of a source with the chart.
fn of_chart(source: &Source<'_>, chart: &ChartReference) -> Back {
    let (url, place): (String, Field) = match chart.is_in_registry() {
        true => {
            let repository = chart.repository.trim_end_matches('/');
            (format!("{repository}/{}", chart.name), ("path", json!(".")))
        }
        false => (chart.repository.clone(), ("chart", json!(chart.name))),
    };
    let mut back = Back {
        fields: vec![("repoURL", ("repoURL", json!(url))), ("path", place)],
        added: Vec::new(),
        values: None,
        name: String::new(),
        folder: RepoPath::root(),
    };
    let revision: Field = ("targetRevision", json!(chart.version));
    match source.tree().get("targetRevision") {
        Some(_) => back.fields.push(("targetRevision", revision)),
        None => back.added.push(revision),
    }
    back
}

/// Returns the source that the values come from.
fn values(source: &Source<'_>, name: &str) -> Value {
    let mut values = Map::new();
    values.insert("repoURL".to_owned(), json!(source.repo_url()));
    if let Some(revision) = source.revision() {
        values.insert("targetRevision".to_owned(), json!(revision));
    }
    values.insert("ref".to_owned(), json!(name));
    Value::Object(values)
}

fn free_name(all: &[Source<'_>]) -> String {
    let is_taken = |name: &str| all.iter().any(|source| source.reference() == Some(name));
    let mut names = std::iter::once(NAME.to_owned()).chain((2..).map(|number| format!("{NAME}{number}")));
    names.find(|name| !is_taken(name)).unwrap_or_default()
}

/// Replaces the only source of an Application by two: the chart, and the values.
pub(in crate::edit::convert) fn replace_source(
    source: &Source<'_>,
    values: &Back,
    returned: &Returned,
    builder: &mut ConversionBuilder<'_>,
) -> Result<(), Unsupported> {
    let mut chart = Map::new();
    for (name, value) in source.tree().as_object().into_iter().flatten() {
        let changed = values.fields.iter().find(|(old, _)| old == name);
        match changed {
            Some((_, (new, value))) => drop(chart.insert((*new).to_owned(), value.clone())),
            None if name == "plugin" => chart.extend(returned.blocks.clone()),
            None => drop(chart.insert(name.clone(), value.clone())),
        }
    }
    chart.extend(
        values
            .added
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone())),
    );
    let list = std::iter::once(Value::Object(chart)).chain(values.values.clone());
    let first = |pointer: &Pointer| PointerBuf::new().child(0).concat(pointer);
    let below = |(from, to): &(PointerBuf, PointerBuf)| Some((from.below(&source.pointer)?.to_buf(), first(to)));
    let plugin = PointerBuf::from_tokens(["plugin"]);
    let own = [
        (PointerBuf::new(), PointerBuf::new()),
        (plugin, PointerBuf::from_tokens(["helm"])),
    ];
    let own = own.into_iter().map(|(from, to)| (from, first(&to)));
    let places = own.chain(returned.places.iter().filter_map(below));
    builder.replace_entry(ReplaceEntry {
        pointer: source.pointer.clone(),
        key: "sources".to_owned(),
        value: list.collect(),
        comments: places.map(|(from, to)| (from, Goal::At(to))).collect(),
        texts: returned.texts.iter().filter_map(below).collect(),
    })
}

impl Back {
    /// Reports whether the only source of an Application becomes one of several.
    pub(in crate::edit) fn makes_sources(&self, source: &Source<'_>) -> bool {
        self.values.is_some() && source.pointer == "/spec/source"
    }

    /// Gives the files in the options the names that they have for Argo CD.
    pub(in crate::edit) fn rename(&self, returned: &mut Returned) {
        let Some(helm) = returned.blocks.get_mut("helm") else {
            return;
        };
        let mut changed = Vec::new();
        for (option, field) in [("valueFiles", None), ("fileParameters", Some("path"))] {
            let list = helm.get_mut(option).and_then(Value::as_array_mut);
            for (index, entry) in list.into_iter().flatten().enumerate() {
                let place = PointerBuf::from_tokens(["helm", option]).child(index);
                let (place, value) = match field {
                    Some(field) => (place.child(field), entry.get_mut(field)),
                    None => (place, Some(entry)),
                };
                let Some(value) = value else { continue };
                let renamed = value.as_str().map(|name| self.name(name));
                if let Some(renamed) = renamed.filter(|renamed| value.as_str() != Some(renamed)) {
                    *value = json!(renamed);
                    changed.push(place);
                }
            }
        }
        returned.texts.retain(|(_, to)| !changed.contains(to));
    }

    /// Returns the name of a file for Argo CD.
    fn name(&self, name: &str) -> String {
        if let Some(inside) = name.strip_prefix(OF_CHART) {
            return inside.trim_start_matches('/').to_owned();
        }
        if name.contains("://") {
            return name.to_owned();
        }
        let path = match name.strip_prefix('/') {
            Some(from_root) => from_root.to_owned(),
            None if self.folder.is_root() => name.to_owned(),
            None => format!("{}/{name}", self.folder.as_str()),
        };
        format!("${}/{path}", self.name)
    }
}
