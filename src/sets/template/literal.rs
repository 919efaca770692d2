//! Literals of a template: numbers, characters and quoted texts, as Go reads them.

use super::fault::Fault;

/// A number of a template: one literal may be a whole number and a float.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Number {
    pub(super) int: Option<i64>,
    pub(super) float: Option<f64>,
    /// Whether it is a float where nothing says what it has to be.
    pub(super) is_float: bool,
}

impl Number {
    /// Reads a number.
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        let wrong = || Fault::invalid(format!("`{text}` is not a number"));
        if text.ends_with('i') && !text.contains(['x', 'X']) {
            return Err(Fault::unsupported(format!("the complex number `{text}`")));
        }
        if let Some(int) = int(text) {
            return Ok(Self {
                int: Some(int),
                float: Some(int as f64),
                is_float: false,
            });
        }
        if text.contains(['x', 'X', 'p', 'P']) {
            return Err(Fault::unsupported(format!("the number `{text}`")));
        }
        // Without a fraction or an exponent it is a whole number that does not fit.
        if !text.contains(['.', 'e', 'E']) || text.contains('_') {
            return Err(wrong());
        }
        let float: f64 = text.parse().map_err(|_| wrong())?;
        if !float.is_finite() {
            return Err(wrong());
        }
        let is_whole = float.fract() == 0.0 && float.abs() < 9.2e18;
        Ok(Self {
            int: is_whole.then_some(float as i64),
            float: Some(float),
            is_float: true,
        })
    }

    /// Reads a character constant.
    pub(super) fn character(quoted: &str) -> Result<Self, Fault> {
        let inner = &quoted[1..quoted.len() - 1];
        let text = unescaped(inner, '\'')?;
        let mut characters = text.chars();
        match (characters.next(), characters.next()) {
            (Some(character), None) => Ok(Self {
                int: Some(i64::from(u32::from(character))),
                float: Some(f64::from(u32::from(character))),
                is_float: false,
            }),
            _ => Err(Fault::invalid(format!("{quoted} is not one character"))),
        }
    }
}

/// Reads a whole number with Go's prefixes, underscores included.
pub(super) fn int(text: &str) -> Option<i64> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => ("-", &text[1..]),
        b'+' => ("", &text[1..]),
        _ => ("", text),
    };
    let lower = digits.to_ascii_lowercase();
    let (base, body) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..]),
        [b'0', b'o', ..] => (8, &lower[2..]),
        [b'0', b'b', ..] => (2, &lower[2..]),
        [b'0', _, ..] => (8, &lower[1..]),
        _ => (10, &lower[..]),
    };
    let has_prefix = base != 10;
    let is_spaced_well = !body.ends_with('_') && !body.contains("__") && (has_prefix || !body.starts_with('_'));
    if !is_spaced_well || body.starts_with(['+', '-']) {
        return None;
    }
    i64::from_str_radix(&format!("{sign}{}", body.replace('_', "")), base).ok()
}

/// Reads a text in double quotes.
pub(super) fn quoted(text: &str) -> Result<String, Fault> {
    unescaped(&text[1..text.len() - 1], '"')
}

fn unescaped(text: &str, quote: char) -> Result<String, Fault> {
    let wrong = || Fault::invalid("a text has an unknown escape");
    let (mut out, mut rest) = (Vec::new(), text.chars());
    while let Some(next) = rest.next() {
        if next != '\\' {
            out.extend(next.encode_utf8(&mut [0; 4]).bytes());
            continue;
        }
        let kind = rest.next().ok_or_else(wrong)?;
        let mut number = |radix: u32, digits: usize, first: &str| {
            let mut text = first.to_owned();
            text.extend(rest.by_ref().take(digits));
            let is_whole = text.len() == digits + first.len() && !text.starts_with('+');
            u32::from_str_radix(&text, radix)
                .ok()
                .filter(|_| is_whole)
                .ok_or_else(wrong)
        };
        let character = match kind {
            'a' => 7,
            'b' => 8,
            'f' => 12,
            'n' => 10,
            'r' => 13,
            't' => 9,
            'v' => 11,
            '\\' => 92,
            _ if kind == quote => u32::from(quote),
            'x' => {
                out.push(u8::try_from(number(16, 2, "")?).map_err(|_| wrong())?);
                continue;
            }
            '0'..='7' => {
                out.push(u8::try_from(number(8, 2, &kind.to_string())?).map_err(|_| wrong())?);
                continue;
            }
            'u' => number(16, 4, "")?,
            'U' => number(16, 8, "")?,
            _ => return Err(wrong()),
        };
        let character = char::from_u32(character).ok_or_else(wrong)?;
        out.extend(character.encode_utf8(&mut [0; 4]).bytes());
    }
    String::from_utf8(out).map_err(|_| Fault::unsupported("a text that is not UTF-8"))
}
