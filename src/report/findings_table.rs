//! Findings as tables: one of 80 columns for reading, a wide one that has a line for each.

use textwrap::{Options, WordSplitter};

use super::blocks::{self, ALL, Block, SHOWN};
use super::places::Places;
use super::table::table;
use crate::repo::{Malformed, Repo};
use crate::rules::{CheckReport, Finding, Skipped};

/// Columns of the last cell: 80 less the two before it.
const WIDTH: usize = 80 - 19;

/// Renders a report as a table of 80 columns; what many Applications have in common is one row.
pub fn narrow(repo: &Repo, report: &CheckReport) -> String {
    let places = Places::new(repo);
    let malformed = report.malformed.iter().map(|malformed| {
        let cell = format!("{}\n{}", place_of(malformed), malformed.message);
        ["error".to_owned(), String::new(), cell]
    });
    let blocks = blocks::blocks(places.sorted(&report.findings));
    let findings = blocks.iter().map(of_block);
    let skipped = blocks::skipped(report);
    let skipped = skipped.iter().map(|skipped| of_skipped(skipped));
    let rows: Vec<[String; 3]> = malformed.chain(findings).chain(skipped).collect();
    if rows.is_empty() {
        return String::new();
    }
    let rows = rows
        .into_iter()
        .map(|[severity, rule, cell]| vec![severity, rule, filled(&cell)]);
    table(&["severity", "rule", "place and message"], rows)
}

fn of_block(block: &Block<'_>) -> [String; 3] {
    let (_, first) = &block.findings[0];
    let cell = match block.only() {
        Some((place, finding)) => {
            let place = place.as_ref().map(ToString::to_string).unwrap_or_default();
            let app = finding.app.as_ref().map(|app| format!("({app})"));
            let head: Vec<String> = [place]
                .into_iter()
                .filter(|place| !place.is_empty())
                .chain(app)
                .collect();
            format!("{}\n{}", head.join(" "), finding.message)
        }
        None => {
            let mut places = block.places();
            let more = match places.len().saturating_sub(SHOWN) {
                0 => String::new(),
                more => format!("\nand {more} more; {ALL}"),
            };
            places.truncate(SHOWN);
            format!("{}{more}\n{}", places.join("\n"), block.message())
        }
    };
    [first.severity.to_string(), first.rule.id.to_owned(), cell]
}

fn of_skipped(skipped: &[&Skipped]) -> [String; 3] {
    let severity = if skipped.iter().any(|skipped| skipped.failed) {
        "error"
    } else {
        "skipped"
    };
    let cell = match skipped {
        [one] => format!("{} ({})\n{}", one.location.file, one.name, one.why.replace('\n', " ")),
        many => {
            let names: Vec<&str> = many.iter().take(SHOWN).map(|skipped| skipped.name.as_str()).collect();
            let reason = many[0].reason.map_or("", |(_, reason)| reason);
            let (count, more) = (many.len(), many.len() - names.len());
            format!("{} and {more} more; {ALL}\n{count} {reason}", names.join(", "))
        }
    };
    [severity.to_owned(), String::new(), cell]
}

fn filled(text: &str) -> String {
    textwrap::fill(
        text.trim_start_matches('\n'),
        Options::new(WIDTH).word_splitter(WordSplitter::NoHyphenation),
    )
}

/// Renders a report as a table with a line for each finding.
pub fn wide(repo: &Repo, report: &CheckReport) -> String {
    let places = Places::new(repo);
    let row = |severity: &str, rule: &str, place: String, app: &str, message: &str| {
        vec![
            severity.to_owned(),
            rule.to_owned(),
            place,
            app.to_owned(),
            message.replace('\n', " "),
        ]
    };
    let malformed = report.malformed.iter();
    let malformed = malformed.map(|malformed| row("error", "", place_of(malformed), "", &malformed.message));
    let sorted = places.sorted(&report.findings);
    let findings = sorted.iter().map(|(place, finding): &(_, &Finding)| {
        let place = place.as_ref().map(ToString::to_string).unwrap_or_default();
        let app = finding.app.as_ref().map(ToString::to_string).unwrap_or_default();
        row(
            &finding.severity.to_string(),
            finding.rule.id,
            place,
            &app,
            &finding.message,
        )
    });
    let skipped = report.unexplained().map(|skipped| {
        let severity = if skipped.failed { "error" } else { "skipped" };
        row(
            severity,
            "",
            skipped.location.file.to_string(),
            &skipped.name,
            &skipped.why,
        )
    });
    let rows: Vec<Vec<String>> = malformed.chain(findings).chain(skipped).collect();
    if rows.is_empty() {
        return String::new();
    }
    table(&["severity", "rule", "place", "application", "message"], rows)
}

fn place_of(malformed: &Malformed) -> String {
    match malformed.position {
        Some(position) => format!("{}:{}:{}", malformed.file, position.line, position.column),
        None => malformed.file.to_string(),
    }
}
