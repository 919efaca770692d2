//! Splits a file into documents by byte range, exactly where Kubernetes' Go reader splits it.
//!
//! The rules (`k8s.io/apimachinery/pkg/util/yaml`): a document ends at any line that starts with `---`, wherever it
//! stands; after the dashes only blanks or a comment may follow. A stream whose first 4,096 bytes start with `{` is read
//! as JSON objects one after the other; the first two may fail, then the rest is YAML.

use super::YamlError;
use super::position::newlines;
use std::ops::Range;

/// How many bytes of a stream decide whether it is JSON.
const JSON_GUESS: usize = 4096;

/// One document of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The document's bytes, without the `---` line before it.
    pub range: Range<usize>,
    /// The line, from 1, of its first byte.
    pub line: usize,
}

/// Splits a stream, and counts its lines; leaves out documents without any byte.
///
/// # Errors
/// When Go's reader refuses a separator, or what stands behind JSON.
pub fn documents(text: &str) -> Result<Vec<Document>, YamlError> {
    let (mut line, mut counted) = (1, 0);
    let document = |range: Range<usize>| {
        line += newlines(&text[counted..range.start]);
        counted = range.start;
        Document { range, line }
    };
    Ok(document_ranges(text)?.into_iter().map(document).collect())
}

/// Splits a stream as [`documents`] does, without a count of its lines.
///
/// # Errors
/// Those of [`documents`].
pub fn document_ranges(text: &str) -> Result<Vec<Range<usize>>, YamlError> {
    let mut ranges = Vec::new();
    let head = floor(text, JSON_GUESS);
    let yaml = if text[..head].trim_start_matches(is_go_space).starts_with('{') {
        json(text, &mut ranges)?
    } else {
        0
    };
    yaml_chunks(text, yaml, &mut ranges)?;
    ranges.retain(|range| !range.is_empty());
    Ok(ranges)
}

/// Takes JSON objects from the front; returns the offset at which YAML begins (the end if all was JSON).
fn json(text: &str, ranges: &mut Vec<Range<usize>>) -> Result<usize, YamlError> {
    let mut at = 0;
    loop {
        let mut values = serde_json::Deserializer::from_str(&text[at..]).into_iter::<serde::de::IgnoredAny>();
        match values.next() {
            None => return Ok(text.len()),
            Some(Ok(_)) => {
                let end = at + values.byte_offset();
                let start = at + text[at..].len() - text[at..].trim_start().len();
                ranges.push(start..end);
                at = end;
            }
            Some(Err(error)) if ranges.len() > 1 => {
                let line = newlines(&text[..at]) + error.line();
                let message = "a stream of more than one JSON object goes on with something else";
                return Err(YamlError {
                    line,
                    column: error.column().max(1),
                    message: message.into(),
                });
            }
            Some(Err(_)) if text.len() - at < 4 && !ranges.is_empty() => {
                return Err(YamlError::at(
                    text,
                    at,
                    "something stands behind a JSON object that is no document",
                ));
            }
            Some(Err(_)) => return Ok(at + leading_line(&text[at..])),
        }
    }
}

/// Reports whether a text starts with a JSON object, which decides how readers split what follows it.
pub(super) fn is_json(text: &str) -> bool {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
    text.trim_start_matches(is_go_space).starts_with('{') && values.next().is_some_and(|value| value.is_ok())
}

/// Returns the length of the blanks up to and with the first line end, which Go skips between JSON and YAML.
fn leading_line(text: &str) -> usize {
    let blanks = text.len() - text.trim_start_matches(is_go_space).len();
    memchr::memchr(b'\n', &text.as_bytes()[..blanks]).map_or(blanks, |newline| newline + 1)
}

/// Splits at the lines that start with `---`.
fn yaml_chunks(text: &str, from: usize, ranges: &mut Vec<Range<usize>>) -> Result<(), YamlError> {
    let bytes = text.as_bytes();
    let mut start = from;
    // Go leaves a separator in front of a document that has nothing else yet: a second one in a row ends that document.
    let mut kept = false;
    let dashes = memchr::memmem::Finder::new("\n---");
    let mut search = from;
    let mut next = bytes[from..].starts_with(b"---").then_some(from);
    loop {
        let line = match next.take() {
            Some(line) => line,
            None => match dashes.find(&bytes[search..]) {
                Some(hit) => search + hit + 1,
                None => break,
            },
        };
        ranges.push(start..line);
        kept = start == line && !kept;
        start = separator(text, line, kept)?;
        // The line end that ends this separator may stand before the next.
        search = start.saturating_sub(1).max(line);
    }
    ranges.push(start..text.len());
    Ok(())
}

