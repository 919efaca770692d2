//! Properties of the splice on generated documents: any value, written in any style.
//!
//! The generator writes block, flow and mixed YAML with comments, CRLF, quotes, indentations, block scalars and empty values
//! at random, and knows the value that it wrote. `yaml_serde` reads the results independently.
#![expect(clippy::unwrap_used, reason = "a test reads files, runs programs and fails loudly")]

#[path = "oracle/pointers.rs"]
mod pointers;

use homelab::model::PointerBuf;
use homelab::yaml;
use json_patch::Patch;
use pointers::pointers;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Strings that could be mistaken for other values, and plain words.
fn strings() -> impl Strategy<Value = String> {
    let odd = [
        "",
        "yes",
        "no",
        "on",
        "y",
        "0644",
        "1e3",
        "1_000",
        "null",
        "~",
        "<<",
        "a: b",
        "a #b",
        "- a",
        "{x}",
        "x\ny",
        "x\n  y\n\nz\n",
        "\n",
        " lead",
        "trail ",
        "tab\there",
        "*a",
        "&b",
        "!c",
        "%d",
        "é 😀",
        "---",
        "a\n---\nb\n",
        "'",
        "\"q\" \\",
        "\u{2028}",
    ];
    prop_oneof![3 => "[a-z][a-z0-9-]{0,8}", 2 => proptest::sample::select(odd.to_vec()).prop_map(str::to_owned)]
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => strings().prop_map(Value::String),
        1 => any::<i32>().prop_map(|number| json!(number)),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => Just(Value::Null),
        1 => (-1000i32..1000).prop_map(|number| json!(f64::from(number) + 0.25)),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            maps(inner, 0).prop_map(Value::Object),
        ]
    })
}

fn maps(inner: impl Strategy<Value = Value>, least: usize) -> impl Strategy<Value = Map<String, Value>> {
    let keys = prop_oneof![4 => "[a-z]{1,4}/?[a-z]{1,3}", 1 => strings()];
    proptest::collection::vec((keys, inner), least..5).prop_map(|entries| entries.into_iter().collect())
}

fn documents() -> impl Strategy<Value = Map<String, Value>> {
    maps(values(), 1)
}

/// Decides each question of style, the same way for the same seed.
struct Printer {
    state: u64,
    out: String,
    newline: &'static str,
    comments: usize,
}

impl Printer {
    fn print(value: &Map<String, Value>, seed: u64) -> String {
        let mut printer = Self {
            state: seed | 1,
            out: String::new(),
            newline: "\n",
            comments: 0,
        };
        if printer.one_in(5) {
            printer.newline = "\r\n";
        }
        if printer.one_in(8) {
            printer.out.push('\u{feff}');
        }
        if printer.one_in(12) {
            printer.flow(&Value::Object(value.clone()), 0, false);
        } else {
            printer.map(value, 0, false);
        }
        let end = printer.out.ends_with('\n');
        if !end && !printer.one_in(4) {
            printer.end_line();
        }
        printer.out
    }

    /// Prints a JSON document: on one line or with a line for each entry.
    fn print_json(value: &Map<String, Value>, seed: u64) -> String {
        let mut printer = Self {
            state: seed | 1,
            out: String::new(),
            newline: "\n",
            comments: 0,
        };
        if printer.one_in(4) {
            printer.newline = "\r\n";
        }
        let steps = ["  ", "   ", "    ", "\t"];
        let step = steps.into_iter().find(|_| printer.one_in(3));
        let colon = if printer.one_in(4) { ":" } else { ": " };
        printer.json(&Value::Object(value.clone()), step.map(|step| (step, 0)), colon);
        if printer.one_in(2) {
            printer.end_line();
        }
        printer.out
    }

