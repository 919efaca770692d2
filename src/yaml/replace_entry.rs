//! Replaces one entry of a mapping by another, in its place and with its comments.
//!
//! A JSON Patch can express the same (`remove` and `add`), but the new entry would stand at the mapping's end, and every
//! comment inside the old one would be gone. Here the new lines stand where the old ones stood, and each comment follows
//! the entry that it was about. The proof is the splice's: the result is read again and must have exactly the value.

use super::brackets::Brackets;
use super::comment::{self, Comment};
use super::locate::{Path, Step};
use super::node::{Kind, Style, Tag};
use super::splice::error::{Refusal, SpliceError};
use super::splice::layout::{self, Layout};
use super::splice::proof::prove;
use super::splice::splice;
use super::tree::Tree;
use super::value::normalise;
use super::write::{Writer, quoted};
use json_patch::{AddOperation, Patch, PatchOperation, RemoveOperation};
use jsonptr::{Pointer, PointerBuf};
use serde_json::Value;

/// An entry that takes another one's place.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplaceEntry {
    /// JSON Pointer of the entry that is replaced.
    pub pointer: PointerBuf,
    /// Key of the new entry.
    pub key: String,
    /// Its value.
    pub value: Value,
    /// Where comments go: JSON Pointers below the replaced entry, with their goal. The longest that leads to what a
    /// comment is about decides (the empty one is for the entry's own line alone); a comment without one is lost.
    pub comments: Vec<(PointerBuf, Goal)>,
    /// Scalars that keep their quotes: JSON Pointers below the replaced entry, and below the new one.
    pub texts: Vec<(PointerBuf, PointerBuf)>,
}

/// Where a comment goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goal {
    /// To what this JSON Pointer below the new entry names.
    At(PointerBuf),
    /// Nowhere: the new value has it in one of its texts.
    Inside,
}

/// A document after a replacement.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplacedEntry {
    /// The document's new text.
    pub text: String,
    /// Its value.
    pub value: Value,
    /// The lines of the old text, from 1, whose comments are lost.
    pub lost: Vec<usize>,
}

/// Replaces an entry of one document.
///
/// # Errors
/// When the document cannot be read, the entry is not one of a mapping, the new key exists, or no text was found that
/// provably reads as it should.
pub fn replace_entry(text: &str, replacement: &ReplaceEntry) -> Result<ReplacedEntry, SpliceError> {
    let tree = Tree::parse(text)?;
    let expected = expected(&tree, replacement)?;
    layout::refuse_document(&tree).map_err(|refusal| refusal.of(&tree))?;
    let path = tree.path(&replacement.pointer);
    let Some((path, step)) = path.and_then(|path| Some((path.clone(), *path.steps.last()?))) else {
        let reason = "the entry stands behind an alias or a merge";
        return Err(Refusal { offset: 0, reason }.of(&tree));
    };
    if tree.value()?.pointer(replacement.pointer.as_str()) == Some(&replacement.value) {
        let renamed = renamed(&tree, &step, &replacement.key, &expected);
        return renamed.map_err(|refusal| refusal.of(&tree));
    }
    let comments = comment::of_entry(&tree, &step);
    if let Some(done) = in_place(&tree, &path, replacement, &comments, &expected) {
        return Ok(done);
    }
    let spliced = splice(text, &patch(replacement))?;
    let lost = if spliced.reprinted {
        comment::of_document(&tree)
    } else {
        comments
    };
    let lost = lost
        .iter()
        .filter(|comment| goal(replacement, comment) != Some(&Goal::Inside));
    Ok(ReplacedEntry {
        lost: lost.map(|comment| comment.line(text)).collect(),
        text: spliced.text,
        value: spliced.value,
    })
}

/// Writes another key in the place of an entry's own, where the value stays as it is: all other bytes stay, too.
fn renamed(tree: &Tree<'_>, step: &Step, key: &str, expected: &Value) -> Result<ReplacedEntry, Refusal> {
    let at = tree.node(step.key.unwrap_or(step.node));
    let (start, end) = (at.start as usize, at.end as usize);
    let mut text = tree.text[..start].to_owned();
    match tree.text.as_bytes()[start] {
        b'\'' => text.push_str(&format!("'{key}'")),
        b'"' => quoted(&mut text, key),
        _ => text.push_str(key),
    }
    text.push_str(&tree.text[end..]);
    Ok(ReplacedEntry {
        text: prove(tree.text, text, expected)?,
        value: expected.clone(),
        lost: Vec::new(),
    })
}

