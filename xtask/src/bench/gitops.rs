//! A generated GitOps repository: Applications in groups of ten that share a Namespace; half of their sources are folders
//! of the repository itself, the other half are elsewhere.

use std::fs;
use std::path::Path;

use anyhow::Result;

const URL: &str = "https://git.example.org/me/home";
const GROUP: usize = 10;

/// Writes a repository of `count` Applications and the two that apply them.
pub(super) fn write(folder: &Path, count: usize) -> Result<()> {
    for name in ["applications", "namespaces", "manifests"] {
        fs::create_dir_all(folder.join(name))?;
    }
    for (name, path) in [("root", "applications"), ("namespaces", "namespaces")] {
        let source = source(URL, path, "");
        write_application(folder, name, &source, "")?;
    }
    for index in 0..count {
        let namespace = format!("space-{}", index / GROUP);
        let parameters = parameters(index);
        let source = if is_inside(index) {
            let path = format!("manifests/app-{index}");
            write_manifests(&folder.join(&path), index)?;
            source(URL, &path, &parameters)
        } else {
            source(&format!("https://git.example.org/me/app-{index}"), "helm", &parameters)
        };
        write_application(folder, &format!("app-{index}"), &source, &namespace)?;
        if index % GROUP == 0 {
            let text = format!(
                "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {namespace}\n  labels:\n    pod-security.kubernetes.io/enforce: baseline\n"
            );
            fs::write(folder.join(format!("namespaces/{namespace}.yaml")), text)?;
        }
    }
    Ok(())
}

/// Reports whether the manifests of an Application are in the repository.
fn is_inside(index: usize) -> bool {
    index % 2 == 1
}

/// Returns the plugin's parameters: each Application owns a claim; all but the first of a group mount the first one's.
fn parameters(index: usize) -> String {
    let first = index - index % GROUP;
    let mounts = if index == first {
        String::new()
    } else {
        format!("      - name: mounts\n        array:\n        - data-{first}:/data\n")
    };
    format!("      parameters:\n      - name: owns\n        array:\n        - data-{index}\n{mounts}")
}

fn source(url: &str, path: &str, parameters: &str) -> String {
    format!(
        "  source:\n    repoURL: {url}\n    path: {path}\n    targetRevision: main\n    plugin:\n      name: homelab-v1\n{parameters}"
    )
}

fn write_application(folder: &Path, name: &str, source: &str, namespace: &str) -> Result<()> {
    let destination = if namespace.is_empty() {
        String::new()
    } else {
        format!("    namespace: {namespace}\n")
    };
    let text = format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: {name}\n  namespace: argocd\n  finalizers:\n  - resources-finalizer.argocd.argoproj.io\nspec:\n  project: default\n{source}  destination:\n    server: https://kubernetes.default.svc\n{destination}  syncPolicy:\n    automated:\n      prune: true\n      selfHeal: true\n    retry:\n      limit: 5\n      refresh: true\n"
    );
    Ok(fs::write(folder.join(format!("applications/{name}.yaml")), text)?)
}

/// Writes a folder of manifests: a workload and the claim that it writes.
fn write_manifests(folder: &Path, index: usize) -> Result<()> {
    fs::create_dir_all(folder)?;
    let workload = format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app-{index}\nspec:\n  selector:\n    matchLabels:\n      app: app-{index}\n  template:\n    metadata:\n      labels:\n        app: app-{index}\n    spec:\n      containers:\n      - name: main\n        image: example.org/image:1\n        volumeMounts:\n        - name: own\n          mountPath: /own\n      volumes:\n      - name: own\n        persistentVolumeClaim:\n          claimName: data-{index}\n"
    );
    fs::write(folder.join("workload.yaml"), workload)?;
    let claim = format!(
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: data-{index}\nspec:\n  accessModes:\n  - ReadWriteOnce\n  resources:\n    requests:\n      storage: 1Gi\n"
    );
    Ok(fs::write(folder.join("claim.yaml"), claim)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use homelab::disk::Checkout;
    use homelab::repo::Repo;

    #[test]
    fn half_of_the_sources_are_folders_of_the_repository() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), 20).unwrap();
        let repo = Repo::read(&Checkout::open(folder.path()).unwrap(), &[]).unwrap();
        let apps = repo.applications().filter(|(_, app)| app.name().starts_with("app-"));
        let urls: Vec<String> = apps.map(|(_, app)| app.sources()[0].repo_url().to_owned()).collect();
        assert_eq!(urls.len(), 20);
        assert_eq!(urls.iter().filter(|url| repo.is_own(url)).count(), 10);
    }
}
