//! The globs of `include` and `exclude`, and of AppProjects: those of the Go library that Argo CD uses for them
//! ([source](https://github.com/argoproj/argo-cd/blob/master/util/glob/glob.go),
//! [syntax](https://pkg.go.dev/github.com/gobwas/glob#Compile)).
//!
//! `*` and `?` match a `/` as well, unless it separates: then only `**` does. `{a,b}` are alternatives, `[abc]`, `[a-c]` and `[!…]` are classes of characters, `\`
//! takes the meaning from the next character. `tests/vectors/glob` holds what the Go library answers.
//!
//! The library is wrong about many globs with wildcards in alternatives: `{a*,b}.yaml` matches `b.yaml` but not
//! `aa.yaml`. A file that matches only here would appear or disappear when an Application moves to the plugin, so such
//! a glob is refused.

use std::collections::BTreeSet;
use std::iter::Peekable;
use std::str::Chars;

use anyhow::{Result, anyhow, bail};

use crate::failure::HintExt;

/// The maximum depth of nested alternatives.
const DEEPEST: usize = 50;

/// A parsed glob.
#[derive(Clone, Debug)]
pub struct Glob {
    parts: Vec<Part>,
    /// What `*` and `?` do not match.
    separator: Option<char>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Char(char),
    One,
    Any { is_double: bool },
    Range { low: char, high: char, is_negated: bool },
    List { chars: Vec<char>, is_negated: bool },
    Choices(Vec<Vec<Part>>),
}

impl Glob {
    /// Parses a glob.
    ///
    /// # Errors
    /// When a class of characters is empty, does not end, or runs backwards; when Argo CD's library is not to be trusted
    /// with it.
    pub fn new(text: &str) -> Result<Self> {
        Self::separated(text, None)
    }

    /// Parses a glob whose `*` and `?` do not match a character.
    ///
    /// # Errors
    /// As [`Glob::new`].
    pub fn separated(text: &str, separator: Option<char>) -> Result<Self> {
        let mut chars = text.chars().peekable();
        // For Argo CD alternatives without a closing brace end with the glob.
        let parts = sequence(&mut chars, 0)?;
        if !is_safe(&parts) {
            return Err(anyhow!("Argo CD matches it incorrectly").hint(
                "write alternatives without wildcards, or one `{…}` around whole globs that have no beginning or end in common",
            ));
        }
        Ok(Self { parts, separator })
    }

    /// Reports whether it matches the whole of a path.
    pub fn matches(&self, path: &str) -> bool {
        let path: Vec<char> = path.chars().collect();
        self.ends(&self.parts, &path, &BTreeSet::from([0]))
            .contains(&path.len())
    }

    /// Returns the positions in the path at which the parts can end if they begin at one of the given positions.
    fn ends(&self, parts: &[Part], path: &[char], starts: &BTreeSet<usize>) -> BTreeSet<usize> {
        if let Some((before, behind)) = self.around_a_star(parts) {
            // Argo CD's library lets the two overlap: `a*ab` matches `ab`.
            let all = starts
                .iter()
                .flat_map(|start| (*start..=path.len()).map(|end| (*start, end)));
            let fits = |text: &[char]| text.starts_with(&before) && text.ends_with(&behind);
            return all
                .filter(|(start, end)| fits(&path[*start..*end]))
                .map(|(_, end)| end)
                .collect();
        }
        let mut places = starts.clone();
        for part in parts {
            let one = |is_it: &dyn Fn(char) -> bool| -> BTreeSet<usize> {
                let here = places.iter().filter(|at| path.get(**at).is_some_and(|c| is_it(*c)));
                here.map(|at| at + 1).collect()
            };
            places = match part {
                Part::Char(wanted) => one(&|c| c == *wanted),
                Part::One => one(&|c| Some(c) != self.separator),
                Part::Range { low, high, is_negated } => one(&|c| (*low <= c && c <= *high) != *is_negated),
                Part::List { chars, is_negated } => one(&|c| chars.contains(&c) != *is_negated),
                Part::Any { is_double } => places
                    .iter()
                    .flat_map(|from| *from..=self.end_of_star(path, *from, *is_double))
                    .collect(),
                Part::Choices(choices) => choices
                    .iter()
                    .flat_map(|choice| self.ends(choice, path, &places))
                    .collect(),
            };
        }
        places
    }

