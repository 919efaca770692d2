//! Write access to the repository must not give access to the files of the server: each way in which helm reads something
//! outside the checkout works with helm itself, and is refused by the plugin.
#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test writes files, runs programs and fails loudly"
)]

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

const SECRET: &str = "hunter2";
const TEMPLATE: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  all: {{ toJson .Values | quote }}\n";

/// A server with a secret file and a checkout of a chart.
struct Server {
    folder: tempfile::TempDir,
}

impl Server {
    fn new() -> Self {
        let server = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        server.write("secret/token.yaml", &format!("stolen: {SECRET}\n"));
        server.write("secret/Chart.yaml", "apiVersion: v2\nname: secret\nversion: 1.0.0\n");
        server.write(
            "secret/templates/token.yaml",
            &format!("{TEMPLATE}  stolen: {SECRET}\n"),
        );
        server.write(
            "checkout/chart/Chart.yaml",
            "apiVersion: v2\nname: chart\nversion: 1.0.0\n",
        );
        server.write("checkout/chart/templates/all.yaml", TEMPLATE);
        server
    }

    fn path(&self, path: &str) -> PathBuf {
        fs::canonicalize(self.folder.path()).unwrap().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn link(&self, to: &str, at: &str) {
        let _ = fs::remove_file(self.path(at));
        symlink(self.path(to), self.path(at)).unwrap();
    }

    /// Returns the output of helm itself, or its message.
    fn helm(&self, arguments: &[OsString]) -> String {
        let helm = std::env::var_os("HOMELAB_TEST_HELM").expect("HOMELAB_TEST_HELM is not set: run `cargo xtask test`");
        let mut command = Command::new(helm);
        command.args(arguments).env("HOME", self.folder.path());
        run(&mut command, &self.path("checkout/chart")).1
    }

    /// Renders the chart with the plugin; returns whether it succeeds, and its output or its message.
    fn plugin(&self, parameters: &Value) -> (bool, String) {
        let helm = std::env::var_os("HOMELAB_TEST_HELM").expect("HOMELAB_TEST_HELM is not set: run `cargo xtask test`");
        let bin = self.path("bin");
        fs::create_dir_all(&bin).unwrap();
        if !bin.join("helm").exists() {
            symlink(helm, bin.join("helm")).unwrap();
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-homelab"));
        command
            .args(["cmp", "generate"])
            .env_clear()
            .env("PATH", bin)
            .env("TOKEN", SECRET)
            .env("ARGOCD_APP_NAME", "chart")
            .env("ARGOCD_APP_SOURCE_PATH", "chart")
            .env("ARGOCD_APP_PARAMETERS", parameters.to_string());
        run(&mut command, &self.path("checkout/chart"))
    }

    /// Asserts that the plugin refuses it, with the reason and without the secret.
    #[track_caller]
    fn is_refused(&self, parameters: Value, why: &str) {
        let (is_rendered, message) = self.plugin(&parameters);
        assert!(!is_rendered && message.contains(why), "`{why}` in {message}");
        assert!(!message.contains(SECRET), "{message}");
    }
}

fn run(command: &mut Command, folder: &Path) -> (bool, String) {
    let output = command.current_dir(folder).stdin(Stdio::null()).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

fn template(more: &[&str]) -> Vec<OsString> {
    ["template", "."].iter().chain(more).map(OsString::from).collect()
}

fn values_files(files: &[&str]) -> Value {
    json!([{"name": "values-files", "array": files}])
}

#[test]
fn a_symbolic_link_in_the_chart() {
    for (at, to) in [
        ("checkout/chart/values.yaml", "secret/token.yaml"),
        ("checkout/chart/templates/all.yaml", "secret/templates/token.yaml"),
        ("checkout/chart/charts", "."),
        ("checkout/chart/templates/deeper", "secret/templates"),
    ] {
        let server = Server::new();
        if at.ends_with("charts") {
            fs::create_dir(server.path(at)).unwrap();
            server.link("secret", "checkout/chart/charts/secret");
        } else {
            server.link(to, at);
        }
        assert!(server.helm(&template(&[])).contains(SECRET), "{at}: helm follows it");
        server.is_refused(json!([]), "is a symbolic link that leads out of the repository");
    }
}

#[test]
fn a_symbolic_link_inside_the_checkout_is_followed() {
    let server = Server::new();
    server.write("checkout/shared/values.yaml", "shared: yes\n");
    symlink(
        "../../shared/values.yaml",
        server.path("checkout/chart/templates/shared.yml"),
    )
    .unwrap();
    symlink("../shared/values.yaml", server.path("checkout/chart/values.yaml")).unwrap();
    fs::remove_file(server.path("checkout/chart/templates/shared.yml")).unwrap();
    symlink("../shared", server.path("checkout/chart/more")).unwrap();
    for files in [
        &["values.yaml"][..],
        &["more/values.yaml"],
        &["more/*.yaml"],
        &["/chart/more/../../shared/values.yaml"],
    ] {
        let (is_rendered, message) = server.plugin(&values_files(files));
        assert!(is_rendered && message.contains("shared"), "{files:?}: {message}");
    }
}

#[test]
fn a_chain_of_symbolic_links_ends_after_ten() {
    let server = Server::new();
    server.write("checkout/chart/v0.yaml", "a: b\n");
    for number in 1..=11 {
        let at = server.path(&format!("checkout/chart/v{number}.yaml"));
        symlink(format!("v{}.yaml", number - 1), at).unwrap();
    }
    assert!(server.plugin(&values_files(&["v10.yaml"])).0);
    server.is_refused(values_files(&["v11.yaml"]), "more than 10 symbolic links lead to it");
}

#[test]
fn a_circle_of_symbolic_links() {
    let server = Server::new();
    symlink("..", server.path("checkout/chart/templates/up")).unwrap();
    symlink("..", server.path("checkout/chart/templates/up2")).unwrap();
    server.is_refused(json!([]), "symbolic links lead in a circle");
    let server = Server::new();
    fs::create_dir(server.path("checkout/env")).unwrap();
    symlink(".", server.path("checkout/env/a")).unwrap();
    symlink(".", server.path("checkout/env/b")).unwrap();
    server.is_refused(values_files(&["/env/**/x.yaml"]), "symbolic links lead in a circle");
}

#[test]
fn a_value_file() {
    let server = Server::new();
    let absolute = server.path("secret/token.yaml");
    let absolute = absolute.to_str().unwrap();
    server.link("secret/token.yaml", "checkout/link.yaml");
    server.link("secret", "checkout/folder");
    for file in ["../link.yaml", "../folder/token.yaml", absolute] {
        let stolen = server.helm(&template(&["--values", file]));
        assert!(stolen.contains(SECRET), "helm reads it: {stolen}");
    }
    for (file, why) in [
        ("../../secret/token.yaml", "is outside the repository"),
        ("/../secret/token.yaml", "is outside the repository"),
        (absolute, "does not exist"),
        ("/link.yaml", "leads out of the repository"),
        ("../folder/token.yaml", "leads out of the repository"),
        ("/folder/*.yaml", "leads out of the repository"),
        ("/*/token.yaml", "leads out of the repository"),
        ("/**/token.yaml", "leads out of the repository"),
        ("/l*.yaml", "leads out of the repository"),
        ("../../secret/*.yaml", "is outside the repository"),
        (&format!("file://{absolute}"), "the scheme `file` is not allowed"),
        (&format!("FILE:{absolute}"), "the scheme `FILE` is not allowed"),
        ("-", "does not exist"),
    ] {
        server.is_refused(values_files(&[file]), why);
    }
}

#[test]
fn a_comma_in_the_name_of_a_value_file() {
    let server = Server::new();
    let secret = server.path("secret/token.yaml");
    let name = format!("a.yaml,{}", secret.display());
    server.write("checkout/chart/a.yaml", "a: b\n");
    assert!(
        server.helm(&template(&["--values", &name])).contains(SECRET),
        "helm takes it for two"
    );
    // The file has to be there for the plugin: its folders can be committed.
    server.write(&format!("checkout/chart/{name}"), "innocent: true\n");
    let (is_rendered, message) = server.plugin(&values_files(&[&name]));
    assert!(
        is_rendered && message.contains("innocent") && !message.contains(SECRET),
        "{message}"
    );
    server.write("checkout/chart/b,\"c\".yaml", "quoted: true\n");
    assert!(server.plugin(&values_files(&["b,\"c\".yaml"])).1.contains("quoted"));
    let url = format!("http://127.0.0.1:9/a,{}", secret.display());
    let (is_rendered, message) = server.plugin(&values_files(&[&url]));
    assert!(!is_rendered && !message.contains(SECRET), "{message}");
}

#[test]
fn the_file_of_a_parameter() {
    let server = Server::new();
    let secret = server.path("secret/token.yaml");
    let secret = secret.display();
    server.write("checkout/chart/a.txt", "innocent");
    server.write("checkout/chart/a\\", "innocent");
    let file = |name: &str, path: &str| json!([{"name": "helm-file-parameters", "map": {name: path}}]);
    let twice = format!("a=a\\\\,b={secret}");
    for argument in [&format!("a=a.txt,b={secret}"), &twice] {
        let stolen = server.helm(&template(&["--set-file", argument]));
        assert!(stolen.contains(SECRET), "helm reads the second one, too: {stolen}");
    }
    server.is_refused(file(&format!("a=a.txt,b={secret},c"), "a.txt"), "has a `=` in it");
    server.is_refused(file("a\\", "a.txt"), "or a `\\` at its end");
    server.is_refused(file("a", "../../secret/token.yaml"), "is outside the repository");
    server.is_refused(file("a", &secret.to_string()), "does not exist");
    server.is_refused(
        file("a", &format!("file://{secret}")),
        "the scheme `file` is not allowed",
    );
    server.link("secret/token.yaml", "checkout/link.txt");
    server.is_refused(file("a", "/link.txt"), "leads out of the repository");
    // The same names as files that are there are files like others.
    server.write(&format!("checkout/chart/a\\\\,b={secret}"), "strange");
    let (is_rendered, message) = server.plugin(&file("a", &format!("a\\\\,b={secret}")));
    assert!(
        is_rendered && message.contains("strange") && !message.contains(SECRET),
        "{message}"
    );
}

#[test]
fn a_dependency() {
    let chart = "apiVersion: v2\nname: chart\nversion: 1.0.0\n";
    for (key, repository) in [
        ("dependencies", "file://../../secret".to_owned()),
        ("dependencies", "file://SECRET".to_owned()),
        ("Dependencies", "file://../../secret".to_owned()),
    ] {
        let server = Server::new();
        let repository = repository.replace("SECRET", server.path("secret").to_str().unwrap());
        let dependency = format!("{key}:\n- name: secret\n  version: 1.0.0\n  repository: {repository}\n");
        server.write("checkout/chart/Chart.yaml", &format!("{chart}{dependency}"));
        server.is_refused(json!([]), "is outside the repository");
        server.helm(&["dependency", "update"].map(OsString::from));
        assert!(
            server.helm(&template(&[])).contains(SECRET),
            "helm takes it along: {repository}"
        );
    }
}

#[test]
fn a_dependency_inside_with_a_link_to_the_outside() {
    let server = Server::new();
    server.write(
        "checkout/chart/Chart.yaml",
        "apiVersion: v2\nname: chart\nversion: 1.0.0\ndependencies:\n- {name: library, version: 1.0.0, repository: 'file://../library'}\n",
    );
    server.write(
        "checkout/library/Chart.yaml",
        "apiVersion: v2\nname: library\nversion: 1.0.0\n",
    );
    server.link("secret/templates", "checkout/library/templates");
    server.is_refused(json!([]), "leads out of the repository");
    fs::remove_file(server.path("checkout/library/templates")).unwrap();
    server.link("secret", "checkout/outside");
    server.write(
        "checkout/chart/Chart.yaml",
        "apiVersion: v2\nname: chart\nversion: 1.0.0\ndependencies:\n- {name: secret, version: 1.0.0, repository: 'file://../outside'}\n",
    );
    server.is_refused(json!([]), "leads out of the repository");
}

#[test]
fn a_schema() {
    let server = Server::new();
    server.write(
        "secret/schema.json",
        "{\"properties\": {\"a\": {\"const\": \"hunter2\"}}}",
    );
    let reference = format!("file://{}", server.path("secret/schema.json").display());
    server.write(
        "checkout/chart/values.schema.json",
        &json!({"$ref": reference}).to_string(),
    );
    server.write("checkout/chart/values.yaml", "a: b\n");
    assert!(
        server.helm(&template(&[])).contains(SECRET),
        "helm reports what the file contains"
    );
    server.is_refused(json!([]), "refers to the file");
    let skip = json!([{"name": "skip-schema-validation", "string": "true"}]);
    assert!(server.plugin(&skip).0, "helm does not read it");
}

#[test]
fn a_release_name_with_the_servers_environment() {
    let server = Server::new();
    let name = json!([{"name": "release-name", "string": "{{ env \"TOKEN\" }}"}]);
    server.is_refused(name, "is a template that reads the environment");
}

#[test]
fn a_manifest() {
    let server = Server::new();
    fs::remove_file(server.path("checkout/chart/Chart.yaml")).unwrap();
    fs::remove_dir_all(server.path("checkout/chart/templates")).unwrap();
    server.link("secret/token.yaml", "checkout/chart/token.yaml");
    server.is_refused(json!([]), "leads out of the repository");
    fs::remove_file(server.path("checkout/chart/token.yaml")).unwrap();
    server.write(
        "checkout/chart/a.yaml",
        &TEMPLATE.replace("{{ toJson .Values | quote }}", "x"),
    );
    server.link("secret", "checkout/chart/folder");
    let (is_rendered, message) = server.plugin(&json!([{"name": "recurse", "string": "true"}]));
    assert!(
        is_rendered && !message.contains(SECRET),
        "folders behind links are none: {message}"
    );
}
