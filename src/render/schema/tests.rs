use std::collections::BTreeSet;

use super::*;
use crate::failure::Failure;
use crate::repo::Memory;

fn remote(schema: &str) -> Result<Option<RemoteReference>> {
    let files = Memory::new([
        ("player/Chart.yaml", "name: player\n"),
        ("player/values.schema.json", schema),
    ])?;
    let found = remote_references(&files, &RepoPath::new("player")?)?;
    Ok(found.into_iter().next())
}

/// Compares with what the library of helm loads: nothing but files that it reads, or could have read had it not failed
/// before, is refused, and no file that it reads is not.
#[test]
fn finds_what_helm_loads() {
    let vectors: Value = serde_json::from_str(include_str!("../../../tests/vectors/schema/references.json")).unwrap();
    let mut different = Vec::new();
    let (mut refused, mut whole) = (0, 0);
    for case in vectors.as_array().unwrap() {
        let text = case["schema"].as_str().unwrap();
        let loads = references::loads(&serde_json::from_str(text).unwrap());
        let go: BTreeSet<&str> = case["loads"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let go_reads = go.iter().any(|url| url.starts_with("file:"));
        let is_refused = loads.iter().any(is_file);
        let is_remote = loads.iter().any(is_remote);
        let go_is_remote = go.iter().any(|url| url.starts_with("http"));
        let is_whole = case["whole"] == true;
        let is_missed = go_reads && !is_refused || go_is_remote && !is_remote && !is_refused;
        if is_missed || is_whole && (is_refused, is_remote) != (false, go_is_remote) {
            different.push(format!("{text}: Go {go:?}, here {loads:?}"));
        }
        refused += usize::from(is_refused);
        whole += usize::from(is_whole);
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert!(refused > 50 && whole > 50, "{refused} {whole}");
}

#[test]
fn a_file_is_refused_with_its_schema_and_the_way_out() {
    let failure = Failure::from(remote(r##"{"allOf": [{"$ref": "../../../etc/passwd#/x"}]}"##).unwrap_err());
    assert_eq!(
        failure.one_line(),
        "`player/values.schema.json` refers to the file `../../../etc/passwd#/x`, which helm looks for outside the chart"
    );
    assert!(
        failure.hints[0].contains("skip-schema-validation"),
        "{:?}",
        failure.hints
    );
    for not_json in [r##"{"$ref": "file:///etc/passwd""##, "", "{} {}"] {
        let error = format!("{:#}", remote(not_json).unwrap_err());
        assert!(error.starts_with("player/values.schema.json:"), "{error}");
    }
}

#[test]
fn an_address_is_named_without_its_login() {
    for (schema, url) in [
        (
            r#"{"$ref": "https://u:hunter2@a.example/s.json?token=hunter2"}"#,
            Some("https://a.example/s.json"),
        ),
        (
            "\u{feff}{\"$id\": \"https://a.example/x.json\", \"$ref\": \"y.json\"}",
            Some("https://a.example/y.json"),
        ),
        (
            r##"{"$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#/definitions/a"}"##,
            None,
        ),
        (
            r##"{"$ref": "http://json-schema.org/draft-07/schema?x"}"##,
            Some("http://json-schema.org/draft-07/schema"),
        ),
    ] {
        let found = remote(schema).unwrap().map(|reference| reference.url);
        assert_eq!(found.as_deref(), url, "{schema}");
    }
    let error = format!(
        "{:#}",
        remote(r#"{"$ref": "file://u:hunter2@a.example/x"}"#).unwrap_err()
    );
    assert!(!error.contains("hunter2"), "{error}");
}
