//! Broken and odd documents, made by mutation from a fixed seed: nothing panics or hangs, kubectl reads the same values, and
//! it reads every edit as intended.
#![expect(clippy::unwrap_used, reason = "a test reads files, runs programs and fails loudly")]

#[path = "../xtask/src/fuzz/numbers.rs"]
mod numbers;
mod oracle;
#[path = "oracle/pointers.rs"]
mod pointers;

use homelab::yaml::{self, Tree};
use json_patch::Patch;
use numbers::Numbers;
use pointers::pointers;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const MUTANTS: usize = 4000;

/// The texts that mutations insert: YAML syntax, and texts that YAML readers treat differently.
const PIECES: &[&str] = &[
    "\n", "  ", " ", "\t", "- ", "-", ": ", ":", "?", "? ", "#", " # c\n", "|", "|+\n", "|-\n", ">", "\"", "'", "{",
    "}", "[", "]", ",", "&a ", "*a", "<<: *a\n", "!!str ", "!x ", "~", "null", "yes", "0644", "1_0", "...\n", "---\n",
    "\r\n", "\r", "\u{feff}", "\u{a0}", "é", "x", "a: b\n", "\n\n", "  - z\n", "%", "@", "\\", "\\n", "1e3", "- - ",
    "{a: 1}", "|2", "\u{0}",
];

fn mutate(numbers: &mut Numbers, text: &str) -> String {
    let mut text = text.to_owned();
    for _ in 0..=numbers.below(3) {
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let first = numbers.below(places.len());
        let at = places[first];
        let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
        match numbers.below(6) {
            0 | 1 => text.insert_str(at, numbers.pick(PIECES)),
            2 => text.replace_range(at..places[(first + numbers.below(12)).min(places.len() - 1)], ""),
            3 => text.replace_range(at..places[(first + 1).min(places.len() - 1)], numbers.pick(PIECES)),
            4 if lines.len() > 1 => {
                let (one, other) = (numbers.below(lines.len()), numbers.below(lines.len()));
                match numbers.below(3) {
                    0 => drop(lines.remove(one)),
                    1 => lines.insert(one, lines[other]),
                    _ => lines.swap(one, other),
                }
                text = lines.concat();
            }
            _ => text.truncate(text.trim_end_matches('\n').len()),
        }
    }
    text
}

fn seeds() -> Vec<String> {
    let cases: BTreeMap<String, String> = serde_json::from_str(include_str!("vectors/yaml/edit-cases.json")).unwrap();
    let hazards: BTreeMap<String, Value> = serde_json::from_str(include_str!("vectors/yaml/hazards.json")).unwrap();
    let hazards = hazards
        .values()
        .map(|hazard| hazard["yaml"].as_str().unwrap().to_owned());
    // Workloads are the documents that get edited: they come more often.
    let cases = std::iter::repeat_n(cases, 4).flat_map(BTreeMap::into_values);
    cases.chain(hazards.filter(|text| text.len() < 1500)).collect()
}

/// Returns the values of a stream; `None` if one of its documents is refused.
fn read(text: &str) -> Option<Vec<Value>> {
    let documents = yaml::documents(text).ok()?;
    let values = documents
        .into_iter()
        .map(|document| yaml::value(&text[document.range]).ok());
    Some(values.collect::<Option<Vec<_>>>()?.into_iter().flatten().collect())
}

fn operation(numbers: &mut Numbers, value: &Value) -> Value {
    let mut found = pointers(value);
    // kubectl has demands on these, and none on the rest.
    let typed = ["/apiVersion", "/kind", "/metadata", "/items"];
    found.retain(|path| !typed.iter().any(|typed| path.starts_with(typed)));
    let Some(path) = found.get(numbers.below(found.len())).cloned() else {
        return json!({"op": "add", "path": "/new", "value": "yes"});
    };
    let values = [
        json!("yes"),
        json!(7),
        json!(null),
        json!({}),
        json!({"k": ["v", {"l": "0644"}]}),
        json!("a\nb\n"),
    ];
    let new = values[numbers.below(values.len())].clone();
    if numbers.one_in(4) {
        return json!({"op": "remove", "path": path});
    }
    match (numbers.below(3), value.pointer(&path)) {
        (0, _) => json!({"op": "replace", "path": path, "value": new}),
        (_, Some(Value::Array(_))) => json!({"op": "add", "path": format!("{path}/-"), "value": new}),
        (_, Some(Value::Object(_))) => json!({"op": "add", "path": format!("{path}/new"), "value": new}),
        _ => json!({"op": "add", "path": path, "value": new}),
    }
}

