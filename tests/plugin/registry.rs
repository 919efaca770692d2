//! A real registry of OCI artifacts on loopback; see `tests/tools/registry`.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::chart_repository::{helm_with, pack_lib};
use crate::sent::SECRET;

pub(crate) struct Registry {
    server: Child,
    address: String,
    folder: tempfile::TempDir,
    is_tls: bool,
}

impl Registry {
    /// Starts a registry with the chart `charts/lib` in version 1.0.0.
    pub(crate) fn new(needs_login: bool, is_tls: bool) -> Self {
        let program = std::env::var_os("HOMELAB_TEST_REGISTRY")
            .expect("HOMELAB_TEST_REGISTRY is not set: run `cargo xtask test`");
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(program);
        if needs_login {
            command.args(["-user", "player", "-password", SECRET]);
        }
        if is_tls {
            command.arg("-certificate").arg(folder.path().join("certificate.pem"));
        }
        let mut server = command
            .env("TMPDIR", folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(server.stdout.take().unwrap())
            .read_line(&mut address)
            .unwrap();
        let registry = Self {
            server,
            address: address.trim().to_owned(),
            folder,
            is_tls,
        };
        assert!(
            registry.address.starts_with("127.0.0.1:"),
            "the registry does not listen"
        );
        let packed = registry.folder.path().join("packed");
        fs::create_dir(&packed).unwrap();
        pack_lib(&packed, "1.0.0", "one");
        if needs_login {
            registry.helm(&["registry", "login", &registry.address, "-u", "player", "-p", SECRET]);
        }
        registry.helm(&["push", "packed/lib-1.0.0.tgz", &registry.url()]);
        registry
    }

    /// Runs helm with the login.
    fn helm(&self, arguments: &[&str]) {
        let (logins, certificate) = (self.logins(), self.certificate());
        let mut variables = vec![("HELM_REGISTRY_CONFIG", logins.to_str().unwrap())];
        let mut arguments = arguments.to_vec();
        if self.is_tls {
            variables.push(("SSL_CERT_FILE", certificate.to_str().unwrap()));
        } else {
            arguments.push("--plain-http");
        }
        helm_with(&arguments, self.folder.path(), &variables);
    }

    /// Returns the digest of a chart's manifest, as helm prints it.
    pub(crate) fn digest(&self, chart: &str, version: &str) -> String {
        let url = format!("{}/{chart}", self.url());
        let arguments = ["pull", &url, "--version", version, "--plain-http"];
        let helm = std::env::var_os("HOMELAB_TEST_HELM").unwrap();
        let output = Command::new(helm)
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        let printed = [output.stdout, output.stderr].concat();
        let printed = String::from_utf8(printed).unwrap();
        let digest = printed.lines().find_map(|line| line.strip_prefix("Digest: "));
        digest.unwrap().to_owned()
    }

    pub(crate) fn url(&self) -> String {
        format!("oci://{}/charts", self.address)
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Returns the file that `helm registry login` wrote, for `HELM_REGISTRY_CONFIG`.
    pub(crate) fn logins(&self) -> PathBuf {
        self.folder.path().join("config.json")
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }
}

impl Registry {
    pub(crate) fn stop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.stop();
    }
}
