//! Replaces one comment of a document, or takes it out.

use super::comment::{Comment, of_document};
use super::tree::Tree;

/// A comment of a document, and what stands in its place afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplaceComment {
    /// The comment from its `#` on.
    pub text: String,
    /// How many comments of the same text stand before it.
    pub before: usize,
    /// The new comment; nothing is left of the old one, and of a line that it has for itself, where there is none.
    pub with: Option<String>,
}

/// Returns the comments of a document; none where it cannot be read.
pub fn comments(text: &str) -> Vec<Comment<'_>> {
    Tree::parse(text).map(|tree| of_document(&tree)).unwrap_or_default()
}

/// Returns the text of a document with a comment replaced; `None` where there is no such comment.
pub fn replace_comment(text: &str, replacement: &ReplaceComment) -> Option<String> {
    let all = comments(text);
    let mut same = all.iter().filter(|comment| comment.text == replacement.text);
    let comment = same.nth(replacement.before)?;
    let (start, end) = (comment.offset, comment.offset + comment.text.len());
    let range = match &replacement.with {
        Some(_) => start..end,
        None if comment.alone => {
            let line = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
            line..text[end..].find('\n').map_or(text.len(), |newline| end + newline + 1)
        }
        None => text[..start].trim_end_matches([' ', '\t']).len()..end,
    };
    let with = replacement.with.as_deref().unwrap_or_default();
    Some(format!("{}{with}{}", &text[..range.start], &text[range.end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_comment_goes_and_everything_else_stays() {
        let text = "# a\r\nb: \"# a\" # a\r\n  # a\r\nc: 1\t# b\n# a";
        let replaced = |comment: &str, before: usize, with: Option<&str>| {
            let replacement = ReplaceComment {
                text: comment.to_owned(),
                before,
                with: with.map(str::to_owned),
            };
            replace_comment(text, &replacement)
        };
        for (comment, before, with, expected) in [
            ("# a", 0, None, "b: \"# a\" # a\r\n  # a\r\nc: 1\t# b\n# a"),
            ("# a", 1, None, "# a\r\nb: \"# a\"\r\n  # a\r\nc: 1\t# b\n# a"),
            ("# a", 2, None, "# a\r\nb: \"# a\" # a\r\nc: 1\t# b\n# a"),
            ("# a", 3, None, "# a\r\nb: \"# a\" # a\r\n  # a\r\nc: 1\t# b\n"),
            ("# b", 0, None, "# a\r\nb: \"# a\" # a\r\n  # a\r\nc: 1\n# a"),
            (
                "# b",
                0,
                Some("# c"),
                "# a\r\nb: \"# a\" # a\r\n  # a\r\nc: 1\t# c\n# a",
            ),
        ] {
            assert_eq!(replaced(comment, before, with).as_deref(), Some(expected));
        }
        assert_eq!(replaced("# a", 4, None), None);
    }
}
