//! The globs of `values-files`: those of Go's doublestar, as Argo CD's own Helm expands them
//! ([source](https://pkg.go.dev/github.com/bmatcuk/doublestar/v4#FilepathGlob)).
//!
//! `*`, `?` and `[…]` stay within a name, `**` as a whole name is any number of folders, `{a,b}` are alternatives, `\`
//! takes the meaning from the next character. The order of the matches is the order in which helm merges them, and so is
//! doublestar's: by name within a folder, and a folder's own matches before those of its sub-folders. No crate has this
//! order together with this syntax; `tests/vectors/glob` holds what the Go library answers.

use anyhow::{Result, bail};

use crate::repo::{Entry, Files, RepoPath};

/// The maximum number of steps; listing a folder and trying an alternative are one step each. Symbolic links and braces
/// can make a small repository endless.
const MOST_STEPS: usize = 10_000;
/// The maximum length of a pattern; a longer one matches no path of a file system.
const LONGEST: usize = 4096;
/// The maximum depth of nested alternatives.
const DEEPEST: usize = 50;

/// Reports whether Argo CD takes a path for a glob. Braces alone do not make it one.
pub(super) fn is_glob(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

/// Returns the folder that a glob starts in, or the parent of a path that is not a glob.
pub(super) fn base(pattern: &RepoPath) -> RepoPath {
    let text = pattern.as_str();
    let end = next(text, 0, b"*?[{").unwrap_or(text.len());
    let folder = text[..end].rfind('/').map_or("", |slash| &text[..slash]);
    RepoPath::new(&unescaped(folder)).unwrap_or_default()
}

/// Returns the files and folders that match, in doublestar's order.
///
/// # Errors
/// When the pattern is malformed, or a folder cannot be listed.
pub(super) fn expand(files: &dyn Files, pattern: &RepoPath) -> Result<Vec<RepoPath>> {
    let text = pattern.as_str();
    check(text)?;
    let is_walk = next_double_star(text).is_some_and(|at| at + 3 < text.len());
    let mut search = Search {
        files,
        is_walk,
        steps: 0,
    };
    search.find(text, true)
}

/// The state of one expansion.
struct Search<'f> {
    files: &'f dyn Files,
    /// Whether there is a `**` before the end of the pattern: then the matches of alternatives are sorted across all
    /// folders, otherwise within each folder.
    is_walk: bool,
    steps: usize,
}

