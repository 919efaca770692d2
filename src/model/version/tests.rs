use super::*;

const TAGS: [&str; 7] = [
    "1.0.0",
    "v1.2.3",
    "2.0.0",
    "2.1.0-rc.1",
    "v3.0.0",
    "1.2.4+build.5",
    "nightly",
];

#[test]
fn the_newest_tag_that_fits_is_taken() {
    for (revision, tag) in [
        ("^1.0.0", "1.2.4+build.5"),
        ("1.x", "1.2.4+build.5"),
        ("*", "v3.0.0"),
        (">=1.0.0 <2.0.0", "1.2.4+build.5"),
        (">= 1.0.0, < 2.0.0", "1.2.4+build.5"),
        ("~1.2", "1.2.4+build.5"),
        ("1.0 - 2.0", "2.0.0"),
        ("1.0.0 || >=3", "v3.0.0"),
        ("~2.1.0-0", "2.1.0-rc.1"),
        ("!=3.0.0", "2.0.0"),
        ("v1.*", "1.2.4+build.5"),
        ("=1.2.3", "v1.2.3"),
    ] {
        assert_eq!(newest(revision, TAGS), Some(tag), "{revision}");
        assert!(is_constraint(revision), "{revision}");
    }
}

#[test]
fn what_is_no_constraint_names_one_revision() {
    for revision in [
        "1.0.0",
        "v1.2",
        "1",
        "main",
        "HEAD",
        "",
        "nightly",
        "feature/1.x",
        "1.0.0.0",
        "0123456789abcdef",
    ] {
        assert_eq!(newest(revision, TAGS), None, "{revision}");
        assert!(!is_constraint(revision), "{revision}");
    }
    assert_eq!(newest("^4", TAGS), None, "no tag fits");
    assert_eq!(
        newest("*", ["1.0.0", "1.0.0-01"]),
        None,
        "Argo CD gives up at such a tag"
    );
}

#[test]
fn one_version_has_all_three_numbers() {
    for text in ["1.2.3", "v1.2.3", "1.2.3-rc.1", "1.2.3+build"] {
        assert!(is_exact(text), "{text}");
    }
    for text in ["", "1", "1.2", "1.2.x", "^1.2.3", "1.2.3 ", "latest", "1.2.3.4"] {
        assert!(!is_exact(text), "{text}");
    }
}
