//! Finds the node and the span that a JSON Pointer leads to.

use super::node::{Kind, Style};
use super::tree::Tree;
use jsonptr::index::Index;
use jsonptr::{Pointer, Token};
use std::ops::Range;

/// Where an entry stands, in bytes of the document's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The key, for an entry of a mapping.
    pub key: Option<Range<usize>>,
    /// The value; of no length if it is absent.
    pub value: Range<usize>,
}

/// One step down: which container, which entry of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// The container.
    pub(super) container: u32,
    /// The key, in a mapping.
    pub(super) key: Option<u32>,
    /// Which entry, from 0.
    pub(super) position: usize,
    /// The value.
    pub(super) node: u32,
}

/// The steps of a pointer from the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) steps: Vec<Step>,
}

impl Path {
    /// Returns the node that the path ends at.
    pub(super) fn node(&self) -> u32 {
        self.steps.last().map_or(0, |step| step.node)
    }
}

/// What a lookup of one step found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Entry(Step),
    /// Nothing of that name; a mapping could get it, a merged one may have it from elsewhere.
    Absent,
    /// The container is no collection in this place of the text: an alias or a scalar.
    Elsewhere,
}

impl Tree<'_> {
    /// Returns the span of what a JSON Pointer leads to; `None` if there is nothing, or it is behind an alias or a
    /// merge.
    pub fn locate(&self, pointer: &Pointer) -> Option<Span> {
        let path = self.path(pointer)?;
        let range = |index: u32| self.node(index).start as usize..self.node(index).end as usize;
        let key = path.steps.last().and_then(|step| step.key).map(range);
        (!self.nodes.is_empty()).then(|| Span {
            key,
            value: range(path.node()),
        })
    }

    /// Walks down from the root; `None` where the pointer leads to nothing.
    pub(super) fn path(&self, pointer: &Pointer) -> Option<Path> {
        let mut path = Path::default();
        for token in pointer {
            match self.step(path.node(), &token) {
                Found::Entry(step) => path.steps.push(step),
                Found::Absent | Found::Elsewhere => return None,
            }
        }
        Some(path)
    }

    /// Goes one step down. Of two equal keys the last one counts, as in Go.
    pub(super) fn step(&self, container: u32, token: &Token<'_>) -> Found {
        if self.nodes.is_empty() {
            return Found::Elsewhere;
        }
        let mut found = Found::Absent;
        match self.node(container).kind {
            Kind::Map => {
                let token = token.decoded();
                for (position, (key, node)) in self.pairs(container).enumerate() {
                    if !self.is_merge(key) && self.key(key).is_ok_and(|text| text == token) {
                        found = Found::Entry(Step {
                            container,
                            key: Some(key),
                            position,
                            node,
                        });
                    }
                }
                found
            }
            Kind::Seq => match token.to_index() {
                Ok(Index::Num(position)) => self.children(container).nth(position).map_or(Found::Absent, |node| {
                    Found::Entry(Step {
                        container,
                        key: None,
                        position,
                        node,
                    })
                }),
                _ => Found::Absent,
            },
            _ => Found::Elsewhere,
        }
    }

    /// Returns how many entries a container has.
    pub(super) fn len(&self, container: u32) -> usize {
        let children = self.children(container).count();
        if self.node(container).kind == Kind::Map {
            children / 2
        } else {
            children
        }
    }

    /// Reports whether a node is a collection by indentation.
    pub(super) fn is_block(&self, index: u32) -> bool {
        let node = self.node(index);
        matches!(node.kind, Kind::Map | Kind::Seq) && node.style == Style::Block
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_name_spans() {
        let text = "a:\n  - b: 1 # c\n    \"x/y\": z\nd:\ne: &x {f: [g]}\nh: *x\n";
        let tree = Tree::parse(text).unwrap();
        let value = |pointer: &'static str| tree.locate(Pointer::from_static(pointer)).map(|span| &text[span.value]);
        assert_eq!(value("/a/0/b"), Some("1"));
        assert_eq!(value("/a/0/x~1y"), Some("z"));
        assert_eq!(value("/d"), Some(""));
        assert_eq!(value("/e/f/0"), Some("g"));
        assert_eq!(value("/h"), Some("*x"));
        assert_eq!(value("/h/f"), None);
        assert_eq!(value("/a/1"), None);
        assert_eq!(value("/a/00"), None);
        assert_eq!(
            tree.locate(Pointer::from_static("/a/0/x~1y"))
                .and_then(|span| span.key)
                .map(|key| &text[key]),
            Some("\"x/y\"")
        );
        assert_eq!(value("").map(str::len), Some(text.len() - 1));
    }

    #[test]
    fn keys_are_found_by_their_reading_and_the_last_wins() {
        let text = "yes: 1\na: 2\na: 3\n";
        let tree = Tree::parse(text).unwrap();
        let value = |pointer: &'static str| tree.locate(Pointer::from_static(pointer)).map(|span| &text[span.value]);
        assert_eq!(value("/true"), Some("1"));
        assert_eq!(value("/a"), Some("3"));
        assert_eq!(value("/yes"), None);
    }
}
