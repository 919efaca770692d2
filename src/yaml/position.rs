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

/// The lines of a text, for many positions in it.
#[derive(Debug)]
pub struct Lines<'t> {
    text: &'t str,
    /// Where lines start.
    starts: Vec<u32>,
    /// How many characters stand before each block of the text.
    characters: Vec<u32>,
}

/// The bytes of a block.
const BLOCK: usize = 1024;

impl<'t> Lines<'t> {
    /// Goes through a text.
    pub fn of(text: &'t str) -> Self {
        let ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|newline| newline as u32 + 1);
        let mut characters = vec![0];
        for block in text.as_bytes().chunks(BLOCK) {
            characters.push(characters[characters.len() - 1] + count(block));
        }
        Self {
            text,
            starts: std::iter::once(0).chain(ends).collect(),
            characters,
        }
    }

    /// Does the same as [`position`].
    pub fn position(&self, offset: usize) -> Position {
        let offset = offset.min(self.text.len());
        let line = self.starts.partition_point(|start| *start as usize <= offset);
        let start = self.starts[line - 1] as usize;
        Position {
            line,
            column: (self.before(offset) - self.before(start)) as usize + 1,
        }
    }

    /// Returns how many characters start before an offset.
    fn before(&self, offset: usize) -> u32 {
        let block = offset / BLOCK;
        self.characters[block] + count(&self.text.as_bytes()[block * BLOCK..offset])
    }
}

/// Returns how many characters start in bytes.
fn count(bytes: &[u8]) -> u32 {
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count() as u32
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
        let long = format!("ä: b\nß: c\n{}\n", "ü".repeat(2000));
        for text in ["", "a", "ä: b\nß: c\n", &long] {
            let lines = Lines::of(text);
            for offset in (0..=text.len() + 1).filter(|offset| *offset > text.len() || text.is_char_boundary(*offset)) {
                assert_eq!(lines.position(offset), position(text, offset), "{offset}");
            }
        }
    }
}
