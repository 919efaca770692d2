//! The template of a set: where texts are templates, and patches.

use serde_json::{Map, Value, json};

use super::super::numbers::Numbers;
use super::{OWN, templates};

/// Names that make an Application of each set of parameters, in most cases.
const NAMES: &[&str] = &[
    "{{ .name }}",
    "{{ .path.basename }}",
    "{{ .path.basenameNormalized }}-{{ .name }}",
    "{{ .path.path | replace \"/\" \"-\" }}-{{ .path.filenameNormalized }}",
    "app-{{ .nameNormalized }}",
    "{{ .name | normalize }}{{ with .path }}{{ .path | slugify }}{{ end }}",
    "{{ toJson . | sha256sum | trunc 12 }}",
    "{{ toJson . | sha256sum | trunc 12 }}",
    "{{ toJson . | sha256sum | trunc 12 }}",
    "{{ .server | adler32sum }}{{ .name }}{{ .path }}",
];

const FAST_NAMES: &[&str] = &[
    "{{name}}",
    "{{ path.basename }}",
    "{{path.basenameNormalized}}-{{name}}",
    "{{path[0]}}-{{path[1]}}-{{path.filename}}",
    "app-{{nameNormalized}}",
    "{{path}}{{name}}{{a}}{{server}}{{values.a}}",
    "{{path}}{{name}}{{path.filename}}{{server}}",
];

/// Returns the template of a set.
pub(super) fn template(numbers: &mut Numbers, is_go: bool) -> Value {
    let mut template = override_of(numbers, is_go);
    let name = if is_go {
        numbers.pick(NAMES)
    } else {
        numbers.pick(FAST_NAMES)
    };
    template["metadata"]["name"] = json!(name);
    template
}

/// Returns a template that has what the API server asks for.
pub(super) fn override_of(numbers: &mut Numbers, is_go: bool) -> Value {
    let mut template = partial(numbers, is_go);
    let destination = json!({"server": "https://kubernetes.default.svc"});
    for (key, value) in [("project", json!("default")), ("destination", destination)] {
        if template["spec"].get(key).is_none() {
            template["spec"][key] = value;
        }
    }
    template
}

/// Returns a template with some fields.
fn partial(numbers: &mut Numbers, is_go: bool) -> Value {
    let text = |numbers: &mut Numbers| json!(templates::small(numbers, is_go));
    let (mut metadata, mut spec) = (json!({}), json!({}));
    for key in ["labels", "annotations"] {
        if numbers.one_in(4) {
            let mut map = Map::new();
            for _ in 0..numbers.below(3) + 1 {
                let key = match numbers.one_in(6) {
                    true => templates::small(numbers, is_go),
                    false => numbers.pick(&["a", "example.org/b", "c"]).to_owned(),
                };
                map.insert(key, text(numbers));
            }
            metadata[key] = Value::Object(map);
        }
    }
    if numbers.one_in(8) {
        metadata["finalizers"] = match numbers.one_in(3) {
            true => json!([]),
            false => json!([text(numbers)]),
        };
    }
    if numbers.one_in(6) {
        spec["project"] = text(numbers);
    }
    if numbers.one_in(3) {
        spec["destination"] = json!({"server": text(numbers), "namespace": text(numbers)});
    }
    if numbers.one_in(12) {
        spec["sources"] = (0..numbers.below(3)).map(|_| source(numbers, is_go)).collect();
    } else if !numbers.one_in(6) {
        spec["source"] = source(numbers, is_go);
    }
    if numbers.one_in(6) {
        spec["syncPolicy"] = json!({
            "automated": numbers.pick(&[None, Some(true), Some(false)]).map_or(json!({}), |prune| json!({"prune": prune})),
            "syncOptions": ["CreateNamespace=true", text(numbers)],
        });
    }
    if numbers.one_in(12) {
        spec["ignoreDifferences"] = json!([{"group": "apps", "kind": "Deployment", "jsonPointers": [text(numbers)]}]);
    }
    if numbers.one_in(12) {
        spec["info"] = json!([{"name": "url", "value": text(numbers)}]);
    }
    if numbers.one_in(12) {
        spec["revisionHistoryLimit"] = json!(numbers.pick(&[0, 3]));
    }
    json!({"metadata": metadata, "spec": spec})
}

