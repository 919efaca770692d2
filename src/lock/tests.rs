//! The policies as data; what an API server makes of them is tested in `tests/real/tests/lock`.

use std::collections::BTreeSet;

use super::held::{Release, survey};
use super::*;
use serde_json::Value;

/// The functions, macros and operators of CEL in the policies, each with the version of Kubernetes that has it. All of them are
/// documented for 1.30, the first version in which such policies are generally available
/// (<https://v1-30.docs.kubernetes.io/docs/reference/using-api/cel/>).
const FUNCTIONS: &[&str] = &[
    // CEL's own: macros, and the standard library.
    "dyn",
    "exists",
    "filter",
    "has",
    "map",
    "size",
    "startsWith",
    "string",
    // Strings, from 1.23 on.
    "split",
    "substring",
    // Lists, from 1.23 on.
    "min",
    // Optional values, from 1.29 on.
    "orValue",
];

/// Returns every CEL expression of a policy.
fn expressions(tree: &Value) -> Vec<String> {
    let mut found = Vec::new();
    match tree {
        Value::Object(map) => {
            for (key, value) in map {
                match value.as_str() {
                    Some(text) if ["expression", "messageExpression"].contains(&key.as_str()) => {
                        found.push(text.to_owned());
                    }
                    _ => found.extend(expressions(value)),
                }
            }
        }
        Value::Array(list) => found.extend(list.iter().flat_map(expressions)),
        _ => {}
    }
    found
}

/// Returns an expression without its texts.
fn code(expression: &str) -> String {
    expression.split('\'').step_by(2).collect::<Vec<_>>().join("''")
}

#[test]
fn only_functions_of_kubernetes_1_30_are_used() {
    let mut used = BTreeSet::new();
    for expression in policies().iter().flat_map(|policy| expressions(policy.policy.tree())) {
        let code = code(&expression);
        for (at, _) in code.match_indices('(') {
            let before: String = code[..at].chars().rev().take_while(|c| c.is_alphanumeric()).collect();
            if !before.is_empty() {
                used.insert(before.chars().rev().collect::<String>());
            }
        }
    }
    let known: BTreeSet<String> = FUNCTIONS.iter().map(ToString::to_string).collect();
    assert_eq!(used, known);
}

#[test]
fn a_change_of_the_policies_has_a_version_of_its_own() {
    insta::assert_snapshot!(format!("lock-version {VERSION}\n{}", texts().concat()));
}

#[test]
fn messages_name_whole_commands() {
    for policy in deletions() {
        let message = expressions(policy.policy.tree()).pop().unwrap();
        let keep = message.find("Keep it").unwrap();
        assert!(keep < message.find("Lose it").unwrap(), "{message}");
        assert!(message.contains("kubectl homelab release "), "{message}");
    }
}

#[test]
fn the_state_of_a_policy() {
    let [expected, _] = deletions();
    let changed = |object: &Object, pointer: &str, value: Value| {
        let mut tree = object.tree().clone();
        *tree.pointer_mut(pointer).unwrap() = value;
        Object::new(tree)
    };
    let version = format!("/metadata/annotations/{}", VERSION_ANNOTATION.replace('/', "~1"));
    let is = |policy: Option<&Object>, binding: Option<&Object>| state(&expected, policy, binding);
    let (policy, binding) = (&expected.policy, &expected.binding);
    assert_eq!(is(Some(policy), Some(binding)), PolicyState::Current);
    assert_eq!(is(None, None), PolicyState::Missing);
    assert_eq!(is(Some(policy), None), PolicyState::Off("its binding is missing"));
    assert_eq!(is(None, Some(binding)), PolicyState::Off("its policy is missing"));
    let audits = changed(binding, "/spec/validationActions", json!(["Audit"]));
    assert!(matches!(is(Some(policy), Some(&audits)), PolicyState::Off(_)));
    let mut narrow = binding.tree().clone();
    narrow["spec"]["matchResources"] = json!({"namespaceSelector": {"matchLabels": {"a": "b"}}});
    assert!(matches!(
        is(Some(policy), Some(&Object::new(narrow.clone()))),
        PolicyState::Off(_)
    ));
    // As a server fills it in.
    narrow["spec"]["matchResources"] = json!({"matchPolicy": "Equivalent", "namespaceSelector": {}});
    assert_eq!(is(Some(policy), Some(&Object::new(narrow))), PolicyState::Current);
    let next = changed(policy, &version, json!((VERSION + 1).to_string()));
    let next_binding = changed(binding, &version, json!((VERSION + 1).to_string()));
    assert_eq!(is(Some(&next), Some(&next_binding)), PolicyState::Newer(VERSION + 1));
    let unknown = changed(policy, &version, json!("x"));
    assert_eq!(is(Some(&unknown), Some(binding)), PolicyState::Older(None));
    let weak = changed(policy, "/spec/failurePolicy", json!("Ignore"));
    assert_eq!(is(Some(&weak), Some(binding)), PolicyState::Changed);
}

#[test]
fn what_is_held_is_what_the_policies_say() {
    let namespace = |name: &str, labels: Value, annotations: Value| {
        Object::new(json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": name, "labels": labels, "annotations": annotations}}))
    };
    let claim = |place: &str, name: &str, labels: Value, annotations: Value| {
        Object::new(json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": {"namespace": place, "name": name, "labels": labels, "annotations": annotations}}))
    };
    let namespaces = [
        namespace(
            "media",
            json!({"owner.storage.home.arpa/data-db-0": "db", "owner.storage.home.arpa/films": "fetcher"}),
            json!({"storage.home.arpa/release": "other"}),
        ),
        namespace("open", json!({"owner.storage.home.arpa/none": ""}), json!({})),
    ];
    let claims = [
        claim(
            "media",
            "films",
            json!({"storage.home.arpa/owner": ""}),
            json!({"storage.home.arpa/release": "films"}),
        ),
        claim(
            "media",
            "data-db-0",
            json!({}),
            json!({"storage.home.arpa/release": "data-db-1"}),
        ),
        claim("media", "scratch", json!({}), json!({})),
        claim("open", "books", json!({"storage.home.arpa/owner": "reader"}), json!({})),
    ];
    let found = survey(Some(&namespaces), &claims);
    let held: Vec<_> = found
        .claims
        .iter()
        .map(|claim| {
            (
                claim.name.as_str(),
                claim.owner.as_str(),
                claim.is_registered,
                &claim.release,
            )
        })
        .collect();
    assert_eq!(
        held,
        [
            ("data-db-0", "db", Some(true), &Release::Other("data-db-1".to_owned())),
            ("films", "fetcher", Some(true), &Release::Open),
            ("books", "reader", Some(false), &Release::None),
        ]
    );
    assert_eq!(found.namespaces.len(), 1);
    assert_eq!(found.namespaces[0].release, Release::Other("other".to_owned()));
    assert_eq!(found.open_namespaces, BTreeSet::from(["open".to_owned()]));
    let blind = survey(None, &claims);
    assert_eq!(blind.claims.len(), 1);
    assert_eq!(blind.claims[0].is_registered, None);
}
