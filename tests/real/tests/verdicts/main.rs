//! What `validate` says of an Application, an ApplicationSet and an AppProject is what a real API server with Argo CD's
//! custom resource definitions says, and Argo CD's own packages.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads files, runs programs and fails loudly"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use real_parts::cluster::{Cluster, Flavour};
use real_parts::folder::Folder;
use real_parts::tools::{Tools, of_the_test_run};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What is said of an object.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    /// Nothing is wrong.
    Right,
    /// It has a field that is dropped, or refused by a strict API server.
    Unknown,
    /// Every API server refuses it.
    Refused,
    /// The API server takes it, and Argo CD does not.
    Invalid,
}

/// A change of a sound object, and the verdict.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    is: Verdict,
    #[serde(default = "application")]
    kind: String,
    /// Values by JSON Pointer; maps on the way are made.
    #[serde(default)]
    set: Map<String, Value>,
    #[serde(default)]
    remove: Vec<String>,
}

fn application() -> String {
    "Application".to_owned()
}

#[derive(Deserialize)]
struct Table {
    sound: BTreeMap<String, Value>,
    cases: Vec<Case>,
}

impl Table {
    fn read() -> Self {
        yaml_serde::from_str(include_str!("cases.yaml")).unwrap()
    }

    fn object(&self, number: usize) -> Value {
        let case = &self.cases[number];
        let mut object = self.sound[&case.kind].clone();
        object["metadata"]["name"] = json!(format!("case-{number}"));
        for pointer in &case.remove {
            let (above, key) = pointer.rsplit_once('/').unwrap();
            let above = object.pointer_mut(above).unwrap().as_object_mut().unwrap();
            assert!(above.remove(key).is_some(), "{pointer}");
        }
        for (pointer, value) in &case.set {
            let (above, key) = pointer.rsplit_once('/').unwrap();
            let mut at = &mut object;
            for step in above.split('/').skip(1) {
                at = match step.parse::<usize>() {
                    Ok(index) => &mut at[index],
                    Err(_) => &mut at[step],
                };
            }
            at[key] = value.clone();
        }
        object
    }
}

/// Returns what the program says of each object, by the rules that it names.
fn of_the_program(program: &Path, objects: &[Value]) -> Vec<Verdict> {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("applications");
    fs::create_dir(&folder).unwrap();
    for (number, object) in objects.iter().enumerate() {
        fs::write(folder.join(format!("{number}.json")), object.to_string()).unwrap();
    }
    let mut command = Command::new(program);
    command
        .args(["validate", "--no-render", "--output", "json"])
        .current_dir(home.path());
    let output = command.output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut verdicts = vec![Verdict::Right; objects.len()];
    for finding in report["items"].as_array().unwrap() {
        let verdict = match finding["rule"].as_str().unwrap() {
            "HL310" => Verdict::Unknown,
            "HL311" => Verdict::Refused,
            "HL304" | "HL313" | "HL314" => Verdict::Invalid,
            // Whether an address can be read is no question here.
            "HL408" if finding["message"].as_str().unwrap().contains("no repoURL") => Verdict::Invalid,
            _ => continue,
        };
        let file = finding["file"].as_str().unwrap();
        let number: usize = file["applications/".len()..].trim_end_matches(".json").parse().unwrap();
        let worst = [Verdict::Refused, Verdict::Unknown, Verdict::Invalid];
        let rank = |verdict: &Verdict| worst.iter().position(|other| other == verdict);
        if rank(&verdicts[number]).is_none_or(|there| rank(&verdict) < Some(there)) {
            verdicts[number] = verdict;
        }
    }
    verdicts
}

/// Returns what Argo CD's packages say of Applications.
fn of_argo_cd(tool: &Path, apps: &[Value]) -> Vec<Vec<String>> {
    let mut command = Command::new(tool);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let input: String = apps.iter().map(|app| format!("{app}\n")).collect();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "it cannot read {input}");
    let answers = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Vec<String>>();
    answers.map(Result::unwrap).collect()
}

/// Waits until the API server takes objects of a kind.
fn until_it_is_served(cluster: &Cluster, object: &Value) {
    let start = Instant::now();
    while let Err(error) = create(cluster, object, "--validate=ignore") {
        assert!(start.elapsed() < Duration::from_secs(60), "{error:#}");
        thread::sleep(Duration::from_millis(200));
    }
}

fn create(cluster: &Cluster, object: &Value, validate: &str) -> anyhow::Result<String> {
    let arguments = ["create", "--dry-run=server", "--output=name", validate, "--filename=-"];
    cluster.kubectl(&arguments, Some(&object.to_string()))
}

/// Returns what the API server and Argo CD say of an object.
fn of_the_real(cluster: &Cluster, tool: &Path, object: &Value) -> (Verdict, String) {
    if let Err(error) = create(cluster, object, "--validate=ignore") {
        return (Verdict::Refused, format!("{error:#}"));
    }
    if let Err(error) = create(cluster, object, "--validate=strict") {
        return (Verdict::Unknown, format!("{error:#}"));
    }
    if object["kind"] == "Application" {
        let faults = of_argo_cd(tool, std::slice::from_ref(object)).concat();
        if !faults.is_empty() {
            return (Verdict::Invalid, faults.join("; "));
        }
    }
    (Verdict::Right, String::new())
}

#[test]
fn validate_says_what_the_api_server_and_argo_cd_say() {
    let table = Table::read();
    let tools = Tools::of_the_test_run().unwrap();
    let tool = of_the_test_run("verdicts").unwrap();
    let folder = Folder::new().unwrap();
    let cluster = Cluster::start(&folder, &tools, Flavour::K3s, 1).unwrap();
    for name in ["application", "applicationset", "appproject"] {
        let definition = fs::read_to_string(tool.with_file_name(format!("{name}-crd.yaml"))).unwrap();
        cluster.apply(&definition).unwrap();
    }
    cluster.kubectl(&["create", "namespace", "argocd"], None).unwrap();
    for sound in table.sound.values() {
        until_it_is_served(&cluster, sound);
    }
    let objects: Vec<Value> = (0..table.cases.len()).map(|number| table.object(number)).collect();
    let program = of_the_program(&tools.render.program, &objects);
    let mut different = Vec::new();
    for ((case, object), program) in table.cases.iter().zip(&objects).zip(program) {
        let (real, why) = of_the_real(&cluster, &tool, object);
        if (real, program) != (case.is, case.is) {
            let change = json!({"set": case.set, "remove": case.remove});
            different.push(format!(
                "{change}\n  table {:?}, program {program:?}, real {real:?}: {why}",
                case.is
            ));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}
