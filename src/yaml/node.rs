//! One node of a document's tree: what it is, how it is written, where it stands.

use std::borrow::Cow;

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A mapping: keys and values in turn.
    Map,
    /// A sequence.
    Seq,
    /// A plain scalar; one of no length is an absent value.
    Plain,
    /// A scalar in single or double quotes.
    Quoted,
    /// A literal or folded block scalar; the span starts at its first content, not at the `|`.
    Block,
    /// An alias; `target` is the node it stands for.
    Alias,
}

/// How a collection is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// By indentation.
    Block,
    /// In brackets.
    Flow,
    /// A mapping of one pair inside a flow sequence, without brackets of its own.
    Pair,
}

/// The tags that change Go's reading of a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    None,
    Str,
    Bool,
    Int,
    Float,
    Null,
    Timestamp,
    Binary,
    Merge,
    /// `!`: keeps a plain `<<` a merge key, makes everything else a string.
    NonSpecific,
    Other,
}

/// One node; offsets are bytes of the document.
#[derive(Clone, Debug)]
pub(super) struct Node<'t> {
    pub(super) text: Cow<'t, str>,
    pub(super) start: u32,
    /// The end of the content: of a block collection that of its last child, of a block scalar a start of a line.
    pub(super) end: u32,
    /// The node behind this one's subtree.
    pub(super) next: u32,
    /// For an alias the node that it stands for.
    pub(super) target: u32,
    pub(super) kind: Kind,
    pub(super) style: Style,
    pub(super) tag: Tag,
    pub(super) anchored: bool,
}
