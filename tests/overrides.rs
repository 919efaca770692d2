//! Files of overrides as Argo CD's own Go code merges them (`tests/tools/argocd/overrides`): what it answers to the cases of
//! `tests/vectors/overrides` is kept there.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test runs programs and fails loudly"
)]

mod argocd_code;

use homelab::model::tool::TOOLS;
use homelab::repo::{Memory, RepoPath, overrides};
use serde_json::{Map, Value, json};

const CASES: &str = include_str!("vectors/overrides/overrides.json");

/// The cases that are refused here although Argo CD renders them: a section that is spelled otherwise, and a text where Helm needs
/// a map.
const REFUSED: usize = 4;

/// Returns a source without what Go leaves out: values that are their type's zero value. The sections of tools stay.
fn prepared(source: &Value) -> Value {
    let mut prepared = without_zeros(source);
    for tool in TOOLS.iter().filter(|tool| source[**tool].is_object()) {
        if prepared.get(*tool).is_none() {
            prepared[*tool] = json!({});
        }
    }
    prepared
}

fn without_zeros(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let entries = map.iter().map(|(key, value)| match key.as_str() {
                "valuesObject" => (key.clone(), value.clone()),
                _ => (key.clone(), without_zeros(value)),
            });
            let is_zero = |key: &str, value: &Value| match value {
                Value::Null => true,
                Value::Bool(value) => !value,
                Value::String(text) => text.is_empty() && key != "string",
                Value::Array(list) => list.is_empty() && key != "array",
                Value::Object(map) => map.is_empty() && key != "valuesObject" && key != "map",
                Value::Number(_) => false,
            };
            Value::Object(
                entries
                    .filter(|(key, value)| !is_zero(key, value))
                    .collect::<Map<_, _>>(),
            )
        }
        Value::Array(list) => Value::Array(list.iter().map(without_zeros).collect()),
        other => other.clone(),
    }
}

fn cases() -> Vec<Value> {
    serde_json::from_str(CASES).unwrap()
}

/// Merges the files of a case; the second part says why the result is refused.
fn merged(case: &Value) -> anyhow::Result<(Value, Option<String>)> {
    let files = case["files"].as_object().unwrap().iter();
    let files: Vec<(String, &str)> = files
        .map(|(name, text)| (format!("c/{name}"), text.as_str().unwrap()))
        .collect();
    let files = Memory::new(files.iter().map(|(name, text)| (name.as_str(), *text)))?;
    let instance = case["instance"].as_str().unwrap();
    let merged = overrides::apply(&case["source"], instance, &files, &RepoPath::new("c")?)?;
    let refused = merged.check_tools().err().map(|error| format!("{error:#}"));
    Ok((merged.tree, refused))
}

#[test]
fn files_are_merged_as_argo_cd_does() {
    let (mut wrong, mut refused) = (Vec::new(), Vec::new());
    for case in cases() {
        let (name, expected) = (&case["name"], &case["merged"]);
        let has_two_tools = case["error"]
            .as_str()
            .is_some_and(|error| error.starts_with("multiple application sources"));
        match (merged(&case), expected.is_object()) {
            (Ok((tree, why)), true) if prepared(&tree) == prepared(expected) && why.is_some() == has_two_tools => {}
            (Ok(found), _) => wrong.push(format!("{name}\n  is  {found:?}\n  not {expected} {}", case["error"])),
            (Err(_), false) => {}
            (Err(error), true) => refused.push(format!("{name}: {error:#}")),
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(refused.len(), REFUSED, "{refused:#?}");
}

/// Asks Argo CD's code about all cases again.
#[test]
fn the_vectors_are_what_argo_cd_answers() {
    let cases = cases();
    let question =
        |case: &Value| json!({"source": case["source"], "instance": case["instance"], "files": case["files"]});
    let questions: Vec<Value> = cases.iter().map(question).collect();
    let answers: Vec<Value> = argocd_code::answers("HOMELAB_TEST_ARGOCD_OVERRIDES", &questions);
    for (case, answer) in cases.iter().zip(&answers) {
        assert_eq!(case["error"], answer["error"], "{}", case["name"]);
        if case["merged"].is_object() {
            assert_eq!(case["merged"], answer["source"], "{}", case["name"]);
        }
    }
}
