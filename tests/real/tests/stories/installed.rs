//! The plugin added to an Argo CD, with the output of `kubectl homelab cmp manifest` for each way of installing one. The API
//! server checks all of it in a dry run.
#![expect(clippy::disallowed_methods, reason = "a story plays with real files and programs")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use real_parts::cluster::Cluster;
use real_parts::folder::Folder;
use real_parts::{Flavour, Tools, tools};
use serde_json::Value;

const IMAGE: &str = "ghcr.io/you/kubectl-homelab:v0.1.0";

/// A cluster with the namespace of Argo CD, and a folder for the manifests.
struct Installation {
    tools: Tools,
    cluster: Cluster,
    folder: Folder,
}

impl Installation {
    fn new() -> Self {
        let tools = Tools::of_the_test_run().unwrap();
        let folder = Folder::new().unwrap();
        let cluster = Cluster::start(&folder, &tools, Flavour::K3s, 1).unwrap();
        cluster
            .apply("{apiVersion: v1, kind: Namespace, metadata: {name: argocd}}")
            .unwrap();
        Self { tools, cluster, folder }
    }

    /// Returns the path of a file in the folder.
    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Runs `kubectl homelab` outside any repository; returns its exit code and standard output.
    fn homelab(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = Command::new(&self.tools.render.program)
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .stdin(Stdio::null())
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    }

    fn manifest(&self, form: &str) -> String {
        let (code, text) = self.homelab(&["cmp", "manifest", "-o", form, "--image", IMAGE]);
        assert_eq!(code, Some(0));
        text
    }

    /// Returns the ids of the findings of `doctor` in an installation.
    fn doctor(&self, rendered: &str) -> Vec<String> {
        let file = self.write("rendered.yaml", rendered);
        let (_, json) = self.homelab(&["doctor", "-o", "json", "-f", file.to_str().unwrap()]);
        let list: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(list["skipped"], serde_json::json!([]));
        let items = list["items"].as_array().unwrap();
        items
            .iter()
            .map(|item| item["rule"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Checks manifests with the API server: every field is known and valid, or the error.
    fn dry_run(&self, manifests: &str) -> Result<String, String> {
        let arguments = [
            "apply",
            "--server-side",
            "--dry-run=server",
            "--validate=strict",
            "-f",
            "-",
        ];
        self.cluster
            .kubectl(&arguments, Some(manifests))
            .map_err(|error| format!("{error:#}"))
    }

    /// Returns Argo CD's own manifests with one more file of a kustomization.
    fn kustomized(&self, files: &[(&str, &str)], more: &str) -> String {
        let install = fs::read_to_string(tools::of_the_test_run("argocd-install").unwrap()).unwrap();
        self.write("argocd/install.yaml", &install);
        for (name, text) in files {
            self.write(&format!("argocd/{name}"), text);
        }
        let kustomization = self.write(
            "argocd/kustomization.yaml",
            &format!("namespace: argocd\nresources: [install.yaml]\n{more}\n"),
        );
        let folder = kustomization.parent().unwrap().to_str().unwrap();
        self.cluster.kubectl(&["kustomize", folder], None).unwrap()
    }
}

/// Returns the pod spec of the repo-server in a stream of manifests.
fn repo_server(rendered: &str) -> Value {
    let documents = rendered.split("\n---\n");
    let mut objects = documents.filter_map(|text| yaml_serde::from_str::<Value>(text).ok());
    let deployment =
        objects.find(|object| object["kind"] == "Deployment" && object["metadata"]["name"] == "argocd-repo-server");
    deployment.unwrap()["spec"]["template"]["spec"].clone()
}

/// Returns the container of this name.
fn named<'a>(list: &'a Value, name: &str) -> &'a Value {
    let list = list.as_array().unwrap();
    list.iter().find(|one| one["name"] == name).unwrap()
}

/// Given Argo CD's own manifests, when the component is added, then kustomize merges it, helm comes from the image that the
/// repo-server has, the API server accepts all of it, and `doctor` finds nothing.
///
/// Control: without the component `doctor` reports the missing sidecar; and the API server refuses the settings as variables beside
/// those that Argo CD's manifests have, which is why they go into the ConfigMap.
#[test]
fn a_component_adds_it_to_argo_cds_own_manifests() {
    let installation = Installation::new();
    let component = installation.manifest("kustomize");
    let files = [("homelab/kustomization.yaml", component.as_str())];
    let newer = "images: [{name: quay.io/argoproj/argocd, newTag: v3.5.9}]";
    for (more, argo_cd) in [
        ("", "quay.io/argoproj/argocd:v3.5.7"),
        (newer, "quay.io/argoproj/argocd:v3.5.9"),
    ] {
        let rendered = installation.kustomized(&files, &format!("components: [homelab]\n{more}"));
        let pod = repo_server(&rendered);
        assert_eq!(named(&pod["containers"], "homelab")["image"], IMAGE);
        assert_eq!(named(&pod["containers"], "argocd-repo-server")["image"], argo_cd);
        assert_eq!(named(&pod["initContainers"], "homelab-tools")["image"], argo_cd);
        let message = installation.dry_run(&rendered).unwrap();
        assert!(
            message.contains("deployment.apps/argocd-repo-server serverside-applied"),
            "{message}"
        );
        assert_eq!(installation.doctor(&rendered), Vec::<String>::new());
    }

    let plain = installation.kustomized(&[], "");
    installation.dry_run(&plain).unwrap();
    assert_eq!(installation.doctor(&plain), ["HL501"]);

    let variable = r"
patches:
- target: {kind: Deployment, name: argocd-repo-server}
  patch: |
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: argocd-repo-server}
    spec:
      template:
        spec:
          containers:
          - name: argocd-repo-server
            env:
            - {name: ARGOCD_REPO_SERVER_PLUGIN_TAR_EXCLUSIONS, value: .git}
";
    let refused = installation
        .dry_run(&installation.kustomized(&[], variable))
        .unwrap_err();
    assert!(
        refused.contains("may not be specified when `value` is not empty"),
        "{refused}"
    );
}