    /// Returns the two texts of a glob that consists of one text, stars, and another text.
    fn around_a_star(&self, parts: &[Part]) -> Option<(Vec<char>, Vec<char>)> {
        let nodes = nodes(parts);
        let [before, stars @ .., behind] = &nodes[..] else {
            return None;
        };
        let is_star =
            |node: &&[Part]| matches!(node, [Part::Any { is_double }] if *is_double || self.separator.is_none());
        let text = |parts: &[Part]| -> Option<Vec<char>> {
            let char = |part: &Part| match part {
                Part::Char(c) => Some(*c),
                _ => None,
            };
            parts.iter().map(char).collect()
        };
        if stars.is_empty() || !stars.iter().all(is_star) {
            return None;
        }
        Some((text(before)?, text(behind)?))
    }

    /// Returns the last position at which a star can end that begins at a position.
    fn end_of_star(&self, path: &[char], from: usize, is_double: bool) -> usize {
        let is_end = |c: &char| !is_double && Some(*c) == self.separator;
        let length = path[from..].iter().position(is_end);
        length.map_or(path.len(), |length| from + length)
    }
}

/// Parses the parts up to the end, or to the comma or brace that ends an alternative.
fn sequence(chars: &mut Peekable<Chars<'_>>, depth: usize) -> Result<Vec<Part>> {
    if depth > DEEPEST {
        bail!("its alternatives are nested more than {DEEPEST} deep");
    }
    let mut parts = Vec::new();
    while let Some(&c) = chars.peek() {
        if depth > 0 && matches!(c, ',' | '}') {
            break;
        }
        chars.next();
        match c {
            '*' => parts.push(Part::Any {
                is_double: chars.next_if_eq(&'*').is_some(),
            }),
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

/// Parses a class after its bracket: one range, or a list in which `-` is an ordinary character.
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
            Some(']') if list.is_empty() => bail!("there is nothing between `[` and `]`"),
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

/// Reports whether Argo CD's library matches the glob correctly. It calculates with the lengths of alternatives, and
/// treats alternatives of different lengths as equal; and it extracts the common beginning and end of all alternatives,
/// and searches for those alone.
fn is_safe(parts: &[Part]) -> bool {
    let groups: Vec<&Vec<Vec<Part>>> = parts.iter().filter_map(choices_of).collect();
    let mut choices = groups.iter().copied().flatten();
    if choices.clone().all(|choice| is_text(choice)) {
        return true;
    }
    let [group] = groups[..] else { return false };
    if !choices.all(|choice| !choice.is_empty() && choice.iter().all(|part| choices_of(part).is_none())) {
        return false;
    }
    let nodes: Vec<Vec<&[Part]>> = group.iter().map(|choice| nodes(choice)).collect();
    let (left, right) = common(&nodes);
    let is_any = |part: &Part| matches!(part, Part::Any { .. });
    let is_endless = group.iter().all(|choice| choice.iter().any(is_any));
    let rest = |choice: &Vec<&[Part]>| choice.len() == left + right + 1 && is_text(choice[left]);
    let is_drawn_out = left < 2 && right < 2 && nodes.iter().all(rest);
    match parts.len() {
        1 => nodes.len() == 1 || left + right == 0 || is_drawn_out,
        // Next to parts of a fixed length, no alternative may have a fixed length.
        _ => is_endless && (left + right == 0 || is_drawn_out) && !parts.iter().any(is_any),
    }
}

fn choices_of(part: &Part) -> Option<&Vec<Vec<Part>>> {
    match part {
        Part::Choices(choices) => Some(choices),
        _ => None,
    }
}

fn is_text(parts: &[Part]) -> bool {
    !parts.is_empty() && parts.iter().all(|part| matches!(part, Part::Char(_)))
}

/// Returns the number of nodes that all alternatives have in common at their start, and at their end.
fn common(choices: &[Vec<&[Part]>]) -> (usize, usize) {
    let shortest = choices.iter().map(Vec::len).min().unwrap_or_default();
    let is_common = |place: &dyn Fn(usize) -> usize| {
        let node = |choice: &Vec<&'_ [Part]>| format!("{:?}", choice[place(choice.len())]);
        choices.iter().all(|choice| node(choice) == node(&choices[0]))
    };
    let left = (0..shortest).take_while(|at| is_common(&|_| *at)).count();
    let right = (0..shortest)
        .take_while(|at| is_common(&|length| length - 1 - at))
        .count();
    (left, right)
}

/// Groups adjacent characters into one node.
fn nodes(parts: &[Part]) -> Vec<&[Part]> {
    parts
        .chunk_by(|a, b| matches!((a, b), (Part::Char(_), Part::Char(_))))
        .collect()
}

#[cfg(test)]
mod tests;
