//! A chart that is pulled for a folder with its values: pulled once, with the mounted logins, in exactly the version and with the
//! digest that are written; every failure is one line. The repositories and registries are on loopback; helm is the real one.

use std::fs;
use std::process::{Command, Output};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::chart_repository::{ChartRepository, helm_with};
use crate::registry::Registry;
use crate::sent::{SECRET, Sent, text};

/// Returns a folder with value files, and no chart.
fn values() -> Sent {
    let sent = Sent::new().real_helm();
    fs::remove_file(sent.source().join("Chart.yaml")).unwrap();
    sent.write("values.yaml", "a: folder\n");
    sent.write("../shared.yaml", "a: shared\nb: shared\n");
    sent
}

fn parameters(repository: &str, version: &str, more: &[Value]) -> String {
    let text = |name: &str, text: &str| json!({"name": name, "string": text});
    let mut list = vec![
        text("chart", "lib"),
        text("chart-repo", repository),
        text("chart-version", version),
    ];
    list.extend_from_slice(more);
    json!(list).to_string()
}

fn digest(digest: &str) -> Value {
    json!({"name": "chart-digest", "string": digest})
}

fn generate(sent: &Sent, parameters: &str, variables: &[(&str, &str)]) -> Output {
    let mut command = sent.command("generate");
    command
        .env("HOMELAB_CACHE_DIR", sent.place("cache"))
        .env("ARGOCD_APP_PARAMETERS", parameters)
        .envs(variables.iter().copied());
    command.output().unwrap()
}

/// Returns what was rendered, without anything left behind.
fn rendered(sent: &Sent, output: &Output) -> String {
    let stdout = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(sent.left().is_empty(), "{:?}", sent.left());
    stdout.to_owned()
}

fn one(name: &str) -> String {
    format!(
        "---\n# Source: lib/templates/config.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: lib\ndata:\n  text: {name}\n"
    )
}

#[test]
fn a_chart_is_pulled_once_and_then_needs_no_network() {
    let repository = ChartRepository::new();
    repository.add("1.1.0", "newer");
    let sent = values();
    let parameters = parameters(&repository.url(), "1.0.0", &[]);
    repository.asked();
    assert_eq!(rendered(&sent, &generate(&sent, &parameters, &[])), one("one"));
    assert_eq!(repository.asked(), ["/index.yaml", "/lib-1.0.0.tgz"]);
    assert_eq!(rendered(&sent, &generate(&sent, &parameters, &[])), one("one"));
    assert_eq!(repository.asked(), Vec::<String>::new());
    drop(repository);
    assert_eq!(rendered(&sent, &generate(&sent, &parameters, &[])), one("one"));
    // Without a cache it is pulled each time.
    let output = sent.generate(&[("ARGOCD_APP_PARAMETERS", &parameters)]);
    let message = sent.failure(&output);
    assert!(message.starts_with("cannot pull the chart `lib` 1.0.0 of"), "{message}");
}

