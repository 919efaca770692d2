//! The sidecar: its container, the init container that brings it helm and kustomize, and their volumes.

use serde_json::{Value, json};

use crate::model::sidecar::{CACHE, PLUGIN_SERVER, SERVERS, SIDECAR, SOCKETS, TEMPORARY, TOOLS, USER};

/// The volume and the init container of helm, kustomize and the certificates.
pub(super) const TOOLS_NAME: &str = "homelab-tools";
const TEMPORARY_NAME: &str = "homelab-tmp";
const CACHE_NAME: &str = "homelab-cache";
/// An optional Secret with logins for private charts, and where it is mounted.
const LOGINS_NAME: &str = "homelab-helm";
const LOGINS: &str = "/homelab-helm";
/// The volume of the optional Secret with logins for git, where it is mounted, and its file.
const GIT_LOGINS_NAME: &str = "homelab-git";
const GIT_LOGINS: &str = "/homelab-git";
const GIT_LOGINS_FILE: &str = "credentials";

/// Whose user the containers run as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum User {
    /// Argo CD's own, by number.
    ArgoCd,
    /// The one that the images or the platform set: OpenShift gives each namespace a range of its own.
    Image,
}

/// Returns what the Pod Security Standard `restricted` asks for, with a root file system that nobody can write to.
fn security_context(user: User) -> Value {
    let mut context = json!({"runAsNonRoot": true});
    if user == User::ArgoCd {
        context["runAsUser"] = json!(USER);
    }
    context["readOnlyRootFilesystem"] = json!(true);
    context["allowPrivilegeEscalation"] = json!(false);
    context["capabilities"] = json!({"drop": ["ALL"]});
    context["seccompProfile"] = json!({"type": "RuntimeDefault"});
    context
}

/// Returns the init container that takes helm, kustomize and the certificates out of Argo CD's own image.
pub(super) fn init_container(argo_cd: &str, user: User) -> Value {
    json!({
        "name": TOOLS_NAME,
        "image": argo_cd,
        "command": [
            "cp", "/usr/local/bin/helm", "/usr/local/bin/kustomize", "/etc/ssl/certs/ca-certificates.crt", format!("{TOOLS}/")
        ],
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": security_context(user),
        "volumeMounts": [{"name": TOOLS_NAME, "mountPath": TOOLS}],
    })
}

/// Returns the sidecar itself.
pub(super) fn container(image: &str, user: User) -> Value {
    let variable = |name: &str, value: String| json!({"name": name, "value": value});
    json!({
        "name": SIDECAR,
        "image": image,
        "command": [format!("{SERVERS}/{PLUGIN_SERVER}")],
        "env": [
            variable("PATH", format!("/usr/local/bin:{TOOLS}")),
            variable("SSL_CERT_FILE", format!("{TOOLS}/ca-certificates.crt")),
            variable("HOME", TEMPORARY.to_owned()),
            variable("HOMELAB_CACHE_DIR", CACHE.to_owned()),
            variable("HELM_REPOSITORY_CONFIG", format!("{LOGINS}/repositories.yaml")),
            variable("HELM_REGISTRY_CONFIG", format!("{LOGINS}/config.json")),
            variable("HOMELAB_GIT_CREDENTIALS", format!("{GIT_LOGINS}/{GIT_LOGINS_FILE}")),
            variable("HELM_CACHE_HOME", format!("{CACHE}/helm/cache")),
            variable("HELM_CONFIG_HOME", format!("{CACHE}/helm/config")),
            variable("HELM_DATA_HOME", format!("{CACHE}/helm/data")),
        ],
        "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "1Gi"}},
        "securityContext": security_context(user),
        "volumeMounts": [
            {"name": "var-files", "mountPath": SERVERS},
            {"name": "plugins", "mountPath": SOCKETS},
            {"name": TOOLS_NAME, "mountPath": TOOLS, "readOnly": true},
            {"name": LOGINS_NAME, "mountPath": LOGINS, "readOnly": true},
            {"name": GIT_LOGINS_NAME, "mountPath": GIT_LOGINS, "readOnly": true},
            {"name": TEMPORARY_NAME, "mountPath": TEMPORARY},
            {"name": CACHE_NAME, "mountPath": CACHE},
        ],
    })
}

/// Returns the volumes that the repo-server's pod does not have already; the logins for git are in this Secret.
pub(super) fn volumes(git_credentials: &str) -> Value {
    json!([
        {"name": TOOLS_NAME, "emptyDir": {"sizeLimit": "512Mi"}},
        // In memory: every render unpacks a part of a repository and throws it away.
        {"name": TEMPORARY_NAME, "emptyDir": {"medium": "Memory", "sizeLimit": "512Mi"}},
        {"name": LOGINS_NAME, "secret": {"secretName": LOGINS_NAME, "optional": true}},
        {"name": GIT_LOGINS_NAME, "secret": {"secretName": git_credentials, "optional": true}},
        // The plugin keeps it below 768 MiB.
        {"name": CACHE_NAME, "emptyDir": {"sizeLimit": "1Gi"}},
    ])
}
