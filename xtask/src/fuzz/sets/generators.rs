//! Generators, one in another.

use serde_json::{Map, Value, json};

use super::super::numbers::Numbers;
use super::words::TEXTS;
use super::{OWN, templates};

const KEYS: &[&str] = &[
    "name", "a", "env", "n", "url", "path", "values", "x-y", "a.b", "nested", "Name", "metadata",
];

const FOLDER_PATTERNS: &[&str] = &[
    "*",
    "apps/*",
    "apps/*",
    "apps/*",
    "apps/*",
    "*/*",
    "*/*",
    "*/*/*",
    "apps/media",
    "apps/web*",
    "apps/w?b",
    "apps/[mw]*",
    "apps/[^m]*",
    "apps/[!m]*",
    "apps/[a-m]*",
    "infra/\\[x\\]",
    "infra/[[]x]",
    "infra/a\\*b",
    "apps/**",
    "**",
    "apps",
    "apps/",
    "./apps/*",
    "/apps/*",
    ".hidden/*",
    "infra/.*",
    "nothing/*",
    "",
    "clusters/*/apps",
    "apps/Gr*",
    "apps/a b",
];

const FILE_PATTERNS: &[&str] = &[
    "*",
    "**",
    "apps/*/config.yaml",
    "apps/*/config.yaml",
    "apps/*/*.yaml",
    "apps/*.yaml",
    "apps/**/config.yaml",
    "**/config.yaml",
    "*/config.json",
    "*.yaml",
    "apps/*.yaml",
    "apps/media",
    "apps/media/",
    "apps/web/config.yaml",
    "config.yaml",
    "apps/[mw]*/*.yaml",
    "apps/[!m]*/config.yaml",
    "infra/\\[x\\]/*",
    "infra/[[]x[]]/*",
    "infra/a\\*b/config.*",
    "./apps/*/config.json",
    "apps/../infra/*/config.yaml",
    ".hidden/**",
    "**/.config.yaml",
    "",
    ".",
    "nothing/*",
    "apps/w?b/*",
    "apps/a b/*",
    "**/Ä.yaml",
    "apps/media/**",
    "app*/",
    "?pps/*/*",
];

const ODD_PATTERNS: &[&str] = &[
    "[",
    "apps/[a",
    "apps/\\",
    "../x",
    "/apps/*",
    "apps/[]a]*",
    "apps/[a-]*",
    "apps/[z-a]*",
    "a[^]b]",
];

/// Returns an entry of a list of generators.
pub(super) fn entry(numbers: &mut Numbers, is_go: bool, depth: usize) -> Value {
    let kinds: &[&str] = match depth {
        0 => &[
            "git", "git", "git", "list", "list", "clusters", "matrix", "matrix", "merge",
        ],
        1 => &["git", "git", "list", "list", "clusters", "matrix", "merge"],
        _ => &["git", "list", "list", "clusters"],
    };
    let kind = numbers.pick(kinds);
    let mut generator = match kind {
        "git" => git(numbers, is_go),
        "list" => list(numbers, is_go, depth),
        "clusters" => clusters(numbers, is_go),
        "matrix" => matrix(numbers, is_go, depth),
        _ => merge(numbers, is_go, depth),
    };
    if depth == 0 && numbers.one_in(8) {
        generator["template"] = super::places::override_of(numbers, is_go);
    }
    let mut entry = json!({kind: generator});
    if numbers.one_in(8) {
        entry["selector"] = selector(numbers);
    }
    entry
}

fn patterns(numbers: &mut Numbers, from: &[&str]) -> Value {
    let count = numbers.pick(&[1, 1, 1, 2, 2, 3]);
    let patterns = (0..count).map(|number| {
        let pattern = match numbers.one_in(40) {
            true => numbers.pick(ODD_PATTERNS),
            false => numbers.pick(from),
        };
        let mut entry = json!({"path": pattern});
        if number > 0 && numbers.one_in(2) || numbers.one_in(12) {
            entry["exclude"] = json!(true);
        }
        entry
    });
    patterns.collect()
}

fn git(numbers: &mut Numbers, is_go: bool) -> Value {
    let mut git = json!({"repoURL": OWN, "revision": "HEAD"});
    if numbers.one_in(2) {
        git["directories"] = patterns(numbers, FOLDER_PATTERNS);
    } else {
        git["files"] = patterns(numbers, FILE_PATTERNS);
    }
    if numbers.one_in(30) {
        git["directories"] = patterns(numbers, FOLDER_PATTERNS);
    }
    if numbers.one_in(6) {
        git["pathParamPrefix"] = json!(numbers.pick(&["p", "path", "a.b", "my-repo", ""]));
    }
    with_values(numbers, is_go, git)
}

