//! `cargo xtask ecosystem`: what the program's own commands make of repositories that other people keep. Nothing of them is
//! written but counts, rules and reasons.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use homelab::process::{Command, Environment, RunError};
use homelab::report::table::table;
use homelab::time::Deadline;
use serde_json::{Map, Value, json};

use crate::{cargo, dist, tools};

/// The exit code of a bug in the program.
const BUG: i32 = 70;
/// The file in cargo's target folder that the report is written to by default.
const REPORT: &str = "ecosystem.json";

/// What to report on.
#[derive(clap::Args)]
pub(crate) struct Request {
    /// Folder of repositories: one a folder, each a git working tree with its public remote
    dir: PathBuf,
    /// Report of an earlier run: show what is not the same
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// File for the report; `ecosystem.json` in cargo's target folder by default
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Program to run; by default the one of this checkout is built with optimisation
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Time limit for each command
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    deadline: u64,
}

/// Runs the commands on every repository; fails if one crashes, or does not end in time.
pub(crate) fn report(request: &Request) -> Result<ExitCode> {
    let runner = Runner {
        program: match &request.program {
            Some(program) => std::path::absolute(program)?,
            None => dist::released()?,
        },
        helm: tools::get("helm")?,
        limit: Duration::from_secs(request.deadline),
    };
    let mut reports = Map::new();
    for (name, folder) in repositories(&request.dir)? {
        eprintln!("{name}");
        let of = |error: anyhow::Error| error.context(name.clone());
        reports.insert(name.clone(), runner.report(&folder).map_err(of)?);
    }
    if reports.is_empty() {
        bail!("`{}` has no git working trees", request.dir.display());
    }
    print!("{}", overview(&reports));
    reports
        .iter()
        .for_each(|(name, report)| print!("{}", details(name, report)));
    let crashed = reports
        .values()
        .any(|report| counts(&report["crashes"]).next().is_some());
    let reports = Value::Object(reports);
    if let Some(old) = &request.against {
        let text = fs::read(old).with_context(|| format!("cannot read {}", old.display()))?;
        print!("{}", changes(&serde_json::from_slice(&text)?, &reports));
    }
    let file = request
        .report
        .clone()
        .map_or_else(|| Ok(cargo::target_folder()?.join(REPORT)), Ok::<_, anyhow::Error>)?;
    fs::write(&file, serde_json::to_string_pretty(&reports)? + "\n")?;
    println!("written to {}", file.display());
    Ok(if crashed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Returns the working trees in a folder, in the order of their names.
fn repositories(dir: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let entries = fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))?;
    let mut found = BTreeMap::new();
    for entry in entries {
        let entry = entry?;
        if entry.path().join(".git").exists() {
            found.insert(entry.file_name().to_string_lossy().into_owned(), entry.path());
        }
    }
    Ok(found)
}

/// What runs the commands.
struct Runner {
    program: PathBuf,
    helm: PathBuf,
    limit: Duration,
}

/// How a command ended.
struct Ended {
    stdout: String,
    stderr: String,
    /// Why that is a crash, if it is one.
    crash: Option<String>,
}

impl Runner {
    fn report(&self, folder: &Path) -> Result<Value> {
        let list = self.run(folder, &["list", "-o", "json"])?;
        let validate = self.run(folder, &["validate", "-o", "json"])?;
        let convert = self.run(folder, &["convert", "--all", "--dry-run=client", "-o", "diff"])?;
        Ok(of_outputs(&list, &validate, &convert))
    }

    fn run(&self, folder: &Path, arguments: &[&str]) -> Result<Ended> {
        let mut words: Vec<OsString> = arguments.iter().map(Into::into).collect();
        words.extend(["--helm".into(), self.helm.clone().into()]);
        let environment = Environment::inherited().with([("NO_COLOR", "1")]);
        let command = Command::new(self.program.clone(), words, environment).in_folder(folder);
        let output = match command.run(Deadline::after(self.limit), None) {
            Ok(output) => output,
            Err(RunError::TimedOut) => {
                return Ok(Ended {
                    stdout: String::new(),
                    stderr: String::new(),
                    crash: Some("did not end in time".to_owned()),
                });
            }
            Err(error) => return Err(error.into()),
        };
        let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let crash = match output.status.code() {
            Some(BUG) => Some(format!("exit code {BUG}")),
            Some(_) => stderr.contains("panicked at").then(|| "panicked".to_owned()),
            None => Some("ended by a signal".to_owned()),
        };
        Ok(Ended { stdout, stderr, crash })
    }
}

