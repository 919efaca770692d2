//! Versions and the constraints on them that a `targetRevision` may be, as Argo CD reads both: with the Go library
//! [semver](https://github.com/Masterminds/semver), whose constraints no crate has.

use std::cmp::Ordering;

/// A version, such as `v1.2.3-rc.1+build`; what is missing counts as 0.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Version<'t> {
    numbers: [u64; 3],
    prerelease: &'t str,
}

/// The reasons why a text is no version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NoVersion {
    /// It has another form.
    Form,
    /// It has the form of one, with a number that is too large or begins with 0.
    Number,
}

/// Returns the tag that a `targetRevision` means, as Argo CD does
/// ([source](https://github.com/argoproj/argo-cd/blob/master/util/versions/tags.go)): the newest one that a constraint allows;
/// `None` for a text that is no constraint, or one that no tag fits. The text is the name of a tag, branch or commit then.
pub fn newest<'t>(revision: &str, tags: impl IntoIterator<Item = &'t str>) -> Option<&'t str> {
    if Version::parse(revision).is_ok() {
        return None;
    }
    let text = with_ranges_rewritten(revision);
    let constraint = Constraint::parse(&text)?;
    let mut newest: Option<(&str, Version<'_>)> = None;
    for tag in tags {
        let version = match Version::parse(tag) {
            Ok(version) => version,
            Err(NoVersion::Form) => continue,
            Err(NoVersion::Number) => return None,
        };
        let is_newer = newest
            .as_ref()
            .is_none_or(|(_, newest)| version.order(newest) == Ordering::Greater);
        if is_newer && constraint.allows(&version) {
            newest = Some((tag, version));
        }
    }
    newest.map(|(tag, _)| tag)
}

/// Reports whether a `targetRevision` is a constraint, as `1.x` or `>=1.2 <2`, and not the name of one revision.
pub fn is_constraint(revision: &str) -> bool {
    Version::parse(revision).is_err() && Constraint::parse(&with_ranges_rewritten(revision)).is_some()
}

/// Reports whether a text is one version, with all three numbers: a constraint allows others, too.
pub fn is_exact(text: &str) -> bool {
    let parts = Parts::of(text, |c| c.is_ascii_digit());
    parts.is_some_and(|parts| parts.rest.is_empty() && parts.numbers.iter().all(|number| !number.is_empty()))
}

impl<'t> Version<'t> {
    fn parse(text: &'t str) -> Result<Self, NoVersion> {
        let parts = Parts::of(text, |c| c.is_ascii_digit()).filter(|parts| parts.rest.is_empty());
        let parts = parts.ok_or(NoVersion::Form)?;
        let mut numbers = [0; 3];
        for (number, text) in numbers.iter_mut().zip(parts.numbers) {
            if !text.is_empty() {
                *number = text.parse().map_err(|_| NoVersion::Number)?;
            }
        }
        if has_leading_zero(parts.prerelease) {
            return Err(NoVersion::Number);
        }
        Ok(Self {
            numbers,
            prerelease: parts.prerelease,
        })
    }

    fn order(&self, other: &Self) -> Ordering {
        self.numbers
            .cmp(&other.numbers)
            .then_with(|| match (self.prerelease, other.prerelease) {
                (one, other) if one == other => Ordering::Equal,
                ("", _) => Ordering::Greater,
                (_, "") => Ordering::Less,
                (one, other) => prerelease_order(one, other),
            })
    }
}

/// Reports whether a number of a pre-release begins with a 0.
fn has_leading_zero(prerelease: &str) -> bool {
    let is_wrong =
        |part: &str| part.len() > 1 && part.starts_with('0') && part.bytes().all(|byte| byte.is_ascii_digit());
    prerelease.split('.').any(is_wrong)
}

