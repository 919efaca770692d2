//! Findings as a person reads them.

use crate::repo::Repo;
use crate::rules::Finding;

/// Each finding with its place; a line each.
pub fn text(repo: &Repo, findings: &[Finding]) -> String {
    let lines = findings.iter().map(|finding| {
        let place = finding.location.as_ref().and_then(|location| {
            let manifest = repo
                .manifests
                .iter()
                .find(|m| m.file == location.file && m.document == location.document)?;
            let place = repo.place(manifest, &location.pointer);
            Some(format!(
                "{}:{}:{}: ",
                place.file, place.position.line, place.position.column
            ))
        });
        format!(
            "{}{} {}: {}",
            place.unwrap_or_default(),
            finding.rule.severity,
            finding.rule.id,
            finding.message
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}
