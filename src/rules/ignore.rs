//! Comments that ignore findings: `# homelab: ignore HL123 reason`, on the line that a finding is shown at, or above it.
//!
//! A comment at the end of a line is about this line. One on a line of its own is about the next line that is no comment, so
//! that several can stand above each other. Several ids are separated by commas or blanks; what follows is the reason.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use super::{Finding, Location, Meta, is_locked, meant, metas};
use crate::model::Pointer;
use crate::model::spelling::nearest;
use crate::parallel;
use crate::repo::{Change, ChangeSet, Manifest, Repo, RepoPath};
use crate::yaml::{self, ReplaceComment};

/// What a comment for this program begins with.
const MARK: &str = "homelab:";
const IGNORE: &str = "ignore";

/// A comment that ignores findings, and what it did.
#[derive(Clone, Debug)]
pub struct Ignore {
    /// Its own place.
    pub location: Location,
    /// The line of the file that it is about.
    pub line: usize,
    /// The comment.
    pub text: String,
    /// The number of equal comments before it in the document.
    before: usize,
    /// What it says.
    pub directive: Directive,
    /// The ids of findings that it ignored.
    pub used: Vec<&'static str>,
    /// The findings of its rules that are elsewhere in the document: their ids and lines.
    pub elsewhere: Vec<(&'static str, usize)>,
}

/// A finding that a comment ignores.
#[derive(Clone, Debug, PartialEq)]
pub struct Ignored {
    /// The finding.
    pub finding: Finding,
    /// Why, as far as the comment says it.
    pub reason: Option<String>,
}

/// What a comment says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// Why it ignores nothing, whatever its ids are.
    pub fault: Option<Fault>,
    /// The ids as they are written, each with its place in the comment and its rule.
    pub ids: Vec<Id>,
    /// What stands behind the ids.
    pub reason: Option<String>,
}

/// What keeps a comment from ignoring anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Its verb is not `ignore`, and was probably meant so.
    Misspelled(String),
    /// It stands outside of the documents: beside a `---`, or above it.
    OutsideOfDocuments,
}

/// An id in a comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Id {
    /// As it is written.
    pub written: String,
    /// The bytes of the comment.
    pub range: Range<usize>,
    /// The rule; `None` where there is none of this id.
    pub rule: Option<&'static Meta>,
}

impl Id {
    /// Returns the rule, where the comment can ignore it.
    pub fn ignorable(&self) -> Option<&'static Meta> {
        self.rule
            .filter(|rule| !is_locked(rule.id) && !is_about_comments(rule.id))
    }

    /// Returns the rule that is meant by an id that is not known.
    pub fn meant(&self) -> Option<&'static Meta> {
        meant(&self.written)
    }
}

/// Reports whether a rule is about these comments themselves.
fn is_about_comments(id: &str) -> bool {
    ["HL409", "HL410"].contains(&id)
}

impl Ignore {
    /// Reports whether it ignores findings of a rule.
    fn names(&self, id: &str) -> bool {
        let mut ids = self.directive.ids.iter().filter_map(Id::ignorable);
        self.directive.fault.is_none() && ids.any(|rule| rule.id == id)
    }

    /// Returns the changes that take ids out of the comment, or the whole comment where no other is left.
    pub fn without(&self, ids: &[&Id]) -> ChangeSet {
        let left = self.directive.ids.iter().filter(|id| !ids.contains(id));
        let left: Vec<&str> = left.map(|id| id.written.as_str()).collect();
        let with = self.directive.ids.first().zip(self.directive.ids.last());
        let with = with.filter(|_| !left.is_empty()).map(|(first, last)| {
            let (before, behind) = (&self.text[..first.range.start], &self.text[last.range.end..]);
            format!("{before}{}{behind}", left.join(", "))
        });
        ChangeSet {
            changes: vec![Change::ReplaceComment {
                path: self.location.file.clone(),
                document: self.location.document,
                replacement: ReplaceComment {
                    text: self.text.clone(),
                    before: self.before,
                    with,
                },
            }],
        }
    }
}

/// Returns the comments of a repository's manifests that ignore findings.
pub(super) fn of(repo: &Repo) -> Vec<Ignore> {
    let files: Vec<_> = repo.files.iter().collect();
    let is_marked = parallel::each(&files, |(_, file)| file.text.contains(MARK));
    let marked = files.iter().zip(is_marked).filter(|(_, is_marked)| *is_marked);
    let marked: HashSet<&RepoPath> = marked.map(|((path, _), _)| *path).collect();
    if marked.is_empty() {
        return Vec::new();
    }
    let manifests = repo.manifests.iter().filter(|manifest| marked.contains(&manifest.file));
    let of_documents = manifests.clone().filter(|manifest| {
        let file = &repo.files[&manifest.file];
        file.document(manifest.document).contains(MARK)
    });
    let mut ignores: Vec<Ignore> = of_documents.flat_map(|manifest| of_manifest(repo, manifest)).collect();
    let mut previous: Option<&Manifest> = None;
    for manifest in manifests {
        let above = previous.filter(|above| above.file == manifest.file);
        ignores.extend(outside(repo, above, manifest));
        previous = Some(manifest);
    }
    ignores
}

