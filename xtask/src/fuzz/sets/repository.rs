//! The repository of a case: files and clusters.

use serde_json::{Map, Value, json};

use super::super::numbers::Numbers;

const FOLDERS: &[&str] = &[
    "apps/media",
    "apps/media/deep",
    "apps/web",
    "apps/web-site",
    "apps/web.old",
    "apps/_Odd.Name",
    "apps/Grüße",
    "apps/a b",
    "infra/db",
    "infra/db/er",
    "infra/[x]",
    "infra/a*b",
    "infra/.hidden",
    ".github",
    ".hidden/app",
    "clusters/home/apps",
    "x",
    "",
];

const NAMES: &[&str] = &[
    "config.yaml",
    "config.yaml",
    "config.json",
    "values.yaml",
    "Chart.yaml",
    ".config.yaml",
    "Ä.yaml",
    "a b.yaml",
];

const CONTENTS: &[&str] = &[
    "name: jelly\nport: 8096\nnested:\n  deep: x\n  list: [1, two]\nflag: true\nempty: null\n",
    "name: jelly\nport: 8096\n",
    "- name: one\n  v: 1\n- name: two\n  nested: {deep: y}\n",
    "{\"name\": \"web\", \"n\": 1.5, \"big\": 12345678}",
    "[{\"name\": \"a\"}, {\"name\": \"b\"}]",
    "name: Odd_Name\nvalues: {a: b}\npath: c\n",
    "name: x\nlarge: 1e30\nsmall: 1.0\nint: 12345678901\nneg: -3\noct: 0644\nyes: yes\ndate: 2024-01-02\n",
    "a.b: dotted\nname: d\nm: {}\nl: []\n",
    "list:\n- a: 1\n- b: [x, {c: d}]\nname: l\n",
    "base: &b {k: v}\nname: anchors\nother: *b\n",
    "name: 'quoted: {{ x }}'\ntext: |\n  one\n  two\n",
    "1: one\ntrue: two\nname: keys\n",
    "{}\n",
    "",
    "# nothing\n",
    "null\n",
    "[]\n",
    "---\nname: first\n---\nname: second\n",
    "name: crlf\r\nport: 1\r\n",
];

const ODD_CONTENTS: &[&str] = &[
    "text\n",
    "7\n",
    "[1, 2]\n",
    "a: [\n",
    "- a\n- b: c\n",
    "a: 1\na: 2\n",
    "[null, {name: n}]\n",
    "\t\n",
];

/// Returns files, by their paths.
pub(super) fn files(numbers: &mut Numbers) -> Value {
    let mut files = Map::new();
    for _ in 0..numbers.below(9) + 3 {
        let (folder, name) = (numbers.pick(FOLDERS), numbers.pick(NAMES));
        let path = if folder.is_empty() {
            name.to_owned()
        } else {
            format!("{folder}/{name}")
        };
        let content = match numbers.one_in(40) {
            true => numbers.pick(ODD_CONTENTS),
            false => numbers.pick(CONTENTS),
        };
        files.insert(path, json!(content));
    }
    Value::Object(files)
}

/// Returns the Secrets of clusters.
pub(super) fn clusters(numbers: &mut Numbers) -> Value {
    let mut clusters = Vec::new();
    for (name, server, project) in [
        ("bmFz", "aHR0cHM6Ly9uYXMubGFuOjY0NDM=", None),
        ("Q2FiaW5fMS5B", "aHR0cHM6Ly9jYWJpbi5sYW4=", Some("aG9tZQ==")),
        ("aG9tZQ==", "aHR0cHM6Ly9rdWJlcm5ldGVzLmRlZmF1bHQuc3Zj", None),
    ] {
        if !numbers.one_in(3) {
            continue;
        }
        let mut labels = Map::from_iter([("argocd.argoproj.io/secret-type".to_owned(), json!("cluster"))]);
        for key in ["env", "example.org/tier", "size"] {
            if numbers.one_in(2) {
                labels.insert(key.to_owned(), json!(numbers.pick(&["prod", "test", "1", "", "a.b"])));
            }
        }
        let mut annotations = Map::new();
        for key in [
            "note",
            "kubectl.kubernetes.io/last-applied-configuration",
            "argocd.argoproj.io/refresh",
            "example.org/x",
        ] {
            if numbers.one_in(4) {
                annotations.insert(
                    key.to_owned(),
                    json!(numbers.pick(&["text", "{\"a\": 1}", "", "{{ .name }}", "x y"])),
                );
            }
        }
        let mut data = json!({"name": name, "server": server, "config": "e30="});
        if let Some(project) = project {
            data["project"] = json!(project);
        }
        let mut metadata = json!({"name": "secret", "namespace": "argocd", "labels": labels});
        if !annotations.is_empty() {
            metadata["annotations"] = Value::Object(annotations);
        }
        clusters.push(json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}));
    }
    Value::Array(clusters)
}
