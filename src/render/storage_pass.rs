//! A rendered stream under the storage law.
//!
//! Documents that nobody touches go out as slices of the input, most of them without being parsed: one look at `kind` and
//! `apiVersion` is enough. Every object that comes in goes out, and each has apiVersion, kind and name; everything else
//! is an error, since Argo CD prunes what is not printed.

mod concern;

use std::collections::BTreeSet;
use std::ops::Range;

use anyhow::{Context, Result, anyhow, bail};
use json_patch::Patch;
use serde_json::Value;

use super::look::Look;
use crate::failure::HintExt;
use crate::law::Law;
use crate::model::Object;
use crate::model::namespace::is_namespace;
use crate::model::parameter::PatchTarget;
use crate::yaml::{self, Document, Tree};
use concern::concerns;

/// A stream before and after the law.
#[derive(Clone, Debug)]
pub struct Output {
    raw: String,
    pieces: Vec<Piece>,
    /// Documents that had to be printed anew, by what they hold.
    pub reprinted: Vec<String>,
    /// Remarks: what the law left out, and what was printed anew.
    pub notes: Vec<String>,
}

#[derive(Clone, Debug)]
enum Piece {
    Slice(Range<usize>),
    Text(String),
}

impl Output {
    /// The stream as it came.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// The stream as it goes, in pieces for one vectored write.
    pub fn pieces(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().map(|piece| match piece {
            Piece::Slice(range) => &self.raw[range.clone()],
            Piece::Text(text) => text,
        })
    }

    /// The stream as it goes.
    pub fn text(&self) -> String {
        self.pieces().collect()
    }

    /// The objects as they go, lists flattened.
    ///
    /// # Errors
    /// When a document cannot be read.
    pub fn objects(&self) -> Result<Vec<Object>> {
        objects(&self.text())
    }

    /// The objects as they came, lists flattened.
    ///
    /// # Errors
    /// When a document cannot be read.
    pub fn raw_objects(&self) -> Result<Vec<Object>> {
        objects(&self.raw)
    }
}

fn objects(text: &str) -> Result<Vec<Object>> {
    let mut objects = Vec::new();
    for document in split(text)? {
        if let Some((_, value)) = read(text, &document)? {
            objects.extend(Object::new(value).into_flat().into_iter().map(|(_, object)| object));
        }
    }
    Ok(objects)
}

fn split(text: &str) -> Result<Vec<Document>> {
    yaml::documents(text).map_err(|error| {
        anyhow!(
            "the render is not a stream of YAML: line {}: {}",
            error.line,
            error.message
        )
    })
}

/// The event tree and the value of a document, `None` for one that Argo CD drops.
fn read<'t>(text: &'t str, document: &Document) -> Result<Option<(Tree<'t>, Value)>> {
    let text = &text[document.range.clone()];
    let parsed = Tree::parse(text).and_then(|tree| {
        let value = (!tree.is_empty()).then(|| tree.value()).transpose()?;
        Ok(value.map(|value| (tree, value)))
    });
    let parsed = parsed.map_err(|error| {
        let error = error.below(document.line - 1);
        anyhow!(
            "the render cannot be read: line {}, column {}: {}",
            error.line,
            error.column,
            error.message
        )
    })?;
    if let Some(offset) = parsed.as_ref().and_then(|(tree, _)| tree.dropped()) {
        let line = document.line + yaml::position(text, offset).line - 1;
        return Err(
            anyhow!("line {line} of the render stands behind a document's end, and Argo CD would drop it")
                .hint("put a line `---` before it"),
        );
    }
    Ok(parsed)
}

/// A stream without the law, checked all the same.
///
/// # Errors
/// When an object is incomplete, or there is none.
pub fn untouched(raw: String, allow_empty: bool) -> Result<Output> {
    Stream::sorted(&raw, |_| false)?.check_count(allow_empty)?;
    let pieces = vec![Piece::Slice(0..raw.len())];
    Ok(Output {
        raw,
        pieces,
        reprinted: Vec::new(),
        notes: Vec::new(),
    })
}

