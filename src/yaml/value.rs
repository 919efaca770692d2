//! Reads a tree as a JSON value, as Go does: go-yaml version 2 decodes, `sigs.k8s.io/yaml` makes JSON of it, Kubernetes
//! keeps 64-bit integers.
//!
//! No Rust crate does all of this: `yes`, `on`, `y` are booleans, as keys too; `0644` is 420; `<<` merges in the
//! order of the document, so that it overrides what stands before it; the last of two equal keys wins; numbers that are
//! integral floats are integers. Null and unsigned 64-bit keys, `.inf` and aliases out of proportion are errors, as in Go.

mod scalar;

use super::error::YamlError;
use super::node::{Kind, Node, Tag};
use super::tree::{MAX_DEPTH, Tree};
use scalar::Scalar;
use serde_json::{Map, Number, Value};
use std::borrow::Cow;
use std::collections::HashMap;

pub(super) use scalar::reads_as_string;

/// Reads one document; returns `None` for an empty or null one.
pub fn value(text: &str) -> Result<Option<Value>, YamlError> {
    let tree = Tree::parse(text)?;
    if tree.is_empty() {
        Ok(None)
    } else {
        tree.value().map(Some)
    }
}

impl Tree<'_> {
    /// Returns the document's value as Go reads it; null for an empty document.
    pub fn value(&self) -> Result<Value, YamlError> {
        if self.nodes.is_empty() {
            return Ok(Value::Null);
        }
        Reader {
            tree: self,
            decoded: 0,
            aliased: 0,
            bytes: 0,
            aliases: 0,
            depth: 0,
        }
        .node(0)
    }

    /// Reports whether the document is empty or null, which Go's readers drop.
    pub fn is_empty(&self) -> bool {
        self.nodes.first().is_none_or(is_null)
    }

    /// Reports whether [`Tree::value`] would give exactly this value, mostly without building it.
    pub(super) fn reads_as(&self, expected: &Value) -> bool {
        let plainly = if self.nodes.is_empty() {
            None
        } else {
            self.node_reads_as(0, expected)
        };
        plainly.unwrap_or_else(|| self.value().is_ok_and(|value| value == *expected))
    }

    /// Reports the same for a node; `None` where only a full reading can decide: aliases, merges, duplicate keys.
    fn node_reads_as(&self, index: u32, expected: &Value) -> Option<bool> {
        match (self.node(index).kind, expected) {
            (Kind::Alias, _) => None,
            (Kind::Map, Value::Object(map)) => {
                let mut pairs = 0;
                for (key, value) in self.pairs(index) {
                    pairs += 1;
                    let text = self.key(key).ok().filter(|_| !self.is_merge(key))?;
                    match map.get(text.as_ref()) {
                        Some(expected) if self.node_reads_as(value, expected)? => {}
                        _ => return None,
                    }
                }
                if pairs == map.len() { Some(true) } else { None }
            }
            (Kind::Seq, Value::Array(items)) => {
                let mut children = self.children(index);
                for item in items {
                    match children.next() {
                        Some(child) if self.node_reads_as(child, item)? => {}
                        _ => return None,
                    }
                }
                Some(children.next().is_none())
            }
            (Kind::Map | Kind::Seq, _) => None,
            (_, expected) => Some(match (self.scalar(index).ok()?, expected) {
                (Scalar::Str(text), Value::String(expected)) => text == *expected,
                (Scalar::Null, Value::Null) => true,
                (Scalar::Bool(value), Value::Bool(expected)) => value == *expected,
                (Scalar::Int(value), Value::Number(number)) => number.as_i64() == Some(value),
                (Scalar::Float(value), Value::Number(number)) => scalar::float(value).as_ref() == Some(number),
                (Scalar::Unsigned(value), Value::Number(number)) => {
                    scalar::float(value as f64).as_ref() == Some(number)
                }
                _ => false,
            }),
        }
    }

    /// Returns a key as the text that JSON gets.
    pub(super) fn key(&self, index: u32) -> Result<Cow<'_, str>, YamlError> {
        self.key_and_source(index).map(|(text, _)| text)
    }

    /// Returns a key as the text that JSON gets, and what it was if it was no string.
    fn key_and_source(&self, index: u32) -> Result<(Cow<'_, str>, Option<Source>), YamlError> {
        match self.node(index).kind {
            Kind::Alias => self.key_and_source(self.aliased(index)?),
            Kind::Map | Kind::Seq => Err(self.error(index, "a key is a collection")),
            _ => match self.scalar(index)? {
                Scalar::Str(text) => Ok((text, None)),
                Scalar::Null => Err(self.error(index, "a key is null")),
                Scalar::Unsigned(_) => Err(self.error(index, "a key is an integer of more than 63 bits")),
                Scalar::Bool(value) => Ok((
                    Cow::Borrowed(if value { "true" } else { "false" }),
                    Some(Source::Bool(value)),
                )),
                Scalar::Int(value) => Ok((Cow::Owned(value.to_string()), Some(Source::Int(value)))),
                Scalar::Float(value) => Ok((
                    Cow::Owned(scalar::float_key(value)),
                    Some(Source::Float(value.to_bits())),
                )),
            },
        }
    }

    fn scalar(&self, index: u32) -> Result<Scalar<'_>, YamlError> {
        let node = self.node(index);
        let plain = node.kind == Kind::Plain;
        scalar::read(&node.text, plain, node.tag).map_err(|message| self.error(index, message))
    }

    /// Returns the node that an alias stands for.
    fn aliased(&self, index: u32) -> Result<u32, YamlError> {
        let target = self.node(index).target;
        if target <= index && index < self.node(target).next {
            return Err(self.error(index, "an anchor's value contains itself"));
        }
        Ok(target)
    }

    /// Reports whether a key is a merge key.
    pub(super) fn is_merge(&self, index: u32) -> bool {
        let node = self.node(index);
        let scalar = matches!(node.kind, Kind::Plain | Kind::Quoted | Kind::Block);
        let implicit = matches!(node.tag, Tag::NonSpecific) || (node.kind == Kind::Plain && node.tag == Tag::None);
        scalar && node.text == "<<" && (implicit || node.tag == Tag::Merge)
    }
}

