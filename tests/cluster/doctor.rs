//! `doctor` with a cluster: the installation is read from it, and what cannot be read is no finding.

use std::fs;

use homelab::yaml;
use serde_json::{Value, json};

use crate::server::{Answer, Request, Server, homelab};

/// Returns the objects of an installation in a file of the tests.
fn installation(name: &str) -> Vec<Value> {
    let text = fs::read_to_string(format!("tests/commands/doctor/home.in/{name}.yaml")).unwrap();
    let documents = yaml::documents(&text).unwrap();
    let trees = documents
        .iter()
        .map(|document| yaml::value(&text[document.range.clone()]).unwrap());
    trees.flatten().collect()
}

/// Answers as an API server does: the items of a list of a built-in kind do not say what they are.
fn answer(objects: &[Value], request: &Request) -> Answer {
    let kinds = [
        ("/deployments", "Deployment"),
        ("/statefulsets", "StatefulSet"),
        ("/configmaps", "ConfigMap"),
    ];
    let path = request.path.split('?').next().unwrap_or_default();
    let (_, kind) = kinds.into_iter().find(|(end, _)| path.ends_with(end)).unwrap();
    let items: Vec<Value> = objects
        .iter()
        .filter(|object| object["kind"] == kind && path.contains("/namespaces/argocd/"))
        .map(|object| {
            let mut item = object.clone();
            let fields = item.as_object_mut().unwrap();
            fields.remove("kind");
            fields.remove("apiVersion");
            item["metadata"]["managedFields"] = json!([{"manager": "kubectl"}]);
            item
        })
        .collect();
    let list = json!({"apiVersion": "v1", "kind": format!("{kind}List"), "metadata": {"resourceVersion": "1"}, "items": items});
    Answer::json(200, &list)
}

#[test]
fn the_installation_is_read_from_the_cluster() {
    let sound = installation("sound");
    let server = Server::start(move |request, _| answer(&sound, request));
    let (code, message) = server.homelab(&["doctor", "-o", "table"]);
    assert_eq!(code, Some(0), "{message}");
    assert!(message.contains("0 errors, 0 warnings"), "{message}");

    let bad = installation("unsafe");
    let server = Server::start(move |request, _| answer(&bad, request));
    let (code, message) = server.homelab(&["doctor"]);
    assert_eq!(code, Some(1), "{message}");
    assert!(
        message.contains("error[HL507]: the sidecar runs as user 1000"),
        "{message}"
    );
    assert!(message.contains("--> deployment/argocd-repo-server:"), "{message}");
    assert!(!message.contains("managedFields"), "{message}");
    let asked = server.asked();
    assert!(
        asked
            .iter()
            .all(|request| request.method == "get" && !request.path.contains("secret")),
        "{asked:?}"
    );
}

#[test]
fn without_an_installation_or_a_cluster_the_way_on_is_named() {
    let sound = installation("sound");
    let server = Server::start(move |request, _| answer(&sound, request));
    let (code, message) = server.homelab(&["doctor", "-n", "gitops"]);
    assert_eq!(code, Some(3), "{message}");
    assert!(
        message.contains("there is no Argo CD in the namespace `gitops`"),
        "{message}"
    );
    assert!(
        message.contains("hint: name its namespace with `--namespace`"),
        "{message}"
    );

    let server = Server::start(|_, _| Answer::status(403, "deployments.apps is forbidden"));
    let (code, message) = server.homelab(&["doctor"]);
    assert_eq!(code, Some(3), "{message}");
    assert!(message.contains("deployments.apps is forbidden"), "{message}");
    assert!(
        message.contains("may list Deployments, StatefulSets and ConfigMaps"),
        "{message}"
    );

    let (code, message) = homelab(None, &["doctor"]);
    assert_eq!(code, Some(3), "{message}");
    assert!(message.contains("there is no kubeconfig"), "{message}");
    assert!(message.contains("kubectl homelab doctor -f -"), "{message}");

    let (code, message) = homelab(None, &["doctor", "-f", "-", "--context", "c"]);
    assert_eq!(code, Some(2), "{message}");
}
