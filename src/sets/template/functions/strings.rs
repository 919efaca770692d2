//! Texts ([source](https://masterminds.github.io/sprig/strings.html)).

use super::super::fault::Fault;
use super::super::print::{printed, quoted};
use super::super::value::Value;
use super::lists::texts_of;
use super::{Function, cut, function, int, text};

pub(super) const TABLE: &[Function] = &[
    function("abbrev", "is", |values| abbreviated(int(&values[0]), text(&values[1]))),
    function("cat", "a*", |values| {
        let texts: Vec<String> = present(values).map(printed).collect();
        Ok(Value::Text(texts.join(" ")))
    }),
    function("contains", "ss", |values| {
        Ok(Value::Bool(text(&values[1]).contains(text(&values[0]))))
    }),
    function("fail", "s", |_| Err(Fault::invalid("it is called"))),
    function("hasPrefix", "ss", |values| {
        Ok(Value::Bool(text(&values[1]).starts_with(text(&values[0]))))
    }),
    function("hasSuffix", "ss", |values| {
        Ok(Value::Bool(text(&values[1]).ends_with(text(&values[0]))))
    }),
    function("hello", "", |_| Ok(Value::text("Hello!"))),
    function("indent", "is", |values| indented(int(&values[0]), text(&values[1]))),
    function("join", "sa", |values| {
        Ok(Value::Text(texts_of(&values[1]).join(text(&values[0]))))
    }),
    function("lower", "s", |values| mapped(text(&values[0]), char::to_lowercase)),
    function("nindent", "is", |values| {
        match indented(int(&values[0]), text(&values[1]))? {
            Value::Text(text) => Ok(Value::Text(format!("\n{text}"))),
            other => Ok(other),
        }
    }),
    function("nospace", "s", |values| {
        Ok(Value::Text(without_blanks(text(&values[0]))))
    }),
    function("plural", "ssi", |values| {
        Ok(values[usize::from(int(&values[2]) != 1)].clone())
    }),
    function("quote", "a*", |values| {
        let texts: Vec<String> = present(values).map(|value| quoted(&printed(value))).collect();
        Ok(Value::Text(texts.join(" ")))
    }),
    function("repeat", "is", |values| {
        repeated(int(&values[0]), text(&values[1])).map(Value::Text)
    }),
    function("replace", "sss", |values| {
        replaced(text(&values[2]), text(&values[0]), text(&values[1]))
    }),
    function("split", "ss", |values| {
        Ok(numbered(pieces(text(&values[1]), text(&values[0]), -1)))
    }),
    function("splitList", "ss", |values| {
        Ok(Value::texts(pieces(text(&values[1]), text(&values[0]), -1)))
    }),
    function("splitn", "sis", |values| {
        Ok(numbered(pieces(text(&values[2]), text(&values[0]), int(&values[1]))))
    }),
    function("squote", "a*", |values| {
        let texts: Vec<String> = present(values).map(|value| format!("'{}'", printed(value))).collect();
        Ok(Value::Text(texts.join(" ")))
    }),
    function("substr", "iis", |values| {
        let (start, end, text) = (int(&values[0]), int(&values[1]), text(&values[2]));
        match (start, end) {
            (..0, _) => cut(text, 0, end),
            (_, ..0) => cut(text, start, text.len() as i64),
            _ if end > text.len() as i64 => cut(text, start, text.len() as i64),
            _ => cut(text, start, end),
        }
    }),
    function("title", "s", |values| title(text(&values[0]))),
    function("toString", "a", |values| Ok(Value::Text(printed(&values[0])))),
    function("toStrings", "a", |values| Ok(Value::texts(texts_of(&values[0])))),
    function("trim", "s", |values| Ok(Value::text(text(&values[0]).trim()))),
    function("trimAll", "ss", |values| {
        Ok(trimmed(text(&values[1]), text(&values[0])))
    }),
    function("trimall", "ss", |values| {
        Ok(trimmed(text(&values[1]), text(&values[0])))
    }),
    function("trimPrefix", "ss", |values| {
        let (prefix, text) = (text(&values[0]), text(&values[1]));
        Ok(Value::text(text.strip_prefix(prefix).unwrap_or(text)))
    }),
    function("trimSuffix", "ss", |values| {
        let (suffix, text) = (text(&values[0]), text(&values[1]));
        Ok(Value::text(text.strip_suffix(suffix).unwrap_or(text)))
    }),
    function("trunc", "is", |values| {
        let (count, text) = (int(&values[0]), text(&values[1]));
        let length = text.len() as i64;
        match count {
            ..0 if length + count > 0 => cut(text, length + count, length),
            0.. if length > count => cut(text, 0, count),
            _ => Ok(Value::text(text)),
        }
    }),
    function("untitle", "s", |values| untitle(text(&values[0]))),
    function("upper", "s", |values| mapped(text(&values[0]), char::to_uppercase)),
];

