//! 236 hazardous documents are read as Go reads them, and edited.
//!
//! `tests/vectors/yaml/hazards.json` has the value that kubectl's decoder reads in each text (`go`), and its error.
#![expect(clippy::unwrap_used, reason = "a test reads files, runs programs and fails loudly")]

use homelab::yaml;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Texts that Go refuses and the program reads, each with the reason. An edit of one of them is either refused or correct
/// for the value that the program reads; Go refuses the file before and after, so that no cluster ever gets it.
const READ_THOUGH_GO_REFUSES: &[(&str, &str)] = &[(
    "docs:empty",
    "kubectl misses a kind in `{}`; the decoder itself reads it",
)];

#[derive(serde::Deserialize)]
struct Hazard {
    yaml: String,
    go: Option<Vec<Value>>,
    error: Option<String>,
}

fn hazards() -> BTreeMap<String, Hazard> {
    serde_json::from_str(include_str!("vectors/yaml/hazards.json")).unwrap()
}

/// Converts the numbers of the vectors, `["i", "31"]` and `["f", "1.1"]`.
fn numbers(value: &Value) -> Value {
    match value {
        Value::Array(items) => match items.as_slice() {
            [Value::String(kind), Value::String(number)] if matches!(kind.as_str(), "i" | "f") => {
                let float: f64 = number.parse().unwrap();
                number.parse::<i64>().map_or(json!(float), |integer| json!(integer))
            }
            _ => items.iter().map(numbers).collect(),
        },
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), numbers(value))).collect(),
        other => other.clone(),
    }
}

fn read(text: &str) -> Result<Vec<Value>, yaml::YamlError> {
    let mut values = Vec::new();
    for document in yaml::documents(text)? {
        values.extend(yaml::value(&text[document.range.clone()]).map_err(|error| error.below(document.line - 1))?);
    }
    Ok(values)
}

#[test]
fn what_go_reads_we_read_alike() {
    let hazards = hazards();
    assert_eq!(hazards.len(), 236);
    let mut wrong = Vec::new();
    for (name, hazard) in &hazards {
        let Some(go) = hazard.go.as_ref().filter(|_| hazard.error.is_none()) else {
            continue;
        };
        let go: Vec<Value> = go.iter().map(numbers).collect();
        match read(&hazard.yaml) {
            Ok(parsed) if parsed == go => {}
            other => wrong.push(format!("{name}: {other:?} instead of {go:?}")),
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_go_refuses_we_refuse() {
    let mut read_anyway = Vec::new();
    for (name, hazard) in &hazards() {
        if hazard.error.is_some() && read(&hazard.yaml).is_ok() {
            read_anyway.push(name.clone());
        }
    }
    let listed: Vec<_> = READ_THOUGH_GO_REFUSES.iter().map(|(name, _)| *name).collect();
    assert_eq!(read_anyway, listed);
}
