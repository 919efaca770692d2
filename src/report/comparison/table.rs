//! A row for each object.

use super::{Report, message};
use crate::report::table::{Cell, sized};

/// Renders a table, the worst first; with `is_wide`, also who is hit, by what, and what keeps it.
pub fn table(report: &Report<'_, '_>, is_wide: bool) -> String {
    let rows = report.comparison.predictions.iter().map(|one| {
        let word = |text: &str| Cell::Word(text.to_owned());
        let mut row = vec![
            word(one.level.word()),
            word(one.action().word()),
            word(&one.place.to_string()),
        ];
        if is_wide {
            row.push(word(one.app.as_str()));
            row.push(word(one.owner.as_ref().map_or("", |owner| owner.as_str())));
            row.push(Cell::List(one.consumers.iter().map(ToString::to_string).collect()));
            row.push(word(one.outcome.guard.word()));
            row.push(word(one.outcome.reason.word));
            row.push(Cell::List(one.via.clone()));
        }
        row.push(Cell::Text(message(one)));
        row
    });
    let rows: Vec<Vec<Cell>> = rows.collect();
    if rows.is_empty() {
        return String::new();
    }
    let heads: &[&str] = match is_wide {
        true => &[
            "level",
            "action",
            "object",
            "application",
            "owner",
            "consumers",
            "guard",
            "reason",
            "via",
            "message",
        ],
        false => &["level", "action", "object", "message"],
    };
    sized(heads, &rows, is_wide)
}
