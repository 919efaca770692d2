//! `values.schema.json` with the real helm: what it follows on the network, and that it reads no file of the server.

use std::fs;

use crate::chart_repository::{ChartRepository, helm};
use crate::sent::{Sent, text};

const OBJECT: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";

fn sent() -> Sent {
    let sent = Sent::new().real_helm();
    sent.write("templates/a.yaml", OBJECT);
    sent.write("values.yaml", "image: player:1\n");
    sent
}

#[test]
fn what_is_on_the_network_is_followed_unless_that_is_forbidden() {
    let network = ChartRepository::new();
    network.put("pod.json", r#"{"image": {"type": "string"}}"#);
    let sent = sent();
    let id = format!("{}/values.schema.json", network.url());
    let schema = format!(
        r#"{{"$schema": "http://json-schema.org/draft-07/schema", "$id": "{id}", "properties": {{"image": {{"$ref": "schemas/pod.json#/image"}}}}}}"#
    );
    sent.write("values.schema.json", &schema);
    let output = sent.generate(&[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(network.asked().len(), 1);
    sent.write("values.yaml", "image: 1\n");
    let message = sent.failure(&sent.generate(&[]));
    assert!(message.contains("got number, want string"), "{message}");
    network.asked();
    sent.write("values.yaml", "image: player:1\n");
    let message = sent.failure(&sent.generate(&[("HOMELAB_REMOTE_SCHEMAS", "false")]));
    assert!(
        message.contains("`HOMELAB_REMOTE_SCHEMAS` forbids the network for schemas"),
        "{message}"
    );
    assert_eq!(network.asked(), Vec::<String>::new());
    let message = sent.failure(&sent.generate(&[("HOMELAB_REMOTE_SCHEMAS", "no")]));
    assert!(message.contains("is neither `true` nor `false`"), "{message}");
}

/// Without the check, helm would read the file: its requirement would be in the message.
#[test]
fn no_file_of_the_server_is_read_for_a_schema_wherever_it_is() {
    let outside = tempfile::tempdir().unwrap();
    let file = outside.path().join("x.json");
    fs::write(&file, r#"{"required": ["only-in-a-file-of-the-server"]}"#).unwrap();
    let file = file.to_str().unwrap();
    let references = [
        format!("file://{file}"),
        format!("FILE:{file}"),
        format!("//server{file}"),
        file.to_owned(),
        format!("../../..{file}"),
        format!("file://{}", file.replace("x.json", "%78.json")),
    ];
    let lib = |sent: &Sent, schema: &str| {
        sent.write("../lib/Chart.yaml", "apiVersion: v2\nname: lib\nversion: 1.0.0\n");
        sent.write("../lib/templates/l.yaml", OBJECT);
        sent.write("../lib/values.schema.json", schema);
    };
    let depend = |sent: &Sent, repository: &str| {
        let dependency = format!("dependencies: [{{name: lib, version: 1.0.0, repository: '{repository}'}}]\n");
        sent.write(
            "Chart.yaml",
            &format!("apiVersion: v2\nname: player\nversion: 0.1.0\n{dependency}"),
        );
    };
    for reference in &references {
        let schema = format!(r#"{{"allOf": [{{"$ref": "{reference}"}}]}}"#);
        let own = sent();
        own.write("values.schema.json", &schema);
        let unpacked = sent();
        lib(&unpacked, &schema);
        depend(&unpacked, "");
        fs::create_dir(unpacked.source().join("charts")).unwrap();
        fs::rename(unpacked.source().join("../lib"), unpacked.source().join("charts/lib")).unwrap();
        let packed = sent();
        lib(&packed, &schema);
        depend(&packed, "");
        helm(&["package", "../lib", "-d", "charts"], &packed.source());
        let built = sent();
        lib(&built, &schema);
        depend(&built, "file://../lib");
        for (sent, place) in [
            (own, "helm/player/values.schema.json"),
            (unpacked, "helm/player/charts/lib/values.schema.json"),
            (packed, "helm/player/charts/lib-1.0.0.tgz/values.schema.json"),
            (built, "helm/player/charts/lib-1.0.0.tgz/values.schema.json"),
        ] {
            let output = sent.generate(&[]);
            let message = text(&output.stderr);
            assert_eq!((text(&output.stdout), output.status.code()), ("", Some(3)));
            assert!(
                message.starts_with(&format!("`{place}` refers to the file `")),
                "{reference}: {message}"
            );
        }
    }
}

#[test]
fn what_helm_does_not_load_may_say_anything() {
    let sent = sent();
    sent.write("examples/values.schema.json", r#"{"$ref": "../values.schema.json"}"#);
    sent.write("charts/_off/values.schema.json", r#"{"$ref": "/etc/passwd"}"#);
    sent.write(".helmignore", "values.schema.json\n");
    sent.write("values.schema.json", "no JSON");
    let output = sent.generate(&[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
}