/// Returns the counts of one repository.
fn of_outputs(list: &Ended, validate: &Ended, convert: &Ended) -> Value {
    let tree = |ended: &Ended| serde_json::from_str::<Value>(&ended.stdout).unwrap_or_default();
    let (listed, checked) = (tree(list), tree(validate));
    let summary = &checked["summary"];
    let applications = &summary["applications"];
    let (total, rendered, failed) = (
        &applications["total"],
        &applications["checked"],
        &applications["failed"],
    );
    let texts = |items: &Value, text: &dyn Fn(&Value) -> String| -> Value {
        let mut counted = BTreeMap::<String, u64>::new();
        for item in items.as_array().into_iter().flatten() {
            *counted.entry(text(item)).or_default() += 1;
        }
        json!(counted)
    };
    let reasons = summary["reasons"].as_array().into_iter().flatten();
    let skipped: BTreeMap<&str, &Value> = reasons
        .filter_map(|reason| Some((reason["reason"].as_str()?, &reason["count"])))
        .collect();
    let commands = [("list", list), ("validate", validate), ("convert", convert)];
    let crashes: BTreeMap<&str, &String> = commands
        .iter()
        .filter_map(|(name, ended)| Some((*name, ended.crash.as_ref()?)))
        .collect();
    // What is said instead of an answer; it names no file and no Application.
    let refused: BTreeMap<&str, &str> = commands
        .iter()
        .filter(|(_, ended)| ended.stdout.is_empty() && ended.crash.is_none())
        .map(|(name, ended)| (*name, kind_of_refusal(&ended.stderr)))
        .collect();
    json!({
        "listed": listed["items"].as_array().map_or(0, Vec::len),
        "origins": texts(&listed["items"], &origin),
        "applications": total.as_u64().unwrap_or_default(),
        "rendered": rendered.as_u64().unwrap_or_default(),
        "failed": failed.as_u64().unwrap_or_default(),
        "skipped": skipped,
        "convertible": converted(&convert.stdout),
        "findings": texts(&checked["items"], &rule),
        "crashes": crashes,
        "refused": refused,
    })
}

/// Returns where an Application comes from, without names.
fn origin(item: &Value) -> String {
    let origin = &item["origin"];
    let kind = origin
        .as_str()
        .or_else(|| origin["kind"].as_str())
        .unwrap_or("manifest");
    kind.split([' ', '/', ':']).next().unwrap_or(kind).to_owned()
}

/// Returns the rule of a finding, and its severity.
fn rule(item: &Value) -> String {
    let id = item["rule"].as_str().or_else(|| item["name"].as_str());
    let severity = item["severity"].as_str().unwrap_or_default();
    format!("{} {severity}", id.unwrap_or_default())
}

/// Returns how many sources a diff gives to the plugin.
fn converted(diff: &str) -> usize {
    let is_plugin = |line: &&str| {
        line.strip_prefix('+')
            .is_some_and(|line| line.trim_start_matches(['-', ' ']) == "plugin:")
    };
    diff.lines().filter(is_plugin).count()
}

/// Returns what kind of answer there was on standard error alone.
fn kind_of_refusal(stderr: &str) -> &'static str {
    let last = stderr
        .lines()
        .rfind(|line| !line.starts_with("hint: "))
        .unwrap_or_default();
    match last {
        "" => "nothing was said",
        line if line.starts_with("no files were changed") => "no files were changed",
        line if line.starts_with("nothing") => "nothing to do",
        _ if stderr.contains("error: ") => "an error",
        _ => "remarks only",
    }
}

fn overview(reports: &Map<String, Value>) -> String {
    let columns = [
        "listed",
        "applications",
        "rendered",
        "failed",
        "skipped",
        "convertible",
        "findings",
        "crashes",
    ];
    let mut header = vec!["repository"];
    header.extend(columns);
    let sum = |value: &Value| match value {
        Value::Object(counts) => counts.values().map(|count| count.as_u64().unwrap_or(1)).sum(),
        other => other.as_u64().unwrap_or_default(),
    };
    let numbers = |report: &Value| columns.map(|column| sum(&report[column]));
    let mut totals = [0; 8];
    let mut rows = Vec::new();
    for (name, report) in reports {
        let numbers = numbers(report);
        totals
            .iter_mut()
            .zip(numbers)
            .for_each(|(total, number)| *total += number);
        rows.push((name.clone(), numbers));
    }
    rows.push(("total".to_owned(), totals));
    let cells = rows.into_iter().map(|(name, numbers)| {
        let numbers = numbers.iter().map(ToString::to_string);
        std::iter::once(name).chain(numbers).collect()
    });
    table(&header, cells)
}

/// Returns the counts of one repository that a column cannot show.
fn details(name: &str, report: &Value) -> String {
    let mut text = format!("\n{name}\n");
    for key in ["origins", "skipped", "findings", "crashes", "refused"] {
        let parts: Vec<String> = counts(&report[key])
            .map(|(what, count)| format!("{what}: {count}"))
            .collect();
        if !parts.is_empty() {
            text += &format!("  {key}  {}\n", parts.join(", "));
        }
    }
    text
}

