use super::*;

#[test]
fn many_wildcards_take_no_time() {
    let glob = Glob::new(&"*a".repeat(200)).unwrap();
    assert!(!glob.matches(&"a".repeat(199)));
    assert!(glob.matches(&"a".repeat(200)));
}

#[test]
fn what_is_malformed_is_said() {
    for (glob, part) in [
        ("[", "a `[` has no `]`"),
        ("[]", "nothing stands between"),
        ("[b-a]", "runs backwards"),
        ("[a-bc]", "no `]` behind it"),
        (&"{".repeat(60)[..], "more than 50 deep"),
    ] {
        let error = Glob::new(glob).unwrap_err().to_string();
        assert!(error.contains(part), "{part} in {error}");
    }
}
