//! The real kubectl as the judge of what a manifest means: it needs no cluster for that.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads files, runs programs and fails loudly"
)]

use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// What kubectl reads in each of the texts after a patch, all objects in order; a `List` becomes its items.
pub(crate) fn patched(texts: &[&str], patch: &Value) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), texts, patch);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let values = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>();
    values.map(|value| as_go_holds_it(value.unwrap())).collect()
}

/// Which of the texts kubectl reads without any complaint.
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
    let program = program.expect("run `cargo xtask test`: it gets the kubectl that judges");
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

/// Files are read in the order of their names.
fn file_name(number: usize) -> String {
    format!("case-{number:06}.yaml")
}

/// Go prints a float of 64 bits without its fraction: such a number is no integer for it.
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
