//! Findings as workflow commands, which GitHub shows beside the lines of a pull request, and the runners of Forgejo and Gitea in
//! the log ([source](https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands)).

use super::blocks::{self, SHOWN};
use super::remarks::{Region, Remark, remarks};
use super::summary;
use super::workflow_command::{data, property};
use crate::repo::Repo;
use crate::rules::{CheckReport, Severity, Skipped};

/// Renders a report: a command for each finding, the errors first, since GitHub shows ten of each kind for a step; then what was
/// skipped, and the summary.
pub fn commands(repo: &Repo, report: &CheckReport) -> String {
    let found = remarks(repo, report);
    let findings = found.iter().map(of_remark);
    let skipped = blocks::skipped(report);
    let skipped = skipped
        .iter()
        .filter(|block| block.iter().all(|skipped| !skipped.failed));
    let skipped = skipped.map(|block| command("notice", None, "skipped", &text_of_skipped(block)));
    let summary = summary::text(report).trim_end().replace("\n  ", " ");
    let end = command("notice", None, "kubectl homelab", &summary);
    findings.chain(skipped).chain([end]).collect()
}

fn of_remark(remark: &Remark<'_>) -> String {
    let kind = match remark.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    command(kind, remark.place.as_ref(), &remark.title(), &remark.text())
}

fn text_of_skipped(block: &[&Skipped]) -> String {
    let first = block[0];
    let names = block.iter().take(SHOWN).map(|skipped| format!("`{}`", skipped.name));
    let names: Vec<String> = names.collect();
    let more = match block.len() - names.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let why = match (block.len(), first.reason) {
        (1, _) | (_, None) => first.why.as_str(),
        (_, Some((_, many))) => many,
    };
    let hint = first
        .hint
        .as_ref()
        .map(|hint| format!("\nhelp: {hint}"))
        .unwrap_or_default();
    format!("not checked: {}{more}: {why}{hint}", names.join(", "))
}

/// Returns a command as a line.
fn command(kind: &str, place: Option<&Region>, title: &str, message: &str) -> String {
    let mut properties = Vec::new();
    if let Some(place) = place {
        properties.push(format!("file={}", property(&place.file)));
        if let Some(start) = place.start {
            properties.push(format!("line={},col={}", start.line, start.column));
        }
        if let (Some(start), Some(end)) = (place.start, place.end) {
            properties.push(format!("endLine={}", end.line));
            // GitHub takes columns only within a line, the last one included.
            if end.line == start.line && end.column > start.column {
                properties.push(format!("endColumn={}", end.column - 1));
            }
        }
    }
    properties.push(format!("title={}", property(title)));
    format!("::{kind} {}::{}\n", properties.join(","), data(message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::Position;

    #[test]
    fn what_the_runner_would_read_is_escaped() {
        let place = Region {
            file: "a, b:100%.yaml".to_owned(),
            start: Some(Position { line: 3, column: 5 }),
            end: Some(Position { line: 3, column: 9 }),
        };
        assert_eq!(
            command(
                "error",
                Some(&place),
                "HL101 a: b",
                "50% of\r\nlines: ::set-env name=x::y"
            ),
            "::error file=a%2C b%3A100%25.yaml,line=3,col=5,endLine=3,endColumn=8,title=HL101 a%3A b::50%25 of%0D%0Alines: ::set-env name=x::y\n"
        );
        assert_eq!(command("notice", None, "t", "m"), "::notice title=t::m\n");
        let whole = Region {
            file: "a.yaml".to_owned(),
            start: None,
            end: None,
        };
        assert_eq!(
            command("warning", Some(&whole), "t", "m"),
            "::warning file=a.yaml,title=t::m\n"
        );
    }
}