fn source(numbers: &mut Numbers, is_go: bool) -> Value {
    let text = |numbers: &mut Numbers| json!(templates::small(numbers, is_go));
    let mut source = json!({"repoURL": OWN, "path": text(numbers), "targetRevision": "HEAD"});
    match numbers.below(8) {
        0 => {
            source["helm"] = json!({
                "releaseName": text(numbers),
                "values": text(numbers),
                "valueFiles": ["values.yaml", text(numbers)],
                "parameters": [{"name": "a", "value": text(numbers)}, {"name": text(numbers), "value": "1", "forceString": true}],
            });
        }
        1 => source["helm"] = json!({"valuesObject": values_object(numbers, is_go, 0)}),
        2 => {
            source["kustomize"] =
                json!({"namePrefix": text(numbers), "images": [text(numbers)], "commonLabels": {"a": text(numbers)}})
        }
        3 => source["directory"] = json!({"recurse": numbers.one_in(2), "include": text(numbers)}),
        4 => {
            source["plugin"] = json!({
                "name": "p",
                "env": [{"name": "A", "value": text(numbers)}],
                "parameters": [{"name": "owns", "array": [text(numbers)]}, {"name": "m", "map": {"k": text(numbers)}}],
            });
        }
        5 => {
            source["chart"] = text(numbers);
            source["path"] = json!("");
        }
        _ => {}
    }
    source
}

fn values_object(numbers: &mut Numbers, is_go: bool, depth: usize) -> Value {
    let mut map = Map::new();
    for _ in 0..numbers.below(4) {
        let key = numbers.pick(&["a", "b", "image", "x-y", "list", "1"]);
        let value = match numbers.below(if depth > 1 { 5 } else { 7 }) {
            0 => json!(numbers.pick(&[1.5, 3.0, -2.0, 1e21])),
            1 => json!(numbers.one_in(2)),
            2 => Value::Null,
            3 | 4 => json!(templates::small(numbers, is_go)),
            5 => json!([templates::small(numbers, is_go), 1, {"a": templates::small(numbers, is_go)}]),
            _ => values_object(numbers, is_go, depth + 1),
        };
        map.insert(key.to_owned(), value);
    }
    Value::Object(map)
}

/// Returns a template of a patch.
pub(super) fn patch(numbers: &mut Numbers) -> String {
    const PARTS: &[&str] = &[
        "spec:\n  source:\n    helm:\n      valueFiles:\n      - {{ .name | quote }}\n",
        "spec:\n  source: null\n  sources:\n  - repoURL: https://git.example.org/home.git\n    path: {{ .path.path | default \"x\" | quote }}\n",
        "spec:\n  syncPolicy:\n    automated:\n      prune: {{ eq .name \"app-0\" }}\n",
        "metadata:\n  labels:\n    a: {{ .name | quote }}\n    b: null\n",
        "metadata:\n  finalizers: [{{ .name | quote }}]\n",
        "metadata:\n  finalizers: []\n",
        "metadata:\n  name: other\n  namespace: {{ .name }}\n",
        "spec:\n  project: {{ .name | quote }}\n  destination:\n    namespace: x\n    server: null\n",
        "spec:\n  source:\n    helm:\n      valuesObject:\n        a: {{ .name | quote }}\n",
        "{\"spec\": {\"source\": {\"path\": {{ .name | toJson }}}}}",
        "{{- if eq .name \"app-0\" }}\nspec:\n  info: [{name: a, value: b}]\n{{- end }}\n",
        "spec:\n  ignoreDifferences:\n  - kind: Secret\n    jsonPointers: [/data]\n",
        "spec:\n  syncPolicy:\n    syncOptions:\n    {{- range tuple \"a\" .name }}\n    - {{ . | quote }}\n    {{- end }}\n",
        "spec:\n  source:\n    plugin:\n      parameters:\n      - name: owns\n        array: [{{ .name | quote }}]\n",
        "spec:\n  unknown: {{ .name | quote }}\n  revisionHistoryLimit: 5\n",
        "spec:\n  source:\n    targetRevision: {{ .name }}\n",
        "",
        "null\n",
        "[]\n",
        "text\n",
        "spec: [\n",
        "status:\n  sync: {status: Synced}\n",
        "operation:\n  sync: {revision: a}\n",
        "spec:\n  sources: null\n  source: {}\n",
        "spec:\n  syncPolicy: null\n",
        "spec: null\n",
        "metadata: null\n",
        "spec:\n  source:\n    kustomize:\n      images: [a]\n      patches: [{patch: b, target: {kind: c}}]\n",
        "spec:\n  info:\n  - name: url\n    value: {{ .missing }}\n",
        "{{ toYaml (dict \"spec\" (dict \"project\" \"x\" \"source\" .m)) }}",
    ];
    match numbers.one_in(10) {
        true => templates::text(numbers),
        false => numbers.pick(PARTS).to_owned(),
    }
}
