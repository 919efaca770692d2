use super::*;
use serde_json::json;

fn patched(text: &str, patch: Value) -> Spliced {
    splice(text, &serde_json::from_value(patch).unwrap()).unwrap()
}

/// Returns the text after a patch that has to be a true splice.
fn text(before: &str, patch: Value) -> String {
    let spliced = patched(before, patch);
    assert!(!spliced.reprinted, "reprinted: {}", spliced.text);
    spliced.text
}

fn add(path: &str, value: Value) -> Value {
    json!([{"op": "add", "path": path, "value": value}])
}

#[test]
fn a_new_key_is_new_lines_behind_the_last() {
    assert_eq!(
        text("a: 1\nb:\n  c: 2 # x\n# end\n", add("/b/d", json!({"e": ["f"]}))),
        "a: 1\nb:\n  c: 2 # x\n  d:\n    e:\n    - f\n# end\n"
    );
    assert_eq!(
        text("l:\n  - a: 1\n", add("/l/0/m", json!(["x"]))),
        "l:\n  - a: 1\n    m:\n      - x\n"
    );
    assert_eq!(text("a: 1", add("/b", json!("yes"))), "a: 1\nb: \"yes\"");
    assert_eq!(
        text("a: 1\r\nb: 2\r\n", add("/c", json!({"d": 1}))),
        "a: 1\r\nb: 2\r\nc:\r\n  d: 1\r\n"
    );
    assert_eq!(text("\u{feff}a: 1\n", add("/b", json!(2))), "\u{feff}a: 1\nb: 2\n");
}

#[test]
fn two_insertions_at_one_place_go_deeper_first() {
    let before = "spec:\n  containers:\n  - name: c\n    env:\n    - name: A\n";
    let patch = json!([
        {"op": "add", "path": "/spec/volumes", "value": [{"name": "v"}]},
        {"op": "add", "path": "/spec/containers/0/env/-", "value": {"name": "B"}},
        {"op": "add", "path": "/spec/containers/0/volumeMounts", "value": [{"name": "v"}]},
        {"op": "add", "path": "/spec/containers/-", "value": {"name": "d"}},
    ]);
    assert_eq!(
        text(before, patch),
        "spec:\n  containers:\n  - name: c\n    env:\n    - name: A\n    - name: B\n    volumeMounts:\n    - name: v\n  - name: d\n  volumes:\n  - name: v\n"
    );
}

#[test]
fn absent_and_null_values_get_json_in_their_place() {
    assert_eq!(
        text(
            "a: # none\nb: ~\nc:\n",
            json!([
                {"op": "add", "path": "/a", "value": [{"x": 1}]},
                {"op": "replace", "path": "/b", "value": {}},
                {"op": "add", "path": "/c", "value": "s"},
            ])
        ),
        "a: [{x: 1}] # none\nb: {}\nc: s\n"
    );
    assert_eq!(
        text(
            "a:\n  {}\nb: []\n",
            json!([
                {"op": "add", "path": "/a/x", "value": 1},
                {"op": "add", "path": "/a/y", "value": 2},
                {"op": "add", "path": "/b/-", "value": "z"},
            ])
        ),
        "a:\n  {x: 1, \"y\": 2}\nb: [z]\n"
    );
}

#[test]
fn brackets_keep_their_layout() {
    assert_eq!(
        text(
            "a: {x: 1, # c\n}\nb: [1, # c\n  ]\n",
            json!([
                {"op": "add", "path": "/a/y", "value": "no"},
                {"op": "add", "path": "/b/-", "value": {"k": null}},
            ])
        ),
        "a: {x: 1, \"y\": \"no\", # c\n}\nb: [1, {k: null}, # c\n  ]\n"
    );
    assert_eq!(
        text(
            "{\n\t\"a\": [\n\t\t1\n\t]\n}\n",
            json!([
                {"op": "add", "path": "/b", "value": 2},
                {"op": "add", "path": "/a/-", "value": 3},
            ])
        ),
        "{\n\t\"a\": [\n\t\t1,\n\t\t3\n\t],\n\t\"b\": 2\n}\n"
    );
}

/// Puts a patch into a text and takes it back; returns the text in between.
fn there_and_back(before: &str, path: &str, value: Value) -> String {
    let mut between = String::new();
    for _ in 0..10 {
        between = text(before, add(path, value.clone()));
        assert_eq!(
            text(&between, json!([{"op": "remove", "path": path}])),
            before,
            "{between}"
        );
    }
    between
}

