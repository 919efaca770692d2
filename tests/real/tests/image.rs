//! The plugin's image: built from `plugin/Containerfile` without root and without a container engine, and run as a pod runs
//! it, beside a real repo-server that calls it through its socket.
#![cfg(target_os = "linux")]
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test plays with real files and programs, and may fail loudly"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use real_parts::folder::Folder;
use real_parts::generate::{Answer, Generate, request};
use real_parts::repository::Repository;
use real_parts::sidecar::Sidecar;
use real_parts::tools::{RenderTools, of_the_test_run};
use real_parts::{Options, RepoServers};
use serde_json::{Value, json};

/// Returns the output of a program, which has to succeed.
fn printed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Returns the unpacked image that `cargo xtask image` builds from the static program.
fn image(folder: &Folder) -> PathBuf {
    let output = folder.join("made");
    let mut command = Command::new(of_the_test_run("xtask").unwrap());
    command
        .arg("image")
        .arg("--program")
        .arg(of_the_test_run("static").unwrap());
    printed(command.arg("--output").arg(&output));
    let architecture = if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "amd64"
    };
    output.join(format!("{architecture}-bundle/rootfs"))
}

/// Returns the container that `kubectl homelab cmp manifest` prints.
fn container(tools: &RenderTools) -> Value {
    let mut command = Command::new(&tools.program);
    let values = printed(command.args(["cmp", "manifest", "-o", "helm-values"]).env_clear());
    let values: Value = yaml_serde::from_str(&values).unwrap();
    values["repoServer"]["extraContainers"][0].clone()
}

/// Returns the files of a tree, by their paths in it.
fn files(folder: &Path, root: &Path, out: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            files(&path, root, out);
        } else {
            out.push(path.strip_prefix(root).unwrap().display().to_string());
        }
    }
    out.sort();
}

/// Given a repo-server beside the image, when it is asked for an Application's objects, then the chart is rendered with
/// the storage rules: with no shell, no libc, no `/etc/passwd`, no user but 999, and nothing to write to but the volumes. Nothing is
/// left in them.
///
/// Control: without the helm that the init container copies, the same request fails with that reason.
#[test]
fn the_image_renders_for_a_real_repo_server() {
    let tools = RenderTools::new(of_the_test_run).unwrap();
    let folder = Folder::new().unwrap();
    let image = image(&folder);
    let mut found = Vec::new();
    files(&image, &image, &mut found);
    assert_eq!(
        found,
        [
            "home/argocd/cmp-server/config/plugin.yaml",
            "licenses/kubectl-homelab/LICENSE",
            "usr/local/bin/kubectl-homelab",
        ]
    );
    let options = Options {
        sidecar: Some(Sidecar {
            image,
            container: container(&tools),
        }),
        ..Options::default()
    };
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sources/home-media");
    let repository = Repository::create(folder.path(), "home-media", Some(&sources)).unwrap();
    let servers = RepoServers::start(&folder, &tools, &options).unwrap();
    servers.until_they_answer().unwrap();
    let client = of_the_test_run("generate-manifest").unwrap();
    let mut client = Generate::connect(&client, servers.port().unwrap(), 1).unwrap();
    let source = json!({
        "repoURL": repository.url(), "path": "helm/jellyfin",
        "plugin": {"name": "homelab-v1", "parameters": [{"name": "mounts", "array": ["pvc-pe-audio:/media/pe-audio"]}]},
    });
    let asked = [request("jellyfin", "jellyfin", &source, &repository.head().unwrap())];
    let Answer::Manifests(objects) = client.ask(&asked).unwrap().remove(0) else {
        panic!("{:?}", client.ask(&asked));
    };
    let objects: Vec<Value> = objects
        .iter()
        .map(|object| serde_json::from_str(object).unwrap())
        .collect();
    let claims = objects
        .iter()
        .filter(|object| object["kind"] == "PersistentVolumeClaim");
    let guards = claims.map(|claim| claim["metadata"]["annotations"]["argocd.argoproj.io/sync-options"].clone());
    assert_eq!(
        guards.collect::<Vec<_>>(),
        [
            json!("Prune=false,Delete=false"),
            json!("Prune=false,Delete=false"),
            json!("Prune=false,Delete=false")
        ]
    );

    let root = folder.join("image-1");
    for (volume, left) in [("tmp/_cmp_server", 0), ("home/argocd/cmp-server/plugins", 1)] {
        assert_eq!(fs::read_dir(root.join(volume)).unwrap().count(), left, "{volume}");
    }
    assert!(
        !root.join("etc").exists(),
        "nothing creates what the image does not have"
    );

    // The folder is locked, which binds everybody but root.
    let volume = root.join("homelab-tools");
    fs::set_permissions(&volume, fs::Permissions::from_mode(0o755)).unwrap();
    fs::remove_file(volume.join("helm")).unwrap();
    let Answer::Error(message) = client.ask(&asked).unwrap().remove(0) else {
        panic!("rendered without helm");
    };
    assert!(message.contains("`helm` is not on PATH"), "{message}");
}
