//! The Applications as Argo CD reports them: a table that is redrawn on a terminal, else a line for each change.

use anyhow::Result;
use console::{Term, truncate_str};
use homelab::model::LiveApplication;
use homelab::report::table::table;

/// The lines of a terminal that are not rows: the heading, the summary, and the line of the cursor.
const OTHER_LINES: usize = 3;

/// An Application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    name: String,
    sync: String,
    health: String,
    revision: String,
    message: String,
    is_settled: bool,
}

impl Row {
    /// Reads the state of an Application.
    pub(super) fn new(app: &LiveApplication) -> Self {
        let short = |revision: &&str| revision.get(..7).unwrap_or(revision).to_owned();
        let revisions: Vec<String> = app.revisions().iter().map(short).collect();
        Self {
            name: app.name().to_owned(),
            sync: app.sync().to_owned(),
            health: app.health().to_owned(),
            revision: revisions.join(" + "),
            message: message(app),
            is_settled: app.sync() == "Synced" && app.health() == "Healthy" && !app.is_operating() && !app.is_stale(),
        }
    }

    /// Returns its name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Reports whether it is Synced and Healthy, and no operation runs.
    pub(super) fn is_settled(&self) -> bool {
        self.is_settled
    }

    fn line(&self) -> String {
        let Self { name, sync, health, .. } = self;
        let line = format!(
            "{name:<28} {sync:<9} {health:<11} {:<7} {}",
            self.revision, self.message
        );
        line.trim_end().to_owned()
    }
}

/// Returns the most important message of Argo CD.
fn message(app: &LiveApplication) -> String {
    if app.is_being_deleted() {
        return "is being deleted".to_owned();
    }
    if let Some(error) = app.errors().next() {
        return format!("{}: {}", error.kind, error.message);
    }
    if let Some(operation) = app.operation().filter(|operation| !operation.has_succeeded()) {
        let failed = operation.failed();
        let reason = failed
            .first()
            .map(|object| format!("{}/{}: {}", object.kind, object.name, object.message));
        return reason.unwrap_or_else(|| operation.message());
    }
    if let Some(condition) = app.conditions().into_iter().next() {
        return format!("{}: {}", condition.kind, condition.message);
    }
    match app.unhealthy().as_slice() {
        _ if app.health() == "Healthy" => String::new(),
        [] => String::new(),
        [first] => format!("waits for {first}"),
        [first, more @ ..] => format!("waits for {first} and {} more", more.len()),
    }
}

/// The output that shows the rows.
pub(super) struct Screen {
    terminal: Term,
    /// The number of lines that were drawn on the terminal.
    drawn: usize,
    shown: Vec<Row>,
    summary: String,
}

impl Screen {
    /// Returns a screen on the standard output.
    pub(super) fn new() -> Self {
        Self {
            terminal: Term::buffered_stdout(),
            drawn: 0,
            shown: Vec::new(),
            summary: String::new(),
        }
    }

    /// Shows the rows and their summary, if either has changed.
    ///
    /// # Errors
    /// When the standard output is closed.
    pub(super) fn show(&mut self, rows: Vec<Row>, summary: &str) -> Result<()> {
        if rows == self.shown && summary == self.summary {
            return Ok(());
        }
        if self.terminal.is_term() {
            let (height, width) = self.terminal.size();
            let lines = frame(&rows, summary, (height.into(), width.into()));
            self.terminal.clear_last_lines(self.drawn)?;
            for line in &lines {
                self.terminal.write_line(line)?;
            }
            self.drawn = lines.len();
        } else {
            for line in changes(&self.shown, &rows) {
                self.terminal.write_line(&line)?;
            }
            if summary != self.summary {
                self.terminal.write_line(summary)?;
            }
        }
        self.terminal.flush()?;
        (self.shown, self.summary) = (rows, summary.to_owned());
        Ok(())
    }
}

