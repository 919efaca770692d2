use serde_json::json;

use super::*;
use crate::rules::case::{Case, HOME, claim, owns};

fn request(rules: &str) -> Request {
    Request {
        selection: Selection::parse(rules).unwrap(),
        ..Request::default()
    }
}

/// Returns an Application that syncs the folder `storage` natively.
fn storage() -> Case {
    Case::new().app(
        "storage",
        json!({"destination": {"namespace": "media"}, "source": {"repoURL": HOME, "path": "storage"}}),
    )
}

#[test]
fn two_entries_are_appended_to_one_list() {
    let case = Case::new().plugin("fetcher", json!([owns(["config"])])).renders(
        "fetcher",
        ["audio", "config", "films"].map(|name| claim(name, json!({}))),
    );
    let fixed = case.fix(&request("HL124"));
    assert_eq!((fixed.found, fixed.fixed, fixed.refused.len()), (2, 2, 0));
    let text = &fixed.repo.files.values().next().unwrap().text;
    let list: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("- "))
        .collect();
    assert_eq!(list, ["- name: owns", "- config", "- audio", "- films"]);
}

#[test]
fn two_fixes_make_one_missing_map() {
    let bare = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "audio"},
        "spec": {"accessModes": ["ReadWriteOnce"]}});
    let fixed = storage()
        .manifest("storage/audio.yaml", bare)
        .fix(&request("+HL101,+HL102"));
    let text = &fixed.repo.files.values().last().unwrap().text;
    assert!(
        text.contains("sync-options: Prune=false,Delete=false") && text.contains("compare-options: IgnoreExtraneous"),
        "{text}"
    );
    assert_eq!(text.matches("annotations:").count(), 1, "{text}");
}

#[test]
fn a_fix_that_cannot_be_made_is_refused_and_the_others_are_made() {
    let case = storage()
        .manifest("storage/audio.yaml", claim("audio", json!({})))
        .file(
            "storage/films.yaml",
            "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: films\n  labels: &both {a: b}\n  \
             annotations: *both\nspec:\n  accessModes: [ReadWriteOnce]\n",
        );
    let fixed = case.fix(&request("HL101"));
    assert_eq!((fixed.found, fixed.fixed), (2, 1));
    let [refused] = fixed.refused.as_slice() else {
        panic!("{:?}", fixed.refused)
    };
    assert!(refused.finding.message.contains("films"), "{refused:?}");
    assert!(refused.why.contains("cannot be edited in place"), "{refused:?}");
}

#[test]
fn a_fix_that_introduces_an_error_is_refused() {
    let rendered = || [claim("audio", json!({}))];
    let case = Case::new()
        .plugin("fetcher", json!([]))
        .plugin("ripper", json!([]))
        .renders("fetcher", rendered())
        .renders("ripper", rendered());
    let fixed = case.fix(&request("HL124"));
    assert_eq!(fixed.found, 2);
    assert_eq!(fixed.fixed, 0);
    assert!(
        fixed
            .refused
            .iter()
            .all(|refused| refused.why.contains("it would introduce an error: ")),
        "{:?}",
        fixed.refused
    );
    assert_eq!(fixed.changes.changes, []);
}

#[test]
fn only_what_was_asked_for_is_touched() {
    let case = || {
        ["a", "b"].into_iter().fold(Case::new(), |case, name| {
            let sync =
                json!({"automated": {"allowEmpty": true}, "syncOptions": ["Replace=true", "createNamespace=true"]});
            let mut spec = crate::rules::case::plugin_spec(json!([owns([name])]));
            spec["syncPolicy"] = sync;
            case.app(name, spec)
        })
    };
    let files = |request: &Request| -> Vec<String> {
        let case = case();
        let changes = case.fix(request).changes;
        let files = case.repo().file_changes(&changes).unwrap();
        files.iter().map(|file| file.path.to_string()).collect()
    };
    let both = ["applications/a.yaml", "applications/b.yaml"];
    assert_eq!(files(&request("HL301")), both);
    assert_eq!(files(&request("HL302")), [""; 0], "its fix needs review");
    assert_eq!(case().fix(&request("HL302")).unsafe_fixes, 2);
    let reviewed = Request {
        unsafe_fixes: true,
        ..request("HL302")
    };
    assert_eq!(files(&reviewed), both);
    let one = Request {
        paths: vec![RepoPath::new("applications/b.yaml").unwrap()],
        ..request("")
    };
    assert_eq!(files(&one), both[1..]);
}

#[test]
fn a_line_is_not_parted_from_the_comment_that_ignores_its_finding() {
    let text = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: # homelab: ignore HL101 why\n  name: films\nspec:\n  accessModes: [ReadWriteOnce]\n";
    let case = storage().file("storage/films.yaml", text);
    let fixed = case.fix(&request("+HL1"));
    assert_eq!((fixed.found, fixed.fixed), (0, 0));
    let repo = case.repo();
    let state = State::of(repo, AppRenders::new());
    assert_eq!(state.ignored.len(), 1);
    let refused = state.accept(&[], &state.ignored).unwrap_err();
    assert!(refused.contains("the comment that ignores HL101"), "{refused}");
}
