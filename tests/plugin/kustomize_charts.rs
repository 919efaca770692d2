//! `helmCharts` of Kustomize folders: pulled with the mounted logins, kept for the next render, and rendered as plain kustomize
//! with plain helm renders them. Chart repositories and registries are on loopback; kustomize and helm are the real ones.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::chart_repository::ChartRepository;
use crate::registry::Registry;
use crate::sent::{SECRET, Sent, text};

/// Returns a Kustomize folder.
pub(crate) fn folder(kustomization: &str) -> Sent {
    let sent = Sent::new().real_helm();
    fs::remove_file(sent.source().join("Chart.yaml")).unwrap();
    std::os::unix::fs::symlink(kustomize(), sent.place("bin/kustomize")).unwrap();
    sent.write("kustomization.yaml", kustomization);
    sent
}

fn kustomize() -> std::ffi::OsString {
    std::env::var_os("HOMELAB_TEST_KUSTOMIZE").expect("HOMELAB_TEST_KUSTOMIZE is not set: run `cargo xtask test`")
}

/// Renders with a cache.
pub(crate) fn generate(sent: &Sent, variables: &[(&str, &str)]) -> Output {
    let cache = sent.place("cache");
    sent.command("generate")
        .env("HOMELAB_CACHE_DIR", cache)
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

pub(crate) fn rendered(sent: &Sent, variables: &[(&str, &str)]) -> String {
    let output = generate(sent, variables);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(sent.left().is_empty(), "{:?}", sent.left());
    text(&output.stdout).to_owned()
}

/// Builds with kustomize and helm alone.
fn plain(sent: &Sent) -> String {
    let copy = tempfile::tempdir().unwrap();
    let copied = Command::new("cp")
        .arg("-r")
        .arg(sent.source())
        .arg(copy.path().join("player"))
        .status();
    assert!(copied.unwrap().success());
    let output = Command::new(kustomize())
        .args(["build", "--enable-helm", "--helm-command"])
        .arg(sent.place("bin/helm"))
        .arg(copy.path().join("player"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).to_owned()
}

fn chart(repository: &str, more: &str) -> String {
    format!("helmCharts:\n- name: lib\n  repo: {repository}\n  version: 1.0.0\n  releaseName: player\n{more}")
}

/// Writes a chart that shows its values into the folder of the charts.
fn write_chart(sent: &Sent) {
    sent.write("charts/lib/Chart.yaml", "apiVersion: v2\nname: lib\nversion: 1.0.0\n");
    sent.write("charts/lib/values.yaml", "a: 1\nb: {c: 2, d: 3}\nlist: [1, 2]\n");
    sent.write(
        "charts/lib/templates/a.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n  namespace: {{ .Release.Namespace }}\ndata:\n  values: {{ toJson .Values | quote }}\n  kube: {{ .Capabilities.KubeVersion }}\n",
    );
    sent.write(
        "charts/lib/crds/a.yaml",
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a.x.example}\n",
    );
}

#[test]
fn values_are_merged_as_kustomize_merges_them() {
    for more in [
        "  valuesInline: {b: {c: 9}, new: x}\n",
        "  valuesInline: {b: {c: 9}, new: x}\n  valuesMerge: override\n",
        "  valuesInline: {b: {c: 9}, new: x}\n  valuesMerge: merge\n",
        "  valuesInline: {b: {c: 9}, new: x}\n  valuesMerge: replace\n",
        "  valuesFile: own.yaml\n  valuesInline: {list: [3]}\n",
        "  valuesFile: own.yaml\n  additionalValuesFiles: [more.yaml]\n",
        "  namespace: media\n  includeCRDs: true\n  kubeVersion: 1.33.1\n",
        "",
    ] {
        let sent = folder(&format!("helmCharts:\n- name: lib\n  releaseName: player\n{more}"));
        write_chart(&sent);
        sent.write("own.yaml", "a: own\n");
        sent.write("more.yaml", "a: more\nextra: 1\n");
        // What the cluster says reaches helm from the plugin alone.
        let own = rendered(&sent, &[("KUBE_VERSION", ""), ("KUBE_API_VERSIONS", "")]);
        assert_eq!(own, plain(&sent), "{more}");
    }
}

#[test]
fn a_chart_is_pulled_once_and_the_next_render_needs_no_network() {
    let repository = ChartRepository::new();
    let sent = folder(&chart(&repository.url(), ""));
    let first = rendered(&sent, &[]);
    assert!(first.contains("text: one"), "{first}");
    assert_eq!(first, plain(&sent));
    repository.asked();
    drop(repository);
    assert_eq!(rendered(&sent, &[]), first);
    assert!(!sent.source().join("charts").exists(), "the checkout stays as it is");
}

#[test]
fn a_registry_is_asked_with_the_mounted_login_and_only_once() {
    let mut registry = Registry::new(true, false);
    let sent = folder(&chart(&registry.url(), ""));
    let logins = registry.logins();
    let variables = [
        ("HELM_REGISTRY_CONFIG", logins.to_str().unwrap()),
        ("HOMELAB_PLAIN_HTTP_REGISTRIES", registry.address()),
    ];
    let refused = sent.failure(&generate(&sent, &variables[1..]));
    assert!(
        refused.starts_with("cannot pull the chart `lib` 1.0.0 of `oci://127.0.0.1:"),
        "{refused}"
    );
    let first = rendered(&sent, &variables);
    assert!(first.contains("text: one"), "{first}");
    let variables = variables.map(|(name, value)| (name, value.to_owned()));
    registry.stop();
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(rendered(&sent, &variables), first);
}

#[test]
fn a_repository_is_asked_with_the_mounted_login() {
    let repository = ChartRepository::new().with_login();
    let sent = folder(&chart(&repository.url(), ""));
    let logins = sent.place("repositories.yaml");
    let login = |password: &str| {
        let entry = format!(
            "repositories:\n- {{name: own, url: '{}', username: player, password: {password}}}\n",
            repository.url()
        );
        fs::write(&logins, entry).unwrap();
    };
    let variables = [("HELM_REPOSITORY_CONFIG", logins.to_str().unwrap())];
    login("wrong");
    let refused = sent.failure(&generate(&sent, &variables));
    assert!(refused.contains("401"), "{refused}");
    assert!(!refused.contains("wrong"), "{refused}");
    login(SECRET);
    assert!(rendered(&sent, &variables).contains("text: one"));
}

#[test]
fn a_chart_without_an_exact_version_is_fetched_each_time() {
    let repository = ChartRepository::new();
    let sent = folder(&chart(&repository.url(), "").replace("1.0.0", "1.x"));
    let output = generate(&sent, &[]);
    let remark = format!(
        "the chart `lib` 1.x of `{}` has no exact version: it is fetched for every render",
        repository.url()
    );
    assert!(text(&output.stderr).contains(&remark), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("text: one"));
    repository.add("1.1.0", "two");
    assert!(rendered(&sent, &[]).contains("text: two"));
}

#[test]
fn many_renders_at_once_give_the_same() {
    let repository = ChartRepository::new();
    let sent = folder(&chart(&repository.url(), ""));
    let all: Vec<String> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let output = generate(&sent, &[("HOMELAB_MAX_HELM", "1"), ("HOMELAB_MAX_KUSTOMIZE", "3")]);
                    format!("{}{}", text(&output.stderr), text(&output.stdout))
                })
            })
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert!(all[0].contains("text: one"), "{}", all[0]);
    assert!(all.iter().all(|one| *one == all[0]), "{all:?}");
}

