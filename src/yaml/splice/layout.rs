//! Where things stand in a document's text: lines, columns, colons, dashes.

use super::error::Refusal;
use crate::yaml::locate::{Locator, Step};
use crate::yaml::node::{Kind, Style};
use crate::yaml::tree::Tree;
use crate::yaml::trivia::{skip_trivia, text_start};
use std::cell::OnceCell;

/// A document's text seen as lines.
#[derive(Debug)]
pub(in crate::yaml) struct Layout<'a, 't> {
    tree: &'a Tree<'t>,
    locator: Locator<'a, 't>,
    /// Where the line ends stand; found out when the first is needed.
    newlines: OnceCell<Vec<u32>>,
}

impl<'a, 't> Layout<'a, 't> {
    pub(in crate::yaml) fn of(tree: &'a Tree<'t>) -> Self {
        Self {
            tree,
            locator: Locator::new(tree),
            newlines: OnceCell::new(),
        }
    }

    /// Returns the locator of the document's nodes.
    pub(super) fn locator(&self) -> &Locator<'a, 't> {
        &self.locator
    }

    /// Returns how many line ends stand before an offset, and all of them.
    fn newlines_before(&self, offset: usize) -> (usize, &[u32]) {
        let newlines = self.newlines.get_or_init(|| {
            let found = memchr::memchr_iter(b'\n', self.text().as_bytes());
            found.map(|newline| newline as u32).collect()
        });
        (
            newlines.partition_point(|newline| (*newline as usize) < offset),
            newlines,
        )
    }

    pub(super) fn text(&self) -> &'t str {
        self.tree.text
    }

    /// Returns the document's line end: that of its first line.
    pub(in crate::yaml) fn newline(&self) -> &'static str {
        let bytes = self.text().as_bytes();
        match memchr::memchr(b'\n', bytes) {
            Some(at) if at > 0 && bytes[at - 1] == b'\r' => "\r\n",
            _ => "\n",
        }
    }

    /// Returns the start of the line of an offset; a byte order mark is before the first line.
    pub(in crate::yaml) fn line_start(&self, offset: usize) -> usize {
        match self.newlines_before(offset) {
            (0, _) => text_start(self.text()),
            (before, newlines) => newlines[before - 1] as usize + 1,
        }
    }

    /// Returns the start of the line after the content that ends at an offset; the end of the text if there is none.
    pub(in crate::yaml) fn line_end(&self, offset: usize) -> usize {
        let bytes = self.text().as_bytes();
        if offset > 0 && bytes[offset - 1] == b'\n' {
            return offset;
        }
        let (before, newlines) = self.newlines_before(offset);
        newlines
            .get(before)
            .map_or(bytes.len(), |newline| *newline as usize + 1)
    }

    /// Returns the column of an offset that has nothing but blanks and dashes before it on its line.
    pub(in crate::yaml) fn column(&self, offset: usize) -> Option<usize> {
        let start = self.line_start(offset);
        let before = &self.text()[start..offset];
        before
            .bytes()
            .all(|byte| matches!(byte, b' ' | b'-'))
            .then_some(before.len())
    }

    /// Returns the blanks that the line of an offset starts with.
    pub(in crate::yaml) fn indentation(&self, offset: usize) -> &'t str {
        let line = &self.text()[self.line_start(offset)..];
        &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
    }

    /// Reports whether nothing but blanks, tabs among them, stands before an offset on its line, which is not the first.
    pub(in crate::yaml) fn has_own_line(&self, offset: usize) -> bool {
        let start = self.line_start(offset);
        start > text_start(self.text()) && self.text()[start..offset].trim_start_matches([' ', '\t']).is_empty()
    }

    /// Returns the end of a line's content, where nothing but blanks and a comment stands there from an offset on; the
    /// line end itself is not part of it.
    pub(in crate::yaml) fn rest_of_line(&self, offset: usize) -> Option<usize> {
        let rest = &self.text()[offset..];
        let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
        let line = line.strip_suffix('\r').unwrap_or(line);
        let content = line.trim_start_matches([' ', '\t']);
        let comment = content.starts_with('#') && (content.len() < line.len() || self.text()[..offset].ends_with(','));
        (content.is_empty() || comment).then_some(offset + line.len())
    }

    /// Reports whether an offset is the first thing on its line.
    pub(super) fn leads_line(&self, offset: usize) -> bool {
        let start = self.line_start(offset);
        self.text()[start..offset].bytes().all(|byte| byte == b' ')
    }

    /// Returns the offset behind the colon of a key; nothing for an explicit key.
    pub(in crate::yaml) fn after_colon(&self, key: u32) -> Option<usize> {
        let end = self.tree.node(key).end as usize;
        let blanks = self.text().as_bytes()[end..]
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count();
        (self.text().as_bytes().get(end + blanks) == Some(&b':')).then_some(end + blanks + 1)
    }

    /// Returns the dash of an item of a block sequence; `steps` lead to the item.
    pub(super) fn dash(&self, steps: &[Step]) -> Option<usize> {
        let step = steps.last()?;
        let from = match step.position.checked_sub(1) {
            Some(before) => self.tree.node(self.locator.child(step.container, before)?).end as usize,
            None => self.intro(&steps[..steps.len() - 1])?,
        };
        let mut at = skip_trivia(self.text(), from);
        if step.position == 0 {
            at = self.skip_properties(at);
        }
        let bytes = self.text().as_bytes();
        let blank = matches!(bytes.get(at + 1), None | Some(b' ' | b'\t' | b'\r' | b'\n'));
        (bytes.get(at) == Some(&b'-') && blank).then_some(at)
    }

    /// Returns where the text of a node may begin: behind its colon, behind its dash, or at the start.
    pub(super) fn intro(&self, steps: &[Step]) -> Option<usize> {
        match steps.last() {
            None => Some(text_start(self.text())),
            Some(step) => match step.key {
                Some(key) => self.after_colon(key),
                None if self.tree.node(step.container).style == Style::Block => Some(self.dash(steps)? + 1),
                None => None,
            },
        }
    }

    /// Reports whether a literal block may end before an offset: an indented comment or a line of blanks would become
    /// part of it, and at the end of a file without a last line end Go reads its last line without one, unless its caller
    /// ends the line first.
    pub(in crate::yaml) fn literal_fits(&self, offset: usize) -> bool {
        if offset == self.text().len() && !self.text().ends_with('\n') {
            return false;
        }
        let next = self.text()[offset..].lines().find(|line| !line.is_empty());
        next.is_none_or(|line| {
            let content = line.trim_start_matches([' ', '\t']);
            content.len() == line.len() || !(content.is_empty() || content.starts_with('#'))
        })
    }

    /// Returns the offset behind anchors and tags.
    pub(super) fn skip_properties(&self, mut at: usize) -> usize {
        let bytes = self.text().as_bytes();
        while matches!(bytes.get(at), Some(b'&' | b'!')) {
            at += bytes[at..]
                .iter()
                .take_while(|byte| !byte.is_ascii_whitespace())
                .count();
            at = skip_trivia(self.text(), at);
        }
        at
    }

    /// Returns how far the document's lists stand behind their keys, by the first that is written in lines.
    pub(in crate::yaml) fn list_indent(&self) -> usize {
        for map in 0..self.tree.nodes.len() as u32 {
            if self.tree.node(map).kind != Kind::Map || !self.tree.is_block(map) {
                continue;
            }
            for (position, (key, list)) in self.tree.pairs(map).enumerate() {
                if self.tree.node(list).kind != Kind::Seq || !self.tree.is_block(list) {
                    continue;
                }
                let item = Step {
                    container: list,
                    key: None,
                    position: 0,
                    node: list + 1,
                };
                let dash = self.dash(&[
                    Step {
                        container: map,
                        key: Some(key),
                        position,
                        node: list,
                    },
                    item,
                ]);
                let key = self.column(self.tree.node(key).start as usize);
                if let (Some(dash), Some(key)) = (dash.and_then(|dash| self.column(dash)), key) {
                    return if dash > key { 2 } else { 0 };
                }
            }
        }
        0
    }
}