#[test]
fn an_addition_in_brackets_looks_as_what_is_there_and_goes_again() {
    let entry = json!({"n": ["v", 1], "e": {}});
    for (before, path, after) in [
        ("a: {b: 1}\n", "/a/c", "a: {b: 1, c: {\"n\": [v, 1], e: {}}}\n"),
        ("a: {}\n", "/a/c", "a: {c: {\"n\": [v, 1], e: {}}}\n"),
        ("a: { }\n", "/a/c", "a: { c: {\"n\": [v, 1], e: {}} }\n"),
        ("a: { b: x }\n", "/a/c", "a: { b: x, c: { \"n\": [v, 1], e: {} } }\n"),
        ("a: {b: x,}\n", "/a/c", "a: {b: x, c: {\"n\": [v, 1], e: {}},}\n"),
        ("a: {b: }\n", "/a/c", "a: {b: , c: {\"n\": [v, 1], e: {}} }\n"),
        ("a: [ b ]", "/a/-", "a: [ b, {\"n\": [ v, 1 ], e: {}} ]"),
        (
            "{\"a\":{\"b\":\"x\"}}",
            "/c",
            "{\"a\":{\"b\":\"x\"}, \"c\":{\"n\":[\"v\", 1], \"e\":{}}}",
        ),
        (
            "{\"a\":1,\"b\":2}",
            "/c",
            "{\"a\":1,\"b\":2,\"c\":{\"n\":[\"v\",1],\"e\":{}}}",
        ),
        (
            "{\r\n   \"a\": 1,\r\n   \"b\": {}\r\n}",
            "/b/c",
            "{\r\n   \"a\": 1,\r\n   \"b\": {\r\n      \"c\": {\r\n         \"n\": [\r\n            \"v\",\r\n            1\r\n         ],\r\n         \"e\": {}\r\n      }\r\n   }\r\n}",
        ),
        (
            "a: { # one\n  b: x, # two\n  # three\n} # four\n",
            "/a/c",
            "a: { # one\n  b: x, # two\n  c: {\n    \"n\": [\n      v,\n      1,\n    ],\n    e: {},\n  },\n  # three\n} # four\n",
        ),
        (
            "a: { # one\n  b: {x: y} # two\n  # three\n} # four\n",
            "/a/c",
            "a: { # one\n  b: {x: y}, # two\n  c: {\n    \"n\": [\n      v,\n      1\n    ],\n    e: {}\n  }\n  # three\n} # four\n",
        ),
        (
            "a: [\n  {b: x},\n  # of c\n  {c: y}\n]\n",
            "/a/1",
            "a: [\n  {b: x},\n  {\n    \"n\": [\n      v,\n      1\n    ],\n    e: {}\n  },\n  # of c\n  {c: y}\n]\n",
        ),
        ("a: [b,  c]\n", "/a/0", "a: [{\"n\": [v, 1], e: {}}, b,  c]\n"),
    ] {
        let path_back = path.replace("/-", "/1");
        let between = match path.ends_with("/-") {
            true => there_and_back(before, &path_back, entry.clone()),
            false => there_and_back(before, path, entry.clone()),
        };
        assert_eq!(between, after, "{before}");
    }
}

#[test]
fn a_text_without_a_last_line_end_stays_so() {
    assert_eq!(there_and_back("a: 1", "/b", json!({"c": [1]})), "a: 1\nb:\n  c:\n  - 1");
    assert_eq!(
        there_and_back("a: 1\r\nl:\r\n- x", "/l/1", json!(2)),
        "a: 1\r\nl:\r\n- x\r\n- 2"
    );
    let remove = json!([{"op": "remove", "path": "/b"}]);
    assert_eq!(text("a: |\n  x\nb: 1", remove), "a: |\n  x\n");
}

#[test]
fn block_scalars_keep_their_lines() {
    assert_eq!(text("a: |\n  x\n\n\n", add("/b", json!(1))), "a: |\n  x\nb: 1\n\n\n");
    assert_eq!(text("a: |+\n  x\n\n\n", add("/b", json!(1))), "a: |+\n  x\n\n\nb: 1\n");
    assert_eq!(
        text("a:\n  b: >-\n    x\n  # c\n", add("/a/c", json!(1))),
        "a:\n  b: >-\n    x\n  c: 1\n  # c\n"
    );
    assert_eq!(
        text(
            "a: |-  # old\n  x\n  y\nb: 1\n",
            json!([{"op": "replace", "path": "/a", "value": "p\nq\n"}])
        ),
        "a: |\n  p\n  q\nb: 1\n"
    );
    assert_eq!(
        text(
            "a: |\n  x\nb: 1\n",
            json!([{"op": "replace", "path": "/a", "value": 7}])
        ),
        "a: 7\nb: 1\n"
    );
}

