//! Applies the storage rules to a rendered stream.
//!
//! Documents that the rules do not change go out as slices of the input. Most of them are not even parsed: the
//! `prescan` reads their `apiVersion` and `kind`. Every object that comes in goes out but for the claims that the parameter `moves`
//! leaves to other Applications, and each has apiVersion, kind and name; everything else is an error, since Argo CD prunes what is
//! not printed.

mod added;
mod complete;
mod output;
mod prescan;

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use anyhow::{Context, Error, Result, anyhow, bail};
use json_patch::{Patch, PatchOperation, RemoveOperation};
use serde_json::Value;

use crate::failure::HintExt;
use crate::law::StorageRules;
use crate::model::claim::is_claim;
use crate::model::claim_use::claim_uses;
use crate::model::namespace::is_namespace;
use crate::model::parameter::PatchTarget;
use crate::model::{EmptyRender, Object};
use crate::yaml::{self, Tree};
use complete::{any_object, complete, describe};
pub use output::Output;
use output::Piece;
use prescan::Header;

/// One document of a stream.
#[derive(Clone, Debug)]
struct Document<'t> {
    stream: &'t str,
    range: Range<usize>,
}

impl<'t> Document<'t> {
    fn text(&self) -> &'t str {
        &self.stream[self.range.clone()]
    }

    /// Returns the line, from 1, of an offset of the document. This counts the lines of the stream: only messages need it.
    fn line(&self, offset: usize) -> usize {
        yaml::position(self.stream, self.range.start + offset).line
    }
}

/// Shows the document's place, for messages.
impl fmt::Display for Document<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at line {} of the render", self.line(0))
    }
}

fn split(text: &str) -> Result<Vec<Document<'_>>> {
    let ranges = yaml::document_ranges(text).map_err(|error| {
        anyhow!(
            "the render is not a stream of YAML: line {}: {}",
            error.line,
            error.message
        )
    })?;
    let document = |range| Document { stream: text, range };
    Ok(ranges.into_iter().map(document).collect())
}

/// Reads the tree and the value of a document; returns nothing for one that Argo CD drops.
fn read<'t>(document: &Document<'t>) -> Result<Option<(Tree<'t>, Value)>> {
    let parsed = Tree::parse(document.text()).and_then(|tree| {
        let value = (!tree.is_empty()).then(|| tree.value()).transpose()?;
        Ok(value.map(|value| (tree, value)))
    });
    let parsed = parsed.map_err(|error| {
        let error = error.below(document.line(0) - 1);
        anyhow!(
            "the render cannot be read: line {}, column {}: {}",
            error.line,
            error.column,
            error.message
        )
    })?;
    if let Some(offset) = parsed.as_ref().and_then(|(tree, _)| tree.dropped()) {
        let line = document.line(offset);
        return Err(
            anyhow!("line {line} of the render stands behind a document's end, and Argo CD would drop it")
                .hint("put a line `---` before it"),
        );
    }
    Ok(parsed)
}

/// Checks a stream, and leaves it as it is.
///
/// # Errors
/// When an object is incomplete, or there is none.
pub fn untouched(raw: String, allow_empty: bool) -> Result<Output> {
    Stream::sorted(&raw, |_, _| false)?.check_count(allow_empty)?;
    let pieces = vec![Piece::Slice(0..raw.len())];
    Ok(Output {
        raw,
        pieces,
        reprinted: Vec::new(),
        notes: Vec::new(),
    })
}

/// Applies the storage rules to a stream.
///
/// # Errors
/// When an object is incomplete, there is none, the rules refuse something, or a patch cannot be put into the text.
pub fn apply(raw: String, law: &StorageRules, allow_empty: bool) -> Result<Output> {
    let input = Input {
        raw,
        claims: &[],
        patches: &law.patches,
        allow_empty,
    };
    apply_with(input, |_| Ok(law.clone()))
}

/// What the storage rules are applied to.
#[derive(Debug)]
pub struct Input<'i> {
    /// The rendered stream.
    pub raw: String,
    /// The claims of the parameter `claims`, which go out behind it.
    pub claims: &'i [Object],
    /// The user's patches; they must be those of the rules.
    pub patches: &'i [(PatchTarget, Value)],
    /// Whether the stream may be empty.
    pub allow_empty: bool,
}