#[test]
fn value_files_are_those_of_the_folder_the_repository_and_the_chart() {
    let repository = ChartRepository::new();
    repository.with_files(
        "2.0.0",
        &[
            ("lib/values.yaml", "a: default\nb: default\nc: default\nfile: ''\n"),
            ("lib/values-home.yaml", "a: home\nb: home\nc: home\n"),
            ("lib/env/x.yaml", "c: x\n"),
            ("lib/extra.txt", "of the chart"),
            ("lib/templates/config.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}'}\ndata: {a: '{{ .Values.a }}', b: '{{ .Values.b }}', c: '{{ .Values.c }}', file: '{{ .Values.file }}'}\n"),
        ],
    );
    let sent = values();
    let data = |files: &[&str], file: Option<&str>| {
        let mut more = vec![json!({"name": "values-files", "array": files})];
        more.extend(file.map(|file| json!({"name": "helm-file-parameters", "map": {"file": file}})));
        let output = generate(&sent, &parameters(&repository.url(), "2.0.0", &more), &[]);
        let stdout = rendered(&sent, &output);
        let object = homelab::yaml::value(stdout.trim_start_matches("---\n"))
            .unwrap()
            .unwrap();
        let data = |key: &str| object["data"][key].as_str().unwrap().to_owned();
        [data("a"), data("b"), data("c"), data("file")]
            .join(" ")
            .trim_end()
            .to_owned()
    };
    assert_eq!(data(&[], None), "default default default");
    assert_eq!(data(&["values.yaml"], None), "folder default default");
    assert_eq!(
        data(&["values.yaml", "/helm/shared.yaml"], None),
        "shared shared default"
    );
    assert_eq!(
        data(&["chart:values-home.yaml", "values.yaml"], None),
        "folder home home"
    );
    assert_eq!(
        data(&["chart:/values-home.yaml", "chart:env/*.yaml", "../shared.yaml"], None),
        "shared shared x"
    );
    assert_eq!(data(&["chart:values.yaml"], None), "default default default");
    assert_eq!(
        data(&[], Some("chart:extra.txt")),
        "default default default of the chart"
    );
    let add = " (add the file, correct its name, or let it pass with the parameter `ignore-missing-values-files` \
        (`ignoreMissingValueFiles` of Argo CD's own Helm))";
    for (file, message) in [
        (
            "chart:../../x.yaml",
            "value file `chart:../../x.yaml`: it is outside the chart",
        ),
        (
            "chart:missing.yaml",
            &format!("value file `chart:missing.yaml` does not exist{add}"),
        ),
        (
            "missing.yaml",
            &format!("value file `missing.yaml` does not exist{add}"),
        ),
        (
            "../../../x.yaml",
            "value file `../../../x.yaml`: it is outside the repository",
        ),
    ] {
        let more = [json!({"name": "values-files", "array": [file]})];
        let output = generate(&sent, &parameters(&repository.url(), "2.0.0", &more), &[]);
        assert_eq!(sent.failure(&output), message);
    }
}

#[test]
fn a_range_is_refused_with_the_newest_version_that_fits() {
    let repository = ChartRepository::new();
    repository.add("1.1.0", "newer");
    let registry = Registry::new(false, false);
    let plain = [("HOMELAB_PLAIN_HTTP_REGISTRIES", registry.address())];
    for (url, newest) in [(repository.url(), "1.1.0"), (registry.url(), "1.0.0")] {
        let sent = values();
        // A registry has tags, and looks for one of this name.
        let loose = ["1"].into_iter().filter(|_| url.starts_with("http"));
        for range in ["1.x", ">=1.0.0 <2.0.0", "*"].into_iter().chain(loose) {
            // The second time, too.
            for _ in 0..2 {
                assert_eq!(
                    sent.failure(&generate(&sent, &parameters(&url, range, &[]), &plain)),
                    format!(
                        "`chart-version` is `{range}`, which is not one version of the chart `lib`: the newest that fits is `{newest}` (write `{newest}` as `chart-version`)"
                    )
                );
            }
        }
        let missing = sent.failure(&generate(&sent, &parameters(&url, "9.9.9", &[]), &plain));
        assert!(
            missing.starts_with(&format!("cannot pull the chart `lib` 9.9.9 of `{url}`: ")),
            "{missing}"
        );
    }
}

#[test]
fn a_digest_pins_what_is_pulled() {
    let repository = ChartRepository::new();
    let packed = repository.file("lib-1.0.0.tgz");
    let right = format!("sha256:{}", hex(&Sha256::digest(packed)));
    let wrong = format!("sha256:{}", "0".repeat(64));
    let sent = values();
    let with = |url: &str, of: &str| parameters(url, "1.0.0", &[digest(of)]);
    let refused = |found: &str, url: &str| {
        format!(
            "the chart `lib` 1.0.0 of `{url}` has the digest `{found}`, and `chart-digest` is another (find out who changed the chart; if its new content is wanted, write its digest as `chart-digest`)"
        )
    };
    let url = repository.url();
    assert_eq!(rendered(&sent, &generate(&sent, &with(&url, &right), &[])), one("one"));
    assert_eq!(
        sent.failure(&generate(&sent, &with(&url, &wrong), &[])),
        refused(&right, &url)
    );
    // What was pulled without a digest has none that is known.
    assert_eq!(
        rendered(&sent, &generate(&sent, &parameters(&url, "1.0.0", &[]), &[])),
        one("one")
    );
    assert_eq!(
        sent.failure(&generate(&sent, &with(&url, &wrong), &[])),
        refused(&right, &url)
    );

    let registry = Registry::new(false, false);
    let plain = [("HOMELAB_PLAIN_HTTP_REGISTRIES", registry.address())];
    let url = registry.url();
    let message = sent.failure(&generate(&sent, &with(&url, &wrong), &plain));
    let found = message.split('`').nth(5).unwrap().to_owned();
    assert_eq!(message, refused(&found, &url));
    assert_eq!(
        rendered(&sent, &generate(&sent, &with(&url, &found), &plain)),
        one("one")
    );
    assert_eq!(found, registry.digest("lib", "1.0.0"), "it is the manifest's");
}

