//! A template as a tree.

use std::collections::BTreeMap;

use super::literal::Number;

/// A template with those that it defines.
#[derive(Debug, Default)]
pub(super) struct Template {
    pub(super) body: Vec<Node>,
    pub(super) defined: BTreeMap<String, Vec<Node>>,
}

/// A part of a template.
#[derive(Debug, PartialEq)]
pub(super) enum Node {
    Text(String),
    Action(Pipeline),
    If(Control),
    With(Control),
    Range(Control),
    Template(String, Option<Pipeline>),
    Break,
    Continue,
}

/// A pipeline with what depends on it.
#[derive(Debug, PartialEq)]
pub(super) struct Control {
    pub(super) pipeline: Pipeline,
    pub(super) body: Vec<Node>,
    pub(super) otherwise: Vec<Node>,
}

/// Commands, each of which gets the value of the one before.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Pipeline {
    /// The variables that get its value.
    pub(super) variables: Vec<String>,
    /// Whether the variables are there already.
    pub(super) assigns: bool,
    pub(super) commands: Vec<Vec<Term>>,
}

/// A part of a command.
#[derive(Debug, PartialEq)]
pub(super) enum Term {
    Dot,
    Nil,
    Bool(bool),
    Number(Number),
    Text(String),
    Function(String),
    /// The names of a chain of fields.
    Field(Vec<String>),
    /// A variable and the fields behind it.
    Variable(String, Vec<String>),
    Pipeline(Pipeline),
    /// Fields of a pipeline or of a function without arguments.
    Chain(Box<Term>, Vec<String>),
}
