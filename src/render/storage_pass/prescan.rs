//! Finds the documents of a stream that the storage rules never change, without parsing them.
//!
//! Most of a rendered stream is such documents, and their parse is most of the time that the storage rules take. The
//! prescan decides on a document only where every reader of YAML that accepts the document reads the same `apiVersion`,
//! `kind` and name, and no `items`. It never decides on doubt: the caller parses the document then.
//!
//! All of the prescan is in this file, because its proof ties both of its halves together: the keys of an object that
//! have to be read, and the text around them that cannot change what they are.
//!
//! # Why no document is passed by wrongly
//!
//! 1. **Lines are lines.** The document has none of the characters that end a line for some readers and not for others:
//!    carriage returns, U+0085, U+2028, U+2029 ([`Header::is_alone`]). A line starts behind `\n` and nowhere else, so that
//!    a comment ends where it seems to end, and the column of a token is the number of characters before it. Nor has it a
//!    byte order mark, behind which go-yaml may skip the first character of a line.
//! 2. **The document is a block mapping in column 0.** Before its first entry there are only blank lines and comments,
//!    and the first token is a plain or simply quoted key in column 0. A byte order mark, a directive, an anchor, a tag,
//!    a bracket, an indented key or a dash in its place is not decided on ([`Header::read`]).
//! 3. **The header is read line by line while nothing is open.** Up to the end of `metadata`, each line is blank, a
//!    comment or a whole entry: a simple key with one word or `{}` behind it, or with nothing behind it; below `metadata`
//!    also, in a list, a dash with one word behind it. A line is never deeper than a value above it, which it would
//!    continue. No such line can leave a quoted scalar, a bracket or a block scalar open. `apiVersion`, `kind`, `metadata`
//!    and the name are therefore entries of the mappings in which they seem to be, their values are these words, and
//!    `metadata` ends where it seems to end. `apiVersion`, `kind` and `metadata` stand there once, and each name is a
//!    string that is not empty.
//! 4. **No later entry overrides them.** What follows `metadata` may be anything, and may be misread: a line may be text
//!    of a quoted scalar, of a bracket or of a block scalar. But an entry of a block mapping starts with its key, in the
//!    mapping's column, as the first token of its line. Every further entry of the document is therefore among the lines
//!    that start in column 0. Each of those lines has to start with a simple key, or with the dash of a sequence, which is
//!    no key. A key in quotes with escapes, an alias, an anchor, a tag, a merge, a question mark and the end of the
//!    document `...` are not decided on. None of the keys may be one of the header's, or `items`. Lines that only seem to
//!    be entries make this check stricter.
//!
//! A document that no reader accepts can be passed by. It goes out as it came, and Argo CD refuses it.

use std::ops::RangeInclusive;

use memchr::{memchr, memchr2_iter, memmem};

use crate::model::claim_use::is_closed;

/// Reports whether the storage rules never change an object of this kind.
pub(super) fn is_passed_by(api_version: &str, kind: &str) -> bool {
    is_closed(api_version.split_once('/').map_or("", |(group, _)| group), kind)
}

/// The characters of Unicode that end a line in [YAML 1.1](https://yaml.org/spec/1.1/#id871136) and not in YAML 1.2.
const LINE_ENDS: [&str; 3] = ["\u{85}", "\u{2028}", "\u{2029}"];

/// Behind one inside a document go-yaml may skip the first character of a line
/// ([source](https://github.com/yaml/go-yaml/blob/v2/yamlprivateh.go), `is_bom`).
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The keys of the document that may stand there once only; `items` not at all, since Argo CD takes its object apart.
const RESERVED: [&str; 4] = ["apiVersion", "kind", "metadata", "items"];

/// Reports whether a document has only comments and blank lines.
pub(super) fn is_blank(text: &str) -> bool {
    let is_blank = |line: &str| {
        let line = line.trim_start_matches([' ', '\t']);
        line.is_empty() || line.starts_with('#') && !has_line_end(line) && !line.contains(BYTE_ORDER_MARK)
    };
    text.strip_prefix('\u{feff}').unwrap_or(text).lines().all(is_blank)
}

/// Reports whether a line has a character that ends it for some readers of YAML.
fn has_line_end(line: &str) -> bool {
    line.contains('\r') || LINE_ENDS.iter().any(|sign| line.contains(sign))
}