#[test]
fn lists_of_every_shape_take_items() {
    assert_eq!(
        text(
            "l:\n-\n  a: 1\n- # c\n  b: 2\nm: 1\n",
            add("/l/-", json!({"c": 3, "d": 4}))
        ),
        "l:\n-\n  a: 1\n- # c\n  b: 2\n- c: 3\n  d: 4\nm: 1\n"
    );
    assert_eq!(
        text("l:\n    -   a: 1\n", add("/l/0/b", json!(2))),
        "l:\n    -   a: 1\n        b: 2\n"
    );
    assert_eq!(
        text("- - a\n  - b\n", json!([{"op": "add", "path": "/0/0", "value": "x"}])),
        "- - x\n  - a\n  - b\n"
    );
    assert_eq!(
        text(
            "l:\n- a # 1\n# of b\n- b\n",
            json!([{"op": "add", "path": "/l/1", "value": "x"}])
        ),
        "l:\n- a # 1\n- x\n# of b\n- b\n"
    );
    assert_eq!(text("l: &v\n- a\n", add("/l/-", json!("b"))), "l: &v\n- a\n- b\n");
    assert_eq!(text("l: [a, b]\n", add("/l/1", json!("x"))), "l: [a, x, b]\n");
}

#[test]
fn removal_takes_the_entry_and_leaves_comments() {
    let remove = |path: &str| json!([{"op": "remove", "path": path}]);
    assert_eq!(text("# a\na: 1 # x\n# b\nb: 2\n", remove("/a")), "# a\n# b\nb: 2\n");
    assert_eq!(
        text("l:\n- name: x\n  image: y\n", remove("/l/0/name")),
        "l:\n- image: y\n"
    );
    assert_eq!(
        text("l:\n- name: x # c\n  image: y\n", remove("/l/0/name")),
        "l:\n-  # c\n  image: y\n"
    );
    assert_eq!(text("a:\n  b: 1\nc: 2\n", remove("/a/b")), "a: {}\nc: 2\n");
    assert_eq!(text("l:\n- a\nc: 2\n", remove("/l/0")), "l: []\nc: 2\n");
    assert_eq!(
        text("l:\n- a\n- b: |\n    x\n\n- c\n", remove("/l/1")),
        "l:\n- a\n\n- c\n"
    );
    assert_eq!(
        text(
            "a: {x: 1, y: 2}\nb: [1, 2,]\n",
            json!([{"op": "remove", "path": "/a/x"}, {"op": "remove", "path": "/b/1"}])
        ),
        "a: {y: 2}\nb: [1,]\n"
    );
    let root = splice("a: 1\n", &serde_json::from_value(remove("/a")).unwrap());
    assert!(
        matches!(root, Err(SpliceError::Unspliceable { .. })),
        "a document that becomes JSON is another stream"
    );
}

#[test]
fn what_stands_behind_removed_lines_does_not_become_a_part_of_a_block_scalar() {
    for (before, path, after) in [
        ("a: |+\n  x\nb: 1\n  \n\nc: 2\n", "/b", "a: |+\n  x\nc: 2\n"),
        (
            "a: |+\r\n  x\r\nb: 1\r\n  \r\nc: 2\r\n",
            "/b",
            "a: |+\r\n  x\r\nc: 2\r\n",
        ),
        ("a: |\n  x\nb: 1\n    \n\nc: 2\n", "/b", "a: |\n  x\n\n\nc: 2\n"),
        ("a: >-\n  x\nb: 1\n\nc: 2\n", "/b", "a: >-\n  x\n\nc: 2\n"),
        ("a: |+\n  x\nb:\n ", "/b", "a: |+\n  x\n"),
        (
            "a: |+\n  x\n\nb: 1\n\n  # c\n  # d\nc: 2\n",
            "/b",
            "a: |+\n  x\n\n# c\n  # d\nc: 2\n",
        ),
        (
            "- - |+ # +\n   x\n  - b\n  -   c\n\n- d\n",
            "/0/1",
            "- - |+ # +\n   x\n  -   c\n\n- d\n",
        ),
        ("- - |2+\n     x\n- b\n\n- d\n", "/1", "- - |2+\n     x\n- d\n"),
        // One that is less deep than the entry stays where it is.
        (
            "a:\n  b:\n    - |\n      x\n    - y\n  # c\n  d: []\n",
            "/a/b/1",
            "a:\n  b:\n    - |\n      x\n  # c\n  d: []\n",
        ),
        // A comment ends the scalar.
        ("a: |+\n  x\n# c\nb: 1\n  \nc: 2\n", "/b", "a: |+\n  x\n# c\n  \nc: 2\n"),
    ] {
        assert_eq!(text(before, json!([{"op": "remove", "path": path}])), after);
    }
}

