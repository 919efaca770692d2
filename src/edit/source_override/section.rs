//! The section `plugin` of a file of overrides: its parameters stand behind those of the template, in whose places Argo CD
//! would mix them.

use std::collections::BTreeSet;

use anyhow::{Result, anyhow};
use json_patch::PatchOperation;
use serde_json::{Map, Value, json};

use crate::failure::HintExt;
use crate::model::{Pointer, PointerExt};
use crate::rules::fixes;

/// The kinds of values that a parameter has.
const KINDS: [&str; 3] = ["string", "array", "map"];

/// Returns the parameters of a section with their values, in the order of their names.
pub(super) fn parameters(section: &Value) -> Vec<(String, Map<String, Value>)> {
    let values = |entry: &Value| -> Map<String, Value> {
        let values = KINDS
            .iter()
            .filter_map(|kind| Some(((*kind).to_owned(), entry.get(*kind)?.clone())));
        values.filter(|(_, value)| !value.is_null()).collect()
    };
    let parameters = entries(Some(section)).iter();
    let mut parameters: Vec<_> = parameters
        .map(|entry| (name(entry).to_owned(), values(entry)))
        .collect();
    parameters.sort_by(|(one, _), (other, _)| one.cmp(other));
    parameters
}

fn entries(section: Option<&Value>) -> &[Value] {
    let list = section.and_then(|section| section.get("parameters")?.as_array());
    list.map_or(&[], Vec::as_slice)
}

fn name(entry: &Value) -> &str {
    entry.get("name").and_then(Value::as_str).unwrap_or_default()
}

fn named<'v>(list: &'v [Value], wanted: &str) -> Option<&'v Value> {
    list.iter().find(|entry| name(entry) == wanted)
}

/// Returns the section of a new file over the template's section; `None` where the template gives all of it.
///
/// # Errors
/// When the template has a parameter that is not wanted.
pub(super) fn new(base: Option<&Value>, wanted: &Value) -> Result<Option<Value>> {
    let mut section = Map::new();
    if base.and_then(|base| base.get("name")) != wanted.get("name") {
        section.insert("name".to_owned(), wanted["name"].clone());
    }
    let list = list(&[], base, wanted)?;
    if list
        .iter()
        .any(|entry| entry.as_object().is_some_and(|entry| entry.len() > 1))
    {
        section.insert("parameters".to_owned(), Value::Array(list));
    }
    Ok((!section.is_empty() || base.is_none()).then_some(Value::Object(section)))
}

/// Returns the operations on a file that has a section already, or other sections.
///
/// # Errors
/// When the template has a parameter that is not wanted, or the file's parameters are mixed with those of the template.
pub(super) fn operations(
    existing: Option<&Value>,
    base: Option<&Value>,
    wanted: &Value,
) -> Result<Vec<PatchOperation>> {
    let plugin = Pointer::from_static("/plugin");
    let Some(existing) = existing.filter(|existing| !existing.is_null()) else {
        let section = new(base, wanted)?;
        return Ok(section.map(|section| fixes::add(plugin, section)).into_iter().collect());
    };
    let mut operations = Vec::new();
    let name_of = |section: Option<&Value>| section.and_then(|section| section.get("name")).cloned();
    let given = name_of(Some(existing)).or_else(|| name_of(base));
    let tree = json!({"plugin": existing});
    if given.as_ref() != wanted.get("name") {
        operations.push(fixes::set(&tree, plugin.child("name"), wanted["name"].clone()));
    }
    let there = entries(Some(existing));
    check_order(there, base)?;
    let list = list(there, base, wanted)?;
    let at = plugin.child("parameters");
    if there.is_empty() {
        if list
            .iter()
            .any(|entry| entry.as_object().is_some_and(|entry| entry.len() > 1))
        {
            operations.push(fixes::set(&tree, &at, Value::Array(list)));
        }
        return Ok(operations);
    }
    if list.is_empty() {
        operations.push(fixes::remove(at));
        return Ok(operations);
    }
    let is_gone = |entry: &Value| named(&list, name(entry)).is_none();
    let gone = there.iter().enumerate().rev().filter(|(_, entry)| is_gone(entry));
    operations.extend(gone.map(|(index, _)| fixes::remove(at.child(index))));
    let kept: Vec<&Value> = there.iter().filter(|entry| !is_gone(entry)).collect();
    for (index, entry) in list.iter().enumerate() {
        let place = at.child(index);
        match kept.get(index) {
            Some(old) => operations.extend(of_entry(old, entry, &place)),
            None => operations.push(fixes::add(place, entry.clone())),
        }
    }
    Ok(operations)
}

