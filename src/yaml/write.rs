//! Writes values as text: block lines for block context, JSON for flow context.
//!
//! One writer serves the splice, the re-print and new files. A printer of a crate would need checking all the same (each
//! of them unquotes something that Go reads otherwise, folds long lines or indents lists in its own way), so there is
//! one, small, and everything it writes is read again and compared before it is used.

use super::value::reads_as_string;
use serde_json::Value;
use std::fmt::Write as _;

/// How the lines of a document are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Writer {
    /// `\n` or `\r\n`.
    pub(super) newline: &'static str,
    /// How far a list stands behind its key: 0 or 2.
    pub(super) list_indent: usize,
    /// Whether texts of several lines may be literal blocks: not where the next line would become part of one.
    pub(super) literal: bool,
}

impl Writer {
    /// Writes `key: value` for a key in column `column`; no line end at the end.
    pub(super) fn entry(&self, out: &mut String, key: &str, value: &Value, column: usize) {
        self::key(out, key);
        out.push(':');
        match value {
            Value::Object(map) if !map.is_empty() => {
                for (key, value) in map {
                    self.line(out, column + 2);
                    self.entry(out, key, value, column + 2);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for item in items {
                    self.line(out, column + self.list_indent);
                    self.item(out, item, column + self.list_indent);
                }
            }
            _ => {
                out.push(' ');
                self.scalar(out, value, column + 2);
            }
        }
    }

    /// Writes `- value` for a dash in column `column`; no line end at the end.
    pub(super) fn item(&self, out: &mut String, value: &Value, column: usize) {
        out.push_str("- ");
        self.node(out, value, column + 2);
    }

    /// Writes a value whose first line starts in column `column`.
    pub(super) fn node(&self, out: &mut String, value: &Value, column: usize) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                for (position, (key, value)) in map.iter().enumerate() {
                    if position > 0 {
                        self.line(out, column);
                    }
                    self.entry(out, key, value, column);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for (position, item) in items.iter().enumerate() {
                    if position > 0 {
                        self.line(out, column);
                    }
                    self.item(out, item, column);
                }
            }
            _ => self.scalar(out, value, column),
        }
    }

    /// Writes a scalar or empty collection; a text of several lines as a literal block in column `column` if possible.
    pub(super) fn scalar(&self, out: &mut String, value: &Value, column: usize) {
        match value {
            Value::String(text) if is_plain(text) => out.push_str(text),
            Value::String(text) => match literal_header(text).filter(|_| self.literal) {
                Some(header) => {
                    out.push_str(header);
                    for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
                        if line.is_empty() {
                            out.push_str(self.newline);
                        } else {
                            self.line(out, column);
                            out.push_str(line);
                        }
                    }
                }
                None => quoted(out, text),
            },
            _ => flow(out, value),
        }
    }

    /// Writes a line end and the indentation of the next line.
    pub(super) fn line(&self, out: &mut String, column: usize) {
        out.push_str(self.newline);
        out.extend(std::iter::repeat_n(' ', column));
    }
}

/// Writes a value as JSON on one line: valid in flow and block context and in a JSON document.
pub(super) fn flow(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => {
            let _ = write!(out, "{number}");
        }
        Value::String(text) => quoted(out, text),
        Value::Array(items) => {
            out.push('[');
            for (position, item) in items.iter().enumerate() {
                out.push_str(if position > 0 { ", " } else { "" });
                flow(out, item);
            }
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (position, (key, value)) in map.iter().enumerate() {
                out.push_str(if position > 0 { ", " } else { "" });
                quoted(out, key);
                out.push_str(": ");
                flow(out, value);
            }
            out.push('}');
        }
    }
}

/// Writes a key in block context.
pub(super) fn key(out: &mut String, text: &str) {
    if is_simple(text) {
        out.push_str(text)
    } else {
        quoted(out, text)
    }
}

/// Reports whether a text may stand without quotes as a key and between brackets.
pub(super) fn is_simple(text: &str) -> bool {
    let simple = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'/' | b'-');
    text.bytes().all(simple) && is_plain(text)
}

/// Writes a text in double quotes, with JSON's escapes and escapes for everything that YAML 1.1 would not keep.
pub(super) fn quoted(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_special(c) => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Reports whether a character must be escaped: not allowed in YAML, or a line end for some readers only.
fn is_special(c: char) -> bool {
    matches!(c, '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// Reports whether a text may stand without quotes in block context: cautious, but not so that `10Gi` or a URL gets
/// quotes.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return false;
    };
    let inner = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'_' | b'.' | b'/' | b'-' | b'=' | b',' | b'@' | b'+' | b'(' | b')' | b'$' | b';' | b':' | b' '
            )
    };
    let begins = match first {
        b'/' => true,
        // A unit behind the digits, as in `10Gi` or `30s`: no reader takes that for a number.
        b'0'..=b'9' => {
            let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
            matches!(unit, "Ki" | "Mi" | "Gi" | "Ti" | "m" | "s" | "h" | "M" | "G" | "T")
        }
        first => first.is_ascii_alphabetic(),
    };
    begins
        && !matches!(last, b':' | b' ')
        && bytes.iter().all(inner)
        && !text.contains(": ")
        && !text.contains("  ")
        && reads_as_string(text)
}

/// Returns the header of a literal block that holds a text exactly, if one does without tricks.
fn literal_header(text: &str) -> Option<&'static str> {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let lines_fit = body
        .split('\n')
        .enumerate()
        .all(|(at, line)| match line.as_bytes().first() {
            None => at > 0,
            Some(b'\t') => false,
            Some(b' ') => at > 0 && !line.trim_matches([' ', '\t']).is_empty(),
            Some(_) => true,
        });
    let several = text.contains('\n') && !body.is_empty() && !body.ends_with('\n');
    let printable = !text.chars().any(|c| is_special(c) && !matches!(c, '\n' | '\t'));
    (several && lines_fit && printable).then_some(if body.len() == text.len() { "|-" } else { "|" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn scalar(text: &str) -> String {
        let mut out = String::new();
        Writer {
            newline: "\n",
            list_indent: 0,
            literal: true,
        }
        .scalar(&mut out, &json!(text), 2);
        out
    }

    #[test]
    fn strings_that_go_would_misread_are_quoted() {
        for text in [
            "yes",
            "n",
            "on",
            "NULL",
            "0644",
            "1e3",
            "1_000",
            "",
            "~",
            ".5",
            "a: b",
            "a #b",
            "- a",
            "x:",
            "1:30",
            "2001-01-01",
            "é",
            "*a",
        ] {
            assert_eq!(scalar(text), format!("\"{text}\""), "{text}");
        }
        for text in [
            "abc",
            "/media/x",
            "Prune=false,Delete=false",
            "https://a.b/c",
            "10Gi",
            "30s",
            "two words",
            "v1.0",
        ] {
            assert_eq!(scalar(text), text);
        }
        assert_eq!(scalar("a\u{2028}\u{7f}\t\"\\"), "\"a\\u2028\\u007f\\t\\\"\\\\\"");
    }

    #[test]
    fn texts_of_several_lines_are_literal_where_that_holds_them() {
        assert_eq!(scalar("a\nb"), "|-\n  a\n  b");
        assert_eq!(scalar("a\n\n b\n"), "|\n  a\n\n   b");
        for text in ["a\n\n", " a\nb", "a\n\tb", "a\n \nb", "\na", "a\r\nb", "\n"] {
            assert!(scalar(text).starts_with('"'), "{text:?}");
        }
    }
}