/// Compares two pre-releases part by part: numbers by value and before texts, a missing part before any other.
fn prerelease_order(one: &str, other: &str) -> Ordering {
    let (mut ones, mut others) = (one.split('.'), other.split('.'));
    loop {
        let (one, other) = match (ones.next(), others.next()) {
            (None, None) => return Ordering::Equal,
            (one, other) => (one.unwrap_or_default(), other.unwrap_or_default()),
        };
        let order = match (one.parse::<u64>(), other.parse::<u64>()) {
            _ if one == other => Ordering::Equal,
            _ if one.is_empty() || other.is_empty() => one.len().cmp(&other.len()),
            (Ok(one), Ok(other)) => one.cmp(&other).then(Ordering::Less),
            (Ok(_), Err(_)) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Err(_), Err(_)) => one.cmp(other),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// The parts of a version or of one in a constraint, as they are written.
struct Parts<'t> {
    numbers: [&'t str; 3],
    prerelease: &'t str,
    rest: &'t str,
}

impl<'t> Parts<'t> {
    /// Takes a version apart whose numbers consist of these characters; `None` where there is none.
    fn of(text: &'t str, is_number: impl Fn(char) -> bool) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let run = |text: &'t str| text.split_at(text.find(|c| !is_number(c)).unwrap_or(text.len()));
        let (first, mut rest) = run(text);
        let mut numbers = [first, "", ""];
        for number in &mut numbers[1..] {
            let (more, behind) = rest.strip_prefix('.').map_or(("", rest), run);
            if more.is_empty() {
                break;
            }
            (*number, rest) = (more, behind);
        }
        let (prerelease, rest) = identifiers(rest, '-');
        let (_, rest) = identifiers(rest, '+');
        let parts = Self {
            numbers,
            prerelease,
            rest,
        };
        (!first.is_empty()).then_some(parts)
    }
}

/// Returns what stands behind a sign as identifiers with dots between them, and the rest.
fn identifiers(text: &str, sign: char) -> (&str, &str) {
    let Some(behind) = text.strip_prefix(sign) else {
        return ("", text);
    };
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let mut end = 0;
    loop {
        let from = if end == 0 { 0 } else { end + 1 };
        let run = behind[from..].find(|c| !is_part(c)).unwrap_or(behind.len() - from);
        if run == 0 {
            break;
        }
        end = from + run;
        if !behind[end..].starts_with('.') {
            break;
        }
    }
    if end == 0 { ("", text) } else { behind.split_at(end) }
}

/// Alternatives, each of several conditions that hold together.
struct Constraint<'t>(Vec<Vec<Condition<'t>>>);

/// One condition, such as `>=1.2`.
struct Condition<'t> {
    operator: &'t str,
    version: Version<'t>,
    /// The number of parts that are given and no `x` or `*`, at most 3.
    given: usize,
}

/// The operators; one that begins like another comes first.
const OPERATORS: [&str; 11] = ["!=", ">=", "=>", "<=", "=<", "~>", "=", ">", "<", "~", "^"];

impl<'t> Constraint<'t> {
    fn parse(text: &'t str) -> Option<Self> {
        let alternatives: Option<Vec<_>> = text.split("||").map(conditions).collect();
        alternatives.map(Self)
    }

    fn allows(&self, version: &Version<'_>) -> bool {
        self.0.iter().any(|conditions| {
            let takes_prereleases = conditions
                .iter()
                .any(|condition| !condition.version.prerelease.is_empty());
            (version.prerelease.is_empty() || takes_prereleases)
                && conditions.iter().all(|condition| condition.allows(version))
        })
    }
}

/// Returns a constraint with each range `1.2 - 2.3` as two conditions. This comes before everything else, and `|` counts as
/// part of a number: the library does it in this order.
fn with_ranges_rewritten(text: &str) -> String {
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    while let Some(c) = text[at..].chars().next() {
        let length = match range(&text[at..]) {
            Some((lower, upper, rest)) => {
                out += &format!(">= {lower}, <= {upper} ");
                text.len() - at - rest.len()
            }
            None => {
                out.push(c);
                c.len_utf8()
            }
        };
        at += length;
    }
    out
}

