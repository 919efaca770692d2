//! Gives an entry of a mapping another key: not one byte else changes.

use json_patch::{MoveOperation, PatchOperation};
use jsonptr::Pointer;

use super::tree::Tree;
use super::value::value;
use super::write;

/// Returns the text of a document in which an entry has another key; `None` where there is no such entry, another one has the key, or
/// the text would not read so.
pub fn rename_key(text: &str, pointer: &Pointer, key: &str) -> Option<String> {
    let tree = Tree::parse(text).ok()?;
    let old = tree.locate(pointer)?.key?;
    let mut new = String::new();
    write::key(&mut new, key);
    let renamed = format!("{}{new}{}", &text[..old.start], &text[old.end..]);
    let mut path = pointer.parent()?.to_buf();
    path.push_back(key);
    let mut wanted = value(text).ok()??;
    if wanted.pointer(path.as_str()).is_some() {
        return None;
    }
    let from = pointer.to_buf();
    json_patch::patch(&mut wanted, &[PatchOperation::Move(MoveOperation { from, path })]).ok()?;
    (value(&renamed).ok()?? == wanted).then_some(renamed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_changes_alone() {
        let text = "# all\r\nfilms: {a: 1} # one\r\n\"on\":\r\n  # inside\r\n  x/y: 2\r\nz: {films: 3}\r\n";
        let renamed = |pointer: &'static str, key: &str| rename_key(text, Pointer::from_static(pointer), key);
        assert_eq!(renamed("/films", "movies"), Some(text.replacen("films:", "movies:", 1)));
        assert_eq!(renamed("/on", "off"), Some(text.replace("\"on\":", "\"off\":")));
        assert_eq!(renamed("/on/x~1y", "1"), Some(text.replace("x/y:", "\"1\":")));
        assert_eq!(renamed("/z/films", "movies"), Some(text.replace("{films:", "{movies:")));
        assert_eq!(renamed("/films", "z"), None, "it is there");
        assert_eq!(renamed("/nothing", "a"), None);
        let aliased = "a: &x {b: 1}\nc: *x\n";
        assert_eq!(rename_key(aliased, Pointer::from_static("/c/b"), "d"), None);
        assert_eq!(
            rename_key(aliased, Pointer::from_static("/a/b"), "d"),
            None,
            "the other one would change, too"
        );
    }
}
