//! Writes values as the text of new files.

use super::value::{normalise, value};
use super::write::{Writer, flow};
use serde_json::Value;

/// Writes a value as a document: block style, lists under their key's column as kubectl prints them, quotes around
/// every string that Go would read as something else. The text is read again and compared before it is returned.
pub fn emit(tree: &Value) -> anyhow::Result<String> {
    let mut expected = tree.clone();
    normalise(&mut expected);
    let mut text = String::new();
    Writer {
        newline: "\n",
        list_indent: 0,
        literal: true,
    }
    .node(&mut text, &expected, 0);
    text.push('\n');
    let read = value(&text)?.unwrap_or(Value::Null);
    anyhow::ensure!(
        read == expected,
        "the value cannot be written as YAML that reads the same"
    );
    Ok(text)
}

/// Writes a value as one line of JSON that is valid YAML as well; it is read again and compared, too.
pub fn emit_line(tree: &Value) -> anyhow::Result<String> {
    let mut expected = tree.clone();
    normalise(&mut expected);
    let mut text = String::new();
    flow(&mut text, &expected);
    anyhow::ensure!(
        value(&text)?.unwrap_or(Value::Null) == expected,
        "the value cannot be written as a line of YAML that reads the same"
    );
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn new_files_look_as_kubectl_prints_them() {
        let value = json!({
            "apiVersion": "v1",
            "metadata": {"name": "x", "annotations": {"a/b": "yes"}, "labels": {}},
            "items": [{"a": 1, "b": [["c"], []]}, "d", null, true, 1.5, "x\ny\n"],
        });
        let text = "apiVersion: v1\nmetadata:\n  name: x\n  annotations:\n    a/b: \"yes\"\n  labels: {}\nitems:\n- a: 1\n  b:\n  - - c\n  - []\n- d\n- null\n- true\n- 1.5\n- |\n  x\n  y\n";
        assert_eq!(emit(&value).unwrap(), text);
    }

    #[test]
    fn odd_strings_come_back_as_they_were() {
        for text in [
            "y",
            "0644",
            "<<",
            "---",
            "a\u{85}b",
            "\u{feff}",
            "  x\n",
            "\t",
            "😀",
            "a\n---\nb",
            "null",
            "=",
            "1:30",
        ] {
            let tree = json!({text: [text, {"k": text}]});
            assert_eq!(value(&emit(&tree).unwrap()).unwrap(), Some(tree));
        }
        assert_eq!(
            emit(&json!({"a": 18_446_744_073_709_551_615_u64, "b": 1.0, "c": -0.0})).unwrap(),
            "a: 1.8446744073709552e+19\nb: 1\nc: 0\n"
        );
    }
}
