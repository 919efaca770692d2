//! Finds the values of an Application that its chart does not know: it has no default for them, and no template reads them.
//!
//! A chart may read values in ways that nobody sees from outside, and then nothing is said: where it hands all of them on
//! (`toYaml .Values`, a library that is not here), where it has a schema, which helm checks itself, and below a map that a template
//! takes as a whole.

mod chart;
mod references;

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::{Map, Value};

use super::trees::{Tree, Trees};
use super::value_files::{self, Place};
use super::{Request, SourceType, source_type};
use crate::model::spelling::nearest;
use crate::model::unknown_value::{CheckedValues, UnknownValue};
use crate::model::{PointerBuf, PointerExt};
use crate::repo::RepoPath;
use crate::yaml::{self, Locator};
use chart::{Chart, map};

/// Values of a user.
struct Given {
    /// The file, as messages name it; `None` for the Application itself.
    file: Option<String>,
    text: String,
    values: Map<String, Value>,
}

/// Returns the values that the chart of a request does not know.
///
/// # Errors
/// When a file of the chart cannot be read, or a value file is not there.
pub fn unknown_values<'f>(request: &Request, trees: impl Into<Trees<'f>>) -> Result<CheckedValues> {
    let trees = trees.into();
    if trees.chart.is_none() && source_type(request, trees.source)? != SourceType::Helm {
        return Ok(CheckedValues::default());
    }
    let (tree, folder) = trees.chart(request);
    let Some(files) = trees.files(&tree) else {
        return Ok(CheckedValues::default());
    };
    let given = given(request, trees)?;
    let mut checked = CheckedValues {
        files: given.iter().filter_map(|given| given.file.clone()).collect(),
        ..CheckedValues::default()
    };
    let Some(mut chart) = Chart::read(files, &folder)? else {
        return Ok(checked);
    };
    for one in &given {
        // The user's own texts may be templates, too.
        chart.references.read(&one.text);
    }
    for one in &given {
        let is_anchored = is_anchored(&one.text);
        let mut found = Vec::new();
        below(&chart, (&[], &one.values), &mut found);
        found.retain(|(path, meant)| path.len() > 1 || meant.is_some() || !is_anchored);
        checked
            .unknown
            .extend(found.into_iter().map(|found| unknown(one, found)));
    }
    // The values of a chart that brings others along are the user's, too.
    if tree == Tree::Source && !chart.parts.is_empty() {
        checked.unknown.extend(own(trees, &folder, &mut chart)?);
    }
    Ok(checked)
}

fn unknown(given: &Given, (path, meant): Found) -> UnknownValue {
    UnknownValue {
        line: given.file.as_ref().and_then(|_| line(&given.text, &path)),
        path: path.join("."),
        file: given.file.clone(),
        meant,
    }
}

/// Returns the values of a request: those of its files, its own, and single ones.
fn given(request: &Request, trees: Trees<'_>) -> Result<Vec<Given>> {
    let mut all = Vec::new();
    for place in value_files::of(request, trees)?.places {
        // The values that the chart itself offers are its own.
        let Place::File(tree, path) = place else { continue };
        if tree == Tree::Chart || tree == Tree::Source && trees.chart.is_none() && path == default_values(request)? {
            continue;
        }
        let bytes = trees.read(&tree, &path)?.unwrap_or_default();
        all.extend(of_text(
            Some(path.to_string()),
            String::from_utf8_lossy(&bytes).into_owned(),
        ));
    }
    all.extend(request.parameters.values.clone().and_then(|text| of_text(None, text)));
    let lists = [
        &request.parameters.helm_parameters,
        &request.parameters.helm_string_parameters,
    ];
    for name in lists.into_iter().flat_map(|list| list.keys()) {
        all.extend(of_name(name));
    }
    Ok(all)
}

fn default_values(request: &Request) -> Result<RepoPath> {
    request.source_path.join("values.yaml")
}

fn of_text(file: Option<String>, text: String) -> Option<Given> {
    let values = map(&text)?;
    Some(Given { file, text, values })
}

/// Returns the value of a name, as `--set` takes it: `a.b[0].c`.
fn of_name(name: &str) -> Option<Given> {
    let end = name.find(['[', '\\', '{']).unwrap_or(name.len());
    let mut value = Value::Null;
    for key in name[..end].trim_end_matches('.').rsplit('.') {
        value = Value::Object(Map::from_iter([(key.to_owned(), value)]));
    }
    let Value::Object(values) = value else { return None };
    Some(Given {
        file: None,
        text: String::new(),
        values,
    })
}

