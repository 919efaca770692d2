//! Renders findings for users: message, source excerpt, object, next step, and a summary line.
//!
//! The text is styled; the terminal takes the styles out where no colour is wanted.

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::blocks::{self, ALL, Block, SHOWN};
use super::mask;
use super::places::Places;
use super::summary;
use crate::repo::{Manifest, Place, Repo};
use crate::rules::{CheckReport, Finding, Severity, Skipped};

/// Renders the findings of a repository as it would be, with their excerpts, one after the other. Nothing can be fixed in
/// it yet: the fix is the next step.
pub fn text(repo: &Repo, findings: &[Finding]) -> String {
    let places = Places::new(repo);
    let sorted = places.sorted(findings);
    let texts = sorted
        .iter()
        .map(|(place, finding)| of_finding(&places, place.as_ref(), finding, ("", "")));
    texts.collect::<Vec<String>>().join("\n")
}

/// Renders a whole report: malformed files, findings, what was skipped, and the summary.
pub fn report(repo: &Repo, report: &CheckReport) -> String {
    let places = Places::new(repo);
    let mut texts: Vec<String> = Vec::new();
    for malformed in &report.malformed {
        let title = Level::ERROR.primary_title(format!("malformed: {malformed}"));
        texts.push(rendered(&[Group::with_title(title)]));
    }
    let blocks = blocks::blocks(places.sorted(&report.findings));
    texts.extend(blocks.iter().map(|block| match block.only() {
        Some((place, finding)) => of_finding(&places, place.as_ref(), finding, FIX),
        None => of_block(block),
    }));
    texts.extend(blocks::skipped(report).iter().map(|skipped| match skipped[..] {
        [one] => of_skipped(&places, one),
        _ => of_many_skipped(skipped),
    }));
    texts.push(summary::with_fixes(report));
    texts.join("\n")
}

/// How a fix is introduced: a safe one, and one that needs review.
const FIX: (&str, &str) = ("fix: ", "fix (needs review): ");

fn of_finding(places: &Places<'_>, place: Option<&Place>, finding: &Finding, fix_words: (&str, &str)) -> String {
    let title = level(finding.severity)
        .primary_title(finding.message.clone())
        .id(finding.rule.id);
    let manifest = finding.location.as_ref().and_then(|location| places.manifest(location));
    let mut group = Group::with_title(title);
    if let (Some(place), Some(manifest)) = (place, manifest) {
        group = group.element(excerpt(places, manifest, place));
    } else if let Some(place) = place {
        // A file that is no manifest is not shown: nobody knows what in it may be secret.
        let origin = Origin::path(place.file.to_string()).line(place.position.line);
        group = group.element(origin.char_column(place.position.column));
    }
    if let Some(object) = finding
        .object
        .as_ref()
        .filter(|object| !manifest.is_some_and(|manifest| places.contains(manifest, object)))
    {
        let by = finding
            .app
            .as_ref()
            .map(|app| format!(" as Application `{app}` renders it"));
        group = group.element(Level::NOTE.message(format!("in `{object}`{}", by.unwrap_or_default())));
    }
    if let Some(app) = finding.app.as_ref().filter(|app| app.root().is_some()) {
        group = group.element(Level::NOTE.message(format!("in Application `{app}`")));
    }
    if let Some(hint) = &finding.hint {
        group = group.element(Level::HELP.message(hint.clone()));
    }
    if let Some(fix) = &finding.fix {
        let words = if fix.safe { fix_words.0 } else { fix_words.1 };
        group = group.element(Level::HELP.message(format!("{words}{}", fix.title)));
    }
    rendered(&[group])
}

