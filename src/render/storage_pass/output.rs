//! A rendered stream as it came and as it goes out.

use std::ops::Range;

use anyhow::Result;

use super::{read, split};
use crate::model::Object;

/// A stream before and after the storage rules.
#[derive(Clone, Debug)]
pub struct Output {
    pub(super) raw: String,
    pub(super) pieces: Vec<Piece>,
    /// The objects whose documents had to be printed again.
    pub reprinted: Vec<String>,
    /// Remarks: what the rules left out, and what was printed again.
    pub notes: Vec<String>,
}

/// A part of what goes out.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    /// A part of the stream as it came.
    Slice(Range<usize>),
    /// What was printed again.
    Text(String),
}

impl Output {
    /// Returns the stream as it came.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// Returns the stream as it goes out, in pieces for one vectored write.
    pub fn pieces(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().map(|piece| match piece {
            Piece::Slice(range) => &self.raw[range.clone()],
            Piece::Text(text) => text,
        })
    }

    /// Returns the stream as it goes out.
    pub fn text(&self) -> String {
        self.pieces().collect()
    }

    /// Returns the objects as they go out, lists flattened.
    ///
    /// # Errors
    /// When a document cannot be read.
    pub fn objects(&self) -> Result<Vec<Object>> {
        objects(&self.text())
    }

    /// Returns the objects as they came, lists flattened.
    ///
    /// # Errors
    /// When a document cannot be read.
    pub fn raw_objects(&self) -> Result<Vec<Object>> {
        objects(&self.raw)
    }
}

pub(super) fn objects(text: &str) -> Result<Vec<Object>> {
    let mut objects = Vec::new();
    for document in split(text)? {
        if let Some((_, value)) = read(&document)? {
            objects.extend(Object::new(value).into_flat().into_iter().map(|(_, object)| object));
        }
    }
    Ok(objects)
}
