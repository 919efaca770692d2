//! The controller of Argo Rollouts, whose workloads are custom resources that make ReplicaSets.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::cluster::Cluster;
use crate::process::{Process, free_port, until};
use crate::tools::{Tools, of_the_test_run};

/// Its custom resource definitions, which are beside the program.
const DEFINITIONS: [&str; 5] = [
    "rollout-crd.yaml",
    "experiment-crd.yaml",
    "analysis-run-crd.yaml",
    "analysis-template-crd.yaml",
    "cluster-analysis-template-crd.yaml",
];

/// Starts the controller on a cluster, with its custom resource definitions. It runs as long as the result lives.
pub(crate) fn start(folder: &Path, cluster: &Cluster) -> Result<Process> {
    let program = of_the_test_run("argo-rollouts")?;
    for name in DEFINITIONS {
        let path = Tools::beside(&program, name);
        cluster.apply(&fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?)?;
    }
    until(&[], "Rollout", || cluster.api().list("Rollout", "").is_ok())?;
    let mut command = Command::new(program);
    command.arg("--kubeconfig").arg(cluster.kubeconfig());
    command.args(["--namespace", "argocd", "--leader-elect=false"]);
    for port in ["--metricsPort", "--healthzPort"] {
        command.arg(format!("{port}={}", free_port()?));
    }
    Process::start(folder, "argo-rollouts", &command)
}
