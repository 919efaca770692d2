//! A comment on a pull request.

use std::fmt::Write;

use super::objects::{Sides, sides};
use super::{Report, message, way_out, withheld};
use crate::compare::Level;
use crate::report::diff::hunks;

/// The characters that a comment may have at GitHub, Forgejo and Gitea.
pub const LIMIT: usize = 65_536;
/// The characters that are kept for what was left out.
const RESERVED: usize = 300;

/// Renders a comment of at most [`LIMIT`] characters: the worst first, then the objects as far as there is room.
///
/// # Errors
/// None in practice: an object can always be written.
pub fn markdown(report: &Report<'_, '_>) -> anyhow::Result<String> {
    let mut out = Limited::new(LIMIT - RESERVED);
    out.push(&format!(
        "## What Argo CD does with this change\n\n**{}**\n\n{}\n",
        report.counted(),
        report.compared()
    ));
    if let Some(doubt) = report.doubt {
        out.push(&format!("\nAll Applications are compared: {}\n", escaped(doubt)));
    }
    let mut left_out = 0;
    if !report.comparison.withheld.is_empty() {
        out.push("\n### Not comparable\n\n");
        for one in &report.comparison.withheld {
            left_out += usize::from(!out.push(&format!("- {}\n", escaped(&withheld(one)))));
        }
    }
    if !report.comparison.predictions.is_empty() {
        out.push("\n| | action | object | Application | |\n|---|---|---|---|---|\n");
        for one in &report.comparison.predictions {
            let mut text = message(one);
            if !one.consumers.is_empty() {
                let names: Vec<&str> = one.consumers.iter().map(|app| app.as_str()).collect();
                let _ = write!(text, "; also hit: {}", names.join(", "));
            }
            if let Some(way_out) = way_out(one) {
                let _ = write!(text, "; **to do:** {way_out}");
            }
            let row = format!(
                "| {} {} | {} | `{}` | {} | {} |\n",
                sign(one.level),
                one.level,
                one.action(),
                escaped(&one.place.to_string()),
                escaped(&one.via.join(" → ")),
                escaped(&text),
            );
            left_out += usize::from(!out.push(&row));
        }
    }
    let mut unshown = 0;
    for Sides { name, before, after } in sides(report)? {
        let text = hunks(&before, &after, false);
        let fence = fence(&text);
        let block = format!(
            "\n<details><summary>{}</summary>\n\n{fence}diff\n{text}{fence}\n\n</details>\n",
            escaped(&name)
        );
        unshown += usize::from(!out.push(&block));
    }
    Ok(out.finish(left_out, unshown))
}

fn sign(level: Level) -> &'static str {
    match level {
        Level::DataLoss => "🛑",
        Level::Outage => "🔴",
        Level::SyncFailure => "🟠",
        Level::Review => "🟡",
        Level::Routine => "⚪",
    }
}

/// Returns a fence that is longer than any in a text.
fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    "`".repeat(longest.max(2) + 1)
}

/// Returns a text for a cell of a table: in one line, and without what Markdown or HTML would read.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\n' | '\r' => out.push(' '),
            '|' => out.push_str("\\|"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '@' => out.push_str("&#64;"),
            c => out.push(c),
        }
    }
    out
}

/// A text that does not get longer than it may.
struct Limited {
    text: String,
    characters: usize,
    most: usize,
}

impl Limited {
    fn new(most: usize) -> Self {
        Self {
            text: String::new(),
            characters: 0,
            most,
        }
    }

    /// Adds a part, if there is room for all of it.
    fn push(&mut self, part: &str) -> bool {
        // GitHub counts in UTF-16.
        let length = part.encode_utf16().count();
        let fits = self.characters + length <= self.most;
        if fits {
            self.characters += length;
            self.text.push_str(part);
        }
        fits
    }

    fn finish(mut self, left_out: usize, unshown: usize) -> String {
        let notes = [
            (left_out, "lines are left out: a comment has no more room"),
            (unshown, "diffs are left out: a comment has no more room"),
        ];
        for (count, what) in notes.into_iter().filter(|(count, _)| *count > 0) {
            let _ = write!(
                self.text,
                "\n_{count} {what}; `kubectl homelab diff` shows everything._\n"
            );
        }
        self.text
    }
}
