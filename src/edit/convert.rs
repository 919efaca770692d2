//! `convert`: moves a source from Argo CD's own Helm, Kustomize or directory renderer to the plugin with all its options, and
//! back.
//!
//! ```text
//! to_plugin    helm:, directory: → plugin:      guard  sync options that keep everything while it moves
//! to_native    plugin: → helm:, directory:      plan   what one run does: the move, or the next of three steps
//! choices      what the user chose
//! random       what differs between two native renders, too
//! moving       what moves in one piece            steps  the guards before and after the move
//! step_before  what has to be committed before the next of three steps
//! by_file      an Application that a set generates: a file in its folder
//! unwritten    an Application that nobody writes: by a file, or by the value of a chart
//! application  one Application, moved in memory, rendered before and after, and compared
//! set          an ApplicationSet: its template, and all Applications that it generates
//! taken_files  new files that a set would make Applications of
//! template     a set's template as an Application that is written in the set
//! shared       the claims that all Applications of a set own, for its template
//! values_in_git  a chart with its values in this repository: two sources of Argo CD, one of the plugin
//! ```

mod application;
mod by_file;
mod choices;
pub(super) mod guard;
mod moving;
mod plan;
mod random;
mod refusal;
mod set;
mod shared;
mod step_before;
pub(super) mod steps;
mod taken_files;
pub(super) mod template;
mod to_native;
mod to_plugin;
mod unwritten;
mod values_in_git;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, anyhow};
use json_patch::PatchOperation;
use serde_json::Value;

use crate::failure::HintExt;
use crate::lock::Part;
use crate::model::native::Unsupported;
use crate::model::{AppName, Application, ClaimPath, Pointer, PointerBuf, PointerExt, Source};
use crate::repo::{Change, ChangeSet, Manifest, Repo, RepoPath};
use crate::rules::fixes;
use crate::rules::lock_is_current::is_on;
use crate::yaml::{self, ReplaceEntry};

pub(in crate::edit) use by_file::to_plugin_by_file;
pub use choices::{Choices, ClaimOf, Target, Which};
pub use plan::{Plan, Stage, plan};
pub use refusal::Refusal;
pub use step_before::StepBefore;
pub use to_native::to_native;
pub use to_plugin::{rendered_claims, to_plugin};

/// A request to convert sources of one Application.
#[derive(Clone, Debug)]
pub struct Request {
    /// The Application.
    pub app: AppName,
    /// The positions of its sources, counted from 1 as in Argo CD; empty for all.
    pub positions: BTreeSet<usize>,
    /// Claims for the parameter `owns`.
    pub owns: BTreeSet<ClaimPath>,
    /// Claims for the parameter `writes`.
    pub writes: BTreeSet<ClaimPath>,
    /// Paths outside the source that the render reads, from the repository's root.
    pub reads: Vec<RepoPath>,
    /// Whether the claims in `owns` may lose their guards in a conversion to native.
    pub drop_owns: bool,
    /// What is converted is the template of a set: its entries of `owns` and `writes`, which may be templates. Its values
    /// are checked in the Applications that it gives.
    pub template: Option<TemplateClaims>,
    /// The newest versions that fit the ranges of charts, by the places of their sources, where they are known.
    pub newest: BTreeMap<PointerBuf, String>,
    /// Whether the sources stay that nobody takes files from any more.
    pub keeps_references: bool,
    /// Whether templates get the label by which the lock knows whose they are: it is on for writes.
    pub stamps: bool,
}

/// The claims in the template of a set, as they are written there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateClaims {
    /// The entries of `owns`.
    pub owns: Vec<String>,
    /// The entries of `writes`.
    pub writes: Vec<String>,
}

/// The changes that convert an Application.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conversion {
    /// The changes.
    pub changes: ChangeSet,
    /// Notes on options that are left out and comments that are lost.
    pub notes: Vec<String>,
}

impl Request {
    /// Returns a request for all sources of an Application of a repository, without other options.
    pub fn new(repo: &Repo, app: AppName) -> Self {
        Self {
            app,
            positions: BTreeSet::new(),
            owns: BTreeSet::new(),
            writes: BTreeSet::new(),
            reads: Vec::new(),
            drop_owns: false,
            template: None,
            newest: BTreeMap::new(),
            keeps_references: false,
            stamps: is_on(repo, Part::Writes),
        }
    }