/// Reports whether a node reads as null.
fn is_null(node: &Node<'_>) -> bool {
    match node.kind {
        Kind::Alias | Kind::Map | Kind::Seq => false,
        _ => matches!(
            scalar::read(&node.text, node.kind == Kind::Plain, node.tag),
            Ok(Scalar::Null)
        ),
    }
}

/// Brings the numbers of a value into the one form in which [`Tree::value`] returns them.
pub(super) fn normalise(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some(float) = number.as_f64().filter(|_| number.as_i64().is_none()) {
                *value = scalar::float(float).map_or(Value::Null, Value::Number);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(normalise),
        Value::Object(map) => map.values_mut().for_each(normalise),
        _ => {}
    }
}

/// What go-yaml's decoder counts while it reads.
struct Reader<'a, 't> {
    tree: &'a Tree<'t>,
    decoded: u32,
    aliased: u32,
    /// Bytes of strings that aliases brought.
    bytes: usize,
    /// How many aliases the walk is inside of.
    aliases: u32,
    depth: usize,
}

/// What a key was before it became text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Bool(bool),
    Int(i64),
    Float(u64),
}

/// For keys that were no strings: what they were. Go keeps `1` and `"1"` apart until it makes JSON of them, and then
/// takes either.
type OddKeys = HashMap<String, Source>;

impl Reader<'_, '_> {
    fn node(&mut self, index: u32) -> Result<Value, YamlError> {
        self.count(index)?;
        let node = self.tree.node(index);
        match node.kind {
            Kind::Alias => self.through_alias(index, Self::node),
            Kind::Map => {
                // Exactly as large as it gets: most of a repository's memory is maps.
                let mut map = Map::with_capacity(self.tree.pairs(index).count());
                self.map(index, &mut map, &mut OddKeys::new())?;
                Ok(Value::Object(map))
            }
            Kind::Seq => {
                self.deeper(index)?;
                let mut items = Vec::new();
                for child in self.tree.children(index) {
                    items.push(self.node(child)?);
                }
                self.depth -= 1;
                Ok(Value::Array(items))
            }
            Kind::Plain | Kind::Quoted | Kind::Block => match self.tree.scalar(index)? {
                Scalar::Null => Ok(Value::Null),
                Scalar::Bool(value) => Ok(Value::Bool(value)),
                Scalar::Int(value) => Ok(Value::Number(value.into())),
                Scalar::Unsigned(value) => self.float(index, value as f64),
                Scalar::Float(value) => self.float(index, value),
                Scalar::Str(text) => {
                    self.count_bytes(index, text.len())?;
                    Ok(Value::String(text.into_owned()))
                }
            },
        }
    }

    fn float(&self, index: u32, value: f64) -> Result<Value, YamlError> {
        let number: Option<Number> = scalar::float(value);
        number
            .map(Value::Number)
            .ok_or_else(|| self.tree.error(index, "infinity and `.nan` have no JSON"))
    }

