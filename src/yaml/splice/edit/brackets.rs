//! Inserts and removes entries of collections in brackets: a removal takes exactly what an insertion adds.

use super::{Edit, Editor, Entries};
use crate::yaml::brackets::Brackets;
use crate::yaml::locate::{Path, Step};
use crate::yaml::node::{Kind, Tag};
use crate::yaml::trivia::skip_trivia;
use serde_json::Value;

impl Editor<'_, '_> {
    /// Adds entries at the end of a collection in brackets: on lines of their own where the last one has its own.
    pub(super) fn append_in_brackets(&self, path: &Path, entries: &Entries, edits: &mut Vec<Edit>) {
        let container = path.node();
        let depth = path.steps.len();
        let brackets = Brackets::near(self.tree, &self.layout, path, None);
        let count = self.layout.locator().len(container);
        let mut insert = |at: usize, text: String| {
            edits.push(Edit {
                at,
                until: at,
                text,
                depth,
            });
        };
        let Some(last) = count.checked_sub(1) else {
            let (at, text) = self.first_in_brackets(path, &brackets, entries);
            insert(at, text);
            return;
        };
        if self.ends_with_properties(container) {
            let open = self.start(container) + 1;
            let (_, text) = self.first_in_brackets(path, &brackets, entries);
            insert(open, text + ", ");
            return;
        }
        let (start, end) = self.entry(container, last);
        let has_line = self.layout.has_own_line(start);
        let indentation = has_line.then(|| self.layout.indentation(start));
        let before = match indentation {
            Some(indentation) => format!("{}{indentation}", self.layout.newline()),
            None => brackets.comma()[1..].to_owned(),
        };
        let written = entries.iter().map(|(key, value)| {
            let mut text = before.clone();
            brackets.entry(&mut text, key.as_deref(), value, indentation);
            text
        });
        let comma = self.comma_behind(end);
        match comma {
            Some(comma) => {
                let line = self.layout.rest_of_line(comma + 1).filter(|_| has_line);
                insert(line.unwrap_or(comma + 1), written.map(|text| text + ",").collect());
            }
            None => {
                let line = self.layout.rest_of_line(end).filter(|_| has_line);
                let first = if self.is_absent(container, last) { " ," } else { "," };
                let written = written.collect::<Vec<_>>().join(",");
                match line.filter(|line| *line > end) {
                    Some(line) => {
                        insert(end, first.to_owned());
                        insert(line, written);
                    }
                    None => insert(end, format!("{first}{written}")),
                }
            }
        }
    }

    /// Returns the text of the first entries of an empty collection, and its offset.
    fn first_in_brackets(&self, path: &Path, brackets: &Brackets, entries: &Entries) -> (usize, String) {
        let node = self.tree.node(path.node());
        let (open, close) = (node.start as usize + 1, node.end as usize - 1);
        let inside = &self.tree.text[open..close];
        if inside.is_empty() && self.is_in_lines(path) {
            let whole = if node.kind == Kind::Map {
                let entries = entries
                    .iter()
                    .map(|(key, value)| (key.clone().unwrap_or_default(), value.clone()));
                Value::Object(entries.collect())
            } else {
                Value::Array(entries.iter().map(|(_, value)| value.clone()).collect())
            };
            let mut text = String::new();
            brackets.value(&mut text, &whole, Some(self.layout.indentation(node.start as usize)));
            text.pop();
            text.remove(0);
            return (open, text);
        }
        let written = entries.iter().map(|(key, value)| {
            let mut text = String::new();
            brackets.entry(&mut text, key.as_deref(), value, None);
            text
        });
        let written = written.collect::<Vec<_>>().join(brackets.comma());
        if inside.trim_matches(' ').is_empty() {
            (close, written + inside)
        } else {
            (open, written)
        }
    }

    /// Reports whether a collection is an entry, with a line of its own, of another one in brackets.
    fn is_in_lines(&self, path: &Path) -> bool {
        path.steps.last().is_some_and(|step| self.line_of(step).is_some())
    }

