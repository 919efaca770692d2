//! Refuses what Go refuses or reads otherwise than the parser, so that one reading is left.

use crate::yaml::error::YamlError;
use granit_parser::ScalarStyle;
use std::cell::OnceCell;
use std::ops::Range;

/// Refuses characters on which Go and this parser disagree: controls, which Go refuses, and the line ends of Unicode,
/// which end a line for Go's YAML 1.1 and are content in YAML 1.2.
pub(super) fn characters(text: &str) -> Result<(), YamlError> {
    if let Some(found) = memchr::memmem::find(text.as_bytes(), b"\r\r\n") {
        return Err(YamlError::at(
            text,
            found,
            "two carriage returns end a line: readers disagree on it",
        ));
    }
    let start = text.trim_start_matches('\u{feff}').trim_start();
    if start.starts_with("...") && matches!(start.as_bytes().get(3), None | Some(b' ' | b'\t' | b'\r' | b'\n')) {
        return Err(YamlError::at(
            text,
            text.len() - start.len(),
            "the document ends before it starts",
        ));
    }
    let control = |byte: &u8| (*byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')) || *byte == 0x7f;
    let ascii = !text.as_bytes().iter().any(|byte| *byte >= 0x7f || control(byte));
    if ascii {
        return Ok(());
    }
    for (offset, c) in text.char_indices() {
        let message = match c {
            '\u{85}' | '\u{2028}' | '\u{2029}' => "a Unicode line end outside of an escape: readers disagree on it",
            '\u{feff}' if offset > 0 && goes_on_in_column_0(&text[offset..]) => {
                "a byte order mark stands inside the document: readers disagree on it"
            }
            '\t' | '\n' | '\r' => continue,
            '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => "control characters are not allowed",
            _ => continue,
        };
        return Err(YamlError::at(text, offset, message));
    }
    Ok(())
}

/// Reports whether a text has another line with something in column 0. Of such a line go-yaml skips the first character, as
/// long as a byte order mark happens to be the first character in its buffer
/// ([source](https://github.com/yaml/go-yaml/blob/v2/yamlprivateh.go), `is_bom`).
fn goes_on_in_column_0(text: &str) -> bool {
    let lines = text.split(['\n', '\r']).skip(1);
    lines.into_iter().any(|line| !line.is_empty() && !line.starts_with(' '))
}

/// The checks of a document's scalars.
pub(super) struct Strict<'t> {
    text: &'t str,
    /// Whether the document is JSON; found out when the first scalar needs it.
    json: OnceCell<bool>,
}

impl<'t> Strict<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            json: OnceCell::new(),
        }
    }

    /// Checks one scalar; `span` is the parser's, `flow` is whether it is inside brackets.
    pub(super) fn scalar(
        &self,
        value: &str,
        style: ScalarStyle,
        span: Range<usize>,
        flow: bool,
    ) -> Result<(), YamlError> {
        match style {
            ScalarStyle::DoubleQuoted => match foreign_escape(&self.text.as_bytes()[span.clone()], value) {
                Some(at) if !*self.json.get_or_init(|| is_json(self.text)) => {
                    let message = "an escape of JSON that YAML 1.1 does not have";
                    Err(YamlError::at(self.text, span.start + at, message))
                }
                _ => Ok(()),
            },
            ScalarStyle::Literal | ScalarStyle::Folded => indentation(self.text, span),
            ScalarStyle::Plain if flow => brackets(self.text, span),
            ScalarStyle::Plain | ScalarStyle::SingleQuoted => Ok(()),
        }
    }
}

/// Refuses what Go reads otherwise in brackets: a question mark starts a key, and a colon with a sign right behind it
/// belongs to the scalar.
fn brackets(text: &str, span: Range<usize>) -> Result<(), YamlError> {
    let bytes = text.as_bytes();
    let colon = matches!(
        bytes.get(span.end..span.end + 2),
        Some([b':', b',' | b'[' | b']' | b'{' | b'}'])
    );
    if bytes.get(span.start) == Some(&b'?') || (colon && !span.is_empty()) {
        return Err(YamlError::at(
            text,
            span.start,
            "a scalar in brackets that readers disagree on: put it in quotes",
        ));
    }
    Ok(())
}

/// Returns the first `\\/` or surrogate of a scalar in double quotes: those are JSON's, Go takes them in a JSON
/// document only.
fn foreign_escape(raw: &[u8], value: &str) -> Option<usize> {
    if raw.len() == value.len() + 2 {
        return None;
    }
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\\', &raw[at..]) {
        let slash = at + found;
        match raw.get(slash + 1..)? {
            [b'/', ..] | [b'u', b'd' | b'D', b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F', ..] => return Some(slash),
            _ => at = (slash + 2).min(raw.len()),
        }
    }
    None
}

fn is_json(text: &str) -> bool {
    text.trim_start().starts_with('{') && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// Refuses a block scalar without indentation, with a tab in it, or with a ragged end: Go ends the last line before it
/// reads.
fn indentation(text: &str, span: Range<usize>) -> Result<(), YamlError> {
    let bytes = text.as_bytes();
    let first = memchr::memrchr(b'\n', &bytes[..span.start]).map_or(0, |newline| newline + 1);
    if first == span.start && !span.is_empty() && !matches!(bytes[first], b'\r' | b'\n') {
        return Err(YamlError::at(text, first, "a block scalar is not indented"));
    }
    let ragged =
        span.end == text.len() && text.ends_with([' ', '\t']) && text.trim_end_matches([' ', '\t']).ends_with('\n');
    if ragged && header_signs(&text[..first]).contains('+') {
        let message = "a block scalar that keeps its last lines ends in blanks without a line end";
        return Err(YamlError::at(text, text.len(), message));
    }
    if memchr::memchr(b'\t', &bytes[first..span.end]).is_none() {
        return Ok(());
    }
    let spaces = |line: usize| bytes[line..].iter().take_while(|byte| **byte == b' ').count();
    let indent = span.start - first;
    let explicit = header_signs(&text[..first]).bytes().any(|sign| sign.is_ascii_digit());
    let mut line = first;
    while line < span.end {
        let tab = line + spaces(line);
        let inside = if explicit {
            indent
        } else if line == first {
            indent + 1
        } else {
            indent
        };
        if bytes.get(tab) == Some(&b'\t') && tab - line < inside {
            return Err(YamlError::at(
                text,
                tab,
                "a tab stands where a block scalar is indented",
            ));
        }
        line = memchr::memchr(b'\n', &bytes[line..]).map_or(bytes.len(), |newline| line + newline + 1);
    }
    Ok(())
}

/// Returns the signs behind the `|` or `>` of the block scalar whose content follows: its indentation, `+`, `-`.
fn header_signs(before: &str) -> &str {
    let header = before.trim_end();
    let header = &header[header.rfind('\n').map_or(0, |newline| newline + 1)..];
    let header = header.split(" #").next().unwrap_or(header).trim_end();
    &header[header
        .trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-'))
        .len()..]
}
