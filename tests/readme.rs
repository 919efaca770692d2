//! The README is correct: its tour runs as a reader runs it, and its table of parameters is generated from the code.

mod transcript;

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
