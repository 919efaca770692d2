//! The value that gives a rendered Application its name.

use anyhow::Result;
use json_patch::PatchOperation;
use serde_json::{Value, json};

use super::documents::Document;
use super::{Led, Search, Try, is_named, is_source, sections, walk};
use crate::edit::Renders;
use crate::model::tool::TOOLS;
use crate::model::{Object, Pointer, PointerBuf, PointerExt};
use crate::repo::{Manifest, Repo};
use crate::rules::fixes;

/// Finds the value that names a rendered Application, and gives it another name there: the Application is as wanted then.
///
/// # Errors
/// When there is no value that names this one alone: it names the template.
pub fn renamed(repo: &Repo, renders: &dyn Renders, manifest: &Manifest, wanted: &Object) -> Result<Led> {
    let search = Search {
        tries,
        what: "names it",
        nothing: "no value of it alone is its name",
    };
    search.led(repo, renders, (manifest, wanted))
}

/// Returns the changes of a document that may give an Application another name, the likeliest first.
fn tries<'d>(document: &'d Document, app: &Object, wanted: &Object) -> Vec<Try<'d>> {
    let (old, new) = (app.name(), wanted.name());
    let mut values = Vec::new();
    walk(&document.tree, PointerBuf::new(), &mut values);
    let is_same_source = sections(app) == sections(wanted);
    let mut found = Vec::new();
    let mut push = |pointer: &Pointer, operations: Vec<PatchOperation>, key: Option<String>| {
        found.push(Try {
            document,
            pointer: pointer.to_buf(),
            operations,
            key,
        });
    };
    for (pointer, value) in &values {
        let is_key = !pointer.is_root() && pointer.back().is_some_and(|token| token.decoded() == old);
        let (of_name, new_key) = match (is_named(value, old), is_key) {
            (Some(key), _) => (vec![fixes::replace(pointer.child(key), json!(new))], None),
            (None, true) => (Vec::new(), Some(new.to_owned())),
            (None, false) => continue,
        };
        if is_same_source {
            push(pointer, of_name, new_key);
            continue;
        }
        let mut sources: Vec<&(PointerBuf, &Value)> = values
            .iter()
            .filter(|(at, value)| at.below(pointer).is_some() && value.is_object())
            .collect();
        sources.sort_by_key(|(at, value)| (!is_source(value), at.tokens().count()));
        for (at, value) in sources {
            let mut operations = with_sections(at, value, wanted);
            operations.extend(of_name.clone());
            push(pointer, operations, new_key.clone());
        }
    }
    if is_same_source {
        for (pointer, value) in &values {
            let entries = value.as_array().into_iter().flatten().enumerate();
            for (index, _) in entries.filter(|(_, entry)| **entry == json!(old)) {
                let place = pointer.child(index);
                push(&place, vec![fixes::replace(&place, json!(new))], None);
            }
        }
    }
    found
}

/// Returns the operations that give a value the sections of tools of an Application's source.
fn with_sections(at: &Pointer, value: &Value, wanted: &Object) -> Vec<PatchOperation> {
    let mut map = value.as_object().cloned().unwrap_or_default();
    map.retain(|key, _| !TOOLS.contains(&key.as_str()));
    map.extend(sections(wanted));
    fixes::below(at, json_patch::diff(value, &Value::Object(map)).0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_an_application_is_tried() {
        let text = "apps:\n- name: films\n  path: a\nkeyed:\n  films: {path: b}\nlist: [music, films]\nother: films\n";
        let document = Document::of_text("apps/values.yaml", text);
        let app = |name: &str| Object::new(json!({"kind": "Application", "metadata": {"name": name}}));
        let tried: Vec<String> = tries(&document, &app("films"), &app("movies"))
            .iter()
            .map(|one| format!("{} {}", json!(one.operations), json!(one.key)))
            .collect();
        assert_eq!(
            tried,
            [
                r#"[{"op":"replace","path":"/apps/0/name","value":"movies"}] null"#,
                r#"[] "movies""#,
                r#"[{"op":"replace","path":"/list/1","value":"movies"}] null"#,
            ]
        );
        assert!(tries(&document, &app("books"), &app("movies")).is_empty());
    }
}
