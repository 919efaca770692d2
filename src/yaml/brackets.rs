//! How collections in brackets are written near a place of a document, and values written in the same way: on one line or
//! with a line for each entry, with blanks inside the brackets, quotes, and a comma behind the last entry.

use super::locate::Path;
use super::node::{Kind, Node, Style};
use super::splice::layout::Layout;
use super::tree::Tree;
use super::trivia::skip_trivia;
use super::value::reads_as_string;
use super::write::{flow, is_simple, quoted};
use serde_json::Value;

/// How many nodes of a collection are read to find out how it is written.
const ENOUGH: usize = 256;

/// The way in which a collection in brackets is written.
#[derive(Clone, Debug, Default)]
pub(super) struct Brackets {
    newline: &'static str,
    /// How much further the entries stand than the line of their bracket.
    step: Option<String>,
    /// Whether keys and strings stand without quotes.
    plain_keys: Option<bool>,
    plain_strings: Option<bool>,
    /// What stands between a key and its value, and between two entries on one line.
    colon: Option<&'static str>,
    comma: Option<&'static str>,
    /// The blanks inside the brackets of maps and lists that stand on one line.
    blanks: [Option<String>; 2],
    /// Whether a comma stands behind the last entry, where each has its own line.
    last_comma: Option<bool>,
    /// Whether entries have lines of their own: in maps and lists, without and with collections in them.
    lines: [[Option<bool>; 2]; 2],
}

impl Brackets {
    /// Reads how brackets are written in a node that gives its place, if one does, then in each collection on the path,
    /// from the innermost on.
    pub(super) fn near(tree: &Tree<'_>, layout: &Layout<'_, '_>, path: &Path, old: Option<u32>) -> Self {
        let mut brackets = Self {
            newline: layout.newline(),
            ..Self::default()
        };
        let above = path.steps.iter().rev().map(|step| step.node).chain([0]);
        for scope in old.into_iter().chain(above) {
            let until = (tree.node(scope).next as usize).min(scope as usize + ENOUGH) as u32;
            for node in scope..until {
                brackets.learn(tree, layout, node);
            }
        }
        brackets
    }

    /// Learns from one collection what is not known yet.
    fn learn(&mut self, tree: &Tree<'_>, layout: &Layout<'_, '_>, index: u32) {
        match tree.node(index).kind {
            Kind::Map => {
                if let Some((key, _)) = tree.pairs(index).next() {
                    set(&mut self.plain_keys, || tree.node(key).kind == Kind::Plain);
                }
                tree.pairs(index)
                    .take(ENOUGH)
                    .for_each(|(_, value)| self.learn_quotes(tree.node(value)));
            }
            Kind::Seq => tree
                .children(index)
                .take(ENOUGH)
                .for_each(|item| self.learn_quotes(tree.node(item))),
            _ => return,
        }
        self.learn_lines(tree, layout, index);
    }

    /// Learns from a string that could stand without quotes.
    fn learn_quotes(&mut self, node: &Node<'_>) {
        match node.kind {
            Kind::Quoted if is_simple(&node.text) => set(&mut self.plain_strings, || false),
            Kind::Plain if node.start < node.end && reads_as_string(&node.text) => {
                set(&mut self.plain_strings, || true);
            }
            _ => {}
        }
    }

    /// Learns from one collection in brackets.
    fn learn_lines(&mut self, tree: &Tree<'_>, layout: &Layout<'_, '_>, index: u32) {
        let node = tree.node(index);
        if node.style != Style::Flow || node.next == index + 1 {
            return;
        }
        let children: Vec<u32> = tree.children(index).take(3).collect();
        let start = |child: u32| tree.node(child).start as usize;
        let (open, first) = (node.start as usize, start(children[0]));
        let Some(gap) = tree.text.get(open + 1..first) else {
            return;
        };
        let spread = gap.contains('\n');
        let is_map = node.kind == Kind::Map;
        let nested = tree.children(index).take(ENOUGH).any(|child| is_filled(tree, child));
        set(&mut self.lines[usize::from(is_map)][usize::from(nested)], || spread);
        if is_map && tree.node(children[1]).start < tree.node(children[1]).end {
            let between = &tree.text[tree.node(children[0]).end as usize..start(children[1])];
            set(&mut self.colon, || if between == ":" { ":" } else { ": " });
        }
        if spread {
            let line = |at: usize| layout.indentation(at);
            let step = line(first).strip_prefix(line(open)).filter(|step| !step.is_empty());
            if let (None, Some(step)) = (&self.step, step) {
                self.step = Some(step.to_owned());
            }
            set(&mut self.last_comma, || {
                let last = tree
                    .children(index)
                    .last()
                    .map_or(open, |last| tree.node(last).end as usize);
                tree.text[skip_trivia(tree.text, last)..].starts_with(',')
            });
            return;
        }
        if gap.trim_matches(' ').is_empty() {
            set(&mut self.blanks[usize::from(is_map)], || gap.to_owned());
        }
        let second = children.get(if is_map { 2 } else { 1 });
        let before = children[usize::from(is_map)];
        if let Some(second) = second {
            let between = tree.text.get(tree.node(before).end as usize..start(*second));
            set(&mut self.comma, || if between == Some(",") { "," } else { ", " });
        }
    }

