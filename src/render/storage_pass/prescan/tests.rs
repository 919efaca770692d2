#[path = "../../../../xtask/src/fuzz/numbers.rs"]
mod numbers;

use std::iter;

use super::*;
use crate::law::StorageRules;
use crate::model::parameter::Parameters;
use crate::model::{AppName, NamespaceName};
use crate::render::storage_pass::apply;
use crate::yaml::{self, Tree};
use numbers::Numbers;

/// Returns apiVersion and kind where the prescan decides on a document.
fn decided(text: &str) -> Option<(&str, &str)> {
    let header = Header::read(text).filter(Header::is_alone)?;
    Some((header.api_version, header.kind))
}

#[test]
fn plain_documents_are_decided_on() {
    for text in [
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a",
        "# c\n\n  # c\nkind: \"Pod\"  # c\napiVersion: 'v1'\nmetadata:   # c\n    name: 'a' # c\n",
        "apiVersion: v1\nkind: Pod\nautomount: false\nmetadata:\n  labels:\n    name: x\n    \n  name: a-b.c\n",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  generateName: a-\n  annotations:\n    {}\n  labels: {} # c\nspec: [\n",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  namespace: n\n\n  name: system:a\ndata:\n  a: \"\n  b\"\n",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  \"name\": \"1\"\nrules:\n- kind: Job\n  name: x\n-\n  kind: Job\n",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  x:\n    name: b\n   # c\ndata:\n  items: ä\n",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  finalizers:\n  - a.example/b # c\n  # c\n  - \"d\"\n  name: a\n",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  finalizers:\n    -   a\n    - b\nspec:\n- c\n",
    ] {
        assert_eq!(decided(text), Some(("v1", "Pod")), "{text:?}");
    }
}

#[test]
fn headers_that_could_be_misread_are_not_decided_on() {
    let header = "apiVersion: v1\nkind: Pod\nmetadata:";
    for metadata in [
        "",
        " {name: a}",
        "\n  name:",
        "\n  name: null",
        "\n  name: true",
        "\n  name: 1e3",
        "\n  name: \"\"",
        "\n  name: \"a\\u0062\"",
        "\n  name: 'a''b'",
        "\n  name: &a b",
        "\n  name: !!str a",
        "\n  name: *a",
        "\n  name: a\n   b",
        "\n  name: a\n\n    b",
        "\n  name: a\n  name: null",
        "\n  name: a\n  'name': null",
        "\n  name: a\n  \"n\\u0061me\": null",
        "\n  name: a\n  ? name\n  : null",
        "\n  name: a\n  !!str name: null",
        "\n  name: a\n  &a name: null",
        "\n  name: a\n  <<: {name: null}",
        "\n  name: a\n  *a : null",
        "\n  name: a\n  name : null",
        "\n  name: a\n  - b",
        "\n  x:\n  - name: b\n  name: a",
        "\n  x:\n  - b\n    c\n  name: a",
        "\n  x:\n    - b\n   - c\n  name: a",
        "\n  x:\n  -\n    name: b\n  name: a",
        "\n  x:\n  - &b c\n  name: a",
        "\n  x:\n  - \"b\n  name: c\"\n  y: d",
        "\n  x:\n  - |\n   b\n  name: a",
        "\n  - b\n  name: a",
        "\n  name: a\n b: c",
        // The bracket, the quotes and the block go on below lines in column 0.
        "\n  name: a\n  b: {c\nd: e}\n  ? name\n  : null",
        "\n  name: a\n  b: \"c\nd: e\"\n  name: null",
        "\n  name: a\n  b: 'c\n#'\n  name: null",
        "\n  name: a\n  b: |\n    c\n  name: null",
        "\n  name: a\n  b: |\n    c",
        "\n  name: a\n  {}\n  name: null",
        "\n  {}\n  name: a",
        "\n  {}",
        "\n  name: a\n\tb: c",
        "\n  x: &a\n  name: a",
        "\n  x: b\n    name: c\n  name: a",
        "\n  x: \"b\n  name: c\"\n  y: d",
        "\n  x: [\n  name: a\n  ]",
        "\n  x: |\n   name: a",
        "\n  x: y:\n  name: a",
        "\n  labels:\n    name: a",
        "\n  # c\nname: a",
        "\ndata:\n  name: a",
    ] {
        assert_eq!(decided(&format!("{header}{metadata}\n")), None, "{metadata:?}");
    }
    for text in [
        "kind: Pod\nmetadata:\n  name: a\n",
        "apiVersion: v1\nmetadata:\n  name: a\nkind: Pod\n",
        "apiVersion: v1\nkind: null\nmetadata:\n  name: a\n",
        "apiVersion: v1\nkind: On\nmetadata:\n  name: a\n",
        "apiVersion: v1\nkind: Pod x\nmetadata:\n  name: a\n",
        "apiVersion: v1\nkind: Pod#x\nmetadata:\n  name: a\n",
        "apiVersion: v1\nkind: Pod\n x\nmetadata:\n  name: a\n",
        "apiVersion: v1\nkind: Pod\nkind: Job\nmetadata:\n  name: a\n",
        "apiVersion: v1\nkind: Pod\nitems: x\nmetadata:\n  name: a\n",
        "apiVersion: v1\nkind: Pod\nx: \"\nmetadata:\n  name: a\n",
        "apiVersion: v1\nkind:\tPod\nmetadata:\n  name: a\n",
        " apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n",
        "{apiVersion: v1, kind: Pod, metadata: {name: a}}\n",
        "\u{feff}apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n",
        "%YAML 1.1\napiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n",
        "&a\napiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n",
        "- apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n",
        "",
        "# c\n",
    ] {
        assert_eq!(decided(text), None, "{text:?}");
    }
}

