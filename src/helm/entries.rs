//! The renders in one folder of the cache.

use std::path::PathBuf;

use crate::disk::Store;
use crate::render::Raw;

/// Limit for all renders together, in bytes.
const LARGEST: u64 = 256 << 20;

/// The renders in one folder, by their keys.
#[derive(Debug)]
pub(super) struct Entries(Store);

impl Entries {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self(Store::new(folder, LARGEST))
    }

    /// Returns a render; `None` when there is none, or it is damaged.
    pub(super) fn take(&self, key: &str) -> Option<Raw> {
        unpacked(self.0.take(key)?)
    }

    /// Adds a render. Errors are ignored: the program works without a cache.
    pub(super) fn keep(&self, key: &str, raw: &Raw) {
        if let Ok(mut bytes) = serde_json::to_vec(&raw.notes) {
            bytes.push(b'\n');
            bytes.extend_from_slice(raw.text.as_bytes());
            self.0.keep(key, &bytes);
        }
    }
}

/// Reads what was kept: the remarks in one line, then the stream.
fn unpacked(bytes: Vec<u8>) -> Option<Raw> {
    let mut text = String::from_utf8(bytes).ok()?;
    let (notes, _) = text.split_once('\n')?;
    let (notes, start) = (serde_json::from_str(notes).ok()?, notes.len() + 1);
    text.drain(..start);
    Some(Raw {
        text,
        notes,
        is_settled: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_render_comes_back_with_its_remarks() {
        let folder = tempfile::tempdir().unwrap();
        let entries = Entries::new(folder.path().join("renders"));
        for text in ["kind: A\n", "", "---\n\n---\nkind: Ä\n"] {
            let raw = Raw {
                text: text.to_owned(),
                notes: vec!["a\nremark".to_owned()],
                is_settled: true,
            };
            entries.keep("a", &raw);
            assert_eq!(entries.take("a"), Some(raw));
        }
        assert_eq!(entries.take("b"), None);
    }
}
