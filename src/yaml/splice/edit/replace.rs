//! Replaces the values of entries.

use super::{Edit, Editor, json};
use crate::yaml::brackets::Brackets;
use crate::yaml::locate::{Path, Step};
use crate::yaml::node::{Kind, Node, Style, Tag};
use crate::yaml::splice::error::Refusal;
use crate::yaml::trivia::skip_trivia;
use serde_json::Value;

impl Editor<'_, '_> {
    /// Puts a value in an entry's place: on the entry's line, except for collections that are lines already.
    pub(super) fn replace(&self, path: &Path, value: &Value, edits: &mut Vec<Edit>) -> Result<(), Refusal> {
        let Some(step) = path.steps.last() else {
            return self.replace_root(value, edits);
        };
        let node = self.tree.node(step.node);
        let depth = path.steps.len();
        if node.kind == Kind::Plain && node.start == node.end {
            let at = self.absent(path)?;
            let text = format!(" {}", self.inline(value, path, None));
            edits.push(Edit {
                at,
                until: at,
                text,
                depth,
            });
            return Ok(());
        }
        if !fits_tag(node, value) {
            return Err(Refusal {
                offset: node.start as usize,
                reason: "a tag stands before the value, and another value does not fit it",
            });
        }
        if self.tree.is_block(step.node) {
            return self.replace_lines(path, value, edits);
        }
        let (at, until) = (node.start as usize, node.end as usize);
        if node.kind == Kind::Block {
            let header = self.block_header(path)?;
            let mut text = self.inline(value, path, Some(until));
            if self.tree.text[..until].ends_with('\n') {
                text.push_str(self.layout.newline());
            }
            edits.push(Edit {
                at: header,
                until,
                text,
                depth,
            });
            return Ok(());
        }
        let line = self.layout.line_end(until);
        let free = self.tree.text[until..line].trim().is_empty();
        let text = self.inline(value, path, free.then_some(line));
        let until = if free { self.behind_blanks(until) } else { until };
        edits.push(Edit { at, until, text, depth });
        Ok(())
    }

    /// Returns the offset behind blanks: behind a value they would become part of a literal block's last line.
    fn behind_blanks(&self, at: usize) -> usize {
        let rest = &self.tree.text[at..];
        at + rest.len() - rest.trim_start_matches([' ', '\t']).len()
    }

    fn replace_root(&self, value: &Value, edits: &mut Vec<Edit>) -> Result<(), Refusal> {
        let empty = matches!(value, Value::Object(map) if map.is_empty())
            || matches!(value, Value::Array(list) if list.is_empty());
        if !empty || !self.tree.is_block(0) {
            return Err(Refusal {
                offset: 0,
                reason: "the patch is about the document as a whole",
            });
        }
        edits.push(Edit {
            at: self.start(0),
            until: self.content_end(0),
            text: json(value),
            depth: 0,
        });
        Ok(())
    }

    /// Returns where the text of an absent value goes.
    fn absent(&self, path: &Path) -> Result<usize, Refusal> {
        let step = path.steps[path.steps.len() - 1];
        let node = self.tree.node(step.node);
        let refusal = Refusal {
            offset: node.start as usize,
            reason: "an absent value has an anchor, a tag or no colon",
        };
        if node.anchored || node.tag != Tag::None {
            return Err(refusal);
        }
        match step.key {
            Some(key) => self.layout.after_colon(key).ok_or(refusal),
            None => self.layout.intro(&path.steps).ok_or(refusal),
        }
    }

    /// Returns the `|` or `>` of a block scalar.
    pub(super) fn block_header(&self, path: &Path) -> Result<usize, Refusal> {
        let step = path.steps[path.steps.len() - 1];
        let refusal = Refusal {
            offset: self.start(step.node),
            reason: "the start of a block scalar cannot be found",
        };
        let intro = self.layout.intro(&path.steps).ok_or(refusal)?;
        let header = self.layout.skip_properties(skip_trivia(self.tree.text, intro));
        let found = matches!(self.tree.text.as_bytes().get(header), Some(b'|' | b'>'));
        found.then_some(header).ok_or(refusal)
    }

