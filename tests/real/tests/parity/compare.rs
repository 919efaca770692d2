//! The comparison of two renders.

use real_parts::generate::Answer;
use serde_json::Value;

use crate::storage_rules::{self, Registries};
use crate::table::{Case, Fails};

/// The way in which two renders are equal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Same {
    /// Equal byte for byte.
    Bytes,
    /// Equal except for the patches of the storage rules.
    StorageRules,
    /// Equal except for what differs between two renders of Argo CD itself.
    Random,
    /// Both fail, as the table expects.
    Fails,
    /// The plugin refuses it, as the table expects.
    Refused,
}

/// Compares the plugin's answer with Argo CD's, and with Argo CD's second one if it was asked again.
///
/// # Errors
/// A description of the difference.
pub(crate) fn compare(
    case: &Case,
    registries: Option<&Registries>,
    native: &Answer,
    again: Option<&Answer>,
    plugin: &Answer,
) -> Result<Same, String> {
    let expected = &case.expected;
    let holds = |what: &str, message: &str, part: &str| {
        // An empty text would hold anywhere.
        let found = !part.is_empty() && message.contains(part);
        found
            .then_some(())
            .ok_or_else(|| format!("the message of {what} does not hold `{part}`: {}", brief(message)))
    };
    match (native, plugin) {
        (Answer::Error(native), Answer::Error(plugin)) => match &expected.fails {
            Some(Fails::Alike(part)) => holds("both", native, part)
                .and(holds("both", plugin, part))
                .map(|()| Same::Fails),
            Some(Fails::Each {
                native: one,
                plugin: other,
            }) => holds("Argo CD", native, one)
                .and(holds("the plugin", plugin, other))
                .map(|()| Same::Fails),
            None => Err(format!(
                "both fail\n  native: {}\n  plugin: {}",
                brief(native),
                brief(plugin)
            )),
        },
        (Answer::Manifests(_), Answer::Error(message)) => match &expected.refused {
            Some(part) => holds("the plugin", message, part).map(|()| Same::Refused),
            None => Err(format!("only the plugin fails: {}", brief(message))),
        },
        (Answer::Error(message), Answer::Manifests(objects)) => Err(format!(
            "only Argo CD fails, and the plugin renders {} objects: {}",
            objects.len(),
            brief(message)
        )),
        (Answer::Manifests(_), Answer::Manifests(_)) if expected.fails.is_some() || expected.refused.is_some() => {
            Err("the table expects a failure, and it succeeds".to_owned())
        }
        (Answer::Manifests(native), Answer::Manifests(plugin)) => {
            let again = match again {
                Some(Answer::Manifests(again)) => Some(again.as_slice()),
                Some(Answer::Error(message)) => return Err(format!("Argo CD fails the second time: {message}")),
                None => None,
            };
            objects(case, registries, native, again, plugin)
        }
    }
}

fn objects(
    case: &Case,
    registries: Option<&Registries>,
    native: &[String],
    again: Option<&[String]>,
    plugin: &[String],
) -> Result<Same, String> {
    let (mut expected, mut given) = (parse(native), parse(plugin));
    let rendered = expected.clone();
    storage_rules::apply(case, &mut expected, registries);
    let by_rules = expected != rendered;
    // Objects that the storage rules do not change are the same text.
    if !by_rules && native == plugin {
        return Ok(Same::Bytes);
    }
    if expected == given {
        return if by_rules {
            Ok(Same::StorageRules)
        } else {
            Err("the objects are equal, their texts are not".to_owned())
        };
    }
    let names = |objects: &[Value]| objects.iter().map(name).collect::<Vec<_>>();
    if names(&expected) != names(&given) && again.is_none() {
        return Err(format!(
            "other objects\n  native: {:?}\n  plugin: {:?}",
            names(&expected),
            names(&given)
        ));
    }
    if let Some(again) = again {
        let again = parse(again);
        let mut places = Vec::new();
        for (index, (one, two)) in rendered.iter().zip(&again).enumerate() {
            differing(one, two, &format!("/{index}"), &mut places);
        }
        let (mut one, mut other) = (Value::Array(expected), Value::Array(given));
        for place in &places {
            for tree in [&mut one, &mut other] {
                if let Some(value) = tree.pointer_mut(place) {
                    *value = Value::Null;
                }
            }
        }
        if one == other && !places.is_empty() {
            return Ok(Same::Random);
        }
        (expected, given) = (list(one), list(other));
    }
    let first = expected.iter().zip(&given).find(|(one, other)| one != other);
    Err(first.map_or_else(
        || format!("{} objects and {} objects", expected.len(), given.len()),
        |(one, other)| {
            let mut places = Vec::new();
            differing(one, other, "", &mut places);
            let at = |tree: &Value, place: &str| tree.pointer(place).map_or("nothing".to_owned(), Value::to_string);
            let lines = places.iter().take(3).map(|place| {
                format!(
                    "\n  {place}\n    expected: {}\n    plugin:   {}",
                    at(one, place),
                    at(other, place)
                )
            });
            format!("{} is different:{}", name(one), lines.collect::<String>())
        },
    ))
}

