//! The comments of a document, and what each is about.

use super::locate::Step;
use super::node::{Kind, Style};
use super::position::newlines;
use super::splice::layout::Layout;
use super::tree::Tree;
use jsonptr::{Pointer, PointerBuf};

/// A comment and what it is about.
#[derive(Debug)]
pub struct Comment<'t> {
    /// Where its `#` stands, in bytes of the document.
    pub offset: usize,
    /// Its text from the `#` on.
    pub text: &'t str,
    /// It has its line for itself.
    pub alone: bool,
    /// JSON Pointer below the entry.
    pub(super) about: PointerBuf,
}

impl Comment<'_> {
    /// Returns the line, from 1, that the comment stands on; `text` is the document's.
    pub fn line(&self, text: &str) -> usize {
        newlines(&text[..self.offset]) + 1
    }
}

/// Returns the lines, from 1, of the comments inside an entry, which would be lost with it; none where there is no such
/// entry.
pub fn comment_lines(text: &str, pointer: &Pointer) -> Vec<usize> {
    let Ok(tree) = Tree::parse(text) else { return Vec::new() };
    let step = tree.path(pointer).and_then(|path| path.steps.last().copied());
    let comments = step.map(|step| of_entry(&tree, &step)).unwrap_or_default();
    comments.iter().map(|comment| comment.line(text)).collect()
}

/// Returns the comments inside an entry: from its key to the end of its last line, or to its own end where others stand
/// behind it.
pub(super) fn of_entry<'t>(tree: &Tree<'t>, step: &Step) -> Vec<Comment<'t>> {
    let Some(key) = step.key else { return Vec::new() };
    let mut entries = vec![(tree.node(key).start as usize, PointerBuf::new())];
    list_entries(tree, step.node, Pointer::root(), &mut entries);
    let end = (tree.node(step.node).end as usize).max(tree.node(key).end as usize);
    let until = match tree.node(step.container).style {
        Style::Block => Layout::of(tree).line_end(end),
        _ => end,
    };
    found(tree, tree.node(key).start as usize, until, &entries)
}

/// Returns the comments of the whole document.
pub(super) fn of_document<'t>(tree: &Tree<'t>) -> Vec<Comment<'t>> {
    found(tree, 0, tree.text.len(), &[(0, PointerBuf::new())])
}

/// Lists every entry below a node that has lines of its own: where it starts, and its JSON Pointer.
fn list_entries(tree: &Tree<'_>, node: u32, pointer: &Pointer, out: &mut Vec<(usize, PointerBuf)>) {
    let has_line = |start: usize| {
        let line = tree.text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        tree.is_block(node) || tree.text[line..start].trim().is_empty()
    };
    match tree.node(node).kind {
        Kind::Map => {
            for (key, value) in tree
                .pairs(node)
                .filter(|(key, _)| has_line(tree.node(*key).start as usize))
            {
                let key_text = tree.key(key).unwrap_or_default();
                let below = pointer.with_trailing_token(key_text.as_ref());
                out.push((tree.node(key).start as usize, below.clone()));
                list_entries(tree, value, &below, out);
            }
        }
        Kind::Seq => {
            let items = tree.children(node).enumerate();
            for (index, item) in items.filter(|(_, item)| has_line(tree.node(*item).start as usize)) {
                let below = pointer.with_trailing_token(index);
                out.push((tree.node(item).start as usize, below.clone()));
                list_entries(tree, item, &below, out);
            }
        }
        _ => {}
    }
}

/// Returns the comments between two offsets. A comment on a line of its own is about the entry below it; one at the end
/// of a line is about what stands before it.
fn found<'t>(tree: &Tree<'t>, from: usize, until: usize, entries: &[(usize, PointerBuf)]) -> Vec<Comment<'t>> {
    let text = tree.text;
    let scalars = tree
        .nodes
        .iter()
        .filter(|node| !matches!(node.kind, Kind::Map | Kind::Seq));
    let mut covers: Vec<(usize, usize)> = scalars
        .map(|node| (node.start as usize, node.end as usize))
        .filter(|(start, end)| start < end && *end > from && *start < until)
        .collect();
    covers.sort_unstable();
    let (mut comments, mut at, mut next) = (Vec::new(), from, 0);
    while let Some(offset) = memchr::memchr(b'#', &text.as_bytes()[at..until]).map(|found| at + found) {
        while covers.get(next).is_some_and(|(_, end)| *end <= offset) {
            next += 1;
        }
        if let Some((_, end)) = covers.get(next).filter(|(start, _)| *start <= offset) {
            at = *end;
            continue;
        }
        let line = text[..offset].rfind('\n').map_or(0, |newline| newline + 1);
        let before = &text[line..offset];
        let end = text[offset..].find('\n').map_or(text.len(), |newline| offset + newline);
        at = end.min(until);
        if !before.is_empty() && !before.ends_with([' ', '\t']) {
            continue;
        }
        let alone = before.trim().is_empty();
        let about = if alone {
            entries.iter().find(|(start, _)| *start > offset)
        } else {
            entries.iter().rev().find(|(start, _)| *start < offset)
        };
        comments.push(Comment {
            offset,
            text: text[offset..end].trim_end(),
            alone,
            about: about.map(|(_, pointer)| pointer.clone()).unwrap_or_default(),
        });
    }
    comments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_comments_of_an_entry_are_counted() {
        assert_eq!(
            comment_lines(
                "# no\na: # one\n  b: \"#\" # two\nc: 1 # no\n",
                Pointer::from_static("/a")
            ),
            [2, 3]
        );
        assert_eq!(comment_lines("a: 1\n", Pointer::from_static("/b")), [0; 0]);
    }
}