/// Returns the document's value afterwards.
fn expected(tree: &Tree<'_>, replacement: &ReplaceEntry) -> Result<Value, SpliceError> {
    let refused = |reason: &str| SpliceError::Patch {
        operation: 0,
        path: replacement.pointer.clone(),
        reason: reason.to_owned(),
    };
    let mut expected = tree.value()?;
    let entry = replacement.pointer.split_back();
    let (above, key) = entry.ok_or_else(|| refused("it is not an entry"))?;
    let map = expected.pointer_mut(above.as_str()).and_then(Value::as_object_mut);
    let map = map.ok_or_else(|| refused("it is not an entry of a map"))?;
    map.shift_remove(key.decoded().as_ref())
        .ok_or_else(|| refused("it does not exist"))?;
    let mut value = replacement.value.clone();
    normalise(&mut value);
    if map.insert(replacement.key.clone(), value).is_some() {
        return Err(refused("the new entry exists already"));
    }
    Ok(expected)
}

/// Returns the replacement as a patch, for text that has no lines of its own.
fn patch(replacement: &ReplaceEntry) -> Patch {
    Patch(vec![
        PatchOperation::Remove(RemoveOperation {
            path: replacement.pointer.clone(),
        }),
        PatchOperation::Add(AddOperation {
            path: below_new(replacement, Pointer::root()),
            value: replacement.value.clone(),
        }),
    ])
}

