//! Values in templates: fields, literals, variables, and calls of the functions that sets have.

use super::super::numbers::Numbers;
use super::words::{COMMON, FIELDS, LITERALS, OTHERS, TEXT_LITERALS, TEXTS};

/// What is defined in a place.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    /// Variables, without the dollar.
    pub(super) variables: Vec<&'static str>,
    pub(super) is_in_range: bool,
}

/// Returns a pipeline.
pub(super) fn pipeline(numbers: &mut Numbers, scope: &Scope, depth: usize) -> String {
    let mut text = value(numbers, scope, depth);
    for _ in 0..numbers.pick(&[0, 0, 0, 1, 1, 2]) {
        text = format!("{text} | {}", piped(numbers, scope, depth));
    }
    text
}

/// Returns a value: a field, a literal or a call.
pub(super) fn value(numbers: &mut Numbers, scope: &Scope, depth: usize) -> String {
    match numbers.below(if depth > 2 { 5 } else { 12 }) {
        0..=3 => argument(numbers, scope, 'a', depth + 1),
        4 => numbers.pick(FIELDS).to_owned(),
        _ => call(numbers, scope, depth, false),
    }
}

/// Returns a call that gets its last argument from a pipeline.
pub(super) fn piped(numbers: &mut Numbers, scope: &Scope, depth: usize) -> String {
    call(numbers, scope, depth, true)
}

fn call(numbers: &mut Numbers, scope: &Scope, depth: usize, is_piped: bool) -> String {
    let (name, kinds) = match numbers.one_in(3) {
        true => numbers.pick(COMMON),
        false => numbers.pick(OTHERS),
    };
    let mut wanted: Vec<char> = kinds.chars().filter(|kind| *kind != '*').collect();
    if kinds.ends_with('*') {
        let last = wanted.last().copied().unwrap_or('a');
        match numbers.below(4) {
            0 => {}
            1 => wanted.push(last),
            2 => wanted.extend([last, last]),
            _ => drop(wanted.pop()),
        }
    }
    // Now and then a wrong number of arguments.
    if numbers.one_in(60) {
        wanted.push('a');
    }
    if is_piped {
        wanted.pop();
    }
    let mut text = name.to_owned();
    for kind in wanted {
        let kind = match numbers.one_in(25) && kind != 'M' {
            true => 'a',
            false => kind,
        };
        text = format!("{text} {}", argument(numbers, scope, kind, depth + 1));
    }
    // What they give has no order.
    match name {
        "keys" => format!("{text} | sortAlpha"),
        "values" => format!("{text} | len"),
        _ => text,
    }
}

fn argument(numbers: &mut Numbers, scope: &Scope, kind: char, depth: usize) -> String {
    if depth < 4 && kind != 'M' && numbers.one_in(4) {
        return format!("({})", pipeline(numbers, scope, depth));
    }
    let is_variable = kind != 'M' && numbers.one_in(12);
    if let Some(name) = scope.variables.last().filter(|_| is_variable) {
        return format!("${name}");
    }
    if let Some((_, literals)) = LITERALS.iter().find(|(known, _)| *known == kind) {
        return numbers.pick(literals).to_owned();
    }
    match (kind, numbers.below(4)) {
        ('s', 0) => numbers.pick(TEXT_LITERALS).to_owned(),
        ('s', 1) => numbers
            .pick(&[".name", ".text", ".path.path", ".path.basename", ".a"])
            .to_owned(),
        ('s', 2) => format!("{:?}", numbers.pick(&["a", "b", "k", "name", "media", "e", " ", "l"])),
        ('s', _) => go_quoted(numbers.pick(TEXTS)),
        (_, 0) => numbers.pick(TEXT_LITERALS).to_owned(),
        (_, 1) => {
            let (_, literals) = LITERALS[numbers.below(5)];
            numbers.pick(literals).to_owned()
        }
        _ => numbers.pick(FIELDS).to_owned(),
    }
}

/// Quotes a text as Go reads it.
fn go_quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", escaped.replace('\n', "\\n").replace('\t', "\\t"))
}
