//! The last lines of a report: how much was found, and how much was checked.

use std::collections::BTreeMap;

use super::list::brought_by;
use crate::model::settings::Level;
use crate::rules::baseline::Settled;
use crate::rules::{CheckReport, Finding, Meta};

/// Columns of the line of levels.
const WIDTH: usize = 80;

/// Returns the summary with the way to fix what can be fixed.
pub(super) fn with_fixes(report: &CheckReport) -> String {
    counts(report) + &fixable(report) + &levels(report) + &last_line(report)
}

/// Returns the summary: how much was found, and how much was checked.
pub fn text(report: &CheckReport) -> String {
    counts(report) + &levels(report) + &last_line(report)
}

/// Returns the line that counts the findings: `2 errors, 1 warning`.
fn counts(report: &CheckReport) -> String {
    let (errors, warnings) = (report.errors(), report.warnings());
    let of_what = match (report.left_out().count(), &report.coverage) {
        (0, _) => String::new(),
        (skipped, None) => format!(", {skipped} skipped"),
        (_, Some(_)) => " in what was checked".to_owned(),
    };
    format!(
        "{}, {}{of_what}\n",
        plural(errors, "error"),
        plural(warnings, "warning")
    )
}

fn plural(count: usize, word: &str) -> String {
    match count {
        1 => format!("1 {word}"),
        count => format!("{count} {word}s"),
    }
}

/// Returns the line that names the rules whose level the repository's settings change, and what that did; nothing where
/// there are none.
fn levels(report: &CheckReport) -> String {
    let of_rule = |(rule, level): &(&Meta, Level)| {
        let of = |findings: &[Finding]| findings.iter().filter(|finding| finding.rule.id == rule.id).count();
        let count = match level {
            Level::Off => of(&report.off),
            Level::Warning | Level::Error => of(&report.findings),
        };
        format!("{} {} → {} ({count})", rule.id, rule.severity, level.name())
    };
    if report.levels.is_empty() {
        return String::new();
    }
    let rules: Vec<String> = report.levels.iter().map(of_rule).collect();
    let line = format!("levels of `.homelab.yaml`, with their findings: {}", rules.join(", "));
    textwrap::fill(&line, textwrap::Options::new(WIDTH).subsequent_indent("  ")) + "\n"
}

/// Returns the last line: what was checked, what was ignored, and what is accepted; nothing where there is none of it.
fn last_line(report: &CheckReport) -> String {
    let ignored = match report.ignored.len() {
        0 => None,
        count => Some(format!("{} ignored by comments", plural(count, "finding"))),
    };
    let accepted = report.baseline.as_ref().map(|baseline| {
        let count = plural(baseline.accepted.len(), "finding");
        format!("{count} accepted by `.homelab-baseline.yaml`{}", unneeded(baseline))
    });
    let parts = coverage(report).into_iter().chain(ignored).chain(accepted);
    let parts: Vec<String> = parts.collect();
    match parts.is_empty() {
        true => String::new(),
        false => parts.join("; ") + "\n",
    }
}

/// Returns what is said of the entries of a baseline that have no finding; nothing where there are none.
fn unneeded(baseline: &Settled) -> String {
    match baseline.unneeded.len() {
        0 => String::new(),
        1 => ", 1 entry of it is not needed any more (`kubectl homelab baseline --update`)".to_owned(),
        count => format!(", {count} entries of it are not needed any more (`kubectl homelab baseline --update`)"),
    }
}

/// Returns what was checked and what was skipped, and why; nothing for a report that is not about Applications.
fn coverage(report: &CheckReport) -> Option<String> {
    let coverage = report.coverage.as_ref()?;
    let applications = report.skipped.iter().filter(|skipped| skipped.kind == "Application");
    let (checked, total) = (coverage.checked.len(), coverage.checked.len() + applications.count());
    let mut line = match total {
        0 => "checked no Applications".to_owned(),
        total => format!("checked {checked} of {}", plural(total, "Application")),
    };
    if !coverage.is_rendered {
        line += " without rendering (--no-render)";
    }
    let failed = report.skipped.iter().filter(|skipped| skipped.failed).count();
    if failed > 0 {
        line += &format!("; {failed} failed");
    }
    let reasons = reasons(report);
    if !reasons.is_empty() {
        let count: usize = reasons.iter().map(|(_, count)| count).sum();
        let named =
            |((one, many), count): &((&str, &str), usize)| format!("{count} {}", if *count == 1 { one } else { many });
        let named: Vec<String> = reasons.iter().map(named).collect();
        line += &format!("; {count} skipped: {}", named.join(", "));
    }
    let unsearched: Vec<&str> = coverage
        .unsearched
        .iter()
        .map(|unknown| unknown.name.as_str())
        .collect();
    if !unsearched.is_empty() {
        line += &format!(
            "; what {} is not known, see `kubectl homelab list`",
            brought_by("Application", &unsearched)
        );
    }
    if coverage.excluded > 0 {
        line += &format!("; {} excluded by `.homelab.yaml`", plural(coverage.excluded, "file"));
    }
    Some(line)
}

/// The reasons why things were skipped, with how many were, the most frequent first.
pub(super) fn reasons(report: &CheckReport) -> Vec<((&'static str, &'static str), usize)> {
    let mut counts = BTreeMap::new();
    for reason in report.left_out().filter_map(|skipped| skipped.reason) {
        *counts.entry(reason).or_insert(0) += 1;
    }
    let mut reasons: Vec<_> = counts.into_iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    reasons
}

/// Returns the line that says how to fix what can be fixed; nothing where there is nothing.
fn fixable(report: &CheckReport) -> String {
    let fixes = || report.findings.iter().filter_map(|finding| finding.fix.as_ref());
    let safe = fixes().filter(|fix| fix.safe).count();
    let others = fixes().count() - safe;
    match (safe, others) {
        (0, 0) => String::new(),
        (safe, 0) => format!("fix {safe} of them with `kubectl homelab validate --fix`\n"),
        (0, others) => format!("fix {others} of them with `kubectl homelab validate --fix --unsafe-fixes`\n"),
        (safe, others) => {
            format!("fix {safe} of them with `kubectl homelab validate --fix`, {others} more with `--unsafe-fixes`\n")
        }
    }
}