/// Puts the new entry in the place of the old one; returns `None` when no text was found that reads as it should.
fn in_place(
    tree: &Tree<'_>,
    path: &Path,
    replacement: &ReplaceEntry,
    comments: &[Comment<'_>],
    expected: &Value,
) -> Option<ReplacedEntry> {
    let (mut kept, mut lost) = (Vec::new(), Vec::new());
    for comment in comments {
        match goal(replacement, comment) {
            Some(Goal::At(goal)) => kept.push((comment, goal.as_ptr())),
            Some(Goal::Inside) => {}
            None => lost.push(comment.line(tree.text)),
        }
    }
    for plain in written(tree, path, replacement)? {
        let Ok(plain) = prove(tree.text, plain, expected) else {
            continue;
        };
        let with_texts = with_texts(tree, &plain, replacement).and_then(|text| prove(tree.text, text, expected).ok());
        let plain = with_texts.unwrap_or(plain);
        let with_comments = with_comments(&plain, replacement, &kept)
            .and_then(|(text, left)| Some((prove(tree.text, text, expected).ok()?, left)));
        let (text, left) = with_comments.unwrap_or_else(|| (plain, (0..kept.len()).collect()));
        lost.extend(left.iter().map(|at| kept[*at].0.line(tree.text)));
        lost.sort_unstable();
        return Some(ReplacedEntry {
            text,
            value: expected.clone(),
            lost,
        });
    }
    None
}

/// Returns the texts with the new entry as it may be written.
fn written(tree: &Tree<'_>, path: &Path, replacement: &ReplaceEntry) -> Option<Vec<String>> {
    let layout = Layout::of(tree);
    let (step, above) = path.steps.split_last()?;
    let start = tree.node(step.key?).start as usize;
    let text = |entry: String, until: usize| format!("{}{entry}{}", &tree.text[..start], &tree.text[until..]);
    if tree.node(step.container).style == Style::Block {
        let column = layout.column(start)?;
        let until = end_of_entry(tree, &layout, step)?;
        // A literal block at the end would take an indented comment below it for its own.
        let texts = [true, false].map(|literal| {
            let writer = Writer {
                newline: layout.newline(),
                list_indent: layout.list_indent(),
                literal,
            };
            let mut lines = String::new();
            writer.entry(&mut lines, &replacement.key, &replacement.value, column);
            text(lines, until)
        });
        return Some(texts.to_vec());
    }
    let container = Path { steps: above.to_vec() };
    let brackets = Brackets::near(tree, &layout, &container, Some(step.node));
    let line = layout.has_own_line(start).then(|| layout.indentation(start));
    let mut entry = String::new();
    brackets.entry(&mut entry, Some(&replacement.key), &replacement.value, line);
    Some(vec![text(entry, tree.node(step.node).end as usize)])
}

/// Returns the offset behind the entry's last content, a comment on the same line included.
fn end_of_entry(tree: &Tree<'_>, layout: &Layout<'_, '_>, step: &Step) -> Option<usize> {
    let end = (tree.node(step.node).end as usize).max(layout.after_colon(step.key?)?);
    let line = layout.line_end(end);
    let content = tree.text[..line].trim_end_matches(['\n', '\r']).len();
    let rest = tree.text.get(end..content).unwrap_or_default().trim_start();
    Some(if rest.is_empty() || rest.starts_with('#') {
        content.min(line)
    } else {
        end
    })
}

/// Returns the JSON Pointer of what is below the new entry.
fn below_new(replacement: &ReplaceEntry, below: &Pointer) -> PointerBuf {
    let above = replacement.pointer.parent().unwrap_or(Pointer::root());
    above.with_trailing_token(&replacement.key).concat(below)
}

/// Puts the scalars that keep their text back as they were written.
fn with_texts(old: &Tree<'_>, text: &str, replacement: &ReplaceEntry) -> Option<String> {
    let new = Tree::parse(text).ok()?;
    let scalar = |tree: &Tree<'_>, pointer: &Pointer| {
        let node = tree.node(tree.path(pointer)?.node());
        let simple = matches!(node.kind, Kind::Plain | Kind::Quoted) && !node.anchored && node.tag == Tag::None;
        (simple && node.start < node.end).then_some(node.start as usize..node.end as usize)
    };
    let pairs = replacement.texts.iter().filter_map(|(from, to)| {
        let from = scalar(old, &replacement.pointer.concat(from))?;
        let to = scalar(&new, &below_new(replacement, to))?;
        let kept = &old.text[from];
        (!kept.contains('\n')).then_some((to, kept))
    });
    let mut pairs: Vec<_> = pairs.collect();
    pairs.sort_by_key(|(to, _)| to.start);
    let (mut out, mut done) = (String::with_capacity(text.len()), 0);
    for (to, kept) in pairs {
        out.push_str(text.get(done..to.start)?);
        out.push_str(kept);
        done = to.end;
    }
    out.push_str(&text[done..]);
    Some(out)
}

