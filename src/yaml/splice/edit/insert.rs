//! Inserts entries.

use super::{Edit, Editor, Entries, PROPERTIES};
use crate::yaml::locate::Path;
use crate::yaml::node::Style;
use crate::yaml::splice::error::Refusal;
use serde_json::Value;

impl Editor<'_, '_> {
    /// Adds entries at the end of a container.
    pub(super) fn append(&self, path: &Path, entries: &Entries, edits: &mut Vec<Edit>) -> Result<(), Refusal> {
        let container = path.node();
        match self.tree.node(container).style {
            Style::Block => edits.push(self.append_lines(path, entries)?),
            Style::Flow => self.append_in_brackets(path, entries, edits),
            Style::Pair => {
                return Err(Refusal {
                    offset: self.start(container),
                    reason: "a pair without braces takes no entry",
                });
            }
        }
        Ok(())
    }

    fn append_lines(&self, path: &Path, entries: &Entries) -> Result<Edit, Refusal> {
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
            edits.push(self.item_in_brackets(&Path { steps: above.to_vec() }, step, value));
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
