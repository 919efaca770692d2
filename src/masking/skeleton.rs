//! What all spellings of a text have in common.

use std::ops::Range;

/// A text without what a printer adds, drops or rewrites: quotes, backslashes, blanks, line ends and the case of letters.
/// Where escapes are read, the sign that one stands for is in its place, however often it is escaped.
///
/// Whatever printed a value, the skeleton of the print contains the skeleton of the value: what is done to one is done to
/// the other. So a value is found without a list of all its spellings.
#[derive(Debug)]
pub(super) struct Skeleton {
    pub(super) bytes: Vec<u8>,
    /// Where each byte's sign begins and ends in the text.
    places: Vec<(u32, u32)>,
}

impl Skeleton {
    /// Makes the skeleton of a text. A text in which backslashes stand for themselves is only found where
    /// `reads_escapes` is false.
    pub(super) fn of(text: &str, reads_escapes: bool) -> Self {
        let signs = if reads_escapes {
            unescaped_percents(text)
        } else {
            text.bytes().enumerate().map(|(at, byte)| (byte, at)).collect()
        };
        let bytes: Vec<u8> = signs.iter().map(|(byte, _)| *byte).collect();
        let place = |at: usize| signs.get(at).map_or(text.len(), |(_, place)| *place);
        let mut skeleton = Self {
            bytes: Vec::with_capacity(bytes.len()),
            places: Vec::with_capacity(bytes.len()),
        };
        let mut at = 0;
        while at < bytes.len() {
            let (sign, length) = match bytes[at] {
                b'\\' if reads_escapes => backslash(&bytes[at..]),
                _ => plain(&bytes[at..]),
            };
            let (from, until) = (place(at), place(at + length));
            match sign {
                Unescaped::Sign(sign) => skeleton.push(sign, from, until),
                Unescaped::Byte(byte) => skeleton.push_byte(byte, from, until),
                Unescaped::Nothing => {}
            }
            at += length;
        }
        skeleton
    }

    /// Returns the bytes of the text that a part of the skeleton stands for.
    pub(super) fn place(&self, from: usize, until: usize) -> Range<usize> {
        self.places[from].0 as usize..self.places[until - 1].1 as usize
    }

    fn push(&mut self, sign: char, from: usize, until: usize) {
        if sign.is_whitespace() || sign.is_control() || matches!(sign, '"' | '\'' | '`' | '\\' | '+') {
            return;
        }
        let mut buffer = [0; 4];
        for byte in sign.encode_utf8(&mut buffer).bytes() {
            self.push_byte(byte, from, until);
        }
    }

    fn push_byte(&mut self, byte: u8, from: usize, until: usize) {
        self.bytes.push(byte.to_ascii_lowercase());
        self.places.push((from as u32, until as u32));
    }
}

/// What an escape stands for.
enum Unescaped {
    Sign(char),
    Byte(u8),
    Nothing,
}

/// Reads an escape; one that is escaped itself has several backslashes. Returns its length, too.
fn backslash(text: &[u8]) -> (Unescaped, usize) {
    let slashes = text.iter().take_while(|byte| **byte == b'\\').count();
    let rest = &text[slashes..];
    let hex = |from: usize, digits: usize| number(rest.get(from..from + digits)?, 16);
    let sign = |code: Option<u32>, length: usize| match code {
        Some(code) => {
            let sign = char::from_u32(code).map_or(Unescaped::Nothing, Unescaped::Sign);
            (sign, slashes + length)
        }
        None => (Unescaped::Nothing, slashes),
    };
    match rest.first() {
        Some(b'n' | b'r' | b't' | b'a' | b'b' | b'f' | b'v' | b'e' | b'N' | b'L' | b'P' | b'_') => {
            (Unescaped::Nothing, slashes + 1)
        }
        Some(b'x') => sign(hex(1, 2), 3),
        Some(b'U') => sign(hex(1, 8), 9),
        Some(b'u') => hex(1, 4).map_or((Unescaped::Nothing, slashes), |code| surrogates(text, slashes, code)),
        Some(b'0'..=b'7') => match rest.get(..3).and_then(|digits| number(digits, 8)) {
            Some(code) => {
                let byte = u8::try_from(code).map_or(Unescaped::Nothing, Unescaped::Byte);
                (byte, slashes + 3)
            }
            None => (Unescaped::Nothing, slashes + usize::from(rest[0] == b'0')),
        },
        _ => (Unescaped::Nothing, slashes),
    }
}

