//! The patterns of git generators: Go's for folders, Git's for files.

use super::Reason;

/// Reports whether a path matches a pattern as Go's `path.Match`, in which `*` stays within a name; `None` where the pattern
/// is malformed ([source](https://pkg.go.dev/path#Match)).
pub(super) fn folder_matches(pattern: &str, path: &str) -> Option<bool> {
    let pattern: Vec<char> = pattern.chars().collect();
    let path: Vec<char> = path.chars().collect();
    let is_well_formed = check(&pattern);
    let matches = Matcher {
        pattern: &pattern,
        is_git: false,
    }
    .matches(0, &path);
    is_well_formed.then_some(matches)
}

/// A pattern of files.
pub(super) struct FilePattern {
    text: String,
    pattern: Vec<char>,
}

impl FilePattern {
    /// Reads a pattern as `git ls-files` does ([source](https://git-scm.com/docs/gitglossary#def_pathspec)).
    pub(super) fn new(pattern: &str) -> Result<Self, Reason> {
        if pattern.starts_with(':') {
            return Err(Reason::unsupported(format!("the pathspec `{pattern}`")));
        }
        let leaves = || Reason::invalid(format!("the path `{pattern}` leads out of the repository"));
        if pattern.starts_with('/') {
            return Err(leaves());
        }
        let mut parts: Vec<&str> = Vec::new();
        for part in pattern.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop().ok_or_else(leaves)?;
                }
                part => parts.push(part),
            }
        }
        let mut text = parts.join("/");
        if pattern.ends_with('/') && !text.is_empty() {
            text.push('/');
        }
        let pattern = text.chars().collect();
        Ok(Self { text, pattern })
    }

    /// Returns the pattern without `.` and `..`.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Reports whether a file matches: `*` crosses folders, and a folder stands for all files below.
    pub(super) fn matches(&self, path: &str) -> bool {
        let is_below = || {
            let rest = path.strip_prefix(&self.text);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || self.text.ends_with('/'))
        };
        if self.text.is_empty() || is_below() {
            return true;
        }
        let has_wildcard = self.text.contains(['*', '?', '[', '\\']);
        let path: Vec<char> = path.chars().collect();
        let matcher = Matcher {
            pattern: &self.pattern,
            is_git: true,
        };
        has_wildcard && matcher.matches(0, &path)
    }
}

struct Matcher<'p> {
    pattern: &'p [char],
    is_git: bool,
}

impl Matcher<'_> {
    /// Reports whether the rest of the pattern matches the path.
    fn matches(&self, mut at: usize, path: &[char]) -> bool {
        let mut place = 0;
        // Where to go on when what follows the last star does not match.
        let mut star: Option<(usize, usize)> = None;
        loop {
            let step = match self.pattern.get(at) {
                Some('*') => {
                    at += 1;
                    star = Some((at, place));
                    continue;
                }
                None if place == path.len() => return true,
                None => None,
                Some(_) => path.get(place).and_then(|next| self.one(at, *next)),
            };
            match (step, star) {
                (Some(next), _) => {
                    at = next;
                    place += 1;
                }
                (None, Some((behind, from))) if from < path.len() && (self.is_git || path[from] != '/') => {
                    star = Some((behind, from + 1));
                    (at, place) = (behind, from + 1);
                }
                _ => return false,
            }
        }
    }

    /// Matches one character; returns the place behind the part of the pattern that matches it.
    fn one(&self, at: usize, next: char) -> Option<usize> {
        match self.pattern[at] {
            '?' => (self.is_git || next != '/').then_some(at + 1),
            '\\' => (self.pattern.get(at + 1) == Some(&next)).then_some(at + 2),
            '[' => self.class(at + 1, next),
            literal => (literal == next).then_some(at + 1),
        }
    }

    fn class(&self, mut at: usize, next: char) -> Option<usize> {
        let is_negated = |mark: char| mark == '^' || self.is_git && mark == '!';
        let negated = self.pattern.get(at).copied().is_some_and(is_negated);
        at += usize::from(negated);
        let (start, mut found) = (at, false);
        loop {
            match *self.pattern.get(at)? {
                ']' if at > start => break,
                _ => {
                    let (low, behind) = self.item(at)?;
                    let (high, behind) = match (self.pattern.get(behind), self.pattern.get(behind + 1)) {
                        (Some('-'), Some(end)) if *end != ']' => self.item(behind + 1)?,
                        _ => (low, behind),
                    };
                    found |= low <= next && next <= high;
                    at = behind;
                }
            }
        }
        (found != negated).then_some(at + 1)
    }

    fn item(&self, at: usize) -> Option<(char, usize)> {
        match *self.pattern.get(at)? {
            '\\' => self.pattern.get(at + 1).map(|escaped| (*escaped, at + 2)),
            character => Some((character, at + 1)),
        }
    }
}

/// Reports whether Go takes a pattern for well-formed.
fn check(pattern: &[char]) -> bool {
    let mut at = 0;
    while let Some(next) = pattern.get(at) {
        at += match next {
            '\\' if pattern.len() == at + 1 => return false,
            '\\' => 2,
            '[' => match class_length(&pattern[at + 1..]) {
                Some(length) => length + 1,
                None => return false,
            },
            _ => 1,
        };
    }
    true
}

fn class_length(pattern: &[char]) -> Option<usize> {
    let mut at = usize::from(pattern.first() == Some(&'^'));
    let mut count = 0;
    loop {
        if pattern.get(at) == Some(&']') && count > 0 {
            return Some(at + 1);
        }
        at += item_length(&pattern[at..])?;
        if pattern.get(at) == Some(&'-') {
            at += 1 + item_length(pattern.get(at + 1..)?)?;
        }
        count += 1;
    }
}

fn item_length(pattern: &[char]) -> Option<usize> {
    match pattern.first()? {
        '-' | ']' => None,
        '\\' => pattern.get(1).map(|_| 2),
        _ => Some(1),
    }
}
