//! Questions to Argo CD's own Go code: a program of `tests/tools/argocd` reads one a line and prints its answers.

use std::io::Write;
use std::process::{Command, Stdio};

use serde::de::DeserializeOwned;
use serde_json::Value;

/// Returns the answers of the program that an environment variable names, one for each question.
pub(crate) fn answers<T: DeserializeOwned>(variable: &str, questions: &[Value]) -> Vec<T> {
    let program = std::env::var_os(variable);
    let program = program.expect("run `cargo xtask test`: it builds the program that asks Argo CD's code");
    let mut child = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let lines: String = questions.iter().map(|question| format!("{question}\n")).collect();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    let found = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<T>();
    let found: Vec<T> = found.map(Result::unwrap).collect();
    assert_eq!(found.len(), questions.len());
    found
}
