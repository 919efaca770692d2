//! Questions to Argo CD's own Go code: a program of `tests/tools/argocd` reads one a line and prints its answers.

use std::io::Write;
use std::process::{Command, Stdio};

use serde::de::DeserializeOwned;
use serde_json::Value;

/// Returns the answers of the program that an environment variable names, one for each question.
pub(crate) fn answers<T: DeserializeOwned>(variable: &str, questions: &[Value]) -> Vec<T> {
    let program = std::env::var_os(variable);
    let program = program.expect("run `cargo xtask test`: it builds the program that asks Argo CD's code");
    // Its code runs the kustomize on PATH.
    let kustomize = std::env::var_os("HOMELAB_TEST_KUSTOMIZE").map(std::path::PathBuf::from);
    let folder = kustomize
        .as_deref()
        .and_then(std::path::Path::parent)
        .map(std::path::Path::to_owned);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = folder.into_iter().chain(std::env::split_paths(&path));
    let mut child = Command::new(program)
        .env("PATH", std::env::join_paths(path).unwrap())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let lines: String = questions.iter().map(|question| format!("{question}\n")).collect();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<T>();
    let found: Vec<T> = found.map(Result::unwrap).collect();
    assert_eq!(found.len(), questions.len());
    found
}
