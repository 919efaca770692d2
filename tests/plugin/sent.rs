//! The input that Argo CD's plugin server hands over: a tree, variables, and a program named helm on PATH.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub(crate) const SECRET: &str = "hunter2";
pub(crate) const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";

/// The tree that Argo CD's plugin server unpacks below `_cmp_server/<uuid>`.
pub(crate) struct Sent {
    folder: tempfile::TempDir,
}

impl Sent {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("_cmp_server/0f1e-22/helm/player")).unwrap();
        fs::create_dir(folder.path().join("bin")).unwrap();
        fs::create_dir(folder.path().join("tmp")).unwrap();
        let sent = Self { folder };
        sent.write("Chart.yaml", "apiVersion: v2\nname: player\nversion: 0.1.0\n");
        sent
    }

    pub(crate) fn source(&self) -> PathBuf {
        self.folder.path().join("_cmp_server/0f1e-22/helm/player")
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.source().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Returns a path beside the tree.
    pub(crate) fn place(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a script that replaces helm.
    pub(crate) fn helm(self, script: &str) -> Self {
        let program = self.folder.path().join("bin/helm");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    pub(crate) fn real_helm(self) -> Self {
        let helm = std::env::var_os("HOMELAB_TEST_HELM").expect("HOMELAB_TEST_HELM is not set: run `cargo xtask test`");
        std::os::unix::fs::symlink(helm, self.folder.path().join("bin/helm")).unwrap();
        self
    }

    pub(crate) fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-homelab"));
        command.args(["cmp", verb]).current_dir(self.source()).env_clear();
        let bin = self.folder.path().join("bin");
        command
            .env("PATH", format!("{}:/usr/bin:/bin", bin.display()))
            .env("TMPDIR", self.folder.path().join("tmp"))
            .env("ARGOCD_APP_NAME", "argocd_player")
            .env("ARGOCD_APP_NAMESPACE", "media")
            .env("ARGOCD_APP_SOURCE_PATH", "helm/player")
            .env("ARGOCD_APP_PARAMETERS", "null")
            .env("KUBE_VERSION", "1.36.1")
            .env("KUBE_API_VERSIONS", "apps/v1,apps/v1/Deployment,v1");
        command.stdin(Stdio::null());
        command
    }

    pub(crate) fn generate(&self, variables: &[(&str, &str)]) -> Output {
        self.command("generate")
            .envs(variables.iter().copied())
            .output()
            .unwrap()
    }

    /// Returns the message of a failure. Asserts that it prints no object, that its message is one line without a path of this
    /// machine or a value, and that it leaves nothing behind.
    pub(crate) fn failure(&self, output: &Output) -> String {
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{message}");
        assert_eq!(text(&output.stdout), "", "nothing may be printed");
        assert_eq!(message.lines().count(), 1, "{message}");
        for private in [
            "/tmp",
            "_cmp_server",
            "0f1e-22",
            self.folder.path().to_str().unwrap(),
            SECRET,
        ] {
            assert!(!message.contains(private), "{private} in {message}");
        }
        assert_eq!(self.left(), Vec::<String>::new(), "temporary files are left");
        message.trim_end().to_owned()
    }

    /// Returns everything in the folder for temporary files, except the locks of the processes that run helm.
    pub(crate) fn left(&self) -> Vec<String> {
        let names = |folder: &Path| {
            let entries = fs::read_dir(folder).into_iter().flatten();
            entries.map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
        };
        let mut paths = names(&self.place("tmp"));
        let locks: Vec<_> = paths
            .extract_if(.., |path| {
                let name = path.display().to_string();
                path.is_dir() && (name.contains("/homelab-helm-") || name.contains("/homelab-kustomize-"))
            })
            .collect();
        paths.extend(
            locks
                .iter()
                .flat_map(|folder| names(folder))
                .filter(|path| !path.is_file()),
        );
        paths.iter().map(|path| path.display().to_string()).collect()
    }
}

pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}
