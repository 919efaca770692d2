//! Annotations of a workflow of GitHub's, and of Forgejo's and Gitea's.

use super::super::workflow_command::{data, property};
use super::{Report, message, withheld};
use crate::compare::{Level, Prediction};

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
        let place = place
            .map(|(file, line)| format!("file={},line={line},", property(&file)))
            .unwrap_or_default();
        out.push_str(&format!(
            "::{command} {place}title={}::{}\n",
            property(&title),
            data(&message(one))
        ));
    }
    for one in &report.comparison.withheld {
        out.push_str(&format!("::error title=not comparable::{}\n", data(&withheld(one))));
    }
    out
}

/// Returns where the manifest of an object's Application is: its file, and the line that its document begins in.
fn place(report: &Report<'_, '_>, one: &Prediction<'_>) -> Option<(String, usize)> {
    let repo = report.repo;
    let mut apps = repo.applications();
    let (manifest, _) = apps.find(|(manifest, _)| repo.app_name(manifest).as_ref() == Some(&one.app))?;
    let file = repo.files.get(&manifest.file)?;
    let range = &file.documents.get(manifest.document)?.range;
    let line = file.text.get(..range.start)?.matches('\n').count() + 1;
    Some((manifest.file.to_string(), line))
}
