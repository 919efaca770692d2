use super::*;
use serde_json::Value;

/// Compares with what version 0.2.3 of the Go library matches among these names; `null` means a malformed glob, `crash`
/// a crash of the program.
#[test]
fn matches_what_go_matches() {
    let vectors: Value = serde_json::from_str(include_str!("../../../tests/vectors/glob/gobwas.json")).unwrap();
    let names: Vec<&str> = vectors["names"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let mut different = Vec::new();
    for case in vectors["cases"].as_array().unwrap() {
        let pattern = case["pattern"].as_str().unwrap();
        let expected: Option<Vec<&str>> = case["matches"]
            .as_array()
            .map(|list| list.iter().filter_map(Value::as_str).collect());
        let found = Glob::new(pattern);
        if pattern.contains('{')
            && found
                .as_ref()
                .is_err_and(|error| error.to_string().contains("incorrectly"))
        {
            continue;
        }
        let found =
            found.map(|glob| -> Vec<&str> { names.iter().copied().filter(|name| glob.matches(name)).collect() });
        if found.as_ref().ok() != expected.as_ref() {
            different.push(format!("{pattern}: Go {expected:?}, here {found:?}"));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// The Go library gets each of these wrong, or one that resembles it.
#[test]
fn what_argo_cd_gets_wrong_is_refused() {
    for glob in [
        "{a*,b}.yaml",
        "{a*,a?}",
        "{a*,a}",
        "{a*b*.yaml,a*b*.yml}",
        "a{,b}",
        "{}",
        "{{a*,b},c}",
        "*{,a}",
        "*{a*,b*}",
        "{a*,b*}{c,d}",
    ] {
        let failure = crate::failure::Failure::from(Glob::new(glob).unwrap_err());
        assert_eq!(failure.one_line(), "Argo CD matches it incorrectly", "{glob}");
        assert!(failure.hints[0].contains("without wildcards"));
    }
    for glob in [
        "{a,b}",
        "{a,b}.yaml",
        "*.{yaml,yml}",
        "{*.yaml,*.yml}",
        "{a/*,b/*}",
        "{a*,b}",
        "{config/**,some/**}",
        "{a.yaml,b/*.json}",
        "{a*}",
        "{*/b,*/c}",
        "{a,bc}*{d,ef}",
        "{a*",
        "{a*,b*}.yaml",
        "x/{a*,b*c}",
    ] {
        assert!(Glob::new(glob).is_ok(), "{glob}");
    }
}

#[test]
fn many_wildcards_take_no_time() {
    let glob = Glob::new(&"*a".repeat(200)).unwrap();
    assert!(!glob.matches(&"a".repeat(199)));
    assert!(glob.matches(&"a".repeat(200)));
}

#[test]
fn a_malformed_glob_is_reported() {
    for (glob, part) in [
        ("[", "a `[` has no `]`"),
        ("[]", "there is nothing between"),
        ("[b-a]", "runs backwards"),
        ("[a-bc]", "no `]` behind it"),
        (&"{".repeat(60)[..], "more than 50 deep"),
    ] {
        let error = Glob::new(glob).unwrap_err().to_string();
        assert!(error.contains(part), "{part} in {error}");
    }
}
