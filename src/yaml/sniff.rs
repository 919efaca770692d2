//! A word of a document without parsing it: enough to pass by the many documents that nobody will touch.
//!
//! Everything that is not plainly what it looks like is [`Sniffed::Unclear`], and the caller parses.

use memchr::memmem;

/// What a look at a document's first column found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sniffed<'t> {
    /// A plain or simply quoted word.
    Plain(&'t str),
    /// The key is not there.
    Absent,
    /// Only a parser can tell.
    Unclear,
}

/// The value of a top-level key, if a line in the first column says it plainly.
///
/// Unclear are: documents in brackets, keys in quotes, anchors, tags, merges, a key that stands twice, text that
/// continues a scalar in the first column, and values that are more than one word.
pub fn top_level_scalar<'t>(text: &'t str, key: &str) -> Sniffed<'t> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut at = 0;
    let value = loop {
        let end = memchr::memchr(b'\n', &text.as_bytes()[at..]).map_or(text.len(), |newline| at + newline);
        match line(&text[at..end], key) {
            Line::Other if end == text.len() => return Sniffed::Absent,
            Line::Other => at = end + 1,
            Line::Value(value) => break value,
            Line::Unclear => return Sniffed::Unclear,
        }
    };
    let rest = &text.as_bytes()[at..];
    let twice = memmem::find_iter(rest, &format!("\n{key}")).any(|hit| {
        let behind = rest[hit + 1 + key.len()..].first();
        matches!(behind, Some(b':' | b' ' | b'\t'))
    });
    let continued =
        memchr::memchr(b'\n', rest).is_some_and(|newline| matches!(rest.get(newline + 1), Some(b' ' | b'\t')));
    if twice || continued {
        return Sniffed::Unclear;
    }
    word(value).map_or(Sniffed::Unclear, Sniffed::Plain)
}

enum Line<'t> {
    Other,
    Value(&'t str),
    Unclear,
}

fn line<'t>(line: &'t str, key: &str) -> Line<'t> {
    let line = line.strip_suffix('\r').unwrap_or(line);
    match line.as_bytes().first() {
        None | Some(b' ' | b'#') => return Line::Other,
        Some(b'-') if matches!(line.as_bytes().get(1), None | Some(b' ')) => return Line::Other,
        Some(byte) if byte.is_ascii_alphabetic() => {}
        Some(_) => return Line::Unclear,
    }
    let name = line
        .bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/'))
        .count();
    match line.as_bytes().get(name) {
        Some(b':') if matches!(line.as_bytes().get(name + 1), None | Some(b' ' | b'\t')) => {
            if &line[..name] == key {
                Line::Value(&line[name + 1..])
            } else {
                Line::Other
            }
        }
        _ => Line::Unclear,
    }
}

/// One word, plain or in quotes without escapes, with a comment behind it at most.
fn word(value: &str) -> Option<&str> {
    let value = value.trim_matches([' ', '\t']);
    let (word, rest) = match value.as_bytes().first()? {
        quote @ (b'"' | b'\'') => {
            let end = value[1..].find(char::from(*quote))?;
            (&value[1..=end], &value[end + 2..])
        }
        _ => {
            let end = value.find([' ', '\t']).unwrap_or(value.len());
            (&value[..end], &value[end..])
        }
    };
    let simple = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/');
    let comment = rest.is_empty() || (rest.starts_with([' ', '\t']) && rest.trim_start().starts_with('#'));
    (!word.is_empty() && word.bytes().all(simple) && comment).then_some(word)
}

/// Whether a document may have one of the words: it stands in the text, or an escape, alias or tag could hide it.
pub fn may_hide(text: &str, words: &[&str]) -> bool {
    let bytes = text.as_bytes();
    if words.iter().any(|word| memmem::find(bytes, word.as_bytes()).is_some()) {
        return true;
    }
    // An escape needs a backslash; an alias or a tag stands behind a blank or a sign, or in the first column.
    memchr::memchr(b'\\', bytes).is_some()
        || memchr::memchr2_iter(b'*', b'!', bytes).any(|at| {
            let before = at.checked_sub(1).map(|before| bytes[before]);
            let named = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'!' | b'<');
            matches!(
                before,
                None | Some(b' ' | b'\t' | b'\n' | b'[' | b'{' | b',' | b':' | b'-' | b'?')
            ) && bytes.get(at + 1).is_some_and(named)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_in_the_first_column_is_plain() {
        for (text, kind) in [
            ("apiVersion: v1\nkind: Pod\n", "Pod"),
            ("kind: \"Pod\"  # c\n", "Pod"),
            ("kind:   'Pod'\r\nspec:\r\n  a: b\r\n", "Pod"),
            ("\u{feff}# c\n\nkind: Pod", "Pod"),
            ("spec:\n- a: b\n  kind: X\nkind: Pod\n", "Pod"),
        ] {
            assert_eq!(top_level_scalar(text, "kind"), Sniffed::Plain(kind), "{text:?}");
        }
    }

    #[test]
    fn what_could_be_otherwise_is_unclear() {
        for text in [
            "{\"kind\": \"Pod\"}\n",
            "\"kind\": Pod\n",
            "kind: &a Pod\n",
            "kind: !!str Pod\n",
            "kind: \"P\\u006fd\"\n",
            "kind: Pod\nkind: Job\n",
            "kind: Pod\n  more\n",
            "a: \"x\nkind: Pod\"\nkind: Job\n",
            "kind: Pod x\n",
            "kind:\n",
            "<<: *x\nkind: Pod\n",
            "? kind\n: Pod\n",
            "kind: Pod\nkind : Job\n",
            "...\nkind: Pod\n",
        ] {
            assert_eq!(top_level_scalar(text, "kind"), Sniffed::Unclear, "{text:?}");
        }
        assert_eq!(top_level_scalar("a: 1\n", "kind"), Sniffed::Absent);
        assert_eq!(top_level_scalar("", "kind"), Sniffed::Absent);
    }

    #[test]
    fn words_can_hide_behind_escapes_aliases_and_tags() {
        for text in [
            "a: containers\n",
            "\"cont\\u0061iners\": x\n",
            "a: *x\n",
            "a: [*x]\n",
            "a: !!binary Y29u\n",
        ] {
            assert!(may_hide(text, &["containers"]), "{text:?}");
        }
        for text in ["a: b\n", "schedule: '* * * * *'\n", "a: b*c!\n"] {
            assert!(!may_hide(text, &["containers"]), "{text:?}");
        }
    }
}