/// Refuses documents that no edit is safe in: Go reads less of them than is written, or refuses them after an edit.
pub(in crate::yaml) fn refuse_document(tree: &Tree<'_>) -> Result<(), Refusal> {
    let Some(root) = tree.nodes.first() else {
        return Err(Refusal {
            offset: 0,
            reason: "an empty document has no place for an edit",
        });
    };
    let text = tree.text;
    let tail = skip_trivia(text, root.end as usize);
    let ends = tail == text.len() || (text[tail..].starts_with("...") && text[..tail].ends_with('\n'));
    if !ends {
        return Err(Refusal {
            offset: tail,
            reason: "something stands behind the document's end, which readers drop",
        });
    }
    match tab_line(tree) {
        Some(offset) => Err(Refusal { offset, reason: TAB }),
        None => Ok(()),
    }
}

/// Go's reader takes no tab where a key could start.
pub(super) const TAB: &str = "a line begins with a tab, or has one behind its dash";

/// Returns the first line that begins with a tab, or with blanks, dashes and the like and a tab, outside of brackets and
/// scalars.
pub(super) fn tab_line(tree: &Tree<'_>) -> Option<usize> {
    let bytes = tree.text.as_bytes();
    let mut covers = tree.nodes.iter().filter(|node| match node.kind {
        Kind::Map | Kind::Seq => node.style == Style::Flow,
        _ => true,
    });
    let mut next = covers.next();
    let mut covered = 0;
    for tab in memchr::memchr_iter(b'\t', bytes) {
        let is_before = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'-' | b'?' | b':');
        let line = tab - bytes[..tab].iter().rev().take_while(is_before).count();
        if line > 0 && !matches!(bytes[line - 1], b'\n' | b'\r') {
            continue;
        }
        while let Some(node) = next.filter(|node| (node.start as usize) < tab) {
            covered = covered.max(node.end as usize);
            next = covers.next();
        }
        if covered <= tab {
            return Some(line);
        }
    }
    None
}
