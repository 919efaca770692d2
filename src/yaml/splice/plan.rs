//! Operations → changes of entries of one tree: what belongs together is put together, what would move what another
//! operation names waits for the next round.

use super::error::Refusal;
use crate::yaml::locate::{Found, Locator, Path, Step};
use crate::yaml::node::{Kind, Style};
use crate::yaml::tree::Tree;
use json_patch::{AddOperation, PatchOperation, RemoveOperation, ReplaceOperation};
use jsonptr::index::Index;
use jsonptr::{Pointer, PointerBuf};
use serde_json::Value;
use std::collections::HashMap;

/// A change of a value at a path.
#[derive(Clone, Debug)]
pub(super) struct Op {
    path: PointerBuf,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Add(Value),
    Replace(Value),
    Remove,
}

impl Op {
    pub(super) fn add(path: &Pointer, value: Value) -> Self {
        Self::new(path, What::Add(value))
    }

    pub(super) fn replace(path: &Pointer, value: Value) -> Self {
        Self::new(path, What::Replace(value))
    }

    pub(super) fn remove(path: &Pointer) -> Self {
        Self::new(path, What::Remove)
    }

    fn new(path: &Pointer, what: What) -> Self {
        Self {
            path: path.to_buf(),
            what,
        }
    }

    /// Returns how deep the value reaches that it brings.
    pub(super) fn depth(&self) -> usize {
        fn depth(value: &Value) -> usize {
            match value {
                Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
                Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
                _ => 0,
            }
        }
        match &self.what {
            What::Add(value) | What::Replace(value) => self.path.count() + depth(value),
            What::Remove => 0,
        }
    }

    /// Returns how many nodes the value has that it brings.
    pub(super) fn size(&self) -> usize {
        fn size(value: &Value) -> usize {
            match value {
                Value::Array(items) => 1 + items.iter().map(size).sum::<usize>(),
                Value::Object(map) => 1 + map.values().map(size).sum::<usize>(),
                _ => 1,
            }
        }
        match &self.what {
            What::Add(value) | What::Replace(value) => size(value),
            What::Remove => 0,
        }
    }

    /// Returns the operation for the value that the first `depth` keys lead to.
    fn below(self, depth: usize) -> PatchOperation {
        let path = PointerBuf::from_tokens(self.path.tokens().skip(depth));
        match self.what {
            What::Add(value) => PatchOperation::Add(AddOperation { path, value }),
            What::Replace(value) => PatchOperation::Replace(ReplaceOperation { path, value }),
            What::Remove => PatchOperation::Remove(RemoveOperation { path }),
        }
    }
}

/// A change of one entry of the tree.
#[derive(Clone, Debug)]
pub(super) enum Change {
    /// A new entry at the end of a container.
    Append {
        container: Path,
        key: Option<String>,
        value: Value,
    },
    /// Another value in an entry's place.
    Replace { path: Path, value: Value },
    /// A new item before one of a sequence.
    Before { path: Path, value: Value },
    /// An entry gone.
    Remove { path: Path },
}

impl Change {
    fn value(&mut self) -> Option<&mut Value> {
        match self {
            Self::Append { value, .. } | Self::Replace { value, .. } | Self::Before { value, .. } => Some(value),
            Self::Remove { .. } => None,
        }
    }
}

/// Changes of one tree that do not touch each other.
#[derive(Debug, Default)]
pub(super) struct Plan {
    changes: Vec<(PointerBuf, Change)>,
    /// The path of each change with its number, and every path above one.
    paths: HashMap<String, Option<usize>>,
    /// How many entries each container gets.
    appended: HashMap<u32, usize>,
    /// A change that moves others is alone in its round.
    alone: bool,
}

/// What a plan did with an operation.
pub(super) enum Taken {
    Yes,
    /// It has to wait until the text has what is planned.
    Later(Op),
}

impl Plan {
    pub(super) fn changes(self) -> impl Iterator<Item = Change> {
        self.changes.into_iter().map(|(_, change)| change)
    }

    /// Takes an operation into the plan.
    pub(super) fn take(&mut self, tree: &Tree<'_>, locator: &Locator<'_, '_>, op: Op) -> Result<Taken, Refusal> {
        if self.alone {
            return Ok(Taken::Later(op));
        }
        let touched = upwards(&op.path).find_map(|path| self.paths.get(path).copied().flatten());
        match touched {
            Some(at) => Ok(self.inside(at, op)),
            None if self.paths.contains_key(op.path.as_str()) => Ok(Taken::Later(op)),
            None => self.fresh(tree, locator, op),
        }
    }

    /// Notes a change.
    fn push(&mut self, path: PointerBuf, change: Change) {
        for above in upwards(&path).skip(1) {
            self.paths.entry(above.to_owned()).or_default();
        }
        self.paths.insert(path.as_str().to_owned(), Some(self.changes.len()));
        if let Change::Append { container, .. } = &change {
            *self.appended.entry(container.node()).or_default() += 1;
        }
        self.changes.push((path, change));
    }

