//! Findings as JSON, version 1: fields are added to it, never renamed or taken out.

use serde::Serialize;

use super::list::API_VERSION;
use super::places::Places;
use super::summary::reasons;
use crate::model::settings::Level;
use crate::repo::{Malformed, Place, Repo};
use crate::rules::{CheckReport, Finding, Meta, Skipped};

/// The whole answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FindingList<'a> {
    api_version: &'static str,
    kind: &'static str,
    items: Vec<Item<'a>>,
    /// What comments ignore.
    ignored: Vec<IgnoredItem<'a>>,
    /// What the baseline accepts; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted: Option<Vec<Item<'a>>>,
    skipped: Vec<SkippedItem<'a>>,
    summary: Summary,
}

/// How much was found, and how much was checked.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    errors: usize,
    warnings: usize,
    /// How many findings comments ignore.
    ignored: usize,
    /// How many findings the baseline accepts; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted: Option<usize>,
    /// How many entries of the baseline no finding needs any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    unneeded: Option<usize>,
    /// The rules whose level the repository's settings change.
    levels: Vec<RuleLevel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    applications: Option<Applications>,
    /// How much was skipped, without what failed.
    skipped: usize,
    reasons: Vec<Reason>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Applications {
    total: usize,
    checked: usize,
    failed: usize,
    /// Whether they were rendered; without that, manifests and parameters were checked only.
    rendered: bool,
    /// The names of those that may bring others that are not known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    may_bring_others: Vec<String>,
}

#[derive(Debug, Serialize)]
struct RuleLevel {
    rule: &'static str,
    level: &'static str,
    /// The rule's own level.
    instead: String,
    findings: usize,
}

#[derive(Debug, Serialize)]
struct IgnoredItem<'a> {
    #[serde(flatten)]
    item: Item<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Reason {
    reason: &'static str,
    count: usize,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Item<'a> {
    /// Absent for a file that cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'static str>,
    name: &'a str,
    severity: String,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    application: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<ObjectName<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<FixTitle<'a>>,
}

#[derive(Debug, Serialize)]
struct ObjectName<'a> {
    group: &'a str,
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
    name: &'a str,
}

#[derive(Debug, Serialize)]
struct FixTitle<'a> {
    title: &'a str,
    safe: bool,
}

#[derive(Debug, Serialize)]
struct SkippedItem<'a> {
    kind: &'a str,
    name: &'a str,
    file: String,
    why: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
    /// Whether that is an error: the source is available and does not render.
    failed: bool,
}

/// Returns the report as `{"apiVersion":"homelab.home.arpa/v1","kind":"FindingList",…}`.
///
/// # Errors
/// Never in practice: the values are texts and numbers.
pub fn finding_list(repo: &Repo, report: &CheckReport) -> serde_json::Result<String> {
    let places = Places::new(repo);
    let malformed = report.malformed.iter().map(of_malformed);
    let sorted = places.sorted(&report.findings);
    let findings = sorted
        .iter()
        .map(|(place, finding)| of_finding(place.as_ref(), finding));
    let ignored: Vec<&Finding> = report.ignored.iter().map(|ignored| &ignored.finding).collect();
    let places_of_ignored = places.of(ignored.iter().copied());
    let ignored = report
        .ignored
        .iter()
        .zip(&places_of_ignored)
        .map(|(ignored, place)| IgnoredItem {
            item: of_finding(place.as_ref(), &ignored.finding),
            reason: ignored.reason.as_deref(),
        });
    let list = FindingList {
        api_version: API_VERSION,
        kind: "FindingList",
        items: malformed.chain(findings).collect(),
        ignored: ignored.collect(),
        accepted: report.baseline.as_ref().map(|baseline| {
            let sorted = places.sorted(&baseline.accepted);
            let items = sorted
                .iter()
                .map(|(place, finding)| of_finding(place.as_ref(), finding));
            items.collect()
        }),
        skipped: report.skipped.iter().map(of_skipped).collect(),
        summary: summary(report),
    };
    Ok(serde_json::to_string_pretty(&list)? + "\n")
}

fn summary(report: &CheckReport) -> Summary {
    let applications = report.coverage.as_ref().map(|coverage| {
        let skipped = || report.skipped.iter().filter(|skipped| skipped.kind == "Application");
        Applications {
            total: coverage.checked.len() + skipped().count(),
            checked: coverage.checked.len(),
            failed: skipped().filter(|skipped| skipped.failed).count(),
            rendered: coverage.is_rendered,
            may_bring_others: coverage.unsearched.iter().map(|unknown| unknown.name.clone()).collect(),
        }
    });
    let reasons = reasons(report).into_iter();
    Summary {
        errors: report.errors(),
        warnings: report.warnings(),
        ignored: report.ignored.len(),
        accepted: report.baseline.as_ref().map(|baseline| baseline.accepted.len()),
        unneeded: report.baseline.as_ref().map(|baseline| baseline.unneeded.len()),
        levels: report
            .levels
            .iter()
            .map(|(rule, level)| of_level(report, rule, *level))
            .collect(),
        applications,
        skipped: report.left_out().count(),
        reasons: reasons.map(|((_, reason), count)| Reason { reason, count }).collect(),
    }
}

fn of_level(report: &CheckReport, rule: &'static Meta, level: Level) -> RuleLevel {
    let findings = match level {
        Level::Off => &report.off,
        _ => &report.findings,
    };
    RuleLevel {
        rule: rule.id,
        level: level.name(),
        instead: rule.severity.to_string(),
        findings: findings.iter().filter(|finding| finding.rule.id == rule.id).count(),
    }
}

fn of_malformed(malformed: &Malformed) -> Item<'_> {
    Item {
        name: "malformed",
        severity: "error".to_owned(),
        message: &malformed.message,
        file: Some(malformed.file.to_string()),
        line: malformed.position.map(|position| position.line),
        column: malformed.position.map(|position| position.column),
        ..Item::default()
    }
}

fn of_finding<'a>(place: Option<&Place>, finding: &'a Finding) -> Item<'a> {
    let position = place.map(|place| place.position);
    Item {
        rule: Some(finding.rule.id),
        name: finding.rule.name,
        severity: finding.severity.to_string(),
        message: &finding.message,
        file: finding.location.as_ref().map(|location| location.file.to_string()),
        line: position.map(|position| position.line),
        column: position.map(|position| position.column),
        application: finding.app.as_ref().map(|app| app.as_str()),
        object: finding.object.as_ref().map(|object| ObjectName {
            group: &object.group,
            kind: &object.kind,
            namespace: object.namespace.as_deref(),
            name: &object.name,
        }),
        hint: finding.hint.as_deref(),
        fix: finding.fix.as_ref().map(|fix| FixTitle {
            title: &fix.title,
            safe: fix.safe,
        }),
    }
}

fn of_skipped(skipped: &Skipped) -> SkippedItem<'_> {
    SkippedItem {
        kind: &skipped.kind,
        name: &skipped.name,
        file: skipped.location.file.to_string(),
        why: &skipped.why,
        hint: skipped.hint.as_deref(),
        failed: skipped.failed,
    }
}