/// A mutant that is read: its text, the document that is edited, and the expected values after the edit.
struct Edited {
    before: Vec<Value>,
    text: String,
    after: Vec<Value>,
}

fn edit(numbers: &mut Numbers, text: &str) -> Option<Result<Edited, ()>> {
    let before = read(text)?;
    if !objects(&before).all(|value| is_manifest(&value)) {
        return None;
    }
    let documents = yaml::documents(text).ok()?;
    let full: Vec<_> = documents
        .into_iter()
        .filter(|document| Tree::parse(&text[document.range.clone()]).is_ok_and(|tree| !tree.is_empty()))
        .collect();
    let which = numbers.below(full.len());
    let range = full.get(which)?.range.clone();
    let patch: Patch = serde_json::from_value(json!([operation(numbers, &before[which])])).unwrap();
    let mut after = before.clone();
    json_patch::patch(&mut after[which], &patch).ok()?;
    Some(match yaml::splice(&text[range.clone()], &patch) {
        Ok(spliced) => {
            let text = format!("{}{}{}", &text[..range.start], spliced.text, &text[range.end..]);
            Ok(Edited { before, text, after })
        }
        Err(_) => Err(()),
    })
}

/// Reports whether an object has what kubectl requires of every object.
fn is_manifest(value: &Value) -> bool {
    let text = |pointer: &str| {
        value
            .pointer(pointer)
            .and_then(Value::as_str)
            .is_some_and(|text| !text.is_empty())
    };
    text("/apiVersion") && text("/kind") && text("/metadata/name")
}

fn objects(values: &[Value]) -> impl Iterator<Item = Value> {
    values
        .iter()
        .flat_map(|value| match (value["kind"].as_str(), &value["items"]) {
            (Some(kind), Value::Array(items)) if kind.ends_with("List") => items.clone(),
            _ => vec![value.clone()],
        })
}

#[test]
fn mutants_are_read_as_kubectl_reads_them_and_edited_correctly() {
    let seeds = seeds();
    let mut numbers = Numbers::of(1);
    let mut refused = 0;
    let mut edited = Vec::new();
    let mut texts = Vec::new();
    for _ in 0..MUTANTS {
        let seed = &seeds[numbers.below(seeds.len())];
        let text = mutate(&mut numbers, seed);
        let start = Instant::now();
        match edit(&mut numbers, &text) {
            Some(Ok(edit)) => {
                edited.push(edit);
                texts.push(text.clone());
            }
            Some(Err(())) => refused += 1,
            None => {}
        }
        assert!(start.elapsed() < Duration::from_secs(2), "{text:?}");
    }
    // kubectl refuses more than we do; what it reads has to be the same, before and after.
    let accepted = oracle::accepted(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    let fine: Vec<_> = edited
        .iter()
        .zip(&texts)
        .zip(accepted)
        .filter(|(_, accepted)| *accepted)
        .map(|(pair, _)| pair)
        .collect();
    let before: Vec<_> = fine.iter().map(|(_, text)| text.as_str()).collect();
    let after: Vec<_> = fine.iter().map(|(edit, _)| edit.text.as_str()).collect();
    same(
        oracle::patched(&before, &json!([])),
        fine.iter().map(|(edit, text)| (&edit.before, text.as_str())),
    );
    same(
        oracle::patched(&after, &json!([])),
        fine.iter().map(|(edit, _)| (&edit.after, edit.text.as_str())),
    );
    assert!(fine.len() > MUTANTS / 5, "{} edits, {refused} refused", fine.len());
    assert!(refused < fine.len() / 10, "{} edits, {refused} refused", fine.len());
}

fn same<'a>(read: Vec<Value>, expected: impl Iterator<Item = (&'a Vec<Value>, &'a str)>) {
    let mut read = read.into_iter();
    for (values, text) in expected {
        for value in objects(values) {
            assert_eq!(read.next(), Some(value), "{text:?}");
        }
    }
    assert_eq!(read.next(), None);
}