/// Applies the law to a stream.
///
/// # Errors
/// When an object is incomplete, there is none, the law refuses something, or a patch cannot be put into the text.
pub fn apply(raw: String, law: &Law, allow_empty: bool) -> Result<Output> {
    apply_with(raw, &law.patches, allow_empty, |_| Ok(law.clone()))
}

/// As [`apply`], with a law that depends on what is in the stream; `patches` must be the law's.
///
/// # Errors
/// Those of [`apply`], and the function's own.
pub fn apply_with(
    raw: String,
    patches: &[(PatchTarget, Value)],
    allow_empty: bool,
    law: impl FnOnce(&Stream<'_>) -> Result<Law>,
) -> Result<Output> {
    let stream = Stream::read(&raw, patches)?;
    stream.check_count(allow_empty)?;
    let law = law(&stream)?;
    let (pieces, reprinted, notes) = stream.under(&law)?;
    Ok(Output {
        raw,
        pieces,
        reprinted,
        notes,
    })
}

/// A stream that was read once: what the law could concern is parsed, the rest was looked at.
#[derive(Debug)]
pub struct Stream<'t> {
    raw: &'t str,
    /// The concerned documents and, beside them, their values.
    concerned: Vec<(Document, Tree<'t>)>,
    values: Vec<Value>,
    /// How many objects the concerned documents hold.
    before: usize,
    /// How many objects all other documents hold.
    passed: usize,
}

impl<'t> Stream<'t> {
    /// Splits a stream, parses what the law or one of the patches could concern, and checks that every object is complete.
    ///
    /// # Errors
    /// When the stream cannot be split, a document cannot be read, or an object is incomplete.
    pub fn read(raw: &'t str, patches: &[(PatchTarget, Value)]) -> Result<Self> {
        Self::sorted(raw, |look| concerns(patches, look))
    }

    fn sorted(raw: &'t str, concerns: impl Fn(&Look<'_>) -> bool) -> Result<Self> {
        let documents = split(raw)?;
        // Output that breaks off breaks off in the last document, so that this one is always parsed.
        let last = documents
            .iter()
            .rposition(|document| !is_blank(&raw[document.range.clone()]));
        let mut stream = Self {
            raw,
            concerned: Vec::new(),
            values: Vec::new(),
            before: 0,
            passed: 0,
        };
        for (index, document) in documents.into_iter().enumerate() {
            let text = &raw[document.range.clone()];
            if is_blank(text) {
                continue;
            }
            let look = Look::at(text);
            let is_concerned = concerns(&look);
            if !is_concerned && Some(index) != last && look.is_complete() {
                stream.passed += 1;
                continue;
            }
            let Some((tree, value)) = read(raw, &document)? else {
                continue;
            };
            let objects = complete(&value, document.line)?;
            if is_concerned {
                stream.before += objects;
                stream.concerned.push((document, tree));
                stream.values.push(value);
            } else {
                stream.passed += objects;
            }
        }
        Ok(stream)
    }

    /// Whether there is a Namespace among the objects.
    pub fn has_namespace(&self) -> bool {
        self.values
            .iter()
            .any(|value| any_object(value, &|object| is_namespace(object)))
    }

    /// The namespaces that claims and workloads say they are in.
    pub fn namespaces(&self) -> BTreeSet<String> {
        let objects = self
            .values
            .iter()
            .flat_map(|value| Object::new(value.clone()).into_flat());
        objects
            .filter_map(|(_, object)| object.namespace().map(str::to_owned))
            .collect()
    }

    fn check_count(&self, allow_empty: bool) -> Result<()> {
        if self.before + self.passed == 0 && !allow_empty {
            return Err(anyhow!("the render is empty, and Argo CD would prune everything").hint(
                "if that is meant, set the parameter `allow-empty` to \"true\", or give `filter` the flag `--allow-empty`",
            ));
        }
        Ok(())
    }

    /// The pieces of the stream under the law, what had to be printed anew, and the law's remarks.
    fn under(self, law: &Law) -> Result<(Vec<Piece>, Vec<String>, Vec<String>)> {
        let plan = law.plan(&self.values)?;
        let (mut pieces, mut reprinted) = (Vec::new(), Vec::new());
        let (mut from, mut after) = (0, 0);
        let documents = self.concerned.iter().zip(self.values).zip(plan.operations);
        for (((document, tree), value), operations) in documents {
            if operations.is_empty() {
                after += complete(&value, document.line)?;
                continue;
            }
            let what = describe(&value, document);
            let spliced = tree
                .splice_value(value, &Patch(operations))
                .map_err(|error| error.below(document.line - 1).into_error())
                .with_context(|| what.clone())?;
            after += complete(&spliced.value, document.line)?;
            if spliced.reprinted {
                reprinted.push(what);
            }
            pieces.push(Piece::Slice(from..document.range.start));
            pieces.push(Piece::Text(spliced.text));
            from = document.range.end;
        }
        if self.before != after {
            bail!(
                "{} objects came in and {after} would go out: a patch must not add or remove objects",
                self.before
            );
        }
        pieces.push(Piece::Slice(from..self.raw.len()));
        let anew =
            |what: &String| format!("{what}, is printed anew without its comments: its text cannot be edited in place");
        let notes = plan.notes.into_iter().chain(reprinted.iter().map(anew)).collect();
        Ok((pieces, reprinted, notes))
    }
}

