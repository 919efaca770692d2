//! The announcement of the plugin's parameters, from [`TABLE`].

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::disk::Checkout;
use crate::model::parameter::{Shape, Spec, TABLE};
use crate::repo::{Files, RepoPath};

/// More folders than that are not searched for value files: the form has to come at once.
const MOST_FOLDERS: usize = 500;

/// Returns the announcement of the parameters, for Argo CD's form: the table, with the value files that are in the
/// folder and below it, as Argo CD's own Helm announces them. It never fails, since Argo CD would then take the source
/// for something else.
///
/// The chart's values are not announced as `helm-parameters`: who changed one of them in the form would store them all.
pub fn announcement(folder: &Path) -> Value {
    let mut values = Vec::new();
    if let Ok(checkout) = Checkout::open(folder) {
        let mut folders = MOST_FOLDERS;
        find_values(&checkout, &RepoPath::root(), &mut folders, &mut values);
    }
    Value::Array(TABLE.iter().map(|spec| announced(spec, &values)).collect())
}

/// Collects the files with `values` in their names, in the order of all names; what cannot be listed has none.
fn find_values(checkout: &Checkout, folder: &RepoPath, folders: &mut usize, values: &mut Vec<String>) {
    let Some(left) = folders.checked_sub(1) else { return };
    *folders = left;
    for entry in checkout.list(folder).ok().flatten().unwrap_or_default() {
        let Ok(path) = folder.join(&entry.name) else { continue };
        let ending = entry
            .name
            .rsplit_once('.')
            .map(|(_, ending)| ending.to_ascii_lowercase());
        if entry.is_folder {
            if !entry.is_link && entry.name != ".git" {
                find_values(checkout, &path, folders, values);
            }
        } else if entry.name.contains("values") && matches!(ending.as_deref(), Some("yaml" | "yml")) {
            values.push(path.to_string());
        }
    }
}

fn announced(spec: &Spec, values: &[String]) -> Value {
    let mut entry = Map::new();
    let mut set = |key: &str, value: Value| entry.insert(key.to_owned(), value);
    set("name", json!(spec.name));
    set("title", json!(spec.title));
    set("tooltip", json!(spec.doc));
    set("collectionType", json!(spec.shape.field()));
    match spec.shape {
        Shape::Array if spec.name == "values-files" => set("array", json!(values)),
        Shape::Array | Shape::Texts => set("array", json!([])),
        Shape::Map => set("map", json!({})),
        Shape::Boolean => set("string", json!("false")),
        Shape::String => set("string", json!("")),
    };
    Value::Object(entry)
}
