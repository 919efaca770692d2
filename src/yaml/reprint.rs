//! Prints one document again: what a splice falls back to.
//!
//! Comments inside the document are lost, values are not: the result is held to the expected value like every splice.
//! What stands before the first node and behind the last stays.

use super::node::Style;
use super::splice::layout::Layout;
use super::stream::is_json;
use super::tree::Tree;
use super::trivia::{skip_trivia, text_start};
use super::write::{Writer, flow};
use serde_json::Value;

/// Prints the document with another value.
pub(super) fn reprint(tree: &Tree<'_>, value: &Value) -> String {
    let Some(root) = tree.nodes.first() else {
        return String::new();
    };
    let layout = Layout::of(tree);
    let start = layout.line_start(first_byte(tree));
    let end = layout.line_end(root.end as usize);
    let mut text = tree.text[..start].to_owned();
    if root.style == Style::Block {
        Writer {
            newline: layout.newline(),
            list_indent: layout.list_indent(),
            literal: layout.literal_fits(end),
        }
        .node(&mut text, value, 0);
    } else {
        flow(&mut text, value);
        let has_entries = value.as_object().is_some_and(|map| !map.is_empty());
        if has_entries && !is_json(tree.text) {
            // With a last comma it is no JSON either: readers split a stream otherwise when it starts with JSON.
            text.pop();
            text.push_str(",}");
        }
    }
    text.push_str(layout.newline());
    text.push_str(&tree.text[end..]);
    text
}

/// Returns where the root's own text starts: its anchor or tag, its dash, or its first key.
fn first_byte(tree: &Tree<'_>) -> usize {
    let start = skip_trivia(tree.text, text_start(tree.text));
    if tree.text[start..].starts_with("---") {
        skip_trivia(tree.text, start + 3)
    } else {
        start
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn head_tail_and_style_stay() {
        let text = "# Source: a\n\nb: &x [yes]   # c\nd: *x\n# end\n...\nrest";
        let tree = Tree::parse(text).unwrap();
        let value = json!({"b": [true], "d": {"e": ["x", 0.5]}});
        assert_eq!(
            reprint(&tree, &value),
            "# Source: a\n\nb:\n- true\nd:\n  e:\n  - x\n  - 0.5\n# end\n...\nrest"
        );
        let json = Tree::parse("{\"a\": 1}\n").unwrap();
        assert_eq!(reprint(&json, &json!({"a": "y"})), "{\"a\": \"y\"}\n");
    }
}