#[test]
fn a_login_is_that_of_the_mounted_files() {
    let repository = ChartRepository::new().with_login();
    let sent = values();
    let message = sent.failure(&generate(&sent, &parameters(&repository.url(), "1.0.0", &[]), &[]));
    assert!(
        message.contains("401 Unauthorized") && message.contains("see \"Private charts\""),
        "{message}"
    );
    let configuration = sent.place("repositories.yaml");
    let text = format!(
        "repositories:\n- name: own\n  url: {}\n  username: player\n  password: {SECRET}\n",
        repository.url()
    );
    fs::write(&configuration, text).unwrap();
    let variables = [("HELM_REPOSITORY_CONFIG", configuration.to_str().unwrap())];
    let output = generate(&sent, &parameters(&repository.url(), "1.0.0", &[]), &variables);
    assert_eq!(rendered(&sent, &output), one("one"));

    let registry = Registry::new(true, false);
    let logins = registry.logins();
    let variables = [
        ("HELM_REGISTRY_CONFIG", logins.to_str().unwrap()),
        ("HOMELAB_PLAIN_HTTP_REGISTRIES", registry.address()),
    ];
    let sent = values();
    let message = sent.failure(&generate(
        &sent,
        &parameters(&registry.url(), "1.0.0", &[]),
        &variables[1..],
    ));
    assert!(message.starts_with("cannot pull the chart"), "{message}");
    let output = generate(&sent, &parameters(&registry.url(), "1.0.0", &[]), &variables);
    assert_eq!(rendered(&sent, &output), one("one"));
}

#[test]
fn dependencies_of_the_chart_are_built_in_a_copy() {
    let repository = ChartRepository::new();
    let url = repository.url();
    let parent = tempfile::tempdir().unwrap();
    let at = |name: &str| parent.path().join(name);
    fs::create_dir_all(at("parent")).unwrap();
    let metadata = format!(
        "apiVersion: v2\nname: parent\nversion: 1.0.0\ndependencies: [{{name: lib, version: 1.x, repository: '{url}'}}]\n"
    );
    fs::write(at("parent/Chart.yaml"), metadata).unwrap();
    helm_with(&["dependency", "update", "parent"], parent.path(), &[]);
    fs::remove_dir_all(at("parent/charts")).unwrap();
    // helm packs no chart without its dependencies.
    let packed = Command::new("tar")
        .args(["czf", "parent-1.0.0.tgz", "parent"])
        .current_dir(parent.path())
        .status();
    assert!(packed.unwrap().success());
    repository.put_bytes("parent-1.0.0.tgz", fs::read(at("parent-1.0.0.tgz")).unwrap());
    let sent = values();
    let whole = parameters(&url, "1.0.0", &[]).replace("\"lib\"", "\"parent\"");
    let expected = one("one").replace("lib/templates", "parent/charts/lib/templates");
    assert_eq!(rendered(&sent, &generate(&sent, &whole, &[])), expected);
    drop(repository);
    assert_eq!(rendered(&sent, &generate(&sent, &whole, &[])), expected);
}

#[test]
fn whatever_else_is_in_the_folder_the_chart_is_rendered() {
    let repository = ChartRepository::new();
    let sent = values();
    let whole = parameters(&repository.url(), "1.0.0", &[]);
    sent.write("kustomization.yaml", "resources: [missing.yaml]\n");
    sent.write("claim.yaml", "not: an object\n");
    assert_eq!(rendered(&sent, &generate(&sent, &whole, &[])), one("one"));
    sent.write("Chart.yaml", "apiVersion: v2\nname: player\nversion: 0.1.0\n");
    assert_eq!(rendered(&sent, &generate(&sent, &whole, &[])), one("one"));
    let folder = parameters(
        &repository.url(),
        "1.0.0",
        &[json!({"name": "recurse", "string": "true"})],
    );
    assert_eq!(
        sent.failure(&generate(&sent, &folder, &[])),
        "parameter `recurse` is for a folder of manifests, and `chart` beside it renders a chart: take one of them out"
    );
    let alone = json!([{"name": "chart", "string": "lib"}]).to_string();
    assert_eq!(
        sent.failure(&generate(&sent, &alone, &[])),
        "parameter `chart` needs `chart-repo` beside it: add it, as `https://charts.example.org` or `oci://HOST/FOLDER`; parameter `chart` needs `chart-version` beside it: add it, as `1.2.3`"
    );
    let sent = Sent::new().real_helm();
    let of_chart = json!([{"name": "values-files", "array": ["chart:values.yaml"]}]).to_string();
    assert_eq!(
        sent.failure(&generate(&sent, &of_chart, &[])),
        "value file `chart:values.yaml`: `chart:` is for a file of the chart that the parameter `chart` names, and there is none (write the path from the folder of the source, or add the parameter `chart`)"
    );
}