/// Applies storage rules that depend on what is in the stream.
///
/// # Errors
/// Those of [`apply`], and those of the function; when a claim is added that the stream has.
pub fn apply_with(input: Input<'_>, law: impl FnOnce(&Stream<'_>) -> Result<StorageRules>) -> Result<Output> {
    let raw = input.raw;
    let claims = input.claims.iter().map(|claim| yaml::emit(claim.tree()));
    let claims: Vec<String> = claims.collect::<Result<_>>()?;
    let mut stream = Stream::read(&raw, input.patches)?;
    stream.check_count(input.allow_empty)?;
    claims.iter().try_for_each(|claim| stream.add(claim))?;
    let law = law(&stream)?;
    stream.check_added(law.destination.as_str())?;
    let Printed {
        pieces,
        reprinted,
        notes,
        objects,
    } = stream.under(&law, input.allow_empty)?;
    let output = Output {
        raw,
        pieces,
        reprinted,
        notes,
    };
    // What is added must not change how the rest is read.
    if !claims.is_empty() && output.objects()?.len() != objects {
        bail!("the claims of the parameter `claims` cannot be printed behind what is rendered");
    }
    Ok(output)
}

/// What goes out, beside the text that came in.
struct Printed {
    pieces: Vec<Piece>,
    reprinted: Vec<String>,
    notes: Vec<String>,
    /// How many objects there are.
    objects: usize,
}

/// A stream that was read once. What the rules could change is parsed.
#[derive(Debug)]
pub struct Stream<'t> {
    raw: &'t str,
    /// The documents that the rules could change and, beside them, their values.
    candidates: Vec<(Document<'t>, Tree<'t>)>,
    values: Vec<Value>,
    /// How many of the candidates, the last ones, are added to the stream.
    added: usize,
    /// How many objects the candidates hold.
    before: usize,
    /// How many objects all other documents hold.
    passed: usize,
}

impl<'t> Stream<'t> {
    /// Splits a stream, parses what the rules or one of the patches could change, and checks that every object is
    /// complete.
    ///
    /// # Errors
    /// When the stream cannot be split, a document cannot be read, or an object is incomplete.
    pub fn read(raw: &'t str, patches: &[(PatchTarget, Value)]) -> Result<Self> {
        let is_patched = |kind: &str| patches.iter().any(|(target, _)| target.kind == kind);
        Self::sorted(raw, |api_version, kind| {
            is_patched(kind) || !prescan::is_passed_by(api_version, kind)
        })
    }

    /// Sorts the documents into candidates and others; `is_candidate` decides on an object's apiVersion and kind. Lists
    /// are candidates.
    fn sorted(raw: &'t str, is_candidate: impl Fn(&str, &str) -> bool) -> Result<Self> {
        let documents = split(raw)?;
        // Output that breaks off breaks off in the last document, so that this one is always parsed.
        let last = documents
            .iter()
            .rposition(|document| !prescan::is_blank(document.text()));
        let mut stream = Self {
            raw,
            candidates: Vec::new(),
            values: Vec::new(),
            added: 0,
            before: 0,
            passed: 0,
        };
        for (index, document) in documents.into_iter().enumerate() {
            if prescan::is_blank(document.text()) {
                continue;
            }
            let header = Header::read(document.text()).filter(|_| Some(index) != last);
            if header.is_some_and(|header| !is_candidate(header.api_version, header.kind) && header.is_alone()) {
                stream.passed += 1;
                continue;
            }
            let Some((tree, value)) = read(&document)? else {
                continue;
            };
            let objects = complete(&value, &document)?;
            let says = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default();
            if value.get("items").is_some() || is_candidate(says("apiVersion"), says("kind")) {
                stream.before += objects;
                stream.candidates.push((document, tree));
                stream.values.push(value);
            } else {
                stream.passed += objects;
            }
        }
        Ok(stream)
    }

