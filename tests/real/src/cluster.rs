//! A Kubernetes control plane with fake nodes: etcd, API server, controller manager, scheduler and kwok. Pods run at once
//! and do nothing; volumes behave like those of k3s's and kind's local-path provisioner.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::api::Api;
use crate::folder::Folder;
use crate::process::{Process, free_port, until};
use crate::secrets::{self, Secrets, write_private};
use crate::tools::Tools;

/// The distribution whose default StorageClass the cluster has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Flavour {
    /// k3s: the class `local-path`.
    #[default]
    K3s,
    /// kind: the class `standard`.
    Kind,
}

impl Flavour {
    /// Returns the name of the default StorageClass.
    pub fn storage_class(self) -> &'static str {
        match self {
            Self::K3s => "local-path",
            Self::Kind => "standard",
        }
    }
}

/// A running control plane.
#[derive(Debug)]
pub struct Cluster {
    processes: Vec<Process>,
    api: Api,
    kubeconfig: PathBuf,
    kubectl: PathBuf,
}

impl Cluster {
    /// Starts a control plane in a folder, and waits until its nodes are ready.
    pub fn start(folder: &Folder, tools: &Tools, flavour: Flavour, nodes: usize) -> Result<Self> {
        Self::start_as(folder, tools, (flavour, nodes), None)
    }

    /// Starts a control plane whose API server behaves like an older version, such as `1.34`.
    pub fn start_as(
        folder: &Folder,
        tools: &Tools,
        (flavour, nodes): (Flavour, usize),
        version: Option<&str>,
    ) -> Result<Self> {
        // A port that was free may be taken when the server opens it; then the server ends at once with a message.
        for _ in 0..2 {
            match Self::try_start(folder, tools, (flavour, nodes), version) {
                Err(error) if format!("{error:#}").contains("address already in use") => {}
                result => return result,
            }
        }
        Self::try_start(folder, tools, (flavour, nodes), version)
    }

    fn try_start(
        folder: &Folder,
        tools: &Tools,
        (flavour, nodes): (Flavour, usize),
        version: Option<&str>,
    ) -> Result<Self> {
        let secrets = Secrets::write(folder.path())?;
        let etcd = start_etcd(folder.path(), tools)?;
        let port = free_port()?;
        let api_server = start_api_server(folder.path(), tools, port, version)?;
        let mut processes = vec![etcd, api_server];
        let authority = folder.join(secrets::AUTHORITY);
        let kubeconfig = |name: &str, token: &str| write_kubeconfig(folder.path(), name, port, &authority, token);
        let admin = kubeconfig("admin", &secrets.admin)?;
        let api = Api::connect(&admin)?;
        until(&processes, "the API server", || api.ready())?;
        let manager = kubeconfig("controller-manager", &secrets.controller_manager)?;
        processes.push(start_controller_manager(
            folder.path(),
            tools,
            (&manager, &authority),
            version,
        )?);
        let scheduler = kubeconfig("scheduler", &secrets.scheduler)?;
        processes.push(start_scheduler(folder.path(), tools, &scheduler, version)?);
        processes.push(start_kwok(folder.path(), tools, &admin)?);
        let cluster = Self {
            processes,
            api,
            kubeconfig: admin,
            kubectl: tools.kubectl.clone(),
        };
        cluster.furnish(flavour, nodes)?;
        Ok(cluster)
    }

    fn furnish(&self, flavour: Flavour, nodes: usize) -> Result<()> {
        for number in 1..=nodes {
            let name = format!("node-{number}");
            let node = json!({
                "apiVersion": "v1", "kind": "Node",
                "metadata": {
                    "name": name,
                    "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "type": "kwok"},
                    "annotations": {"kwok.x-k8s.io/node": "fake"},
                },
            });
            self.api.create("Node", "", &node)?;
        }
        self.apply(&storage_class(flavour))?;
        until(&self.processes, "the default ServiceAccount", || {
            matches!(self.api.get("ServiceAccount", "default/default"), Ok(Some(_)))
        })?;
        until(&self.processes, "the nodes", || {
            let nodes = self.api.list("Node", "").unwrap_or_default();
            nodes.iter().all(|node| {
                let conditions = node["status"]["conditions"].as_array();
                conditions.is_some_and(|all| all.iter().any(|one| one["type"] == "Ready" && one["status"] == "True"))
            })
        })
    }