#[test]
fn what_comes_has_to_be_the_chart() {
    let repository = ChartRepository::new();
    let sent = values();
    repository.change("lib-1.0.0.tgz", |bytes| bytes[..bytes.len() / 2].to_vec());
    let message = sent.failure(&generate(&sent, &parameters(&repository.url(), "1.0.0", &[]), &[]));
    assert!(message.contains("`lib-1.0.0.tgz`"), "{message}");
    let other = crate::chart_repository::pack_lib(tempfile::tempdir().unwrap().path(), "1.0.0", "other");
    repository.change("lib-1.0.0.tgz", |_| other);
    let message = sent.failure(&generate(&sent, &parameters(&repository.url(), "1.0.0", &[]), &[]));
    assert!(
        message.contains("differs from the index of its chart repository"),
        "{message}"
    );
    assert_eq!(
        fs::read_dir(sent.place("cache/dependencies")).map_or(0, Iterator::count),
        0,
        "nothing is kept"
    );
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A repository with an Application whose chart takes its values from it, as Argo CD's own Helm has it.
struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    fn new(source: &str) -> Self {
        let home = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        home.write(
            "repo/applications/root.yaml",
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: root, namespace: argocd}\nspec:\n  project: default\n  source: {repoURL: https://git.example.org/home, path: applications, targetRevision: main}\n  destination: {server: https://kubernetes.default.svc, namespace: argocd}\n",
        );
        let app = format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: web\n  namespace: argocd\n  annotations:\n    argocd.argoproj.io/manifest-generate-paths: .\nspec:\n  project: default\n  sources:\n{source}  - repoURL: https://git.example.org/home\n    targetRevision: main\n    ref: values\n  destination:\n    server: https://kubernetes.default.svc\n    namespace: media\n"
        );
        home.write("repo/applications/web.yaml", &app);
        home.write(
            "repo/applications/namespaces.yaml",
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: namespaces, namespace: argocd}\nspec:\n  project: default\n  source: {repoURL: https://git.example.org/home, path: namespaces, targetRevision: main}\n  destination: {server: https://kubernetes.default.svc, namespace: argocd}\n",
        );
        home.write(
            "repo/namespaces/media.yaml",
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: media}\n",
        );
        home.write("repo/apps/web/values.yaml", "a: folder\n");
        home.write("repo/shared/values.yaml", "a: shared\nb: shared\n");
        home
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn app(&self) -> String {
        fs::read_to_string(self.folder.path().join("repo/applications/web.yaml")).unwrap()
    }

    fn homelab(&self, arguments: &[&str]) -> Output {
        let helm = std::env::var_os("HOMELAB_TEST_HELM").expect("HOMELAB_TEST_HELM is not set: run `cargo xtask test`");
        let helm = std::path::PathBuf::from(helm);
        Command::new(env!("CARGO_BIN_EXE_kubectl-homelab"))
            .args(arguments)
            .current_dir(self.folder.path().join("repo"))
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", helm.parent().unwrap().display()))
            .env("HOME", self.folder.path().join("home"))
            .env("XDG_CACHE_HOME", self.folder.path().join("cache"))
            .output()
            .unwrap()
    }

    fn done(&self, arguments: &[&str]) -> String {
        let output = self.homelab(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout).to_owned()
    }

    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.homelab(arguments);
        assert!(!output.status.success(), "{arguments:?}: {}", text(&output.stdout));
        text(&output.stderr).to_owned()
    }
}

fn with_values(repository: &ChartRepository, version: &str) {
    repository.with_files(
        version,
        &[
            ("lib/values.yaml", "a: default\nb: default\n"),
            ("lib/prod.yaml", "b: prod\n"),
            ("lib/templates/config.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}'}\ndata: {a: '{{ .Values.a }}', b: '{{ .Values.b }}'}\n"),
        ],
    );
}

