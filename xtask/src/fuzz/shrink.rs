//! Makes a find smaller, as long as it stays one.

use anyhow::Result;
use serde_json::Value;

use super::case::Target;
use super::mistake;
use super::oracle::Oracle;
use homelab::model::{PointerBuf, PointerExt};

/// The most tries.
const TRIES: usize = 5000;

/// Returns the smallest case that was found to show a mistake of the same kind, and what is wrong about it.
pub(super) fn shrink(target: &Target, oracle: &mut Oracle, case: Value, why: String) -> Result<(Value, String)> {
    let kind = kind_of(&why);
    let (mut best, mut best_why) = (case, why);
    let mut tries = 0;
    'again: loop {
        for smaller in candidates(&best) {
            tries += 1;
            if tries > TRIES {
                break 'again;
            }
            if let Some(why) = mistake(target, oracle, &smaller)?.filter(|why| kind_of(why) == kind) {
                (best, best_why) = (smaller, why);
                continue 'again;
            }
        }
        break;
    }
    Ok((best, best_why))
}

/// Returns the words of a mistake without what depends on the case: quoted texts, numbers and pointers.
pub(super) fn kind_of(why: &str) -> String {
    let is_word = |word: &&str| word.trim_end_matches([':', ',']).chars().all(char::is_alphabetic);
    why.split_whitespace()
        .filter(is_word)
        .take(16)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Returns smaller cases, the much smaller ones first.
fn candidates(case: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    below(case, case, &PointerBuf::new(), &mut found);
    found.sort_by_key(|value| value.to_string().len());
    found
}

fn below(case: &Value, value: &Value, at: &PointerBuf, found: &mut Vec<Value>) {
    let mut with = |new: Value| {
        let mut smaller = case.clone();
        if let Some(place) = smaller.pointer_mut(at.as_str()) {
            *place = new;
            found.push(smaller);
        }
    };
    match value {
        Value::String(text) => shorter(text).into_iter().for_each(|text| with(Value::String(text))),
        Value::Array(items) => {
            for index in 0..items.len() {
                let mut fewer = items.clone();
                fewer.remove(index);
                with(Value::Array(fewer));
            }
            for (index, item) in items.iter().enumerate() {
                below(case, item, &at.child(index), found);
            }
        }
        Value::Object(map) => {
            // A case needs all its entries.
            for key in map.keys().filter(|_| !at.is_root()) {
                let mut fewer = map.clone();
                fewer.remove(key);
                with(Value::Object(fewer));
            }
            for (key, value) in map {
                below(case, value, &at.child(key), found);
            }
        }
        _ => {}
    }
}

/// Returns the text without some of its lines, and a text that is short already without some of its characters.
fn shorter(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut found = without(&lines);
    if lines.len() <= 40 {
        for (number, line) in lines.iter().enumerate() {
            let signs: Vec<String> = line.chars().map(String::from).collect();
            let signs: Vec<&str> = signs.iter().map(String::as_str).collect();
            let around = |line: String| [lines[..number].concat(), line, lines[number + 1..].concat()].concat();
            found.extend(without(&signs).into_iter().map(around));
        }
    }
    found
}

/// Returns the whole without a half, a quarter, and so on, down to one part.
fn without(parts: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut size = parts.len();
    while size > 0 {
        for start in (0..parts.len()).step_by(size) {
            let end = (start + size).min(parts.len());
            found.push([parts[..start].concat(), parts[end..].concat()].concat());
        }
        size /= 2;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_text_and_every_list_gets_smaller() {
        let found = candidates(&json!({"a": "xy", "b": ["z"]}));
        for smaller in [
            json!({"a": "", "b": ["z"]}),
            json!({"a": "y", "b": ["z"]}),
            json!({"a": "xy", "b": []}),
            json!({"a": "xy", "b": [""]}),
        ] {
            assert!(found.contains(&smaller), "{smaller}");
        }
    }

    #[test]
    fn a_mistake_has_a_kind() {
        assert_eq!(kind_of("/a/0: want 1, got \"x\""), kind_of("/b/c: want 2, got \"y\""));
        assert_ne!(kind_of("a panic: x"), kind_of("it is refused: x"));
    }
}
