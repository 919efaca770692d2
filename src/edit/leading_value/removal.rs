//! The value without which a chart of Applications does not render one of them.

use anyhow::Result;
use json_patch::PatchOperation;
use serde_json::{Value, json};

use super::documents::{self, Document};
use super::{Try, first, is_named, rendered, template, walk};
use crate::edit::Renders;
use crate::model::{Object, Pointer, PointerBuf, PointerExt};
use crate::repo::{ChangeSet, Manifest, Repo};
use crate::rules::fixes;

/// The keys by which charts of Applications leave one out.
const SWITCHES: [&str; 3] = ["enabled", "enable", "install"];

/// Finds the value that makes a rendered Application, and takes it out, or switches it off; returns the change, and where it is.
///
/// # Errors
/// When there is no value that makes this one alone: it names the template.
pub fn without(repo: &Repo, renders: &dyn Renders, manifest: &Manifest) -> Result<(ChangeSet, String)> {
    let rendered = rendered(manifest)?;
    let documents = documents::of(repo, renders.files(), rendered);
    let (before, name) = (renders.desired(&[])?, manifest.object.name());
    let tries = documents.iter().flat_map(|document| tries(document, name));
    match first(repo, renders, tries, |after| is_only_gone(&before, after, manifest)) {
        Some((found, changes)) => Ok((changes, found.note("makes it"))),
        None => Err(template::nothing(
            (repo, renders.files()),
            (rendered, name),
            "no value of it alone takes it out",
        )),
    }
}

/// Reports whether exactly one Application is not there any more.
fn is_only_gone(before: &[Manifest], after: &[Manifest], manifest: &Manifest) -> bool {
    let place = |manifest: &Manifest| (manifest.file.clone(), manifest.object.reference());
    let others = before.iter().filter(|other| place(other) != place(manifest));
    let tree = |object: &Object| object.tree().clone();
    let of = |other: &Manifest| (other.file.to_string(), tree(&other.object));
    others.map(of).eq(after.iter().map(of))
}

/// Returns the changes of a document that may take an Application out, the likeliest first.
fn tries<'d>(document: &'d Document, name: &str) -> Vec<Try<'d>> {
    let one = |(pointer, operation): (PointerBuf, PatchOperation)| Try {
        document,
        pointer,
        operations: vec![operation],
        key: None,
    };
    operations(&document.tree, name).into_iter().map(one).collect()
}

/// Returns their operations, each with its place.
fn operations(tree: &Value, name: &str) -> Vec<(PointerBuf, PatchOperation)> {
    let mut values = Vec::new();
    walk(tree, PointerBuf::new(), &mut values);
    let is_key = |pointer: &Pointer| pointer.back().is_some_and(|token| token.decoded() == name);
    let mut found: Vec<&(PointerBuf, &Value)> = values
        .iter()
        .filter(|(pointer, value)| !pointer.is_root() && (is_key(pointer) || is_named(value, name).is_some()))
        .collect();
    found.sort_by_key(|(pointer, _)| pointer.tokens().count());
    let mut tries = Vec::new();
    for (pointer, value) in &found {
        tries.extend(
            SWITCHES
                .iter()
                .filter(|key| value.get(**key) == Some(&json!(true)))
                .map(|key| {
                    let place = pointer.child(*key);
                    (place.clone(), fixes::replace(&place, json!(false)))
                }),
        );
        tries.push((pointer.clone(), fixes::remove(pointer)));
    }
    tries.extend(scalars(tree, name));
    tries
}

/// Returns the changes of single values: a switch of the Application's name, and its name in a list.
fn scalars(tree: &Value, name: &str) -> Vec<(PointerBuf, PatchOperation)> {
    let (mut tries, mut open) = (Vec::new(), vec![(PointerBuf::new(), tree)]);
    while let Some((at, value)) = open.pop() {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    let place = at.child(key.as_str());
                    if key == name && *value == json!(true) {
                        tries.push((place.clone(), fixes::replace(&place, json!(false))));
                    }
                    open.push((place, value));
                }
            }
            Value::Array(list) => {
                for (index, value) in list.iter().enumerate() {
                    let place = at.child(index);
                    if *value == json!(name) {
                        tries.push((place.clone(), fixes::remove(&place)));
                    }
                    open.push((place, value));
                }
            }
            _ => {}
        }
    }
    tries
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml;

    #[test]
    fn what_makes_an_application_is_tried_first() {
        let text = "defaults: {path: x}\napps:\n  films:\n    enabled: true\n    path: a\n  music: {path: b}\nlist: [films, music]\nflags: {films: true}\n";
        let document = Document::of_text("apps/values.yaml", text);
        let tried = |name: &str| -> Vec<String> {
            let tries = operations(&document.tree, name).into_iter();
            tries
                .map(|(pointer, operation)| {
                    format!(
                        "{pointer} {}",
                        serde_json::to_value(operation).unwrap()["op"].as_str().unwrap()
                    )
                })
                .collect()
        };
        assert_eq!(
            tried("films"),
            [
                "/apps/films/enabled replace",
                "/apps/films remove",
                "/flags/films replace",
                "/list/0 remove"
            ]
        );
        assert_eq!(tried("music"), ["/apps/music remove", "/list/1 remove"]);
        assert!(tried("books").is_empty());
        assert!(yaml::value(text).is_ok());
    }
}