impl Search<'_> {
    /// Finds the matches of a pattern; only folders, unless it is the last part.
    fn find(&mut self, pattern: &str, is_last: bool) -> Result<Vec<RepoPath>> {
        self.step()?;
        if next(pattern, 0, b"*?[{").is_none() {
            let path = RepoPath::new(&unescaped(pattern))?;
            return Ok(if self.exists(&path)? { vec![path] } else { Vec::new() });
        }
        let (folder, name) = match last(pattern, b"/}") {
            Some(at) if pattern.as_bytes()[at] == b'}' => match opening(&pattern[..at]) {
                Some(open) => return self.alternatives(pattern, open, at, is_last),
                None => pattern.rsplit_once('/').unwrap_or(("", pattern)),
            },
            Some(at) => (&pattern[..at], &pattern[at + 1..]),
            None => ("", pattern),
        };
        let folders = if folder.is_empty() {
            vec![RepoPath::root()]
        } else {
            self.find(folder, false)?
        };
        let mut found = Vec::new();
        for folder in folders {
            if name == "**" {
                self.everything(folder, is_last, &mut found)?;
            } else {
                self.named(&folder, name, is_last, &mut found)?;
            }
        }
        Ok(found)
    }

    /// Adds the entries of one folder whose names match.
    fn named(&mut self, folder: &RepoPath, name: &str, is_last: bool, found: &mut Vec<RepoPath>) -> Result<()> {
        for entry in self.list(folder)?.unwrap_or_default() {
            if (is_last || entry.is_folder) && matches(name, &entry.name) {
                found.push(folder.join(&entry.name)?);
            }
        }
        Ok(())
    }

    /// Adds a folder and everything below it.
    fn everything(&mut self, folder: RepoPath, with_files: bool, found: &mut Vec<RepoPath>) -> Result<()> {
        let Some(entries) = self.list(&folder)? else {
            return Ok(());
        };
        found.push(folder.clone());
        for entry in entries {
            let path = folder.join(&entry.name)?;
            if entry.is_folder {
                self.everything(path, with_files, found)?;
            } else if with_files {
                found.push(path);
            }
        }
        Ok(())
    }

    /// Finds the matches of a pattern whose last name contains alternatives.
    fn alternatives(&mut self, pattern: &str, open: usize, close: usize, is_last: bool) -> Result<Vec<RepoPath>> {
        let before = &pattern[..open];
        let start = last(before, b"/}").filter(|at| before.as_bytes()[*at] == b'/');
        let folders = match start {
            Some(slash) => self.find(&before[..slash], false)?,
            None => vec![RepoPath::root()],
        };
        let (before, after) = (&before[start.map_or(0, |slash| slash + 1)..], &pattern[close + 1..]);
        let mut found = Vec::new();
        for folder in folders {
            let mut here = Vec::new();
            let above = if folder.is_root() {
                String::new()
            } else {
                format!("{}/", escaped(folder.as_str()))
            };
            for choice in choices(&pattern[open + 1..close]) {
                let these = self.find(&format!("{above}{before}{choice}{after}"), is_last)?;
                let into = if self.is_walk { &mut found } else { &mut here };
                merge(into, these, self.is_walk);
            }
            found.append(&mut here);
        }
        Ok(found)
    }

    fn exists(&self, path: &RepoPath) -> Result<bool> {
        let entries = self.files.listed(&path.parent())?.unwrap_or_default();
        Ok(path.is_root() || entries.iter().any(|entry| entry.name == path.file_name()))
    }

    fn list(&mut self, folder: &RepoPath) -> Result<Option<Vec<Entry>>> {
        self.step()?;
        self.files.listed(folder)
    }

    fn step(&mut self) -> Result<()> {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            bail!("it leads through more than {MOST_STEPS} folders; do symbolic links lead in a circle?");
        }
        Ok(())
    }
}

/// Merges the matches of another alternative into those of the previous ones: sorted, without duplicates.
fn merge(into: &mut Vec<RepoPath>, these: Vec<RepoPath>, is_walk: bool) {
    if is_walk {
        for path in these {
            if let Err(at) = into.binary_search(&path) {
                into.insert(at, path);
            }
        }
        return;
    }
    // doublestar assumes that both lists are sorted. They are not always, as folders are searched in the order of their
    // names (`a/x` comes before `a-b/x`); the result of its merge then defines the order.
    let second = into.len();
    into.extend(these);
    let mut first = 0;
    while first < second && second < into.len() {
        match into[first].cmp(&into[second]) {
            std::cmp::Ordering::Less => {}
            std::cmp::Ordering::Equal => drop(into.remove(second)),
            std::cmp::Ordering::Greater => {
                into.swap(first, second);
                let mut at = second;
                while at + 1 < into.len() && into[at + 1] < into[at] {
                    into.swap(at, at + 1);
                    at += 1;
                }
            }
        }
        first += 1;
    }
}

/// Returns the position of the next of these bytes that has no backslash before it.
fn next(text: &str, from: usize, wanted: &[u8]) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = from;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            byte if wanted.contains(&byte) => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// Returns the position of the last of these bytes that has no backslash before it.
fn last(text: &str, wanted: &[u8]) -> Option<usize> {
    let bytes = text.as_bytes();
    (0..bytes.len())
        .rev()
        .find(|at| wanted.contains(&bytes[*at]) && (*at == 0 || bytes[at - 1] != b'\\'))
}

