//! What stands behind lines that leave, where a block scalar ends before them: it would become a part of the scalar.

use super::Editor;
use crate::yaml::locate::{Path, Step};
use crate::yaml::node::Kind;

impl Editor<'_, '_> {
    /// Returns the text that takes the place of an entry's lines and of the lines behind them up to an offset, where a block
    /// scalar stands before the entry: without blanks that the scalar would take in, and with the next comment no deeper
    /// than the entry. Nothing where no such scalar stands before it.
    pub(super) fn after_scalar(&self, path: &Path, at: usize, until: usize) -> Option<(String, usize)> {
        let scalar = self.scalar_before(path)?;
        let header = self.block_header(&scalar).ok()?;
        let text = self.tree.text;
        if !text[self.end(scalar.node())..at].trim().is_empty() {
            return None;
        }
        let header = text[header..].split_ascii_whitespace().next().unwrap_or_default();
        let mut between = String::new();
        let mut end = until;
        for line in text[until..].split_inclusive('\n') {
            let content = line.trim_start_matches([' ', '\t']);
            let is_comment = content.starts_with('#');
            if is_comment {
                let indent = |text: &str| text.len() - text.trim_start_matches(' ').len();
                between.push_str(&" ".repeat(indent(&text[at..]).min(indent(line))));
            } else if !content.trim_end().is_empty() {
                break;
            }
            // A scalar with `+` keeps every empty line.
            if is_comment || !header.contains('+') {
                between.push_str(content);
            }
            end += line.len();
            if is_comment {
                break;
            }
        }
        Some((between, end))
    }

    /// Returns the block scalar that is the last thing in the entry before this one.
    fn scalar_before(&self, path: &Path) -> Option<Path> {
        let (step, above) = path.steps.split_last()?;
        let mut steps = above.to_vec();
        let mut step = self.step_to(step.container, step.position.checked_sub(1)?)?;
        loop {
            steps.push(step);
            if !self.tree.is_block(step.node) {
                break;
            }
            let last = self.layout.locator().len(step.node).checked_sub(1)?;
            step = self.step_to(step.node, last)?;
        }
        (self.tree.node(step.node).kind == Kind::Block).then_some(Path { steps })
    }

    fn step_to(&self, container: u32, position: usize) -> Option<Step> {
        let children = self.layout.locator().children(container);
        let is_map = self.tree.node(container).kind == Kind::Map;
        let (key, node) = if is_map {
            (Some(*children.get(2 * position)?), 2 * position + 1)
        } else {
            (None, position)
        };
        Some(Step {
            container,
            key,
            position,
            node: *children.get(node)?,
        })
    }
}