#[test]
fn two_sources_of_argo_cd_become_one_of_the_plugin_and_back() {
    let repository = ChartRepository::new();
    with_values(&repository, "2.0.0");
    let url = repository.url();
    let home = Home::new(&format!(
        "  - repoURL: {url}\n    chart: lib\n    targetRevision: 2.0.0\n    helm:\n      valueFiles: [$values/shared/values.yaml, prod.yaml, $values/apps/web/values.yaml]\n"
    ));
    let missing = format!("the chart `lib` 2.0.0 of `{url}` is not in the cache");
    let skipped = home.homelab(&["validate"]);
    assert!(
        text(&skipped.stderr).contains(&missing) || text(&skipped.stdout).contains(&missing),
        "{}{}",
        text(&skipped.stdout),
        text(&skipped.stderr)
    );
    assert!(home.refused(&["convert", "web"]).contains(&missing));
    let before = home.done(&["render", "web"]);
    assert!(before.contains("a: 'folder', b: 'prod'"), "{before}");
    drop(repository);
    home.done(&["convert", "web"]);
    let moved = home.app();
    for part in [
        "repoURL: https://git.example.org/home\n    path: apps/web\n    targetRevision: main\n",
        "manifest-generate-paths: \".;/shared/values.yaml\"\n",
        "- name: chart-version\n",
        "- chart:prod.yaml\n",
    ] {
        assert!(moved.contains(part), "{part} in\n{moved}");
    }
    assert!(!moved.contains("ref:"), "{moved}");
    assert_eq!(home.done(&["render", "web"]), before);
    home.done(&["convert", "web", "--to", "native"]);
    let back = home.app();
    assert!(
        back.contains("chart: lib") && back.contains("$values/shared/values.yaml"),
        "{back}"
    );
    assert_eq!(home.done(&["render", "web"]), before);
    home.done(&["convert", "web"]);
    assert_eq!(home.app(), moved);
}

#[test]
fn a_range_does_not_move_and_the_newest_that_fits_is_named() {
    let repository = ChartRepository::new();
    with_values(&repository, "2.0.0");
    with_values(&repository, "2.1.0");
    let url = repository.url();
    let home = Home::new(&format!(
        "  - repoURL: {url}\n    chart: lib\n    targetRevision: 2.x\n    helm: {{valueFiles: [$values/apps/web/values.yaml]}}\n"
    ));
    let message = home.refused(&["convert", "web", "--fetch"]);
    assert!(
        message.contains("`2.x` is not one version of the chart `lib`, and the plugin needs one")
            && message.contains("write `2.1.0` as `targetRevision` first: it is the newest that fits"),
        "{message}"
    );
}

#[test]
fn a_new_application_has_its_values_in_the_repository() {
    let repository = ChartRepository::new();
    with_values(&repository, "2.0.0");
    let url = repository.url();
    let home = Home::new(&format!(
        "  - repoURL: {url}\n    chart: lib\n    targetRevision: 2.0.0\n"
    ));
    let name = [
        "add-app",
        "site",
        "-n",
        "media",
        "--fetch",
        "--repo",
        &url,
        "--helm-chart",
        "lib",
    ];
    home.done(
        &[
            &name[..],
            &[
                "--revision",
                "2.0.0",
                "--values-dir",
                "apps/web",
                "--values",
                "/shared/values.yaml",
                "--values",
                "values.yaml",
            ],
        ]
        .concat(),
    );
    let app = fs::read_to_string(home.folder.path().join("repo/applications/site.yaml")).unwrap();
    for part in [
        "repoURL: https://git.example.org/home\n    path: apps/web\n    targetRevision: main\n",
        "manifest-generate-paths: \".;/shared/values.yaml\"\n",
        "- /shared/values.yaml\n",
        "- values.yaml\n",
    ] {
        assert!(app.contains(part), "{part} in\n{app}");
    }
    let rendered = home.done(&["render", "site"]);
    assert!(rendered.contains("a: 'folder', b: 'shared'"), "{rendered}");
    let message = home.refused(
        &[&name[..], &["--revision", "2.x", "--values-dir", "apps/web"]]
            .concat()
            .iter()
            .map(|word| if *word == "site" { "other" } else { *word })
            .collect::<Vec<_>>(),
    );
    assert!(
        message.contains("a chart whose values are in this repository needs one version"),
        "{message}"
    );
}