#[test]
fn blanks_behind_replaced_lines_do_not_become_a_part_of_a_text() {
    for (before, after) in [
        ("a:\n b: ", "a:\n c: \"x\\n\""),
        ("a:\n b: 1 \t\nd: 1\n", "a:\n c: |\n   x\nd: 1\n"),
        ("a:\n b: 1 # c\n", "a:\n c: \"x\\n\" # c\n"),
    ] {
        let patch = json!([{"op": "replace", "path": "/a", "value": {"c": "x\n"}}]);
        assert_eq!(text(before, patch), after);
    }
}

#[test]
fn removals_beside_each_other_leave_nothing_behind_either() {
    for (before, patch, after) in [
        (
            "a: |1\nb:\nc:\n  \nd: 1\n",
            json!([{"op": "remove", "path": "/c"}, {"op": "remove", "path": "/b"}]),
            "a: |1\n\nd: 1\n",
        ),
        (
            "a: |+\n x\nb:\nc:\n  \nd: 1\n",
            json!([{"op": "remove", "path": "/b"}, {"op": "remove", "path": "/c"}]),
            "a: |+\n x\nd: 1\n",
        ),
        (
            "a: 1\nb: 1\n  # c\nd: 1\n",
            json!([{"op": "replace", "path": "/a", "value": "x\ny\n"}, {"op": "remove", "path": "/b"}]),
            "a: |\n  x\n  y\n# c\nd: 1\n",
        ),
    ] {
        assert_eq!(text(before, patch), after);
    }
}

#[test]
fn a_patch_leaves_a_document() {
    let patch = serde_json::from_value(json!([{"op": "move", "from": "/a/0", "path": ""}])).unwrap();
    let error = splice("a: [null]\n", &patch).unwrap_err();
    assert!(error.to_string().contains("nothing would be left"), "{error}");
}

#[test]
fn values_are_replaced_where_they_stand() {
    let replace = |path: &str, value: Value| json!([{"op": "replace", "path": path, "value": value}]);
    assert_eq!(text("a: 'x' # c\n", replace("/a", json!("yes"))), "a: 'yes' # c\n");
    assert_eq!(text("a: x\n", replace("/a", json!("p\nq"))), "a: |-\n  p\n  q\n");
    assert_eq!(
        text("a:\n  b: 1\n  c: 2\nd: 1\n", replace("/a", json!({"x": {"z": 1}}))),
        "a:\n  x:\n    z: 1\nd: 1\n"
    );
    assert_eq!(
        text("a: # c\n  b: 1\nd: 1\n", replace("/a", json!(5))),
        "a: 5 # c\nd: 1\n"
    );
    assert_eq!(
        text("l:\n- a: 1\n  b: 2\n- c\n", replace("/l/0", json!("x"))),
        "l:\n- \"x\"\n- c\n"
    );
    assert_eq!(
        text("l:\n- a: 1\n  b: 2\n- c\n", replace("/l/0", json!({"z": 1, "w": 2}))),
        "l:\n- z: 1\n  w: 2\n- c\n"
    );
}

