//! Turns changes of entries into edits of bytes.

mod after_scalar;
mod brackets;
mod insert;
mod remove;
mod replace;

use super::error::Refusal;
use super::layout::Layout;
use super::plan::{Change, Op, Plan, Taken};
use crate::yaml::locate::{Path, Step};
use crate::yaml::node::Kind;
use crate::yaml::tree::Tree;
use crate::yaml::write::{Writer, flow};
use serde_json::Value;
use std::cell::OnceCell;
use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};

/// Why an entry in brackets stays where it is: its text starts behind its anchor and its tag.
const PROPERTIES: &str = "an anchor or a tag stands before the entry";

/// Bytes of the text that give way to others.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    at: usize,
    until: usize,
    text: String,
    /// How deep the container is: of two insertions at one place the deeper container's comes first, and both before
    /// what gives way there.
    depth: usize,
}

/// Makes as many of the operations as fit in one round, and returns the new text.
pub(super) fn round(tree: &Tree<'_>, ops: &mut VecDeque<Op>) -> Result<String, Refusal> {
    let layout = Layout::of(tree);
    let mut plan = Plan::default();
    while let Some(op) = ops.pop_front() {
        if let Taken::Later(op) = plan.take(tree, layout.locator(), op)? {
            ops.push_front(op);
            break;
        }
    }
    let editor = Editor {
        tree,
        layout,
        list_indent: OnceCell::new(),
    };
    write_edits(tree.text, editor.edits(plan)?)
}

/// Puts edits into a text.
fn write_edits(text: &str, mut edits: Vec<Edit>) -> Result<String, Refusal> {
    edits.sort_by_key(|edit| (edit.at, edit.until > edit.at, Reverse(edit.depth)));
    let added: usize = edits.iter().map(|edit| edit.text.len()).sum();
    let mut out = String::with_capacity(text.len() + added);
    let mut done = 0;
    for edit in edits {
        if edit.at < done || edit.until < edit.at {
            return Err(Refusal {
                offset: edit.at,
                reason: "two edits overlap",
            });
        }
        out.push_str(&text[done..edit.at]);
        out.push_str(&edit.text);
        done = edit.until;
    }
    out.push_str(&text[done..]);
    Ok(out)
}

/// One round's view of the document.
struct Editor<'a, 't> {
    tree: &'a Tree<'t>,
    layout: Layout<'a, 't>,
    list_indent: OnceCell<usize>,
}

/// New entries of one container.
type Entries = Vec<(Option<String>, Value)>;

impl Editor<'_, '_> {
    fn edits(&self, plan: Plan) -> Result<Vec<Edit>, Refusal> {
        let mut appended: Vec<(Path, Entries)> = Vec::new();
        let mut places: HashMap<u32, usize> = HashMap::new();
        let mut edits = Vec::new();
        for change in plan.changes() {
            match change {
                Change::Append { container, key, value } => {
                    let place = *places.entry(container.node()).or_insert(appended.len());
                    match appended.get_mut(place) {
                        Some((_, entries)) => entries.push((key, value)),
                        None => appended.push((container, vec![(key, value)])),
                    }
                }
                Change::Replace { path, value } => self.replace(&path, &value, &mut edits)?,
                Change::Before { path, value } => self.insert_before(&path, &value, &mut edits)?,
                Change::Remove { path } => self.remove(&path, &mut edits)?,
            }
        }
        for (container, entries) in appended {
            self.append(&container, &entries, &mut edits)?;
        }
        Ok(edits)
    }

    /// Returns the writer for lines that will stand before an offset.
    fn writer(&self, before: usize) -> Writer {
        let list_indent = *self.list_indent.get_or_init(|| self.layout.list_indent());
        Writer {
            newline: self.layout.newline(),
            list_indent,
            literal: self.layout.literal_fits(before),
        }
    }

    /// Returns the column of a block container's entries.
    fn entries_column(&self, path: &Path) -> Result<usize, Refusal> {
        let container = path.node();
        let first = match self.tree.node(container).kind {
            Kind::Seq => {
                let mut steps = path.steps.clone();
                steps.push(Step {
                    container,
                    key: None,
                    position: 0,
                    node: container + 1,
                });
                self.layout.dash(&steps)
            }
            _ => Some(self.tree.node(container + 1).start as usize),
        };
        first.and_then(|first| self.layout.column(first)).ok_or(Refusal {
            offset: self.start(container),
            reason: "an entry does not start its line: an explicit key, an anchor or a tag stands before it",
        })
    }

    fn start(&self, node: u32) -> usize {
        self.tree.node(node).start as usize
    }

    fn end(&self, node: u32) -> usize {
        self.tree.node(node).end as usize
    }

    /// Returns the end of a node before its line end: a block scalar's content ends behind it.
    fn content_end(&self, node: u32) -> usize {
        let end = self.end(node);
        let text = &self.tree.text[..end];
        text.strip_suffix('\n')
            .map_or(end, |text| text.strip_suffix('\r').unwrap_or(text).len())
    }
}

/// Returns a value as JSON.
fn json(value: &Value) -> String {
    let mut text = String::new();
    flow(&mut text, value);
    text
}