/// Reads the second half of a sign that JSON writes as two.
fn surrogates(text: &[u8], slashes: usize, high: u32) -> (Unescaped, usize) {
    let one = slashes + 5;
    let sign = |code: u32, length: usize| (char::from_u32(code).map_or(Unescaped::Nothing, Unescaped::Sign), length);
    if !(0xd800..0xdc00).contains(&high) {
        return sign(high, one);
    }
    let rest = &text[one..];
    let again = rest.iter().take_while(|byte| **byte == b'\\').count();
    let low = rest
        .get(again + 1..again + 5)
        .filter(|_| rest.get(again) == Some(&b'u'));
    match low.and_then(|digits| number(digits, 16)) {
        Some(low @ 0xdc00..0xe000) => sign(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00), one + again + 5),
        _ => (Unescaped::Nothing, one),
    }
}

/// Reads a sign that stands for itself.
fn plain(text: &[u8]) -> (Unescaped, usize) {
    let mut chunk = text[..text.len().min(4)].utf8_chunks();
    match chunk.next().and_then(|chunk| chunk.valid().chars().next()) {
        Some(sign) => (Unescaped::Sign(sign), sign.len_utf8()),
        None => (Unescaped::Byte(text[0]), 1),
    }
}

/// Returns the bytes of a text and where each stands, with the escapes of URLs read. A percent sign that is escaped itself
/// is `%25`.
fn unescaped_percents(text: &str) -> Vec<(u8, usize)> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let start = at;
        at += 1;
        if *byte != b'%' {
            out.push((*byte, start));
            continue;
        }
        while bytes.get(at..at + 2) == Some(b"25") {
            at += 2;
        }
        let code = bytes.get(at..at + 2).and_then(|digits| number(digits, 16));
        match code.and_then(|code| u8::try_from(code).ok()) {
            Some(byte) => {
                out.push((byte, start));
                at += 2;
            }
            None => out.push((b'%', start)),
        }
    }
    out
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    let mut signs = digits.iter().map(|digit| char::from(*digit).to_digit(radix));
    signs.try_fold(0, |number, digit| Some(number * radix + digit?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_a_text_have_one_skeleton() {
        let bytes = |text: &str| Skeleton::of(text, true).bytes;
        for (text, spelled) in [
            ("a b\nc", "a b\\nc"),
            ("a b\nc", "a\n    b c"),
            ("p\"q'r\\s", "p\\\"q'\\''r\\\\s"),
            ("C:\\new", "C:\\\\new"),
            ("ä😀", "\\u00e4\\ud83d\\ude00"),
            ("ä😀", "\\xe4\\U0001F600"),
            ("ä", "\\303\\244"),
            ("ä", "%C3%a4"),
            ("100%", "100%25"),
            ("50%41", "50%2541"),
            ("a,b{c}", "a\\,b\\{c\\}"),
            ("<&>", "\\u003c\\u0026\\u003e"),
            ("a\\\"b", "\\\"a\\\\\\\\\\\\\\\"b\\\""),
        ] {
            assert_eq!(bytes(text), bytes(spelled), "{text:?} {spelled:?}");
        }
        let skeleton = Skeleton::of("x \"a\\n\\u00e4\"", true);
        assert_eq!(skeleton.place(1, 4), 3..12);
    }
}
