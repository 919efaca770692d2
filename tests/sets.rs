//! ApplicationSets as Argo CD's own Go code expands them (`tests/tools/argocd/sets`): what it answers to the cases of
//! `tests/vectors/sets` is kept there.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test runs programs and fails loudly"
)]

mod argocd_code;

use std::collections::{BTreeMap, BTreeSet};

use homelab::model::Object;
use homelab::model::settings::GeneratorOutput;
use homelab::repo::RepoPath;
use homelab::sets::{Contents, Reason, Set};
use homelab::yaml;
use serde_json::{Map, Value, json};

const TEMPLATES: &str = include_str!("vectors/sets/templates.json");
const SETS: &str = include_str!("vectors/sets/sets.json");
const FINDS: &str = include_str!("vectors/fuzz/sets.json");

/// The functions that are refused, each with the number of templates of the vectors that use one.
const REFUSED: usize = 13;

/// What a case says about the repository.
#[derive(Default)]
struct Case {
    files: BTreeMap<RepoPath, String>,
    clusters: Vec<Object>,
    outputs: Vec<GeneratorOutput>,
}

impl Contents for Case {
    fn is_own(&self, url: &str) -> bool {
        url == "https://git.example.org/home.git"
    }

    fn files(&self) -> anyhow::Result<Vec<RepoPath>> {
        Ok(self.files.keys().cloned().collect())
    }

    fn read(&self, path: &RepoPath) -> anyhow::Result<Option<Vec<u8>>> {
        Ok(self.files.get(path).map(|text| text.clone().into_bytes()))
    }

    fn clusters(&self) -> Vec<&Object> {
        self.clusters.iter().collect()
    }

    fn generator_outputs(&self) -> &[GeneratorOutput] {
        &self.outputs
    }
}

/// Expands the set of a case.
fn expand(case: &Value) -> Result<Vec<Value>, Reason> {
    let files = case["files"].as_object().into_iter().flatten();
    let contents = Case {
        files: files
            .map(|(path, text)| (RepoPath::new(path).unwrap(), text.as_str().unwrap().to_owned()))
            .collect(),
        clusters: case["clusters"]
            .as_array()
            .into_iter()
            .flatten()
            .cloned()
            .map(Object::new)
            .collect(),
        outputs: Vec::new(),
    };
    let set = match &case["set"] {
        Value::String(text) => yaml::value(text).unwrap().unwrap(),
        tree => tree.clone(),
    };
    let object = Object::new(set);
    let generated = Set::new(&object).unwrap().expand(&contents)?;
    Ok(generated
        .into_iter()
        .map(|generated| generated.application.into_tree())
        .collect())
}

/// Evaluates a template as the only annotation of an Application.
fn evaluate(template: &str, parameters: &Value, options: &Value) -> Result<String, Reason> {
    let set = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "metadata": {"name": "set"}, "spec": {
        "goTemplate": true,
        "goTemplateOptions": options,
        "generators": [{"list": {"elements": [parameters]}}],
        "template": {
            "metadata": {"name": "app", "annotations": {"text": template}},
            "spec": {"project": "default", "destination": {"name": "in-cluster"}},
        },
    }});
    let mut expanded = expand(&json!({"set": set}))?;
    Ok(expanded.remove(0)["metadata"]["annotations"]["text"]
        .as_str()
        .unwrap()
        .to_owned())
}

/// Drops what Go leaves out: values that are their type's zero value. Helm's free values stay whole.
fn without_zeros(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let entries = map
                .iter()
                .filter(|(key, _)| *key != "apiVersion" && *key != "kind" || map.contains_key("jsonPointers"));
            let entries = entries.map(|(key, value)| match key.as_str() {
                "valuesObject" => (key.clone(), value.clone()),
                _ => (key.clone(), without_zeros(value)),
            });
            let is_zero = |value: &Value| match value {
                Value::Null => true,
                Value::Bool(value) => !value,
                Value::Number(number) => number.as_f64() == Some(0.0),
                Value::String(text) => text.is_empty(),
                Value::Array(list) => list.is_empty(),
                Value::Object(map) => map.is_empty(),
            };
            Value::Object(entries.filter(|(_, value)| !is_zero(value)).collect::<Map<_, _>>())
        }
        Value::Array(list) => Value::Array(list.iter().map(without_zeros).collect()),
        other => other.clone(),
    }
}

fn prepared(applications: &[Value], is_sorted: bool) -> Vec<Value> {
    let mut applications: Vec<Value> = applications.iter().map(without_zeros).collect();
    if is_sorted {
        applications.sort_by_key(|application| application["metadata"]["name"].to_string());
    }
    applications
}

