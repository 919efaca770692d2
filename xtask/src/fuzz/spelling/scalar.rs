//! Keys and scalars in their many spellings.

use serde_json::Value;

use super::Speller;

impl Speller<'_> {
    /// Writes a key.
    pub(super) fn key(&mut self, key: &str) {
        if !self.is_odd() {
            return if is_word(key) {
                self.out.push_str(key)
            } else {
                self.double(key, false)
            };
        }
        match self.numbers.below(6) {
            0 => self.double(key, false),
            1 => self.double(key, true),
            2 => self.single(key),
            3 => {
                let tag = self.numbers.pick(&["!!str ", "&k ", "! "]);
                self.out.push_str(tag);
                self.single(key);
            }
            4 => {
                let odd = self
                    .numbers
                    .pick(&["yes", "1", "1.5", "~", "0x10", "[a]", "true", "<<", "\"<<\""]);
                self.out.push_str(odd);
            }
            _ => self.out.push_str(key),
        }
    }

    /// Writes a scalar that starts in a column, in brackets or not.
    pub(super) fn scalar(&mut self, value: &Value, column: usize, flow: bool) {
        match value {
            Value::Null => {
                let null = self.numbers.pick(&["null", "~", "Null"]);
                self.out.push_str(null);
            }
            Value::Bool(flag) if self.is_odd() => {
                let words = if *flag {
                    ["yes", "on", "True", "y", "TRUE"]
                } else {
                    ["no", "off", "False", "n", "FALSE"]
                };
                let word = self.numbers.pick(&words);
                self.out.push_str(word);
            }
            Value::Number(_) if self.is_odd() => {
                let number = self.numbers.pick(&[
                    "0644", "0x1A", "1_000", "1e3", "0o17", "+1", "0b11", "1:30", ".5", "1.0", "-0", "08",
                ]);
                self.out.push_str(number);
            }
            Value::String(text) => self.string(text, column, flow),
            other => self.out.push_str(&other.to_string()),
        }
    }

    fn string(&mut self, text: &str, column: usize, flow: bool) {
        let lines = text.contains('\n') || text.contains(' ');
        match self.numbers.below(12) {
            0..6 if is_word(text) => self.out.push_str(text),
            0 | 1 if !flow && text.contains('\n') => self.block(text, column),
            2 if !flow && self.numbers.one_in(3) => self.block(text, column),
            3 if lines && self.is_odd() => self.folded(text, column),
            4 if self.is_odd() && is_plain_text(text) => self.out.push_str(&text.replace(' ', "\n    ")),
            5 => self.single(text),
            6 if self.is_odd() => self.double(text, true),
            _ => self.double(text, false),
        }
    }

    /// Writes a text in double quotes; `escapes` writes some characters as escapes that need not be.
    fn double(&mut self, text: &str, escapes: bool) {
        self.out.push('"');
        for sign in text.chars() {
            match sign {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '/' if escapes && self.numbers.one_in(4) => self.out.push_str("\\/"),
                sign if sign.is_control() || matches!(sign, '\u{2028}' | '\u{feff}') => {
                    self.out.push_str(&format!("\\u{:04x}", u32::from(sign)));
                }
                sign if escapes && self.numbers.one_in(3) && u32::from(sign) < 256 => {
                    self.out.push_str(&format!("\\x{:02x}", u32::from(sign)));
                }
                sign => self.out.push(sign),
            }
        }
        self.out.push('"');
    }

    fn single(&mut self, text: &str) {
        if text.contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{feff}']) && !self.is_odd() {
            return self.double(text, false);
        }
        self.out.push('\'');
        self.out.push_str(&text.replace('\'', "''"));
        self.out.push('\'');
    }

    /// Writes a text in double quotes over several lines, which readers fold.
    fn folded(&mut self, text: &str, column: usize) {
        let break_line = self.numbers.pick(&["\n", "\\\n", "\n\n"]);
        // Text of a quoted scalar may stand in column 0.
        let column = self.numbers.pick(&[column, column, 0, 1]);
        let indent = " ".repeat(column);
        let text = text
            .replace(['"', '\\', '\r'], "")
            .replace(' ', &format!("{break_line}{indent}"));
        self.out.push('"');
        self.out.push_str(&text);
        self.out.push('"');
    }

    fn block(&mut self, text: &str, column: usize) {
        let keep = self.numbers.pick(&["", "-", "+"]);
        let style = if self.is_odd() { '>' } else { '|' };
        let explicit = self.numbers.one_in(10) || text.starts_with([' ', '\n']);
        let digit = if explicit { self.step.to_string() } else { String::new() };
        self.out.push(style);
        self.out.push_str(&digit);
        self.out.push_str(keep);
        for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
            self.out.push('\n');
            if !line.is_empty() {
                self.indent(column);
                self.out.push_str(line);
            }
        }
        self.out.push('\n');
        if self.numbers.one_in(10) {
            let blanks = self.numbers.pick(&["\n", "   \n", "\n\n"]);
            self.out.push_str(blanks);
        }
    }
}

fn is_word(text: &str) -> bool {
    let words = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    text.starts_with(|sign: char| sign.is_ascii_alphabetic())
        && text
            .chars()
            .all(|sign| sign.is_ascii_alphanumeric() || matches!(sign, '-' | '.' | '/' | '_'))
        && !words.iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn is_plain_text(text: &str) -> bool {
    text.starts_with(|sign: char| sign.is_ascii_alphabetic())
        && text
            .chars()
            .all(|sign| sign.is_ascii_alphanumeric() || matches!(sign, '-' | ' '))
        && !text.ends_with(' ')
}