/// Returns the two ends of a range that a text begins with, and the rest.
fn range(text: &str) -> Option<(&str, &str, &str)> {
    let end = |text: &'_ str| Some(text.len() - Parts::of(text, is_number)?.rest.len());
    let text = text.trim_start_matches(is_space);
    let (lower, behind) = text.split_at(end(text)?);
    let dash = behind.trim_start_matches(is_space).strip_prefix('-')?;
    let rest = dash.trim_start_matches(is_space);
    if !behind.starts_with(is_space) || !dash.starts_with(is_space) {
        return None;
    }
    let (upper, rest) = rest.split_at(end(rest)?);
    Some((lower, upper, rest.trim_start_matches(is_space)))
}

/// Reports whether a character is part of a number in a constraint.
fn is_number(c: char) -> bool {
    c.is_ascii_digit() || "xX*|".contains(c)
}

fn is_space(c: char) -> bool {
    " \t\n\r\x0c".contains(c)
}

/// Returns the conditions between two `||`; blanks or commas separate them.
fn conditions(text: &str) -> Option<Vec<Condition<'_>>> {
    let (mut found, mut rest) = (Vec::new(), text.trim_start_matches(is_space));
    loop {
        let (operator, behind) = operator(rest);
        let (condition, behind) = Condition::of(operator, behind.trim_start_matches(is_space))?;
        found.push(condition);
        let spaced = behind.trim_start_matches(is_space);
        if spaced.is_empty() {
            return Some(found);
        }
        let has_space = spaced.len() < behind.len();
        let next = spaced.strip_prefix(',').map(|next| next.trim_start_matches(is_space));
        rest = next.or(has_space.then_some(spaced))?;
    }
}

fn operator(text: &str) -> (&str, &str) {
    let found = OPERATORS.iter().find(|operator| text.starts_with(**operator));
    text.split_at(found.map_or(0, |operator| operator.len()))
}

impl<'t> Condition<'t> {
    /// Reads the version behind an operator.
    fn of(operator: &'t str, text: &'t str) -> Option<(Self, &'t str)> {
        let parts = Parts::of(text, is_number)?;
        let is_given = |number: &&str| !matches!(*number, "" | "x" | "X" | "*");
        let given = parts.numbers.iter().take_while(|number| is_given(number)).count();
        let mut numbers = [0; 3];
        for (number, text) in numbers.iter_mut().zip(&parts.numbers[..given]) {
            *number = text.parse().ok()?;
        }
        if has_leading_zero(parts.prerelease) {
            return None;
        }
        let version = Version {
            numbers,
            prerelease: parts.prerelease,
        };
        let condition = Self {
            operator,
            version,
            given,
        };
        Some((condition, parts.rest))
    }

    fn allows(&self, version: &Version<'_>) -> bool {
        let (order, given) = (version.order(&self.version), self.given);
        let start = |count: usize| version.numbers[..count].cmp(&self.version.numbers[..count]);
        let is_zero = self.version.numbers == [0; 3];
        match self.operator {
            "!=" if given == 1 => start(1).is_ne(),
            "!=" if given == 2 => start(2).is_ne() || version.prerelease != self.version.prerelease,
            "!=" => order.is_ne(),
            ">" if matches!(given, 1 | 2) => start(given).is_gt(),
            ">" => order.is_gt(),
            "<" => order.is_lt(),
            ">=" | "=>" => order.is_ge(),
            "<=" | "=<" if given == 3 => order.is_le(),
            "<=" | "=<" if given == 1 => start(1).is_le(),
            "<=" | "=<" => start(2).is_le(),
            _ if order.is_lt() => false,
            "^" => start(self.fixed_by_caret()).is_eq(),
            "" | "=" if given == 3 => order.is_eq(),
            // `~0.0.0` and `*` allow everything from there on.
            _ => is_zero && matches!(given, 0 | 3) || start(given.clamp(1, 2)).is_eq(),
        }
    }

    /// Returns how many numbers stay the same under `^`: up to the first that is not 0.
    fn fixed_by_caret(&self) -> usize {
        match self.version.numbers {
            [0, 0, _] if matches!(self.given, 0 | 3) => 3,
            [0, ..] if self.given != 1 => 2,
            _ => 1,
        }
    }
}

#[cfg(test)]
mod tests;