fn next_double_star(text: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = next(text, from, b"*") {
        if text.as_bytes().get(at + 1) == Some(&b'*') {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

/// Returns the position of the brace that matches a closing brace right after the text.
fn opening(text: &str) -> Option<usize> {
    let mut depth = 1;
    let mut text = text;
    while let Some(at) = last(text, b"{}") {
        depth = if text.as_bytes()[at] == b'}' {
            depth + 1
        } else {
            depth - 1
        };
        if depth == 0 {
            return Some(at);
        }
        text = &text[..at];
    }
    None
}

/// Returns the alternatives between two braces; an empty one at the end is dropped.
fn choices(text: &str) -> Vec<&str> {
    let (mut choices, mut start, mut from, mut depth) = (Vec::new(), 0, 0, 0);
    while let Some(at) = next(text, from, b"{},") {
        match text.as_bytes()[at] {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ if depth == 0 => {
                choices.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        from = at + 1;
    }
    if start < text.len() {
        choices.push(&text[start..]);
    }
    choices
}

const META: [char; 6] = ['*', '?', '[', ']', '{', '}'];

/// Returns the path that a pattern without wildcards stands for.
fn unescaped(pattern: &str) -> String {
    META.iter().fold(pattern.to_owned(), |text, meta| {
        text.replace(&format!("\\{meta}"), &meta.to_string())
    })
}

/// Returns the pattern that matches exactly this path.
fn escaped(path: &str) -> String {
    META.iter()
        .fold(path.to_owned(), |text, meta| text.replace(*meta, &format!("\\{meta}")))
}

/// Reports whether a name matches one part of a pattern, in which there are no alternatives.
fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    // The position after the last star, and the position in the name where its match ends so far.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        let step = match pattern.get(p) {
            Some('*') => {
                p += if pattern.get(p + 1) == Some(&'*') { 2 } else { 1 };
                star = Some((p, n));
                continue;
            }
            Some('?') => Some(p + 1),
            Some('[') => class(&pattern, p + 1, name[n]),
            Some('\\') => (pattern.get(p + 1) == Some(&name[n])).then_some(p + 2),
            Some(c) => (*c == name[n]).then_some(p + 1),
            None => None,
        };
        match (step, star) {
            (Some(behind), _) => (p, n) = (behind, n + 1),
            (None, Some((behind, end))) => {
                star = Some((behind, end + 1));
                (p, n) = (behind, end + 1);
            }
            (None, None) => return false,
        }
    }
    // After the end of the name only a `*` or a `**` may be left.
    matches!(pattern[p..], [] | ['*'] | ['*', '*'])
}

/// Returns the position after a class of characters if the class contains the character.
fn class(pattern: &[char], start: usize, c: char) -> Option<usize> {
    let is_negated = matches!(pattern.get(start), Some('!' | '^'));
    let mut at = if is_negated { start + 1 } else { start };
    let (mut is_in, mut low) = (false, None);
    loop {
        match (pattern.get(at)?, low) {
            (']', _) => break,
            ('-', Some(from)) if pattern.get(at + 1)? != &']' => {
                at += if pattern[at + 1] == '\\' { 2 } else { 1 };
                is_in |= from <= c && c <= *pattern.get(at)?;
                low = None;
            }
            (part, _) => {
                at += usize::from(*part == '\\');
                let part = *pattern.get(at)?;
                is_in |= part == c;
                low = Some(part);
            }
        }
        at += 1;
    }
    (is_in != is_negated).then_some(at + 1)
}

/// Refuses a pattern with a class, an alternative or an escape that does not end.
fn check(pattern: &str) -> Result<()> {
    let bytes = pattern.as_bytes();
    if bytes.len() > LONGEST {
        bail!("it is longer than {LONGEST} bytes");
    }
    let (mut at, mut depth) = (0, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => {
                at += 1;
                if at == bytes.len() {
                    bail!("it ends in a backslash");
                }
            }
            b'[' => match end_of_class(bytes, at) {
                Some(end) => at = end,
                None => bail!("a `[` has no `]`, or there is nothing between them"),
            },
            b'{' if depth == DEEPEST => bail!("its alternatives are nested more than {DEEPEST} deep"),
            b'{' => depth += 1,
            b'}' if depth == 0 => bail!("a `}}` has no `{{`"),
            b'}' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    if depth > 0 {
        bail!("a `{{` has no `}}`");
    }
    Ok(())
}

/// Returns the end of the class that starts at a byte; the class is not empty and contains no slash.
fn end_of_class(bytes: &[u8], start: usize) -> Option<usize> {
    let is_negated = matches!(bytes.get(start + 1), Some(b'!' | b'^'));
    let first = start + 1 + usize::from(is_negated);
    let mut at = first;
    loop {
        match bytes.get(at)? {
            b']' => return (at > first).then_some(at),
            b'/' => return None,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests;
