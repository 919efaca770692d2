//! Writes YAML as `toYaml` does, which is go-yaml's second version
//! ([source](https://github.com/yaml/go-yaml/blob/v2.4.4/emitterc.go)).

use std::cmp::Ordering;
use std::fmt::Write as _;

use serde_json::{Map, Value as Json};

use super::fault::Fault;
use super::print;
use super::value::Value;
use crate::yaml;

/// The width at which go-yaml breaks lines; lines that would be broken are refused.
const WIDTH: usize = 80;

/// Writes a value, without the last line end.
pub(super) fn yaml_text(value: &Value) -> Result<String, Fault> {
    let json = value
        .to_json()
        .ok_or_else(|| Fault::unsupported("a number that JSON lacks"))?;
    let mut writer = Writer { out: String::new() };
    match &json {
        Json::Object(map) if !map.is_empty() => writer.map(map, 0)?,
        Json::Array(list) if !list.is_empty() => writer.list(list, 0)?,
        scalar => writer.scalar(scalar, 0, false)?,
    }
    let text = writer.out;
    Ok(text.strip_suffix('\n').unwrap_or(&text).to_owned())
}

struct Writer {
    out: String,
}

impl Writer {
    /// Writes the entries of a map; the first one continues the line.
    fn map(&mut self, map: &Map<String, Json>, indent: usize) -> Result<(), Fault> {
        let mut entries: Vec<_> = map.iter().collect();
        entries.sort_by(|(a, _), (b, _)| order(a, b));
        for (index, (key, value)) in entries.into_iter().enumerate() {
            self.indent(index, indent);
            if key.contains('\n') || key.chars().count() > 100 {
                return Err(Fault::unsupported("a long key"));
            }
            let key = flow(key, self.column())?;
            self.out.push_str(&key);
            self.out.push(':');
            match value {
                Json::Object(map) if !map.is_empty() => {
                    self.out.push('\n');
                    self.out.push_str(&" ".repeat(indent + 2));
                    self.map(map, indent + 2)?;
                }
                Json::Array(list) if !list.is_empty() => {
                    self.out.push('\n');
                    self.out.push_str(&" ".repeat(indent));
                    self.list(list, indent)?;
                }
                scalar => {
                    self.out.push(' ');
                    self.scalar(scalar, indent + 2, true)?;
                }
            }
        }
        Ok(())
    }

    /// Writes the items of a list; the first one continues the line.
    fn list(&mut self, list: &[Json], indent: usize) -> Result<(), Fault> {
        for (index, value) in list.iter().enumerate() {
            self.indent(index, indent);
            self.out.push_str("- ");
            match value {
                Json::Object(map) if !map.is_empty() => self.map(map, indent + 2)?,
                Json::Array(list) if !list.is_empty() => self.list(list, indent + 2)?,
                scalar => self.scalar(scalar, indent + 2, true)?,
            }
        }
        Ok(())
    }

    fn indent(&mut self, index: usize, indent: usize) {
        if index > 0 {
            self.out.push_str(&" ".repeat(indent));
        }
    }

    fn column(&self) -> usize {
        let line = self.out.rsplit('\n').next().unwrap_or_default();
        line.chars().count()
    }

    fn scalar(&mut self, value: &Json, indent: usize, is_inside: bool) -> Result<(), Fault> {
        match value {
            Json::Null => self.out.push_str("null"),
            Json::Bool(value) => self.out.push_str(if *value { "true" } else { "false" }),
            Json::Number(number) => match number.as_i64() {
                Some(number) => self.out.push_str(&number.to_string()),
                None => self.out.push_str(&print::float(number.as_f64().unwrap_or_default())),
            },
            Json::String(text) if text.contains('\n') && Analysis::of(text).is_block_allowed => {
                return self.literal(text, if is_inside { indent } else { 2 });
            }
            Json::String(text) => {
                let text = flow(text, self.column())?;
                self.out.push_str(&text);
            }
            Json::Array(_) => self.out.push_str("[]"),
            Json::Object(_) => self.out.push_str("{}"),
        }
        self.out.push('\n');
        Ok(())
    }

    fn literal(&mut self, text: &str, indent: usize) -> Result<(), Fault> {
        self.out.push('|');
        if text.starts_with([' ', '\n']) {
            self.out.push('2');
        }
        let lines = text.strip_suffix('\n');
        match lines {
            None => self.out.push('-'),
            Some(lines) if lines.is_empty() || lines.ends_with('\n') => self.out.push('+'),
            Some(_) => {}
        }
        self.out.push('\n');
        for line in lines.unwrap_or(text).split('\n') {
            if !line.is_empty() {
                self.out.push_str(&" ".repeat(indent));
            }
            self.out.push_str(line);
            self.out.push('\n');
        }
        Ok(())
    }
}

