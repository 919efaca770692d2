//! The plugin in an Argo CD: the shipped files are what the program prints, and `doctor` reports what an installation lacks.
//! `SNAPSHOTS=overwrite` writes the files again, `TRYCMD=overwrite` the outputs.
#![expect(
    clippy::disallowed_methods,
    reason = "a test reads files, runs programs and fails loudly"
)]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use homelab::install::{self, Images};
use snapbox::{Assert, Data};

const IMAGE: &str = "ghcr.io/you/kubectl-homelab:v0.1.0";

#[test]
fn the_shipped_files_are_what_the_program_prints() {
    let images = Images::default();
    for (file, text) in [
        ("plugin.yaml", install::plugin()),
        ("kustomization.yaml", install::kustomize(&images)),
        ("argocd-repo-server-patch.yaml", install::sidecar_patch(&images)),
        ("argocd-cm-patch.yaml", install::health_checks_patch()),
        ("argocd-cmd-params-cm-patch.yaml", install::parameters_patch()),
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugin").join(file);
        let committed = Data::read_from(&path, Some(snapbox::data::DataFormat::Text)).raw();
        let text = text.expect("it can be printed");
        Assert::new().action_env("SNAPSHOTS").eq(text, committed);
    }
}

#[test]
fn doctor_reports_what_an_installation_lacks() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let home = home.path().to_str().expect("a temporary path is UTF-8");
    let cases = trycmd::TestCases::new();
    cases
        .env("HOME", home)
        .env("PATH", home)
        .env("NO_COLOR", "1")
        .env("KUBECONFIG", "");
    cases.case("tests/commands/doctor/*.toml");
}

/// Runs `doctor` on a text on its standard input, outside any repository.
fn doctor(input: &str) -> (Option<i32>, String, String) {
    let nowhere = tempfile::tempdir().expect("a temporary folder");
    let mut child = Command::new(env!("CARGO_BIN_EXE_kubectl-homelab"))
        .args(["doctor", "-f", "-", "-o", "table"])
        .current_dir(nowhere.path())
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut stdin = child.stdin.take().expect("it has a standard input");
    stdin.write_all(input.as_bytes()).expect("it reads its standard input");
    drop(stdin);
    let output = child.wait_with_output().expect("the program ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("an output is text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn doctor_reads_kubectls_output_and_needs_no_repository() {
    let sound = fs::read_to_string("tests/commands/doctor/home.in/sound.yaml").expect("the case is there");
    let items: Vec<serde_json::Value> = sound
        .split("---\n")
        .map(|document| {
            homelab::yaml::value(document)
                .expect("it is YAML")
                .expect("it is an object")
        })
        .collect();
    let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": items});
    let (code, stdout, stderr) = doctor(&list.to_string());
    assert_eq!((code, stdout.as_str()), (Some(0), ""));
    assert_eq!(
        stderr,
        "0 errors, 0 warnings\nthere is no repository here: which plugin its Applications name was not checked\n"
    );
}

/// Returns the Deployment of the repo-server from Argo CD's manifests, without the plugin.
fn repo_server() -> serde_json::Value {
    let plain = fs::read_to_string("tests/commands/doctor/home.in/plain.yaml").expect("the case is there");
    homelab::yaml::value(&plain)
        .expect("it is YAML")
        .expect("it is an object")
}

/// Checks that `doctor` finds nothing in what is printed for each form.
#[test]
fn doctor_accepts_what_the_program_prints() {
    let images = Images {
        plugin: IMAGE.to_owned(),
        argo_cd: Some("v3.5.7".to_owned()),
        ..Images::default()
    };
    let read = |text: anyhow::Result<String>| {
        let text = text.expect("it can be printed");
        homelab::yaml::value(&text)
            .expect("it is YAML")
            .expect("it is an object")
    };
    let values = read(install::helm_values(&images));
    let operator = read(install::operator(&images));
    let (chart, operator) = (&values["repoServer"], &operator["spec"]["repo"]);
    for (form, inits, containers, volumes, variables) in [
        (
            "helm-values",
            &chart["initContainers"],
            &chart["extraContainers"],
            &chart["volumes"],
            None,
        ),
        (
            "operator",
            &operator["initContainers"],
            &operator["sidecarContainers"],
            &operator["volumes"],
            Some(&operator["env"]),
        ),
    ] {
        let mut workload = repo_server();
        let pod = &mut workload["spec"]["template"]["spec"];
        let add = |list: &mut serde_json::Value, more: &serde_json::Value| {
            let more = more.as_array().expect("a list").clone();
            list.as_array_mut().expect("a list").extend(more);
        };
        // Only Argo CD's own init container is left of the case's.
        pod["initContainers"].as_array_mut().expect("a list").truncate(1);
        pod["volumes"].as_array_mut().expect("a list").truncate(3);
        add(&mut pod["initContainers"], inits);
        add(&mut pod["containers"], containers);
        add(&mut pod["volumes"], volumes);
        if let Some(variables) = variables {
            pod["containers"][0]["env"] = variables.clone();
        }
        let parameters = serde_json::json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cmd-params-cm"},
            "data": values["configs"]["params"],
        });
        let settings = serde_json::json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm"}, "data": values["configs"]["cm"],
        });
        let (code, stdout, stderr) = doctor(&format!("{workload}\n---\n{parameters}\n---\n{settings}\n"));
        assert_eq!((code, stdout.as_str()), (Some(0), ""), "{form}: {stderr}");
        assert!(stderr.starts_with("0 errors, 0 warnings\n"), "{form}: {stderr}");
    }
}

#[test]
fn no_value_of_a_secret_is_ever_printed() {
    let input = "apiVersion: v1\nkind: Secret\nstringData: {password: hunter2\n";
    let (code, stdout, stderr) = doctor(input);
    assert_eq!(code, Some(3), "{stderr}");
    assert!(!format!("{stdout}{stderr}").contains("hunter2"), "{stderr}");
}