/// Checks the separator line at `line`; returns the start of the line after it. The YAML parser has to accept one that
/// stays before its document.
fn separator(text: &str, line: usize, kept: bool) -> Result<usize, YamlError> {
    let end = memchr::memchr(b'\n', &text.as_bytes()[line..]).map_or(text.len(), |newline| line + newline + 1);
    let rest = &text[line + 3..end];
    let content = rest.trim_matches(is_go_space);
    let breaks = rest.trim_end_matches('\n').trim_end_matches('\r').contains('\r');
    let read_as_yaml = breaks || rest.starts_with('#') || rest.trim_matches([' ', '\t', '\r', '\n']) != content;
    if (!content.is_empty() && !content.starts_with('#')) || (kept && read_as_yaml) {
        let message = "a line that starts with `---` may go on with blanks or a comment only";
        return Err(YamlError::at(text, line, message));
    }
    if kept && text[end..].starts_with('\u{feff}') {
        return Err(YamlError::at(
            text,
            end,
            "a byte order mark stands behind the start of the document",
        ));
    }
    Ok(end)
}

/// Reports whether a character is a space for Go's `unicode.IsSpace`.
fn is_go_space(c: char) -> bool {
    c.is_whitespace()
}

/// Returns the last character boundary up to a limit.
fn floor(text: &str, limit: usize) -> usize {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<(&str, usize)> {
        documents(text)
            .unwrap()
            .into_iter()
            .map(|d| (&text[d.range], d.line))
            .collect()
    }

    #[test]
    fn documents_end_at_every_line_that_starts_with_three_dashes() {
        assert_eq!(split("a: 1\n---\nb: 2\n"), [("a: 1\n", 1), ("b: 2\n", 3)]);
        assert_eq!(
            split("---\n# c\na: 1\n--- # x\nb: 2"),
            [("# c\na: 1\n", 2), ("b: 2", 5)]
        );
        assert_eq!(
            split("a: 1\r\n---\r\nb: 2\r\n---\r\n"),
            [("a: 1\r\n", 1), ("b: 2\r\n", 3)]
        );
        assert_eq!(split("---\n---\n---\t\na: 1\n---"), [("a: 1\n", 4)]);
        assert_eq!(
            split("a: |\n  x\n ---\n---\nb: 1\n"),
            [("a: |\n  x\n ---\n", 1), ("b: 1\n", 5)]
        );
        assert_eq!(split("a: 1\n---# x\nb: 1\n"), [("a: 1\n", 1), ("b: 1\n", 3)]);
        assert_eq!(split(""), []);
        assert_eq!(split("\n---\na: 1\n"), [("\n", 1), ("a: 1\n", 3)]);
    }

    #[test]
    fn a_byte_order_mark_hides_the_first_separator_as_in_go() {
        assert_eq!(split("\u{feff}---\na: 1\n"), [("\u{feff}---\na: 1\n", 1)]);
        assert_eq!(
            split("a: 1\n---\n\u{feff}b: 1\n"),
            [("a: 1\n", 1), ("\u{feff}b: 1\n", 3)]
        );
    }

    #[test]
    fn a_separator_with_content_is_an_error_with_its_line() {
        for (text, line) in [
            ("--- {a: b}\n", 1),
            ("---# x\na: 1\n", 1),
            ("a: 1\n---\n---\n\u{feff}b: 1\n", 4),
            ("a: 1\n---x\n", 2),
            ("a: |\n  b\n-----\nc: 1\n", 3),
            ("--- a\n", 1),
        ] {
            assert_eq!(documents(text).unwrap_err().line, line, "{text:?}");
        }
    }

    #[test]
    fn a_stream_that_starts_with_a_brace_is_json_first() {
        assert_eq!(split("{\"a\":1}\n{\"b\":2}\n"), [("{\"a\":1}", 1), ("{\"b\":2}", 2)]);
        assert_eq!(
            split("{\"a\":1}{\"b\":2}{}"),
            [("{\"a\":1}", 1), ("{\"b\":2}", 1), ("{}", 1)]
        );
        assert_eq!(split("\n {\"a\":1}\n---\nb: 2\n"), [("{\"a\":1}", 2), ("b: 2\n", 4)]);
        assert_eq!(split("{a: 1}\n---\nb: 2\n"), [("{a: 1}\n", 1), ("b: 2\n", 3)]);
        assert!(documents("{}{}\n---\na: 1\n").is_err());
        assert_eq!(
            split("{\"a\":\"\\ud83d\\ude00\\/\"}"),
            [("{\"a\":\"\\ud83d\\ude00\\/\"}", 1)]
        );
    }
}