fn with_values(numbers: &mut Numbers, is_go: bool, mut generator: Value) -> Value {
    if numbers.one_in(4) {
        let mut values = Map::new();
        for _ in 0..numbers.below(3) + 1 {
            let key = numbers.pick(&["a", "b", "c-d", "name", "x.y"]);
            values.insert(key.to_owned(), json!(templates::small(numbers, is_go)));
        }
        generator["values"] = Value::Object(values);
    }
    generator
}

/// Returns a set of parameters with values of all types.
pub(super) fn element(numbers: &mut Numbers) -> Value {
    let mut element = json!({
        "name": numbers.pick(TEXTS),
        "n": number(numbers),
        "list": list_of(numbers, 0),
        "m": map(numbers, 0),
        "text": numbers.pick(TEXTS),
    });
    for _ in 0..numbers.below(4) {
        let key = numbers.pick(KEYS);
        element[key] = value(numbers, 0);
    }
    element
}

fn number(numbers: &mut Numbers) -> Value {
    match numbers.below(4) {
        0 => json!(numbers.pick(&[0.5, -1.5, 2.0, 1e21, 1e-7, 1_000_000.0, 0.1])),
        1 => json!(numbers.pick(&[0_i64, 1, -3, 80, 12_345_678, 9_007_199_254_740_993])),
        _ => json!(numbers.below(12)),
    }
}

fn value(numbers: &mut Numbers, depth: usize) -> Value {
    match numbers.below(if depth > 2 { 6 } else { 9 }) {
        0 | 1 => json!(numbers.pick(TEXTS)),
        2 | 3 => number(numbers),
        4 => json!(numbers.one_in(2)),
        5 => Value::Null,
        6 => list_of(numbers, depth + 1),
        _ => map(numbers, depth + 1),
    }
}

fn list_of(numbers: &mut Numbers, depth: usize) -> Value {
    let is_of_texts = numbers.one_in(2);
    let items = (0..numbers.below(5)).map(|_| match is_of_texts {
        true => json!(numbers.pick(TEXTS)),
        false => value(numbers, depth + 1),
    });
    items.collect()
}

fn map(numbers: &mut Numbers, depth: usize) -> Value {
    let mut map = Map::new();
    for _ in 0..numbers.below(4) {
        let key = numbers.pick(&["a", "b", "c", "name", "x-y", "k.l", "1", "", "Ä", "null", "true"]);
        map.insert(key.to_owned(), value(numbers, depth + 1));
    }
    Value::Object(map)
}

fn list(numbers: &mut Numbers, is_go: bool, depth: usize) -> Value {
    let mut elements = Vec::new();
    let count = numbers.pick(&[1, 2, 2, 3, 0]);
    for number in 0..count {
        let mut element = match is_go {
            true if numbers.one_in(3) => element(numbers),
            true => json!({"name": numbers.pick(TEXTS), "a": value(numbers, 2)}),
            false => json!({"name": numbers.pick(TEXTS), "a": numbers.pick(TEXTS)}),
        };
        // What is not unique is refused, in most places.
        if !numbers.one_in(4) {
            element["name"] = json!(format!("app-{number}"));
        }
        if !is_go && numbers.one_in(8) {
            element["values"] = json!({"a": "b", "c": numbers.pick(TEXTS)});
        }
        if !is_go && numbers.one_in(40) {
            element["n"] = number_or_map(numbers);
        }
        elements.push(if numbers.one_in(30) { json!({}) } else { element });
    }
    let mut list = json!({"elements": elements});
    if numbers.one_in(if depth > 0 { 6 } else { 12 }) {
        list["elementsYaml"] = json!(numbers.pick(&[
            "- name: of-yaml\n  a: 1\n",
            "- {name: y1}\n- {name: y2, nested: {deep: [1, x]}}\n",
            "[]",
            "null",
            "- {name: '{{ .name }}'}\n",
            "{{ .list | toJson }}",
            "[{{ range $i, $e := .list }}{{ if $i }},{{ end }}{\"name\": {{ $e | toJson }}}{{ end }}]",
            "name: x\n",
            "[1]",
            "[null]",
            "- name: big\n  n: 12345678\n  f: 1.50\n  o: 0644\n",
        ]));
        if numbers.one_in(2) {
            list["elements"] = json!([]);
        }
    }
    list
}

fn number_or_map(numbers: &mut Numbers) -> Value {
    match numbers.one_in(2) {
        true => json!(3),
        false => json!({"a": "b"}),
    }
}

