//! The stories that the documentation names as evidence exist.
#![expect(
    clippy::disallowed_methods,
    reason = "a test reads the documentation and the stories"
)]

use std::fs;
use std::path::Path;

/// Returns the paths of stories between backticks: `file::test`.
fn stories(text: &str) -> Vec<(&str, &str)> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter_map(|words| words.split_once("::")).collect()
}

#[test]
fn every_story_that_is_named_as_evidence_is_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = fs::read_to_string(root.join("docs/argo-cd-and-claims.md")).unwrap();
    let named = stories(&text);
    assert!(named.len() > 12, "{named:?}");
    for (file, test) in named {
        let path = root.join(format!("tests/real/tests/stories/{file}.rs"));
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(
            text.contains(&format!("#[test]\nfn {test}()")),
            "{file}.rs has no test `{test}`"
        );
    }
}