/// Puts comments to their goals; returns the text and the numbers of the comments that have no goal in it.
fn with_comments(
    text: &str,
    replacement: &ReplaceEntry,
    kept: &[(&Comment<'_>, &Pointer)],
) -> Option<(String, Vec<usize>)> {
    let tree = Tree::parse(text).ok()?;
    let layout = Layout::of(&tree);
    let (mut edits, mut left): (Vec<(usize, String)>, _) = (Vec::new(), Vec::new());
    for (number, (comment, goal)) in kept.iter().enumerate() {
        let span = tree.locate(&below_new(replacement, goal));
        let at = span.map(|span| span.key.map_or(span.value.start, |key| key.start));
        let Some(at) = at.filter(|at| layout.column(*at).is_some()) else {
            left.push(number);
            continue;
        };
        let start = layout.line_start(at);
        let end = text[..layout.line_end(at)].trim_end_matches(['\n', '\r']).len();
        let taken = edits.iter().any(|(at, text)| *at == end && text.starts_with(' '));
        if comment.alone || taken {
            let blanks = text[start..].len() - text[start..].trim_start_matches(' ').len();
            edits.push((
                start,
                format!("{}{}{}", " ".repeat(blanks), comment.text, layout.newline()),
            ));
        } else {
            edits.push((end, format!(" {}", comment.text)));
        }
    }
    edits.sort_by_key(|(at, _)| *at);
    let (mut out, mut done) = (String::with_capacity(text.len()), 0);
    for (at, new) in edits {
        out.push_str(&text[done..at]);
        out.push_str(&new);
        done = at;
    }
    out.push_str(&text[done..]);
    Some((out, left))
}

/// Returns the goal of a comment: that of the longest pointer that leads to what it is about.
fn goal<'e>(replacement: &'e ReplaceEntry, comment: &Comment<'_>) -> Option<&'e Goal> {
    // The root is for the entry's own line alone.
    let leads =
        |pointer: &Pointer| comment.about.starts_with(pointer) && (!pointer.is_root() || comment.about.is_root());
    let fitting = replacement.comments.iter().filter(|(pointer, _)| leads(pointer));
    fitting.max_by_key(|(pointer, _)| pointer.len()).map(|(_, goal)| goal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_key_alone_is_written_in_its_place() {
        for (text, expected) in [
            (
                "a: # of a\n  b: 1 # of b\n  # before\n  'c':   [x,  0644] # of c\n  d: 2\n",
                "a: # of a\n  b: 1 # of b\n  # before\n  'e':   [x,  0644] # of c\n  d: 2\n",
            ),
            ("{\"a\": {\"c\": [\"x\", 420]}}", "{\"a\": {\"e\": [\"x\", 420]}}"),
            (
                "a: {b: 1,  c: &x [x, 0644], d: *x}\n",
                "a: {b: 1,  e: &x [x, 0644], d: *x}\n",
            ),
        ] {
            let replacement = ReplaceEntry {
                pointer: Pointer::from_static("/a/c").to_buf(),
                key: "e".to_owned(),
                value: json!(["x", 420]),
                comments: Vec::new(),
                texts: Vec::new(),
            };
            let replaced = replace_entry(text, &replacement).unwrap();
            assert_eq!((replaced.text.as_str(), replaced.lost), (expected, Vec::new()));
        }
    }

    const OLD: &str = "\
spec:
  source:
    # the chart
    helm: # natively
      # first
      files:   # a list
      - a.yaml # one
      # before two
      - b.yaml
      values: | # literal
        # inside
        a: 1
      gone: true # why
      set:
      - name: x
        value: \"#no\" # set x
      object:
        # in the object
        b: 2 # there, too
      last: c # end
    # below
    revision: main
";

    fn pointer_to(text: &'static str) -> PointerBuf {
        Pointer::from_static(text).to_buf()
    }

    fn replaced(text: &str) -> ReplacedEntry {
        let at = |pointer| Goal::At(pointer_to(pointer));
        let replacement = ReplaceEntry {
            pointer: pointer_to("/spec/source/helm"),
            key: "plugin".to_owned(),
            value: json!({"name": "p", "list": [
                {"name": "files", "array": ["a.yaml", "b.yaml"]},
                {"name": "values", "string": "# inside\na: 1\n"},
                {"name": "set", "map": {"x": "#no"}},
                {"name": "last", "string": "# in the object\nb: 2 # there, too\n"},
            ]}),
            comments: vec![
                ("", at("")),
                ("/files", at("/list/0")),
                ("/files/0", at("/list/0/array/0")),
                ("/files/1", at("/list/0/array/1")),
                ("/values", at("/list/1")),
                ("/set/0", at("/list/2/map/x")),
                ("/object", Goal::Inside),
                ("/last", at("/list/3")),
            ]
            .into_iter()
            .map(|(pointer, goal)| (pointer_to(pointer), goal))
            .collect(),
            texts: vec![(pointer_to("/last"), pointer_to("/list/3/string"))],
        };
        replace_entry(text, &replacement).unwrap()
    }

    #[test]
    fn the_new_entry_stands_in_the_old_ones_place_with_its_comments() {
        let done = replaced(OLD);
        insta::assert_snapshot!(done.text, @r##"
        spec:
          source:
            # the chart
            plugin: # natively
              name: p
              list:
              # first
              - name: files # a list
                array:
                - a.yaml # one
                # before two
                - b.yaml
              - name: values # literal
                string: |
                  # inside
                  a: 1
              - name: set
                map:
                  x: "#no" # set x
              - name: last # end
                string: |
                  # in the object
                  b: 2 # there, too
            # below
            revision: main
        "##);
        assert_eq!(done.lost, [13], "of `gone`");
    }

    #[test]
    fn a_comment_without_a_goal_is_reported() {
        let one = ReplaceEntry {
            pointer: pointer_to("/a"),
            key: "b".to_owned(),
            value: json!("x"),
            comments: Vec::new(),
            texts: Vec::new(),
        };
        let done = replace_entry("z: 1\na: # one\n  # two\n  c: d # three\n# four\n", &one).unwrap();
        assert_eq!((done.text.as_str(), done.lost), ("z: 1\nb: x\n# four\n", vec![2, 3, 4]));
    }

    #[test]
    fn scalars_keep_their_quotes_where_they_read_the_same() {
        let one = ReplaceEntry {
            pointer: pointer_to("/a"),
            key: "b".to_owned(),
            value: json!({"c": "x", "d": "1.2.3", "e": "true", "f": ["y"]}),
            comments: Vec::new(),
            texts: [("/c", "/c"), ("/d", "/d"), ("/f/0", "/f/0"), ("/g", "/c")]
                .map(|(from, to)| (pointer_to(from), pointer_to(to)))
                .to_vec(),
        };
        let done = replace_entry("a:\n  c: 'x'\n  d: 1.2.3\n  e: true\n  f:\n  - \"y\"\n", &one).unwrap();
        assert_eq!(done.text, "b:\n  c: 'x'\n  d: 1.2.3\n  e: \"true\"\n  f:\n  - \"y\"\n");
        let mut wrong = one;
        wrong.texts = vec![(pointer_to("/e"), pointer_to("/e"))];
        let done = replace_entry("a:\n  e: true\n", &wrong).unwrap();
        assert!(
            done.text.contains("e: \"true\"\n"),
            "a boolean is no string: {}",
            done.text
        );
    }

    #[test]
    fn brackets_lines_ends_and_missing_line_ends() {
        let one = |pointer: &'static str| ReplaceEntry {
            pointer: pointer_to(pointer),
            key: "b".to_owned(),
            value: json!({"c": ["d"]}),
            comments: vec![(PointerBuf::new(), Goal::At(PointerBuf::new()))],
            texts: Vec::new(),
        };
        for (pointer, before, after) in [
            ("/s/a", "s: {a: {y: 2}, x: 1}\n", "s: {b: {c: [d]}, x: 1}\n"),
            (
                "/s/a",
                "s: { x: z,\n  a: { y: 2 } }\n",
                "s: { x: z,\n  b: { c: [d] } }\n",
            ),
            (
                "/a",
                "{\n\t\"a\": {\n\t\t\"y\": 2\n\t},\n\t\"x\": 1\n}",
                "{\n\t\"b\": {\n\t\t\"c\": [\n\t\t\t\"d\"\n\t\t]\n\t},\n\t\"x\": 1\n}",
            ),
            ("/a", "a: {y: 2} # flow\nx: 1\n", "b: # flow\n  c:\n  - d\nx: 1\n"),
            ("/a", "a:\r\n  y: 2\r\nx: 1\r\n", "b:\r\n  c:\r\n  - d\r\nx: 1\r\n"),
            ("/a", "x: 1\na:\n  y: 2", "x: 1\nb:\n  c:\n  - d"),
            ("/a", "a:\nx: 1\n", "b:\n  c:\n  - d\nx: 1\n"),
            (
                "/0/a",
                "- a: 1 # one\n  x: 2\n",
                "- b: # one\n    c:\n    - d\n  x: 2\n",
            ),
        ] {
            let done = replace_entry(before, &one(pointer)).unwrap();
            assert_eq!((done.text.as_str(), done.lost.len()), (after, 0), "{before}");
        }
    }

    #[test]
    fn what_is_used_elsewhere_is_not_lost() {
        let one = ReplaceEntry {
            pointer: pointer_to("/a"),
            key: "b".to_owned(),
            value: json!(1),
            comments: Vec::new(),
            texts: Vec::new(),
        };
        let done = replace_entry("a: &x {z: 2}\nc: *x\n", &one).unwrap();
        assert_eq!(done.value, json!({"b": 1, "c": {"z": 2}}));
        assert!(replace_entry("c: 1\n", &one).is_err());
        assert!(replace_entry("a: 1\nb: 2\n", &one).is_err());
    }
}
