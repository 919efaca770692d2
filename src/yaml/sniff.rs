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

/// The values of top-level keys, where lines in the first column say them plainly. All of the document is looked at:
/// what comes later could say another value of a key.
///
/// Unclear are: documents in brackets, keys in quotes, anchors, tags, merges, a key that stands twice, text that
/// continues a scalar in the first column, line ends that only YAML knows, and values that are more than one word.
pub fn top_level_scalars<'t, const N: usize>(text: &'t str, keys: [&str; N]) -> [Sniffed<'t>; N] {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = Lines {
        text,
        keys,
        found: [Sniffed::Absent; N],
    };
    if lines.all() {
        lines.found
    } else {
        [Sniffed::Unclear; N]
    }
}

/// How much is looked at in one go: enough to be fast, little enough that most of it is passed by.
const BLOCK: usize = 1024;

/// The lines of a document that say something in the first column.
struct Lines<'t, 'k, const N: usize> {
    text: &'t str,
    keys: [&'k str; N],
    found: [Sniffed<'t>; N],
}

impl<const N: usize> Lines<'_, '_, N> {
    /// Takes all lines; false where only a parser can tell.
    fn all(&mut self) -> bool {
        let bytes = self.text.as_bytes();
        let mut is_ascii = true;
        if bytes.first().is_some_and(|byte| begins_something(*byte)) && !self.take(0) || bytes.last() == Some(&b'\r') {
            return false;
        }
        for at in (0..bytes.len()).step_by(BLOCK) {
            // Every byte with the one behind it.
            let block = &bytes[at..bytes.len().min(at + BLOCK + 1)];
            let signs = Signs::of(block);
            is_ascii &= signs.is_ascii;
            if signs.has_odd_line_end {
                return false;
            }
            if signs.has_line
                && !memchr::memchr_iter(b'\n', &block[..block.len() - 1])
                    .map(|newline| newline + 1)
                    .filter(|start| begins_something(block[*start]))
                    .all(|start| self.take(at + start))
            {
                return false;
            }
        }
        is_ascii
            || !LINE_ENDS
                .iter()
                .any(|sign| memmem::find(bytes, sign.as_bytes()).is_some())
    }

    /// Takes the line that starts here.
    fn take(&mut self, at: usize) -> bool {
        let bytes = self.text.as_bytes();
        let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |newline| at + newline);
        let Some(line) = line(&self.text[at..end]) else {
            return false;
        };
        if let Line::Entry(key, value) = line
            && let Some(index) = self.keys.iter().position(|wanted| *wanted == key)
        {
            let continued = matches!(bytes.get(end + 1), Some(b' ' | b'\t'));
            self.found[index] = match (self.found[index], word(value)) {
                (Sniffed::Absent, Some(word)) if !continued => Sniffed::Plain(word),
                _ => Sniffed::Unclear,
            };
        }
        true
    }
}

/// Most lines do not: they are indented, comments, or empty.
fn begins_something(byte: u8) -> bool {
    !matches!(byte, b' ' | b'#' | b'\n')
}

/// The signs of Unicode that YAML 1.1 takes for line ends ([source](https://yaml.org/spec/1.1/#id871136)).
const LINE_ENDS: [&str; 3] = ["\u{85}", "\u{2028}", "\u{2029}"];

/// What stands in a block, found without a branch for each byte.
struct Signs {
    /// A line begins with something.
    has_line: bool,
    /// A line ends with a `\r` alone.
    has_odd_line_end: bool,
    is_ascii: bool,
}

impl Signs {
    fn of(block: &[u8]) -> Self {
        let (mut line, mut odd, mut all) = (0, 0, 0);
        for (byte, next) in block.iter().zip(&block[1..]) {
            line |= u8::from(*byte == b'\n') & u8::from(begins_something(*next));
            odd |= u8::from(*byte == b'\r') & u8::from(*next != b'\n');
            all |= *byte;
        }
        Self {
            has_line: line > 0,
            has_odd_line_end: odd > 0,
            is_ascii: all.is_ascii(),
        }
    }
}

/// A line that does not begin with a blank.
enum Line<'t> {
    /// It begins with a plain key; what stands behind the colon.
    Entry(&'t str, &'t str),
    /// It has no key.
    Other,
}

/// What a line is; `None` where only a parser can tell.
fn line(line: &str) -> Option<Line<'_>> {
    let line = line.strip_suffix('\r').unwrap_or(line);
    match line.as_bytes().first() {
        None => return Some(Line::Other),
        Some(b'-') if matches!(line.as_bytes().get(1), None | Some(b' ')) => return Some(Line::Other),
        Some(byte) if byte.is_ascii_alphabetic() => {}
        Some(_) => return None,
    }
    let name = line
        .bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/'))
        .count();
    match line.as_bytes().get(name) {
        Some(b':') if matches!(line.as_bytes().get(name + 1), None | Some(b' ' | b'\t')) => {
            Some(Line::Entry(&line[..name], &line[name + 1..]))
        }
        _ => None,
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
            assert_eq!(top_level_scalars(text, ["kind"]), [Sniffed::Plain(kind)], "{text:?}");
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
            // Of two equal keys the last one counts, however it is written.
            "kind: Pod\n\"kind\": Job\n",
            "kind: Pod\n? kind\n: Job\n",
            "kind: Pod\n<<: *x\n",
            "kind: Pod\n&a kind: Job\n",
            "kind: Pod\n!!str kind: Job\n",
            "a: \"x\nkind: Pod\n\"\n'kind': Job\n",
            "# c\rkind: Job\r\nkind: Pod\n",
            "# c\u{85}kind: Job\nkind: Pod\n",
            "# c\u{2028}kind: Job\nkind: Pod\n",
            "kind: Pod\n# c\u{2029}kind: Job\n",
            "kind: Pod\n  # c\rkind: Job\n",
        ] {
            assert_eq!(top_level_scalars(text, ["kind"]), [Sniffed::Unclear], "{text:?}");
        }
        // Wherever a block of the look ends.
        for length in BLOCK - 20..BLOCK + 20 {
            let filled = format!("kind: Pod\na: |\n {}\n", "x".repeat(length));
            assert_eq!(top_level_scalars(&filled, ["kind"]), [Sniffed::Plain("Pod")]);
            for more in ["\"kind\": Job", "# c\rkind: Job", "# c\u{85}kind: Job", "kind: Job"] {
                let text = format!("{filled}{more}\n");
                assert_eq!(
                    top_level_scalars(&text, ["kind"]),
                    [Sniffed::Unclear],
                    "{length} {more:?}"
                );
            }
        }
        assert_eq!(top_level_scalars("a: 1\n", ["kind"]), [Sniffed::Absent]);
        assert_eq!(top_level_scalars("", ["kind"]), [Sniffed::Absent]);
        assert_eq!(
            top_level_scalars("kind: Pod x\napiVersion: v1\n", ["kind", "apiVersion"]),
            [Sniffed::Unclear, Sniffed::Plain("v1")]
        );
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