/// Returns what is unknown in the chart's own file of values: below the names of the charts in it, and beside them what was meant
/// for one of them. Another value that no template reads is of no use, and does no harm.
fn own(trees: Trees<'_>, folder: &RepoPath, chart: &mut Chart) -> Result<Vec<UnknownValue>> {
    let path = folder.join("values.yaml")?;
    let bytes = trees.read(&Tree::Source, &path)?.unwrap_or_default();
    let Some(given) = of_text(Some(path.to_string()), String::from_utf8_lossy(&bytes).into_owned()) else {
        return Ok(Vec::new());
    };
    chart.defaults = Map::new();
    let mut found = Vec::new();
    below(chart, (&[], &given.values), &mut found);
    let parts = || {
        chart
            .parts
            .iter()
            .filter_map(|(name, part)| Some((name, part.as_ref()?)))
    };
    let lifted = |key: &String| {
        let mut knowing = parts().filter(|(_, part)| part.defaults.contains_key(key));
        let first = knowing.next()?;
        knowing.next().is_none().then(|| format!("{}.{key}", first.0))
    };
    let meant = |(path, meant): Found| match &path[..] {
        [key] => {
            let meant = meant.or_else(|| lifted(key))?;
            Some((path, Some(meant)))
        }
        _ => Some((path, meant)),
    };
    Ok(found
        .into_iter()
        .filter_map(meant)
        .map(|found| unknown(&given, found))
        .collect())
}

/// A path, and the one that is meant.
type Found = (Vec<String>, Option<String>);

/// Notes the values below a path that a chart does not know; of a whole map that it does not know, the map.
fn below(chart: &Chart, (path, values): (&[String], &Map<String, Value>), found: &mut Vec<Found>) {
    for (key, value) in values {
        let whole = [path, std::slice::from_ref(key)].concat();
        if path.is_empty()
            && let Some(part) = chart.parts.get(key)
        {
            found.extend(of_part(chart, (key, part.as_ref()), value));
            continue;
        }
        if is_apart(path, key) || chart.references.is_read_whole(&whole) {
            continue;
        }
        match (at(&chart.defaults, &whole), value) {
            // A map without defaults is for keys of any name.
            (Some(Value::Object(known)), Value::Object(values)) if !known.is_empty() => {
                below(chart, (&whole, values), found);
            }
            (Some(_), _) => {}
            (None, Value::Object(values)) if chart.references.has(&whole) => below(chart, (&whole, values), found),
            (None, _) if chart.references.has(&whole) => {}
            (None, _) => {
                let meant = meant(chart, path, key);
                found.push((whole, meant));
            }
        }
    }
}

/// Returns the values of a chart inside a chart that neither knows.
fn of_part(chart: &Chart, (name, part): (&String, Option<&Chart>), value: &Value) -> Vec<Found> {
    let (Some(part), Value::Object(values)) = (part.filter(|part| !part.has_schema()), value) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    below(part, (&[], values), &mut found);
    let whole = |path: Vec<String>| [std::slice::from_ref(name), &path[..]].concat();
    let found = found
        .into_iter()
        .map(|(path, meant)| (whole(path), meant.map(|meant| format!("{name}.{meant}"))));
    found
        .filter(|(path, _)| !chart.references.has(path) && at(&chart.defaults, path).is_none())
        .collect()
}

/// Reports whether a key is nobody's value: `global`, and what people keep anchors below.
fn is_apart(path: &[String], key: &str) -> bool {
    path.is_empty() && (matches!(key, "global" | "tags") || key.starts_with(['_', '.']) || key.starts_with("x-"))
}

fn at<'v>(values: &'v Map<String, Value>, path: &[String]) -> Option<&'v Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(values.get(first)?, |value, key| value.get(key))
}

/// Returns the path that one most likely means, of those that the chart knows beside it.
fn meant(chart: &Chart, path: &[String], key: &str) -> Option<String> {
    let defaults = match path {
        [] => Some(&chart.defaults),
        path => at(&chart.defaults, path).and_then(Value::as_object),
    };
    let known = defaults.into_iter().flat_map(|map| map.keys()).map(String::as_str);
    let parts = chart.parts.keys().map(String::as_str).filter(|_| path.is_empty());
    let known: BTreeSet<&str> = known.chain(parts).chain(chart.references.keys_below(path)).collect();
    let meant = nearest(key, known)?;
    Some([path, &[meant.to_owned()]].concat().join("."))
}

/// Reports whether a text has anchors: a key that nobody knows may be there for them.
fn is_anchored(text: &str) -> bool {
    let marks = text.match_indices('&');
    marks
        .into_iter()
        .any(|(at, _)| text[..at].ends_with([' ', '-', ':']) && text[at + 1..].starts_with(char::is_alphanumeric))
}

/// Returns the line of a value in its file.
fn line(text: &str, path: &[String]) -> Option<usize> {
    let tree = yaml::Tree::parse(text).ok()?;
    let pointer = path
        .iter()
        .fold(PointerBuf::new(), |pointer, key| pointer.child(key.as_str()));
    let span = Locator::new(&tree).locate(&pointer)?;
    Some(yaml::position(text, span.key.unwrap_or(span.value).start).line)
}

#[cfg(test)]
mod tests;
