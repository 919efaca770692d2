//! What `validate --fix` reports besides the findings that are left.

use super::places::Places;
use crate::repo::Repo;
use crate::rules::fixer::{Fixed, Refused};

/// Returns one line for each finding whose fix was not applied: where it is, what it is, and why.
pub fn refused(repo: &Repo, refused: &[Refused]) -> Vec<String> {
    let places = Places::new(repo);
    let found = places.of(refused.iter().map(|refused| &refused.finding));
    let line = |(refused, place): (&Refused, Option<crate::repo::Place>)| {
        let finding = &refused.finding;
        let at = place.map(|place| format!("{place}: "));
        format!(
            "not fixed: {}{} ({}): {}",
            at.unwrap_or_default(),
            finding.message,
            finding.rule.id,
            refused.why
        )
    };
    refused.iter().zip(found).map(line).collect()
}

/// Returns the last line: `fixed 3 of 5 findings (2 more with --unsafe-fixes)`.
pub fn summary(fixed: &Fixed, is_written: bool) -> String {
    let verb = if is_written { "fixed" } else { "would fix" };
    let findings = if fixed.found == 1 { "finding" } else { "findings" };
    let more = match fixed.unsafe_fixes {
        0 => String::new(),
        count => format!(" ({count} more with --unsafe-fixes)"),
    };
    format!("{verb} {} of {} {findings}{more}", fixed.fixed, fixed.found)
}