#[test]
fn what_could_override_the_header_is_not_decided_on() {
    let header = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n";
    // Wherever the bytes that are searched at a time end, as well.
    for length in [0, 1].into_iter().chain(20..90) {
        let filled = format!("{header}a: |\n {}\n", "x".repeat(length));
        assert_eq!(decided(&filled), Some(("v1", "Pod")));
        for more in [
            "kind: Job",
            "apiVersion: v2",
            "metadata: {}",
            "items: []",
            "\"kind\": Job",
            "'kind': Job",
            "\"k\\u0069nd\": Job",
            "kind : Job",
            "? kind\n: Job",
            "&a kind: Job",
            "!!str kind: Job",
            "*a : Job",
            "<<: *a",
            "{}",
            "\"",
            "x y: z",
            "...",
            "\tkind: Job",
            "\u{feff}kind: Job",
            "# c\rkind: Job",
            "# c\u{85}kind: Job",
            " # c\u{2028}kind: Job",
            "b: c\u{2029}kind: Job",
            "\r",
        ] {
            for text in [format!("{filled}{more}"), format!("{filled}{more}\n")] {
                assert_eq!(decided(&text), None, "{length} {more:?}");
            }
        }
    }
}

#[test]
fn a_line_end_of_some_readers_makes_no_document_blank() {
    for text in ["", "\n", "# c", "\u{feff}# c\n\n  # d\r\n", "\t\n"] {
        assert!(is_blank(text), "{text:?}");
    }
    for text in [
        "a",
        "# c\ra: b\n",
        "# c\u{85}a: b",
        "# c\u{2028}a: b\n",
        "\n# c\u{2029}a: b\n",
        "\r a: b",
        "# c\n \u{feff}\n",
        "\u{85}a: b",
    ] {
        assert!(!is_blank(text), "{text:?}");
    }
}