    fn json(&mut self, value: &Value, lines: Option<(&str, usize)>, colon: &str) {
        let (open, close, entries): (char, char, Vec<(Option<&String>, &Value)>) = match value {
            Value::Object(map) => ('{', '}', map.iter().map(|(key, value)| (Some(key), value)).collect()),
            Value::Array(items) => ('[', ']', items.iter().map(|item| (None, item)).collect()),
            other => return self.out.push_str(&other.to_string().replace('\u{2028}', "\\u2028")),
        };
        self.out.push(open);
        let blank = entries.is_empty() && self.one_in(4);
        self.out.push_str(if blank { " " } else { "" });
        let count = entries.len();
        let lines = lines.filter(|_| count > 0 && !self.one_in(8));
        for (number, (key, value)) in (1..).zip(entries) {
            if let Some((step, level)) = lines {
                self.end_line();
                self.out.push_str(&step.repeat(level + 1));
            }
            if let Some(key) = key {
                let key = Value::from(key.as_str()).to_string().replace('\u{2028}', "\\u2028");
                self.out.push_str(&key);
                self.out.push_str(colon);
            }
            self.json(value, lines.map(|(step, level)| (step, level + 1)), colon);
            let comma = if lines.is_some() || colon == ":" { "," } else { ", " };
            self.out.push_str(if number < count { comma } else { "" });
        }
        if let Some((step, level)) = lines {
            self.end_line();
            self.out.push_str(&step.repeat(level));
        }
        self.out.push(close);
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 20).is_multiple_of(many)
    }

    fn end_line(&mut self) {
        self.out.push_str(self.newline);
    }

    fn indent(&mut self, column: usize) {
        self.out.extend(std::iter::repeat_n(' ', column));
    }

    fn comment(&mut self) {
        self.comments += 1;
        let comment = format!("# comment {:03}.", self.comments);
        self.out.push_str(&comment);
    }

    /// Writes comment lines and blank lines before an entry.
    fn before_entry(&mut self, column: usize) {
        if self.one_in(6) {
            self.indent(column);
            self.comment();
            self.end_line();
        }
        if self.one_in(10) {
            self.end_line();
        }
    }

    /// Ends a line that has content.
    fn finish_line(&mut self) {
        if self.out.ends_with('\n') {
            return;
        }
        if self.one_in(6) {
            self.out.push_str("  ");
            self.comment();
        }
        self.end_line();
    }

    fn map(&mut self, map: &Map<String, Value>, column: usize, mut on_line: bool) {
        for (key, value) in map {
            if !on_line {
                self.before_entry(column);
                self.indent(column);
            }
            on_line = false;
            self.key(key);
            self.out.push(':');
            self.behind_key(value, column);
        }
    }

    fn key(&mut self, key: &str) {
        let plain = key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'/') && is_word(key);
        if plain && !self.one_in(6) {
            self.out.push_str(key)
        } else {
            self.quoted(key)
        }
    }

    fn behind_key(&mut self, value: &Value, column: usize) {
        let step = if self.one_in(3) { 4 } else { 2 };
        match value {
            Value::Object(map) if !map.is_empty() && !self.one_in(5) => {
                self.finish_line();
                self.map(map, column + step, false);
            }
            Value::Array(items) if !items.is_empty() && !self.one_in(5) => {
                self.finish_line();
                let step = if self.one_in(2) { 0 } else { step };
                self.list(items, column + step, false);
            }
            Value::Object(_) | Value::Array(_) if self.one_in(5) => {
                self.finish_line();
                self.indent(column + step);
                self.flow(value, column + step, false);
                self.finish_line();
            }
            Value::Null if self.one_in(2) => self.finish_line(),
            _ => {
                self.out.push(' ');
                self.scalar(value, column + step);
                self.finish_line();
            }
        }
    }

    fn list(&mut self, items: &[Value], column: usize, mut on_line: bool) {
        for item in items {
            if !on_line {
                self.before_entry(column);
                self.indent(column);
            }
            on_line = false;
            self.out.push('-');
            match item {
                Value::Object(map) if !map.is_empty() && !self.one_in(5) => {
                    if self.one_in(5) {
                        self.finish_line();
                        self.map(map, column + 2, false);
                    } else {
                        let gap = if self.one_in(5) { 3 } else { 1 };
                        self.indent(gap);
                        self.map(map, column + 1 + gap, true);
                    }
                }
                Value::Array(items) if !items.is_empty() && !self.one_in(3) => {
                    self.out.push(' ');
                    self.list(items, column + 2, true);
                }
                Value::Null if self.one_in(2) => self.finish_line(),
                _ => {
                    self.out.push(' ');
                    self.scalar(item, column + 2);
                    self.finish_line();
                }
            }
        }
    }

    fn scalar(&mut self, value: &Value, column: usize) {
        match value {
            Value::String(text) if is_word(text) && !self.one_in(4) => self.out.push_str(text),
            Value::String(text) if is_literal(text) && !self.one_in(4) => self.literal(text, column),
            Value::String(text) => self.quoted(text),
            Value::Null => {
                let null = if self.one_in(2) { "null" } else { "~" };
                self.out.push_str(null);
            }
            _ => self.flow(value, column, false),
        }
    }

    fn literal(&mut self, text: &str, column: usize) {
        self.out.push_str(if text.ends_with('\n') { "|" } else { "|-" });
        if self.one_in(5) {
            self.out.push(' ');
            self.comment();
        }
        self.end_line();
        for line in text.trim_end_matches('\n').split('\n') {
            if !line.is_empty() {
                self.indent(column);
                self.out.push_str(line);
            }
            self.end_line();
        }
    }

    fn quoted(&mut self, text: &str) {
        let single = text.chars().all(|c| !c.is_control() && c != '\u{2028}') && self.one_in(2);
        if single {
            let text = format!("'{}'", text.replace('\'', "''"));
            self.out.push_str(&text);
        } else {
            let text = Value::from(text).to_string().replace('\u{2028}', "\\u2028");
            self.out.push_str(&text);
        }
    }

    /// Writes a value in brackets, on one line or on several with comments and a trailing comma.
    fn flow(&mut self, value: &Value, column: usize, inside: bool) {
        let (open, close, entries): (char, char, Vec<(Option<&String>, &Value)>) = match value {
            Value::Object(map) => ('{', '}', map.iter().map(|(key, value)| (Some(key), value)).collect()),
            Value::Array(items) => ('[', ']', items.iter().map(|item| (None, item)).collect()),
            Value::String(text) if is_word(text) && self.one_in(2) => return self.out.push_str(text),
            Value::String(text) => return self.quoted(text),
            other => return self.out.push_str(&other.to_string()),
        };
        let several = !inside && !entries.is_empty() && self.one_in(3);
        self.out.push(open);
        let last = entries.len().saturating_sub(1);
        for (at, (key, value)) in entries.into_iter().enumerate() {
            if several {
                self.finish_line();
                self.indent(column + 3);
            }
            if let Some(key) = key {
                self.key(key);
                self.out.push_str(": ");
            }
            self.flow(value, column + 3, inside);
            if at < last || (several && self.one_in(2)) {
                self.out.push_str(if several { "," } else { ", " });
            }
        }
        if several {
            self.finish_line();
            self.indent(column + 2);
        }
        self.out.push(close);
    }
}