/// Whether a document has nothing but comments and blanks.
fn is_blank(text: &str) -> bool {
    text.lines().all(|line| {
        let line = line.trim_start_matches(['\u{feff}', ' ', '\t', '\r']);
        line.is_empty() || line.starts_with('#')
    })
}

/// The items of a tree that is a list, as [`Object::is_list`] has it.
fn items(tree: &Value) -> Option<&Vec<Value>> {
    tree.get("items").and_then(Value::as_array)
}

/// Whether Argo CD takes a tree for a list of nothing, which charts make with an empty `range`
/// ([source](https://github.com/argoproj/argo-cd/blob/master/reposerver/repository/repository.go), `isNullList`).
fn is_null_list(tree: &Value) -> bool {
    let absent = |field: &str| tree.get(field).is_none();
    tree.get("items").is_some_and(Value::is_null) && absent("spec") && absent("status")
}

fn any_object(tree: &Value, holds: &impl Fn(&Object) -> bool) -> bool {
    match items(tree) {
        Some(items) => items.iter().any(|item| any_object(item, holds)),
        None => holds(&Object::new(tree.clone())),
    }
}

/// How many objects a document holds, lists flattened.
///
/// # Errors
/// When one has no apiVersion, kind or name (or `generateName`, which hooks may have instead).
fn complete(tree: &Value, line: usize) -> Result<usize> {
    if !tree.is_object() {
        bail!("the document at line {line} of the render is not an object");
    }
    if let Some(items) = items(tree) {
        return items.iter().map(|item| complete(item, line)).sum();
    }
    if is_null_list(tree) {
        return Ok(0);
    }
    let says = |pointer: &str| {
        tree.pointer(pointer)
            .and_then(Value::as_str)
            .is_some_and(|text| !text.is_empty())
    };
    let lacks = [
        ("apiVersion", says("/apiVersion")),
        ("kind", says("/kind")),
        (
            "metadata.name",
            says("/metadata/name") || says("/metadata/generateName"),
        ),
    ];
    match lacks.iter().find(|(_, says)| !says) {
        Some((field, _)) => {
            bail!("an object of the document at line {line} of the render has no `{field}`: the render is incomplete")
        }
        None => Ok(1),
    }
}

fn describe(tree: &Value, document: &Document) -> String {
    let object = Object::new(tree.clone());
    let name = object
        .reference()
        .map_or_else(|| object.kind().to_owned(), |reference| reference.to_string());
    format!("{name}, at line {} of the render", document.line)
}

#[cfg(test)]
mod tests;