fn clusters(numbers: &mut Numbers, is_go: bool) -> Value {
    let mut clusters = json!({});
    if numbers.one_in(2) {
        clusters["selector"] = match numbers.below(5) {
            0 => json!({"matchLabels": {"env": "prod"}}),
            1 => json!({"matchLabels": {"argocd.argoproj.io/secret-type": "cluster"}}),
            2 => json!({"matchExpressions": [{"key": "env", "operator": "In", "values": ["prod", "test"]}]}),
            3 => {
                json!({"matchExpressions": [{"key": "example.org/tier", "operator": numbers.pick(&["Exists", "DoesNotExist"])}]})
            }
            _ => json!({}),
        };
    }
    if is_go && numbers.one_in(8) {
        clusters["flatList"] = json!(true);
    }
    with_values(numbers, is_go, clusters)
}

fn matrix(numbers: &mut Numbers, is_go: bool, depth: usize) -> Value {
    let count = if numbers.one_in(40) { numbers.pick(&[1, 3]) } else { 2 };
    let mut children: Vec<Value> = (0..count).map(|_| entry(numbers, is_go, depth + 1)).collect();
    if let Some(second) = children.get_mut(1).filter(|_| numbers.one_in(3)) {
        *second = dependent(numbers, is_go);
    }
    json!({"generators": children})
}

/// Returns a generator that uses the parameters of another one.
fn dependent(numbers: &mut Numbers, is_go: bool) -> Value {
    let path = match is_go {
        true => numbers.pick(&[
            "{{ .path.path }}",
            "apps/{{ .name }}",
            "{{ .path.basename }}/*",
            "{{.a}}",
        ]),
        false => numbers.pick(&["{{path}}", "apps/{{name}}", "{{path.basename}}/*", "{{ a }}"]),
    };
    let name = templates::small(numbers, is_go);
    match numbers.below(5) {
        0 => json!({"git": {"repoURL": OWN, "revision": "{{ .rev }}", "directories": [{"path": path}]}}),
        1 => json!({"git": {"repoURL": OWN, "revision": "HEAD", "files": [{"path": format!("{path}/config.yaml")}]}}),
        2 => json!({"list": {"elements": [{"inner": name, "name": name}]}}),
        3 => {
            json!({"clusters": {"selector": {"matchLabels": {"env": name}}, "values": {"v": templates::small(numbers, is_go)}}})
        }
        _ => json!({"list": {"elements": [], "elementsYaml": "{{ .list | toJson }}"}}),
    }
}

fn merge(numbers: &mut Numbers, is_go: bool, depth: usize) -> Value {
    let count = if numbers.one_in(30) {
        1
    } else {
        numbers.pick(&[2, 2, 3])
    };
    let children: Vec<Value> = match numbers.one_in(2) {
        true => (0..count).map(|_| entry(numbers, is_go, depth + 1)).collect(),
        false => (0..count).map(|_| json!({"list": mergeable(numbers, is_go)})).collect(),
    };
    let keys: &[&str] = match numbers.below(6) {
        0 => &["server"],
        1 => &["name", "a"],
        2 if numbers.one_in(12) => &[],
        3 if is_go => &["path"],
        3 => &["path.basename"],
        _ => &["name"],
    };
    json!({"mergeKeys": keys, "generators": children})
}

fn mergeable(numbers: &mut Numbers, is_go: bool) -> Value {
    let mut elements = Vec::new();
    for name in ["one", "two", "three"] {
        if numbers.one_in(2) {
            continue;
        }
        let mut element = json!({"name": name});
        for key in ["a", "values", "nested"] {
            if numbers.one_in(2) {
                element[key] = match (is_go, key) {
                    (true, _) => value(numbers, 0),
                    (false, "values") => json!({"a": numbers.pick(TEXTS)}),
                    (false, _) => json!(numbers.pick(TEXTS)),
                };
            }
        }
        elements.push(element);
    }
    json!({"elements": elements})
}

fn selector(numbers: &mut Numbers) -> Value {
    let key = numbers.pick(&[
        "name",
        "a",
        "path.basename",
        "nested.deep",
        "values.a",
        "n",
        "list.0",
        "server",
        "metadata.labels.env",
        "a b",
    ]);
    let value = numbers.pick(&["app-0", "media", "jelly", "x", "1", "", "80", "true"]);
    match numbers.below(6) {
        0 => json!({"matchLabels": {key: value}}),
        1 => json!({"matchExpressions": [{"key": key, "operator": "In", "values": [value, "app-1", "web"]}]}),
        2 => json!({"matchExpressions": [{"key": key, "operator": "NotIn", "values": [value]}]}),
        3 => json!({"matchExpressions": [{"key": key, "operator": "Exists"}]}),
        4 => json!({"matchExpressions": [{"key": key, "operator": "DoesNotExist"}]}),
        _ => {
            json!({"matchExpressions": [{"key": key, "operator": numbers.pick(&["In", "exists", "Exists"]), "values": []}]})
        }
    }
}