/// Returns a message without the prefix that all have, and without what helm logged before it failed.
fn brief(message: &str) -> String {
    let end = message.rsplit("failed exit status ").next().unwrap_or(message);
    let lines = end
        .lines()
        .filter(|line| !line.contains("found symbolic link") && !line.is_empty());
    lines.collect::<Vec<_>>().join(" ").chars().take(300).collect()
}

fn parse(objects: &[String]) -> Vec<Value> {
    objects
        .iter()
        .map(|object| serde_json::from_str(object).expect("a manifest is JSON"))
        .collect()
}

fn list(tree: Value) -> Vec<Value> {
    match tree {
        Value::Array(list) => list,
        _ => Vec::new(),
    }
}

fn name(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    format!("{}/{}", text(&object["kind"]), text(&object["metadata"]["name"]))
}

/// Returns the JSON Pointers at which two trees have different values.
fn differing(one: &Value, other: &Value, place: &str, places: &mut Vec<String>) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let mut keys: Vec<&String> = one.keys().chain(other.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                let place = format!("{place}/{}", key.replace('~', "~0").replace('/', "~1"));
                match (one.get(key), other.get(key)) {
                    (Some(one), Some(other)) => differing(one, other, &place, places),
                    _ => places.push(place),
                }
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                differing(one, other, &format!("{place}/{index}"), places);
            }
        }
        _ if one == other => {}
        _ => places.push(place.to_owned()),
    }
}

/// Tests that show that the comparison can fail.
#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn given(objects: &[Value]) -> Answer {
        Answer::Manifests(objects.iter().map(Value::to_string).collect())
    }

    fn case() -> Case {
        Case {
            app: "shown".to_owned(),
            destination: "home".to_owned(),
            ..Case::default()
        }
    }

    fn config(name: &str, text: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"text": text}})
    }

    #[test]
    fn text_outside_the_storage_rules_is_identical() {
        let (a, b) = (config("a", "x"), config("b", "x"));
        let native = given(&[a.clone(), b.clone()]);
        let compare = |plugin: &Answer| compare(&case(), None, &native, None, plugin);
        assert_eq!(compare(&native), Ok(Same::Bytes));
        for other in [
            given(&[b.clone(), a.clone()]),
            given(std::slice::from_ref(&a)),
            given(&[a.clone(), b.clone(), b.clone()]),
            given(&[a.clone(), config("b", "y")]),
            Answer::Manifests(vec![a.to_string(), format!(" {b}")]),
            Answer::Error("no".to_owned()),
        ] {
            assert!(compare(&other).is_err(), "{other:?}");
        }
        assert!(super::compare(&case(), None, &Answer::Error("no".to_owned()), None, &native).is_err());
    }

    #[test]
    fn the_storage_rules_are_applied_exactly() {
        let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}});
        let guarded = json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {
                "name": "data",
                "annotations": {
                    "argocd.argoproj.io/compare-options": "IgnoreExtraneous",
                    "argocd.argoproj.io/sync-options": "Prune=false,Delete=false",
                    "helm.sh/resource-policy": "keep",
                },
                "labels": {"kor/used": "true", "storage.home.arpa/owner": "shown"},
            },
        });
        let compare = |plugin: &Value| {
            compare(
                &case(),
                None,
                &given(std::slice::from_ref(&claim)),
                None,
                &given(std::slice::from_ref(plugin)),
            )
        };
        assert_eq!(compare(&guarded), Ok(Same::StorageRules));
        let mut more = guarded.clone();
        more["spec"] = json!({});
        let mut less = guarded.clone();
        less["metadata"]["labels"] = json!({"kor/used": "true"});
        for other in [&claim, &more, &less] {
            assert!(compare(other).is_err(), "{other}");
        }
    }

    #[test]
    fn only_what_argo_cd_renders_differently_each_time_may_differ() {
        let object = |password: &str, user: &str| json!({"kind": "Secret", "metadata": {"name": "a"}, "stringData": {"password": password, "user": user}});
        let of = |password: &str, user: &str| given(&[object(password, user)]);
        let compare = |plugin: &Answer| compare(&case(), None, &of("one", "admin"), Some(&of("two", "admin")), plugin);
        assert_eq!(compare(&of("three", "admin")), Ok(Same::Random));
        assert!(compare(&of("three", "root")).is_err());
        assert!(compare(&given(&[object("three", "admin"), object("three", "admin")])).is_err());
    }

    #[test]
    fn both_fail_as_the_table_says() {
        let no = |text: &str| Answer::Error(text.to_owned());
        let mut case = case();
        assert!(compare(&case, None, &no("a"), None, &no("a")).is_err());
        case.expected.fails = Some(Fails::Alike("because".to_owned()));
        assert_eq!(
            compare(&case, None, &no("because a"), None, &no("b because")),
            Ok(Same::Fails)
        );
        assert!(compare(&case, None, &no("because a"), None, &no("b")).is_err());
        assert!(compare(&case, None, &given(&[]), None, &given(&[])).is_err());
    }
}
