//! Reads a text that nobody has ended with a line end. Kubernetes' readers of manifests do that first; whoever calls Go's parser
//! itself does not, and then a block scalar at the end of the text has no line end either.

use std::borrow::Cow;

use serde_json::Value;

use super::error::YamlError;
use super::node::Kind;
use super::tree::Tree;

/// Reads one document as Go's parser reads the text as it is; returns `None` for an empty or null one.
pub fn raw_value(text: &str) -> Result<Option<Value>, YamlError> {
    let mut tree = Tree::parse(text)?;
    if tree.is_empty() {
        return Ok(None);
    }
    let is_blank = |line: &str| line.chars().all(|character| matches!(character, ' ' | '\t'));
    let last_line = text.rsplit('\n').next().unwrap_or(text);
    let end = text.len() as u32;
    if let Some(last) = tree.nodes.last_mut()
        && last.kind == Kind::Block
        && last.end == end
        && let Some(content) = last.text.strip_suffix('\n')
    {
        // Blanks that are no content stand behind the line end of the last line.
        let has_content = || {
            content
                .rsplit('\n')
                .next()
                .is_some_and(|line| !line.is_empty() && is_blank(line))
        };
        if !is_blank(last_line) || has_content() && !last_line.is_empty() {
            last.text = Cow::Owned(content.to_owned());
        }
    }
    tree.value().map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_block_scalar_at_the_end_of_the_text_has_the_line_ends_that_are_there() {
        for (text, expected) in [
            ("a: |\n  b", "b"),
            ("a: |\n  b\n", "b\n"),
            ("a: |2\n   b", " b"),
            ("a: |+\n  b", "b"),
            ("a: |-\n  b", "b"),
            ("a: >\n  b\n  c", "b c"),
            ("a: |\n  b\n  ", "b\n"),
            ("a: |\n  b\n   ", "b\n "),
            ("a: b", "b"),
            ("a: |\n  b\n\n", "b\n"),
        ] {
            assert_eq!(raw_value(text).unwrap(), Some(json!({"a": expected})), "{text:?}");
        }
        assert_eq!(raw_value("").unwrap(), None);
    }
}
