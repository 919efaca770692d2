//! Reads one scalar as go-yaml version 2 does: tags decide before the text does.

use crate::yaml::node::Tag;
use serde_json::Number;
use std::borrow::Cow;

/// What a scalar reads as.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::yaml) enum Scalar<'a> {
    Null,
    Bool(bool),
    Int(i64),
    /// An integer that only fits unsigned.
    Unsigned(u64),
    Float(f64),
    Str(Cow<'a, str>),
}

/// Reads a scalar; the error never has the text in it.
pub(in crate::yaml) fn read<'a>(text: &'a str, plain: bool, tag: Tag) -> Result<Scalar<'a>, &'static str> {
    match tag {
        Tag::None if plain => Ok(resolve(text)),
        Tag::None | Tag::Str | Tag::NonSpecific | Tag::Other | Tag::Merge => Ok(Scalar::Str(Cow::Borrowed(text))),
        Tag::Binary => base64(text)
            .map(|text| Scalar::Str(Cow::Owned(text)))
            .ok_or("`!!binary` is not valid base64"),
        Tag::Timestamp => Err("`!!timestamp` is not supported"),
        Tag::Bool | Tag::Int | Tag::Float | Tag::Null => match (tag, resolve(text)) {
            (Tag::Bool, value @ Scalar::Bool(_))
            | (Tag::Int, value @ (Scalar::Int(_) | Scalar::Unsigned(_)))
            | (Tag::Float, value @ Scalar::Float(_))
            | (Tag::Null, value @ Scalar::Null) => Ok(value),
            (Tag::Float, Scalar::Int(value)) => Ok(Scalar::Float(value as f64)),
            _ => Err("the value does not fit its tag"),
        },
    }
}

/// Reports whether a plain scalar of this text reads as a string.
pub(in crate::yaml) fn reads_as_string(text: &str) -> bool {
    matches!(resolve(text), Scalar::Str(_))
}

/// Reads a plain scalar without a tag.
fn resolve(text: &str) -> Scalar<'_> {
    let string = Scalar::Str(Cow::Borrowed(text));
    match text.as_bytes().first() {
        None => Scalar::Null,
        Some(b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~') => {
            word(text).unwrap_or(string)
        }
        Some(b'.') => match text {
            ".nan" | ".NaN" | ".NAN" => Scalar::Float(f64::NAN),
            ".inf" | ".Inf" | ".INF" => Scalar::Float(f64::INFINITY),
            _ => dot_float(text).map_or(string, Scalar::Float),
        },
        Some(b'0'..=b'9' | b'+' | b'-') => match text {
            "+.inf" | "+.Inf" | "+.INF" => Scalar::Float(f64::INFINITY),
            "-.inf" | "-.Inf" | "-.INF" => Scalar::Float(f64::NEG_INFINITY),
            _ => number(text).unwrap_or(string),
        },
        Some(_) => string,
    }
}

fn word(text: &str) -> Option<Scalar<'static>> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(Scalar::Bool(true)),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Some(Scalar::Bool(false))
        }
        "~" | "null" | "Null" | "NULL" => Some(Scalar::Null),
        _ => None,
    }
}

/// Reads a number without its underscores: integers of all bases first, then YAML's floats.
fn number(text: &str) -> Option<Scalar<'static>> {
    if !text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'+' | b'-'))
    {
        return None;
    }
    let plain: Cow<'_, str> = if text.contains('_') {
        Cow::Owned(text.replace('_', ""))
    } else {
        Cow::Borrowed(text)
    };
    if let Some(integer) = integer(&plain) {
        return Some(integer);
    }
    if is_yaml_float(plain.as_bytes()) {
        return plain
            .parse()
            .ok()
            .filter(|float: &f64| float.is_finite())
            .map(Scalar::Float);
    }
    // The only reading left that Go has: a sign behind `0b`.
    i64::from_str_radix(plain.strip_prefix("0b")?, 2).ok().map(Scalar::Int)
}

/// Reads an integer as Go's base 0 does: `0x`, `0o`, `0b`, and octal behind a bare `0`.
fn integer(text: &str) -> Option<Scalar<'static>> {
    let (negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (radix, digits) = match unsigned.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => (16, &unsigned[2..]),
        [b'0', b'o' | b'O', _, ..] => (8, &unsigned[2..]),
        [b'0', b'b' | b'B', _, ..] => (2, &unsigned[2..]),
        [b'0', _, ..] => (8, &unsigned[1..]),
        _ => (10, unsigned),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    match i64::try_from(magnitude) {
        Ok(value) => Some(Scalar::Int(if negative { -value } else { value })),
        Err(_) if negative => (magnitude == 1 << 63).then_some(Scalar::Int(i64::MIN)),
        Err(_) => (!text.starts_with('+')).then_some(Scalar::Unsigned(magnitude)),
    }
}