/// Returns the comments between the document above and a manifest: those beside `---`, and in a document of their own.
fn outside(repo: &Repo, above: Option<&Manifest>, manifest: &Manifest) -> Vec<Ignore> {
    let file = &repo.files[&manifest.file];
    let start = above.map_or(0, |above| file.documents[above.document].range.end);
    let between = file
        .text
        .get(start..file.documents[manifest.document].range.start)
        .unwrap_or_default();
    if !between.contains(MARK) {
        return Vec::new();
    }
    let comments = between
        .lines()
        .filter_map(|line| Some(line[line.find('#')?..].trim_end()));
    let of_comment = |comment: &str| {
        let directive = Directive::parse(comment)?;
        Some(Ignore {
            location: Location::of(manifest, Pointer::root()),
            line: 0,
            text: comment.to_owned(),
            before: 0,
            directive: Directive {
                fault: Some(Fault::OutsideOfDocuments),
                ..directive
            },
            used: Vec::new(),
            elsewhere: Vec::new(),
        })
    };
    comments.filter_map(of_comment).collect()
}

fn of_manifest(repo: &Repo, manifest: &Manifest) -> Vec<Ignore> {
    let file = &repo.files[&manifest.file];
    let text = file.document(manifest.document);
    let above = file.documents[manifest.document].line - 1;
    let mut equal: BTreeMap<&str, usize> = BTreeMap::new();
    let mut ignores = Vec::new();
    for comment in yaml::comments(text) {
        let count = equal.entry(comment.text).or_insert(0);
        let before = *count;
        *count += 1;
        let Some(directive) = Directive::parse(comment.text) else {
            continue;
        };
        let own = comment.line(text);
        let line = if comment.alone { next_line(text, own) } else { own };
        ignores.push(Ignore {
            location: Location::of_bytes(manifest, comment.offset..comment.offset + comment.text.len()),
            line: line + above,
            text: comment.text.to_owned(),
            before,
            directive,
            used: Vec::new(),
            elsewhere: Vec::new(),
        });
    }
    ignores
}

/// Returns the first line behind a line, both from 1, that is no comment.
fn next_line(text: &str, line: usize) -> usize {
    let behind = text.lines().skip(line);
    line + 1 + behind.take_while(|line| line.trim_start().starts_with('#')).count()
}

impl Directive {
    /// Reads a comment; `None` for one that says something else.
    fn parse(comment: &str) -> Option<Self> {
        let text = comment.trim_start_matches('#').trim_start();
        let rest = text.strip_prefix(MARK)?.trim_start();
        let verb = rest.split([' ', '\t', ',', ':']).next().unwrap_or_default();
        let misspelled = verb != IGNORE;
        if misspelled {
            nearest(verb, [IGNORE])?;
        }
        let mut directive = Self {
            fault: misspelled.then(|| Fault::Misspelled(verb.to_owned())),
            ids: Vec::new(),
            reason: None,
        };
        let mut at = comment.len() - rest.len() + verb.len();
        loop {
            let blanks = |text: &str| text.len() - text.trim_start_matches([' ', '\t', ',', ':']).len();
            let start = at + blanks(&comment[at..]);
            let word = comment[start..].split([' ', '\t', ',', ':']).next().unwrap_or_default();
            let range = start..start + word.len();
            match Id::read(word, &range, directive.ids.is_empty()) {
                Some(id) => directive.ids.push(id),
                None => {
                    let reason = comment[start..].trim_start_matches(['-', ' ', '\t']).trim_end();
                    directive.reason = (!reason.is_empty()).then(|| reason.to_owned());
                    return Some(directive);
                }
            }
            at = range.end;
        }
    }
}

impl Id {
    /// Reads a word that looks like an id, or that is the first one and like a rule's name.
    fn read(word: &str, range: &Range<usize>, is_first: bool) -> Option<Self> {
        let upper = word.to_ascii_uppercase();
        let rule = metas().find(|meta| meta.id == upper);
        let resembles_id = || {
            let number = upper.strip_prefix("HL");
            number.is_some_and(|number| number.starts_with(|c: char| c.is_ascii_digit()))
        };
        let is_id = rule.is_some() || resembles_id() || is_first && meant(word).is_some();
        is_id.then(|| Self {
            written: word.to_owned(),
            range: range.clone(),
            rule,
        })
    }
}

