//! The globs of `include` and `exclude`: those of the Go library that Argo CD uses for them, without separators
//! ([source](https://github.com/argoproj/argo-cd/blob/master/util/glob/glob.go),
//! [syntax](https://pkg.go.dev/github.com/gobwas/glob#Compile)).
//!
//! `*` and `?` match a `/` as well, `{a,b}` are alternatives, `[abc]`, `[a-c]` and `[!…]` are classes of characters, `\`
//! takes the meaning from the next character. `tests/vectors/glob` holds what the Go library answers.

use std::collections::BTreeSet;
use std::iter::Peekable;
use std::str::Chars;

use anyhow::{Result, bail};

/// Alternatives may stand in alternatives, so deep and no deeper.
const DEEPEST: usize = 50;

/// A glob that was read.
#[derive(Debug)]
pub(super) struct Glob(Vec<Part>);

#[derive(Debug)]
enum Part {
    Char(char),
    One,
    Any,
    Range { low: char, high: char, is_negated: bool },
    List { chars: Vec<char>, is_negated: bool },
    Choices(Vec<Vec<Part>>),
}

impl Glob {
    /// Reads a glob.
    ///
    /// # Errors
    /// When a class of characters is empty, does not end, or runs backwards.
    pub(super) fn new(text: &str) -> Result<Self> {
        let mut chars = text.chars().peekable();
        // Argo CD takes alternatives that do not end for ones that end with the glob.
        Ok(Self(sequence(&mut chars, 0)?))
    }

    /// Whether it matches the whole of a path.
    pub(super) fn matches(&self, path: &str) -> bool {
        let path: Vec<char> = path.chars().collect();
        ends(&self.0, &path, &BTreeSet::from([0])).contains(&path.len())
    }
}

/// The parts up to the end, or to the comma or brace that ends an alternative.
fn sequence(chars: &mut Peekable<Chars<'_>>, depth: usize) -> Result<Vec<Part>> {
    if depth > DEEPEST {
        bail!("its alternatives stand more than {DEEPEST} deep in each other");
    }
    let mut parts = Vec::new();
    while let Some(&c) = chars.peek() {
        if depth > 0 && matches!(c, ',' | '}') {
            break;
        }
        chars.next();
        match c {
            '*' => parts.push(Part::Any),
            '?' => parts.push(Part::One),
            '[' => parts.push(class(chars)?),
            '{' => parts.push(Part::Choices(choices(chars, depth + 1)?)),
            '\\' => parts.extend(chars.next().map(Part::Char)),
            _ => parts.push(Part::Char(c)),
        }
    }
    Ok(parts)
}

fn choices(chars: &mut Peekable<Chars<'_>>, depth: usize) -> Result<Vec<Vec<Part>>> {
    let mut choices = Vec::new();
    loop {
        choices.push(sequence(chars, depth)?);
        if chars.next() != Some(',') {
            return Ok(choices);
        }
    }
}

/// A class behind its bracket: one range, or a list in which a `-` is a character like others.
fn class(chars: &mut Peekable<Chars<'_>>) -> Result<Part> {
    let is_negated = chars.next_if_eq(&'!').is_some();
    let mut ahead = chars.clone();
    if let (Some(low), Some('-'), Some(high)) = (ahead.next(), ahead.next(), ahead.next()) {
        if ahead.next() != Some(']') {
            bail!("a range of characters has no `]` behind it");
        }
        if high < low {
            bail!("the range `{low}-{high}` runs backwards");
        }
        *chars = ahead;
        return Ok(Part::Range { low, high, is_negated });
    }
    let mut list = Vec::new();
    loop {
        match chars.next() {
            Some(']') if list.is_empty() => bail!("nothing stands between `[` and `]`"),
            Some(']') => break,
            Some('\\') => list.extend(chars.next()),
            Some(c) => list.push(c),
            None => bail!("a `[` has no `]`"),
        }
    }
    Ok(Part::List {
        chars: list,
        is_negated,
    })
}

/// Where in the path the parts can end that begin at one of the given places.
fn ends(parts: &[Part], path: &[char], starts: &BTreeSet<usize>) -> BTreeSet<usize> {
    let mut places = starts.clone();
    for part in parts {
        let one = |is_it: &dyn Fn(char) -> bool| -> BTreeSet<usize> {
            let here = places.iter().filter(|at| path.get(**at).is_some_and(|c| is_it(*c)));
            here.map(|at| at + 1).collect()
        };
        places = match part {
            Part::Char(wanted) => one(&|c| c == *wanted),
            Part::One => one(&|_| true),
            Part::Range { low, high, is_negated } => one(&|c| (*low <= c && c <= *high) != *is_negated),
            Part::List { chars, is_negated } => one(&|c| chars.contains(&c) != *is_negated),
            Part::Any => places
                .first()
                .map(|first| (*first..=path.len()).collect())
                .unwrap_or_default(),
            Part::Choices(choices) => choices.iter().flat_map(|choice| ends(choice, path, &places)).collect(),
        };
    }
    places
}

#[cfg(test)]
mod tests;
