//! Unified diffs of file changes.

use anstyle::{AnsiColor, Style};
use similar::{ChangeTag, TextDiff};

use crate::repo::change::FileChange;

/// Renders the unified diff of one file, as git prints it.
pub fn unified(file: &FileChange, coloured: bool) -> String {
    let (before, after) = (
        file.before.as_deref().unwrap_or_default(),
        file.after.as_deref().unwrap_or_default(),
    );
    let name = |side: &str, text: &Option<String>| match text {
        Some(_) => format!("{side}/{}", file.path),
        None => "/dev/null".to_owned(),
    };
    let mut out = format!("--- {}\n+++ {}\n", name("a", &file.before), name("b", &file.after));
    out.push_str(&hunks(before, after, coloured));
    out
}

/// Renders the hunks of a diff between two texts, three lines of context around each.
pub fn hunks(before: &str, after: &str, coloured: bool) -> String {
    let mut out = String::new();
    let diff = TextDiff::from_lines(before, after);
    for hunk in diff.unified_diff().context_radius(3).iter_hunks() {
        out.push_str(&paint(
            &format!("{}", hunk.header()),
            AnsiColor::Cyan.on_default(),
            coloured,
        ));
        out.push('\n');
        for change in hunk.iter_changes() {
            let (sign, style) = match change.tag() {
                ChangeTag::Delete => ('-', AnsiColor::Red.on_default()),
                ChangeTag::Insert => ('+', AnsiColor::Green.on_default()),
                ChangeTag::Equal => (' ', Style::new()),
            };
            let line = change.value().trim_end_matches(['\n', '\r']);
            out.push_str(&paint(&format!("{sign}{line}"), style, coloured));
            out.push('\n');
            if change.missing_newline() {
                out.push_str("\\ No newline at end of file\n");
            }
        }
    }
    out
}

fn paint(text: &str, style: Style, coloured: bool) -> String {
    if coloured {
        format!("{style}{text}{style:#}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::RepoPath;

    #[test]
    fn a_new_and_a_changed_file() {
        let path = RepoPath::new("namespaces/media.yaml").unwrap();
        let change = |before: Option<&str>, after: &str| FileChange {
            path: path.clone(),
            before: before.map(str::to_owned),
            after: Some(after.to_owned()),
        };
        assert_eq!(
            unified(&change(None, "a: 1\n"), false),
            "--- /dev/null\n+++ b/namespaces/media.yaml\n@@ -0,0 +1 @@\n+a: 1\n"
        );
        assert_eq!(
            unified(&change(Some("a: 1\n"), "a: 2"), false),
            "--- a/namespaces/media.yaml\n+++ b/namespaces/media.yaml\n@@ -1 +1 @@\n-a: 1\n+a: 2\n\\ No newline at end of file\n"
        );
        assert!(unified(&change(None, "a: 1\n"), true).contains("\u{1b}[32m+a: 1"));
    }
}