/// Reports whether a text matches `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`.
fn is_yaml_float(mut text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if let [b'+' | b'-', rest @ ..] = text {
        text = rest;
    }
    let whole = digits(text);
    text = &text[whole..];
    if let [b'.', rest @ ..] = text {
        let fraction = digits(rest);
        if whole == 0 && fraction == 0 {
            return false;
        }
        text = &rest[fraction..];
    } else if whole == 0 {
        return false;
    }
    match text {
        [] => true,
        [b'e' | b'E', b'+' | b'-', rest @ ..] | [b'e' | b'E', rest @ ..] => {
            !rest.is_empty() && digits(rest) == rest.len()
        }
        _ => false,
    }
}

/// Reads a float that starts with its dot, in Go's own syntax: an underscore may stand between two digits.
fn dot_float(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
        if *byte == b'_' && !(at > 0 && digit(at - 1) && digit(at + 1)) {
            return None;
        }
    }
    let plain = text.replace('_', "");
    if !is_yaml_float(plain.as_bytes()) {
        return None;
    }
    plain.parse().ok().filter(|float: &f64| float.is_finite())
}

/// Returns a float as the number that Kubernetes keeps: an integer if it is one of 64 bits, `None` for infinity and
/// NaN.
pub(in crate::yaml) fn float(value: f64) -> Option<Number> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if value.fract() == 0.0 && (-LIMIT..LIMIT).contains(&value) {
        return Some(Number::from(value as i64));
    }
    Number::from_f64(value)
}

/// Returns a float as a key: Go's `%g` in 32 bits.
pub(in crate::yaml) fn float_key(value: f64) -> String {
    let value = value as f32;
    if value.is_nan() {
        return ".nan".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf".into() } else { "-.inf".into() };
    }
    let shortest = format!("{value:e}");
    let Some((mantissa, exponent)) = shortest.split_once('e') else {
        return shortest;
    };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if value != 0.0 && !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    format!("{value}")
}

/// Decodes standard base64 with padding; line ends are skipped, invalid UTF-8 becomes replacement characters.
fn base64(text: &str) -> Option<String> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    if !digits.len().is_multiple_of(4) {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3);
    for (at, quad) in digits.chunks(4).enumerate() {
        let padding = quad.iter().rev().take_while(|byte| **byte == b'=').count();
        if padding > 2 || (padding > 0 && (at + 1) * 4 != digits.len()) {
            return None;
        }
        let mut bits = 0u32;
        for byte in quad {
            let sextet = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                b'=' => 0,
                _ => return None,
            };
            bits = bits << 6 | u32::from(sextet);
        }
        if quad[..4 - padding].contains(&b'=') {
            return None;
        }
        bytes.extend_from_slice(&bits.to_be_bytes()[1..4 - padding]);
    }
    let mut decoded = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        decoded.push_str(chunk.valid());
        decoded.extend(chunk.invalid().iter().map(|_| '\u{fffd}'));
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Scalar<'_> {
        read(text, true, Tag::None).unwrap()
    }

    #[test]
    fn integers_of_every_base() {
        for (text, value) in [
            ("0644", 420),
            ("0o644", 420),
            ("08", 8),
            ("1_000", 1000),
            ("0x1F", 31),
            ("-0b11", -3),
            ("+7", 7),
            ("0", 0),
            ("0b-1", -1),
            ("-9223372036854775808", i64::MIN),
            ("00", 0),
            ("0X_f", 15),
        ] {
            let read = plain(text);
            assert!(
                read == Scalar::Int(value) || read == Scalar::Float(value as f64),
                "{text}: {read:?}"
            );
        }
        assert_eq!(
            plain("12345678901234567890"),
            Scalar::Unsigned(12_345_678_901_234_567_890)
        );
    }

    #[test]
    fn what_looks_like_a_number_and_is_none() {
        for text in [
            "1e400",
            "0o",
            "_1",
            "1e",
            ".",
            "+",
            "-x",
            "1:30",
            "0.0.0.0/0",
            "2001-01-01",
            "0x",
            "--1",
            ".5_",
            "1 0",
        ] {
            assert_eq!(plain(text), Scalar::Str(text.into()), "{text}");
        }
    }

    #[test]
    fn float_keys_are_written_as_go_writes_them() {
        for (value, key) in [
            (1.0, "1"),
            (1.5, "1.5"),
            (1e6, "1e+06"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
        ] {
            assert_eq!(float_key(value), key);
        }
    }

    #[test]
    fn binary_is_decoded() {
        assert_eq!(base64("aGVs\nbG8="), Some("hello".into()));
        assert_eq!(base64("/w=="), Some("\u{fffd}".into()));
        assert_eq!(base64("aGVsbG8"), None);
        assert_eq!(base64("a=Gk"), None);
    }
}