#[test]
fn a_chart_that_fails_is_one_line_without_values() {
    let sent = folder(&format!(
        "helmCharts:\n- name: lib\n  releaseName: player\n  valuesInline: {{password: {SECRET}}}\n"
    ));
    write_chart(&sent);
    sent.write(
        "charts/lib/templates/b.yaml",
        "{{ fail (printf \"no %s here\" .Values.password) }}\n",
    );
    let failure = sent.failure(&generate(&sent, &[]));
    assert!(failure.starts_with("the chart `lib` of `helmCharts` does not render: helm template failed: execution error at (lib/templates/b.yaml"), "{failure}");
    let schema = "{\"$ref\": \"file:///etc/passwd\"}";
    sent.write("charts/lib/values.schema.json", schema);
    let failure = sent.failure(&generate(&sent, &[]));
    assert!(failure.contains("refers to the file"), "{failure}");
}

#[test]
fn without_helm_a_hint_names_the_next_step() {
    let sent = folder("helmCharts: [{name: lib, releaseName: player}]\n");
    write_chart(&sent);
    fs::remove_file(sent.place("bin/helm")).unwrap();
    let bin = sent.place("bin");
    let failure = sent.failure(&generate(&sent, &[("PATH", bin.to_str().unwrap())]));
    assert_eq!(
        failure,
        "`helm` is not on PATH (install helm 3 or 4: https://helm.sh/docs/intro/install/)"
    );
}

#[test]
fn without_the_network_an_application_is_skipped_with_its_reason() {
    let repository = ChartRepository::new();
    let sent = folder(&chart(&repository.url(), ""));
    let root = sent.source().join("../..");
    write_application(&root);
    let validate = |more: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_kubectl-homelab"))
            .args(["validate", "--repo-dir"])
            .arg(&root)
            .args(more)
            .env("PATH", format!("{}:/usr/bin:/bin", sent.place("bin").display()))
            .env("HOMELAB_CACHE_DIR", sent.place("cache"))
            .output()
            .unwrap();
        format!("{}{}", text(&output.stdout), text(&output.stderr))
    };
    let without = validate(&[]);
    let reason = format!("the chart `lib` 1.0.0 of `{}` is not in the cache", repository.url());
    assert!(without.contains(&reason), "{without}");
    assert!(!validate(&["--fetch"]).contains(&reason));
    repository.asked();
    assert!(!validate(&[]).contains(&reason));
    assert_eq!(repository.asked(), Vec::<String>::new());
}

fn write_application(root: &Path) {
    fs::create_dir_all(root.join("applications")).unwrap();
    let git = |arguments: &[&str]| {
        let status = Command::new("git").args(arguments).current_dir(root).status();
        assert!(status.unwrap().success());
    };
    git(&["init", "--quiet"]);
    git(&["remote", "add", "origin", "https://git.example/home.git"]);
    let application = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: player, namespace: argocd}\nspec:\n  project: default\n  destination: {server: 'https://kubernetes.default.svc', namespace: media}\n  source: {repoURL: 'https://git.example/home.git', path: helm/player, targetRevision: HEAD, plugin: {name: homelab-v1}}\n";
    fs::write(root.join("applications/player.yaml"), application).unwrap();
}
