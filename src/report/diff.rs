//! Unified diffs of file changes.

use anstyle::{AnsiColor, Style};
use similar::algorithms::{Capture, Compact, Replace, myers};
use similar::udiff::UnifiedHunkHeader;
use similar::{ChangeTag, DiffOp, group_diff_ops};

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
    if file.after.is_none() && before.contains(['\u{fffd}', '\0']) {
        return format!("Binary files a/{} and /dev/null differ\n", file.path);
    }
    let mut out = format!("--- {}\n+++ {}\n", name("a", &file.before), name("b", &file.after));
    out.push_str(&hunks(before, after, coloured));
    out
}

/// The lines around a change.
const CONTEXT: usize = 3;

/// Renders the hunks of a diff between two texts.
pub fn hunks(before: &str, after: &str, coloured: bool) -> String {
    let [old, new] = [before, after].map(|text| text.split_inclusive('\n').collect::<Vec<_>>());
    let mut out = String::new();
    for hunk in group_diff_ops(operations(&old, &new), CONTEXT) {
        let header = UnifiedHunkHeader::new(&hunk).to_string();
        out.push_str(&paint(&header, AnsiColor::Cyan.on_default(), coloured));
        out.push('\n');
        for change in hunk.iter().flat_map(|operation| operation.iter_changes(&*old, &*new)) {
            let (sign, style) = match change.tag() {
                ChangeTag::Delete => ('-', AnsiColor::Red.on_default()),
                ChangeTag::Insert => ('+', AnsiColor::Green.on_default()),
                ChangeTag::Equal => (' ', Style::new()),
            };
            let text = change.value();
            let line = text.trim_end_matches(['\n', '\r']);
            out.push_str(&paint(&format!("{sign}{line}"), style, coloured));
            out.push('\n');
            if !text.ends_with('\n') {
                out.push_str("\\ No newline at end of file\n");
            }
        }
    }
    out
}

/// Returns what leads from one list of lines to another. The crate's type for texts would bring all of its algorithms, half
/// a megabyte.
fn operations(old: &[&str], new: &[&str]) -> Vec<DiffOp> {
    let mut operations = Compact::new(Replace::new(Capture::new()), old, new);
    let Ok(()) = myers::diff(&mut operations, old, 0..old.len(), new, 0..new.len());
    operations.into_inner().into_inner().into_ops()
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
        assert_eq!(
            hunks("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nx\n6\n7\n8\n9\ny\n", false),
            "@@ -2,8 +2,9 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n 9\n+y\n"
        );
        assert!(unified(&change(None, "a: 1\n"), true).contains("\u{1b}[32m+a: 1"));
    }
}
