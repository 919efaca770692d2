//! Tables as kubectl prints them: upper-case heads, three blanks between columns, no borders.

use comfy_table::{ContentArrangement, Table, presets};
use textwrap::{Options, WordSplitter};

/// The columns of a terminal that a table fits.
const COLUMNS: usize = 80;
/// The blanks between columns.
const GAP: u16 = 3;
/// The least width to which a column is narrowed.
const NARROW: usize = 10;

/// A cell of a table that is made to fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// A word, such as a name.
    Word(String),
    /// Several words, which may have lines of their own.
    List(Vec<String>),
    /// A sentence, which may be wrapped.
    Text(String),
}

impl From<&String> for Cell {
    fn from(word: &String) -> Self {
        Self::Word(word.clone())
    }
}

impl Cell {
    fn line(&self) -> String {
        match self {
            Self::Word(text) | Self::Text(text) => text.clone(),
            Self::List(words) => words.join(" "),
        }
    }

    /// Returns the width that the cell takes where a list has a line for each word.
    fn width(&self) -> usize {
        match self {
            Self::Word(text) | Self::Text(text) => width(text),
            Self::List(words) => words.iter().map(|word| width(word)).max().unwrap_or(1),
        }
    }

    /// Returns the cell in lines of this width; a word that is longer is broken.
    fn wrapped(&self, columns: usize) -> String {
        match self {
            Self::Word(text) => broken(text, columns),
            Self::List(words) => {
                let words: Vec<String> = words.iter().map(|word| broken(word, columns)).collect();
                words.join("\n")
            }
            Self::Text(text) => {
                let options = Options::new(columns).word_splitter(WordSplitter::NoHyphenation);
                textwrap::fill(text, options)
            }
        }
    }
}

/// Renders a table of these columns; a cell that is empty shows as `-`.
pub fn table(heads: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(heads.iter().map(|head| head.to_uppercase()));
    for row in rows {
        table.add_row(
            row.into_iter()
                .map(|cell| if cell.is_empty() { "-".to_owned() } else { cell }),
        );
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, GAP));
    }
    let lines = table.to_string();
    lines.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// Renders a table with every row in one line, or one that fits 80 columns.
pub fn sized(heads: &[&str], rows: &[Vec<Cell>], is_wide: bool) -> String {
    match is_wide {
        true => wide(heads, rows),
        false => fitting(heads, rows),
    }
}

/// Renders a table as wide as its cells are.
fn wide(heads: &[&str], rows: &[Vec<Cell>]) -> String {
    table(heads, rows.iter().map(|row| row.iter().map(Cell::line).collect()))
}

/// Renders a table that fits 80 columns: where one line for each row is too long, lists get a line for each word, then
/// columns without any value are left out, and what is still too long is wrapped.
fn fitting(heads: &[&str], rows: &[Vec<Cell>]) -> String {
    let whole = wide(heads, rows);
    if whole.lines().all(|line| width(line) <= COLUMNS) {
        return whole;
    }
    let mut shown: Vec<usize> = (0..heads.len()).collect();
    let mut widths = widths(heads, rows);
    let total = |shown: &[usize], widths: &[usize]| {
        let cells: usize = shown.iter().map(|column| widths[*column]).sum();
        cells + usize::from(GAP) * shown.len().saturating_sub(1)
    };
    if total(&shown, &widths) > COLUMNS {
        shown.retain(|column| rows.iter().any(|row| !row[*column].line().is_empty()));
    }
    while total(&shown, &widths) > COLUMNS {
        let widest = shown.iter().copied().max_by_key(|column| widths[*column]);
        match widest.filter(|column| widths[*column] > NARROW.max(width(heads[*column]))) {
            Some(column) => widths[column] -= 1,
            None => break,
        }
    }
    let heads: Vec<&str> = shown.iter().map(|column| heads[*column]).collect();
    let cells = rows.iter().map(|row| {
        let cells = shown.iter().map(|column| row[*column].wrapped(widths[*column]));
        cells.collect()
    });
    table(&heads, cells)
}

