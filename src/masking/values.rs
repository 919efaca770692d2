//! The user's values, found in a message however they are spelled.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::MASK;
use super::skeleton::Skeleton;

/// The bytes of a skeleton that are enough to find it anywhere. A shorter secret is masked where it stands as a word of
/// its own: everywhere else it would mask what the message says, and tell by that what it is. A shorter value that is no
/// secret, such as a port, stays.
const FINDABLE: usize = 4;
/// The bytes of a message that are read; what is behind them is not shown.
const READ: usize = 64 << 10;
/// Endings of the files whose places helm names, as `chart/templates/a.yaml:3:4`.
const TEMPLATES: [&str; 5] = [".yaml", ".yml", ".tpl", ".txt", ".json"];

/// Values that no message may show.
///
/// Not found are a secret of nothing but blanks, quotes, backslashes and plus signs with less than four of them, and what
/// a template made of a value by more than spelling it: a part, a digest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values {
    secret: BTreeSet<String>,
    other: BTreeSet<String>,
}

impl Values {
    /// Adds a secret.
    pub fn add_secret(&mut self, text: impl Into<String>) {
        self.secret.insert(text.into());
    }

    /// Adds a value that may be one, or any other: the place of a template is more important than that.
    pub fn add(&mut self, text: impl Into<String>) {
        self.other.insert(text.into());
    }

    /// Returns a message without the values. A message of more than 64 KiB is cut.
    pub fn mask(&self, text: &str) -> String {
        let cut = (text.len() > READ).then(|| (READ - 3..=READ).rfind(|at| text.is_char_boundary(*at)));
        let (text, is_cut) = (&text[..cut.flatten().unwrap_or(text.len())], cut.is_some());
        let places = places(text);
        let (secret, other) = (spelled(&self.secret), spelled(&self.other));
        let whole: BTreeSet<&str> = self.secret.iter().map(|value| value.trim()).collect();
        let mut found = Vec::new();
        for reads_escapes in [true, false] {
            let message = Message::new(text, reads_escapes, is_cut);
            for value in &secret {
                let skeleton = Skeleton::of(value, reads_escapes).bytes;
                if skeleton.len() >= FINDABLE {
                    message.find(&skeleton, &mut found);
                } else if whole.contains(value.as_str()) {
                    let words = message.words(&skeleton).into_iter();
                    found.extend(words.filter(|word| !is_inside(word, &places)));
                }
            }
            for value in &other {
                let skeleton = Skeleton::of(value, reads_escapes).bytes;
                let mut here = Vec::new();
                if skeleton.len() >= FINDABLE {
                    message.find(&skeleton, &mut here);
                }
                found.extend(here.into_iter().filter(|range| !is_inside(range, &places)));
            }
        }
        for value in secret.iter().filter(|value| value.len() >= FINDABLE) {
            found.extend(text.match_indices(value.as_str()).map(|(at, _)| at..at + value.len()));
        }
        masked(text, found)
    }
}

/// Returns the texts to search for: the values, the lines of those with several, numbers as Go prints them, and Base64.
fn spelled(values: &BTreeSet<String>) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for value in values {
        all.insert(value.trim().to_owned());
        let lines = value.lines().map(str::trim).filter(|line| line.len() >= FINDABLE);
        all.extend(lines.map(str::to_owned));
        if value.len() >= FINDABLE {
            all.insert(STANDARD_NO_PAD.encode(value));
            all.insert(URL_SAFE_NO_PAD.encode(value));
        }
        all.extend(numbers(value));
    }
    all.remove("");
    all
}