/// Renders findings of one rule on many Applications: the first places, and what they have in common.
fn of_block(block: &Block<'_>) -> String {
    let (_, first) = &block.findings[0];
    let title = level(first.severity).primary_title(block.message()).id(first.rule.id);
    let mut group = Group::with_title(title);
    let places = block.places_and_messages();
    for place in places.iter().take(SHOWN) {
        group = group.element(Level::NOTE.message(place.clone()));
    }
    let more = places.len().saturating_sub(SHOWN);
    if more > 0 {
        group = group.element(Level::NOTE.message(format!("and {more} more; {ALL}")));
    }
    let fix = block.common(|finding| finding.fix.as_ref().map(|fix| (fix.safe, fix.title.as_str())));
    let help = match (fix, block.common(|finding| finding.hint.as_deref())) {
        (Some(Some((safe, title))), _) => format!("{}{title}", if safe { FIX.0 } else { FIX.1 }),
        (_, Some(Some(hint))) => hint.to_owned(),
        _ => format!("read what to do with `kubectl homelab explain {}`", first.rule.id),
    };
    rendered(&[group.element(Level::HELP.message(help))])
}

fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    }
}

/// The bytes of a line that is shown whole; of a longer one, those around the place are.
const LINE: usize = 400;

/// Renders one line of source with the place underlined, values that may be secret masked.
fn excerpt<'a, 'r>(places: &Places<'r>, manifest: &'r Manifest, place: &Place) -> Snippet<'a, Annotation<'a>> {
    let text = &places.repo().files[&place.file].text;
    let (before, behind) = (&text[..place.range.start], &text[place.range.start..]);
    let mut start = before.rfind('\n').map_or(0, |at| at + 1);
    let mut end = behind.find('\n').map_or(text.len(), |at| place.range.start + at);
    if end - start > LINE {
        let boundary = |mut at: usize| {
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        start = boundary(place.range.start.saturating_sub(LINE / 4)).max(start);
        end = boundary(text.len().min(start + LINE)).min(end);
    }
    let line = mask::masked(text, start..end, &places.secret_ranges(manifest));
    let from = (place.range.start - start).min(line.len());
    let to = (place.range.end.clamp(place.range.start, end) - start).clamp(from, line.trim_end().len().max(from));
    Snippet::source(line)
        .path(place.file.to_string())
        .line_start(place.position.line)
        .annotation(AnnotationKind::Primary.span(from..to))
}

fn of_skipped(places: &Places<'_>, skipped: &Skipped) -> String {
    let (level, verb) = match (skipped.failed, skipped.reason) {
        (true, None) => (Level::ERROR, "does not render"),
        (true, Some(_)) => (Level::ERROR, "cannot be checked"),
        (false, _) => (Level::INFO, "was skipped"),
    };
    let title = level.primary_title(format!("{} `{}` {verb}: {}", skipped.kind, skipped.name, skipped.why));
    let mut group = Group::with_title(title);
    let failed = skipped.failed && skipped.reason.is_none();
    let manifest = places.manifest(&skipped.location).filter(|_| failed);
    if let Some((manifest, place)) = manifest.zip(places.at(&skipped.location)) {
        group = group.element(excerpt(places, manifest, &place));
    }
    if let Some(hint) = &skipped.hint {
        group = group.element(Level::HELP.message(hint.clone()));
    }
    rendered(&[group])
}

/// Renders what was skipped for one reason.
fn of_many_skipped(skipped: &[&Skipped]) -> String {
    let names: Vec<String> = skipped
        .iter()
        .take(SHOWN)
        .map(|one| format!("`{}`", one.name))
        .collect();
    let reason = skipped[0].reason.map_or("", |(_, reason)| reason);
    let kind = if skipped[0].kind == "Application" {
        " Applications"
    } else {
        ""
    };
    let title = format!("{}{kind} were skipped: {reason}", skipped.len());
    let mut group = Group::with_title(Level::INFO.primary_title(title));
    let more = skipped.len() - names.len();
    group = group.element(Level::NOTE.message(format!("{} and {more} more; {ALL}", names.join(", "))));
    if let Some(hint) = &skipped[0].hint {
        group = group.element(Level::HELP.message(hint.clone()));
    }
    rendered(&[group])
}

fn rendered(groups: &[Group<'_>]) -> String {
    let text = Renderer::styled().render(groups);
    // The renderer pads lines; nobody wants blanks at their ends.
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[cfg(test)]
mod tests;
