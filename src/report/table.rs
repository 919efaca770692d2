//! Tables as kubectl prints them: upper-case heads, two or three blanks between columns, no borders.

use comfy_table::{ContentArrangement, Table, presets};

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
        column.set_padding((0, 3));
    }
    let lines = table.to_string();
    lines.lines().map(|line| format!("{}\n", line.trim_end())).collect()
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
}