/// What the emitter finds out about a text.
struct Analysis {
    is_plain_allowed: bool,
    is_single_quoted_allowed: bool,
    is_block_allowed: bool,
}

impl Analysis {
    fn of(text: &str) -> Self {
        let characters: Vec<char> = text.chars().collect();
        let mut indicators = text.starts_with("---") || text.starts_with("...");
        let (mut special, mut breaks, mut break_space, mut space_break) = (false, false, false, false);
        let is_blank = |at: usize| {
            characters
                .get(at)
                .is_none_or(|next| " \t\n\r\u{85}\u{2028}\u{2029}".contains(*next))
        };
        let is_break = |character: char| "\n\r\u{85}\u{2028}\u{2029}".contains(character);
        for (at, character) in characters.iter().copied().enumerate() {
            indicators |= match character {
                '#' if at > 0 => is_blank(at - 1),
                '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => {
                    at == 0
                }
                '?' | '-' => at == 0 && is_blank(at + 1),
                ':' => is_blank(at + 1),
                _ => false,
            };
            special |= !is_printable(character);
            let before = at.checked_sub(1).map(|at| characters[at]);
            breaks |= is_break(character);
            break_space |= character == ' ' && before.is_some_and(is_break);
            space_break |= is_break(character) && before == Some(' ');
        }
        let is_edge = |character: &char| *character == ' ' || is_break(*character);
        let has_edges = characters.first().is_some_and(is_edge) || characters.last().is_some_and(is_edge);
        let is_hard = space_break || special;
        Self {
            is_plain_allowed: !(indicators || breaks || has_edges || is_hard),
            is_single_quoted_allowed: !(break_space || is_hard),
            is_block_allowed: !(is_hard || characters.last() == Some(&' ') || characters.is_empty()),
        }
    }
}

fn is_printable(character: char) -> bool {
    matches!(character, '\n' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

/// Writes a text on one line: plain, in single or in double quotes.
fn flow(text: &str, column: usize) -> Result<String, Fault> {
    let analysis = Analysis::of(text);
    if text.chars().any(|character| character > '\u{ffff}') {
        return Err(Fault::unsupported("a rare character"));
    }
    let is_plain = analysis.is_plain_allowed && !text.contains('\n');
    let written = if is_plain && is_text(text)? {
        text.to_owned()
    } else if !is_plain && analysis.is_single_quoted_allowed && !text.contains('\n') && !text.is_empty() {
        format!("'{}'", text.replace('\'', "''"))
    } else {
        double_quoted(text)
    };
    match column + written.chars().count() > WIDTH && written.contains([' ', '\t']) {
        true => Err(Fault::unsupported("a text of more than 80 letters")),
        false => Ok(written),
    }
}

/// Reports whether a plain scalar is a text.
fn is_text(text: &str) -> Result<bool, Fault> {
    let is_number_like = |character: char| character.is_ascii_digit() || "-:.TtZ +_".contains(character);
    if text.starts_with(|first: char| first.is_ascii_digit())
        && text.contains(['-', ':'])
        && text.chars().all(is_number_like)
    {
        return Err(Fault::unsupported("a text like a date or a time"));
    }
    let read = yaml::value(text).ok().flatten();
    Ok(text != "<<" && read.is_some_and(|value| value == *text))
}

fn double_quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\0' => out.push_str("\\0"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\u{1b}' => out.push_str("\\e"),
            '\u{85}' => out.push_str("\\N"),
            '\u{2028}' => out.push_str("\\L"),
            '\u{2029}' => out.push_str("\\P"),
            other if is_printable(other) => out.push(other),
            other => {
                let code = u32::from(other);
                // Writing to a text does not fail.
                let _ = match code {
                    ..0x100 => write!(out, "\\x{code:02X}"),
                    _ => write!(out, "\\u{code:04X}"),
                };
            }
        }
    }
    out.push('"');
    out
}

/// Compares keys as go-yaml does: numbers in them count as numbers.
fn order(a: &str, b: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let differs = (0..a.len().min(b.len())).find(|at| a[*at] != b[*at]);
    let Some(at) = differs else {
        return a.len().cmp(&b.len());
    };
    match (a[at].is_alphabetic(), b[at].is_alphabetic()) {
        (true, true) => return a[at].cmp(&b[at]),
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let has_zero = a[at] == '0' || b[at] == '0';
    let digits_before = a[..at].iter().rev().take_while(|digit| digit.is_ascii_digit());
    let first = i64::from(has_zero && digits_before.into_iter().any(|digit| *digit != '0'));
    let number = |characters: &[char]| {
        let digits = characters[at..].iter().map_while(|digit| digit.to_digit(10));
        digits.fold((first, 0usize), |(number, count), digit| {
            (number.wrapping_mul(10).wrapping_add(digit.into()), count + 1)
        })
    };
    number(&a).cmp(&number(&b)).then(a[at].cmp(&b[at]))
}
