//! `KEY=VALUE` on the command line.

use std::collections::BTreeMap;

/// One pair.
pub(super) type Pair = (String, String);

/// Reads one; the value may hold further `=`.
pub(super) fn parse(text: &str) -> Result<Pair, String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("it is not KEY=VALUE".to_owned()),
    }
}

/// The pairs as a map; later ones win.
pub(super) fn map(pairs: &[Pair]) -> BTreeMap<String, String> {
    pairs.iter().cloned().collect()
}
