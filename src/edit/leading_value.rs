//! The value of a chart of Applications that leads to one of the Applications it renders. It is found by trying: a value is
//! changed in a copy of the repository, and it is the right one if exactly what is wanted of exactly this Application changes.

mod documents;
mod removal;
mod renaming;
mod template;

use anyhow::{Result, anyhow};
use json_patch::{Patch, PatchOperation};
use serde_json::Value;

use crate::edit::Renders;
use crate::model::tool::TOOLS;
use crate::model::{Application, Object, Pointer, PointerBuf, PointerExt};
use crate::repo::{ChangeSet, Files, Manifest, Origin, Rendered, Repo, RepoPath};
use crate::rules::fixes;
use crate::yaml;

use documents::Document;
pub use removal::without;
pub use renaming::renamed;

/// How many values are tried; each costs a render of the chart.
const MOST_TRIES: usize = 24;

/// The change of a value that makes of an Application what is wanted.
#[derive(Clone, Debug)]
pub struct Led {
    /// The change.
    pub changes: ChangeSet,
    /// Where the value is, and which comments are lost with what is replaced.
    pub notes: Vec<String>,
    /// The Application as it is rendered then.
    pub rendered: Manifest,
}

/// A change of a value that may be the right one.
struct Try<'d> {
    document: &'d Document,
    /// The value.
    pointer: PointerBuf,
    operations: Vec<PatchOperation>,
    /// The key that the value gets afterwards.
    key: Option<String>,
}

/// Finds the value that leads to a rendered Application, and changes it so that the Application is as wanted.
///
/// # Errors
/// When there is no such value: it names the template where the change has to be made.
pub fn find(repo: &Repo, renders: &dyn Renders, manifest: &Manifest, wanted: &Object) -> Result<Led> {
    let search = Search {
        tries,
        what: "leads to it",
        nothing: "no value of it alone leads to what has to change",
    };
    search.led(repo, renders, (manifest, wanted))
}

/// A way of searching for a value.
struct Search {
    /// The changes of a document that may be the right ones for an Application and what is wanted of it, the likeliest first.
    tries: for<'d> fn(&'d Document, &Object, &Object) -> Vec<Try<'d>>,
    /// What the value does, for a note.
    what: &'static str,
    /// What is said where there is none.
    nothing: &'static str,
}

impl Search {
    /// Returns the first change after which an Application is as wanted, and nothing else has changed.
    fn led(&self, repo: &Repo, renders: &dyn Renders, (manifest, wanted): (&Manifest, &Object)) -> Result<Led> {
        let rendered = rendered(manifest)?;
        let documents = documents::of(repo, renders.files(), rendered);
        let before = renders.desired(&[])?;
        let tries = documents
            .iter()
            .flat_map(|document| (self.tries)(document, &manifest.object, wanted));
        let is_right = |after: &[Manifest]| is_only(&before, after, manifest, wanted);
        match first(repo, renders, tries, is_right) {
            Some((found, changes)) => Ok(found.led(changes, self.what, (manifest, wanted))),
            None => Err(template::nothing(
                (repo, renders.files()),
                (rendered, manifest.object.name()),
                self.nothing,
            )),
        }
    }
}

/// Returns what renders an Application.
fn rendered(manifest: &Manifest) -> Result<&Rendered> {
    match &manifest.origin {
        Origin::Rendered(rendered) => Ok(rendered),
        _ => {
            manifest.check_editable()?;
            Err(anyhow!("it is written in `{}`", manifest.file))
        }
    }
}

/// Returns the first change after which what is wanted comes out, of as many as are tried.
fn first<'d>(
    repo: &Repo,
    renders: &dyn Renders,
    tries: impl Iterator<Item = Try<'d>>,
    is_right: impl Fn(&[Manifest]) -> bool,
) -> Option<(Try<'d>, ChangeSet)> {
    for one in tries.take(MOST_TRIES) {
        let changes = one.changes();
        let Ok(files) = repo.file_changes(&changes) else {
            continue;
        };
        if renders.desired(&files).is_ok_and(|after| is_right(&after)) {
            return Some((one, changes));
        }
    }
    None
}

/// Returns where a rendered Application is written, as a next step.
pub fn place(repo: &Repo, files: &dyn Files, rendered: &Rendered, name: &str) -> String {
    template::hint(repo, files, rendered, name)
}