/// Refuses a file whose parameters have no name of their own, or stand in the places of others of the template.
fn check_order(there: &[Value], base: Option<&Value>) -> Result<()> {
    let mut names = BTreeSet::new();
    if let Some(entry) = there
        .iter()
        .find(|entry| name(entry).is_empty() || !names.insert(name(entry)))
    {
        let what = match name(entry) {
            "" => "one of its parameters has no name".to_owned(),
            name => format!("its parameter `{name}` stands twice"),
        };
        return Err(anyhow!(what).hint("give each parameter in the file its name, once"));
    }
    let is_other = |(own, of_base): &(&Value, &Value)| name(own) != name(of_base);
    match there.iter().zip(entries(base)).find(is_other) {
        Some((own, of_base)) => Err(anyhow!(
            "its parameter `{}` stands in the place of the template's parameter `{}`, so that Argo CD mixes both",
            name(own),
            name(of_base)
        )
        .hint("write the template's parameters first in the file, in their order, each with its name")),
        None => Ok(()),
    }
}

/// Returns the list of parameters that the file shall have: those of the template in their places, then those that are there, then
/// the others. A parameter that is as the template has it has its name alone, so that the template's value counts.
fn list(there: &[Value], base: Option<&Value>, wanted: &Value) -> Result<Vec<Value>> {
    let (base, wanted) = (entries(base), entries(Some(wanted)));
    if let Some(entry) = base.iter().find(|entry| named(wanted, name(entry)).is_none()) {
        let name = name(entry);
        return Err(
            anyhow!("the template has the parameter `{name}`, and no file takes it away")
                .hint(format!("take `{name}` out of the template of its ApplicationSet")),
        );
    }
    let mut names: Vec<&str> = Vec::new();
    for entry in base.iter().chain(there).chain(wanted) {
        if !names.contains(&name(entry)) && named(wanted, name(entry)).is_some() {
            names.push(name(entry));
        }
    }
    let entry = |name: &&str| {
        let wanted = named(wanted, name)?;
        let is_said = named(there, name).is_none_or(|there| there.as_object().is_some_and(|there| there.len() == 1));
        let is_same = named(base, name).is_some_and(|base| parameters(&alone(base)) == parameters(&alone(wanted)));
        Some(match is_said && is_same {
            true => json!({"name": name}),
            false => wanted.clone(),
        })
    };
    Ok(names.iter().filter_map(entry).collect())
}

fn alone(entry: &Value) -> Value {
    json!({"parameters": [entry]})
}

/// Returns the operations that make one entry of the file another one.
fn of_entry(old: &Value, new: &Value, place: &Pointer) -> Vec<PatchOperation> {
    let mut operations = Vec::new();
    for kind in KINDS {
        let at = place.child(kind);
        match (old.get(kind), new.get(kind)) {
            (Some(old), Some(new)) if old == new => {}
            (Some(old @ Value::Array(_)), Some(new @ Value::Array(_)))
            | (Some(old @ Value::Object(_)), Some(new @ Value::Object(_))) => {
                operations.extend(fixes::below(&at, json_patch::diff(old, new).0));
            }
            (Some(_), Some(new)) => operations.push(fixes::replace(at, new.clone())),
            (None, Some(new)) => operations.push(fixes::add(at, new.clone())),
            (Some(_), None) => operations.push(fixes::remove(at)),
            (None, None) => {}
        }
    }
    operations
}