    /// Returns a client of this cluster.
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// Returns the administrator's kubeconfig.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Runs `kubectl apply --server-side` on a stream of manifests.
    pub fn apply(&self, manifests: &str) -> Result<()> {
        // Without validation by the client, which fetches the whole of OpenAPI first; the server validates all the same.
        self.kubectl(
            &[
                "apply",
                "--server-side",
                "--force-conflicts",
                "--validate=false",
                "-f",
                "-",
            ],
            Some(manifests),
        )
        .map(drop)
    }

    /// Runs kubectl and returns its output; an error has kubectl's message.
    pub fn kubectl(&self, arguments: &[&str], input: Option<&str>) -> Result<String> {
        let mut command = Command::new(&self.kubectl);
        command
            .args(arguments)
            .env("KUBECONFIG", &self.kubeconfig)
            .env("HOME", self.kubeconfig.with_file_name("home"))
            .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().context("cannot start kubectl")?;
        if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
            use std::io::Write;
            stdin.write_all(input.as_bytes())?;
        }
        let output = child.wait_with_output()?;
        if !output.status.success() {
            bail!(
                "kubectl {} failed: {}",
                arguments.join(" "),
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Writes every event of the objects of a kind to the log `events-<kind>` of a folder, from now on and as long as the result
    /// lives.
    pub(crate) fn record(&self, folder: &Path, kind: &str) -> Result<Process> {
        let mut command = Command::new(&self.kubectl);
        command
            .args(["get", kind, "--all-namespaces", "--watch", "--output-watch-events"])
            .args(["--output", "json"])
            .env("KUBECONFIG", &self.kubeconfig);
        Process::start(folder, &format!("events-{kind}"), &command)
    }

    /// Fails if one of its processes has ended.
    pub fn alive(&self) -> Result<()> {
        self.processes.iter().try_for_each(Process::alive)
    }
}

fn write_kubeconfig(folder: &Path, name: &str, port: u16, authority: &Path, token: &str) -> Result<PathBuf> {
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "homelab",
        "clusters": [{"name": "homelab", "cluster": {
            "server": format!("https://127.0.0.1:{port}"), "certificate-authority": authority,
        }}],
        "users": [{"name": name, "user": {"token": token}}],
        "contexts": [{"name": "homelab", "context": {"cluster": "homelab", "user": name}}],
    });
    let path = folder.join(format!("{name}.kubeconfig"));
    write_private(&path, &config.to_string())?;
    Ok(path)
}

/// Starts etcd on Unix sockets: no port can collide, and nothing is reachable over a network.
fn start_etcd(folder: &Path, tools: &Tools) -> Result<Process> {
    let socket = |name: &str| format!("unix://{}", folder.join(name).display());
    let mut command = Command::new(&tools.etcd);
    command.arg(format!("--data-dir={}", folder.join("etcd").display()));
    command.arg(format!("--listen-client-urls={}", socket("etcd.sock")));
    command.arg(format!("--advertise-client-urls={}", socket("etcd.sock")));
    command.arg(format!("--listen-peer-urls={}", socket("peer.sock")));
    command.args([
        "--name=homelab",
        "--initial-advertise-peer-urls=http://localhost:2380",
        "--initial-cluster=homelab=http://localhost:2380",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]);
    Process::start(folder, "etcd", &command)
}

