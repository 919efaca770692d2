//! Puts a JSON Patch into a text: the lines that the patch is about change, and no other byte.
//!
//! The proof: every result is parsed again and must have exactly the value that the patch makes of the input's value. A
//! result that has not, and a document in which an edit is not safe, fall back to a re-print of that one document, which
//! has to pass the same proof; where that fails too, nothing is changed and the error names the line that prevents it.
//!
//! `layout` reads where things stand in the text, `plan` turns operations into edits of entries, `edit` those into edits
//! of bytes, and `proof` reads the result.

mod edit;
pub(super) mod error;
pub(super) mod layout;
mod plan;
pub(super) mod proof;

use super::node::Kind;
use super::reprint::reprint;
use super::tree::{MAX_DEPTH, Tree};
use super::trivia::text_start;
use super::value::normalise;
use error::{Refusal, SpliceError, UNREADABLE};
use json_patch::{Patch, PatchOperation};
use jsonptr::Pointer;
use plan::Op;
use proof::prove;
use serde_json::Value;
use std::collections::{HashSet, VecDeque};

/// A document after its patch.
#[derive(Clone, Debug, PartialEq)]
pub struct Spliced {
    /// The document's new text.
    pub text: String,
    /// Its value.
    pub value: Value,
    /// Whether the document had to be printed again, without its comments.
    pub reprinted: bool,
    /// Whether that was so because the edited text did not prove to be right: a bug of the splice.
    pub disproved: bool,
}

/// Puts a patch into the text of one document.
pub fn splice(text: &str, patch: &Patch) -> Result<Spliced, SpliceError> {
    Tree::parse(text)?.splice(patch)
}

impl Tree<'_> {
    /// Puts a patch into the document's text. An empty patch leaves the bytes alone.
    pub fn splice(&self, patch: &Patch) -> Result<Spliced, SpliceError> {
        let value = self.value()?;
        self.splice_value(value, patch)
    }

    /// Does the same as [`Tree::splice`] for a caller that has the document's value already: `value` must be
    /// [`Tree::value`]'s.
    pub fn splice_value(&self, value: Value, patch: &Patch) -> Result<Spliced, SpliceError> {
        let (expected, ops) = apply(value, patch)?;
        if ops.is_empty() {
            return Ok(Spliced {
                text: self.text.to_owned(),
                value: expected,
                reprinted: false,
                disproved: false,
            });
        }
        layout::refuse_document(self).map_err(|refusal| refusal.of(self))?;
        // Go's readers drop a document that is null.
        if expected.is_null() {
            let nothing = Refusal {
                offset: 0,
                reason: "nothing would be left of the document",
            };
            return Err(nothing.of(self));
        }
        let spliced = edit_text(self, ops).and_then(|text| prove(self.text, text, &expected));
        let refusal = match spliced {
            Ok(text) => {
                return Ok(Spliced {
                    text,
                    value: expected,
                    reprinted: false,
                    disproved: false,
                });
            }
            // An edit of an anchor's value changes its aliases, too: the proof is there for that.
            Err(refusal) if refusal.is_broken_proof() && self.has_alias() => Refusal {
                reason: "the document has aliases",
                ..refusal
            },
            Err(refusal) if refusal.is_broken_proof() && self.has_twin() => Refusal {
                reason: "a key stands twice, or in a merge as well",
                ..refusal
            },
            // Where one may stand depends on what stands behind it.
            Err(refusal) if refusal.is_broken_proof() && self.text[text_start(self.text)..].contains('\u{feff}') => {
                Refusal {
                    reason: "a byte order mark stands inside the document",
                    ..refusal
                }
            }
            Err(refusal) => refusal,
        };
        match prove(self.text, reprint(self, &expected), &expected) {
            Ok(text) => Ok(Spliced {
                text,
                value: expected,
                reprinted: true,
                disproved: refusal.is_broken_proof(),
            }),
            Err(_) => Err(refusal.of(self)),
        }
    }

    /// Reports whether a map has a key twice or a merge, so that an edit at one place may leave another.
    fn has_twin(&self) -> bool {
        let mut maps = (0..self.nodes.len() as u32).filter(|index| self.node(*index).kind == Kind::Map);
        maps.any(|map| {
            let mut keys = HashSet::new();
            let is_new = |key| self.key(key).is_ok_and(|text| keys.insert(text));
            !self
                .pairs(map)
                .map(|(key, _)| key)
                .filter(|key| !self.is_merge(*key))
                .all(is_new)
                || self.pairs(map).any(|(key, _)| self.is_merge(key))
        })
    }

    fn has_alias(&self) -> bool {
        self.nodes.iter().any(|node| node.kind == Kind::Alias)
    }
}

