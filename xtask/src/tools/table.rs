//! Which programs can be built, from which modules, and what that takes.

/// One program.
pub(crate) struct Tool {
    /// Its name, and the binary's.
    pub(super) name: &'static str,
    /// The folder below `tests/tools`.
    pub(super) module: &'static str,
    /// The Go package that is built; `./name` is one of our own, in a folder of the module.
    pub(super) package: &'static str,
    /// The Go module whose version the program says.
    pub(super) versioned: &'static str,
    /// Linker flags that set that version; `{v}` is `v1.2.3`, `{number}` is `1.2.3`, `{major}` and `{minor}` are its parts.
    pub(super) flags: &'static str,
    /// Files of that module that the program needs beside it, each a path inside the module.
    pub(super) files: &'static [&'static str],
    /// What a first build takes of the processors, in minutes.
    pub(super) minutes: f64,
    /// What a first build takes of the disk with Go's caches, in gigabytes.
    pub(super) gigabytes: f64,
}

/// Everything that can be built.
pub(crate) const TOOLS: &[Tool] = &[
    Tool {
        name: "helm",
        module: "helm",
        package: "helm.sh/helm/v4/cmd/helm",
        versioned: "helm.sh/helm/v4",
        flags: "-X helm.sh/helm/v4/internal/version.version={v}",
        files: &[],
        minutes: 1.7,
        gigabytes: 1.1,
    },
    Tool {
        name: "helm3",
        module: "helm3",
        package: "helm.sh/helm/v3/cmd/helm",
        versioned: "helm.sh/helm/v3",
        flags: "-X helm.sh/helm/v3/internal/version.version={v}",
        files: &[],
        minutes: 1.5,
        gigabytes: 0.9,
    },
    Tool {
        name: "kubectl",
        module: "kubernetes",
        package: "k8s.io/kubernetes/cmd/kubectl",
        versioned: "k8s.io/kubernetes",
        flags: KUBERNETES_VERSION,
        files: &[],
        minutes: 3.0,
        gigabytes: 2.0,
    },
    Tool {
        name: "yq",
        module: "yq",
        package: "github.com/mikefarah/yq/v4",
        versioned: "github.com/mikefarah/yq/v4",
        flags: "",
        files: &[],
        minutes: 0.4,
        gigabytes: 0.5,
    },
    Tool {
        name: "kustomize",
        module: "kustomize",
        package: "sigs.k8s.io/kustomize/kustomize/v5",
        versioned: "sigs.k8s.io/kustomize/kustomize/v5",
        flags: "",
        files: &[],
        minutes: 0.4,
        gigabytes: 0.5,
    },
    Tool {
        name: "etcd",
        module: "etcd",
        package: "go.etcd.io/etcd/server/v3",
        versioned: "go.etcd.io/etcd/server/v3",
        flags: "",
        files: &[],
        minutes: 0.7,
        gigabytes: 0.6,
    },
    Tool {
        name: "kube-apiserver",
        module: "kubernetes",
        package: "k8s.io/kubernetes/cmd/kube-apiserver",
        versioned: "k8s.io/kubernetes",
        flags: KUBERNETES_VERSION,
        files: &[],
        minutes: 7.4,
        gigabytes: 3.4,
    },
    Tool {
        name: "kube-controller-manager",
        module: "kubernetes",
        package: "k8s.io/kubernetes/cmd/kube-controller-manager",
        versioned: "k8s.io/kubernetes",
        flags: KUBERNETES_VERSION,
        files: &[],
        minutes: 2.4,
        gigabytes: 1.0,
    },
    Tool {
        name: "kube-scheduler",
        module: "kubernetes",
        package: "k8s.io/kubernetes/cmd/kube-scheduler",
        versioned: "k8s.io/kubernetes",
        flags: KUBERNETES_VERSION,
        files: &[],
        minutes: 0.2,
        gigabytes: 0.1,
    },
    Tool {
        name: "kwok",
        module: "kwok",
        package: "sigs.k8s.io/kwok/cmd/kwok",
        versioned: "sigs.k8s.io/kwok",
        flags: "-X sigs.k8s.io/kwok/pkg/consts.Version={v}",
        files: &[
            "kustomize/stage/node/fast/node-initialize.yaml",
            "kustomize/stage/node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
            "kustomize/stage/pod/fast/pod-ready.yaml",
            "kustomize/stage/pod/fast/pod-complete.yaml",
            "kustomize/stage/pod/fast/pod-delete.yaml",
        ],
        minutes: 1.9,
        gigabytes: 0.8,
    },
    Tool {
        name: "redis",
        module: "redis",
        package: ".",
        versioned: "github.com/alicebob/miniredis/v2",
        flags: "",
        files: &[],
        minutes: 0.1,
        gigabytes: 0.1,
    },
    Tool {
        name: "registry",
        module: "registry",
        package: ".",
        versioned: "github.com/distribution/distribution/v3",
        flags: "",
        files: &[],
        minutes: 0.5,
        gigabytes: 0.4,
    },
    Tool {
        name: "argocd",
        module: "argocd",
        package: "github.com/argoproj/argo-cd/v3/cmd",
        versioned: "github.com/argoproj/argo-cd/v3",
        flags: "-X github.com/argoproj/argo-cd/v3/common.version={number}",
        files: &[
            "manifests/crds/application-crd.yaml",
            "manifests/crds/appproject-crd.yaml",
            "manifests/install.yaml",
            "hack/git-verify-wrapper.sh",
        ],
        minutes: 6.7,
        gigabytes: 3.8,
    },
    // The client of its repo-server: with Argo CD's own types, so that a request is what this version understands.
    Tool {
        name: "generate-manifest",
        module: "argocd",
        package: "./generate",
        versioned: "github.com/argoproj/argo-cd/v3",
        flags: "",
        files: &[],
        minutes: 0.1,
        gigabytes: 0.1,
    },
    Tool {
        name: "kubectl-krew",
        module: "krew",
        package: "sigs.k8s.io/krew/cmd/krew",
        versioned: "sigs.k8s.io/krew",
        flags: "-X sigs.k8s.io/krew/internal/version.gitTag={v}",
        files: &[],
        minutes: 0.6,
        gigabytes: 0.4,
    },
    Tool {
        name: "validate-krew-manifest",
        module: "krew",
        package: "sigs.k8s.io/krew/cmd/validate-krew-manifest",
        versioned: "sigs.k8s.io/krew",
        flags: "",
        files: &[],
        minutes: 0.1,
        gigabytes: 0.1,
    },
];

const KUBERNETES_VERSION: &str = "-X k8s.io/component-base/version.gitVersion={v} -X k8s.io/component-base/version.gitMajor={major} -X k8s.io/component-base/version.gitMinor={minor} -X k8s.io/component-base/version.gitTreeState=clean";

/// What the tests need.
pub(crate) const FOR_TESTS: &[&str] = &[
    "helm",
    "kubectl",
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kwok",
    "redis",
    "registry",
    "argocd",
    "generate-manifest",
    "helm3",
    "kubectl-krew",
    "validate-krew-manifest",
];

/// What the tests of the installation need.
pub(crate) const FOR_INSTALL: &[&str] = &["helm", "kubectl", "kubectl-krew", "validate-krew-manifest"];
