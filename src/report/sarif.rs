//! Findings as SARIF 2.1.0, for GitHub's code scanning and for editors
//! ([source](https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html)).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::places::Places;
use super::remarks::{MALFORMED, NOT_RENDERED, Region, Remark, of_finding, remarks};
use crate::repo::Repo;
use crate::rules::{CheckReport, Finding, Meta, Severity, Skipped};

/// Where the project is, for rules without a page of their own.
const HOME: &str = env!("CARGO_PKG_REPOSITORY");

/// What stands for rules that are none: their ids, names and texts.
const OTHERS: [(&str, &str, &str); 2] = [
    (MALFORMED, "file-is-read", "a file of manifests can be read"),
    (
        NOT_RENDERED,
        "source-is-rendered",
        "the source of an Application renders",
    ),
];

/// Renders a report as a log with one run. Findings that comments ignore, and those that the baseline accepts, are suppressed in it.
///
/// # Errors
/// Never in practice: the values are texts and numbers.
pub fn log(repo: &Repo, report: &CheckReport) -> serde_json::Result<String> {
    let found = remarks(repo, report);
    let places = Places::new(repo);
    let suppressed: Vec<(&Finding, Value)> = suppressed(report);
    let of_suppressed = places.of(suppressed.iter().map(|(finding, _)| *finding));
    let hidden = suppressed
        .iter()
        .zip(&of_suppressed)
        .map(|((finding, suppression), place)| (of_finding(repo, place.as_ref(), finding), Some(suppression)));
    let hidden: Vec<_> = hidden.collect();
    let all: Vec<(&Remark<'_>, Option<&Value>)> = found
        .iter()
        .map(|remark| (remark, None))
        .chain(hidden.iter().map(|(remark, suppression)| (remark, *suppression)))
        .collect();
    let mut rules: BTreeMap<&str, Value> = BTreeMap::new();
    for (remark, _) in &all {
        rules.entry(remark.id).or_insert_with(|| rule(remark));
    }
    let ids: Vec<&str> = rules.keys().copied().collect();
    let index = |id: &str| ids.iter().position(|other| *other == id).unwrap_or_default();
    let results: Vec<Value> = all
        .iter()
        .map(|(remark, suppression)| result(remark, index(remark.id), *suppression))
        .collect();
    let notifications: Vec<Value> = report.left_out().map(notification).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "kubectl homelab",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": HOME,
                "rules": rules.into_values().collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "invocations": [{"executionSuccessful": true, "toolExecutionNotifications": notifications}],
            "results": results,
        }],
    });
    Ok(serde_json::to_string_pretty(&log)? + "\n")
}

/// Returns the findings that are not reported, each with why.
fn suppressed(report: &CheckReport) -> Vec<(&Finding, Value)> {
    let ignored = report.ignored.iter().map(|ignored| {
        let reason = ignored.reason.as_deref().unwrap_or("a comment ignores it");
        (&ignored.finding, json!({"kind": "inSource", "justification": reason}))
    });
    let accepted = report.baseline.iter().flat_map(|baseline| &baseline.accepted);
    let accepted = accepted.map(|finding| {
        (
            finding,
            json!({"kind": "external", "justification": "`.homelab-baseline.yaml` accepts it"}),
        )
    });
    ignored.chain(accepted).collect()
}

fn rule(remark: &Remark<'_>) -> Value {
    match remark.rule {
        Some(meta) => json!({
            "id": meta.id,
            "name": meta.name,
            "shortDescription": {"text": sentence(meta.summary)},
            "fullDescription": {"text": sentence(meta.summary)},
            "help": {"text": meta.why},
            "helpUri": help_uri(meta),
            "defaultConfiguration": {"level": level(meta.severity)},
        }),
        None => {
            let (_, name, summary) = OTHERS.iter().find(|(id, ..)| *id == remark.id).unwrap_or(&OTHERS[0]);
            json!({
                "id": remark.id,
                "name": name,
                "shortDescription": {"text": sentence(summary)},
                "fullDescription": {"text": sentence(summary)},
                "help": {"text": sentence(summary)},
                "helpUri": format!("{HOME}#readme"),
                "defaultConfiguration": {"level": "error"},
            })
        }
    }
}

/// Returns a summary with a capital letter at its start and a full stop at its end.
fn sentence(summary: &str) -> String {
    let mut letters = summary.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", letters.as_str())
}

/// Returns the page that explains a rule: the last one that its explanation names.
fn help_uri(meta: &Meta) -> String {
    let mut links = meta.why.lines().filter(|line| line.starts_with("https://"));
    links
        .next_back()
        .map_or_else(|| format!("{HOME}#the-storage-rules"), str::to_owned)
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn result(remark: &Remark<'_>, rule: usize, suppression: Option<&Value>) -> Value {
    let mut result = json!({
        "ruleId": remark.id,
        "ruleIndex": rule,
        "level": level(remark.severity),
        "message": {"text": remark.text()},
        "locations": remark.place.iter().map(|place| location(place, remark)).collect::<Vec<_>>(),
    });
    if let Some(suppression) = suppression {
        result["suppressions"] = json!([suppression]);
    }
    result
}

fn location(place: &Region, remark: &Remark<'_>) -> Value {
    let mut physical = json!({"artifactLocation": {"uri": uri(&place.file), "uriBaseId": "%SRCROOT%"}});
    // GitHub shows nothing without a line.
    let mut region = Map::from_iter([("startLine".to_owned(), json!(1))]);
    if let Some(start) = place.start {
        region.insert("startLine".to_owned(), json!(start.line));
        region.insert("startColumn".to_owned(), json!(start.column));
    }
    if let Some(end) = place.end {
        region.insert("endLine".to_owned(), json!(end.line));
        region.insert("endColumn".to_owned(), json!(end.column));
    }
    physical["region"] = Value::Object(region);
    let names = [
        remark.app.map(|app| (app.to_string(), "namespace")),
        remark.object.map(|object| (object.to_string(), "object")),
    ];
    let logical: Vec<Value> = names
        .into_iter()
        .flatten()
        .map(|(name, kind)| json!({"fullyQualifiedName": name, "kind": kind}))
        .collect();
    let mut location = json!({"physicalLocation": physical});
    if !logical.is_empty() {
        location["logicalLocations"] = Value::Array(logical);
    }
    location
}

/// Returns a path as a relative URI.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(char::from(byte)),
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

fn notification(skipped: &Skipped) -> Value {
    let file = skipped.location.file.to_string();
    json!({
        "level": "note",
        "message": {"text": format!("{} `{}` was skipped: {}", skipped.kind, skipped.name, skipped.why)},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri(&file), "uriBaseId": "%SRCROOT%"}}}],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_uris() {
        assert_eq!(uri("apps/my app/ü.yaml"), "apps/my%20app/%C3%BC.yaml");
    }

    #[test]
    fn every_rule_has_a_page() {
        for meta in crate::rules::metas() {
            assert!(help_uri(meta).starts_with("https://"), "{}", meta.id);
        }
    }
}
