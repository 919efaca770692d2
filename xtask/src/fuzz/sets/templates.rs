//! Templates in both languages.

use super::super::numbers::Numbers;
use super::calls::{Scope, pipeline};
use super::words::FIELDS;

const FAST: &[&str] = &[
    "{{name}}",
    "{{ name }}",
    "{{path}}",
    "{{path.basename}}",
    "{{path[0]}}",
    "{{path[1]}}",
    "{{path[9]}}",
    "{{path.filename}}",
    "{{ values.a }}",
    "{{a}}",
    "{{server}}",
    "{{metadata.labels.env}}",
    "{{missing}}",
    "{{ .name }}",
    "{{",
    "}}",
    "{{}}",
    "{{ }}",
    "{{name",
    "{{{name}}}",
    "{{a.b}}",
    "{{nested.deep}}",
    "{{p.path.basename}}",
    "{{path.basenameNormalized}}",
    "{{name}}\n{{a}}",
    "{{\n name }}",
    "{{name | upper}}",
];

const LITERALS: &[&str] = &["a", "-", " ", "x: ", "\n", "\"", "ä", "{", "}", "'", "  \n ", "a-b"];

/// Returns a short template, as for a field of an Application.
pub(super) fn small(numbers: &mut Numbers, is_go: bool) -> String {
    if !is_go {
        let count = numbers.pick(&[0, 1, 1, 1, 2, 3]);
        let parts = (0..count).map(|_| {
            let before = if numbers.one_in(2) { numbers.pick(LITERALS) } else { "" };
            format!("{before}{}", numbers.pick(FAST))
        });
        return parts.collect::<String>() + numbers.pick(&["", "", "x", " y"]);
    }
    match numbers.below(10) {
        0 => numbers
            .pick(&["", "plain", "a-b", "1", "{{/* nothing */}}x"])
            .to_owned(),
        1 => text(numbers),
        _ => format!("{}{{{{ {} }}}}", numbers.pick(&["", "", "app-", "x/"]), safe(numbers)),
    }
}

/// Returns an expression that seldom fails.
fn safe(numbers: &mut Numbers) -> String {
    let field = numbers.pick(FIELDS);
    let behind = numbers.pick(&[
        "",
        "",
        "",
        " | quote",
        " | toString",
        " | default \"d\"",
        " | toJson",
        " | toString | upper",
        " | printf \"%v\"",
        " | kindOf",
        " | empty",
        " | toYaml | nindent 2",
        " | toString | normalize",
        " | toString | slugify",
        " | toString | trunc 5",
        " | toString | replace \"a\" \"b\"",
        " | toString | regexReplaceAll \"[a-m]\" \"x\"",
        " | typeOf",
        " | toString | b64enc",
    ]);
    match numbers.below(6) {
        0 => format!("hasKey . \"{}\"", numbers.pick(&["name", "a", "missing", "path"])),
        1 => format!("index . \"{}\"", numbers.pick(&["name", "a", "missing", "path"])),
        2 => format!(
            "dig \"{}\" \"{}\" \"def\" .",
            numbers.pick(&["m", "path", "nested", "values"]),
            numbers.pick(&["a", "path", "deep"])
        ),
        3 => format!("ternary {field} \"no\" (hasKey . \"a\")"),
        4 => format!("if {field} }}}}yes{{{{ else }}}}no{{{{ end"),
        _ => format!("{field}{behind}"),
    }
}

/// Returns a template of any form.
pub(super) fn text(numbers: &mut Numbers) -> String {
    let mut scope = Scope::default();
    let count = numbers.pick(&[1, 1, 2, 2, 3]);
    (0..count).map(|_| node(numbers, &mut scope, 0)).collect()
}

fn action(numbers: &mut Numbers, inside: &str) -> String {
    let open = if numbers.one_in(8) { "{{- " } else { "{{ " };
    let close = if numbers.one_in(8) { " -}}" } else { " }}" };
    format!("{open}{inside}{close}")
}

fn nodes(numbers: &mut Numbers, scope: &Scope, depth: usize) -> String {
    let mut scope = scope.clone();
    (0..numbers.below(3))
        .map(|_| node(numbers, &mut scope, depth + 1))
        .collect()
}