/// Returns the places of the sources of a rendered Application in templates of this repository.
pub fn places(repo: &Repo, files: &dyn Files, rendered: &Rendered, name: &str) -> Vec<String> {
    template::places_of(repo, files, rendered, name)
}

/// Returns the files that decide what is rendered: those of the chart, and its values.
///
/// # Errors
/// When they cannot be listed.
pub fn files(repo: &Repo, files: &dyn Files, rendered: &Rendered) -> Result<Vec<RepoPath>> {
    let mut all = files.all()?;
    let chart = template::chart(repo, rendered);
    let documents = documents::of(repo, files, rendered);
    let is_values = |file: &RepoPath| documents.iter().any(|document| document.file() == file);
    all.retain(|file| is_values(file) || chart.as_ref().is_some_and(|chart| file.is_in(chart)));
    Ok(all)
}

/// Reports whether exactly one Application is another one, and it is as wanted.
fn is_only(before: &[Manifest], after: &[Manifest], manifest: &Manifest, wanted: &Object) -> bool {
    let is = |other: &Manifest, object: &Object| {
        other.object.reference() == object.reference()
            && (&other.file, other.document) == (&manifest.file, manifest.document)
    };
    let tree = |object: &Object| object.tree().clone();
    let others = |all: &[Manifest], object: &Object| -> Vec<(String, Value)> {
        let others = all.iter().filter(|other| !is(other, object));
        // What is rendered stands at the place of its parent, which a change of inline values does not move.
        others
            .map(|other| (other.file.to_string(), tree(&other.object)))
            .collect()
    };
    let mut found = after.iter().filter(|other| is(other, wanted));
    let (Some(one), None) = (found.next(), found.next()) else {
        return false;
    };
    one.object.tree() == wanted.tree() && others(before, &manifest.object) == others(after, wanted)
}

/// Returns the changes of a document that may lead to an Application, the likeliest first.
fn tries<'d>(document: &'d Document, app: &Object, wanted: &Object) -> Vec<Try<'d>> {
    let mut values = Vec::new();
    walk(&document.tree, PointerBuf::new(), &mut values);
    let candidate = |pointer: &Pointer, wanted: Value| {
        let old = document.tree.pointer(pointer.as_str())?;
        let operations = fixes::below(pointer, json_patch::diff(old, &wanted).0);
        (!operations.is_empty()).then(|| Try {
            document,
            pointer: pointer.to_buf(),
            operations,
            key: None,
        })
    };
    let mut found = Vec::new();
    for place in changed_places(app, wanted) {
        let (Some(old), Some(new)) = (app.at(&place), wanted.at(&place)) else {
            continue;
        };
        let same = values.iter().filter(|(_, value)| *value == old);
        found.extend(same.filter_map(|(pointer, _)| candidate(pointer, new.clone())));
    }
    let name = app.name();
    let sections = sections(wanted);
    let named: Vec<&PointerBuf> = values
        .iter()
        .filter(|(_, value)| is_named(value, name).is_some())
        .map(|(at, _)| at)
        .collect();
    let belongs = |(pointer, _): &&(PointerBuf, &Value)| {
        named.iter().any(|above| pointer.below(above).is_some())
            || pointer.tokens().any(|token| token.decoded() == name)
    };
    // What has fields of a source is likelier to be one, and what holds others likelier than what it holds.
    let rank = |(pointer, value): &&(PointerBuf, &Value)| (!is_source(value), pointer.tokens().count());
    let mut likely: Vec<&(PointerBuf, &Value)> = values.iter().filter(belongs).collect();
    likely.sort_by_key(rank);
    for (pointer, value) in likely {
        let Some(map) = value.as_object() else { continue };
        let mut map = map.clone();
        map.retain(|key, _| !TOOLS.contains(&key.as_str()));
        map.extend(sections.clone());
        found.extend(candidate(pointer, Value::Object(map)));
    }
    found
}

/// Returns the key by which a value names an Application, if it does.
fn is_named(value: &Value, name: &str) -> Option<&'static str> {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    ["name", "appName"].into_iter().find(|key| text(key) == Some(name))
}

/// Reports whether a value has fields of a source.
fn is_source(value: &Value) -> bool {
    let mut keys = ["path", "chart", "repoURL"].iter().chain(&TOOLS);
    keys.any(|key| value.get(*key).is_some())
}

