//! What a repository says about itself and its cluster, in `.homelab.yaml`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::declared_cluster::DeclaredCluster;

/// The facts that a command line would otherwise have to repeat. What is absent is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The Kubernetes version that charts see, as it is written.
    pub kube_version: Option<String>,
    /// The API versions that charts see besides helm's own, as `group/version[/Kind]`.
    pub api_versions: Vec<String>,
    /// The distribution of Kubernetes.
    pub flavour: Option<Flavour>,
    /// How many nodes the cluster has.
    pub nodes: Option<u64>,
    /// The levels of rules that are not their own, by id.
    pub levels: BTreeMap<&'static str, Level>,
    /// The files that are never scanned, as patterns in the form of `.gitignore`.
    pub exclude: Vec<String>,
    /// Other addresses of this repository.
    pub repo_urls: Vec<String>,
    /// What somebody applies by hand or with a script.
    pub roots: Vec<Root>,
    /// The clusters of Argo CD that no Secret in the repository describes.
    pub clusters: Vec<DeclaredCluster>,
    /// What generators would give that need a server; a command line says it, and no file of the repository.
    pub generator_outputs: Vec<GeneratorOutput>,
}

/// What a generator of an ApplicationSet would give that needs a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratorOutput {
    /// The name of the set.
    pub set: String,
    /// The kind of the generator, as the set's field is called; `None` for the only one that needs a server.
    pub generator: Option<String>,
    /// Its sets of parameters.
    pub parameters: Vec<Map<String, Value>>,
}

impl GeneratorOutput {
    /// The generators that need a server.
    pub const KINDS: [&str; 4] = ["scmProvider", "pullRequest", "plugin", "clusterDecisionResource"];
}

impl Settings {
    /// Adds clusters, each in the place of those that have its name or its server.
    pub fn add_clusters(&mut self, clusters: Vec<DeclaredCluster>) {
        self.clusters
            .retain(|known| !clusters.iter().any(|cluster| cluster.is_twin_of(known)));
        self.clusters.extend(clusters);
    }
}

/// A chart or a folder of the repository that somebody applies by hand or with a script. Two of one chart are two instances
/// of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// The chart or the folder, from the repository's top and without `.` and `..`; empty for the top itself.
    pub path: String,
    /// The name of its instance: a chart's release. That of the folder where none is given.
    pub name: String,
    /// The namespace that it is applied to: Argo CD's. `None` where the repository has to tell.
    pub namespace: Option<String>,
    /// The chart's value files, from the repository's top and without `.` and `..`; a later one wins.
    pub values: Vec<String>,
    /// Values by their names, as `helm --set` takes them; they win over the files.
    pub parameters: BTreeMap<String, String>,
}

/// What a finding of a rule counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Nothing: it is not reported.
    Off,
    /// A warning.
    Warning,
    /// An error.
    Error,
}

impl Level {
    /// All levels, with their names.
    pub const NAMES: [(Level, &'static str); 3] = [
        (Level::Off, Level::Off.name()),
        (Level::Warning, Level::Warning.name()),
        (Level::Error, Level::Error.name()),
    ];

    /// Returns its name.
    pub const fn name(self) -> &'static str {
        match self {
            Level::Off => "off",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }
}

/// A distribution of Kubernetes: it decides which storage classes and controllers a cluster has without a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// k3s, also as k3d.
    K3s,
    /// kind.
    Kind,
    /// k0s.
    K0s,
    /// MicroK8s.
    Microk8s,
    /// minikube.
    Minikube,
    /// RKE2.
    Rke2,
    /// Talos Linux.
    Talos,
    /// kubeadm.
    Kubeadm,
}

impl Flavour {
    /// All distributions, with their names.
    pub const NAMES: [(Flavour, &'static str); 8] = [
        (Flavour::K3s, "k3s"),
        (Flavour::Kind, "kind"),
        (Flavour::K0s, "k0s"),
        (Flavour::Microk8s, "microk8s"),
        (Flavour::Minikube, "minikube"),
        (Flavour::Rke2, "rke2"),
        (Flavour::Talos, "talos"),
        (Flavour::Kubeadm, "kubeadm"),
    ];

    /// Returns the storage class that a cluster has by itself, its default one; `None` for a distribution without one.
    pub fn own_class(self) -> Option<&'static str> {
        match self {
            // https://docs.k3s.io/storage
            Flavour::K3s => Some("local-path"),
            // https://github.com/kubernetes-sigs/kind/blob/main/pkg/build/nodeimage/const_storage.go
            // https://minikube.sigs.k8s.io/docs/handbook/persistent_volumes/
            Flavour::Kind | Flavour::Minikube => Some("standard"),
            // https://microk8s.io/docs/addon-hostpath-storage
            Flavour::Microk8s => Some("microk8s-hostpath"),
            Flavour::K0s | Flavour::Rke2 | Flavour::Talos | Flavour::Kubeadm => None,
        }
    }

    /// Returns the storage class that is Rancher's local-path provisioner.
    pub fn local_path_class(self) -> Option<&'static str> {
        matches!(self, Flavour::K3s | Flavour::Kind)
            .then(|| self.own_class())
            .flatten()
    }

    /// Returns its name.
    pub fn name(self) -> &'static str {
        let mut names = Self::NAMES.iter();
        names.find(|(flavour, _)| *flavour == self).map_or("", |(_, name)| name)
    }
}