/// Reports whether a text is a plain scalar for every reader.
fn is_word(text: &str) -> bool {
    let letters = text
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'/'));
    let start = text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    letters
        && start
        && !text.ends_with('-')
        && !["y", "n", "yes", "no", "on", "off", "true", "false", "null"].contains(&text)
}

fn is_literal(text: &str) -> bool {
    text.contains('\n')
        && !text.trim().is_empty()
        && !text.starts_with([' ', '\n', '\t'])
        && !text.trim_end_matches('\n').ends_with(' ')
        && !text.ends_with("\n\n")
}

/// Returns an operation on an entry of the value.
fn operation(value: &Value, kind: u8, at: usize, other: usize, new: &Value) -> Value {
    let found = pointers(value);
    let (path, from) = (&found[at % found.len()], &found[other % found.len()]);
    match (kind % 8, value.pointer(path)) {
        (0, _) => json!({"op": "remove", "path": path}),
        (1, _) => json!({"op": "replace", "path": path, "value": new}),
        (2, _) => json!({"op": "copy", "from": from, "path": path}),
        (3, _) => json!({"op": "move", "from": from, "path": path}),
        (4, Some(value)) => json!({"op": "test", "path": path, "value": value}),
        _ => addition(value, path, new),
    }
}

/// Returns an operation that adds an entry to a container, to the root if the path names none.
fn addition(value: &Value, path: &str, new: &Value) -> Value {
    match value.pointer(path) {
        Some(Value::Array(_)) => json!({"op": "add", "path": format!("{path}/-"), "value": new}),
        Some(Value::Object(_)) => json!({"op": "add", "path": format!("{path}/New"), "value": new}),
        _ => json!({"op": "add", "path": "/New", "value": new}),
    }
}

fn patch(operations: Value) -> Patch {
    serde_json::from_value(operations).unwrap()
}