    /// Reports whether there is a Namespace among the objects.
    pub fn has_namespace(&self) -> bool {
        self.values
            .iter()
            .any(|value| any_object(value, &|object| is_namespace(object)))
    }

    /// Returns the namespaces that claims and workloads name as theirs.
    pub fn namespaces(&self) -> BTreeSet<String> {
        let objects = self
            .values
            .iter()
            .flat_map(|value| Object::new(value.clone()).into_flat());
        objects
            .flat_map(|(_, object)| {
                let own = is_claim(&object).then(|| object.namespace());
                let uses = claim_uses(&object);
                let pods = uses.pods.iter().map(|pod| pod.manifest.namespace);
                let volumes = uses.volumes.iter().map(|volume| volume.manifest.namespace);
                let all = own.into_iter().chain(pods).chain(volumes).flatten();
                all.map(str::to_owned).collect::<Vec<_>>()
            })
            .collect()
    }

    fn check_count(&self, allow_empty: bool) -> Result<()> {
        if self.before + self.passed == 0 && !allow_empty {
            return Err(Error::new(EmptyRender).hint(
                "if that is meant, set the parameter `allow-empty` to \"true\", or give `filter` the flag `--allow-empty`",
            ));
        }
        Ok(())
    }

    /// Returns the pieces of the stream under the rules, what had to be printed again, and the remarks.
    fn under(self, law: &StorageRules, allow_empty: bool) -> Result<Printed> {
        let plan = law.plan(&self.values)?;
        let (mut pieces, mut reprinted) = (Vec::new(), Vec::new());
        let (mut from, mut after) = (0, 0);
        let (rendered, mut added) = (self.candidates.len() - self.added, Vec::new());
        let moved = plan.moved.iter().map(Vec::len).sum::<usize>();
        let planned = plan.operations.into_iter().zip(plan.moved);
        let documents = self.candidates.iter().zip(self.values).zip(planned);
        for (index, (((document, tree), value), (mut operations, gone))) in documents.enumerate() {
            if gone.iter().any(|place| place.is_root()) {
                pieces.push(Piece::Slice(from..document.range.start));
                // What stands around it stays apart.
                pieces.push(Piece::Text("\n".to_owned()));
                from = document.range.end;
                continue;
            }
            // The last ones first, so that the places of the others stay.
            operations.extend(
                gone.into_iter()
                    .rev()
                    .map(|path| PatchOperation::Remove(RemoveOperation { path })),
            );
            if operations.is_empty() && index < rendered {
                after += complete(&value, document)?;
                continue;
            }
            let object = describe(&value);
            let what = || format!("{object}, {document}");
            let spliced = tree
                .splice_value(value, &Patch(operations))
                .map_err(|error| error.below(document.line(0) - 1).into_error())
                .with_context(what)?;
            after += complete(&spliced.value, document)?;
            if spliced.reprinted {
                reprinted.push(what());
            }
            if index >= rendered {
                added.push(Piece::Text(format!("---\n{}", spliced.text)));
                continue;
            }
            pieces.push(Piece::Slice(from..document.range.start));
            pieces.push(Piece::Text(spliced.text));
            from = document.range.end;
        }
        if self.before != after + moved {
            bail!(
                "{} objects came in and {} would go out: a patch must not add or remove objects",
                self.before,
                after + moved
            );
        }
        if moved > 0 && after + self.passed == 0 && !allow_empty {
            return Err(anyhow!(
                "everything that is rendered moves to other Applications, and nothing would be left to print"
            )
            .hint("remove this Application: the claims belong to the others"));
        }
        pieces.push(Piece::Slice(from..self.raw.len()));
        if !added.is_empty() && !self.raw.is_empty() && !self.raw.ends_with('\n') {
            pieces.push(Piece::Text("\n".to_owned()));
        }
        pieces.extend(added);
        let remark = |what: &String| {
            format!("{what}, is printed again without its comments: its text cannot be edited in place")
        };
        let notes = plan.notes.into_iter().chain(reprinted.iter().map(remark)).collect();
        Ok(Printed {
            pieces,
            reprinted,
            notes,
            objects: after + self.passed,
        })
    }
}

#[cfg(test)]
mod tests;