/// Returns the entries of a map, texts without quotes.
fn counts(map: &Value) -> impl Iterator<Item = (&String, String)> {
    let entries = map.as_object().into_iter().flatten();
    entries.map(|(what, count)| (what, count.as_str().map_or_else(|| count.to_string(), str::to_owned)))
}

/// Returns a line for each count that is not the same in two reports.
fn changes(old: &Value, new: &Value) -> String {
    let (old, new) = (leaves("", old), leaves("", new));
    let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let nothing = "–".to_owned();
    let changed = names.into_iter().filter(|name| old.get(*name) != new.get(*name));
    let lines = changed.map(|name| {
        let of = |side: &BTreeMap<String, String>| side.get(name).unwrap_or(&nothing).clone();
        format!("{name}: {} → {}\n", of(&old), of(&new))
    });
    match lines.collect::<String>() {
        lines if lines.is_empty() => "\nnothing has changed\n".to_owned(),
        lines => format!("\nchanged:\n{lines}"),
    }
}

/// Returns all values of a tree that have nothing below them, by their places.
fn leaves(place: &str, tree: &Value) -> BTreeMap<String, String> {
    match tree {
        Value::Object(fields) => {
            let below = fields.iter().map(|(key, value)| {
                let place = if place.is_empty() {
                    key.clone()
                } else {
                    format!("{place} {key}")
                };
                leaves(&place, value)
            });
            below.flatten().collect()
        }
        leaf => BTreeMap::from([(place.to_owned(), leaf.to_string())]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(stdout: &str, stderr: &str, crash: Option<&str>) -> Ended {
        Ended {
            stdout: stdout.to_owned(),
            stderr: stderr.to_owned(),
            crash: crash.map(str::to_owned),
        }
    }

    fn sample() -> Value {
        let list = json!({"items": [
            {"name": "a"}, {"name": "b", "origin": "set infra"}, {"name": "c", "origin": {"kind": "rendered", "by": "x"}}
        ]});
        let validate = json!({
            "items": [
                {"rule": "HL101", "severity": "error"}, {"rule": "HL101", "severity": "error"},
                {"name": "malformed", "severity": "error"}
            ],
            "summary": {
                "applications": {"total": 3, "checked": 1, "failed": 1},
                "reasons": [{"reason": "rendered by Kustomize", "count": 1}]
            }
        });
        let diff = "--- a/a.yaml\n+++ b/a.yaml\n-    helm:\n+    plugin:\n+      name: x\n+  - plugin:\n     plugin:\n";
        of_outputs(
            &ended(&list.to_string(), "", None),
            &ended(&validate.to_string(), "", None),
            &ended(diff, "", Some("exit code 70")),
        )
    }

    #[test]
    fn everything_is_counted_and_nothing_is_named() {
        assert_eq!(
            sample(),
            json!({
                "listed": 3,
                "origins": {"manifest": 1, "rendered": 1, "set": 1},
                "applications": 3, "rendered": 1, "failed": 1,
                "skipped": {"rendered by Kustomize": 1},
                "convertible": 2,
                "findings": {"HL101 error": 2, "malformed error": 1},
                "crashes": {"convert": "exit code 70"},
                "refused": {},
            })
        );
    }

    #[test]
    fn what_has_no_answer_is_said() {
        let nothing = ended("", "cannot read `x.yaml`\nno files were changed\nhint: y\n", None);
        let error = ended("", "error: cannot read `x.yaml`\nhint: y\n", None);
        let report = of_outputs(&error, &ended("", "", Some("did not end in time")), &nothing);
        assert_eq!(
            report["refused"],
            json!({"convert": "no files were changed", "list": "an error"})
        );
        assert_eq!(report["crashes"], json!({"validate": "did not end in time"}));
    }

    #[test]
    fn what_a_change_of_the_program_changed_is_shown() {
        let (old, mut new) = (json!({"a": sample()}), json!({"a": sample()}));
        assert_eq!(changes(&old, &new), "\nnothing has changed\n");
        new["a"]["rendered"] = json!(2);
        new["a"]["skipped"] = json!({});
        new["b"] = json!({"listed": 1});
        assert_eq!(
            changes(&old, &new),
            "\nchanged:\na rendered: 1 → 2\na skipped rendered by Kustomize: 1 → –\nb listed: – → 1\n"
        );
    }

    #[test]
    fn the_overview_sums_up() {
        let reports = Map::from_iter([("a".to_owned(), sample()), ("b".to_owned(), sample())]);
        let text = overview(&reports);
        let last: Vec<&str> = text.lines().last().unwrap().split_whitespace().collect();
        assert_eq!(last, ["total", "6", "6", "2", "2", "2", "4", "6", "2"]);
        assert!(details("a", &reports["a"]).contains("  findings  HL101 error: 2, malformed error: 1\n"));
    }
}
