use super::*;
use crate::repo::Memory;
use serde_json::Value;

fn path(text: &str) -> RepoPath {
    RepoPath::new(text).unwrap()
}

fn of(files: &[&str], pattern: &str) -> Result<Vec<String>> {
    let files = Memory::new(files.iter().map(|file| (*file, "")))?;
    let found = expand(&files, &RepoPath::new(pattern)?)?;
    Ok(found.iter().map(ToString::to_string).collect())
}

/// Compares with the results of Go's doublestar 4.10.0 in a folder with these files; `null` means a malformed pattern.
#[test]
fn finds_what_go_finds_in_its_order() {
    let vectors: Value = serde_json::from_str(include_str!("../../../tests/vectors/glob/doublestar.json")).unwrap();
    let strings = |list: &Value| -> Vec<String> {
        let list = list.as_array().unwrap().iter();
        list.map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let files = strings(&vectors["files"]);
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let mut different = Vec::new();
    for case in vectors["cases"].as_array().unwrap() {
        let pattern = case["pattern"].as_str().unwrap();
        let expected = Some(&case["matches"]).filter(|matches| matches.is_array()).map(strings);
        let found = of(&files, pattern);
        if found.as_ref().ok() != expected.as_ref() {
            different.push(format!("{pattern}: Go {expected:?}, here {found:?}"));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn malformed_and_endless_globs_are_reported() {
    for (pattern, part) in [
        ("a[".to_owned(), "a `[` has no `]`"),
        ("[!]".to_owned(), "there is nothing between them"),
        ("[a/b]*".to_owned(), "a `[` has no `]`"),
        ("{a*".to_owned(), "a `{` has no `}`"),
        ("a}*".to_owned(), "a `}` has no `{`"),
        ("*\\".to_owned(), "ends in a backslash"),
        ("*".repeat(5000), "longer than 4096 bytes"),
        ("{".repeat(60), "more than 50 deep"),
        ("{a,b}".repeat(20) + "*", "more than 10000 folders"),
    ] {
        let error = of(&["a"], &pattern).unwrap_err().to_string();
        assert!(error.contains(part), "{part} in {error}");
    }
}

#[test]
fn a_glob_begins_in_the_folder_before_its_first_wildcard() {
    for (pattern, folder) in [
        ("values/*/x.yaml", "values"),
        ("a/b/c?.yaml", "a/b"),
        ("*.yaml", ""),
        ("a/{b,c}/*", "a"),
        ("a\\*b/c/*.yaml", "a*b/c"),
        ("a/b.yaml", "a"),
    ] {
        assert_eq!(base(&path(pattern)), path(folder), "{pattern}");
    }
    assert!(is_glob("a*") && is_glob("?") && is_glob("[a]") && !is_glob("{a,b}.yaml"));
}