    /// Returns the indentation of the line of an entry in brackets, where it has one for itself.
    pub(super) fn line_of(&self, step: &Step) -> Option<&str> {
        let start = self.start(step.key.unwrap_or(step.node));
        let in_brackets = !self.tree.is_block(step.container);
        (in_brackets && self.layout.has_own_line(start)).then(|| self.layout.indentation(start))
    }

    /// Returns the text of an item before another one.
    pub(super) fn item_in_brackets(&self, container: &Path, step: &Step, value: &Value) -> Edit {
        let brackets = Brackets::near(self.tree, &self.layout, container, None);
        let start = self.start(step.node);
        let indentation = self.line_of(step);
        let mut item = String::new();
        brackets.entry(&mut item, None, value, indentation);
        let before = step
            .position
            .checked_sub(1)
            .and_then(|before| self.comma_behind(self.entry(step.container, before).1));
        let newline = self.layout.newline();
        let (at, text) = match (
            indentation,
            before.and_then(|comma| self.layout.rest_of_line(comma + 1)),
        ) {
            // Behind the item before, so that comments above an item stay with it.
            (Some(indentation), Some(line)) => (line, format!("{newline}{indentation}{item},")),
            (Some(indentation), None) => (self.layout.line_start(start), format!("{indentation}{item},{newline}")),
            (None, _) => (start, format!("{item},{}", &brackets.comma()[1..])),
        };
        Edit {
            at,
            until: at,
            text,
            depth: container.steps.len(),
        }
    }

    /// Removes an entry in brackets: its line where it has one for itself, and the comma that goes with it.
    pub(super) fn remove_in_brackets(&self, step: &Step, alone: bool, depth: usize, edits: &mut Vec<Edit>) {
        let (start, end) = self.entry(step.container, step.position);
        let last = step.position + 1 == self.layout.locator().len(step.container);
        let gone = if alone {
            self.only_range(step, start, end)
        } else if self.layout.has_own_line(start) {
            self.line_range(step, last, start, end)
        } else {
            self.inline_range(step, last, start, end)
        };
        edits.extend(gone.into_iter().map(|(at, until, text)| Edit {
            at,
            until,
            text: text.to_owned(),
            depth,
        }));
    }

    /// Returns what goes with the only entry.
    fn only_range(&self, step: &Step, start: usize, end: usize) -> Gone {
        let text = self.tree.text;
        let node = self.tree.node(step.container);
        let (open, close) = (node.start as usize + 1, node.end as usize - 1);
        let comma = self.comma_behind(end);
        let until = comma.map_or(end, |comma| comma + 1);
        let (before, behind) = (&text[open..start], &text[until..close]);
        if comma.is_some_and(|comma| !is_blank(&text[end..comma])) {
            return vec![(start, end, ""), (until - 1, until, "")];
        }
        match is_blank(before) && is_blank(behind) {
            true if before.contains('\n') && behind.contains('\n') => vec![(open, close, "")],
            true if before == behind => vec![(start, close, "")],
            _ => vec![(start, until, "")],
        }
    }

    /// Returns what goes with an entry that has its line for itself.
    fn line_range(&self, step: &Step, last: bool, start: usize, end: usize) -> Gone {
        let text = self.tree.text;
        let comma = self.comma_behind(end);
        if comma.is_some_and(|comma| !is_blank(&text[end..comma]) || text[end..comma].contains('\n')) {
            return self.inline_range(step, last, start, end);
        }
        let until = comma.map_or(end, |comma| comma + 1);
        let line = self.layout.line_start(start);
        let newline = line - if text[..line].ends_with("\r\n") { 2 } else { 1 };
        let Some(line_end) = self.layout.rest_of_line(until) else {
            if !last {
                return self.inline_range(step, last, start, end);
            }
            // What follows must not come behind a comment.
            let before = step
                .position
                .checked_sub(1)
                .map_or(newline, |before| self.entry(step.container, before).1);
            let joins = is_blank(text[before..newline].trim_start_matches([' ', ',']));
            let gone = (if joins { newline } else { start }, until, "");
            return match comma {
                Some(_) => vec![gone],
                None => [self.comma_before(step), vec![gone]].concat(),
            };
        };
        let mut gone = if last && comma.is_none() {
            self.comma_before(step)
        } else {
            Vec::new()
        };
        gone.push((newline, line_end, ""));
        gone
    }