    /// Returns what separates two entries on one line.
    pub(super) fn comma(&self) -> &'static str {
        self.comma.unwrap_or(", ")
    }

    /// Writes an entry: a key and its value, or an item. `line` is the indentation of its line, where it has one for
    /// itself.
    pub(super) fn entry(&self, out: &mut String, key: Option<&str>, value: &Value, line: Option<&str>) {
        if let Some(key) = key {
            let plain = self.plain_keys == Some(true) && is_simple(key);
            let colon = if plain { ": " } else { self.colon.unwrap_or(": ") };
            text(out, key, plain);
            out.push_str(colon);
        }
        self.value(out, value, line);
    }

    /// Writes a value; `line` is the indentation of its entry's line, where that has one for itself.
    pub(super) fn value(&self, out: &mut String, value: &Value, line: Option<&str>) {
        let (is_map, entries): (bool, Vec<(Option<&str>, &Value)>) = match value {
            Value::Object(map) => (
                true,
                map.iter().map(|(key, value)| (Some(key.as_str()), value)).collect(),
            ),
            Value::Array(items) => (false, items.iter().map(|item| (None, item)).collect()),
            Value::String(string) => {
                let plain = self.plain_strings.or(self.plain_keys) == Some(true);
                return text(out, string, plain && is_simple(string));
            }
            _ => return flow(out, value),
        };
        out.push(if is_map { '{' } else { '[' });
        let nested = entries.iter().any(|(_, value)| is_filled_value(value));
        let spread = self.lines[usize::from(is_map)][usize::from(nested)].unwrap_or(true);
        match line.filter(|_| spread && !entries.is_empty()) {
            Some(line) => {
                let inner = format!("{line}{}", self.step.as_deref().unwrap_or("  "));
                let count = entries.len();
                for (number, (key, value)) in (1..).zip(entries) {
                    out.push_str(self.newline);
                    out.push_str(&inner);
                    self.entry(out, key, value, Some(&inner));
                    let comma = number < count || self.last_comma == Some(true);
                    out.push_str(if comma { "," } else { "" });
                }
                out.push_str(self.newline);
                out.push_str(line);
            }
            None => {
                let blanks = self.blanks[usize::from(is_map)]
                    .as_deref()
                    .filter(|_| !entries.is_empty());
                out.push_str(blanks.unwrap_or_default());
                for (number, (key, value)) in entries.into_iter().enumerate() {
                    out.push_str(if number > 0 { self.comma() } else { "" });
                    self.entry(out, key, value, None);
                }
                out.push_str(blanks.unwrap_or_default());
            }
        }
        out.push(if is_map { '}' } else { ']' });
    }
}

/// Writes a string, without quotes where it may stand so.
fn text(out: &mut String, text: &str, plain: bool) {
    if plain {
        out.push_str(text);
    } else {
        quoted(out, text);
    }
}

/// Reports whether a node is a collection with entries.
fn is_filled(tree: &Tree<'_>, node: u32) -> bool {
    matches!(tree.node(node).kind, Kind::Map | Kind::Seq) && tree.node(node).next > node + 1
}

/// Reports the same as [`is_filled`] for a value.
fn is_filled_value(value: &Value) -> bool {
    value.as_object().is_some_and(|map| !map.is_empty()) || value.as_array().is_some_and(|list| !list.is_empty())
}

/// Sets what is not known yet.
fn set<T>(known: &mut Option<T>, value: impl FnOnce() -> T) {
    if known.is_none() {
        *known = Some(value());
    }
}
