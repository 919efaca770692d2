//! The plugin as Argo CD calls it: the program in a source's folder below `_cmp_server`, everything in the environment,
//! helm found on PATH. helm is a script that misbehaves, or the real one.
#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test writes files, runs programs and fails loudly"
)]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use homelab::model::Application;
use homelab::model::Object;
use homelab::yaml;
use similar::{ChangeTag, TextDiff};

mod chart_repository;
mod charts;
mod dependencies;
#[path = "../transcript/git.rs"]
mod git;
mod git_server;
mod kustomize_charts;
mod load;
mod registry;
mod remote_resources;
mod schemas;
mod secrets;
mod sent;

use sent::{CONFIG, SECRET, Sent, text};

#[test]
fn a_misbehaving_helm_prints_nothing_and_one_message() {
    let secret = format!("kind: Secret\nstringData:\n  password: {SECRET}\n");
    let failing = format!(
        "cat <<'END'\n{CONFIG}---\n{secret}END\n\
         echo 'Error: YAML parse error on player/templates/secret.yaml: error converting YAML to JSON: yaml: line 3: cannot unmarshal !!str `{SECRET}` into int' >&2\n\
         echo >&2; echo 'Use --debug flag to render out invalid YAML' >&2; exit 1"
    );
    for (script, variables, message) in [
        (
            failing.as_str(),
            &[][..],
            "helm template failed: YAML parse error on player/templates/secret.yaml: error converting YAML to JSON: yaml: line 3: cannot unmarshal …",
        ),
        (
            "echo 'Error: open '\"$PWD\"'/x.yaml: no such file' >&2; exit 1",
            &[],
            "helm template failed: open helm/player/x.yaml: no such file",
        ),
        ("kill -9 $$", &[], "helm template was killed before it ended"),
        (
            "sleep 1000",
            &[("HOMELAB_HELM_TIMEOUT", "0.3s")],
            "helm template did not end within 0.3 s (give it more time with `HOMELAB_HELM_TIMEOUT`, below Argo CD's own limit of 60 s)",
        ),
        (
            "true",
            &[],
            "the render is empty, and Argo CD would prune everything (if that is meant, set the parameter `allow-empty` to \"true\", or give `filter` the flag `--allow-empty`)",
        ),
        (
            "printf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata:\\n  name: a\\n---\\napiVersion: v1\\nkind: Sec'",
            &[],
            "an object of the document at line 6 of the render has no `metadata.name`: the render is incomplete",
        ),
        (
            "printf 'apiVersion: v1\\nkind: Secret\\nmetadata: {name: a}\\nstringData: {a: \"hunter2'",
            &[],
            "the render cannot be read: line 4, column 17: unclosed quote",
        ),
        (
            "printf '\\377'",
            &[],
            "helm template printed something that is not UTF-8",
        ),
        (
            "true",
            &[("HOMELAB_HELM_TIMEOUT", "soon")],
            "`HOMELAB_HELM_TIMEOUT`: invalid duration `soon` (write it as `90s`, `1m30s` or `500ms`; a bare number is seconds)",
        ),
    ] {
        let sent = Sent::new().helm(script);
        let output = sent.generate(variables);
        assert_eq!(sent.failure(&output), message);
    }
}

#[test]
fn without_helm_a_hint_names_the_next_step() {
    let sent = Sent::new();
    let nowhere = sent.place("bin");
    let output = sent.generate(&[("PATH", nowhere.to_str().unwrap())]);
    assert_eq!(
        sent.failure(&output),
        "`helm` is not on PATH (install helm 3 or 4: https://helm.sh/docs/intro/install/)"
    );
}

#[test]
fn bad_parameters_name_the_good_ones() {
    let sent = Sent::new().helm(&format!("cat <<'END'\n{CONFIG}END"));
    for (json, message) in [
        ("[", "`ARGOCD_APP_PARAMETERS` is not JSON: line 1, column 1"),
        ("{}", "parameters are not a list"),
        (
            r#"[{"name":"values","string":"x","array":["y"]}]"#,
            "parameter `values` has `array`, it takes `string`",
        ),
        (
            r#"[{"name":"owns","string":"x"},{"name":"skip-crds","string":"yes"}]"#,
            "parameter `owns` has `string`, it takes `array`; parameter `skip-crds` is neither \"true\" nor \"false\"",
        ),
        (
            r#"[{"name":"own","array":[]}]"#,
            "parameter `own` is unknown; is it `owns`?",
        ),
        (
            r#"[{"name":"colour","string":"x"}]"#,
            "parameter `colour` is unknown; `kubectl homelab explain parameters` lists those that are known",
        ),
    ] {
        assert_eq!(
            sent.failure(&sent.generate(&[("ARGOCD_APP_PARAMETERS", json)])),
            message
        );
    }
    for json in [
        "null",
        "[]",
        r#"[{"name":"owns","array":[]},{"name":"helm-parameters","map":{}}]"#,
        "",
    ] {
        let output = sent.generate(&[("ARGOCD_APP_PARAMETERS", json)]);
        assert_eq!(text(&output.stdout), CONFIG, "{}", text(&output.stderr));
    }
}