#[test]
fn operations_work_on_each_other_s_results() {
    let before = "metadata:\n  name: x\nspec:\n  l:\n  - a\n  - b\n";
    let patch = json!([
        {"op": "add", "path": "/metadata/annotations", "value": {}},
        {"op": "add", "path": "/metadata/annotations/k", "value": "v"},
        {"op": "add", "path": "/spec/l/-", "value": {"n": 1}},
        {"op": "add", "path": "/spec/l/2/m", "value": 2},
        {"op": "test", "path": "/spec/l/2", "value": {"n": 1.0, "m": 2}},
        {"op": "move", "from": "/spec/l/0", "path": "/spec/l/1"},
        {"op": "copy", "from": "/metadata/name", "path": "/spec/name"},
        {"op": "remove", "path": "/spec/l/0"},
    ]);
    assert_eq!(
        text(before, patch),
        "metadata:\n  name: x\n  annotations:\n    k: v\nspec:\n  l:\n  - a\n  - \"n\": 1\n    m: 2\n  name: x\n"
    );
}

#[test]
fn an_item_is_added_before_one_that_was_replaced() {
    let patch = json!([
        {"op": "replace", "path": "/l/0", "value": "b"},
        {"op": "add", "path": "/l/0", "value": "c"},
    ]);
    assert_eq!(text("l:\n- a # x\n- d\n", patch), "l:\n- c\n- b # x\n- d\n");
}

#[test]
fn a_comment_below_a_new_item_does_not_become_a_part_of_it() {
    assert_eq!(
        text("l:\n- a\n    # c\n- b\n", add("/l/1", json!("x\ny\n"))),
        "l:\n- a\n- \"x\\ny\\n\"\n    # c\n- b\n"
    );
}

#[test]
fn an_operation_without_effect_leaves_the_bytes_alone() {
    let before = "a:   'x'   # c\n";
    let patch = json!([{"op": "replace", "path": "/a", "value": "x"}, {"op": "test", "path": "/a", "value": "x"}]);
    assert_eq!(text(before, patch), before);
    assert_eq!(text("a: &x [1]\nb: *x\n", json!([])), "a: &x [1]\nb: *x\n");
}

#[test]
fn a_byte_order_mark_that_readers_would_disagree_on_is_printed_as_an_escape() {
    let spliced = patched("a: |\n \u{feff}", add("/b", json!(1)));
    assert_eq!(
        (spliced.text.as_str(), spliced.disproved),
        ("a: \"\\ufeff\\n\"\nb: 1\n", false)
    );
}

#[test]
fn the_last_line_of_a_text_may_have_blanks_only() {
    for (before, path, after) in [
        ("a: |2\n   ", "/b", "a: |2\n   \nb: 1"),
        ("a: |2\n   \n\n", "/b", "a: |2\n   \n\nb: 1\n"),
        ("a: |\n  x\n   \n...\n", "/b", "a: |\n  x\n   \nb: 1\n...\n"),
        (
            "m:\n  a: |\n    x\n     \n \nc: 1\n",
            "/m/b",
            "m:\n  a: |\n    x\n     \n \n  b: 1\nc: 1\n",
        ),
        (
            "m:\n  a: >\n    x\n     \nc: 1\n",
            "/m/b",
            "m:\n  a: >\n    x\n     \n  b: 1\nc: 1\n",
        ),
    ] {
        assert_eq!(text(before, add(path, json!(1))), after);
    }
}

#[test]
fn what_is_shared_is_reprinted_correctly() {
    let spliced = patched("# head\na: &x {p: 1}\nb: *x\n", add("/a/q", json!(2)));
    assert!(spliced.reprinted);
    assert_eq!(spliced.text, "# head\na:\n  p: 1\n  q: 2\nb:\n  p: 1\n");
    let through = patched("a: &x {p: 1}\nb: *x\n", add("/b/q", json!("0644")));
    assert_eq!(
        (through.text.as_str(), through.reprinted),
        ("a:\n  p: 1\nb:\n  p: 1\n  q: \"0644\"\n", true)
    );
    let twice = patched("a: 1\na: 2\nb: yes\n", json!([{"op": "remove", "path": "/a"}]));
    assert_eq!((twice.text.as_str(), twice.reprinted), ("b: true\n", true));
}

#[test]
fn a_document_does_not_turn_into_json() {
    let patch = serde_json::from_value(json!([{"op": "remove", "path": "/a"}])).unwrap();
    let error = splice("a: 1\n", &patch).unwrap_err();
    assert!(error.to_string().contains("would turn into JSON"), "{error}");
    assert_eq!(splice("# c\na: 1\n", &patch).unwrap().text, "# c\n{}\n");
    assert_eq!(
        patched("{b: 1, <<: {a: 1}}\n", json!([{"op": "remove", "path": "/a"}])).text,
        "{\"b\": 1,}\n"
    );
    assert_eq!(
        text("{\"b\": 1, \"a\": 1}", json!([{"op": "remove", "path": "/a"}])),
        "{\"b\": 1}"
    );
}

