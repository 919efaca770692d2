//! Removes entries.

use super::{Edit, Editor, PROPERTIES};
use crate::yaml::locate::{Path, Step};
use crate::yaml::node::{Kind, Style, Tag};
use crate::yaml::splice::error::Refusal;
use serde_json::{Map, Value};

impl Editor<'_, '_> {
    /// Removes an entry with its lines; the comments above it and below it stay.
    pub(super) fn remove(&self, path: &Path, edits: &mut Vec<Edit>) -> Result<(), Refusal> {
        let Some((step, above)) = path.steps.split_last() else {
            return Err(Refusal {
                offset: 0,
                reason: "the patch is about the document as a whole",
            });
        };
        let container = self.tree.node(step.container);
        let alone = self.layout.locator().len(step.container) == 1;
        let depth = path.steps.len();
        match container.style {
            Style::Pair => Err(Refusal {
                offset: self.start(step.container),
                reason: "a pair without braces cannot lose its entry",
            }),
            // An item's text starts behind its anchor and its tag.
            Style::Flow if self.has_properties(step) => Err(Refusal {
                offset: self.start(step.node),
                reason: PROPERTIES,
            }),
            Style::Flow => {
                self.remove_in_brackets(step, alone, depth, edits);
                Ok(())
            }
            Style::Block if alone => {
                let empty = if container.kind == Kind::Map {
                    Value::Object(Map::new())
                } else {
                    Value::Array(Vec::new())
                };
                self.replace(&Path { steps: above.to_vec() }, &empty, edits)
            }
            Style::Block => {
                let (at, until) = self.lines_of(path, step)?;
                let (text, until) = self.after_scalar(path, at, until).unwrap_or((String::new(), until));
                edits.push(Edit { at, until, text, depth });
                Ok(())
            }
        }
    }

    /// Reports whether an anchor or a tag stands before an entry, or behind its key where it has no value.
    pub(super) fn has_properties(&self, step: &Step) -> bool {
        let has = |node: u32| {
            let node = self.tree.node(node);
            node.anchored || node.tag != Tag::None
        };
        match step.key {
            Some(key) => has(key) || (has(step.node) && self.start(step.node) == self.end(step.node)),
            None => has(step.node),
        }
    }

    /// Returns the start and end of an entry of a container.
    pub(super) fn entry(&self, container: u32, position: usize) -> (usize, usize) {
        let children = self.layout.locator().children(container);
        if self.tree.node(container).kind == Kind::Map {
            let (key, value) = (children[2 * position], children[2 * position + 1]);
            (self.start(key), self.end(value).max(self.end(key)))
        } else {
            (self.start(children[position]), self.end(children[position]))
        }
    }

    /// Returns the lines between two offsets. The last lines of a text without a line end take the one before them along,
    /// so that the text still has none.
    fn whole_lines(&self, start: usize, end: usize) -> (usize, usize) {
        let text = self.tree.text;
        let (at, until) = (self.layout.line_start(start), self.layout.line_end(end));
        let is_content = |at: usize| {
            let blocks = self.tree.nodes.iter().filter(|node| node.kind == Kind::Block);
            blocks.into_iter().any(|block| block.end as usize == at)
        };
        if until < text.len() || text.ends_with('\n') || !text[..at].ends_with('\n') || is_content(at) {
            return (at, until);
        }
        let before = &text[..at - 1];
        (before.strip_suffix('\r').unwrap_or(before).len(), until)
    }

    /// Returns the lines of an entry; for one that stands behind a dash, up to the entry that takes its place there.
    fn lines_of(&self, path: &Path, step: &Step) -> Result<(usize, usize), Refusal> {
        let lost = Refusal {
            offset: self.start(step.node),
            reason: "an entry does not start its line",
        };
        let (start, end) = match step.key {
            Some(key) => (self.start(key), self.end(step.node).max(self.end(key))),
            None => {
                let dash = self.layout.dash(&path.steps).ok_or(lost)?;
                (dash, self.end(step.node).max(dash + 1))
            }
        };
        if self.layout.leads_line(start) {
            return Ok(self.whole_lines(start, end));
        }
        if step.position != 0 || self.layout.column(start).is_none() {
            return Err(lost);
        }
        let next = match step.key {
            Some(_) => Some(self.entry(step.container, 1).0),
            None => {
                let mut steps = path.steps.clone();
                let last = steps.len() - 1;
                steps[last].position = 1;
                self.layout.dash(&steps)
            }
        };
        let next = next.ok_or(lost)?;
        let between = self.tree.text.get(end..next).ok_or(lost)?;
        if between.trim().is_empty() {
            return Ok((start, next));
        }
        // A comment stands between: `- # comment` is as good a start for the entry below.
        Ok((
            start,
            self.content_end(step.node).max(start + usize::from(step.key.is_none())),
        ))
    }
}