fn node(numbers: &mut Numbers, scope: &mut Scope, depth: usize) -> String {
    let kinds = if depth > 2 { 10 } else { 18 };
    match numbers.below(kinds) {
        0 => numbers.pick(LITERALS).to_owned(),
        1 => {
            let name = numbers.pick(&["x", "y"]);
            let value = pipeline(numbers, scope, 0);
            scope.variables.push(name);
            action(numbers, &format!("${name} := {value}"))
        }
        2 => match scope.variables.last().copied() {
            Some(name) => {
                let value = pipeline(numbers, scope, 1);
                action(numbers, &format!("${name} = {value}"))
            }
            None => numbers.pick(&["{{/* a */}}", "{{- /* b */ -}}", "x"]).to_owned(),
        },
        3 if scope.is_in_range => action(numbers, numbers.clone().pick(&["break", "continue"])),
        3..=9 => {
            let value = pipeline(numbers, scope, 0);
            action(numbers, &value)
        }
        10..=12 => conditional(numbers, scope, depth),
        13..=15 => range(numbers, scope, depth),
        16 => block(numbers, scope, depth),
        _ => named(numbers, scope, depth),
    }
}

fn conditional(numbers: &mut Numbers, scope: &Scope, depth: usize) -> String {
    let condition = pipeline(numbers, scope, 0);
    let open = action(numbers, &format!("if {condition}"));
    let inside = nodes(numbers, scope, depth);
    let otherwise = match numbers.below(3) {
        0 => action(numbers, "else") + &nodes(numbers, scope, depth),
        1 => {
            let other = pipeline(numbers, scope, 1);
            let open = action(numbers, &format!("else if {other}"));
            open + &nodes(numbers, scope, depth) + "{{ else }}z"
        }
        _ => String::new(),
    };
    open + &inside + &otherwise + &action(numbers, "end")
}

fn range(numbers: &mut Numbers, scope: &Scope, depth: usize) -> String {
    let over = match numbers.below(4) {
        0 => pipeline(numbers, scope, 0),
        1 => format!("until {}", numbers.below(4)),
        _ => numbers
            .pick(&[
                ".list",
                ".m",
                ".path.segments",
                ".",
                "(list 1 \"b\")",
                "(dict \"k\" 1 \"a\" .name)",
                ".metadata.labels",
                "3",
            ])
            .to_owned(),
    };
    let mut inner = scope.clone();
    inner.is_in_range = true;
    let head = match numbers.below(3) {
        0 => {
            inner.variables.push("e");
            format!("range $e := {over}")
        }
        1 => {
            inner.variables.extend(["i", "e"]);
            format!("range $i, $e := {over}")
        }
        _ => format!("range {over}"),
    };
    let body = match numbers.one_in(3) {
        true => nodes(numbers, &inner, depth),
        false => numbers
            .pick(&["{{ . }},", "[{{ . | toJson }}]", "{{ . }}{{ $.name }};"])
            .to_owned(),
    };
    let otherwise = if numbers.one_in(4) { "{{ else }}none" } else { "" };
    action(numbers, &head) + &body + otherwise + "{{ end }}"
}

fn block(numbers: &mut Numbers, scope: &Scope, depth: usize) -> String {
    let value = pipeline(numbers, scope, 0);
    let mut inner = scope.clone();
    let head = match numbers.one_in(3) {
        true => {
            inner.variables.push("w");
            format!("with $w := {value}")
        }
        false => format!("with {value}"),
    };
    let otherwise = match numbers.below(4) {
        0 => "{{ else }}nothing",
        1 => "{{ else with .name }}{{ . }}",
        _ => "",
    };
    action(numbers, &head) + &nodes(numbers, &inner, depth) + otherwise + "{{ end }}"
}

fn named(numbers: &mut Numbers, scope: &Scope, depth: usize) -> String {
    let value = pipeline(numbers, scope, 1);
    let body = nodes(numbers, &Scope::default(), depth);
    match numbers.below(3) {
        0 => format!("{{{{ define \"t\" }}}}{body}{{{{ end }}}}{{{{ template \"t\" {value} }}}}"),
        1 => format!("{{{{ block \"b\" {value} }}}}{body}{{{{ end }}}}"),
        _ => format!("{{{{ template \"{}\" . }}}}", numbers.pick(&["t", "none"])),
    }
}
