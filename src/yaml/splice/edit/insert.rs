//! Inserts entries.

use super::{Edit, Editor, PROPERTIES, json};
use crate::yaml::locate::Path;
use crate::yaml::node::{Kind, Style};
use crate::yaml::splice::error::Refusal;
use crate::yaml::write::flow_entry;
use serde_json::Value;

impl Editor<'_, '_> {
    /// Adds entries at the end of a container (in a mapping of braces at its start: that holds against trailing commas
    /// and comments).
    pub(super) fn append(
        &self,
        path: &Path,
        entries: &[(Option<String>, Value)],
        edits: &mut Vec<Edit>,
    ) -> Result<(), Refusal> {
        let container = path.node();
        let edit = match self.tree.node(container).style {
            Style::Block => self.append_lines(path, entries)?,
            Style::Flow => self.append_json(container, entries, path.steps.len()),
            Style::Pair => {
                return Err(Refusal {
                    offset: self.start(container),
                    reason: "a pair without braces takes no entry",
                });
            }
        };
        edits.push(edit);
        Ok(())
    }

    fn append_lines(&self, path: &Path, entries: &[(Option<String>, Value)]) -> Result<Edit, Refusal> {
        let column = self.entries_column(path)?;
        let at = self.layout.line_end(self.end(path.node()));
        let writer = self.writer(at);
        let text = self.layout.text();
        // The last line of a text may lack its line end; then the new lines add it and have none at their own end.
        let ended = at == 0 || text.as_bytes()[at - 1] == b'\n';
        let mut lines = String::new();
        for (key, value) in entries {
            if ended {
                lines.extend(std::iter::repeat_n(' ', column));
            } else {
                writer.line(&mut lines, column);
            }
            match key {
                Some(key) => writer.entry(&mut lines, key, value, column),
                None => writer.item(&mut lines, value, column),
            }
            if ended {
                lines.push_str(writer.newline);
            }
        }
        Ok(Edit {
            at,
            until: at,
            text: lines,
            depth: path.steps.len(),
        })
    }

    fn append_json(&self, container: u32, entries: &[(Option<String>, Value)], depth: usize) -> Edit {
        let node = self.tree.node(container);
        let open = node.start as usize + 1;
        let entry = |(key, value): &(Option<String>, Value)| match key {
            Some(key) => {
                let mut text = String::new();
                flow_entry(&mut text, key, value);
                text
            }
            None => json(value),
        };
        let Some(first) = (node.next > container + 1).then(|| self.start(container + 1)) else {
            let text = entries.iter().map(entry).collect::<Vec<_>>().join(", ");
            return Edit {
                at: open,
                until: open,
                text,
                depth,
            };
        };
        // Entries on lines of their own get lines of their own.
        let gap = self
            .layout
            .text()
            .get(open..first)
            .filter(|gap| gap.contains('\n') && gap.trim().is_empty());
        if node.kind == Kind::Map {
            let text = entries.iter().map(|new| match gap {
                Some(gap) => format!("{gap}{},", entry(new)),
                None => format!("{}, ", entry(new)),
            });
            return Edit {
                at: open,
                until: open,
                text: text.collect(),
                depth,
            };
        }
        let children = self.layout.locator().children(container);
        let last = children.last().copied().unwrap_or(container + 1);
        let at = self.end(last);
        let text = entries
            .iter()
            .map(|new| format!(",{}{}", gap.unwrap_or(" "), entry(new)))
            .collect();
        Edit {
            at,
            until: at,
            text,
            depth,
        }
    }

    /// Inserts an item before another one of a sequence.
    pub(super) fn insert_before(&self, path: &Path, value: &Value, edits: &mut Vec<Edit>) -> Result<(), Refusal> {
        let Some((step, above)) = path.steps.split_last() else {
            return Ok(());
        };
        let depth = above.len();
        if self.tree.node(step.container).style != Style::Block {
            let at = self.start(step.node);
            if self.has_properties(step) {
                return Err(Refusal {
                    offset: at,
                    reason: PROPERTIES,
                });
            }
            edits.push(Edit {
                at,
                until: at,
                text: format!("{}, ", json(value)),
                depth,
            });
            return Ok(());
        }
        let lost = Refusal {
            offset: self.start(step.node),
            reason: "the dash of an item cannot be found",
        };
        let dash = self.layout.dash(&path.steps).ok_or(lost)?;
        let column = self.layout.column(dash).ok_or(lost)?;
        // Behind the item before, so that comments above an item stay with it.
        let before = step
            .position
            .checked_sub(1)
            .and_then(|before| self.layout.locator().child(step.container, before))
            .filter(|_| self.layout.leads_line(dash));
        let at = before.map_or(dash, |before| self.layout.line_end(self.end(before)));
        let writer = self.writer(at);
        let mut text = String::new();
        if before.is_some() {
            text.extend(std::iter::repeat_n(' ', column));
        }
        writer.item(&mut text, value, column);
        match before {
            Some(_) => text.push_str(writer.newline),
            None => writer.line(&mut text, column),
        }
        edits.push(Edit {
            at,
            until: at,
            text,
            depth,
        });
        Ok(())
    }
}