/// The start of a document, up to the end of its `metadata`.
#[derive(Debug)]
pub(super) struct Header<'t> {
    text: &'t str,
    pub(super) api_version: &'t str,
    pub(super) kind: &'t str,
    /// The offset of the first line in column 0 behind `metadata`.
    end: usize,
}

impl<'t> Header<'t> {
    /// Reads the header of a document that starts with `apiVersion` and `kind`, in any order, and with a `metadata` that
    /// has a name. Returns nothing where only a parser can tell. The header counts only if it [is alone](Self::is_alone).
    pub(super) fn read(text: &'t str) -> Option<Self> {
        let (mut api_version, mut kind) = (None, None);
        let mut lines = Lines { text, at: 0 };
        loop {
            let line = lines.next().filter(|line| line.indent == 0)?;
            let (key, value) = line.entry()?;
            match (key, value) {
                ("metadata", Value::Absent) => break,
                ("apiVersion", value) if api_version.is_none() => api_version = Some(value.string()?),
                ("kind", value) if kind.is_none() => kind = Some(value.string()?),
                (_, Value::Absent) => return None,
                (key, _) if !RESERVED.contains(&key) => {}
                _ => return None,
            }
        }
        Some(Self {
            text,
            api_version: api_version?,
            kind: kind?,
            end: metadata(&mut lines)?,
        })
    }

    /// Reports whether nothing behind the header can override it, and no character in the document can make it another.
    pub(super) fn is_alone(&self) -> bool {
        let bytes = self.text.as_bytes();
        if bytes.get(self.end).is_some() && !self.allows(self.end) {
            return false;
        }
        let is_harmless = |at: usize| match bytes.get(at + 1) {
            _ if bytes[at] == b'\r' => false,
            None | Some(b' ' | b'#' | b'\n') => true,
            Some(_) => at < self.end || self.allows(at + 1),
        };
        let mut signs = LINE_ENDS.iter().chain([&BYTE_ORDER_MARK]);
        memchr2_iter(b'\n', b'\r', bytes).all(is_harmless)
            && (bytes.is_ascii() || !signs.any(|sign| memmem::find(bytes, sign.as_bytes()).is_some()))
    }

    /// Reports whether the line that starts in column 0 here cannot be an entry that overrides the header.
    fn allows(&self, start: usize) -> bool {
        let line = &self.text[start..];
        match line.as_bytes() {
            [b'-'] | [b'-', b' ' | b'\n', ..] => true,
            _ => key(line).is_some_and(|(key, _)| !RESERVED.contains(&key)),
        }
    }
}

/// Reads the lines of `metadata`, and returns the offset of the first line behind them, if there is a name.
fn metadata(lines: &mut Lines<'_>) -> Option<usize> {
    let mut depth = None;
    let mut has_name = false;
    // The next line may be this deep: a deeper one would continue the value above it.
    let mut deepest = usize::MAX;
    // Where an entry of a list may stand: below a key without a value, then beside the one above it.
    let mut list: Option<RangeInclusive<usize>> = None;
    for line in lines.by_ref() {
        if line.indent == 0 {
            return has_name.then_some(line.start);
        }
        let depth = *depth.get_or_insert(line.indent);
        if line.indent < depth || line.indent > deepest {
            return None;
        }
        if line.content == EMPTY {
            // Charts print it below its key. Only a shallower line can follow.
            deepest = line.indent - 1;
            continue;
        }
        if list.take().is_some_and(|list| list.contains(&line.indent)) && line.is_item() {
            deepest = line.indent;
            list = Some(line.indent..=line.indent);
            continue;
        }
        let (key, value) = line.entry()?;
        deepest = line.indent;
        if value == Value::Absent {
            deepest = usize::MAX;
            list = Some(line.indent..=usize::MAX);
        }
        if line.indent == depth && matches!(key, "name" | "generateName") {
            value.string()?;
            has_name = true;
        }
    }
    has_name.then_some(lines.text.len())
}

/// A map without entries, of which charts print many.
const EMPTY: &str = "{}";

/// The lines of a document that are neither blank nor comments.
struct Lines<'t> {
    text: &'t str,
    at: usize,
}

struct Line<'t> {
    start: usize,
    /// How many spaces the line starts with.
    indent: usize,
    /// The line without its indentation and its line end.
    content: &'t str,
}