/// Lines that come before, inside, and behind a header.
const LINES: &[&str] = &[
    "kind: ConfigMap",
    "kind: Deployment",
    "\"kind\": Deployment",
    "'kind': Deployment",
    "kind : Deployment",
    "? kind\n: Deployment",
    "&k kind: Deployment",
    "!!str kind: Deployment",
    "\"k\\x69nd\": Deployment",
    "kind:",
    "kind: \"Deployment\"",
    "kind: ConfigMap # c",
    "kind: [",
    "kind: &k ConfigMap",
    "kind: *k",
    "kind: !x Secret",
    "apiVersion: v1",
    "apiVersion: apps/v1",
    "apiVersion: \"v1\"",
    "'apiVersion': apps/v1",
    "metadata:",
    "metadata: {name: x}",
    "metadata: &m",
    "\"metadata\": {name: x}",
    "metadata:  # c",
    "  name: x",
    "  name: null",
    "  name: \"x\"",
    "  name: 'x' # c",
    "  \"name\": x",
    "  name: ",
    "  name : x",
    "  name: x\n    y",
    " name: x",
    "    name: y",
    "  generateName: x-",
    "  labels:",
    "    app: x",
    "    name: \"\"",
    "  labels: {name: y}",
    "  annotations:",
    "    {}",
    "    \"a/b\": c",
    "  annotations: {a: \"x",
    "  annotations: {a: b",
    "  a: |",
    "  a: >-",
    "  a: |2",
    "   name: z",
    "  <<: *m",
    "  <<: {name: null}",
    "  ? name\n  : null",
    "  *k : x",
    "  - name: x",
    "- x",
    "- kind: Deployment",
    "-",
    "- |",
    "data:",
    "data: |",
    "data: >",
    "data: \"x",
    "data: 'x",
    "data: [x,",
    "data: {x: y,",
    "y: \"",
    "y: '",
    "y: ]",
    "y: }",
    "y: \"}",
    "y: z]",
    "\"",
    "'",
    "}",
    "]",
    "x: y",
    "x:",
    "x: &k",
    "x: *k",
    "x: {kind: Deployment, a: *k}",
    "<<: *m",
    "<<: {kind: Deployment}",
    "items:",
    "items: []",
    "'items': []",
    "items: *k",
    "  items: []",
    "spec:",
    "  template:",
    "    spec:",
    "      containers: []",
    "      volumes: [{name: v, persistentVolumeClaim: {claimName: foreign}}]",
    "spec: {template: {spec: {containers: [], volumes: [{name: v, persistentVolumeClaim: {claimName: foreign}}]}}}",
    "# c\rkind: Deployment",
    "a: b\rkind: Deployment",
    "  # c\ritems: []",
    "# c\u{85}kind: Deployment",
    "# c\u{2028}kind: Deployment",
    "  # c\u{2029}kind: Deployment",
    "# c\u{85}items: []",
    "  # c\u{2028}items: []",
    "# c\u{2029}items: []",
    "# c",
    "  # c",
    "#",
    "",
    "  ",
    "\t",
    "...",
    "... # c",
    "%YAML 1.1",
    "? x",
    ": y",
    "?",
    "{}",
    "[]",
    "text",
    "a b: c",
    "true: x",
    "1: x",
    "~: x",
    "\u{feff}",
    "\u{feff}# c",
    "\u{feff}kind: Deployment",
    " a: \"x",
    " a: b",
];

/// What is put in anywhere.
const PIECES: &[&str] = &[
    "\n",
    "\n ",
    "\n  ",
    "\r",
    "\r\n",
    "\r\r\n",
    "\u{85}",
    "\u{2028}",
    "\u{2029}",
    "\u{feff}",
    "\u{a0}",
    "\u{b}",
    "\u{c}",
    "\0",
    "\t",
    " ",
    "  ",
    "#",
    " # ",
    "\"",
    "'",
    "''",
    "\\",
    "\\\n",
    "\\n",
    "{",
    "}",
    "[",
    "]",
    ",",
    ", ",
    ": ",
    ":",
    "? ",
    "- ",
    "-",
    "|",
    "|-\n",
    "|1\n",
    ">+\n",
    "&k ",
    "*k",
    "!!str ",
    "!",
    "<<: ",
    "kind: Deployment\n",
    "%",
    "@",
    "`",
    "é",
    "x",
    "1",
    "~",
    "...\n",
    "\nkind: Deployment\n",
    "\"\n",
    "'\n",
    "]\n",
    "}\n",
];

const WORKLOAD: &[&str] = &[
    "kind: Deployment",
    "apiVersion: apps/v1",
    "metadata: {name: evil}",
    "spec:",
    "  template:",
    "    spec:",
    "      containers: []",
    "      volumes:",
    "      - name: v",
    "        persistentVolumeClaim: {claimName: foreign}",
];

const HEADER: &[&str] = &["apiVersion: v1", "kind: ConfigMap", "metadata:", "  name: x"];