/// Returns the value that `yaml_serde` reads; it does not know byte order marks.
fn read_by_yaml_serde(text: &str) -> Value {
    yaml_serde::from_str(text.trim_start_matches('\u{feff}')).unwrap_or_else(|error| panic!("{error}: {text:?}"))
}

/// The dash of an item whose value starts at an offset: nothing but comments and the sign of a block
/// scalar may stand between. The offset itself in brackets.
fn dash(text: &str, value: usize) -> usize {
    let Some(dash) = text[..value].rfind('-') else {
        return value;
    };
    let comments = |line: &str| {
        line.split('#')
            .next()
            .is_some_and(|before| ["", "|", "|-"].contains(&before.trim()))
    };
    if text[dash + 1..value].lines().all(comments) {
        dash
    } else {
        value
    }
}

fn comments(text: &str) -> Vec<&str> {
    text.match_indices("# comment ")
        .map(|(at, _)| &text[at..at + 14])
        .collect()
}

/// Returns a path for an insertion: a new key of a map, or a place in a list.
fn insertion(value: &Value, at: usize, place: usize) -> String {
    let mut paths = vec!["/New".to_owned()];
    for path in pointers(value) {
        match value.pointer(&path) {
            Some(Value::Array(items)) => paths.push(format!("{path}/{}", place % (items.len() + 1))),
            Some(Value::Object(_)) => paths.push(format!("{path}/New")),
            _ => {}
        }
    }
    paths.swap_remove(at % paths.len())
}

/// Puts a patch into one document of a text that may have several.
fn splice_in(text: &str, document: usize, operation: Value) -> Result<String, String> {
    let documents = yaml::documents(text).map_err(|error| error.to_string())?;
    let range = documents[document].range.clone();
    let spliced = yaml::splice(&text[range.clone()], &patch(json!([operation]))).map_err(|error| error.to_string())?;
    match spliced.reprinted {
        true => Err(format!("reprinted: {}", spliced.text)),
        false => Ok(format!(
            "{}{}{}",
            &text[..range.start],
            spliced.text,
            &text[range.end..]
        )),
    }
}

