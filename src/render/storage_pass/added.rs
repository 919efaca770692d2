//! The claims of the parameter `claims`, which go out behind what is rendered.

use std::collections::BTreeSet;

use anyhow::{Context, Result, anyhow};

use super::{Document, Stream, complete, read};
use crate::failure::HintExt;
use crate::model::Object;
use crate::model::claim::is_claim;

impl<'t> Stream<'t> {
    /// Adds an object that goes out behind all others.
    pub(super) fn add(&mut self, text: &'t str) -> Result<()> {
        let document = Document {
            stream: text,
            range: 0..text.len(),
        };
        let (tree, value) = read(&document)?.context("an added object is empty")?;
        self.before += complete(&value, &document)?;
        self.candidates.push((document, tree));
        self.values.push(value);
        self.added += 1;
        Ok(())
    }

    /// Refuses a claim that is added and rendered, or added twice.
    pub(super) fn check_added(&self, destination: &str) -> Result<()> {
        let (rendered, added) = self.values.split_at(self.values.len() - self.added);
        let place = |object: &Object| {
            let namespace = object.namespace().unwrap_or(destination);
            (namespace.to_owned(), object.name().to_owned())
        };
        let flat = rendered.iter().filter(|_| !added.is_empty());
        let flat = flat.flat_map(|value| Object::new(value.clone()).into_flat());
        let claims = flat.filter(|(_, object)| is_claim(object));
        let mut taken: BTreeSet<_> = claims.map(|(_, object)| place(&object)).collect();
        for claim in added.iter().cloned().map(Object::new) {
            let (namespace, name) = place(&claim);
            if !taken.insert((namespace.clone(), name.clone())) {
                return Err(
                    anyhow!("parameter `claims` has claim `{namespace}/{name}`, which is rendered already")
                        .hint("take it out of `claims`, or switch it off in what is rendered"),
                );
            }
        }
        Ok(())
    }
}