fn present(values: &[Value]) -> impl Iterator<Item = &Value> {
    values
        .iter()
        .filter(|value| !matches!(value, Value::Missing | Value::Nil))
}

/// Maps each character as Go does, to one character.
fn mapped<I: Iterator<Item = char>>(text: &str, map: fn(char) -> I) -> Result<Value, Fault> {
    let characters = text.chars().map(|character| one(character, map));
    characters.collect::<Result<String, Fault>>().map(Value::Text)
}

fn one<I: Iterator<Item = char>>(character: char, map: fn(char) -> I) -> Result<char, Fault> {
    let mut mapped = map(character);
    match (mapped.next(), mapped.next()) {
        (Some(character), None) => Ok(character),
        _ => Err(Fault::unsupported("a letter that becomes several letters")),
    }
}

/// Returns a text in lower case as Go does; a letter that becomes several is left as it is.
pub(super) fn lower(text: &str) -> String {
    text.chars()
        .map(|character| one(character, char::to_lowercase).unwrap_or(character))
        .collect()
}

fn title(text: &str) -> Result<Value, Fault> {
    let (mut out, mut before) = (String::new(), ' ');
    for character in text.chars() {
        let is_start = match before {
            '\0'..='\x7f' => !before.is_ascii_alphanumeric() && before != '_',
            _ => !before.is_alphanumeric() && before.is_whitespace(),
        };
        out.push(if is_start {
            one(character, char::to_uppercase)?
        } else {
            character
        });
        before = character;
    }
    Ok(Value::Text(out))
}

fn untitle(text: &str) -> Result<Value, Fault> {
    let (mut out, mut is_start) = (String::new(), true);
    for character in text.chars() {
        out.push(if is_start {
            one(character, char::to_lowercase)?
        } else {
            character
        });
        is_start = character.is_whitespace();
    }
    Ok(Value::Text(out))
}

fn trimmed(text: &str, characters: &str) -> Value {
    Value::text(text.trim_matches(|character| characters.contains(character)))
}

fn repeated(count: i64, text: &str) -> Result<String, Fault> {
    let count = usize::try_from(count).map_err(|_| Fault::invalid("the count is negative"))?;
    match text.len().checked_mul(count) {
        Some(..=1_000_000) => Ok(text.repeat(count)),
        _ => Err(Fault::unsupported("a very long text")),
    }
}

fn indented(count: i64, text: &str) -> Result<Value, Fault> {
    let pad = repeated(count, " ")?;
    Ok(Value::Text(format!("{pad}{}", text.replace('\n', &format!("\n{pad}")))))
}

fn replaced(text: &str, old: &str, new: &str) -> Result<Value, Fault> {
    match text.len().saturating_mul(new.len()) {
        ..=10_000_000 => Ok(Value::Text(text.replace(old, new))),
        _ => Err(Fault::unsupported("a very long text")),
    }
}

/// Splits a text as Go's `strings.SplitN`: into characters where the separator is empty.
fn pieces(text: &str, separator: &str, most: i64) -> Vec<String> {
    let most = match most {
        ..0 => usize::MAX,
        0 => return Vec::new(),
        most => most as usize,
    };
    if !separator.is_empty() {
        return text.splitn(most, separator).map(str::to_owned).collect();
    }
    let mut pieces: Vec<String> = Vec::new();
    for (at, character) in text.char_indices() {
        if pieces.len() + 1 == most {
            pieces.push(text[at..].to_owned());
            break;
        }
        pieces.push(character.to_string());
    }
    pieces
}

fn numbered(pieces: Vec<String>) -> Value {
    let entries = pieces.into_iter().enumerate();
    Value::text_map(entries.map(|(index, piece)| (format!("_{index}"), piece)))
}

fn abbreviated(width: i64, text: &str) -> Result<Value, Fault> {
    if width < 4 || text.len() as i64 <= width {
        return Ok(Value::text(text));
    }
    match cut(text, 0, width - 3)? {
        Value::Text(start) => Ok(Value::Text(start + "...")),
        other => Ok(other),
    }
}

/// Returns a text without blanks as Go's library does it: where there are any, each byte becomes a character of its own
/// ([source](https://github.com/Masterminds/goutils/blob/v1.1.1/stringutils.go), `DeleteWhiteSpace`).
fn without_blanks(text: &str) -> String {
    let is_blank = |byte: &u8| matches!(byte, b'\t'..=b'\r' | b' ' | 0x85 | 0xa0);
    match text.bytes().any(|byte| is_blank(&byte)) {
        true => text.bytes().filter(|byte| !is_blank(byte)).map(char::from).collect(),
        false => text.to_owned(),
    }
}
