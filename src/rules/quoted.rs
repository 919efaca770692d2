//! Where an Application says what a message quotes.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::model::{Pointer, PointerBuf, PointerExt};
use crate::repo::Manifest;

/// Returns the place of the first value of an Application's sources that a message quotes in backticks; that of all sources where it
/// quotes none.
pub(super) fn quoted(manifest: &Manifest, message: &str) -> PointerBuf {
    let names: BTreeSet<&str> = message.split('`').skip(1).step_by(2).collect();
    let fields = ["/spec/source", "/spec/sources"].map(Pointer::from_static);
    let there = |pointer: &&Pointer| manifest.object.at(*pointer).is_some();
    let Some(field) = fields.into_iter().find(there) else {
        return Pointer::from_static("/metadata/name").to_buf();
    };
    let found = manifest.object.at(field).and_then(|tree| find(tree, field, &names));
    found.unwrap_or_else(|| field.to_buf())
}

fn find(tree: &Value, at: &Pointer, names: &BTreeSet<&str>) -> Option<PointerBuf> {
    match tree {
        Value::String(text) => names.contains(text.as_str()).then(|| at.to_buf()),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .find_map(|(index, value)| find(value, &at.child(index), names)),
        Value::Object(map) => map
            .iter()
            .find_map(|(key, value)| find(value, &at.child(key.as_str()), names)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::{Repo, RepoPath};

    #[test]
    fn a_message_leads_to_the_value_that_it_quotes() {
        let text = "kind: Application\napiVersion: argoproj.io/v1alpha1\nmetadata: {name: a}\nspec:\n  source: {path: charts/a, helm: {valueFiles: [values.yaml, hom.yaml]}}\n";
        let repo = Repo::of_text(RepoPath::new("a.yaml").unwrap(), text.to_owned());
        for (message, expected) in [
            ("value file `hom.yaml` does not exist", "/spec/source/helm/valueFiles/1"),
            ("app path does not exist: `charts/a`", "/spec/source/path"),
            ("`helm` says no", "/spec/source"),
        ] {
            assert_eq!(quoted(&repo.manifests[0], message).as_str(), expected, "{message}");
        }
    }
}