/// Parts findings into those that no comment ignores and those that one does, and notes what the comments did.
pub(super) fn apply(repo: &Repo, ignores: &mut [Ignore], findings: Vec<Finding>) -> (Vec<Finding>, Vec<Ignored>) {
    if ignores.is_empty() {
        return (findings, Vec::new());
    }
    let mut by_document: BTreeMap<(RepoPath, usize), Vec<&mut Ignore>> = BTreeMap::new();
    for ignore in ignores {
        let document = (ignore.location.file.clone(), ignore.location.document);
        by_document.entry(document).or_default().push(ignore);
    }
    let (mut left, mut ignored) = (Vec::new(), Vec::new());
    for finding in findings {
        let location = finding.location.as_ref();
        let document = location.map(|location| (location.file.clone(), location.document));
        let ignores = document.and_then(|document| by_document.get_mut(&document));
        let line = location.filter(|_| ignores.is_some()).and_then(|at| line(repo, at));
        let of_rule = ignores
            .into_iter()
            .flatten()
            .filter(|ignore| ignore.names(finding.rule.id));
        let (mut here, elsewhere): (Vec<_>, Vec<_>) = of_rule.partition(|ignore| Some(ignore.line) == line);
        match here.first_mut() {
            Some(ignore) => {
                ignore.used.push(finding.rule.id);
                let reason = ignore.directive.reason.clone();
                ignored.push(Ignored { finding, reason });
            }
            None => {
                let found = line.map(|line| (finding.rule.id, line));
                elsewhere.into_iter().for_each(|ignore| ignore.elsewhere.extend(found));
                left.push(finding);
            }
        }
    }
    (left, ignored)
}

/// Returns the line of the file that a finding is shown at.
pub(super) fn line(repo: &Repo, location: &Location) -> Option<usize> {
    let manifest = repo.manifest(&location.file, location.document)?;
    Some(repo.place(manifest, &location.pointer).position.line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(comment: &str) -> Option<(Vec<String>, Option<String>)> {
        let directive = Directive::parse(comment)?;
        assert_eq!(directive.fault, None, "{comment}");
        let ids = directive.ids.iter().map(|id| {
            assert_eq!(&comment[id.range.clone()], id.written);
            id.written.clone()
        });
        Some((ids.collect(), directive.reason))
    }

    #[test]
    fn ids_and_the_reason_are_read() {
        for (comment, ids, reason) in [
            ("# homelab: ignore HL123", &["HL123"][..], None),
            ("#homelab:ignore HL123 two writers", &["HL123"], Some("two writers")),
            (
                "## homelab: ignore hl123,HL104: both know",
                &["hl123", "HL104"],
                Some("both know"),
            ),
            (
                "# homelab: ignore HL123 HL104 -- it is a test",
                &["HL123", "HL104"],
                Some("it is a test"),
            ),
            (
                "# homelab: ignore: HL123, it is a test",
                &["HL123"],
                Some("it is a test"),
            ),
            ("# homelab: ignore HL123 - ü # more", &["HL123"], Some("ü # more")),
            ("# homelab: ignore HL999, HL1O1 x", &["HL999", "HL1O1"], Some("x")),
            ("# homelab: ignore retry-refresh x", &["retry-refresh"], Some("x")),
            ("# homelab: ignore", &[], None),
            ("# homelab: ignore everything", &[], Some("everything")),
        ] {
            let ids = ids.iter().map(|id| (*id).to_owned()).collect();
            assert_eq!(read(comment), Some((ids, reason.map(str::to_owned))), "{comment}");
        }
    }

    #[test]
    fn other_comments_say_something_else() {
        for comment in [
            "# homelab: my cluster",
            "# ignore HL123",
            "# see homelab: ignore HL123",
            "#",
            "# homelab:",
        ] {
            assert_eq!(read(comment), None, "{comment}");
        }
        let fault = Directive::parse("# homelab: ignroe HL123").unwrap().fault;
        assert_eq!(fault, Some(Fault::Misspelled("ignroe".to_owned())));
    }

    #[test]
    fn a_comment_is_about_its_line_or_the_next_one_that_is_none() {
        let text = "a: 1 # homelab: ignore HL101\n---\n# homelab: ignore HL102\n# why\n# homelab: ignore HL103\nb: 1\n# homelab: ignore HL104\n\nc: '# homelab: ignore HL105'\nd: |\n  # homelab: ignore HL106\n";
        let repo = Repo::of_text(RepoPath::new("a.yaml").unwrap(), text.to_owned());
        let lines: Vec<_> = of(&repo)
            .iter()
            .map(|ignore| (ignore.directive.ids[0].written.clone(), ignore.line))
            .collect();
        let lines: Vec<_> = lines.iter().map(|(id, line)| (id.as_str(), *line)).collect();
        assert_eq!(lines, [("HL101", 1), ("HL102", 6), ("HL103", 6), ("HL104", 8)]);
    }
}
