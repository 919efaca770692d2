//! Kustomize folders as Argo CD's own Go code builds them (`tests/tools/argocd/kustomize`): the same objects for the same
//! sources, and the same are refused.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test runs programs and fails loudly"
)]

mod argocd_code;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use homelab::disk::Checkout;
use homelab::kustomize::Kustomize;
use homelab::model::parameter::{self, Parameters};
use homelab::model::{AppName, Pointer, Source, native};
use homelab::render::{self, HelmCall, Owners, Raw, Renderer, Renderers, Request};
use homelab::repo::{Repo, RepoPath, SourceType};
use homelab::yaml;
use serde_json::{Value, json};

/// Helm and the repository, which nobody asks for.
struct Nobody;

impl Renderer<HelmCall> for Nobody {
    fn render(&self, _: &HelmCall) -> anyhow::Result<Raw> {
        anyhow::bail!("helm is not asked for")
    }
}

impl Owners for Nobody {
    fn repository(&self) -> anyhow::Result<std::borrow::Cow<'_, Repo>> {
        anyhow::bail!("the repository is not asked for")
    }
}

fn program(variable: &str) -> PathBuf {
    let program = std::env::var_os(variable);
    program
        .unwrap_or_else(|| panic!("{variable} is not set: run `cargo xtask test`"))
        .into()
}

fn variables() -> BTreeMap<String, String> {
    let all = [("ARGOCD_APP_NAME", "player"), ("ARGOCD_APP_REVISION", "0123456789")];
    all.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// Builds the folder of a case.
fn built(question: &Value) -> anyhow::Result<Vec<Value>> {
    let folder = tempfile::tempdir()?;
    for (path, text) in question["files"].as_object().unwrap() {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap())?;
        fs::write(path, text.as_str().unwrap())?;
    }
    let checkout = Checkout::open(folder.path())?;
    let source_path = RepoPath::new("app")?;
    let detected = SourceType::of(&checkout, &source_path)?;
    assert_eq!(detected, Some(SourceType::Kustomize));
    let tree = json!({"repoURL": "u", "path": "app", "kustomize": question["kustomize"]});
    let source = Source::new(Pointer::root().to_buf(), &tree);
    let moved = native::to_parameters(&source, |_, value| yaml::emit(value)).unwrap();
    let wrong = |errors: Vec<parameter::ParameterError>| anyhow::anyhow!("{errors:?}");
    let list = parameter::read(&Value::Array(moved.parameters)).map_err(wrong)?;
    let request = Request {
        app: AppName::new("player")?,
        destination: None,
        source_path,
        prefix: RepoPath::root(),
        source_type: None,
        parameters: Parameters {
            allow_empty: true,
            ..Parameters::parse(&list).map_err(wrong)?
        },
        kube_version: Some("1.36.1".to_owned()),
        api_versions: Vec::new(),
        variables: variables(),
        storage_rules: false,
        for_rules: false,
    };
    let kustomize = Kustomize {
        checkout: checkout.clone(),
        program: Some(program("HOMELAB_TEST_KUSTOMIZE")),
        helm: None,
        network: false,
        cache: None,
        bounded_in: None,
        build_options: Some(question["buildOptions"].as_str().unwrap().to_owned()),
    };
    let renderers = Renderers {
        helm: &Nobody,
        kustomize: &kustomize,
        owners: &Nobody,
    };
    let before = files(folder.path());
    let output = render::render(&request, &checkout, renderers);
    assert_eq!(files(folder.path()), before, "the checkout stays as it is");
    Ok(output?
        .raw_objects()?
        .iter()
        .map(|object| object.tree().clone())
        .collect())
}

fn files(folder: &std::path::Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => drop(found.insert(path.clone(), fs::read(&path).unwrap())),
        }
    }
    found
}

/// Returns a case with all its files, as it is asked.
fn question(common: &Value, case: &Value) -> Value {
    let mut files = common.clone();
    json_patch::merge(&mut files, case.get("files").unwrap_or(&json!({})));
    let or = |key: &str, default: Value| case.get(key).cloned().unwrap_or(default);
    json!({
        "files": files, "path": "app", "kustomize": or("kustomize", json!({})), "buildOptions": or("buildOptions", json!("")),
        "variables": variables(),
    })
}

/// Returns the objects in an order, lists flattened.
fn sorted(objects: &[Value]) -> Vec<String> {
    let flat = |object: &Value| match object["items"].as_array() {
        Some(items) => items.clone(),
        None => vec![object.clone()],
    };
    let mut texts: Vec<String> = objects
        .iter()
        .flat_map(flat)
        .map(|object| canonical(&object).to_string())
        .collect();
    texts.sort();
    texts
}

/// Returns a value with its keys in order.
fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let ordered: BTreeMap<_, _> = map.iter().map(|(key, value)| (key.clone(), canonical(value))).collect();
            json!(ordered)
        }
        Value::Array(list) => list.iter().map(canonical).collect(),
        other => other.clone(),
    }
}

#[test]
fn folders_are_built_as_argo_cd_builds_them() {
    let vectors = yaml::value(include_str!("vectors/kustomize/cases.yaml"))
        .unwrap()
        .unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    let questions: Vec<Value> = cases.iter().map(|case| question(&vectors["common"], case)).collect();
    let answers: Vec<Value> = argocd_code::answers("HOMELAB_TEST_ARGOCD_KUSTOMIZE", &questions);
    let mut wrong = Vec::new();
    for ((case, question), answer) in cases.iter().zip(&questions).zip(&answers) {
        let name = &case["name"];
        let taken_for = case.get("type").and_then(Value::as_str).unwrap_or("Kustomize");
        if answer["type"] != taken_for {
            wrong.push(format!("{name}: Argo CD takes it for {}", answer["type"]));
        }
        if taken_for != "Kustomize" {
            let names = question["files"].as_object().unwrap().keys();
            let names = names
                .filter_map(|path| path.strip_prefix("app/"))
                .filter(|path| !path.contains('/'));
            let found = format!("{:?}", SourceType::of_names(names));
            assert_eq!(found, taken_for, "{name}");
            continue;
        }
        let is_refused = case["refused"] == true;
        let error = answer["error"].as_str();
        if error.is_some() != is_refused {
            wrong.push(format!("{name}: Argo CD says {error:?}"));
        }
        match (built(question), error) {
            (Ok(objects), None) => {
                let (ours, theirs) = (sorted(&objects), sorted(answer["objects"].as_array().unwrap()));
                if ours != theirs {
                    wrong.push(format!("{name}\n  is  {ours:#?}\n  not {theirs:#?}"));
                }
            }
            (Err(_), Some(_)) => {}
            (Ok(_), Some(error)) => wrong.push(format!("{name}: it is built, and Argo CD says {error}")),
            (Err(error), None) => wrong.push(format!("{name}: Argo CD builds it, and we say {error:#}")),
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
