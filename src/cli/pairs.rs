//! `KEY=VALUE` on the command line.

use std::collections::BTreeMap;

use crate::model::label;

/// A key and its value.
pub(super) type Pair = (String, String);

/// Reads one pair; the value may hold further `=`.
pub(super) fn parse(text: &str) -> Result<Pair, String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("it is not KEY=VALUE".to_owned()),
    }
}

/// Reads a label of a Kubernetes object.
pub(super) fn parse_label(text: &str) -> Result<Pair, String> {
    let (key, value) = parse_annotation(text)?;
    label::check_value(&value).map_err(|error| format!("{error:#}"))?;
    Ok((key, value))
}

/// Reads an annotation of a Kubernetes object: a label with any value.
pub(super) fn parse_annotation(text: &str) -> Result<Pair, String> {
    let (key, value) = parse(text)?;
    label::check_key(&key).map_err(|error| format!("{error:#}"))?;
    Ok((key, value))
}

/// Returns the pairs as a map; later ones win.
pub(super) fn map(pairs: Vec<Pair>) -> BTreeMap<String, String> {
    pairs.into_iter().collect()
}
