//! Prints values as Go's `fmt` does ([source](https://pkg.go.dev/fmt)).

use std::fmt::Write as _;

use super::fault::Fault;
use super::value::{Integer, Value};

/// Prints a value as `%v`.
pub(in crate::sets) fn printed(value: &Value) -> String {
    match value {
        Value::Missing | Value::Nil => "<nil>".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(_, number) => number.to_string(),
        Value::Float(number) => float(*number),
        Value::Text(text) => text.clone(),
        Value::List(_, items) => {
            let items: Vec<String> = items.iter().map(printed).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Map(_, entries) => {
            let entries = entries.borrow();
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| format!("{key}:{}", printed(value)))
                .collect();
            format!("map[{}]", entries.join(" "))
        }
    }
}

/// Prints the type of a value.
pub(super) fn type_of(value: &Value) -> &'static str {
    value.type_name()
}

/// Prints a float as `%v`: the shortest text, with an exponent where it is large or small.
pub(super) fn float(number: f64) -> String {
    if let Some(special) = special(number) {
        return special;
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    match (-4..6).contains(&exponent) {
        true => format!("{number}"),
        false => format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs()),
    }
}

fn special(number: f64) -> Option<String> {
    let text = match number {
        number if number.is_nan() => "NaN",
        f64::INFINITY => "+Inf",
        f64::NEG_INFINITY => "-Inf",
        number if number == 0.0 && number.is_sign_negative() => "-0",
        _ => return None,
    };
    Some(text.to_owned())
}

/// Quotes a text as `%q`.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            _ if is_printable(character) => out.push(character),
            _ => {
                let code = u32::from(character);
                // Writing to a text does not fail.
                let _ = match code {
                    0..0x80 => write!(out, "\\x{code:02x}"),
                    0x80..0x1_0000 => write!(out, "\\u{code:04x}"),
                    _ => write!(out, "\\U{code:08x}"),
                };
            }
        }
    }
    out.push('"');
    out
}

/// Reports whether Go prints a character as it is.
fn is_printable(character: char) -> bool {
    match character {
        ' '..='~' => true,
        '\0'..='\u{a0}' | '\u{ad}' => false,
        // Rust's own rule about what it escapes is the same but for combining marks, which it escapes as well.
        _ => {
            let escaped = character.escape_debug();
            escaped.len() == 1 || !character.is_whitespace() && !character.is_control() && is_mark(character)
        }
    }
}

/// Reports whether a character is a mark that stands on the one before it.
fn is_mark(character: char) -> bool {
    format!("a{character}").escape_debug().count() == 2
}