    /// Takes an operation on the value of a planned change.
    fn inside(&mut self, at: usize, op: Op) -> Taken {
        let (path, change) = &mut self.changes[at];
        let whole = op.path == *path;
        // An addition at an item of a list is another item before it.
        let keyed = match change {
            Change::Replace { path, .. } => path.steps.last().is_some_and(|step| step.key.is_some()),
            Change::Append { key, .. } => key.is_some(),
            _ => false,
        };
        let Some(value) = change.value() else {
            return Taken::Later(op);
        };
        match op.what {
            What::Replace(new) if whole => *value = new,
            What::Add(new) if whole && keyed => *value = new,
            _ if whole => return Taken::Later(op),
            _ => {
                let depth = path.count();
                let kept = op.clone();
                if json_patch::patch(value, &[op.below(depth)]).is_err() {
                    return Taken::Later(kept);
                }
            }
        }
        Taken::Yes
    }

    /// Takes an operation on what the text has already.
    fn fresh(&mut self, tree: &Tree<'_>, locator: &Locator<'_, '_>, mut op: Op) -> Result<Taken, Refusal> {
        let whole = Refusal {
            offset: 0,
            reason: "the patch is about the document as a whole",
        };
        let path = op.path.clone();
        let (parent, last) = path.split_back().ok_or(whole)?;
        let hidden = || Refusal {
            offset: deepest(tree, locator, &path),
            reason: "the path leads through an alias or a merge",
        };
        let container = locator.path(parent).ok_or_else(hidden)?;
        let list = tree.node(container.node()).kind == Kind::Seq;
        let found = match locator.step(container.node(), &last) {
            Found::Elsewhere => return Err(hidden()),
            Found::Absent => None,
            Found::Entry(step) => {
                let mut path = container.clone();
                path.steps.push(step);
                Some(path)
            }
        };
        // The first entry of a map gives its place to the next, and the last one that is left leaves `{}`.
        let first = || {
            found
                .as_ref()
                .and_then(|path| path.steps.last())
                .is_none_or(|step| step.position == 0)
        };
        let behind = || {
            let step = found.as_ref().and_then(|path| path.steps.last());
            step.is_some_and(|step| has_blanks_behind(tree, step))
        };
        let moves = match op.what {
            What::Remove => list || tree.node(container.node()).style != Style::Block || first() || behind(),
            What::Add(_) => list && found.is_some(),
            What::Replace(_) => false,
        };
        if moves && !self.changes.is_empty() {
            return Ok(Taken::Later(op));
        }
        self.alone = moves;
        let change = match (op.what, found) {
            (What::Remove, Some(path)) => Change::Remove { path },
            (What::Add(value), Some(path)) if list => Change::Before { path, value },
            (What::Add(value) | What::Replace(value), Some(path)) => Change::Replace { path, value },
            (What::Add(value), None) if list => {
                let appended = self.appended.get(&container.node()).copied().unwrap_or_default();
                let next = locator.len(container.node()) + appended;
                match last.to_index() {
                    Ok(Index::Next) => {}
                    Ok(Index::Num(index)) if index == next => {}
                    _ => return Err(hidden()),
                }
                op.path = parent.with_trailing_token(next);
                Change::Append {
                    container,
                    key: None,
                    value,
                }
            }
            // A key that a merge brings is overridden by one behind it.
            (What::Add(value) | What::Replace(value), None) if !list => Change::Append {
                container,
                key: Some(last.decoded().into_owned()),
                value,
            },
            _ => return Err(hidden()),
        };
        self.push(op.path, change);
        Ok(Taken::Yes)
    }
}

/// Reports whether an empty line or an indented comment stands behind the lines of an entry: a block scalar takes it in when
/// the entry leaves, and the one before the entry may be another after the changes that are planned.
fn has_blanks_behind(tree: &Tree<'_>, step: &Step) -> bool {
    let key = step.key.map_or(0, |key| tree.node(key).end as usize);
    let end = key.max(tree.node(step.node).end as usize);
    let rest = &tree.text[end..];
    let next = match tree.text[..end].ends_with('\n') {
        true => rest,
        false => rest.split_once('\n').map_or("", |(_, next)| next),
    };
    let content = next.trim_start_matches([' ', '\t', '\r']);
    !next.is_empty()
        && (content.is_empty() || content.starts_with('\n') || content.len() < next.len() && content.starts_with('#'))
}

/// Returns a path and every path above it, as texts.
fn upwards(path: &Pointer) -> impl Iterator<Item = &str> {
    let text = path.as_str();
    let above = text.rmatch_indices('/').map(|(slash, _)| &text[..slash]);
    std::iter::once(text).chain(above)
}

/// Returns where the walk down a path ends, for the error's line.
fn deepest(tree: &Tree<'_>, locator: &Locator<'_, '_>, path: &Pointer) -> usize {
    let mut at = 0;
    for token in path {
        match locator.step(at, &token) {
            Found::Entry(step) => at = step.node,
            _ => break,
        }
    }
    tree.nodes.get(at as usize).map_or(0, |node| node.start as usize)
}
