//! What a report says, each remark with its place: for the formats that other programs show beside the files.

use super::places::Places;
use crate::model::{AppName, ObjectRef};
use crate::repo::{Malformed, Place, Repo};
use crate::rules::{CheckReport, Finding, Meta, Severity, Skipped};
use crate::yaml::{Position, position};

/// A file that is no manifest, as a rule.
pub(super) const MALFORMED: &str = "malformed";
/// A source that does not render, or cannot be checked, as a rule.
pub(super) const NOT_RENDERED: &str = "not-rendered";

/// One remark.
#[derive(Debug)]
pub(super) struct Remark<'r> {
    pub(super) severity: Severity,
    /// The rule; `None` for a file that is no manifest, and for a source that does not render.
    pub(super) rule: Option<&'static Meta>,
    /// The id of the rule, or what stands for it.
    pub(super) id: &'static str,
    pub(super) message: String,
    pub(super) hint: Option<String>,
    pub(super) place: Option<Region>,
    pub(super) app: Option<&'r AppName>,
    pub(super) object: Option<&'r ObjectRef>,
}

/// A part of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Region {
    /// The file, from the repository's top.
    pub(super) file: String,
    /// The first character; `None` for all of the file.
    pub(super) start: Option<Position>,
    /// Behind the last character; `None` where that is not known.
    pub(super) end: Option<Position>,
}

/// Returns the remarks of a report, the errors first, each kind in the order of files and lines.
pub(super) fn remarks<'r>(repo: &'r Repo, report: &'r CheckReport) -> Vec<Remark<'r>> {
    let places = Places::new(repo);
    let findings = places.sorted(&report.findings).into_iter();
    let findings = findings.map(|(place, finding)| of_finding(repo, place.as_ref(), finding));
    let failed = report.unexplained().filter(|skipped| skipped.failed);
    let others = report
        .malformed
        .iter()
        .map(of_malformed)
        .chain(failed.map(|skipped| of_skipped(&places, skipped)));
    let mut remarks: Vec<Remark<'_>> = others.chain(findings).collect();
    remarks.sort_by_key(|remark| remark.severity);
    remarks
}

pub(super) fn of_finding<'r>(repo: &Repo, place: Option<&Place>, finding: &'r Finding) -> Remark<'r> {
    let hint = finding.fix.as_ref().map(|fix| match fix.safe {
        true => format!("fix: {}", fix.title),
        false => format!("fix (needs review): {}", fix.title),
    });
    Remark {
        severity: finding.severity,
        rule: Some(finding.rule),
        id: finding.rule.id,
        message: finding.message.clone(),
        hint: finding.hint.clone().or(hint),
        place: place.map(|place| region(repo, place)),
        app: finding.app.as_ref(),
        object: finding.object.as_ref(),
    }
}

fn region(repo: &Repo, place: &Place) -> Region {
    let file = repo.files.get(&place.file).filter(|_| !place.range.is_empty());
    Region {
        file: place.file.to_string(),
        start: Some(place.position),
        end: file.map(|file| {
            let part = file.text.get(place.range.clone()).unwrap_or_default().trim_end();
            position(&file.text, place.range.start + part.len())
        }),
    }
}

fn of_malformed(malformed: &Malformed) -> Remark<'_> {
    Remark {
        severity: Severity::Error,
        rule: None,
        id: MALFORMED,
        message: malformed.message.clone(),
        hint: Some("correct the file; nothing in it was checked".to_owned()),
        place: Some(Region {
            file: malformed.file.to_string(),
            start: malformed.position,
            end: None,
        }),
        app: None,
        object: None,
    }
}

fn of_skipped<'r>(places: &Places<'_>, skipped: &'r Skipped) -> Remark<'r> {
    let place = places.at(&skipped.location).filter(|_| skipped.reason.is_none());
    Remark {
        severity: Severity::Error,
        rule: None,
        id: NOT_RENDERED,
        message: format!("{} `{}` was not checked: {}", skipped.kind, skipped.name, skipped.why),
        hint: skipped.hint.clone(),
        place: Some(match place {
            Some(place) => region(places.repo(), &place),
            None => Region {
                file: skipped.location.file.to_string(),
                start: None,
                end: None,
            },
        }),
        app: None,
        object: None,
    }
}

impl Remark<'_> {
    /// Returns the rule's id and name, or what stands for them.
    pub(super) fn title(&self) -> String {
        match self.rule {
            Some(rule) => format!("{} {}", rule.id, rule.name),
            None => self.id.to_owned(),
        }
    }

    /// Returns the whole text, in lines: the message, the object, the next step.
    pub(super) fn text(&self) -> String {
        let mut lines = vec![self.message.clone()];
        if let Some(object) = self.object {
            let by = self
                .app
                .map(|app| format!(" of Application `{app}`"))
                .unwrap_or_default();
            lines.push(format!("in `{object}`{by}"));
        }
        lines.extend(self.hint.as_ref().map(|hint| format!("help: {hint}")));
        lines.join("\n")
    }
}