/// What opens a construct that could swallow a header, and what closes it.
const COVERS: &[(&str, &str)] = &[
    (" a: \"x", "y: \""),
    (" a: 'x", "y: '"),
    (" a: [x,", "y: ]"),
    (" a: {x: y,", "y: }"),
    ("a: \"x", "y: \""),
    ("# c\n metadata:\n  name: evil\n  annotations: {a: \"x", "y: \"}"),
    ("- \"x", "y: \""),
    ("? \"x", "y: \""),
    ("a: |", "b: c"),
    ("a: |1", "b: c"),
    (" a: >", "b: c"),
    ("\"x", "y\": z"),
    ("a: &k", "b: *k"),
    ("&k", "b: *k"),
    ("# c\r", "\r"),
    ("# c\u{85}", "\u{85}"),
    ("{", "}"),
    ("[", "]"),
    ("x: # c", "y: z"),
    ("a: x", "y: z"),
    (" a: x", "y: z"),
    ("!!map", "x: y"),
    ("? ", ": x"),
    ("- ", "- x"),
    ("<<:", "x: y"),
    ("\u{feff}", ""),
    ("", ""),
];

fn lines(lines: &[&str], indent: usize) -> Vec<String> {
    lines
        .iter()
        .map(|line| format!("{}{line}", " ".repeat(indent)))
        .collect()
}

/// Adds a list to the metadata of a header.
fn add_finalizers(text: &mut Vec<String>, numbers: &mut Numbers) {
    let at = text
        .iter()
        .rposition(|line| line.ends_with("metadata:"))
        .map_or(0, |at| at + 1);
    let items = ["  - y", "  - y", "    - y", "  - 'y' # c"];
    let count = 1 + numbers.below(2);
    let list: Vec<_> = (0..count).map(|_| numbers.pick(&items).to_owned()).collect();
    text.splice(at..at, iter::once("  finalizers:".to_owned()).chain(list));
}

/// Makes a document: a header, perhaps covered by something else, a workload beside it, and odd lines and pieces.
fn document(numbers: &mut Numbers) -> String {
    let mut text = lines(HEADER, usize::from(numbers.one_in(20)));
    match numbers.below(12) {
        0 => text = lines(&["# c", "  # d", ""], 0),
        1..4 => text.swap(0, 1),
        4 => text.insert(2, "x: y".to_owned()),
        _ => {}
    }
    if numbers.one_in(3) {
        add_finalizers(&mut text, numbers);
    }
    if numbers.one_in(4) {
        let (open, close) = COVERS[numbers.below(COVERS.len())];
        text.insert(0, open.to_owned());
        text.push(close.to_owned());
    }
    if numbers.one_in(4) {
        // Something that is open over lines of any depth, below any key.
        let (open, close) = COVERS[numbers.below(COVERS.len())];
        let indents = ["", "", "  ", "    "];
        let from = numbers.below(text.len() + 1);
        text.insert(from, format!("{}{}", numbers.pick(&indents), open.trim_start()));
        let between = format!("{}{}", numbers.pick(&indents), numbers.pick(LINES).trim_start());
        text.insert(from + 1, between);
        text.insert(from + 2, format!("{}{close}", numbers.pick(&indents)));
        if numbers.one_in(2) {
            text.push(format!(
                "{}{}",
                numbers.pick(&indents),
                numbers.pick(LINES).trim_start()
            ));
        }
    }
    if numbers.one_in(4) {
        let indent = numbers.below(4);
        text.extend(lines(WORKLOAD, indent));
    }
    for _ in 0..numbers.below(4).saturating_sub(1) {
        let at = match numbers.below(4) {
            0 => numbers.below(text.len() + 1),
            _ => text.len(),
        };
        // Most lines are below `metadata`, or text of something above.
        let line = match numbers.below(3) {
            0 => numbers.pick(LINES).to_owned(),
            _ => format!("  {}", numbers.pick(LINES)),
        };
        text.insert(at, line);
    }
    let ends = ["\n"; 20].iter().chain(&["\r\n", "\r", "\u{85}", "\u{2028}"]);
    let end = ends.copied().nth(numbers.below(24)).unwrap();
    let mut text = text.join(end) + ["", end, "\n"][numbers.below(3)];
    for _ in 0..numbers.below(3).saturating_sub(1) {
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let place = numbers.below(places.len());
        match numbers.below(4) {
            0 => {
                let end = (place + 1 + numbers.below(4)).min(places.len() - 1);
                text.replace_range(places[place.min(end)]..places[end], "");
            }
            _ => text.insert_str(places[place], numbers.pick(PIECES)),
        }
    }
    text
}

