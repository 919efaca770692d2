//! What one parameter of the table is: its name, what it holds, and how it is read.

use super::{Parameter, Parameters};

/// What a parameter holds. Argo CD knows strings, arrays of strings and maps of strings; a boolean is the string
/// `true` or `false`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One string.
    String,
    /// `"true"` or `"false"`, exactly.
    Boolean,
    /// A list of strings.
    Array,
    /// A list of strings, where one alone may be a string.
    Texts,
    /// Strings by key.
    Map,
}

impl Shape {
    /// Returns the field of a parameter that holds it, and Argo CD's `collectionType`.
    pub fn field(self) -> &'static str {
        match self {
            Shape::String | Shape::Boolean => "string",
            Shape::Array | Shape::Texts => "array",
            Shape::Map => "map",
        }
    }
}

/// One row of [`TABLE`](super::TABLE).
#[derive(Debug)]
pub struct Spec {
    /// The name in the Application.
    pub name: &'static str,
    /// What it holds.
    pub shape: Shape,
    /// A few words for Argo CD's form.
    pub title: &'static str,
    /// What it does, in a sentence, for the documentation.
    pub doc: &'static str,
    /// Reads it into its field.
    pub(super) set: Setter,
}

/// Reads a parameter of the right shape into its field, or returns what is wrong with each entry.
pub(super) type Setter = fn(&mut Parameters, &Parameter) -> Result<(), Vec<String>>;

pub(super) const fn spec(
    name: &'static str,
    shape: Shape,
    title: &'static str,
    doc: &'static str,
    set: Setter,
) -> Spec {
    Spec {
        name,
        shape,
        title,
        doc,
        set,
    }
}

/// Sets a field that takes every value.
pub(super) fn set<T>(field: &mut T, value: T) -> Result<(), Vec<String>> {
    *field = value;
    Ok(())
}

/// Checks that a parameter has the field of its shape, and no other.
///
/// # Errors
/// What is wrong.
pub(super) fn check_shape(spec: &Spec, parameter: &Parameter) -> Result<(), String> {
    let fields = [
        ("string", parameter.string.is_some()),
        ("array", parameter.array.is_some()),
        ("map", parameter.map.is_some()),
    ];
    let expected = spec.shape.field();
    for (field, present) in fields {
        let is_alone = field == "string" && spec.shape == Shape::Texts;
        if present && field != expected && !is_alone {
            return Err(format!(
                "parameter `{}` has `{field}`, it takes `{expected}`",
                spec.name
            ));
        }
    }
    if spec.shape == Shape::Boolean && !matches!(parameter.string.as_deref(), None | Some("" | "true" | "false")) {
        return Err(format!("parameter `{}` is neither \"true\" nor \"false\"", spec.name));
    }
    Ok(())
}
