//! The file of what generators of ApplicationSets would give that need a server.

use anyhow::{Result, anyhow};
use serde_json::{Map, Value};

use super::document::documents;
use super::entry::{Entry, Fault};
use crate::failure::HintExt;
use crate::model::settings::GeneratorOutput;

const HINT: &str =
    "write the name of an ApplicationSet and its sets of parameters, as `previews: [{branch: main, number: '1'}]`";

/// Reads a file of parameters: a map from the names of ApplicationSets to lists of sets of parameters, or to maps from the kinds
/// of generators to such lists. `file` is its name in messages.
///
/// # Errors
/// When there is anything else in it, or nothing: with its place.
pub fn generators_of_file(file: &str, text: &str) -> Result<Vec<GeneratorOutput>> {
    let mut found = Vec::new();
    let documents = documents(file, text)?;
    if let Some(second) = documents.get(1) {
        return Err(second.error_at_start("a second document", "write one document"));
    }
    for document in documents {
        document.check(|_| true)?;
        document.read(|root| of_document(&mut found, root))?;
    }
    match found.is_empty() {
        true => Err(anyhow!("{file}:1:1: there is no ApplicationSet in it").hint(HINT)),
        false => Ok(found),
    }
}

fn of_document(found: &mut Vec<GeneratorOutput>, root: &Entry<'_>) -> Vec<Fault> {
    let Value::Object(sets) = root.value else {
        return vec![root.fault("the document is not a map", HINT)];
    };
    let mut faults = Vec::new();
    for (set, value) in sets {
        let entry = root.child(set, value);
        let read = match value {
            Value::Object(_) => of_kinds(&entry),
            _ => parameters(&entry).map(|parameters| vec![(None, parameters)]),
        };
        match read {
            Ok(outputs) => found.extend(outputs.into_iter().map(|(generator, parameters)| GeneratorOutput {
                set: set.clone(),
                generator,
                parameters,
            })),
            Err(wrong) => faults.extend(wrong),
        }
    }
    faults
}

/// The parameters of a kind of generators, or of all.
type OfKind = (Option<String>, Vec<Map<String, Value>>);

fn of_kinds(entry: &Entry<'_>) -> Result<Vec<OfKind>, Vec<Fault>> {
    let fields = entry.fields(&GeneratorOutput::KINDS)?;
    let outputs = fields
        .iter()
        .map(|(kind, entry)| Ok((Some((*kind).to_owned()), parameters(entry)?)));
    outputs.collect()
}

fn parameters(entry: &Entry<'_>) -> Result<Vec<Map<String, Value>>, Vec<Fault>> {
    let Some(items) = entry.items() else {
        return Err(vec![entry.fault("not a list of sets of parameters", HINT)]);
    };
    let (mut sets, mut faults) = (Vec::new(), Vec::new());
    for item in items {
        match item.value {
            Value::Object(map) => sets.push(map.clone()),
            _ => faults.push(item.fault("a set of parameters is not a map", HINT)),
        }
    }
    if faults.is_empty() { Ok(sets) } else { Err(faults) }
}