/// Returns the lines that fit on a terminal: no line wraps, and all of them can be cleared.
fn frame(rows: &[Row], summary: &str, (height, width): (usize, usize)) -> Vec<String> {
    let fitting = height.saturating_sub(OTHER_LINES).max(1);
    let left_out = if rows.len() > fitting {
        rows.len() - (fitting - 1)
    } else {
        0
    };
    // If not all of them fit, those that are not settled come first.
    let mut order: Vec<&Row> = rows.iter().collect();
    if left_out > 0 {
        order.sort_by_key(|row| row.is_settled);
    }
    let cells = order[..rows.len() - left_out].iter().map(|row| {
        let Row {
            name,
            sync,
            health,
            revision,
            message,
            ..
        } = row;
        [name, sync, health, revision, message].map(Clone::clone).to_vec()
    });
    let text = table(&["name", "sync", "health", "revision", "message"], cells);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if left_out > 0 {
        lines.push(format!("… and {left_out} more"));
    }
    lines.push(summary.to_owned());
    lines
        .iter()
        .map(|line| truncate_str(line, width.saturating_sub(1), "…").into_owned())
        .collect()
}

/// Returns a line for each Application that is new, changed or gone.
fn changes(before: &[Row], now: &[Row]) -> Vec<String> {
    let changed = now.iter().filter(|row| !before.contains(row)).map(Row::line);
    let gone = before
        .iter()
        .filter(|row| !now.iter().any(|other| other.name == row.name))
        .map(|row| format!("{:<28} is gone", row.name));
    changed.chain(gone).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn row(name: &str, status: &Value) -> Row {
        Row::new(&LiveApplication::new(
            json!({"metadata": {"name": name}, "status": status}),
        ))
    }

    fn settled(name: &str) -> Row {
        row(
            name,
            &json!({
                "sync": {"status": "Synced", "revision": "0123456789012345678901234567890123456789"},
                "health": {"status": "Healthy"},
            }),
        )
    }

    fn broken(name: &str) -> Row {
        row(
            name,
            &json!({"conditions": [{"type": "ComparisonError", "message": "no\nhelm"}]}),
        )
    }

    #[test]
    fn a_frame_fits_on_the_terminal() {
        let rows = [settled("a"), settled("b"), settled("c"), broken("d")];
        let all = frame(&rows, "summary", (10, 80));
        assert_eq!(
            all,
            [
                "NAME   SYNC      HEALTH    REVISION   MESSAGE",
                "a      Synced    Healthy   0123456    -",
                "b      Synced    Healthy   0123456    -",
                "c      Synced    Healthy   0123456    -",
                "d      Unknown   Unknown   -          ComparisonError: no helm",
                "summary",
            ]
        );
        let few = frame(&rows, "summary", (6, 30));
        assert_eq!(few.len(), 5, "one line is the cursor's: {few:?}");
        assert_eq!(few[1], "d      Unknown   Unknown   -…");
        assert_eq!(few[3], "… and 2 more");
        assert_eq!(frame(&rows, "summary", (1, 10)).len(), 3);
    }

    #[test]
    fn without_a_terminal_only_changes_are_shown() {
        let before = [settled("a"), settled("b")];
        assert!(changes(&before, &before).is_empty());
        assert_eq!(
            changes(&before, &[broken("a")]),
            [
                format!("{:<28} Unknown   Unknown             ComparisonError: no helm", "a"),
                format!("{:<28} is gone", "b"),
            ]
        );
    }

    #[test]
    fn the_message_is_what_is_wrong() {
        let operation = json!({"sync": {"status": "OutOfSync"}, "operationState": {
            "phase": "Failed", "message": "one or more objects failed to apply", "syncResult": {"resources": [
                {"kind": "PersistentVolumeClaim", "name": "films", "status": "SyncFailed", "message": "immutable"}]}}});
        assert_eq!(row("a", &operation).message, "PersistentVolumeClaim/films: immutable");
        let waits = json!({"health": {"status": "Progressing"}, "resources": [
            {"kind": "Deployment", "name": "web", "health": {"status": "Progressing"}}]});
        assert_eq!(row("a", &waits).message, "waits for Deployment/web");
        assert!(settled("a").is_settled() && settled("a").message.is_empty() && !broken("a").is_settled());
    }
}
