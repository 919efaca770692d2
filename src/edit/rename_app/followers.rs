//! What names an Application elsewhere: statements about claims in the parameters of others, the owners on Namespaces and claims,
//! and the file of overrides that is for it alone.

use anyhow::Result;
use json_patch::{Patch, PatchOperation};
use serde_json::{Value, json};

use crate::edit::source_override;
use crate::model::application::{is_application, is_application_set};
use crate::model::claim::OWNER_LABEL;
use crate::model::namespace::{OWNER_PREFIX, WRITERS_PREFIX};
use crate::model::object::annotation_pointer;
use crate::model::{AppName, Application, Object, Pointer, PointerBuf, PointerExt};
use crate::repo::{Change, ChangeSet, Manifest, Repo, overrides};
use crate::rules::fixes;

/// Where an entry of a parameter has the Application.
enum At {
    /// Before the first `/`.
    Start,
    /// Behind the last `=`.
    End,
}

/// The parameters whose entries name Applications.
const PARAMETERS: [(&str, At); 4] = [
    ("moved-from", At::Start),
    ("moves", At::End),
    ("keeps", At::End),
    ("writers", At::End),
];

/// Returns the changes of all that names an Application, but for its own manifest.
///
/// # Errors
/// When a file of overrides cannot be read.
pub(super) fn of(repo: &Repo, app: &Application<'_>, new: &AppName) -> Result<ChangeSet> {
    let (old, controller) = (app.name(), repo.controller_namespace());
    let instance = app.instance(controller);
    // It has a namespace before the name where it is not in Argo CD's own.
    let new_instance = format!("{}{new}", instance.strip_suffix(old).unwrap_or_default());
    let mut changes = Vec::new();
    for manifest in &repo.manifests {
        let operations = of_manifest(manifest, old, new);
        if !operations.is_empty() {
            changes.extend(fixes::patch(manifest, operations).changes);
        }
    }
    let own_file = overrides::name_for(&instance);
    let mut removed = Vec::new();
    for one in repo.overrides.values() {
        let mut operations = Vec::new();
        entries(&one.patch, &PointerBuf::new(), (old, new), &mut operations);
        let file = source_override::source_file(one)?;
        if one.file.file_name() == own_file {
            let path = one.file.parent().join(&overrides::name_for(&new_instance))?;
            if !repo.overrides.contains_key(&path) {
                let text = one.text.clone();
                changes.push(Change::Create { path, text });
            }
            removed.push(Change::RemoveFile { file });
        } else if !operations.is_empty() {
            changes.push(Change::PatchFile {
                document: one.position_in(&file.documents),
                file,
                patch: Patch(operations),
            });
        }
    }
    changes.extend(removed);
    Ok(ChangeSet { changes })
}

fn of_manifest(manifest: &Manifest, old: &str, new: &AppName) -> Vec<PatchOperation> {
    let mut operations = Vec::new();
    for (base, object) in manifest.object.flatten() {
        let mut of_object = Vec::new();
        if is_application(&object) || is_application_set(&object) {
            entries(object.tree(), &PointerBuf::new(), (old, new), &mut of_object);
        }
        labels(&object, (old, new), &mut of_object);
        operations.extend(fixes::below(&base, of_object));
    }
    operations
}

/// Finds the parameters in a tree that name the Application.
fn entries(tree: &Value, at: &Pointer, names: (&str, &AppName), out: &mut Vec<PatchOperation>) {
    match tree {
        Value::Object(map) => {
            let name = map.get("name").and_then(Value::as_str).unwrap_or_default();
            let array = map.get("array").and_then(Value::as_array);
            if let (Some((_, place)), Some(array)) = (PARAMETERS.iter().find(|(of, _)| *of == name), array) {
                let texts = array.iter().enumerate();
                let texts = texts.filter_map(|(index, entry)| Some((index, renamed(entry.as_str()?, place, names)?)));
                out.extend(texts.map(|(index, text)| fixes::replace(at.child("array").child(index), json!(text))));
                return;
            }
            map.iter()
                .for_each(|(key, value)| entries(value, &at.child(key.as_str()), names, out));
        }
        Value::Array(list) => {
            let values = list.iter().enumerate();
            values.for_each(|(index, value)| entries(value, &at.child(index), names, out));
        }
        _ => {}
    }
}

/// Returns an entry with the new name; `None` where it has not the old one.
fn renamed(entry: &str, place: &At, (old, new): (&str, &AppName)) -> Option<String> {
    match place {
        At::Start => {
            let (app, rest) = entry.split_once('/')?;
            (app == old).then(|| format!("{new}/{rest}"))
        }
        At::End => {
            let (rest, app) = entry.rsplit_once('=')?;
            (app == old).then(|| format!("{rest}={new}"))
        }
    }
}

/// Finds the owner on a claim, and the owners and writers on a Namespace.
fn labels(object: &Object, (old, new): (&str, &AppName), out: &mut Vec<PatchOperation>) {
    let map = |key: &str| object.at("/metadata")?.get(key)?.as_object();
    let at = Pointer::from_static("/metadata/labels");
    for (key, value) in map("labels").into_iter().flatten() {
        let is_owner = key == OWNER_LABEL || key.starts_with(OWNER_PREFIX);
        if is_owner && value == old {
            out.push(fixes::replace(at.child(key.as_str()), json!(new.as_str())));
        }
    }
    for (key, value) in map("annotations").into_iter().flatten() {
        let writers = value
            .as_str()
            .filter(|_| key.starts_with(WRITERS_PREFIX))
            .unwrap_or_default();
        if writers.split(',').any(|app| app == old) {
            let mut apps: Vec<&str> = writers.split(',').filter(|app| *app != old).collect();
            apps.push(new.as_str());
            apps.sort_unstable();
            out.push(fixes::replace(annotation_pointer(key), json!(apps.join(","))));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::Memory;

    #[test]
    fn all_that_names_it_follows() {
        let other = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: other}\nspec:\n  source:\n    repoURL: u\n    plugin:\n      name: homelab-v1\n      parameters:\n      - {name: moves, array: [a=old, b=older]} # kept\n      - name: moved-from\n        array: ['old/c', old-one/d]\n      - {name: keeps, array: [media/e=old]}\n";
        let namespace = "kind: Namespace\napiVersion: v1\nmetadata:\n  name: media\n  labels: {owner.storage.home.arpa/a: old, x: old}\n  annotations: {writers.storage.home.arpa/a: 'old,zulu'}\n";
        let old = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: old}\nspec: {}\n";
        let files = [
            ("applications/old.yaml", old),
            ("applications/other.yaml", other),
            ("namespaces/media.yaml", namespace),
        ];
        let repo = Repo::read(&Memory::new(files).unwrap(), &[]).unwrap();
        let (_, app) = repo.application("old").unwrap();
        let changes = of(&repo, &app, &AppName::new("young").unwrap()).unwrap();
        let after: Vec<String> = repo
            .file_changes(&changes)
            .unwrap()
            .into_iter()
            .filter_map(|file| file.after)
            .collect();
        let expected = other
            .replace("[a=old,", "[\"a=young\",")
            .replace("'old/c'", "'young/c'")
            .replace("[media/e=old]", "[\"media/e=young\"]");
        assert_eq!(after[0], expected);
        assert_eq!(
            after[1],
            namespace
                .replace("/a: old", "/a: young")
                .replace("'old,zulu'", "'young,zulu'")
        );
    }
}
