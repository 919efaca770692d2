//! Renders findings for users: message, source excerpt, object, next step, and a summary line.
//!
//! The text is styled; the terminal takes the styles out where no colour is wanted.

use std::collections::BTreeMap;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};

use super::mask;
use super::places::Places;
use super::table::table;
use crate::repo::{Manifest, Place, Repo};
use crate::rules::{CheckReport, Finding, Severity, Skipped};

/// Renders the findings of a repository as it would be, with their excerpts, one after the other. Nothing can be fixed in
/// it yet: the fix is the next step.
pub fn text(repo: &Repo, findings: &[Finding]) -> String {
    let places = Places::new(repo);
    let sorted = places.sorted(findings);
    let texts = sorted
        .iter()
        .map(|(place, finding)| of_finding(&places, place.as_ref(), finding, ("", "")));
    texts.collect::<Vec<String>>().join("\n")
}

/// Renders a whole report: malformed files, findings, what was skipped, and the summary.
pub fn report(repo: &Repo, report: &CheckReport) -> String {
    let places = Places::new(repo);
    let mut texts: Vec<String> = Vec::new();
    for malformed in &report.malformed {
        let title = Level::ERROR.primary_title(format!("malformed: {malformed}"));
        texts.push(rendered(&[Group::with_title(title)]));
    }
    let sorted = places.sorted(&report.findings);
    texts.extend(
        sorted
            .iter()
            .map(|(place, finding)| of_finding(&places, place.as_ref(), finding, FIX)),
    );
    texts.extend(report.skipped.iter().map(of_skipped));
    texts.push(format!("{}{}{}", counts(report), fixable(report), coverage(report)));
    texts.join("\n")
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

/// How a fix is introduced: a safe one, and one that needs review.
const FIX: (&str, &str) = ("fix: ", "fix (needs review): ");

/// Returns the summary: how much was found, and how much was checked.
pub fn summary(report: &CheckReport) -> String {
    counts(report) + &coverage(report)
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

/// Returns the line that counts what was checked and what was skipped, and why; nothing for a report that is not about
/// Applications.
fn coverage(report: &CheckReport) -> String {
    let Some(coverage) = &report.coverage else {
        return String::new();
    };
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
    line + "\n"
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

/// Renders the findings as a table without excerpts.
pub fn findings_table(repo: &Repo, report: &CheckReport) -> String {
    let places = Places::new(repo);
    let mut rows: Vec<Vec<String>> = Vec::new();
    for malformed in &report.malformed {
        let place = match malformed.position {
            Some(position) => format!("{}:{}:{}", malformed.file, position.line, position.column),
            None => malformed.file.to_string(),
        };
        rows.push(vec![
            "error".to_owned(),
            String::new(),
            place,
            String::new(),
            malformed.message.clone(),
        ]);
    }
    for (place, finding) in places.sorted(&report.findings) {
        let place = place.map(|place| format!("{}:{}:{}", place.file, place.position.line, place.position.column));
        rows.push(vec![
            finding.rule.severity.to_string(),
            finding.rule.id.to_owned(),
            place.unwrap_or_default(),
            finding.app.as_ref().map(ToString::to_string).unwrap_or_default(),
            finding.message.clone(),
        ]);
    }
    for skipped in &report.skipped {
        let severity = if skipped.failed { "error" } else { "skipped" };
        rows.push(vec![
            severity.to_owned(),
            String::new(),
            skipped.location.file.to_string(),
            skipped.name.clone(),
            skipped.why.replace('\n', " "),
        ]);
    }
    if rows.is_empty() {
        return String::new();
    }
    table(&["severity", "rule", "place", "application", "message"], rows)
}

fn of_finding(places: &Places<'_>, place: Option<&Place>, finding: &Finding, fix_words: (&str, &str)) -> String {
    let level = match finding.rule.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(finding.message.clone()).id(finding.rule.id);
    let manifest = finding.location.as_ref().and_then(|location| places.manifest(location));
    let mut group = Group::with_title(title);
    if let (Some(place), Some(manifest)) = (place, manifest) {
        group = group.element(excerpt(places, manifest, place));
    }
    if let Some(object) = finding
        .object
        .as_ref()
        .filter(|object| !manifest.is_some_and(|manifest| places.contains(manifest, object)))
    {
        let by = finding
            .app
            .as_ref()
            .map(|app| format!(" as Application `{app}` renders it"));
        group = group.element(Level::NOTE.message(format!("in `{object}`{}", by.unwrap_or_default())));
    }
    if let Some(hint) = &finding.hint {
        group = group.element(Level::HELP.message(hint.clone()));
    }
    if let Some(fix) = &finding.fix {
        let words = if fix.safe { fix_words.0 } else { fix_words.1 };
        group = group.element(Level::HELP.message(format!("{words}{}", fix.title)));
    }
    rendered(&[group])
}

/// The bytes of a line that is shown whole; of a longer one, those around the place are.
const LINE: usize = 400;

/// Renders one line of source with the place underlined, values that may be secret masked.
fn excerpt<'a, 'r>(places: &Places<'r>, manifest: &'r Manifest, place: &Place) -> Snippet<'a, Annotation<'a>> {
    let text = &places.repo().files[&place.file].text;
    let (before, behind) = (&text[..place.range.start], &text[place.range.start..]);
    let mut start = before.rfind('\n').map_or(0, |at| at + 1);
    let mut end = behind.find('\n').map_or(text.len(), |at| place.range.start + at);
    if end - start > LINE {
        let boundary = |mut at: usize| {
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        start = boundary(place.range.start.saturating_sub(LINE / 4)).max(start);
        end = boundary(text.len().min(start + LINE)).min(end);
    }
    let line = mask::masked(text, start..end, &places.secret_ranges(manifest));
    let from = (place.range.start - start).min(line.len());
    let to = (place.range.end.clamp(place.range.start, end) - start).clamp(from, line.trim_end().len().max(from));
    Snippet::source(line)
        .path(place.file.to_string())
        .line_start(place.position.line)
        .annotation(AnnotationKind::Primary.span(from..to))
}

fn of_skipped(skipped: &Skipped) -> String {
    let (level, verb) = match (skipped.failed, skipped.reason) {
        (true, None) => (Level::ERROR, "does not render"),
        (true, Some(_)) => (Level::ERROR, "cannot be checked"),
        (false, _) => (Level::INFO, "was skipped"),
    };
    let title = level.primary_title(format!("{} `{}` {verb}: {}", skipped.kind, skipped.name, skipped.why));
    let mut group = Group::with_title(title);
    if let Some(hint) = &skipped.hint {
        group = group.element(Level::HELP.message(hint.clone()));
    }
    rendered(&[group])
}

fn rendered(groups: &[Group<'_>]) -> String {
    let text = Renderer::styled().render(groups);
    // The renderer pads lines; nobody wants blanks at their ends.
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[cfg(test)]
mod tests;