fn start_api_server(folder: &Path, tools: &Tools, port: u16, version: Option<&str>) -> Result<Process> {
    let mut command = Command::new(&tools.kube_apiserver);
    command.arg(format!("--etcd-servers=unix://{}", folder.join("etcd.sock").display()));
    command.arg(format!("--secure-port={port}"));
    for (flag, file) in [
        ("tls-cert-file", secrets::CERTIFICATE),
        ("tls-private-key-file", secrets::CERTIFICATE_KEY),
        ("token-auth-file", secrets::TOKENS),
        ("client-ca-file", secrets::AUTHORITY),
        ("service-account-key-file", secrets::SERVICE_ACCOUNT_PUBLIC_KEY),
        ("service-account-signing-key-file", secrets::SERVICE_ACCOUNT_KEY),
    ] {
        command.arg(format!("--{flag}={}", folder.join(file).display()));
    }
    command.args([
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        // A loopback address can't be an endpoint of the service `kubernetes`.
        "--endpoint-reconciler-type=none",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--authorization-mode=RBAC",
        "--allow-privileged=true",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--api-audiences=https://kubernetes.default.svc",
        "--enable-priority-and-fairness=false",
        "--etcd-compaction-interval=0",
        "--profiling=false",
    ]);
    emulate(&mut command, version);
    Process::start(folder, "kube-apiserver", &command)
}

/// Makes a server behave like an older version.
fn emulate(command: &mut Command, version: Option<&str>) {
    command.args(version.map(|version| format!("--emulated-version={version}")));
}

/// The common arguments of the two controllers; the high rates make them ready seconds earlier.
const CONTROLLER: [&str; 5] = [
    "--secure-port=0",
    "--leader-elect=false",
    "--profiling=false",
    "--kube-api-qps=500",
    "--kube-api-burst=1000",
];

fn start_controller_manager(
    folder: &Path,
    tools: &Tools,
    (kubeconfig, authority): (&Path, &Path),
    version: Option<&str>,
) -> Result<Process> {
    let key = folder.join(secrets::SERVICE_ACCOUNT_KEY);
    let mut command = Command::new(&tools.kube_controller_manager);
    command.arg(format!("--kubeconfig={}", kubeconfig.display()));
    command.arg(format!("--service-account-private-key-file={}", key.display()));
    command.arg(format!("--root-ca-file={}", authority.display()));
    command.args([
        "--use-service-account-credentials=true",
        "--pvclaimbinder-sync-period=2s",
    ]);
    command.args(CONTROLLER);
    emulate(&mut command, version);
    Process::start(folder, "kube-controller-manager", &command)
}

fn start_scheduler(folder: &Path, tools: &Tools, kubeconfig: &Path, version: Option<&str>) -> Result<Process> {
    let mut command = Command::new(&tools.kube_scheduler);
    command.arg(format!("--kubeconfig={}", kubeconfig.display()));
    command.args(CONTROLLER);
    emulate(&mut command, version);
    Process::start(folder, "kube-scheduler", &command)
}

/// Starts kwok with its own stages for nodes and pods, and with the project's for volumes.
fn start_kwok(folder: &Path, tools: &Tools, kubeconfig: &Path) -> Result<Process> {
    let mut stages = include_str!("cluster/stages.yaml").to_owned();
    for file in [
        "node-initialize.yaml",
        "node-heartbeat-with-lease.yaml",
        "pod-ready.yaml",
        "pod-complete.yaml",
        "pod-delete.yaml",
    ] {
        let path = Tools::beside(&tools.kwok, file);
        stages.push_str("---\n");
        stages.push_str(&fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?);
    }
    let config = folder.join("stages.yaml");
    fs::write(&config, stages)?;
    let mut command = Command::new(&tools.kwok);
    command.arg(format!("--kubeconfig={}", kubeconfig.display()));
    command.arg(format!("--config={}", config.display()));
    command.arg("--manage-all-nodes=true");
    // Without leases the nodes are NotReady after 40 s: the stage for their heartbeat relies on them.
    command.arg("--node-lease-duration-seconds=40");
    Process::start(folder, "kwok", &command)
}

/// Returns the default class, as k3s and kind have it.
fn storage_class(flavour: Flavour) -> String {
    format!(
        "{}",
        json!({
            "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
            "metadata": {
                "name": flavour.storage_class(),
                "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
            },
            "provisioner": "rancher.io/local-path",
            "volumeBindingMode": "WaitForFirstConsumer",
            "reclaimPolicy": "Delete",
        })
    )
}
