//! A chart whose values are in this repository. Argo CD has two sources for it: one with the chart, and one with a `ref`, whose
//! files the first one names as `$values/…`. No plugin gets the files of another source, so that it is turned round for the
//! plugin: the source is the folder with the values, and the chart stands in the parameters.
//!
//! Everything here works on values as they are written, so that the template of a set is turned like an Application:
//! expressions in it are parts of names.

mod back;
mod newest;
mod refused;

use serde_json::{Value, json};

use super::ConversionBuilder;
use crate::model::chart_reference::OF_CHART;
use crate::model::native::{Moved, Unsupported, reference};
use crate::model::{ChartReference, Pointer, PointerBuf, PointerExt, Source};
use crate::repo::RepoPath;
use crate::rules::fixes;

pub(super) use back::{Back, back, replace_source};
pub(super) use newest::newest;

/// The parameters that a source of Argo CD's own Helm has fields for.
pub(super) const PARAMETERS: [&str; 3] = ["chart", "chart-repo", "chart-version"];

/// What is known of this repository.
pub(in crate::edit) struct Here<'h> {
    /// Reports whether an address is that of this repository.
    pub(in crate::edit) is_own: &'h dyn Fn(&str) -> bool,
    /// Reports whether there is a folder.
    pub(in crate::edit) has_folder: &'h dyn Fn(&RepoPath) -> bool,
    /// Returns the newest version that fits the range of a source, where it is known.
    pub(in crate::edit) newest: &'h dyn Fn(&Source<'_>) -> Option<String>,
}