/// Returns the sections of tools of the only source of an Application.
fn sections(app: &Object) -> serde_json::Map<String, Value> {
    let sources = Application::new(app).map(|app| app.sources()).unwrap_or_default();
    let tree = sources
        .first()
        .and_then(|source| source.tree().as_object())
        .cloned()
        .unwrap_or_default();
    tree.into_iter()
        .filter(|(key, _)| TOOLS.contains(&key.as_str()))
        .collect()
}

/// Returns the places, the deepest first, outside of which nothing changes.
fn changed_places(app: &Object, wanted: &Object) -> Vec<PointerBuf> {
    let operations = json_patch::diff(app.tree(), wanted.tree()).0;
    let mut common: Option<PointerBuf> = None;
    for operation in &operations {
        let above = operation.path().parent().unwrap_or_else(|| Pointer::root()).to_buf();
        common = Some(match common {
            None => above,
            Some(common) => shared(&common, &above),
        });
    }
    let mut places = Vec::new();
    let mut at = common;
    while let Some(pointer) = at.filter(|pointer| !pointer.is_root()) {
        at = pointer.parent().map(Pointer::to_buf);
        places.push(pointer);
    }
    places
}

/// Returns the pointer above both.
fn shared(one: &Pointer, other: &Pointer) -> PointerBuf {
    let pairs = one.tokens().zip(other.tokens());
    let same = pairs.take_while(|(one, other)| one == other);
    let mut pointer = PointerBuf::new();
    same.for_each(|(token, _)| pointer = pointer.child(token.decoded().as_ref()));
    pointer
}

/// Collects the maps and lists of a tree with their places.
fn walk<'v>(value: &'v Value, at: PointerBuf, out: &mut Vec<(PointerBuf, &'v Value)>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                walk(value, at.child(key.as_str()), out);
            }
        }
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                walk(value, at.child(index), out);
            }
        }
        _ => return,
    }
    out.push((at, value));
}

impl Try<'_> {
    /// Returns the change.
    fn changes(&self) -> ChangeSet {
        let mut changes = match self.operations.as_slice() {
            [] => ChangeSet::default(),
            operations => self.document.patched(Patch(operations.to_vec())),
        };
        if let Some(key) = &self.key {
            changes.changes.push(self.document.renamed(&self.pointer, key));
        }
        changes
    }

    /// Returns what the change does, with where it is.
    fn led(&self, changes: ChangeSet, what: &str, (manifest, wanted): (&Manifest, &Object)) -> Led {
        let mut notes = self.lost();
        notes.push(self.note(what));
        Led {
            changes,
            notes,
            rendered: Manifest {
                object: wanted.clone(),
                ..manifest.clone()
            },
        }
    }

    /// Returns where the value is, as `apps/values.yaml:12:3`, with its keys and what it does.
    fn note(&self, what: &str) -> String {
        let (place, key) = (self.document.place(&self.pointer), dotted(&self.pointer));
        format!("{place}: the value `{key}` {what}")
    }

    fn is_map_or_list(&self, pointer: &Pointer) -> bool {
        let value = self.document.tree.pointer(pointer.as_str());
        value.is_some_and(|value| value.is_object() || value.is_array())
    }

    /// Returns notes on the comments inside of what is taken out.
    fn lost(&self) -> Vec<String> {
        let gone = self.operations.iter().filter_map(|operation| match operation {
            PatchOperation::Remove(op) => Some(&op.path),
            PatchOperation::Replace(op) if self.is_map_or_list(&op.path) => Some(&op.path),
            _ => None,
        });
        let lines = gone.flat_map(|pointer| self.document.comments(pointer));
        lines
            .map(|line| format!("{line}: the comment has no place in the new source and is lost"))
            .collect()
    }
}

/// Returns the keys of a pointer, joined by dots.
fn dotted(pointer: &Pointer) -> String {
    let keys: Vec<_> = pointer.tokens().map(|token| token.decoded().into_owned()).collect();
    match keys.is_empty() {
        true => ".".to_owned(),
        false => keys.join("."),
    }
}

/// Returns the place of a pointer in a text of one document.
fn position(text: &str, pointer: &Pointer) -> (usize, usize) {
    let found = yaml::Tree::parse(text).ok().and_then(|tree| tree.locate(pointer));
    let start = found.map_or(0, |span| span.key.map_or(span.value.start, |key| key.start));
    let position = yaml::position(text, start);
    (position.line, position.column)
}