#[test]
fn what_go_would_refuse_or_read_otherwise_after_an_edit_is_reprinted() {
    for (before, patch, after) in [
        (
            "a: [! b]\n",
            json!([{"op": "replace", "path": "/a/0", "value": null}]),
            "a:\n- null\n",
        ),
        (
            "l:\n- a:\t# x\n  b: 1\n",
            json!([{"op": "remove", "path": "/l/0/a"}]),
            "l:\n- b: 1\n",
        ),
        (
            "a: 1\n\"b\": 1\nb: 2\n",
            json!([{"op": "remove", "path": "/b"}]),
            "a: 1\n",
        ),
    ] {
        let spliced = patched(before, patch);
        assert_eq!((spliced.text.as_str(), spliced.reprinted), (after, true));
        assert!(!spliced.disproved, "{before}");
    }
    let patch = serde_json::from_value(json!([{"op": "add", "path": "/l/0/b", "value": 1}])).unwrap();
    let error = splice("l:\n-\ta: 1\n", &patch).unwrap_err();
    assert!(error.to_string().contains("behind its dash"), "{error}");
}

#[test]
fn documents_that_readers_cut_short_are_refused() {
    let refused = |text: &str| {
        splice(text, &serde_json::from_value(add("/a", json!(1))).unwrap())
            .unwrap_err()
            .to_string()
    };
    assert!(refused("b: 1\nc: {}\n}\n").starts_with("3:1: "));
    assert!(refused("{\"b\": 1}\n{\"c\": 2}\n").starts_with("line 2: "));
    assert!(refused("b: 1\n\t\nc: 2\n").contains("tab"));
    assert!(refused("b: |+\n  x\n   ").contains("without a line end"));
    assert!(refused("").contains("path is invalid"));
}

#[test]
fn a_patch_cannot_grow_without_bound() {
    let deeper = |at: usize| json!({"op": "copy", "from": "/a", "path": format!("/a{}", "/a".repeat(at))});
    let deep: Vec<_> = (0..12).map(|step| deeper(1 << step)).collect();
    let error = splice("a: {a: 1}\n", &serde_json::from_value(json!(deep)).unwrap()).unwrap_err();
    assert!(error.to_string().contains("nest too deeply"), "{error}");
    let wide: Vec<_> = (0..60)
        .map(|step| json!({"op": "copy", "from": "", "path": format!("/c{step}")}))
        .collect();
    let error = splice("a: [1, 2, 3]\n", &serde_json::from_value(json!(wide)).unwrap()).unwrap_err();
    assert!(error.to_string().contains("copies too much"), "{error}");
    let many: Vec<_> = (0..2000)
        .map(|step| json!({"op": "add", "path": format!("/k{step}"), "value": step}))
        .collect();
    assert!(!patched("a: 1\n", json!(many)).reprinted);
}

#[test]
fn errors_name_the_operation_and_never_the_text() {
    let error = splice(
        "a: s3cret\n",
        &serde_json::from_value(json!([
            {"op": "add", "path": "/b", "value": 1},
            {"op": "remove", "path": "/c/d"},
        ]))
        .unwrap(),
    )
    .unwrap_err();
    assert_eq!(error.to_string(), "patch operation 2 at `/c/d`: path is invalid");
    let test = splice(
        "a: s3cret\n",
        &serde_json::from_value(json!([{"op": "test", "path": "/a", "value": "x"}])).unwrap(),
    );
    assert!(!test.unwrap_err().to_string().contains("s3cret"));
}
#[test]
fn comments_anchors_and_tags_in_brackets_stay_where_they_are() {
    let remove = |path: &str| json!([{"op": "remove", "path": path}]);
    assert_eq!(text("{b, #\nc}", remove("/c")), "{b #\n}");
    assert_eq!(there_and_back("{!}", "/p", json!(1)), "{p: 1, !}");
    assert_eq!(
        text(
            "s: {a: [&a{n}]}",
            json!([{"op": "replace", "path": "/s", "value": [{}]}])
        ),
        "s: [{}]"
    );
    let moved = json!([{"op": "move", "from": "/a", "path": "/b"}]);
    assert_eq!(text("a:\n  s: |\n    A\nb:\n  s:\t", moved), "b:\n  s: \"A\\n\"");
}
