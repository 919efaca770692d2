//! Findings that are reported together: what one rule says of many Applications is read once.

use std::collections::{BTreeMap, BTreeSet};

use crate::repo::Place;
use crate::rules::{CheckReport, Finding, Severity, Skipped};

/// On how many Applications the findings of a rule are still reported one by one.
const APART: usize = 5;
/// The rules about a habit, which are said once for a repository.
const ONCE: [&str; 1] = ["HL306"];
/// How many places of a block are shown.
pub(super) const SHOWN: usize = 3;
/// How the rest is to be had.
pub(super) const ALL: &str = "`-o wide` lists all";

/// A finding with its place.
pub(super) type Placed<'f> = (Option<Place>, &'f Finding);

/// Findings that belong together, in the order of their places; mostly one.
pub(super) struct Block<'f> {
    pub(super) findings: Vec<Placed<'f>>,
    /// The number of Applications, and of files that belong to none.
    pub(super) subjects: usize,
}

impl<'f> Block<'f> {
    /// Returns the finding, where it is the only one.
    pub(super) fn only(&self) -> Option<&Placed<'f>> {
        match &self.findings[..] {
            [only] => Some(only),
            _ => None,
        }
    }

    /// Returns what all findings have in common; `None` where they differ.
    pub(super) fn common<'s, T: PartialEq>(&'s self, of: impl Fn(&'f Finding) -> T + 's) -> Option<T> {
        let mut all = self.findings.iter().map(|(_, finding)| of(finding));
        let first = all.next()?;
        all.all(|other| other == first).then_some(first)
    }

    /// Returns the message of all findings, or what the rule asks for.
    pub(super) fn message(&self) -> String {
        let first = &self.findings[0].1;
        match self.common(|finding| finding.message.as_str()) {
            Some(message) => format!("{message} ({})", self.count()),
            None => format!("{}: check that {}", self.count(), first.rule.summary),
        }
    }

    /// Returns the places, each once: what a set generates has the place of its template.
    pub(super) fn places(&self) -> Vec<String> {
        self.lines(|place, _| place)
    }

    /// Returns the places with the messages where these differ, each once.
    pub(super) fn places_and_messages(&self) -> Vec<String> {
        match self.common(|finding| finding.message.as_str()) {
            Some(_) => self.places(),
            None => self.lines(|place, finding| format!("{place}: {}", finding.message)),
        }
    }

    fn lines(&self, line: impl Fn(String, &Finding) -> String) -> Vec<String> {
        let of =
            |(place, finding): &Placed<'f>| line(place.as_ref().map(Place::to_string).unwrap_or_default(), finding);
        let mut seen = BTreeSet::new();
        let lines = self.findings.iter().map(of);
        lines.filter(|line| seen.insert(line.clone())).collect()
    }

    /// Returns how many there are, and on how many Applications; what belongs to none counts by its file.
    pub(super) fn count(&self) -> String {
        let findings = self.findings.len();
        let of_applications = self.findings.iter().filter(|(_, finding)| finding.app.is_some());
        let noun = match of_applications.count() {
            0 => "files",
            count if count == findings => "Applications",
            _ => "Applications and files",
        };
        match self.subjects {
            subjects if subjects == findings => format!("{findings} {noun}"),
            subjects => format!("{findings} findings on {subjects} {noun}"),
        }
    }
}

/// Puts sorted findings together. What stands out comes first, and then what many Applications have in common.
pub(super) fn blocks(findings: Vec<Placed<'_>>) -> Vec<Block<'_>> {
    let mut subjects: BTreeMap<(&str, Severity), BTreeSet<String>> = BTreeMap::new();
    for (place, finding) in &findings {
        let file = || place.as_ref().map(|place| place.file.to_string()).unwrap_or_default();
        let subject = finding.app.as_ref().map_or_else(file, ToString::to_string);
        subjects.entry(key(finding)).or_default().insert(subject);
    }
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut known = BTreeMap::new();
    for (place, finding) in findings {
        let key = key(finding);
        let subjects = subjects.get(&key).map_or(0, BTreeSet::len);
        let is_together = subjects > APART || subjects > 1 && ONCE.contains(&finding.rule.id);
        let next = blocks.len();
        let number = if is_together {
            *known.entry(key).or_insert(next)
        } else {
            next
        };
        match blocks.get_mut(number) {
            Some(block) => block.findings.push((place, finding)),
            None => blocks.push(Block {
                findings: vec![(place, finding)],
                subjects,
            }),
        }
    }
    blocks.sort_by_key(|block| block.findings.len() > 1);
    blocks
}

fn key(finding: &Finding) -> (&'static str, Severity) {
    (finding.rule.id, finding.severity)
}

/// Returns what was skipped and no finding explains, those together that are for the same reason and are many.
pub(super) fn skipped(report: &CheckReport) -> Vec<Vec<&Skipped>> {
    let reason = |skipped: &Skipped| skipped.reason.filter(|_| !skipped.failed);
    let mut counts = BTreeMap::new();
    for reason in report.unexplained().filter_map(reason) {
        *counts.entry(reason).or_insert(0) += 1;
    }
    let mut blocks: Vec<Vec<&Skipped>> = Vec::new();
    let mut known = BTreeMap::new();
    for skipped in report.unexplained() {
        let many = reason(skipped).filter(|reason| counts.get(reason).is_some_and(|count| *count > APART));
        let next = blocks.len();
        let number = many.map_or(next, |reason| *known.entry(reason).or_insert(next));
        match blocks.get_mut(number) {
            Some(block) => block.push(skipped),
            None => blocks.push(vec![skipped]),
        }
    }
    blocks
}
