//! A chart as far as it says which values it knows: its defaults, its templates, its dependencies.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde_json::{Map, Value};

use super::references::References;
use crate::repo::{Entry, Files, RepoPath};
use crate::yaml;

/// A chart.
#[derive(Debug, Default)]
pub(super) struct Chart {
    /// The values of `values.yaml`.
    pub(super) defaults: Map<String, Value>,
    /// What its templates read, and what its metadata name.
    pub(super) references: References,
    /// The charts in it, by the names that their values have; `None` for one that is not there.
    pub(super) parts: BTreeMap<String, Option<Chart>>,
    /// Whether it has a schema of its own, which helm holds the values against.
    has_schema: bool,
    is_library: bool,
    /// The templates that it defines, those of the charts in it included.
    defined: BTreeSet<String>,
    /// The templates that it uses.
    included: BTreeSet<String>,
}

/// The most bytes of a file that is read: a larger one is no template.
const MOST_BYTES: usize = 1 << 20;
/// How deep charts are in charts.
const MOST_DEPTH: usize = 5;

impl Chart {
    /// Reads a chart; `None` where nothing can be said of its values.
    pub(super) fn read(files: &dyn Files, folder: &RepoPath) -> Result<Option<Self>> {
        let chart = Self::read_in(files, folder, 0)?;
        Ok(chart.filter(|chart| !chart.has_schema))
    }

    fn read_in(files: &dyn Files, folder: &RepoPath, depth: usize) -> Result<Option<Self>> {
        let Some(metadata) = document(files, &folder.join("Chart.yaml")?)? else {
            return Ok(None);
        };
        let mut chart = Self {
            is_library: metadata.get("type").and_then(Value::as_str) == Some("library"),
            has_schema: files.read(&folder.join("values.schema.json")?)?.is_some(),
            ..Self::default()
        };
        if let Some(text) = text(files, &folder.join("values.yaml")?)? {
            chart.references.read(&text);
            chart.defaults = map(&text).unwrap_or_default();
        }
        chart.read_templates(files, folder)?;
        if depth < MOST_DEPTH {
            chart.read_parts(files, folder, &metadata, depth)?;
        }
        // A template of a chart that is not here gets all values.
        if !chart.included.is_subset(&chart.defined) {
            chart.references.add(Vec::new());
        }
        Ok(Some(chart))
    }

    /// Adds what the files of the chart read, but for those of charts in it.
    fn read_templates(&mut self, files: &dyn Files, folder: &RepoPath) -> Result<()> {
        for path in walk(files, folder)? {
            let Some(text) = text(files, &path)? else { continue };
            self.references.read(&text);
            self.defined.extend(names(&text, &["define ", "block "]));
            self.included.extend(names(&text, &["include ", "template "]));
        }
        Ok(())
    }

    fn read_parts(&mut self, files: &dyn Files, folder: &RepoPath, metadata: &Value, depth: usize) -> Result<()> {
        let mut found = BTreeMap::new();
        for entry in files.list(&folder.join("charts")?)?.unwrap_or_default() {
            let path = folder.join("charts")?.join(&entry.name)?;
            if let Some(chart) = Self::read_in(files, &path, depth + 1)? {
                self.defined.extend(chart.defined.iter().cloned());
                if chart.is_library {
                    self.references.extend(&chart.references);
                }
                found.insert(entry.name.clone(), chart);
            }
        }
        let dependencies = metadata.get("dependencies").and_then(Value::as_array);
        for dependency in dependencies.into_iter().flatten() {
            let text = |key: &str| dependency.get(key).and_then(Value::as_str);
            let Some(name) = text("name") else { continue };
            // What is imported stands among the chart's own values.
            if dependency.get("import-values").is_some() {
                self.references.add(Vec::new());
            }
            for condition in text("condition").into_iter().flat_map(|paths| paths.split(',')) {
                self.references
                    .add(condition.trim().split('.').map(str::to_owned).collect());
            }
            let part = found.remove(name);
            self.parts.insert(text("alias").unwrap_or(name).to_owned(), part);
        }
        self.parts
            .extend(found.into_iter().map(|(name, chart)| (name, Some(chart))));
        Ok(())
    }

    /// Reports whether it checks its values by itself.
    pub(super) fn has_schema(&self) -> bool {
        self.has_schema
    }
}

/// Returns the map that a text is.
pub(super) fn map(text: &str) -> Option<Map<String, Value>> {
    match yaml::value(text) {
        Ok(Some(Value::Object(map))) => Some(map),
        _ => None,
    }
}

fn document(files: &dyn Files, path: &RepoPath) -> Result<Option<Value>> {
    Ok(text(files, path)?.and_then(|text| map(&text)).map(Value::Object))
}

fn text(files: &dyn Files, path: &RepoPath) -> Result<Option<String>> {
    let bytes = files.read(path)?.filter(|bytes| bytes.len() <= MOST_BYTES);
    Ok(bytes.and_then(|bytes| String::from_utf8(bytes).ok()))
}

/// Returns the files of a chart that may be templates.
fn walk(files: &dyn Files, folder: &RepoPath) -> Result<Vec<RepoPath>> {
    let (mut found, mut open) = (Vec::new(), vec![folder.clone()]);
    while let Some(at) = open.pop() {
        for Entry { name, is_folder, .. } in files.list(&at)?.unwrap_or_default() {
            let path = at.join(&name)?;
            let is_top = at == *folder;
            let is_text =
                name.ends_with(".md") || is_top && matches!(name.as_str(), "Chart.yaml" | "Chart.lock" | "LICENSE");
            let is_apart = is_top && matches!(name.as_str(), "charts" | "crds" | ".git");
            match is_folder {
                true => open.extend((!is_apart).then_some(path)),
                false => found.extend((!is_text).then_some(path)),
            }
        }
    }
    Ok(found)
}

/// Returns the names in quotes that follow one of these words.
fn names(text: &str, words: &[&str]) -> Vec<String> {
    let of = |word: &&str| {
        let found = text.match_indices(*word).filter_map(|(at, word)| {
            let rest = text[at + word.len()..].trim_start().strip_prefix('"')?;
            Some(rest.split_once('"')?.0.to_owned())
        });
        found.collect::<Vec<_>>()
    };
    words.iter().flat_map(of).collect()
}
