//! One look at a document that nobody parses: its kind, and whether it is plainly a whole object.
//!
//! A look never says yes on doubt; the caller parses then.

use crate::yaml::{self, Sniffed};

/// What a look at a document showed.
#[derive(Debug)]
pub(super) struct Look<'t> {
    text: &'t str,
    kind: Option<&'t str>,
    api_version: Option<&'t str>,
    has_items: bool,
}

impl<'t> Look<'t> {
    pub(super) fn at(text: &'t str) -> Self {
        let [kind, api_version, items] = yaml::top_level_scalars(text, ["kind", "apiVersion", "items"]);
        let [kind, api_version] = [kind, api_version].map(|sniffed| match sniffed {
            Sniffed::Plain(word) if is_string(word) => Some(word),
            _ => None,
        });
        Self {
            text,
            kind,
            api_version,
            has_items: items != Sniffed::Absent,
        }
    }

    pub(super) fn text(&self) -> &'t str {
        self.text
    }

    /// The kind, where it stands plainly.
    pub(super) fn kind(&self) -> Option<&'t str> {
        self.kind
    }

    /// The apiVersion, where it stands plainly.
    pub(super) fn api_version(&self) -> Option<&'t str> {
        self.api_version
    }

    /// Whether it could be a list, which Argo CD takes apart.
    pub(super) fn has_items(&self) -> bool {
        self.has_items
    }

    /// Whether apiVersion, kind and a name stand there plainly.
    pub(super) fn is_complete(&self) -> bool {
        self.kind.is_some() && self.api_version.is_some() && has_name(self.text)
    }
}

/// Whether a plain word is a string to Go's YAML, and no number, boolean or null. Words that begin with a digit are left
/// to the parser.
fn is_string(word: &str) -> bool {
    const OTHERS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    word.starts_with(|c: char| c.is_ascii_alphabetic()) && !OTHERS.iter().any(|other| word.eq_ignore_ascii_case(other))
}

/// Whether a line `metadata:` in the first column is followed by deeper lines of which one of the shallowest is a name.
fn has_name(text: &str) -> bool {
    let mut lines = text
        .lines()
        .skip_while(|line| line.trim_end() != "metadata:")
        .skip(1)
        .peekable();
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let Some(depth) = lines.peek().map(|line| indent(line)).filter(|depth| *depth > 0) else {
        return false;
    };
    let mut below = lines.take_while(|line| indent(line) > 0 || line.trim().is_empty());
    below.any(|line| {
        let name = line.get(depth..).and_then(|rest| {
            rest.strip_prefix("name: ")
                .or_else(|| rest.strip_prefix("generateName: "))
        });
        indent(line) == depth && name.is_some_and(|name| is_name(name.trim_end()))
    })
}

/// One word without a comment: plain, or whole in quotes.
fn is_name(word: &str) -> bool {
    let quoted = ['"', '\'']
        .iter()
        .find_map(|quote| word.strip_prefix(*quote)?.strip_suffix(*quote));
    let simple = |word: &str| {
        word.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b':' | b'_'))
    };
    match quoted {
        Some(inside) => !inside.is_empty() && simple(inside),
        None => simple(word) && !word.ends_with(':') && is_string(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete(metadata: &str) -> bool {
        Look::at(&format!("apiVersion: v1\nkind: ConfigMap\nmetadata:{metadata}\n")).is_complete()
    }

    #[test]
    fn a_plain_object_is_whole() {
        for metadata in [
            "\n  name: a",
            "\n  labels:\n    name: x\n  name: a-b.c",
            "\n    name: \"a\"",
            "\n  name: '1'",
            "\n  generateName: a-",
            "\n  namespace: n\n\n  name: system:a\ndata:\n  a: b",
        ] {
            assert!(complete(metadata), "{metadata}");
        }
    }

    #[test]
    fn what_is_not_plain_is_left_to_the_parser() {
        for metadata in [
            "",
            " {name: a}",
            "\n  name:",
            "\n  name: null",
            "\n  name: true",
            "\n  name: 1e3",
            "\n  name: \"\"",
            "\n  name: &a b",
            "\n  name: a # c",
            "\n  labels:\n    name: a",
            "\n  # c\nname: a",
            "\ndata:\n  name: a",
        ] {
            assert!(!complete(metadata), "{metadata}");
        }
        for text in [
            "kind: null\napiVersion: v1\nmetadata:\n  name: a\n",
            "kind: A\nmetadata:\n  name: a\n",
        ] {
            assert!(!Look::at(text).is_complete(), "{text}");
        }
    }
}