    /// Returns a value's text on the line of its entry; `free` is where the next line starts, if nothing else stands on
    /// the line behind it.
    fn inline(&self, value: &Value, path: &Path, free: Option<usize>) -> String {
        let Some((step, above)) = path.steps.split_last() else {
            return json(value);
        };
        let container = Path { steps: above.to_vec() };
        let in_brackets = self.tree.node(step.container).style != Style::Block;
        if let Some(text) = self.in_old_quotes(step.node, value) {
            return text;
        }
        if in_brackets || value.is_object() || value.is_array() {
            return self.in_brackets(&container, step, value);
        }
        match value {
            Value::String(text) if free.is_some() || !text.contains('\n') => match self.entries_column(&container) {
                Ok(column) => {
                    let mut out = String::new();
                    self.writer(free.unwrap_or_default())
                        .scalar(&mut out, value, column + 2);
                    out
                }
                Err(_) => json(value),
            },
            _ => json(value),
        }
    }

    /// Returns a string in the quotes of the one that it replaces.
    fn in_old_quotes(&self, old: u32, value: &Value) -> Option<String> {
        let old = self.tree.node(old);
        let text = value
            .as_str()
            .filter(|text| old.kind == Kind::Quoted && !text.contains('\n'))?;
        let fits = |c: char| c == ' ' || c.is_ascii_graphic() && c != '\'';
        let is_single = self.tree.text[old.start as usize..].starts_with('\'');
        Some(match is_single && text.chars().all(fits) {
            true => format!("'{text}'"),
            false => json(value),
        })
    }

    /// Returns a value written as the brackets near it, or as those that it replaces.
    fn in_brackets(&self, container: &Path, step: &Step, value: &Value) -> String {
        let brackets = Brackets::near(self.tree, &self.layout, container, Some(step.node));
        let start = self.start(step.key.unwrap_or(step.node));
        let old = self.tree.node(step.node);
        let old_has_lines =
            old.style == Style::Flow && self.tree.text[old.start as usize..old.end as usize].contains('\n');
        let line = self
            .line_of(step)
            .or_else(|| old_has_lines.then(|| self.layout.indentation(start)));
        let mut out = String::new();
        brackets.value(&mut out, value, line);
        out
    }

    /// Replaces a block collection: by lines if the new value is one of its kind, else by text on the entry's line.
    fn replace_lines(&self, path: &Path, value: &Value, edits: &mut Vec<Edit>) -> Result<(), Refusal> {
        let node = path.node();
        let depth = path.steps.len();
        let column = self.entries_column(path)?;
        let list = self.tree.node(node).kind == Kind::Seq;
        let lost = Refusal {
            offset: self.start(node),
            reason: "the start of a block collection cannot be found",
        };
        let intro = self.layout.intro(&path.steps).ok_or(lost)?;
        let start = self.layout.skip_properties(skip_trivia(self.tree.text, intro));
        let until = self.content_end(node);
        let same = match value {
            Value::Object(map) => !list && !map.is_empty(),
            Value::Array(items) => list && !items.is_empty(),
            _ => false,
        };
        if same {
            let mut text = String::new();
            let line = self.layout.line_end(until);
            let free = self.tree.text[until..line].trim().is_empty();
            let mut writer = self.writer(line);
            writer.literal &= free;
            writer.node(&mut text, value, column);
            let until = if free { self.behind_blanks(until) } else { until };
            edits.push(Edit {
                at: start,
                until,
                text,
                depth,
            });
            return Ok(());
        }
        if !self.tree.text[intro..start].contains('\n') {
            edits.push(Edit {
                at: start,
                until,
                text: json(value),
                depth,
            });
            return Ok(());
        }
        if skip_trivia(self.tree.text, intro) != start || !self.layout.leads_line(start) {
            return Err(lost);
        }
        let text = format!(" {}", self.inline(value, path, None));
        edits.push(Edit {
            at: intro,
            until: intro,
            text,
            depth,
        });
        let end = self.layout.line_end(self.end(node));
        edits.push(Edit {
            at: self.layout.line_start(start),
            until: end,
            text: String::new(),
            depth,
        });
        Ok(())
    }
}

/// Reports whether a value may stand behind the tag of the one that it replaces.
fn fits_tag(node: &Node<'_>, value: &Value) -> bool {
    match node.tag {
        Tag::None => true,
        Tag::Str | Tag::NonSpecific | Tag::Other => match node.kind {
            Kind::Map => value.is_object(),
            Kind::Seq => value.is_array(),
            _ => value.is_string(),
        },
        _ => false,
    }
}