impl<'t> Iterator for Lines<'t> {
    type Item = Line<'t>;

    fn next(&mut self) -> Option<Line<'t>> {
        loop {
            let start = self.at;
            let rest = self.text.get(start..).filter(|rest| !rest.is_empty())?;
            let end = memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
            self.at = start + end + 1;
            let content = rest[..end].trim_start_matches(' ');
            if !content.is_empty() && !content.starts_with('#') {
                let indent = end - content.len();
                return Some(Line { start, indent, content });
            }
        }
    }
}

impl<'t> Line<'t> {
    /// Reads the line as a whole entry: a simple key, and a value of one word or none.
    fn entry(&self) -> Option<(&'t str, Value<'t>)> {
        let (key, rest) = key(self.content)?;
        Some((key, value(rest)?))
    }

    /// Reports whether the line is a whole entry of a list: a word, or something in quotes.
    fn is_item(&self) -> bool {
        let read = self.content.strip_prefix("- ").and_then(value);
        matches!(read, Some(Value::Plain(_) | Value::Quoted(_)))
    }
}

/// Reads the rest of a line as one value, of one word or none; a comment may stand behind it.
fn value(rest: &str) -> Option<Value<'_>> {
    let rest = rest.trim_start_matches(' ');
    let (value, rest) = match rest.as_bytes() {
        [] | [b'#', ..] => return Some(Value::Absent),
        [b'{', b'}', ..] => (Value::Empty, &rest[EMPTY.len()..]),
        [b'"' | b'\'', ..] => {
            let (inside, rest) = quoted(rest)?;
            (Value::Quoted(inside), rest)
        }
        _ => {
            let (word, rest) = word(rest)?;
            (Value::Plain(word), rest)
        }
    };
    let behind = rest.trim_start_matches(' ');
    let is_whole = behind.is_empty() || behind.len() < rest.len() && behind.starts_with('#');
    is_whole.then_some(value)
}

/// The value of an entry on one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value<'t> {
    /// The line ends behind the colon.
    Absent,
    /// A map without entries.
    Empty,
    Plain(&'t str),
    Quoted(&'t str),
}

impl<'t> Value<'t> {
    /// Returns a value that every reader takes for this string, and not for a number, a boolean, null or nothing.
    fn string(self) -> Option<&'t str> {
        const OTHERS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
        match self {
            Self::Absent | Self::Empty => None,
            Self::Plain(word) => {
                let is_other = OTHERS.iter().any(|other| word.eq_ignore_ascii_case(other));
                (word.starts_with(|c: char| c.is_ascii_alphabetic()) && !is_other).then_some(word)
            }
            Self::Quoted(inside) => Some(inside).filter(|inside| !inside.is_empty()),
        }
    }
}

/// Splits a simple key from the front of a line, its colon and a blank or the line end behind it; returns the key and
/// what stands behind the colon.
fn key(line: &str) -> Option<(&str, &str)> {
    let (key, rest) = match line.as_bytes().first()? {
        b'"' | b'\'' => quoted(line)?,
        first if first.is_ascii_alphabetic() => {
            let simple = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/');
            line.split_at(line.bytes().take_while(|byte| simple(*byte)).count())
        }
        _ => return None,
    };
    let behind = rest.strip_prefix(':')?;
    matches!(behind.as_bytes(), [] | [b' ' | b'\t' | b'\n', ..]).then_some((key, behind))
}

/// Splits a plain scalar of one word from the front of a text.
fn word(text: &str) -> Option<(&str, &str)> {
    let simple = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b':' | b',' | b'+' | b'=' | b'@')
    };
    let (word, rest) = text.split_at(text.bytes().take_while(|byte| simple(*byte)).count());
    let is_plain = word.starts_with(|c: char| c.is_ascii_alphanumeric()) && !word.ends_with(':');
    is_plain.then_some((word, rest))
}

/// Splits a scalar in quotes, on one line and without escapes, from the front of a text.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = *text.as_bytes().first()?;
    let inside = &text[1..];
    let simple = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'\\' && byte != quote;
    let (inside, rest) = inside.split_at(inside.bytes().take_while(|byte| simple(*byte)).count());
    Some((inside, rest.strip_prefix(char::from(quote))?))
}

#[cfg(test)]
mod tests;