#[test]
fn what_cannot_be_written_is_a_failure() {
    let long = format!("yes '# filler filler filler filler' | head -n 5000; cat <<'END'\n{CONFIG}END");
    let sent = Sent::new().helm(&long);
    let mut child = sent
        .command("generate")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        sent.failure(&output),
        "cannot write the render: Broken pipe (os error 32)"
    );
}

#[test]
fn helm_sees_argo_cds_arguments_and_nothing_of_the_servers_environment() {
    let sent = Sent::new().helm(&format!(
        "echo \"# $@\"; env | grep -c -E '^(KUBE|HELM_DEBUG)' | sed 's/^/# leaks /'; pwd | sed 's/.*_cmp_server.[^/]*/# in /'; cat <<'END'\n{CONFIG}END"
    ));
    sent.write("home.yaml", "a: b\n");
    let parameters = r#"[{"name":"helm-parameters","map":{"b":"x,y","a":"$ARGOCD_APP_NAME"}},{"name":"values-files","array":["home.yaml"]},{"name":"skip-crds","string":"true"}]"#;
    let output = sent.generate(&[
        ("ARGOCD_APP_PARAMETERS", parameters),
        ("KUBECONFIG", "/nowhere"),
        ("HELM_DEBUG", "true"),
    ]);
    let real = fs::canonicalize(sent.source()).unwrap();
    assert_eq!(
        text(&output.stdout),
        format!(
            "# template . --name-template player --namespace media --kube-version 1.36.1 --set a=argocd_player \
             --set b=x\\,y --values {}/home.yaml --api-versions apps/v1 --api-versions apps/v1/Deployment --api-versions v1\n\
             # leaks 0\n# in /helm/player\n{CONFIG}",
            real.display()
        ),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn the_announcement_and_the_manifest_are_data() {
    let sent = Sent::new();
    sent.write("values-home.yaml", "");
    let announced = sent.command("parameters").output().unwrap();
    let list: serde_json::Value = serde_json::from_slice(&announced.stdout).unwrap();
    let mut list = list.as_array().unwrap().iter();
    let announced = list.find(|one| one["name"] == "values-files").unwrap();
    assert_eq!(announced["array"], serde_json::json!(["values-home.yaml"]));
    let manifest = sent.command("manifest").args(["-o", "plugin"]).output().unwrap();
    let committed = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("plugin/plugin.yaml")).unwrap();
    assert_eq!(text(&manifest.stdout), committed);
}

// ---- with the real helm

#[test]
fn a_failing_chart_shows_no_value() {
    for (file, template, message) in [
        (
            "values.schema.json",
            r#"{"properties":{"password":{"pattern":"^x+$"}}}"#,
            "helm template failed: values don't meet the specifications of the schema(s) in the following chart(s): player: /password: … does not match pattern;",
        ),
        (
            "templates/a.yaml",
            "{{ fail (printf \"bad %s\" .Values.password) }}",
            "helm template failed: execution error at (player/templates/a.yaml:1:3): bad …",
        ),
        (
            "templates/a.yaml",
            "apiVersion: v1\nkind: Secret\nstringData:\n  a: {{ .Values.password }}: {{ .Values.password }}\n",
            "helm template failed: YAML parse error on player/templates/a.yaml: error converting YAML to JSON: yaml: line 4: mapping values are not allowed in this context",
        ),
        (
            "templates/a.yaml",
            "a: {{ mustToDate \"2006\" .Values.password }}",
            "helm template failed: template: player/templates/a.yaml:1:6: executing \"player/templates/a.yaml\" at <mustToDate \"…\" .Values.password>: error calling mustToDate: parsing time \"…\" as \"…\": cannot parse \"…\" as \"…\"",
        ),
    ] {
        let sent = Sent::new().real_helm();
        sent.write("values.yaml", &format!("password: {SECRET}\n"));
        sent.write(
            "templates/secret.yaml",
            &format!("{CONFIG}data: {{ \"a\": \"{{{{ .Values.password }}}}\" }}\n"),
        );
        sent.write(file, template);
        assert_eq!(sent.failure(&sent.generate(&[])), message);
    }
}

#[test]
fn a_dependency_of_the_same_repository_is_built_and_leaves_nothing() {
    let sent = Sent::new().real_helm();
    sent.write("../lib/Chart.yaml", "apiVersion: v2\nname: lib\nversion: 1.0.0\n");
    sent.write("../lib/templates/a.yaml", CONFIG);
    sent.write(
        "Chart.yaml",
        "apiVersion: v2\nname: player\nversion: 0.1.0\ndependencies:\n- name: lib\n  version: 1.x\n  repository: file://../lib\n",
    );
    let output = sent.generate(&[]);
    assert!(
        text(&output.stdout).contains("# Source: player/charts/lib/templates/a.yaml"),
        "{}",
        text(&output.stderr)
    );
    let left: Vec<_> = fs::read_dir(sent.source())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["Chart.yaml"]);
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns what Argo CD sends for a shipped Application: its parameters, its namespace, and the source in its repository.
fn as_argo_cd(app: &str, repository: &str) -> (Output, String) {
    let manifest = fs::read_to_string(root().join(format!("applications/{app}.yaml"))).unwrap();
    let object = Object::new(yaml::value(&manifest).unwrap().unwrap());
    let application = Application::new(&object).unwrap();
    let source = &application.sources()[0];
    let path = source.path().unwrap();
    let parameters = source.plugin().unwrap()["parameters"].to_string();
    let sent = Sent::new().real_helm();
    let folder = root().join("tests/sources").join(repository).join(path);
    let output = sent
        .command("generate")
        .current_dir(&folder)
        .env("ARGOCD_APP_NAME", app)
        .env("ARGOCD_APP_NAMESPACE", application.destination_namespace().unwrap())
        .env("ARGOCD_APP_SOURCE_PATH", path)
        .env("ARGOCD_APP_PARAMETERS", parameters)
        .output()
        .unwrap();
    let bare = Command::new(sent.place("bin/helm"))
        .args([
            "template",
            ".",
            "--name-template",
            app,
            "--namespace",
            "jellyfin",
            "--kube-version",
            "1.36.1",
        ])
        .args([
            "--api-versions",
            "apps/v1",
            "--api-versions",
            "apps/v1/Deployment",
            "--api-versions",
            "v1",
            "--include-crds",
        ])
        .current_dir(&folder)
        .output()
        .unwrap();
    (output, text(&bare.stdout).to_owned())
}

#[test]
fn the_plugin_prints_what_render_prints_and_every_line_of_helm() {
    for (app, repository, kind) in [
        ("jellyfin", "home-media", "Deployment"),
        ("pilotedge-audio-fetcher", "pilotedge-audio-fetcher", "CronJob"),
    ] {
        let (output, bare) = as_argo_cd(app, repository);
        let plugin = text(&output.stdout);
        assert!(
            plugin.contains(&format!("\nkind: {kind}\n")),
            "{}",
            text(&output.stderr)
        );
        for change in TextDiff::from_lines(&bare, plugin).iter_all_changes() {
            assert_ne!(
                change.tag(),
                ChangeTag::Delete,
                "helm's line is gone: {}",
                change.value()
            );
        }
        let home = tempfile::tempdir().unwrap();
        let mut render = Command::new(env!("CARGO_BIN_EXE_kubectl-homelab"));
        render
            .args([
                "render",
                app,
                "--offline",
                "--kube-version",
                "1.36.1",
                "--api-versions",
                "apps/v1,apps/v1/Deployment,v1",
            ])
            .arg("--helm")
            .arg(std::env::var_os("HOMELAB_TEST_HELM").unwrap())
            .arg("--source-dir")
            .arg(format!(
                "{repository}={}",
                root().join("tests/sources").join(repository).display()
            ))
            .current_dir(root())
            .env_clear()
            .env("HOME", home.path());
        let rendered = render.output().unwrap();
        assert_eq!(text(&rendered.stdout), plugin, "{}", text(&rendered.stderr));
    }
}

#[test]
fn filter_and_the_plugin_agree() {
    let (output, bare) = as_argo_cd("jellyfin", "home-media");
    let mut filter = Command::new(env!("CARGO_BIN_EXE_kubectl-homelab"))
        .args([
            "filter",
            "--app",
            "jellyfin",
            "--namespace",
            "jellyfin",
            "--mount",
            "pvc-pe-audio:/media/pe-audio",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    filter.stdin.take().unwrap().write_all(bare.as_bytes()).unwrap();
    assert_eq!(text(&filter.wait_with_output().unwrap().stdout), text(&output.stdout));
}