    /// Returns the comma behind the entry before, which goes with the last one.
    fn comma_before(&self, step: &Step) -> Gone {
        let before = step
            .position
            .checked_sub(1)
            .map(|before| self.entry(step.container, before).1);
        let Some((end, comma)) = before.and_then(|end| Some((end, self.comma_behind(end)?))) else {
            return Vec::new();
        };
        let text = self.tree.text;
        let at = if is_blank(&text[end..comma]) { end } else { comma };
        // A comment needs a blank before it.
        let left = if text[comma + 1..].starts_with('#') { " " } else { "" };
        vec![(at, comma + 1, left)]
    }

    /// Returns what goes with an entry that shares its line.
    fn inline_range(&self, step: &Step, last: bool, start: usize, end: usize) -> Gone {
        let text = self.tree.text;
        let comma = self.comma_behind(end);
        if !last {
            let Some(comma) = comma else {
                return vec![(start, end, "")];
            };
            let rest = &text[comma + 1..];
            let blanks = rest.len() - rest.trim_start_matches(' ').len();
            let blanks = if rest[blanks..].starts_with('#') { 0 } else { blanks };
            return if is_blank(&text[end..comma]) {
                vec![(start, comma + 1 + blanks, "")]
            } else {
                vec![(start, end, ""), (comma, comma + 1, "")]
            };
        }
        let before = step
            .position
            .checked_sub(1)
            .map(|before| self.entry(step.container, before).1);
        let between = before.and_then(|before| Some((before, self.comma_behind(before)?)));
        let Some((before, first)) = between else {
            return vec![(start, end, "")];
        };
        let joined = is_blank(&text[first + 1..start]);
        match comma {
            Some(comma) if joined && is_blank(&text[end..comma]) => vec![(first + 1, comma + 1, "")],
            Some(comma) => vec![(start, end, ""), (comma, comma + 1, "")],
            None if joined && is_blank(&text[before..first]) => vec![(before, end, "")],
            None if joined => vec![(first, end, "")],
            None => vec![(first, first + 1, ""), (start, end, "")],
        }
    }

    /// Returns the comma that stands behind an offset, comments aside.
    fn comma_behind(&self, offset: usize) -> Option<usize> {
        Some(skip_trivia(self.tree.text, offset)).filter(|at| self.tree.text[*at..].starts_with(','))
    }

    /// Reports whether the last entry ends with an anchor or a tag, which stand behind what its node spans.
    fn ends_with_properties(&self, container: u32) -> bool {
        let children = self.layout.locator().children(container);
        let mut last = children.iter().rev().take(2).map(|child| self.tree.node(*child));
        last.any(|node| node.start == node.end && (node.anchored || node.tag != Tag::None))
    }

    /// Reports whether an entry has a key and no value: its text ends with the colon.
    fn is_absent(&self, container: u32, position: usize) -> bool {
        let child = self.layout.locator().children(container);
        let last = if self.tree.node(container).kind == Kind::Map {
            2 * position + 1
        } else {
            position
        };
        child.get(last).is_some_and(|node| self.start(*node) == self.end(*node))
    }
}

/// Bytes that go, and what is left in their place.
type Gone = Vec<(usize, usize, &'static str)>;

/// Reports whether a text is nothing but blanks and line ends.
fn is_blank(text: &str) -> bool {
    text.trim_matches([' ', '\t', '\r', '\n']).is_empty()
}
