//! Argo CD: repo-servers, each with the plugin's server beside it, the application controller, and, where a story needs them, the
//! controller of ApplicationSets and the commit server. There is no UI and no login: stories change the Application objects instead.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::cluster::Cluster;
use crate::folder::Folder;
use crate::options::Options;
use crate::process::{Process, free_port, until};
use crate::repo_server::{RepoServers, answers, local, shipped};
use crate::tools::Tools;

/// The objects that Argo CD expects in its namespace.
const BOOTSTRAP: &str = r"
apiVersion: v1
kind: ConfigMap
metadata: {name: argocd-cm, namespace: argocd, labels: {app.kubernetes.io/name: argocd-cm, app.kubernetes.io/part-of: argocd}}
---
apiVersion: v1
kind: Secret
metadata: {name: argocd-secret, namespace: argocd, labels: {app.kubernetes.io/name: argocd-secret, app.kubernetes.io/part-of: argocd}}
# There are no logins, but without it Argo CD reads no change of its settings.
stringData: {server.secretkey: not-a-secret}
---
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {name: default, namespace: argocd}
spec:
  sourceRepos: ['*']
  destinations: [{server: '*', namespace: '*'}]
  clusterResourceWhitelist: [{group: '*', kind: '*'}]
";

/// A running Argo CD.
#[derive(Debug)]
pub struct ArgoCd {
    /// The repo-servers with their plugins.
    pub repo_servers: RepoServers,
    controllers: Vec<Process>,
}

impl ArgoCd {
    /// Starts Argo CD on a cluster.
    pub fn start(folder: &Folder, tools: &Tools, cluster: &Cluster, options: &Options) -> Result<Self> {
        let repo_servers = RepoServers::start(folder, &tools.render, options)?;
        bootstrap(tools, cluster)?;
        if options.health_checks {
            patch_health_checks(cluster)?;
        }
        repo_servers.until_they_answer()?;
        let mut controllers = Vec::new();
        let commit_server = if options.hydrator { Some(free_port()?) } else { None };
        if let Some(port) = commit_server {
            controllers.push(start_commit_server(folder.path(), &repo_servers, port)?);
            until(&controllers, "the commit server", || answers(port))?;
        }
        let metrics = free_port()?;
        controllers.push(start_controller(
            folder.path(),
            &repo_servers,
            cluster,
            (metrics, commit_server),
            options.resync_seconds,
        )?);
        if options.application_sets {
            add_set_definition(tools, cluster)?;
            let metrics = free_port()?;
            controllers.push(start_set_controller(folder.path(), &repo_servers, cluster, metrics)?);
            until(&controllers, "the controller of ApplicationSets", || answers(metrics))?;
        }
        until(&controllers, "the application controller", || healthy(metrics))?;
        Ok(Self {
            repo_servers,
            controllers,
        })
    }

    /// Fails if one of its processes has ended.
    pub fn alive(&self) -> Result<()> {
        self.repo_servers.alive()?;
        self.controllers.iter().try_for_each(Process::alive)
    }
}

fn bootstrap(tools: &Tools, cluster: &Cluster) -> Result<()> {
    cluster.apply("{apiVersion: v1, kind: Namespace, metadata: {name: argocd}}")?;
    for file in ["application-crd.yaml", "appproject-crd.yaml"] {
        let path = Tools::beside(&tools.render.argocd, file);
        cluster.apply(&fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?)?;
    }
    // Until the API server serves the new CRDs.
    until(&[], "AppProject", || cluster.apply(BOOTSTRAP).is_ok())?;
    Ok(())
}

/// Adds the health checks that the project ships.
pub fn patch_health_checks(cluster: &Cluster) -> Result<()> {
    let patch = shipped("argocd-cm-patch.yaml");
    let patch = patch.to_str().context("the project's path is not UTF-8")?;
    let arguments = [
        "patch",
        "configmap",
        "argocd-cm",
        "--namespace=argocd",
        "--patch-file",
        patch,
    ];
    cluster.kubectl(&arguments, None).map(drop)
}

fn start_controller(
    folder: &Path,
    repo_servers: &RepoServers,
    cluster: &Cluster,
    (metrics, commit_server): (u16, Option<u16>),
    resync_seconds: u32,
) -> Result<Process> {
    // What it takes for the cluster that it runs in.
    let config = folder.join("home/.kube");
    fs::create_dir_all(&config)?;
    symlink(cluster.kubeconfig(), config.join("config"))?;
    let mut command = repo_servers.server("application-controller", "argocd-application-controller")?;
    command
        .arg("--kubeconfig")
        .arg(cluster.kubeconfig())
        .args(["--namespace", "argocd", "--redis", &local(repo_servers.redis())])
        .args(["--repo-server", &local(repo_servers.port()?), "--repo-server-plaintext"])
        .args(["--metrics-port", &metrics.to_string()])
        // Errors show at once, and what was healed heals again after a second.
        .args([
            "--repo-error-grace-period-seconds",
            "0",
            "--self-heal-backoff-timeout-seconds",
            "1",
        ])
        .args(["--app-resync", &resync_seconds.to_string(), "--app-resync-jitter", "0"])
        .env("ARGOCD_SYNC_WAVE_DELAY", "0");
    if let Some(port) = commit_server {
        command.args(["--hydrator-enabled", "--commit-server", &local(port)]);
    }
    Process::start(folder, "application-controller", &command)
}

/// Starts the server that commits what the source hydrator rendered, and pushes it.
fn start_commit_server(folder: &Path, repo_servers: &RepoServers, port: u16) -> Result<Process> {
    let mut command = repo_servers.server("commit-server", "argocd-commit-server")?;
    command
        .args(["--address", "127.0.0.1", "--port", &port.to_string()])
        .args([
            "--metrics-address",
            "127.0.0.1",
            "--metrics-port",
            &free_port()?.to_string(),
        ]);
    Process::start(folder, "commit-server", &command)
}

/// Applies the custom resource definition of ApplicationSets, which comes with the manifests that users install.
fn add_set_definition(tools: &Tools, cluster: &Cluster) -> Result<()> {
    let path = &tools.argocd_install;
    let install = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut documents = install.split("\n---\n");
    let definition = documents.find(|document| document.contains("\n  name: applicationsets.argoproj.io\n"));
    cluster.apply(definition.with_context(|| format!("{} does not define ApplicationSets", path.display()))?)?;
    // Until the API server serves them.
    until(&[], "ApplicationSet", || {
        cluster.api().list("ApplicationSet", "argocd/").is_ok()
    })
}

fn start_set_controller(folder: &Path, repo_servers: &RepoServers, cluster: &Cluster, metrics: u16) -> Result<Process> {
    let mut command = repo_servers.server("applicationset-controller", "argocd-applicationset-controller")?;
    command
        .arg("--kubeconfig")
        .arg(cluster.kubeconfig())
        .args(["--namespace", "argocd"])
        .args([
            "--argocd-repo-server",
            &local(repo_servers.port()?),
            "--repo-server-plaintext",
        ])
        .args(["--metrics-addr", &local(metrics)])
        .args([
            "--probe-addr",
            &local(free_port()?),
            "--webhook-addr",
            &local(free_port()?),
        ])
        .env("KUBECONFIG", cluster.kubeconfig());
    Process::start(folder, "applicationset-controller", &command)
}

fn healthy(port: u16) -> bool {
    let ask = || -> Result<bool> {
        let mut stream = TcpStream::connect(local(port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET /healthz HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.starts_with("HTTP/1.0 200") || answer.starts_with("HTTP/1.1 200"))
    };
    ask().unwrap_or(false)
}