/// A directive of a format.
#[derive(Debug, Default)]
struct Directive {
    minus: bool,
    plus: bool,
    zero: bool,
    sharp: bool,
    blank: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// Does what `printf` does.
pub(super) fn formatted(format: &str, arguments: &[Value]) -> Result<String, Fault> {
    let (mut out, mut rest, mut next) = (String::new(), format.chars().peekable(), arguments.iter());
    while let Some(character) = rest.next() {
        if character != '%' {
            out.push(character);
            continue;
        }
        let mut directive = Directive::default();
        while let Some(flag) = rest.next_if(|next| "-+0# ".contains(*next)) {
            match flag {
                '-' => directive.minus = true,
                '+' => directive.plus = true,
                '0' => directive.zero = true,
                '#' => directive.sharp = true,
                _ => directive.blank = true,
            }
        }
        directive.width = number(&mut rest);
        // A dot at the end is a verb.
        let is_precision = rest.peek() == Some(&'.') && rest.clone().nth(1).is_some();
        if is_precision {
            rest.next();
            directive.precision = Some(number(&mut rest).unwrap_or(0));
        }
        match rest.next() {
            None => out.push_str("%!(NOVERB)"),
            Some('%') => out.push('%'),
            Some('*' | '[') => {
                return Err(Fault::unsupported(
                    "a format that takes a width or index from an argument",
                ));
            }
            Some(verb) => match next.next() {
                None => {
                    let _ = write!(out, "%!{verb}(MISSING)");
                }
                Some(value) => {
                    // Of `%+v` the sign is about the names of fields.
                    directive.plus &= verb != 'v';
                    out.push_str(&directive.print(verb, value)?);
                }
            },
        }
    }
    let extra: Vec<String> = next
        .map(|value| match value {
            Value::Missing | Value::Nil => "<nil>".to_owned(),
            value => format!("{}={}", value.type_name(), printed(value)),
        })
        .collect();
    if !extra.is_empty() {
        let _ = write!(out, "%!(EXTRA {})", extra.join(", "));
    }
    Ok(out)
}

fn number(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<usize> {
    let mut number = None;
    while let Some(digit) = rest.peek().and_then(|next| next.to_digit(10)) {
        rest.next();
        number = Some((number.unwrap_or(0usize) * 10 + digit as usize).min(100_000));
    }
    number
}

impl Directive {
    fn print(&self, verb: char, value: &Value) -> Result<String, Fault> {
        if matches!(value, Value::Missing | Value::Nil) {
            return Ok(match verb {
                'v' | 'T' => self.padded("<nil>".to_owned(), false),
                _ => format!("%!{verb}(<nil>)"),
            });
        }
        if self.sharp || self.blank && !matches!(value, Value::Int(..)) {
            return Err(Fault::unsupported("a format with `#` or a blank"));
        }
        match (verb, value) {
            ('T', _) => Ok(self.padded(self.cut(value.type_name()), false)),
            ('p', Value::List(..) | Value::Map(..)) => Err(Fault::unsupported("the address of a value")),
            (_, Value::List(..) | Value::Map(..)) => self.composite(verb, value),
            ('v' | 't', Value::Bool(value)) => Ok(self.padded(value.to_string(), false)),
            ('v' | 's', Value::Text(text)) => Ok(self.padded(self.cut(text), false)),
            ('q', Value::Text(text)) => Ok(self.padded(quoted(&self.cut(text)), false)),
            ('x' | 'X', Value::Text(text)) => {
                let bytes = text.as_bytes();
                let bytes = &bytes[..self.precision.unwrap_or(bytes.len()).min(bytes.len())];
                let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                Ok(self.padded(if verb == 'X' { hex.to_uppercase() } else { hex }, false))
            }
            (_, Value::Int(kind, number)) => self.int(verb, *kind, *number),
            (_, Value::Float(number)) => self.float(verb, *number),
            _ => self.bad(verb, value),
        }
    }

    /// Returns what Go prints where a verb does not fit: the value as `%v`, with the same flags.
    fn bad(&self, verb: char, value: &Value) -> Result<String, Fault> {
        Ok(format!("%!{verb}({}={})", value.type_name(), self.print('v', value)?))
    }

    fn composite(&self, verb: char, value: &Value) -> Result<String, Fault> {
        let inner = |value: &Value| match value {
            Value::Missing | Value::Nil => Ok("<nil>".to_owned()),
            value => self.print(verb, value),
        };
        match value {
            Value::List(_, items) => {
                let items: Result<Vec<String>, Fault> = items.iter().map(inner).collect();
                Ok(format!("[{}]", items?.join(" ")))
            }
            Value::Map(_, entries) => {
                let entries = entries.borrow();
                let entries: Result<Vec<String>, Fault> = entries
                    .iter()
                    .map(|(key, value)| Ok(format!("{}:{}", self.print(verb, &Value::text(key))?, inner(value)?)))
                    .collect();
                Ok(format!("map[{}]", entries?.join(" ")))
            }
            _ => self.bad(verb, value),
        }
    }

    fn int(&self, verb: char, kind: Integer, number: i64) -> Result<String, Fault> {
        let absolute = number.unsigned_abs();
        let digits = match verb {
            'v' | 'd' => absolute.to_string(),
            'b' => format!("{absolute:b}"),
            'o' => format!("{absolute:o}"),
            'x' => format!("{absolute:x}"),
            'X' => format!("{absolute:X}"),
            'c' | 'q' | 'U' | 'O' => return Err(Fault::unsupported(format!("the format `%{verb}` of a number"))),
            _ => return self.bad(verb, &Value::Int(kind, number)),
        };
        let sign = match number {
            ..0 => "-",
            _ if self.plus => "+",
            _ if self.blank => " ",
            _ => "",
        };
        let wanted = match (self.precision, self.width) {
            (Some(0), _) if number == 0 => return Ok(self.padded(String::new(), false)),
            (Some(precision), _) => precision,
            (None, Some(width)) if self.zero && !self.minus => width.saturating_sub(sign.len()),
            _ => 0,
        };
        Ok(self.padded(format!("{sign}{digits:0>wanted$}"), false))
    }

    fn float(&self, verb: char, number: f64) -> Result<String, Fault> {
        let text = match (verb, self.precision) {
            ('v' | 'g', None) => float(number),
            ('f' | 'F', precision) if number.is_finite() => format!("{number:.*}", precision.unwrap_or(6)),
            ('v' | 'g' | 'G' | 'f' | 'F' | 'e' | 'E' | 'b' | 'x' | 'X', _) => {
                return Err(Fault::unsupported(format!(
                    "the format `%{verb}` with these flags of a float"
                )));
            }
            _ => return self.bad(verb, &Value::Float(number)),
        };
        let is_signed = text.starts_with(['-', '+']);
        let text = if self.plus && !is_signed {
            format!("+{text}")
        } else {
            text
        };
        Ok(self.padded(text, number.is_finite()))
    }

    /// Cuts a text to the precision, in characters.
    fn cut(&self, text: &str) -> String {
        text.chars().take(self.precision.unwrap_or(usize::MAX)).collect()
    }

    /// Fills a text up to the width; the zeros of a number stand behind its sign.
    fn padded(&self, text: String, is_number: bool) -> String {
        let missing = self.width.unwrap_or(0).saturating_sub(text.chars().count());
        match (self.minus, self.zero) {
            (true, _) => text + &" ".repeat(missing),
            (false, true) if is_number && text.starts_with(['-', '+']) => {
                format!("{}{}{}", &text[..1], "0".repeat(missing), &text[1..])
            }
            (false, true) => "0".repeat(missing) + &text,
            (false, false) => " ".repeat(missing) + &text,
        }
    }
}

/// Does what `print` does: blanks between values that are no texts.
pub(super) fn joined(values: &[Value], always_blank: bool) -> String {
    let mut out = String::new();
    for (index, value) in values.iter().enumerate() {
        let is_text = |value: &Value| matches!(value, Value::Text(_));
        if index > 0 && (always_blank || !is_text(value) && !is_text(&values[index - 1])) {
            out.push(' ');
        }
        out.push_str(&printed(value));
    }
    out
}