/// Returns a number as Go prints it: with an exponent, as an integer, and with commas.
fn numbers(text: &str) -> Vec<String> {
    let Some(number) = text.trim().parse::<f64>().ok().filter(|number| number.is_finite()) else {
        return Vec::new();
    };
    let integer = format!("{number:.0}");
    let (mantissa, exponent) = {
        let text = format!("{number:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        (mantissa.to_owned(), exponent.parse::<i32>().unwrap_or_default())
    };
    let sign = if exponent < 0 { '-' } else { '+' };
    let mut grouped = String::new();
    for (at, digit) in integer.chars().enumerate() {
        if at > 0 && (integer.len() - at).is_multiple_of(3) && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    vec![
        format!("{mantissa}e{sign}{:02}", exponent.abs()),
        format!("{number}"),
        integer,
        grouped,
    ]
}

/// A message's skeleton, and where each four bytes of it stand.
struct Message<'t> {
    text: &'t str,
    skeleton: Skeleton,
    starts: HashMap<[u8; FINDABLE], Vec<u32>>,
    is_cut: bool,
}

impl<'t> Message<'t> {
    fn new(text: &'t str, reads_escapes: bool, is_cut: bool) -> Self {
        let skeleton = Skeleton::of(text, reads_escapes);
        let mut starts: HashMap<[u8; FINDABLE], Vec<u32>> = HashMap::new();
        for (at, start) in skeleton.bytes.windows(FINDABLE).enumerate() {
            if let Ok(start) = start.try_into() {
                starts.entry(start).or_default().push(at as u32);
            }
        }
        Self {
            text,
            skeleton,
            starts,
            is_cut,
        }
    }

    /// Finds a value, and the beginning of it where the message breaks off, as in `hunter...`.
    fn find(&self, value: &[u8], found: &mut Vec<Range<usize>>) {
        let Ok(start) = <[u8; FINDABLE]>::try_from(&value[..FINDABLE]) else {
            return;
        };
        for at in self.starts.get(&start).into_iter().flatten() {
            let at = *at as usize;
            let rest = &self.skeleton.bytes[at..];
            let same = rest.iter().zip(value).take_while(|(one, other)| one == other).count();
            let behind = &rest[same..];
            let breaks_off =
                behind.starts_with(b"...") || behind.starts_with(MASK.as_bytes()) || behind.is_empty() && self.is_cut;
            if same == value.len() || breaks_off {
                found.push(self.skeleton.place(at, at + same));
            }
        }
    }

    /// Finds a short text where it is a word of its own.
    fn words(&self, value: &[u8]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        if value.is_empty() {
            return found;
        }
        for (at, _) in self
            .skeleton
            .bytes
            .windows(value.len())
            .enumerate()
            .filter(|(_, part)| *part == value)
        {
            let place = self.skeleton.place(at, at + value.len());
            let before = self.text[..place.start].chars().next_back();
            let behind = self.text[place.end..].chars().next();
            if ![before, behind].into_iter().flatten().any(char::is_alphanumeric) {
                found.push(place);
            }
        }
        found
    }
}

/// Returns the places of templates in a message.
fn places(text: &str) -> Vec<Range<usize>> {
    let is_of_path = |sign: char| sign.is_ascii_alphanumeric() || "._-/".contains(sign);
    let mut places = Vec::new();
    for folder in ["/templates/", "/charts/"] {
        for (at, _) in text.match_indices(folder) {
            let start = text[..at]
                .rfind(|sign| !is_of_path(sign))
                .map_or(0, |sign| sign + text[sign..].chars().next().map_or(1, char::len_utf8));
            let end = text[at..]
                .find(|sign| !is_of_path(sign))
                .map_or(text.len(), |end| at + end);
            if TEMPLATES.iter().any(|ending| text[start..end].ends_with(ending)) {
                let line = text[end..]
                    .bytes()
                    .take_while(|byte| byte.is_ascii_digit() || *byte == b':')
                    .count();
                places.push(start..end + line);
            }
        }
    }
    places
}

fn is_inside(range: &Range<usize>, places: &[Range<usize>]) -> bool {
    places
        .iter()
        .any(|place| place.start <= range.start && range.end <= place.end)
}

/// Returns a text with a mask in the place of each of the ranges; those that meet get one.
fn masked(text: &str, mut ranges: Vec<Range<usize>>) -> String {
    ranges.sort_by_key(|range| range.start);
    let mut out = String::with_capacity(text.len());
    let mut done = None;
    for range in ranges {
        match &mut done {
            Some(done) if range.start <= *done => *done = range.end.max(*done),
            _ => {
                out.push_str(&text[done.unwrap_or(0)..range.start]);
                out.push_str(MASK);
                done = Some(range.end);
            }
        }
    }
    out.push_str(&text[done.unwrap_or(0)..]);
    out
}

#[cfg(test)]
mod tests;