    /// Returns the entries of `owns` and `writes` that the sources shall have.
    fn claims(&self) -> [(&'static str, Vec<String>); 2] {
        let texts = |claims: &BTreeSet<ClaimPath>| claims.iter().map(ToString::to_string).collect();
        match &self.template {
            Some(template) => [("owns", template.owns.clone()), ("writes", template.writes.clone())],
            None => [("owns", texts(&self.owns)), ("writes", texts(&self.writes))],
        }
    }
}

/// Returns an error that names everything unsupported with its place.
pub fn error(repo: &Repo, manifest: &Manifest, unsupported: &[Unsupported]) -> anyhow::Error {
    let kind = match template::is_template(manifest) {
        true => "ApplicationSet",
        false => "Application",
    };
    let mut places = unsupported
        .iter()
        .rev()
        .map(|unsupported| place(repo, manifest, unsupported));
    let mut error = anyhow!(places.next().unwrap_or_default());
    for place in places {
        error = error.context(place);
    }
    error = error.context(format!("{kind} `{}` cannot be converted", manifest.object.name()));
    for one in unsupported {
        error = error.hint(one.hint.clone());
    }
    error
}

/// Returns what is unsupported as one line with its place: `applications/x.yaml:12:9: …`.
pub fn place(repo: &Repo, manifest: &Manifest, unsupported: &Unsupported) -> String {
    let place = repo.place(manifest, &unsupported.pointer);
    let (line, column) = (place.position.line, place.position.column);
    format!("{}:{line}:{column}: {}", place.file, unsupported.why)
}

/// Returns the selected sources: those at the positions, or all. A source that only provides files for others is never
/// selected.
fn meant<'o>(app: &Application<'o>, request: &Request) -> Result<Vec<Source<'o>>, Vec<Unsupported>> {
    let sources = app.sources();
    if sources.is_empty() {
        return Err(vec![Unsupported {
            pointer: Pointer::from_static("/spec").to_buf(),
            why: "it has neither `source` nor `sources`".to_owned(),
            hint: "leave it as it is; the plugin renders sources".to_owned(),
        }]);
    }
    if let Some(position) = request
        .positions
        .iter()
        .find(|position| **position == 0 || **position > sources.len())
    {
        return Err(vec![Unsupported {
            pointer: Pointer::from_static("/spec").to_buf(),
            why: format!("there is no source {position}"),
            hint: format!("the sources are numbered from 1 to {}", sources.len()),
        }]);
    }
    let is_meant = |position: usize| request.positions.is_empty() || request.positions.contains(&position);
    let numbered = (1..).zip(sources);
    Ok(numbered
        .filter(|(position, source)| is_meant(*position) && !source.gives_files_only())
        .map(|(_, source)| source)
        .collect())
}

/// A manifest that is being converted, with the changes made so far.
struct ConversionBuilder<'r> {
    repo: &'r Repo,
    manifest: &'r Manifest,
    done: Conversion,
}

impl<'r> ConversionBuilder<'r> {
    fn new(repo: &'r Repo, manifest: &'r Manifest) -> Self {
        Self {
            repo,
            manifest,
            done: Conversion::default(),
        }
    }

    /// Returns the manifest's text.
    fn text(&self) -> &'r str {
        self.repo.files[&self.manifest.file].document(self.manifest.document)
    }

    /// Returns the number of a line in the file, from 1, for the number of a line in the text.
    fn line(&self, line: usize) -> usize {
        line + self.repo.files[&self.manifest.file].documents[self.manifest.document].line - 1
    }

    /// Replaces a block of a source by another one, or returns why the text does not allow it.
    fn replace_entry(&mut self, replacement: ReplaceEntry) -> Result<(), Unsupported> {
        let pointer = replacement.pointer;
        let replacement = ReplaceEntry {
            pointer: self.manifest.in_document(&pointer),
            ..replacement
        };
        let replaced = yaml::replace_entry(self.text(), &replacement).map_err(|error| Unsupported {
            pointer,
            why: format!("the text cannot be edited: {}", error.below(self.line(0))),
            hint: "write the source out without anchors and aliases".to_owned(),
        })?;
        self.say_lost(&replaced.lost);
        self.done.changes.changes.push(Change::ReplaceEntry {
            path: self.manifest.file.clone(),
            document: self.manifest.document,
            replacement,
        });
        Ok(())
    }

    /// Gives a field of a source another name or value, or returns why the text does not allow it. Comments about the old one
    /// are lost, and noted.
    fn replace_field(
        &mut self,
        source: &Source<'_>,
        old: &str,
        new: &(&'static str, Value),
    ) -> Result<(), Unsupported> {
        let pointer = source.at(&[old]);
        if old == new.0 && source.value(&pointer) == Some(&new.1) {
            return Ok(());
        }
        self.replace_entry(ReplaceEntry {
            pointer,
            key: new.0.to_owned(),
            value: new.1.clone(),
            comments: Vec::new(),
            texts: Vec::new(),
        })
    }

    /// Removes sources that only gave files to others, and the `ref` of those that render something.
    fn remove_unused(&mut self, unused: &[(PointerBuf, bool)]) {
        for (pointer, is_whole) in unused {
            match is_whole {
                true => self.remove(pointer),
                false => self.remove(&pointer.child("ref")),
            }
        }
    }

    /// Removes an entry of a source, and notes the comments that are lost with it.
    fn remove(&mut self, pointer: &Pointer) {
        self.say_lost(&yaml::comment_lines(self.text(), &self.manifest.in_document(pointer)));
        self.patch(vec![fixes::remove(pointer)]);
    }

    /// Notes which comments are lost: nothing is lost silently.
    fn say_lost(&mut self, lines: &[usize]) {
        for line in lines {
            let (file, line) = (&self.manifest.file, self.line(*line));
            let note = format!("{file}:{line}: the comment has no place in the new source and is lost");
            self.done.notes.push(note);
        }
    }

    /// Operations on the manifest, where there are any.
    fn patch(&mut self, operations: Vec<PatchOperation>) {
        if !operations.is_empty() {
            let changes = fixes::patch(self.manifest, operations);
            self.done.changes.changes.extend(changes.changes);
        }
    }
}

/// Returns a pointer into a list of parameters, shifted by the number of parameters that are inserted before it.
fn shifted(place: &Pointer, by: usize) -> PointerBuf {
    let parameters = Pointer::from_static("/parameters");
    let Some((index, below)) = place.split_front() else {
        return parameters.to_buf();
    };
    let index = index.decoded().parse::<usize>().unwrap_or_default() + by;
    parameters.child(index).concat(below)
}

/// Sorts the keys of all maps, as Argo CD prints an object.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            let sorted_map = keys.into_iter().map(|key| (key.clone(), sorted(&map[key]))).collect();
            Value::Object(sorted_map)
        }
        Value::Array(list) => Value::Array(list.iter().map(sorted).collect()),
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests;
