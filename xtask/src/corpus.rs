//! `cargo xtask corpus`: rendered third-party charts, in which every object gets an annotation by `patches` and every
//! workload a mount by `mounts`; the result is compared with what kubectl reads.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use homelab::law::StorageRules;
use homelab::model::parameter::{Parameters, PatchTarget};
use homelab::model::{AppName, ClaimPath, NamespaceName};
use homelab::render::storage_pass;
use homelab::report::table::table;
use serde_json::{Value, json};
use similar::{ChangeTag, TextDiff};

use crate::{oracle, tools};

const APP: &str = "corpus";
const CLAIM: &str = "corpus-claim";
const PATH: &str = "/corpus-mount";
const ANNOTATION: &str = "corpus.example.org/seen";

/// The outcome for the objects of one stream.
#[derive(Default)]
struct Outcome {
    objects: usize,
    workloads: usize,
    added: usize,
    changed: usize,
    reprinted: usize,
    wrong: Vec<String>,
}

/// Checks every stream of a folder; fails if one object is not as expected.
pub(crate) fn check(folder: &Path) -> Result<ExitCode> {
    let kubectl = tools::get("kubectl")?;
    let mut files: Vec<_> = fs::read_dir(folder)
        .with_context(|| format!("cannot read {}", folder.display()))?
        .collect::<Result<_, _>>()?;
    files.sort_by_key(fs::DirEntry::file_name);
    let (mut rows, mut total) = (Vec::new(), Outcome::default());
    for file in files
        .iter()
        .filter(|file| file.path().extension().is_some_and(|ending| ending == "yaml"))
    {
        let name = file.file_name().to_string_lossy().into_owned();
        let stream = fs::read_to_string(file.path())?;
        let outcome = check_stream(&kubectl, &stream).with_context(|| name.clone())?;
        rows.push(row(&name, &outcome));
        total.objects += outcome.objects;
        total.workloads += outcome.workloads;
        total.added += outcome.added;
        total.changed += outcome.changed;
        total.reprinted += outcome.reprinted;
        total
            .wrong
            .extend(outcome.wrong.into_iter().map(|what| format!("{name}: {what}")));
    }
    let streams = rows.len();
    rows.push(row("total", &total));
    print!(
        "{}",
        table(
            &[
                "stream",
                "objects",
                "workloads",
                "added lines",
                "changed lines",
                "reprinted",
                "wrong"
            ],
            rows
        )
    );
    total.wrong.iter().for_each(|what| eprintln!("wrong: {what}"));
    let right = total.objects - total.wrong.len().min(total.objects);
    println!(
        "{right} of {} objects in {streams} streams are as expected",
        total.objects
    );
    Ok(if total.wrong.is_empty() && streams > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn row(name: &str, outcome: &Outcome) -> Vec<String> {
    let numbers = [
        outcome.objects,
        outcome.workloads,
        outcome.added,
        outcome.changed,
        outcome.reprinted,
        outcome.wrong.len(),
    ];
    std::iter::once(name.to_owned())
        .chain(numbers.map(|number| number.to_string()))
        .collect()
}

fn check_stream(kubectl: &Path, stream: &str) -> Result<Outcome> {
    let before = oracle::objects(kubectl, stream)?;
    let mut outcome = Outcome {
        objects: before.len(),
        ..Outcome::default()
    };
    let namespaces: BTreeSet<String> = before.iter().map(namespace).collect();
    let (mut text, mut expected) = (stream.to_owned(), before.clone());
    for (index, namespace) in namespaces.iter().enumerate() {
        let rules = storage_rules(namespace, &before, index == 0)?;
        outcome.workloads += rules.mounts.len();
        let output = storage_pass::apply(text, &rules, false)?;
        outcome.reprinted += output.reprinted.len();
        text = output.text();
    }
    for object in &mut expected {
        oracle::annotate(object, ANNOTATION, "yes");
        oracle::guard(object, APP);
        if let Some(spec) = oracle::pod_spec(object) {
            oracle::mount(object, &spec, CLAIM, PATH);
        }
    }
    let after = oracle::objects(kubectl, &text)?;
    if after.len() != expected.len() {
        outcome.wrong.push(format!(
            "{} objects were read, {} were written",
            expected.len(),
            after.len()
        ));
    }
    let pairs = after
        .iter()
        .zip(&expected)
        .filter(|(after, expected)| after != expected);
    outcome
        .wrong
        .extend(pairs.map(|(after, _)| format!("{} {}", after["kind"], after["metadata"]["name"])));
    (outcome.added, outcome.changed) = lines(stream, &text);
    Ok(outcome)
}

fn namespace(object: &Value) -> String {
    object["metadata"]["namespace"].as_str().unwrap_or("default").to_owned()
}

/// Returns storage rules that annotate every object (once) and mount a claim into every workload of one namespace. All
/// other claims may be written, so that nothing else happens to workloads.
fn storage_rules(destination: &str, objects: &[Value], with_patches: bool) -> Result<StorageRules> {
    let mut parameters = Parameters::default();
    let mut patches: BTreeMap<String, Value> = BTreeMap::new();
    for object in objects {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (kind, name) = (text(&object["kind"]), text(&object["metadata"]["name"]));
        let group = object["apiVersion"]
            .as_str()
            .and_then(|version| Some(format!("{}/", version.split_once('/')?.0)));
        let has_annotations = object["metadata"]["annotations"].is_object();
        let patch = if has_annotations {
            json!([{"op": "add", "path": format!("/metadata/annotations/{}", ANNOTATION.replace('/', "~1")), "value": "yes"}])
        } else {
            json!([{"op": "add", "path": "/metadata/annotations", "value": {ANNOTATION: "yes"}}])
        };
        patches.insert(
            format!("{}{kind}/{}/{name}", group.unwrap_or_default(), namespace(object)),
            patch,
        );
        if namespace(object) == destination && oracle::pod_spec(object).is_some() {
            parameters
                .mounts
                .push(format!("{CLAIM}:{PATH},workload={kind}/{name}").parse()?);
        }
        let volumes =
            oracle::pod_spec(object).and_then(|spec| object.pointer(&spec)?.get("volumes")?.as_array().cloned());
        let claims = volumes
            .into_iter()
            .flatten()
            .filter_map(|volume| volume["persistentVolumeClaim"]["claimName"].as_str().map(str::to_owned));
        parameters
            .writes
            .extend(claims.map(|name| name.parse()).collect::<Result<Vec<ClaimPath>>>()?);
    }
    if with_patches {
        let read = patches
            .into_iter()
            .map(|(key, patch)| Ok((PatchTarget::parse(&key).map_err(|error| anyhow!(error))?, patch)));
        parameters.patches = read.collect::<Result<_>>()?;
    }
    StorageRules::new(AppName::new(APP)?, NamespaceName::new(destination)?, &parameters, None)
}

/// Returns the number of lines that were added, and of lines that were replaced.
fn lines(before: &str, after: &str) -> (usize, usize) {
    let diff = TextDiff::from_lines(before, after);
    let count = |tag| diff.iter_all_changes().filter(|change| change.tag() == tag).count();
    let (gone, come) = (count(ChangeTag::Delete), count(ChangeTag::Insert));
    (come.saturating_sub(gone), gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_line_is_not_an_added_one() {
        assert_eq!(lines("a\nb\nc\n", "a\nB\nx\nc\n"), (1, 1));
        assert_eq!(lines("a\n", "a\nb\n"), (1, 0));
    }
}
