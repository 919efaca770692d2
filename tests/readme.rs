//! The README is correct: its tour runs as a reader runs it, and its table of parameters is generated from the code.

#![expect(
    clippy::disallowed_methods,
    reason = "a test reads files, runs programs and fails loudly"
)]

mod transcript;

use std::path::Path;
use std::process::Command;

use homelab::model::parameter::{Shape, TABLE};

#[test]
fn the_tour_of_the_readme_is_true() {
    transcript::check("README.md");
}

#[test]
fn the_table_of_parameters_is_the_codes() {
    let row = |name: &str, shape: Shape, doc: &str| {
        let takes = match shape {
            Shape::Boolean => "`\"true\"` or `\"false\"`",
            _ => shape.field(),
        };
        format!("| `{name}` | {takes} | {doc} |\n")
    };
    let rows: String = TABLE.iter().map(|spec| row(spec.name, spec.shape, spec.doc)).collect();
    let table = format!("\n| parameter | takes | what it does |\n|---|---|---|\n{rows}\n");
    let readme = include_str!("../README.md");
    let written = readme
        .split_once("<!-- parameters:begin -->\n")
        .and_then(|(_, rest)| rest.split_once("<!-- parameters:end -->"))
        .map(|(table, _)| table);
    assert_eq!(
        written,
        Some(table.as_str()),
        "put this between the markers `parameters:begin` and `parameters:end` of README.md:\n{table}"
    );
}

/// Returns the text between two markers.
fn between<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(&format!("<!-- {name}:begin -->\n"))?;
    Some(rest.split_once(&format!("<!-- {name}:end -->"))?.0)
}

#[test]
fn the_picture_is_what_graph_draws() {
    let work = tempfile::tempdir().unwrap();
    transcript::sandbox::shipped(work.path());
    let output = Command::new(env!("CARGO_BIN_EXE_kubectl-homelab"))
        .args(["graph", "-n", "jellyfin", "--no-render", "-o", "mermaid"])
        .current_dir(work.path())
        .env_clear()
        .env("HOME", work.path())
        .output()
        .unwrap();
    let drawn = format!("\n```mermaid\n{}```\n\n", String::from_utf8(output.stdout).unwrap());
    let readme = include_str!("../README.md");
    let written = between(readme, "graph").unwrap();
    if std::env::var_os("SNAPSHOTS").is_some_and(|mode| mode == "overwrite") {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
        let marked = |text: &str| format!("<!-- graph:begin -->\n{text}<!-- graph:end -->");
        return std::fs::write(path, readme.replacen(&marked(written), &marked(&drawn), 1)).unwrap();
    }
    assert_eq!(
        written, drawn,
        "`SNAPSHOTS=overwrite cargo test --test readme` writes it again"
    );
}
