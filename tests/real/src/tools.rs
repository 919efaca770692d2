//! The paths of the real programs. `cargo xtask tools` builds them from pinned Go modules.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The programs that render.
#[derive(Debug, Clone)]
pub struct RenderTools {
    /// The program under test, as the plugin and as the command line.
    pub program: PathBuf,
    /// Helm, for the plugin and for Argo CD itself.
    pub helm: PathBuf,
    /// Kustomize, for the plugin and for Argo CD itself.
    pub kustomize: PathBuf,
    /// A small Redis.
    pub redis: PathBuf,
    /// All servers of Argo CD in one program; its custom resource definitions are beside it.
    pub argocd: PathBuf,
}

/// The programs that a world consists of.
#[derive(Debug, Clone)]
pub struct Tools {
    /// The programs that render.
    pub render: RenderTools,
    /// kubectl.
    pub kubectl: PathBuf,
    /// The manifests that users install Argo CD with.
    pub argocd_install: PathBuf,
    /// etcd.
    pub etcd: PathBuf,
    /// The API server.
    pub kube_apiserver: PathBuf,
    /// The controller manager.
    pub kube_controller_manager: PathBuf,
    /// The scheduler.
    pub kube_scheduler: PathBuf,
    /// kwok, which simulates nodes; its stages are beside it.
    pub kwok: PathBuf,
}

impl RenderTools {
    /// Gets each program by its name; `program` is the one under test.
    pub fn new(get: impl Fn(&str) -> Result<PathBuf>) -> Result<Self> {
        Ok(Self {
            program: get("program")?,
            helm: get("helm")?,
            kustomize: get("kustomize")?,
            redis: get("redis")?,
            argocd: get("argocd")?,
        })
    }
}

impl Tools {
    /// Gets each program by its name; `program` is the one under test.
    pub fn new(get: impl Fn(&str) -> Result<PathBuf>) -> Result<Self> {
        Ok(Self {
            render: RenderTools::new(&get)?,
            kubectl: get("kubectl")?,
            argocd_install: get("argocd-install")?,
            etcd: get("etcd")?,
            kube_apiserver: get("kube-apiserver")?,
            kube_controller_manager: get("kube-controller-manager")?,
            kube_scheduler: get("kube-scheduler")?,
            kwok: get("kwok")?,
        })
    }

    /// Returns the programs that `cargo xtask test` names in `HOMELAB_TEST_*`.
    pub fn of_the_test_run() -> Result<Self> {
        Self::new(of_the_test_run)
    }

    /// Returns the path of a file beside a program.
    pub(crate) fn beside(program: &Path, name: &str) -> PathBuf {
        program.with_file_name(name)
    }
}

/// Returns the program that `cargo xtask test` names in `HOMELAB_TEST_*`.
pub fn of_the_test_run(name: &str) -> Result<PathBuf> {
    let variable = format!("HOMELAB_TEST_{}", name.replace('-', "_").to_uppercase());
    let path = std::env::var_os(&variable);
    path.map(PathBuf::from)
        .with_context(|| format!("{variable} is not set: run `cargo xtask test`"))
}
