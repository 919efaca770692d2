//! `convert`: a source that Argo CD's own Helm or folder reader renders, moved to the plugin with all its options, and
//! back.
//!
//! ```text
//! to_plugin    helm:, directory: → plugin:      guard  sync options that keep everything while it moves
//! to_native    plugin: → helm:, directory:      plan   what one run does: the move, or the next of three steps
//! choices      what the user chose
//! application  one Application, moved in memory, rendered before and after, and compared
//! ```

mod application;
mod choices;
mod guard;
mod plan;
mod to_native;
mod to_plugin;

use std::collections::BTreeSet;

use anyhow::{Result, anyhow};
use json_patch::PatchOperation;
use serde_json::Value;

use crate::failure::HintExt;
use crate::model::native::Unsupported;
use crate::model::{AppName, Application, ClaimName, Pointer, PointerBuf, PointerExt, Source};
use crate::repo::{Change, ChangeSet, Manifest, Repo, RepoPath};
use crate::rules::fixes;
use crate::yaml::{self, ReplaceEntry};

pub use application::Refusal;
pub use choices::{Choices, ClaimOf, Target, Which};
pub use plan::{Plan, plan};
pub use to_native::to_native;
pub use to_plugin::{rendered_claims, to_plugin};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The Application.
    pub app: AppName,
    /// Which of its sources, from 1, as Argo CD counts them; all when empty.
    pub positions: BTreeSet<usize>,
    /// Claims for the parameter `owns`.
    pub owns: BTreeSet<ClaimName>,
    /// Claims for the parameter `writes`.
    pub writes: BTreeSet<ClaimName>,
    /// Paths besides the source's own that the render reads, from the repository's root.
    pub reads: Vec<RepoPath>,
    /// On the way back: the claims in `owns` may lose their guards.
    pub drop_owns: bool,
}

/// What moves an Application.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conversion {
    /// The changes.
    pub changes: ChangeSet,
    /// What is left out, and which comments are lost.
    pub notes: Vec<String>,
}

impl Request {
    /// A request for all sources of an Application, with nothing else asked for.
    pub fn new(app: AppName) -> Self {
        Self {
            app,
            positions: BTreeSet::new(),
            owns: BTreeSet::new(),
            writes: BTreeSet::new(),
            reads: Vec::new(),
            drop_owns: false,
        }
    }
}

/// Returns an error that names everything unsupported with its place.
pub fn error(repo: &Repo, manifest: &Manifest, unsupported: &[Unsupported]) -> anyhow::Error {
    let mut places = unsupported
        .iter()
        .rev()
        .map(|unsupported| place(repo, manifest, unsupported));
    let mut error = anyhow!(places.next().unwrap_or_default());
    for place in places {
        error = error.context(place);
    }
    error = error.context(format!("Application `{}` cannot be converted", manifest.object.name()));
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

/// The sources that are meant: those at the positions, all when none is named; sources that only give their files to
/// others are never meant.
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

/// A manifest on its way, and what was done to it.
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

    /// The manifest's text.
    fn text(&self) -> &'r str {
        self.repo.files[&self.manifest.file].document(self.manifest.document)
    }

    /// The line of the file, from 1, in which a line of the text stands.
    fn line(&self, line: usize) -> usize {
        line + self.repo.files[&self.manifest.file].documents[self.manifest.document].line - 1
    }

    /// A block of a source for another, or the reason why the text refuses that.
    fn replace_entry(&mut self, replacement: ReplaceEntry) -> Result<(), Unsupported> {
        let replaced = yaml::replace_entry(self.text(), &replacement).map_err(|error| Unsupported {
            pointer: replacement.pointer.clone(),
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

    /// An entry of a source that goes, with its comments said.
    fn remove(&mut self, pointer: &Pointer) {
        self.say_lost(&yaml::comment_lines(self.text(), pointer));
        self.patch(vec![fixes::remove(pointer)]);
    }

    /// Says which comments are lost; nothing is lost silently.
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

/// A pointer below a list of parameters, moved down by some that come before.
fn shifted(place: &Pointer, by: usize) -> PointerBuf {
    let parameters = Pointer::from_static("/parameters");
    let Some((index, below)) = place.split_front() else {
        return parameters.to_buf();
    };
    let index = index.decoded().parse::<usize>().unwrap_or_default() + by;
    parameters.child(index).concat(below)
}

/// The keys of all maps in order, as Argo CD prints an object.
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
