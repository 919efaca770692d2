//! Annotations of a workflow of GitHub's, and of Forgejo's and Gitea's.

use super::super::workflow_command::{data, property};
use super::{Report, message, place, way_out, withheld};
use crate::compare::Level;
use crate::repo::Place;

/// Renders a line for each object that somebody has to look at, and for each Application that is not compared.
pub fn annotations(report: &Report<'_, '_>) -> String {
    let mut out = String::new();
    for one in &report.comparison.predictions {
        let command = match one.level {
            Level::Routine => continue,
            Level::Review => "warning",
            Level::SyncFailure | Level::Outage | Level::DataLoss => "error",
        };
        let title = format!("{}: {} {}", one.level, one.action(), one.place);
        let place = place(report, one);
        let place = place.map(|Place { file, position, .. }| {
            let (file, line, column) = (property(file.as_str()), position.line, position.column);
            format!("file={file},line={line},col={column},")
        });
        let help = way_out(one).map(|text| format!("\nhelp: {text}"));
        out.push_str(&format!(
            "::{command} {}title={}::{}\n",
            place.unwrap_or_default(),
            property(&title),
            data(&format!("{}{}", message(one), help.unwrap_or_default()))
        ));
    }
    for one in &report.comparison.withheld {
        out.push_str(&format!("::error title=not comparable::{}\n", data(&withheld(one))));
    }
    out
}
