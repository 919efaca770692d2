//! Defaults, and questions about values ([source](https://masterminds.github.io/sprig/defaults.html)).

use super::super::value::Value;
use super::{Function, function, text};

pub(super) const TABLE: &[Function] = &[
    function("all", "a*", |values| Ok(Value::Bool(values.iter().all(Value::is_true)))),
    function("any", "a*", |values| Ok(Value::Bool(values.iter().any(Value::is_true)))),
    function("coalesce", "a*", |values| {
        Ok(values
            .iter()
            .find(|value| value.is_true())
            .cloned()
            .unwrap_or(Value::Nil))
    }),
    function("deepEqual", "aa", |values| Ok(Value::Bool(values[0] == values[1]))),
    function("default", "aa*", |values| {
        let given = values.get(1).filter(|value| value.is_true());
        Ok(given.unwrap_or(&values[0]).clone())
    }),
    function("empty", "a", |values| Ok(Value::Bool(!values[0].is_true()))),
    function("kindIs", "sa", |values| {
        Ok(Value::Bool(text(&values[0]) == kind(&values[1])))
    }),
    function("kindOf", "a", |values| Ok(Value::text(kind(&values[0])))),
    function("ternary", "aab", |values| {
        Ok(values[usize::from(values[2] != Value::Bool(true))].clone())
    }),
    function("typeIs", "sa", |values| {
        Ok(Value::Bool(text(&values[0]) == values[1].type_name()))
    }),
    function("typeIsLike", "sa", |values| {
        let (wanted, name) = (text(&values[0]), values[1].type_name());
        Ok(Value::Bool(wanted == name || format!("*{wanted}") == name))
    }),
    function("typeOf", "a", |values| Ok(Value::text(values[0].type_name()))),
];

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Missing | Value::Nil => "invalid",
        Value::List(..) => "slice",
        Value::Map(..) => "map",
        other => other.type_name(),
    }
}
