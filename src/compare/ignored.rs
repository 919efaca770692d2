//! `ignoreDifferences`: what an Application says that does not count
//! ([source](https://argo-cd.readthedocs.io/en/stable/user-guide/diffing/)).

use serde_json::Value;

use super::immutable::is_below;
use crate::model::{Application, Object};

/// Returns those of the places at which an object differs that a sync writes.
pub(super) fn applied(
    app: &Application<'_>,
    object: &Object,
    namespace: Option<&str>,
    pointers: &[String],
) -> Vec<String> {
    match respects(app) {
        true => counting(app, object, namespace, pointers),
        false => pointers.to_vec(),
    }
}

/// Reports whether an Application leaves ignored fields as they are when it syncs.
fn respects(app: &Application<'_>) -> bool {
    app.sync_option("RespectIgnoreDifferences") == Some("true")
}

/// Returns those of the places at which an object differs that no entry covers. Entries by `jqPathExpressions` and by field managers
/// cover nothing here: what they would is not known.
pub(super) fn counting(
    app: &Application<'_>,
    object: &Object,
    namespace: Option<&str>,
    pointers: &[String],
) -> Vec<String> {
    let entries = app.object().at("/spec/ignoreDifferences").and_then(Value::as_array);
    let entries = entries.into_iter().flatten();
    let ours: Vec<&Value> = entries.filter(|entry| is_about(entry, object, namespace)).collect();
    let covers = |pointer: &String| {
        let of_entry = |entry: &&Value| entry.get("jsonPointers").and_then(Value::as_array).cloned();
        let mut bases = ours.iter().filter_map(of_entry).flatten();
        bases.any(|base| base.as_str().is_some_and(|base| is_below(pointer, base)))
    };
    pointers.iter().filter(|pointer| !covers(pointer)).cloned().collect()
}

fn is_about(entry: &Value, object: &Object, namespace: Option<&str>) -> bool {
    let fits = |key: &str, value: &str| match entry.get(key).and_then(Value::as_str) {
        None | Some("") => true,
        Some(pattern) => matches(pattern, value),
    };
    let group = entry.get("group").and_then(Value::as_str).unwrap_or_default();
    matches(group, object.group())
        && fits("kind", object.kind())
        && fits("name", object.name())
        && fits("namespace", namespace.unwrap_or_default())
}

/// Reports whether a pattern with `*` matches a text.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            let mut ends = (0..=text.len()).filter(|at| text.is_char_boundary(*at));
            ends.any(|at| matches(rest, &text[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn entries_cover_what_is_below_their_pointers() {
        let app = |entry: Value| {
            Object::new(json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
                "metadata": {"name": "a"}, "spec": {"ignoreDifferences": [entry]}}))
        };
        let claim =
            Object::new(json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}}));
        let left = |entry: Value| {
            let (object, pointers) = (
                app(entry),
                ["/spec/storageClassName".to_owned(), "/spec/resources".to_owned()],
            );
            counting(&Application::new(&object).unwrap(), &claim, Some("media"), &pointers)
        };
        let class = json!({"kind": "PersistentVolumeClaim", "jsonPointers": ["/spec/storageClassName"]});
        assert_eq!(left(class), ["/spec/resources"]);
        assert!(left(json!({"kind": "*", "name": "d*a", "jsonPointers": ["/spec"]})).is_empty());
        for other in [
            json!({"group": "apps", "kind": "PersistentVolumeClaim", "jsonPointers": ["/spec"]}),
            json!({"kind": "PersistentVolumeClaim", "namespace": "tv", "jsonPointers": ["/spec"]}),
            json!({"kind": "PersistentVolumeClaim", "name": "other", "jsonPointers": ["/spec"]}),
            json!({"kind": "PersistentVolumeClaim", "jqPathExpressions": [".spec"]}),
        ] {
            assert_eq!(left(other.clone()).len(), 2, "{other}");
        }
    }
}