/// How many nodes the copies of one patch may make: a patch that copies its copies doubles them each time.
const COPIED_NODES: usize = 1 << 20;

/// Returns the patched value, and the operations that change it as plain additions, replacements and removals.
fn apply(mut value: Value, patch: &Patch) -> Result<(Value, Vec<Op>), SpliceError> {
    let mut ops = Vec::with_capacity(patch.0.len());
    let mut copied = 0;
    for (number, operation) in patch.0.iter().enumerate() {
        let mut operation = operation.clone();
        if let PatchOperation::Add(json_patch::AddOperation { value, .. })
        | PatchOperation::Replace(json_patch::ReplaceOperation { value, .. })
        | PatchOperation::Test(json_patch::TestOperation { value, .. }) = &mut operation
        {
            normalise(value);
        }
        let before = operations(&operation, &value);
        let refused = |reason: &str| SpliceError::Patch {
            operation: number,
            path: operation.path().to_buf(),
            reason: reason.to_owned(),
        };
        if before.iter().any(|op| op.depth() > MAX_DEPTH) {
            return Err(refused("collections would nest too deeply"));
        }
        copied += if matches!(operation, PatchOperation::Copy(_)) {
            before.iter().map(Op::size).sum()
        } else {
            0
        };
        if copied > COPIED_NODES {
            return Err(refused("the patch copies too much"));
        }
        let one = std::slice::from_ref(&operation);
        json_patch::patch(&mut value, one).map_err(|error| refused(&error.kind.to_string()))?;
        ops.extend(before);
    }
    Ok((value, ops))
}

/// Returns what an operation does to a value, as plain operations; none for one that leaves it as it is.
fn operations(operation: &PatchOperation, value: &Value) -> Vec<Op> {
    let at = |path: &Pointer| value.pointer(path.as_str()).cloned();
    match operation {
        PatchOperation::Add(add) => {
            let same = at(&add.path).is_some_and(|old| old == add.value) && !in_array(value, &add.path);
            if same {
                Vec::new()
            } else {
                vec![Op::add(&add.path, add.value.clone())]
            }
        }
        PatchOperation::Replace(replace) => {
            let same = at(&replace.path).is_some_and(|old| old == replace.value);
            if same {
                Vec::new()
            } else {
                vec![Op::replace(&replace.path, replace.value.clone())]
            }
        }
        PatchOperation::Remove(remove) => vec![Op::remove(&remove.path)],
        PatchOperation::Copy(copy) => at(&copy.from)
            .map(|from| Op::add(&copy.path, from))
            .into_iter()
            .collect(),
        PatchOperation::Move(moved) if moved.from == moved.path => Vec::new(),
        PatchOperation::Move(moved) => match at(&moved.from) {
            Some(from) => vec![Op::remove(&moved.from), Op::add(&moved.path, from)],
            None => Vec::new(),
        },
        PatchOperation::Test(_) => Vec::new(),
    }
}

/// Reports whether a path names an element of an array: adding there inserts.
fn in_array(value: &Value, path: &Pointer) -> bool {
    path.parent()
        .and_then(|parent| value.pointer(parent.as_str()))
        .is_some_and(Value::is_array)
}

/// How many bytes one splice may read again between its rounds. Operations that move each other take a round each.
const READ_AGAIN: usize = 64 << 20;

/// Makes the edits, as many operations at a time as do not touch each other.
fn edit_text(tree: &Tree<'_>, ops: Vec<Op>) -> Result<String, Refusal> {
    let mut rest = VecDeque::from(ops);
    let mut text = edit::round(tree, &mut rest)?;
    let mut read = 0;
    while !rest.is_empty() {
        read += text.len();
        if read > READ_AGAIN {
            return Err(Refusal {
                offset: 0,
                reason: "the patch takes too many steps",
            });
        }
        let lost = Refusal {
            offset: 0,
            reason: UNREADABLE,
        };
        let next = Tree::parse(&text).map_err(|_| lost)?;
        text = edit::round(&next, &mut rest)?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