/// What became of the generated documents.
#[derive(Debug, Default)]
struct Count {
    passed_by: usize,
    /// Passed by, and the parser refuses it.
    unreadable: usize,
    blank: usize,
}

/// Reports whether the strings of a value are those of one object of this kind, with a name.
fn is_whole(says: impl Fn(&[&str]) -> Option<String>, api_version: &str, kind: &str) -> bool {
    let has_name = |key: &str| says(&["metadata", key]).is_some_and(|name| !name.is_empty());
    says(&["apiVersion"]).as_deref() == Some(api_version)
        && says(&["kind"]).as_deref() == Some(kind)
        && (has_name("name") || has_name("generateName"))
}

/// Returns what is wrong about a document that is passed by.
fn mistake(text: &str, law: &StorageRules, count: &mut Count) -> Option<String> {
    let parsed = Tree::parse(text).and_then(|tree| Ok((tree.dropped(), tree.value()?)));
    // libyaml, which Go's parser is a translation of.
    let second = yaml_serde::from_str::<yaml_serde::Value>(text);
    if is_blank(text) {
        count.blank += 1;
        let is_wrong = second.is_ok_and(|value| !value.is_null())
            || parsed.is_ok_and(|(dropped, value)| dropped.is_some() || !value.is_null());
        return is_wrong.then(|| "it is not blank".to_owned());
    }
    let (api_version, kind) = decided(text)?;
    count.passed_by += 1;
    if let Ok(value) = second {
        let says = |keys: &[&str]| {
            let found = keys.iter().try_fold(&value, |value, key| value.get(*key));
            found.and_then(yaml_serde::Value::as_str).map(str::to_owned)
        };
        if !is_whole(says, api_version, kind) || value.get("items").is_some() {
            return Some(format!("libyaml reads {value:?}"));
        }
    }
    let Ok((dropped, value)) = parsed else {
        count.unreadable += 1;
        return None;
    };
    let says = |keys: &[&str]| {
        let found = keys.iter().try_fold(&value, |value, key| value.get(*key));
        found.and_then(serde_json::Value::as_str).map(str::to_owned)
    };
    if dropped.is_some() || !is_whole(says, api_version, kind) || value.get("items").is_some() {
        return Some(format!(
            "the parser reads {value}, and drops what is behind {dropped:?}"
        ));
    }
    // The last document of a stream is always parsed.
    if !is_passed_by(api_version, kind) {
        return None;
    }
    match apply(text.to_owned(), law, false) {
        Ok(output) if output.text() == text => None,
        Ok(output) => Some(format!("the storage rules change it to {}", output.text())),
        Err(error) => Some(format!("the storage rules refuse it: {error:#}")),
    }
}

/// `HOMELAB_TEST_DOCUMENTS` sets how many documents are made.
#[expect(clippy::disallowed_methods, reason = "a long run is asked for by the environment")]
#[test]
fn no_document_is_passed_by_wrongly() {
    let documents: usize = std::env::var("HOMELAB_TEST_DOCUMENTS").map_or(20_000, |count| count.parse().unwrap());
    let law = StorageRules::new(
        AppName::new("player").unwrap(),
        NamespaceName::new("media").unwrap(),
        &Parameters::default(),
        None,
    )
    .unwrap();
    let mut numbers = Numbers::of(1);
    let mut count = Count::default();
    let mut made = 0;
    while made < documents {
        let stream = document(&mut numbers);
        for range in yaml::document_ranges(&stream).unwrap_or_default() {
            made += 1;
            let text = &stream[range];
            if let Some(mistake) = mistake(text, &law, &mut count) {
                panic!("document {made}, {text:?}, was passed by: {mistake}");
            }
        }
    }
    println!("{made} documents: {count:?}");
    // Enough documents are passed by for the test to mean something.
    assert!(
        count.passed_by - count.unreadable > made / 10 && count.blank > made / 200,
        "{made}: {count:?}"
    );
}