/// The name and the value of a field.
type Field = (&'static str, Value);

/// A source as it is for the plugin.
#[derive(Debug, PartialEq)]
pub(in crate::edit) struct Turned {
    /// The fields that change, in the places of others: the name of the old one, and the new one.
    pub(in crate::edit) fields: Vec<(&'static str, Field)>,
    /// Fields that are new.
    pub(in crate::edit) added: Vec<Field>,
    /// Fields that go.
    pub(in crate::edit) removed: Vec<&'static str>,
    /// The parameters of the chart; none for a chart of this repository.
    pub(in crate::edit) parameters: Vec<Value>,
    /// The folder of the source; `None` where it stays.
    folder: Option<String>,
    /// Whether the chart is pulled, so that its own files have names of their own.
    is_pulled: bool,
}

/// Turns a source that takes files of other ones round; `None` for one that takes none. `all` are the sources of its
/// Application.
///
/// # Errors
/// Everything that has no form for the plugin, with its place.
pub(in crate::edit) fn turned(
    source: &Source<'_>,
    all: &[Source<'_>],
    here: &Here<'_>,
) -> Result<Option<Turned>, Vec<Unsupported>> {
    let files = files(source);
    let of_others = || {
        files
            .iter()
            .filter_map(|(pointer, file)| Some((pointer, *file, reference(file)?)))
    };
    let named: Vec<_> = of_others().filter(|(.., name)| is_reference(name, all)).collect();
    if named.is_empty() {
        return Ok(None);
    }
    let values = refused::values(&named, all, here)?;
    let is_values = |pointer: &Pointer| pointer.as_str().contains("/valueFiles/");
    let of_values = named.iter().any(|(pointer, ..)| is_values(pointer));
    let files = named.iter().filter(|(pointer, ..)| !of_values || is_values(pointer));
    let folder = folder(files.map(|(_, file, _)| *file), here);
    if source.chart().is_none() && !source.is_versioned() {
        refused::chart_elsewhere(source, here)?;
        return Ok(Some(Turned {
            fields: Vec::new(),
            added: Vec::new(),
            removed: Vec::new(),
            parameters: Vec::new(),
            folder: None,
            is_pulled: false,
        }));
    }
    let chart = refused::chart(source, here)?;
    Ok(Some(pulled(source, &values, &chart, folder)))
}

/// Turns a source with a chart that is pulled round.
fn pulled(source: &Source<'_>, values: &Source<'_>, chart: &ChartReference, folder: String) -> Turned {
    let text = |name: &str, text: &str| json!({"name": name, "string": text});
    let mut turned = Turned {
        fields: vec![("repoURL", ("repoURL", json!(values.repo_url())))],
        added: Vec::new(),
        removed: Vec::new(),
        parameters: vec![
            text("chart", &chart.name),
            text("chart-repo", &chart.repository),
            text("chart-version", &chart.version),
        ],
        folder: Some(folder.clone()),
        is_pulled: true,
    };
    let has = |field: &str| source.tree().get(field).is_some();
    let path: Field = ("path", json!(folder));
    match (has("chart"), has("path")) {
        (true, true) => {
            turned.removed.push("chart");
            turned.fields.push(("path", path));
        }
        (true, false) => turned.fields.push(("chart", path)),
        (false, true) => turned.fields.push(("path", path)),
        (false, false) => turned.added.push(path),
    }
    match values.revision() {
        Some(revision) => turned
            .fields
            .push(("targetRevision", ("targetRevision", json!(revision)))),
        None => turned.removed.push("targetRevision"),
    }
    turned
}

impl Turned {
    /// Returns the folder of the source, where it is another one than before.
    pub(in crate::edit) fn path(&self) -> Option<RepoPath> {
        RepoPath::new(self.folder.as_deref()?).ok()
    }

    /// Gives the files in the parameters the names that they have for the plugin.
    pub(in crate::edit) fn rename(&self, moved: &mut Moved) {
        let mut changed = Vec::new();
        for (index, parameter) in moved.parameters.iter_mut().enumerate() {
            let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
            let field = match name {
                "values-files" => "array",
                "helm-file-parameters" => "map",
                _ => continue,
            };
            let place = PointerBuf::from(index).child(field);
            let entries: Vec<(PointerBuf, &mut Value)> = match parameter.get_mut(field) {
                Some(Value::Array(list)) => (0..)
                    .zip(list)
                    .map(|(at, value): (usize, _)| (place.child(at), value))
                    .collect(),
                Some(Value::Object(map)) => map
                    .iter_mut()
                    .map(|(key, value)| (place.child(key.as_str()), value))
                    .collect(),
                _ => continue,
            };
            for (place, value) in entries {
                let Some(name) = value.as_str() else { continue };
                let renamed = self.name(name);
                if renamed != name {
                    *value = json!(renamed);
                    changed.push(place);
                }
            }
        }
        // A changed text has quotes of its own.
        moved.texts.retain(|(_, to)| !changed.contains(to));
    }

    /// Returns the name of a file for the plugin.
    fn name(&self, name: &str) -> String {
        if reference(name).is_none() {
            return match self.is_pulled && !name.contains("://") {
                true => format!("{OF_CHART}{}", name.trim_start_matches('/')),
                false => name.to_owned(),
            };
        }
        let path = name.split_once('/').map_or("", |(_, path)| path);
        let below = match self.folder.as_deref() {
            Some(".") => Some(path),
            Some(folder) => path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')),
            None => None,
        };
        // What looks like an address, a variable or the root would be read as that.
        let is_plain = |below: &&str| !below.is_empty() && !below.contains(':') && !below.starts_with(['/', '$']);
        below.filter(is_plain).map_or_else(|| format!("/{path}"), str::to_owned)
    }
}

/// Returns the files that a source names, with their places.
fn files<'o>(source: &Source<'o>) -> Vec<(PointerBuf, &'o str)> {
    let list = |option: &str| {
        let list = source.helm().and_then(|helm| helm.get(option)?.as_array());
        list.into_iter().flatten().enumerate()
    };
    let at = |option: &str, index: usize| source.at(&["helm", option]).child(index);
    let values = list("valueFiles").filter_map(|(index, file)| Some((at("valueFiles", index), file.as_str()?)));
    let parameters = list("fileParameters").filter_map(|(index, entry)| {
        let file = entry.get("path")?.as_str()?;
        Some((at("fileParameters", index).child("path"), file))
    });
    values.chain(parameters).collect()
}

/// Reports whether a name is that of a source. A variable of Argo CD is none, unless a source is called so.
fn is_reference(name: &str, all: &[Source<'_>]) -> bool {
    all.iter().any(|source| source.reference() == Some(name)) || !name.starts_with("ARGOCD_APP_") && all.len() > 1
}

/// Returns the folder of the last of the files that is in one; it is the most special. A part of its path that Argo CD would not
/// read in the `path` of a source ends it: a glob, a variable.
fn folder<'f>(files: impl DoubleEndedIterator<Item = &'f str>, here: &Here<'_>) -> String {
    let folders = files.rev().filter_map(|file| {
        let parts = parts(file);
        let folder = parts.get(1..parts.len().checked_sub(1)?)?;
        let is_fixed = |part: &&&str| {
            !part.is_empty() && **part != ".." && !part.contains(['*', '?', '[', '$']) || part.contains("{{")
        };
        let fixed: Vec<&str> = folder.iter().take_while(is_fixed).copied().collect();
        there(&fixed, here)
    });
    let mut folders = folders;
    folders.next().unwrap_or_else(|| ".".to_owned())
}

/// Returns the path of a folder, or of the next one above it that is there. Nobody knows that of a template.
fn there(parts: &[&str], here: &Here<'_>) -> Option<String> {
    (1..=parts.len()).rev().find_map(|count| {
        let path = parts[..count].join("/");
        let is_there = path.contains("{{") || RepoPath::new(&path).is_ok_and(|path| (here.has_folder)(&path));
        is_there.then_some(path)
    })
}

/// Takes a path apart at its slashes, but not in an expression of a template.
fn parts(path: &str) -> Vec<&str> {
    let (mut parts, mut start, mut at) = (Vec::new(), 0, 0);
    while let Some(c) = path[at..].chars().next() {
        if path[at..].starts_with("{{") {
            at = path[at..].find("}}").map_or(path.len(), |end| at + end + 2);
            continue;
        }
        if c == '/' {
            parts.push(&path[start..at]);
            start = at + 1;
        }
        at += c.len_utf8();
    }
    parts.push(&path[start..]);
    parts
}

/// Returns the places of the sources that nobody takes files from any more when those at the given places are turned, and
/// whether each of them goes whole: one that renders something itself only loses its `ref`.
pub(in crate::edit) fn unused(all: &[Source<'_>], turned: &[PointerBuf]) -> Vec<(PointerBuf, bool)> {
    let is_turned = |source: &Source<'_>| turned.contains(&source.pointer);
    let names = |source: &Source<'_>| -> Vec<String> {
        let files = files(source);
        files
            .iter()
            .filter_map(|(_, file)| reference(file))
            .map(str::to_owned)
            .collect()
    };
    let were: Vec<String> = all.iter().filter(|source| is_turned(source)).flat_map(names).collect();
    let left: Vec<String> = all.iter().filter(|source| !is_turned(source)).flat_map(names).collect();
    let is_unused = |source: &&Source<'_>| {
        let name = source.reference().unwrap_or_default().to_owned();
        were.contains(&name) && !left.contains(&name)
    };
    let unused = all.iter().filter(is_unused);
    let mut unused: Vec<_> = unused
        .map(|source| (source.pointer.clone(), source.gives_files_only()))
        .collect();
    // A list is shortened from its end.
    unused.reverse();
    unused
}

/// Returns the place of a field that a source may lack.
fn place(source: &Source<'_>, field: &str) -> PointerBuf {
    let pointer = source.at(&[field]);
    let is_there = source.value(&pointer).is_some();
    if is_there {
        pointer
    } else {
        Pointer::to_buf(&source.pointer)
    }
}

/// Changes the fields of a source that is turned round.
///
/// # Errors
/// When a field cannot be written.
pub(super) fn turn(
    source: &Source<'_>,
    values: &Turned,
    builder: &mut ConversionBuilder<'_>,
) -> Result<(), Vec<Unsupported>> {
    for (old, new) in &values.fields {
        match source.tree().get(*old) {
            Some(_) => builder
                .replace_field(source, old, new)
                .map_err(|unsupported| vec![unsupported])?,
            None => builder.patch(vec![fixes::add(source.at(&[new.0]), new.1.clone())]),
        }
    }
    for (name, value) in &values.added {
        builder.patch(vec![fixes::add(source.at(&[name]), value.clone())]);
    }
    for name in values.removed.iter().filter(|name| source.tree().get(**name).is_some()) {
        builder.remove(&source.at(&[name]));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
