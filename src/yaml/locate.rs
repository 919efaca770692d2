//! Finds the node and the span that a JSON Pointer leads to.

use super::node::{Kind, Style};
use super::tree::Tree;
use jsonptr::index::Index;
use jsonptr::{Pointer, Token};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::rc::Rc;

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
    /// Does the same as [`Locator::locate`] for a single pointer.
    pub fn locate(&self, pointer: &Pointer) -> Option<Span> {
        Locator::new(self).locate(pointer)
    }

    /// Does the same as [`Locator::path`] for a single pointer.
    pub(super) fn path(&self, pointer: &Pointer) -> Option<Path> {
        Locator::new(self).path(pointer)
    }

    /// Returns the offsets of the keys that stand a second time in their mapping, of which Go takes the last; in order.
    pub fn repeated_keys(&self) -> Vec<usize> {
        let maps = (0..self.nodes.len() as u32).filter(|index| self.node(*index).kind == Kind::Map);
        let repeated = maps.filter_map(|map| {
            let mut seen = HashSet::new();
            let mut keys = self.pairs(map).map(|(key, _)| key);
            keys.find(|key| self.key(*key).is_ok_and(|text| !seen.insert(text)))
        });
        let mut offsets: Vec<usize> = repeated.map(|key| self.node(key).start as usize).collect();
        offsets.sort_unstable();
        offsets
    }

    /// Reports whether a node is a collection by indentation.
    pub(super) fn is_block(&self, index: u32) -> bool {
        let node = self.node(index);
        matches!(node.kind, Kind::Map | Kind::Seq) && node.style == Style::Block
    }
}

/// How many nodes a container may have below it and is searched from its start: an index would take longer.
const SMALL: u32 = 64;

/// Finds nodes of a tree. The entries of a large container are gone through once, so that many lookups take no longer for
/// each the more entries there are.
#[derive(Debug)]
pub struct Locator<'a, 't> {
    tree: &'a Tree<'t>,
    /// The children of containers: those of a map are its keys and values in turn.
    children: RefCell<HashMap<u32, Rc<[u32]>>>,
    /// The entries of maps by their keys.
    entries: RefCell<HashMap<u32, Entries<'a>>>,
}

type Entries<'a> = HashMap<Cow<'a, str>, Step>;

impl<'a, 't> Locator<'a, 't> {
    /// Returns a locator for a tree.
    pub fn new(tree: &'a Tree<'t>) -> Self {
        Self {
            tree,
            children: RefCell::default(),
            entries: RefCell::default(),
        }
    }

    /// Returns the span of what a JSON Pointer leads to; `None` if there is nothing, or it is behind an alias or a
    /// merge.
    pub fn locate(&self, pointer: &Pointer) -> Option<Span> {
        let path = self.path(pointer)?;
        let range = |index: u32| self.tree.node(index).start as usize..self.tree.node(index).end as usize;
        let key = path.steps.last().and_then(|step| step.key).map(range);
        (!self.tree.nodes.is_empty()).then(|| Span {
            key,
            value: range(path.node()),
        })
    }

    /// Returns the text of the scalar that a JSON Pointer leads to, without quotes and before Go reads it: `1.30`, and not
    /// the number 1.3. `None` where there is none, or it is behind an alias or a merge.
    pub fn scalar_text(&self, pointer: &Pointer) -> Option<&'a str> {
        let tree = self.tree;
        let node = tree.nodes.get(self.path(pointer)?.node() as usize)?;
        matches!(node.kind, Kind::Plain | Kind::Quoted | Kind::Block).then(|| node.text.as_ref())
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
        if self.tree.nodes.is_empty() {
            return Found::Elsewhere;
        }
        let found =
            match self.tree.node(container).kind {
                Kind::Map if self.is_small(container) => self.map_entries(container).fold(
                    None,
                    |found, (key, step)| {
                        if key == token.decoded() { Some(step) } else { found }
                    },
                ),
                Kind::Map => {
                    let mut entries = self.entries.borrow_mut();
                    let entries = entries
                        .entry(container)
                        .or_insert_with(|| self.map_entries(container).collect());
                    entries.get(token.decoded().as_ref()).copied()
                }
                Kind::Seq => match token.to_index() {
                    Ok(Index::Num(position)) => self.child(container, position).map(|node| Step {
                        container,
                        key: None,
                        position,
                        node,
                    }),
                    _ => None,
                },
                _ => return Found::Elsewhere,
            };
        found.map_or(Found::Absent, Found::Entry)
    }

    /// Returns the entries of a map with their keys as they are read, but for merges.
    fn map_entries(&self, container: u32) -> impl Iterator<Item = (Cow<'a, str>, Step)> + 'a {
        let tree = self.tree;
        tree.pairs(container)
            .enumerate()
            .filter_map(move |(position, (key, node))| {
                let text = tree.key(key).ok().filter(|_| !tree.is_merge(key))?;
                let step = Step {
                    container,
                    key: Some(key),
                    position,
                    node,
                };
                Some((text, step))
            })
    }

    /// Returns one of the children of a container.
    pub(super) fn child(&self, container: u32, position: usize) -> Option<u32> {
        if self.is_small(container) {
            self.tree.children(container).nth(position)
        } else {
            self.children(container).get(position).copied()
        }
    }

    /// Returns how many entries a container has.
    pub(super) fn len(&self, container: u32) -> usize {
        let children = self.children(container).len();
        if self.tree.node(container).kind == Kind::Map {
            children / 2
        } else {
            children
        }
    }

    /// Returns the children of a container.
    pub(super) fn children(&self, container: u32) -> Rc<[u32]> {
        let mut known = self.children.borrow_mut();
        let children = known
            .entry(container)
            .or_insert_with(|| self.tree.children(container).collect());
        Rc::clone(children)
    }

    fn is_small(&self, container: u32) -> bool {
        self.tree.node(container).next - container <= SMALL
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
    fn large_containers_are_searched_as_small_ones() {
        let list = |count: usize| (0..count).map(|item| format!("- i{item}\n")).collect::<String>();
        let map = |count: usize| (0..count).map(|key| format!("  k{key}: v{key}\n")).collect::<String>();
        for count in [3, 500] {
            let text = format!("l:\n{}m:\n{}  k0: again\n", list(count), map(count));
            let tree = Tree::parse(&text).unwrap();
            let locator = Locator::new(&tree);
            let value = |pointer: String| {
                let pointer = jsonptr::PointerBuf::parse(pointer).unwrap();
                locator.locate(&pointer).map(|span| &text[span.value])
            };
            assert_eq!(
                value(format!("/l/{}", count - 1)),
                Some(format!("i{}", count - 1).as_str())
            );
            assert_eq!(value(format!("/l/{count}")), None);
            assert_eq!(value("/m/k2".to_owned()), Some("v2"));
            assert_eq!(value("/m/k0".to_owned()), Some("again"));
            assert_eq!(value("/m/k".to_owned()), None);
        }
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
