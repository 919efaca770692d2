//! What the fuzzers of `cargo xtask fuzz` found: each find is kept with what is right, so that it stays right.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads files and fails loudly"
)]

use homelab::law::StorageRules;
use homelab::model::mount::Mount;
use homelab::model::parameter::{self, Parameters};
use homelab::model::{AppName, NamespaceName};
use homelab::render::storage_pass;
use homelab::repo::RepoPath;
use homelab::repo::generate_paths;
use homelab::yaml;
use serde_json::{Map, Value, json};

/// Returns the finds of a target, by their names.
fn finds(target: &str) -> Map<String, Value> {
    let file = format!("{}/tests/vectors/fuzz/{target}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap()
}

/// Compares what the program makes of every find of a target with what is right: a value, or a part of the error.
fn hold(target: &str, run: impl Fn(&Value) -> Result<Value, String>) {
    for (name, find) in finds(target) {
        match (run(&find["case"]), &find["refused"]) {
            (Ok(value), Value::Null) => assert_eq!(value, find["becomes"], "{target}: {name}"),
            (Err(error), Value::String(part)) => assert!(error.contains(part), "{target}: {name}: {error}"),
            (other, _) => panic!("{target}: {name}: {other:?}"),
        }
    }
}

fn text<'c>(case: &'c Value, key: &str) -> &'c str {
    case[key].as_str().unwrap()
}

fn list<T>(case: &Value, key: &str, read: impl Fn(&str) -> T) -> Vec<T> {
    case[key]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| read(entry.as_str().unwrap()))
        .collect()
}

#[test]
fn streams_come_out_right() {
    hold("stream", |case| {
        let claims = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect();
        let parameters = Parameters {
            owns: claims(&["own", "data-db-0"]),
            writes: claims(&["shared"]),
            mounts: list(case, "mounts", |mount| mount.parse::<Mount>().unwrap()),
            ..Parameters::default()
        };
        let (app, namespace) = (AppName::new("player").unwrap(), NamespaceName::new("media").unwrap());
        let rules = StorageRules::new(app, namespace, &parameters, None).unwrap();
        let before = text(case, "stream");
        let output = storage_pass::apply(before.to_owned(), &rules, false).map_err(|error| format!("{error:#}"))?;
        let after = output.text();
        Ok(if after == before {
            json!("the same")
        } else {
            json!(after)
        })
    });
}

#[test]
fn patches_come_out_right() {
    hold("patch", |case| {
        let patch = serde_json::from_value(case["patch"].clone()).unwrap();
        let spliced = yaml::splice(text(case, "document"), &patch);
        spliced
            .map(|spliced| json!(spliced.text))
            .map_err(|error| format!("{:#}", error.into_error()))
    });
}

#[test]
fn parameters_come_out_right() {
    hold("parameters", |case| {
        let tree = serde_json::from_str(text(case, "json")).unwrap();
        let list = parameter::read(&tree).and_then(|list| Parameters::parse(&list));
        let said = |errors: Vec<parameter::ParameterError>| errors.iter().map(ToString::to_string).collect::<Vec<_>>();
        list.map(|_| json!("read")).map_err(|errors| said(errors).join("; "))
    });
}

#[test]
fn mounts_come_out_right() {
    hold("mounts", |case| {
        let mount = text(case, "mount").parse::<Mount>();
        mount
            .map(|mount| json!(mount.to_string()))
            .map_err(|error| format!("{error:#}"))
    });
}

#[test]
fn watched_paths_come_out_right() {
    hold("generate-paths", |case| {
        let paths = |key| list(case, key, |path| RepoPath::new(path).unwrap());
        let extended = generate_paths::extended(text(case, "annotation"), &paths("sources"), &paths("reads"));
        Ok(extended.map_or(Value::Null, |extended| json!(extended.value)))
    });
}
