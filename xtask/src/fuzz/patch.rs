//! Target `patch`: JSON Patches into documents that are spelled in many ways.

use homelab::failure::{Exit, Failure};
use homelab::model::Pointer;
use homelab::yaml::{self, Tree};
use json_patch::{Patch, PatchOperation};
use serde_json::{Map, Value, json};

use super::case::{Answer, Ran, Target, text};
use super::numbers::Numbers;
use super::spelling::Speller;
use super::{objects, shapes};

/// The target.
pub(super) const TARGET: Target = Target {
    name: "patch",
    oracle: "fuzz-oracle",
    make,
    run,
    verdict,
};

fn make(numbers: &mut Numbers) -> Value {
    let document = if numbers.one_in(2) {
        objects::document(numbers)
    } else {
        map(numbers, 0)
    };
    let mut speller = Speller::new(numbers);
    speller.is_calm = true;
    let mut written = speller.document(&document);
    if numbers.one_in(6) {
        written = written.replace('\n', "\r\n");
    }
    if numbers.one_in(8) {
        written.insert_str(0, numbers.pick(&["\u{feff}", "# first\n", "\n\n", "---\n"]));
    }
    if numbers.one_in(8) {
        written.truncate(written.trim_end().len());
    }
    if numbers.one_in(12) {
        written.push_str(numbers.pick(&["\n# last\n", "...\n", "\n\n", "  \n"]));
    }
    // What is written is not always what is read.
    let mut value = yaml::value(&written).ok().flatten().unwrap_or(document);
    let mut operations = Vec::new();
    for _ in 0..numbers.pick(&[1, 1, 1, 2, 3]) {
        let operation = operation(numbers, &value);
        let fits = patch_of(&json!([operation])).is_some_and(|patch| json_patch::patch(&mut value, &patch).is_ok());
        if fits || numbers.one_in(8) {
            operations.push(operation);
        }
    }
    json!({"document": written, "patch": operations})
}

fn map(numbers: &mut Numbers, depth: usize) -> Value {
    let mut map = Map::new();
    for _ in 0..numbers.below(5) + usize::from(depth == 0) {
        let key = numbers.pick(&[
            "a",
            "b",
            "c",
            "key",
            "on",
            "1",
            "a/b",
            "x~y",
            "metadata",
            "two words",
            "",
        ]);
        map.insert(key.to_owned(), value(numbers, depth + 1));
    }
    Value::Object(map)
}

fn value(numbers: &mut Numbers, depth: usize) -> Value {
    match numbers.below(if depth > 4 { 6 } else { 10 }) {
        0 => json!(numbers.pick(&[0, 7, -1, 1_i64 << 40])),
        1 => json!(numbers.one_in(2)),
        2 => Value::Null,
        3 => json!(numbers.pick(&[0.5, 1e30, -2.25])),
        4 | 5 => json!(shapes::hostile(numbers)),
        6 | 7 => map(numbers, depth),
        _ => (0..numbers.below(4)).map(|_| value(numbers, depth + 1)).collect(),
    }
}

/// Returns an operation on some place of a value.
fn operation(numbers: &mut Numbers, document: &Value) -> Value {
    let mut found = vec![String::new()];
    pointers(document, "", &mut found);
    let path = found[numbers.below(found.len())].clone();
    let from = found[numbers.below(found.len())].clone();
    let new = value(numbers, 2);
    let key = numbers.pick(&["new", "a", "on", "0", "a~1b", "x y", ""]);
    match numbers.below(12) {
        0..3 => json!({"op": "remove", "path": path}),
        3..6 => json!({"op": "replace", "path": path, "value": new}),
        6 => json!({"op": "copy", "from": from, "path": path}),
        7 => json!({"op": "move", "from": from, "path": path}),
        8 => json!({"op": "test", "path": path, "value": document.pointer(&path)}),
        _ => match document.pointer(&path) {
            Some(Value::Array(items)) if numbers.one_in(3) => {
                json!({"op": "add", "path": format!("{path}/{}", numbers.below(items.len() + 1)), "value": new})
            }
            Some(Value::Array(_)) => json!({"op": "add", "path": format!("{path}/-"), "value": new}),
            Some(Value::Object(_)) => json!({"op": "add", "path": format!("{path}/{key}"), "value": new}),
            _ => json!({"op": "add", "path": path, "value": new}),
        },
    }
}

fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    let entries: Vec<(String, &Value)> = match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(at, value)| (at.to_string(), value))
            .collect(),
        _ => return,
    };
    for (key, value) in entries {
        let pointer = format!("{at}/{key}");
        pointers(value, &pointer, found);
        found.push(pointer);
    }
}

fn patch_of(operations: &Value) -> Option<Patch> {
    serde_json::from_value(operations.clone()).ok()
}

fn run(case: &Value) -> Ran {
    let before = text(case, "document");
    let Some(patch) = patch_of(&case["patch"]) else {
        return Ran::fine("no patch");
    };
    let spliced = match yaml::splice(before, &patch) {
        Ok(spliced) => spliced,
        Err(error) => {
            let refused = Failure::from(error.into_error());
            let is_bug = refused.exit == Exit::Bug;
            let refused = refused.one_line();
            return Ran {
                class: "refused".to_owned(),
                wrong: is_bug.then(|| format!("an edit did not prove to be right: {refused}")),
                refused: Some(refused),
                request: Some(json!({"before": before, "patch": case["patch"], "after": null})),
            };
        }
    };
    let class = match (spliced.reprinted, spliced.text == before) {
        (true, _) => "printed again",
        (_, true) => "untouched",
        _ => "edited in place",
    };
    Ran {
        class: class.to_owned(),
        refused: None,
        wrong: mistake(before, &patch, &spliced),
        request: Some(json!({"before": before, "patch": case["patch"], "after": spliced.text})),
    }
}

/// Returns what is wrong about a text after its patch, as far as it can be seen without another reader.
fn mistake(before: &str, patch: &Patch, spliced: &yaml::Spliced) -> Option<String> {
    if spliced.disproved {
        return Some("an edit did not prove to be right, and the document is printed again".to_owned());
    }
    if yaml::value(&spliced.text).ok().flatten().unwrap_or_default() != spliced.value {
        return Some("the text has another value than is said".to_owned());
    }
    if spliced.reprinted {
        return None;
    }
    let tree = Tree::parse(before).ok()?;
    let [operation] = &patch.0[..] else { return None };
    let (first, last) = touched(&tree, before, operation)?;
    let kept = |part: &str| spliced.text.contains(part);
    let (head, tail) = (&before[..first], &before[last..]);
    if !spliced.text.starts_with(head) || !kept(tail.trim()) {
        return Some("bytes outside of the touched lines have changed".to_owned());
    }
    let lost = comments(head)
        .into_iter()
        .chain(comments(tail))
        .find(|comment| !kept(comment));
    lost.map(|comment| format!("the comment `{comment}` is gone"))
}

/// Returns the start of the lines that an operation may change, and their end; nothing for one that changes other places
/// as well.
fn touched(tree: &Tree<'_>, text: &str, operation: &PatchOperation) -> Option<(usize, usize)> {
    let path: &Pointer = match operation {
        PatchOperation::Add(add) => &add.path,
        PatchOperation::Remove(remove) => &remove.path,
        PatchOperation::Replace(replace) => &replace.path,
        _ => return None,
    };
    // An entry that leaves or comes may change how its container is written, from its key on; an item's dash may stand above it.
    let mut container = path.parent()?;
    let mut span = tree.locate(container)?;
    let last = span.value.end;
    while let (None, Some(parent)) = (&span.key, container.parent()) {
        container = parent;
        span = tree.locate(container)?;
    }
    let first = span.key.map_or(span.value.start, |key| key.start);
    let first = text[..first].rfind('\n').map_or(0, |newline| newline + 1);
    let last = text[last..].find('\n').map_or(text.len(), |newline| last + newline + 1);
    Some((first, last))
}

fn comments(text: &str) -> Vec<&str> {
    text.match_indices("# comment ")
        .filter_map(|(at, _)| text.get(at..at + 14))
        .collect()
}

fn verdict(ran: &Ran, answer: &Answer) -> Result<String, String> {
    match (&ran.refused, answer.readable, &answer.must_refuse) {
        (None, true, _) => Ok(ran.class.clone()),
        (None, false, _) => Ok(format!("{}, and Go refuses the document", ran.class)),
        (Some(_), false, _) => Ok("refused, as Go does".to_owned()),
        (Some(_), _, Some(_)) => Ok("refused, as the patch does not fit".to_owned()),
        (Some(why), ..) => {
            let why = why.split_once(": ").map_or(why.as_str(), |(_, why)| why);
            Ok(format!("refused: {why}"))
        }
    }
}