    fn map(&mut self, index: u32, map: &mut Map<String, Value>, odd: &mut OddKeys) -> Result<(), YamlError> {
        self.deeper(index)?;
        let tree = self.tree;
        for (key, value) in tree.pairs(index) {
            if tree.is_merge(key) {
                self.merge(value, map, odd)?;
                continue;
            }
            self.count(key)?;
            let (text, source) = tree.key_and_source(key)?;
            if source.is_some() || !odd.is_empty() {
                self.one_reading((key, &text), source, map, odd)?;
            }
            self.count_bytes(key, text.len())?;
            let value = self.node(value)?;
            map.insert(text.into_owned(), value);
        }
        self.depth -= 1;
        Ok(())
    }

    /// Refuses `1` beside `"1"`, of which Go takes either.
    fn one_reading(
        &self,
        (key, text): (u32, &str),
        source: Option<Source>,
        map: &Map<String, Value>,
        odd: &mut OddKeys,
    ) -> Result<(), YamlError> {
        if map.contains_key(text) && odd.get(text).copied() != source {
            let message = "a key stands twice, as a string and as something else that reads alike";
            return Err(self.tree.error(key, message));
        }
        if let Some(source) = source {
            odd.insert(text.to_owned(), source);
        }
        Ok(())
    }

    fn merge(&mut self, index: u32, map: &mut Map<String, Value>, odd: &mut OddKeys) -> Result<(), YamlError> {
        if self.tree.node(index).kind != Kind::Seq {
            return self.merge_one(index, map, odd);
        }
        let items: Vec<u32> = self.tree.children(index).collect();
        // Backwards: of two that have a key, the earlier wins.
        items
            .into_iter()
            .rev()
            .try_for_each(|item| self.merge_one(item, map, odd))
    }

    fn merge_one(&mut self, index: u32, map: &mut Map<String, Value>, odd: &mut OddKeys) -> Result<(), YamlError> {
        self.count(index)?;
        match self.tree.node(index).kind {
            Kind::Map => self.map(index, map, odd),
            Kind::Alias if self.tree.node(self.tree.aliased(index)?).kind == Kind::Map => {
                self.through_alias(index, |reader, target| {
                    reader.count(target)?;
                    reader.map(target, map, odd)
                })
            }
            _ => Err(self
                .tree
                .error(index, "a merge key has neither a mapping nor a list of mappings")),
        }
    }

    fn through_alias<T>(
        &mut self,
        index: u32,
        read: impl FnOnce(&mut Self, u32) -> Result<T, YamlError>,
    ) -> Result<T, YamlError> {
        let target = self.tree.aliased(index)?;
        self.aliases += 1;
        let result = read(self, target)?;
        self.aliases -= 1;
        Ok(result)
    }

    fn deeper(&mut self, index: u32) -> Result<(), YamlError> {
        self.depth += 1;
        if self.depth <= MAX_DEPTH {
            return Ok(());
        }
        Err(self.tree.error(
            index,
            format!("aliases nest collections deeper than {MAX_DEPTH} levels"),
        ))
    }

    fn count_bytes(&mut self, index: u32, bytes: usize) -> Result<(), YamlError> {
        if self.aliases > 0 {
            self.bytes += bytes;
            if self.bytes > ALIASED_BYTES {
                return Err(self.tree.error(index, "aliases make the document excessively large"));
            }
        }
        Ok(())
    }

    /// Counts a node, and refuses more through aliases than Go allows.
    fn count(&mut self, index: u32) -> Result<(), YamlError> {
        self.decoded += 1;
        if self.aliases == 0 {
            return Ok(());
        }
        self.aliased += 1;
        let (decoded, aliased) = (f64::from(self.decoded), f64::from(self.aliased));
        if self.aliased > 100 && self.decoded > 1000 && aliased / decoded > allowed_ratio(decoded) {
            return Err(self.tree.error(index, "aliases make the document excessively large"));
        }
        Ok(())
    }
}

/// How many bytes of strings aliases may bring. Go shares the strings; a value here has a copy of each.
const ALIASED_BYTES: usize = 64 << 20;

fn allowed_ratio(decoded: f64) -> f64 {
    const LOW: f64 = 400_000.0;
    const HIGH: f64 = 4_000_000.0;
    match decoded {
        d if d <= LOW => 0.99,
        d if d >= HIGH => 0.10,
        d => 0.99 - 0.89 * ((d - LOW) / (HIGH - LOW)),
    }
}

#[cfg(test)]
mod tests;
