//! The real kubectl as the oracle of what a manifest means; it needs no cluster for that.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads files, runs programs and fails loudly"
)]

use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Returns the objects that kubectl reads in the texts after a patch, in order; a `List` becomes its items.
pub(crate) fn patched(texts: &[&str], patch: &Value) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), texts, patch);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let values = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>();
    values.map(|value| as_go_holds_it(value.unwrap())).collect()
}

/// Reports for each of the texts whether kubectl reads it without an error.
pub(crate) fn accepted(texts: &[&str]) -> Vec<bool> {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), texts, &json!([]));
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    (0..texts.len())
        .map(|number| !complaints.contains(&file_name(number)))
        .collect()
}

fn run(folder: &Path, texts: &[&str], patch: &Value) -> Output {
    let program = std::env::var_os("HOMELAB_TEST_KUBECTL");
    let program = program.expect("run `cargo xtask test`: it builds the kubectl that reads the results");
    for (number, text) in texts.iter().enumerate() {
        fs::write(folder.join(file_name(number)), text).unwrap();
    }
    Command::new(program)
        .args([
            "patch",
            "--local",
            "--type=json",
            "-o",
            "json",
            "-p",
            &patch.to_string(),
            "-f",
        ])
        .arg(folder)
        .env_clear()
        .env("HOME", folder)
        .output()
        .unwrap()
}

/// Returns the name of a file; kubectl reads files in the order of their names.
fn file_name(number: usize) -> String {
    format!("case-{number:06}.yaml")
}

/// Converts numbers that Go holds as floats: it prints a float of 64 bits without its fraction.
fn as_go_holds_it(value: Value) -> Value {
    match value {
        Value::Number(number) if number.is_u64() && !number.is_i64() => json!(number.as_f64()),
        Value::Array(items) => items.into_iter().map(as_go_holds_it).collect(),
        Value::Object(map) => map
            .into_iter()
            .map(|(key, value)| (key, as_go_holds_it(value)))
            .collect(),
        other => other,
    }
}