/// Reports whether a text is JSON but for the last comma, with which a document stays YAML.
fn would_be_json(text: &str) -> bool {
    let text = text.trim_end();
    let without = text.strip_suffix(",}").map(|text| format!("{text}}}"));
    without.is_some_and(|text| serde_json::from_str::<Value>(&text).is_ok())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn generated_text_reads_as_its_value(document in documents(), seed: u64) {
        let text = Printer::print(&document, seed);
        let value = Value::Object(document);
        prop_assert_eq!(yaml::value(&text).unwrap(), Some(value.clone()), "{}", text);
        prop_assert_eq!(read_by_yaml_serde(&text), value, "{}", text);
    }

    #[test]
    fn an_empty_patch_leaves_the_bytes_alone(document in documents(), seed: u64) {
        let text = Printer::print(&document, seed);
        let spliced = yaml::splice(&text, &Patch::default()).unwrap();
        prop_assert_eq!((spliced.text, spliced.reprinted), (text, false));
    }

    #[test]
    fn a_patched_text_reads_as_the_patched_value(
        document in documents(),
        seed: u64,
        kinds in proptest::collection::vec((any::<u8>(), any::<u16>(), any::<u16>(), values()), 1..4),
    ) {
        let text = Printer::print(&document, seed);
        let before = Value::Object(document);
        let (mut value, mut operations) = (before.clone(), Vec::new());
        for (kind, at, other, new) in kinds {
            let operation = operation(&value, kind, at.into(), other.into(), &new);
            let mut next = value.clone();
            // A map that loses its last entry ends the document's style; that is another test's matter.
            let fits = json_patch::patch(&mut next, &patch(json!([operation]))).is_ok();
            if fits && next.as_object().is_some_and(|root| !root.is_empty()) {
                value = next;
                operations.push(operation);
            }
        }
        let spliced = yaml::splice(&text, &patch(json!(operations))).unwrap();
        prop_assert_eq!(&spliced.value, &value, "{}", text);
        prop_assert_eq!(yaml::value(&spliced.text).unwrap(), Some(value.clone()), "{}", spliced.text);
        prop_assert_eq!(read_by_yaml_serde(&spliced.text), value, "{}\n{}", text, spliced.text);
        prop_assert_eq!(text.starts_with('\u{feff}'), spliced.text.starts_with('\u{feff}'));
    }

    #[test]
    fn additions_keep_every_line_and_every_comment(document in documents(), seed: u64, at: u16, new in values()) {
        let text = Printer::print(&document, seed);
        let value = Value::Object(document);
        let found = pointers(&value);
        let operation = addition(&value, &found[usize::from(at) % found.len()], &new);
        let spliced = yaml::splice(&text, &patch(json!([operation]))).unwrap();
        prop_assert!(!spliced.reprinted, "{}\n{}", text, spliced.text);
        prop_assert_eq!(comments(&text), comments(&spliced.text));
        // In lines nothing but new lines; in brackets and behind an absent value one line changes.
        let kept: Vec<_> = spliced.text.lines().collect();
        let changed = text.lines().filter(|line| !kept.contains(line)).count();
        prop_assert!(changed <= 1, "{}\n{}", text, spliced.text);
        if text.contains("\r\n") {
            prop_assert!(!spliced.text.replace("\r\n", "").contains('\n'), "{:?}", spliced.text);
        }
    }

    #[test]
    fn comments_outside_the_touched_span_survive(
        document in documents(),
        seed: u64,
        at: u16,
        new in values(),
        replace: bool,
    ) {
        let text = Printer::print(&document, seed);
        let value = Value::Object(document);
        let found = pointers(&value);
        let path = &found[usize::from(at) % found.len()];
        let operation = if replace || value.as_object().is_some_and(|root| root.len() == 1 && path.matches('/').count() == 1) {
            json!({"op": "replace", "path": path, "value": new})
        } else {
            json!({"op": "remove", "path": path})
        };
        let tree = yaml::Tree::parse(&text).unwrap();
        let span = tree.locate(&PointerBuf::parse(path).unwrap()).unwrap();
        let spliced = tree.splice(&patch(json!([operation]))).unwrap();
        // A document in brackets that the edit would turn into JSON is printed again: streams of JSON are read otherwise.
        prop_assume!(!(spliced.reprinted && would_be_json(&spliced.text)));
        prop_assert!(!spliced.reprinted, "{}\n{}", text, spliced.text);
        // Touched is what stands from the entry's first byte to the end of its last line.
        let first = span.key.map_or_else(|| dash(&text, span.value.start), |key| key.start);
        let line = text[..first].rfind('\n').map_or(0, |newline| newline + 1);
        let last = text[span.value.end..].find('\n').map_or(text.len(), |newline| span.value.end + newline);
        let outside = [comments(&text[..line]), comments(&text[last..])].concat();
        let left = comments(&spliced.text);
        for comment in outside {
            prop_assert!(left.contains(&comment), "{}\n{}", text, spliced.text);
        }
    }

    #[test]
    fn an_insertion_and_its_removal_leave_the_same_bytes(
        document in documents(),
        others in proptest::collection::vec((documents(), any::<u64>()), 0..3),
        json: bool,
        seed: u64,
        at: u16,
        place: u16,
        new in values(),
    ) {
        let own = if json { Printer::print_json(&document, seed) } else { Printer::print(&document, seed) };
        let newline = if own.contains("\r\n") { "\r\n" } else { "\n" };
        let (mut text, mut number) = (own, 0);
        for (other, seed) in others {
            let other = Printer::print(&other, seed).replace('\u{feff}', "").replace("\r\n", "\n").replace('\n', newline);
            // A byte order mark and a text without a last line end keep their place.
            let before = seed % 2 == 0 && !json && !text.starts_with('\u{feff}') && other.ends_with('\n');
            if before {
                text = format!("{other}---{newline}{text}");
                number += 1;
            } else if text.ends_with('\n') {
                text = format!("{text}---{newline}{other}");
            }
        }
        let path = insertion(&Value::Object(document), at.into(), place.into());
        let mut done = text.clone();
        for _ in 0..10 {
            done = splice_in(&done, number, json!({"op": "add", "path": path, "value": new})).unwrap();
            let between = done.clone();
            done = splice_in(&done, number, json!({"op": "remove", "path": path})).unwrap();
            prop_assert_eq!(&done, &text, "{} in between: {}", path, between);
        }
    }
}
