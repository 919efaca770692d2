//! Places in a text, as an editor counts them.

/// A place in a text, line and column counted from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// Returns the place of a byte offset; an offset behind the end counts as the end.
pub fn position(text: &str, offset: usize) -> Position {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = &text[..offset];
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Position {
        line: newlines(before) + 1,
        column: before[start..].chars().count() + 1,
    }
}

/// Returns how many line ends a text has.
pub(super) fn newlines(text: &str) -> usize {
    memchr::memchr_iter(b'\n', text.as_bytes()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_from_one() {
        assert_eq!(position("ä: b\nß: c\n", 0), Position { line: 1, column: 1 });
        assert_eq!(position("ä: b\nß: c\n", 10), Position { line: 2, column: 4 });
        assert_eq!(position("a", 99), Position { line: 1, column: 2 });
    }
}