#[test]
fn templates_are_evaluated_as_argo_cd_does() {
    let vectors: Value = serde_json::from_str(TEMPLATES).unwrap();
    let (mut wrong, mut refused) = (Vec::new(), BTreeSet::new());
    for case in vectors["cases"].as_array().unwrap() {
        let template = case["template"].as_str().unwrap();
        let options = case.get("options").cloned().unwrap_or_else(|| json!([]));
        match (evaluate(template, &vectors["params"], &options), case["text"].as_str()) {
            (Ok(text), Some(expected)) if text == expected => {}
            (Ok(text), expected) => wrong.push(format!("{template}\n  is  {text:?}\n  not {expected:?}")),
            (Err(Reason::Invalid { .. }), None) => {}
            (Err(Reason::Unsupported { what }), _) => {
                refused.insert(format!("{template}: {what}"));
            }
            (Err(reason), expected) => wrong.push(format!("{template}\n  fails: {reason}\n  not {expected:?}")),
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(refused.len(), REFUSED, "{refused:#?}");
}

#[test]
fn sets_are_expanded_as_argo_cd_does() {
    let vectors: Value = serde_json::from_str(SETS).unwrap();
    let mut wrong = Vec::new();
    for case in vectors.as_array().unwrap() {
        let is_sorted = case["unordered"] == true;
        let expected = case
            .get("error")
            .is_none()
            .then(|| case["applications"].as_array().map(Vec::as_slice).unwrap_or_default());
        let name = &case["name"];
        match (expand(case), expected) {
            (Ok(found), Some(expected)) if prepared(&found, is_sorted) == prepared(expected, is_sorted) => {}
            (Err(Reason::Invalid { .. }), None) => {}
            (Ok(found), Some(expected)) => wrong.push(format!(
                "{name}\n  is  {}\n  not {}",
                Value::Array(prepared(&found, is_sorted)),
                Value::Array(prepared(expected, is_sorted))
            )),
            (Ok(found), None) => wrong.push(format!("{name}\n  is  {found:?}\n  not an error")),
            (Err(reason), expected) => wrong.push(format!("{name}\n  fails: {reason}\n  not {expected:?}")),
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// `cargo xtask fuzz sets` holds the same finds against Argo CD's code.
#[test]
fn the_finds_of_the_fuzzer_come_out_right() {
    let finds: Map<String, Value> = serde_json::from_str(FINDS).unwrap();
    for (name, find) in finds {
        match (expand(&find["case"]), find["refused"].as_str()) {
            (Ok(found), None) => {
                let expected = find["becomes"].as_array().unwrap();
                assert_eq!(prepared(&found, false), prepared(expected, false), "{name}");
            }
            (Err(reason), Some(part)) => assert!(reason.to_string().contains(part), "{name}: {reason}"),
            (other, _) => panic!("{name}: {other:?}"),
        }
    }
}

/// Asks Argo CD's code about all cases again.
#[test]
fn the_vectors_are_what_argo_cd_answers() {
    let templates: Value = serde_json::from_str(TEMPLATES).unwrap();
    let sets: Value = serde_json::from_str(SETS).unwrap();
    let (templates, parameters, sets) = (
        templates["cases"].as_array().unwrap(),
        &templates["params"],
        sets.as_array().unwrap(),
    );
    let of_template = |case: &Value| {
        let options = case.get("options").cloned().unwrap_or_else(|| json!([]));
        json!({"template": case["template"], "params": parameters, "options": options})
    };
    let of_set = |case: &Value| json!({"set": case["set"], "files": case["files"], "clusters": case["clusters"]});
    let questions: Vec<Value> = templates
        .iter()
        .map(of_template)
        .chain(sets.iter().map(of_set))
        .collect();
    let answers: Vec<Value> = argocd_code::answers("HOMELAB_TEST_ARGOCD_SETS", &questions);
    let is_random = |template: &str| {
        ["uuidv4", "rand", "genCA", "now"]
            .iter()
            .any(|name| template.contains(name))
    };
    for (case, answer) in templates.iter().zip(&answers) {
        let template = case["template"].as_str().unwrap();
        assert_eq!(case.get("error").is_some(), answer.get("error").is_some(), "{template}");
        assert!(
            case["text"] == answer["text"] || is_random(template),
            "{template}: {answer}"
        );
    }
    for (case, answer) in sets.iter().zip(&answers[templates.len()..]) {
        assert_eq!(
            case.get("error").is_some(),
            answer.get("error").is_some(),
            "{}",
            case["name"]
        );
        let list = |value: &Value| {
            prepared(
                value["applications"].as_array().map(Vec::as_slice).unwrap_or_default(),
                true,
            )
        };
        let without_status = |mut applications: Vec<Value>| {
            for application in &mut applications {
                application.as_object_mut().unwrap().remove("status");
            }
            applications
        };
        assert_eq!(list(case), without_status(list(answer)), "{}", case["name"]);
    }
}

/// Returns a set with these generators.
fn set_of(generators: &str, is_go: bool, name: &str) -> Object {
    let text = format!(
        "{{apiVersion: argoproj.io/v1alpha1, kind: ApplicationSet, metadata: {{name: set}}, spec: {{goTemplate: {is_go}, \
         generators: {generators}, template: {{metadata: {{name: '{name}'}}, spec: {{project: default, destination: {{}}}}}}}}}}"
    );
    Object::new(yaml::value(&text).unwrap().unwrap())
}

#[test]
fn an_application_knows_where_its_parameters_come_from() {
    let list = "list: {elements: [{a: x}, {a: y}], elementsYaml: '[{a: z}]'}";
    let git = "git: {repoURL: 'https://git.example.org/home.git', revision: HEAD, directories: [{path: '*'}]}";
    let files = BTreeMap::from([(RepoPath::new("apps/a.yaml").unwrap(), String::new())]);
    let contents = Case {
        files,
        ..Case::default()
    };
    let places = |generators: &str, name: &str| -> Vec<Vec<String>> {
        let object = set_of(generators, true, name);
        let expanded = Set::new(&object).unwrap().expand(&contents).unwrap();
        let pointers = expanded.iter().map(|generated| {
            let pointers = generated.generators.iter();
            pointers.map(|pointer| pointer.as_str().to_owned()).collect()
        });
        pointers.collect()
    };
    assert_eq!(
        places(
            &format!("[{{{git}}}, {{{list}}}]"),
            "{{.a}}{{if .path}}{{.path.path}}{{end}}"
        ),
        [
            ["/spec/generators/0/git"],
            ["/spec/generators/1/list/elements/0"],
            ["/spec/generators/1/list/elements/1"],
            ["/spec/generators/1/list/elementsYaml"],
        ]
    );
    assert_eq!(
        places(
            &format!("[{{matrix: {{generators: [{{{git}}}, {{list: {{elements: [{{a: b}}]}}}}]}}}}]"),
            "{{.a}}"
        ),
        [[
            "/spec/generators/0/matrix/generators/0/git",
            "/spec/generators/0/matrix/generators/1/list/elements/0",
        ]]
    );
    assert_eq!(
        places(
            "[{merge: {mergeKeys: [a], generators: [{list: {elements: [{a: b}, {a: c}]}}, {list: {elements: [{a: c, d: e}]}}]}}]",
            "{{.a}}"
        ),
        [
            vec!["/spec/generators/0/merge/generators/0/list/elements/0"],
            vec![
                "/spec/generators/0/merge/generators/0/list/elements/1",
                "/spec/generators/0/merge/generators/1/list/elements/0",
            ],
        ]
    );
}

#[test]
fn generators_that_need_a_server_give_what_was_said() {
    let output = |set: &str, generator: Option<&str>, parameters: Value| GeneratorOutput {
        set: set.to_owned(),
        generator: generator.map(str::to_owned),
        parameters: parameters
            .as_array()
            .unwrap()
            .iter()
            .map(|map| map.as_object().unwrap().clone())
            .collect(),
    };
    let names = |object: &Object, outputs: Vec<GeneratorOutput>| {
        let contents = Case {
            outputs,
            ..Case::default()
        };
        let expanded = Set::new(object).unwrap().expand(&contents);
        let name = |generated: &homelab::sets::Generated| generated.application.name().to_owned();
        expanded.map(|expanded| expanded.iter().map(name).collect::<Vec<_>>())
    };
    let requests = set_of(
        "[{pullRequest: {github: {owner: a, repo: b}, values: {c: 'd{{.number}}'}}}]",
        true,
        "{{.number}}-{{.inner.x}}-{{.values.c}}",
    );
    let given = json!([{"number": 1, "inner": {"x": "y"}}, {"number": 2, "inner": {"x": "z"}}]);
    for generator in [None, Some("pullRequest")] {
        let found = names(&requests, vec![output("set", generator, given.clone())]).unwrap();
        assert_eq!(found, ["1-y-d1", "2-z-d2"]);
    }
    for missing in [
        vec![],
        vec![output("other", None, given.clone())],
        vec![output("set", Some("plugin"), given.clone())],
    ] {
        let reason = names(&requests, missing).unwrap_err();
        assert_eq!(reason.to_string(), "the generator `pullRequest` needs a server");
    }
    let fast = set_of(
        "[{plugin: {configMapRef: {name: a}, values: {c: 'd{{number}}'}}}]",
        false,
        "{{number}}-{{inner.x}}-{{values.c}}",
    );
    assert_eq!(
        names(&fast, vec![output("set", None, given.clone())]).unwrap(),
        ["1-y-d1", "2-z-d2"]
    );
    let decision = set_of(
        "[{clusterDecisionResource: {configMapRef: a, values: {c: 'd{{.name}}'}}}]",
        true,
        "{{.name}}-{{len .values.c}}",
    );
    assert_eq!(
        names(&decision, vec![output("set", None, json!([{"name": "a"}]))]).unwrap(),
        ["a-10"]
    );
    let two = set_of(
        "[{pullRequest: {github: {owner: a, repo: b}}}, {matrix: {generators: [{list: {elements: [{e: f}]}}, {plugin: {configMapRef: {name: a}}}]}}]",
        true,
        "{{.number}}-{{.e}}",
    );
    let reason = names(&two, vec![output("set", None, given.clone())]).unwrap_err();
    assert!(
        reason
            .to_string()
            .starts_with("one list of parameters for several generators"),
        "{reason}"
    );
    let both = vec![
        output("set", Some("plugin"), json!([{"number": 3}])),
        output("set", Some("pullRequest"), json!([{"number": 4, "e": "g"}])),
    ];
    assert_eq!(names(&two, both).unwrap(), ["4-g", "3-f"]);
}