/// Given the values that are printed, when a chart does with them what the chart `argo-cd` does, then helm comes from the
/// chart's own image, the API server accepts it, and `doctor` finds nothing.
///
/// Control: with another version of Argo CD, `doctor` reports that helm is not Argo CD's.
#[test]
fn values_add_it_to_the_helm_chart() {
    let installation = Installation::new();
    let chart = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stories/chart");
    let render = |values: &str| {
        let values = installation.write("homelab.yaml", values);
        let output = Command::new(&installation.tools.render.helm)
            .args([
                "template",
                "argocd",
                chart.to_str().unwrap(),
                "--namespace",
                "argocd",
                "--values",
            ])
            .arg(values)
            .env("HOME", installation.folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let rendered = render(&installation.manifest("helm-values"));
    let pod = repo_server(&rendered);
    let argo_cd = "quay.io/argoproj/argocd:v3.5.7";
    assert_eq!(named(&pod["initContainers"], "homelab-tools")["image"], argo_cd);
    installation.dry_run(&rendered).unwrap();
    assert_eq!(installation.doctor(&rendered), Vec::<String>::new());

    let (_, other) = installation.homelab(&[
        "cmp",
        "manifest",
        "-o",
        "helm-values",
        "--image",
        IMAGE,
        "--argocd-version",
        "3.4.1",
    ]);
    assert_eq!(installation.doctor(&render(&other)), ["HL506"]);
}

/// Given the operator's own definition of an ArgoCD, when the fields that are printed are applied, then the API server knows
/// every one of them.
///
/// Control: it refuses a field that is misspelt.
#[test]
fn fields_add_it_to_the_operators_argo_cd() {
    let installation = Installation::new();
    let definition = fs::read_to_string(tools::of_the_test_run("argocd-operator").unwrap()).unwrap();
    installation.cluster.apply(&definition).unwrap();
    let manifest = installation.manifest("operator");
    let mut message = installation.dry_run(&manifest);
    for _ in 0..100 {
        // Until the API server serves the new CRDs.
        if message.is_ok() || !format!("{message:?}").contains("no matches for kind") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
        message = installation.dry_run(&manifest);
    }
    assert_eq!(
        message.unwrap().trim(),
        "argocd.argoproj.io/argocd serverside-applied (server dry run)"
    );

    let misspelt = manifest.replace("sidecarContainers:", "sideCarContainers:");
    assert_ne!(misspelt, manifest);
    let refused = installation.dry_run(&misspelt).unwrap_err();
    assert!(refused.contains("sideCarContainers"), "{refused}");
}