/// Returns the width of each column.
fn widths(heads: &[&str], rows: &[Vec<Cell>]) -> Vec<usize> {
    let of_column = |(column, head): (usize, &&str)| {
        let cells = rows.iter().map(|row| row[column].width());
        cells.chain([width(head)]).max().unwrap_or_default()
    };
    heads.iter().enumerate().map(of_column).collect()
}

fn width(text: &str) -> usize {
    textwrap::core::display_width(text)
}

/// Breaks a word into lines of at most this width, after a separator where there is one.
fn broken(word: &str, columns: usize) -> String {
    let mut lines = Vec::new();
    let mut rest = word;
    while width(rest) > columns {
        let end = rest.char_indices().nth(columns).map_or(rest.len(), |(end, _)| end);
        let at = rest[..end].rfind(|c: char| "-/:.,@_".contains(c)).map(|at| at + 1);
        let (line, behind) = rest.split_at(at.filter(|at| *at > end / 2).unwrap_or(end));
        lines.push(line);
        rest = behind;
    }
    lines.push(rest);
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_lines_end_where_they_end() {
        let text = table(
            &["name", "owner"],
            [
                vec!["media".to_owned(), String::new()],
                vec!["a".to_owned(), "fetcher".to_owned()],
            ],
        );
        assert_eq!(text, "NAME    OWNER\nmedia   -\na       fetcher\n");
    }

    fn word(text: &str) -> Cell {
        Cell::Word(text.to_owned())
    }

    fn list(words: &[&str]) -> Cell {
        Cell::List(words.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_table_that_fits_has_one_line_for_each_row() {
        let rows = [vec![word("a"), list(&["b", "c"]), list(&[])]];
        assert_eq!(
            fitting(&["name", "owns", "writes"], &rows),
            "NAME   OWNS   WRITES\na      b c    -\n"
        );
    }

    #[test]
    fn lists_get_a_line_for_each_word_where_the_table_is_too_wide() {
        let claims = [
            "jellyfin-cache",
            "jellyfin-config",
            "jellyfin-media",
            "jellyfin-library",
        ];
        let rows = [
            vec![word("jellyfin"), word("media"), list(&claims), list(&["pvc-pe-audio"])],
            vec![word("fetcher"), word("media"), list(&["pvc-pe-audio"]), list(&[])],
        ];
        insta::assert_snapshot!(fitting(&["name", "namespace", "owns", "mounts"], &rows), @"
        NAME       NAMESPACE   OWNS               MOUNTS
        jellyfin   media       jellyfin-cache     pvc-pe-audio
                               jellyfin-config
                               jellyfin-media
                               jellyfin-library
        fetcher    media       pvc-pe-audio       -
        ");
    }

    #[test]
    fn what_is_still_too_wide_is_wrapped_and_empty_columns_are_left_out() {
        let long = "a-name-of-the-length-that-kubernetes-allows-which-is-rather-long";
        let rows = [vec![
            word(long),
            list(&[]),
            Cell::Text("a sentence that says more than a column has room for".to_owned()),
            list(&["short", long]),
        ]];
        let text = fitting(&["name", "writes", "message", "owns"], &rows);
        insta::assert_snapshot!(text, @"
        NAME                      MESSAGE                     OWNS
        a-name-of-the-length-     a sentence that says more   short
        that-kubernetes-allows-   than a column has room      a-name-of-the-length-
        which-is-rather-long      for                         that-kubernetes-allows-
                                                              which-is-rather-long
        ");
    }

    #[test]
    fn no_line_is_longer_than_80_columns_and_nothing_is_lost() {
        for length in [1, 9, 20, 40, 63, 253] {
            let name = "x".repeat(length);
            let rows = [vec![
                word(&name),
                list(&[&name, "y", &name]),
                Cell::Text(format!("{name} {name}")),
            ]];
            let text = fitting(&["name", "owns", "message"], &rows);
            assert!(text.lines().all(|line| line.len() <= COLUMNS), "{text}");
            let found = text.lines().skip(1).flat_map(str::chars).filter(|c| *c == 'x').count();
            assert_eq!(found, 5 * length, "{text}");
        }
    }
}
