//! `init`: a new GitOps repository with Argo CD's own Namespace in it, or the shipped one with its placeholder filled in.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow, bail};
use json_patch::Patch;
use serde_json::{Value, json};

use super::add_namespace::{self, add_namespace};
use crate::failure::HintExt;
use crate::model::NamespaceName;
use crate::model::application::{FINALIZER, GENERATE_PATHS, PLUGIN_NAME};
use crate::model::repo_url;
use crate::model::repo_url::{PLACEHOLDER, has_placeholder};
use crate::repo::layout::APPLICATIONS;
use crate::repo::layout::NAMESPACES;
use crate::repo::{Change, ChangeSet, Repo, RepoPath};
use crate::yaml;

/// A request to set up a repository.
#[derive(Clone, Debug)]
pub struct Request {
    /// The URL from which Argo CD reads this repository.
    pub repo_url: String,
    /// The revision that Argo CD follows.
    pub revision: String,
    /// The namespace that Argo CD runs in.
    pub argocd_namespace: String,
    /// Whether missing files are added to a repository that has Applications already.
    pub force: bool,
}

/// Makes the root Application and the one for Namespaces, and replaces the placeholder in every URL.
///
/// # Errors
/// When the repository has Applications already (without `force` and without a placeholder in them), or the URL is
/// none.
pub fn init(repo: &Repo, request: &Request) -> Result<ChangeSet> {
    repo_url::usable(&request.repo_url, false)?;
    if let Some(text) = repo_url::placeholder(&request.repo_url) {
        return Err(anyhow!("`{}` has the placeholder `{text}`", request.repo_url)
            .hint("name the URL under which Argo CD reads this repository with `--repo-url URL`"));
    }
    let filled = fill_placeholder(repo, request)?;
    if !filled.changes.is_empty() {
        return Ok(filled);
    }
    let has_applications = repo.applications().next().is_some();
    if has_applications && !request.force {
        return Err(anyhow!("the repository has Applications already")
            .hint("list them with `kubectl homelab init --adopt`, or add a root Application with `--force`"));
    }
    let mut changes = ChangeSet::default();
    let namespaces = repo
        .namespaces_application()
        .is_none()
        .then(|| ("namespaces", namespaces_application(request)));
    let root = repo
        .root_application()
        .is_none()
        .then(|| ("root", root_application(request)));
    for (name, tree) in namespaces.into_iter().chain(root) {
        let path = RepoPath::new(&format!("{APPLICATIONS}/{name}.yaml"))?;
        changes.changes.push(Change::Create {
            path,
            text: yaml::emit(&tree)?,
        });
    }
    let after = repo.with(&changes)?;
    changes.changes.extend(first_namespace(&after, request)?.changes);
    Ok(changes)
}

/// Adds Argo CD's own Namespace, where the Application of the Namespaces would have none to sync: Argo CD reports a folder
/// that is not there as an error. No pod that runs today is refused by it.
fn first_namespace(repo: &Repo, request: &Request) -> Result<ChangeSet> {
    let Some(app) = repo.namespaces_application() else {
        return Ok(ChangeSet::default());
    };
    let sources = repo.folder_sources(&app);
    if repo
        .files
        .keys()
        .any(|file| sources.iter().any(|source| source.reads(file)))
    {
        return Ok(ChangeSet::default());
    }
    let level = |mode: &str, level: &str| (format!("pod-security.kubernetes.io/{mode}"), level.to_owned());
    let levels = [
        level("enforce", "privileged"),
        level("audit", "baseline"),
        level("warn", "baseline"),
    ];
    let mut namespace = add_namespace::Request::new(NamespaceName::new(&request.argocd_namespace)?);
    namespace.labels = BTreeMap::from(levels);
    add_namespace(repo, &namespace)
}

/// Replaces the placeholder: in URLs of this repository by the whole new URL, in others by its owner.
fn fill_placeholder(repo: &Repo, request: &Request) -> Result<ChangeSet> {
    let owner = owner_of(&request.repo_url);
    let mut changes = ChangeSet::default();
    for (manifest, app) in repo.applications() {
        let mut operations = Vec::new();
        for source in app.sources().iter().filter(|source| has_placeholder(source.repo_url())) {
            let own = repo
                .folder_sources(&app)
                .iter()
                .any(|source| repo.files.keys().any(|file| file.is_in(source.folder())));
            let url = if own && repo.is_own(source.repo_url()) {
                request.repo_url.clone()
            } else {
                let Some(owner) = &owner else {
                    bail!(
                        "`{}` names no owner to put in the place of `{PLACEHOLDER}`",
                        request.repo_url
                    );
                };
                source
                    .repo_url()
                    .replace(&format!("/{PLACEHOLDER}/"), &format!("/{owner}/"))
            };
            operations.push(json!({"op": "replace", "path": source.at(&["repoURL"]), "value": url}));
        }
        if !operations.is_empty() {
            let patch: Patch = serde_json::from_value(Value::Array(operations))?;
            changes.changes.push(Change::Patch {
                path: manifest.file.clone(),
                document: manifest.document,
                patch,
            });
        }
    }
    Ok(changes)
}

/// Returns the part of a URL between the host and the repository's name.
fn owner_of(url: &str) -> Option<String> {
    let normalized = repo_url::normalized(url);
    let (rest, _) = normalized.rsplit_once('/')?;
    let (_, owner) = rest.split_once('/')?;
    (!owner.is_empty()).then(|| owner.to_owned())
}

fn application(request: &Request, name: &str, path: &str) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": request.argocd_namespace},
        "spec": {
            "project": "default",
            "source": {"repoURL": request.repo_url, "path": path, "targetRevision": request.revision},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": request.argocd_namespace},
            "syncPolicy": {
                "automated": {"prune": true, "selfHeal": true},
                "retry": {"limit": 5, "refresh": true},
            },
        },
    })
}

fn root_application(request: &Request) -> Value {
    application(request, "root", APPLICATIONS)
}

/// Returns the Application of the Namespaces, which is synced first and writes the ownership registry.
fn namespaces_application(request: &Request) -> Value {
    let mut tree = application(request, "namespaces", NAMESPACES);
    tree["metadata"]["annotations"] = json!({
        GENERATE_PATHS: format!(".;/{APPLICATIONS}"),
        "argocd.argoproj.io/sync-wave": "-10",
    });
    tree["metadata"]["finalizers"] = json!([FINALIZER]);
    tree["spec"]["source"]["plugin"] = json!({"name": PLUGIN_NAME});
    // Namespaces are cluster-scoped, so that the destination has no namespace.
    tree["spec"]["destination"] = json!({"server": "https://kubernetes.default.svc"});
    tree
}

/// Describes an existing repository for a user who considers adopting it.
pub fn adopt(repo: &Repo) -> Vec<String> {
    let mut found = vec![format!(
        "Applications: {}, files: {}",
        repo.applications().count(),
        repo.files.len()
    )];
    let folder = |what: &str, path: &RepoPath| format!("new {what} go to `{path}`");
    let folders = repo
        .applications()
        .next()
        .map(|(manifest, _)| folder("Applications", &manifest.file.parent()));
    found.extend(folders);
    found.extend(
        repo.namespaces()
            .next()
            .map(|manifest| folder("Namespaces", &manifest.file.parent())),
    );
    found.push(match repo.root_application() {
        Some((manifest, app)) => format!("root Application `{}` in `{}`", app.name(), manifest.file),
        None => "no root Application: one file does not bring everything".to_owned(),
    });
    found.push(match repo.namespaces_application() {
        Some(app) => format!(
            "Namespaces: {1}, synced by Application `{0}`",
            app.name(),
            repo.namespaces().count()
        ),
        None => "no Application syncs Namespaces".to_owned(),
    });
    let converted = repo
        .applications()
        .filter(|(_, app)| app.sources().iter().any(crate::model::Source::uses_homelab_plugin))
        .count();
    found.push(format!("rendered by the plugin `{PLUGIN_NAME}`: {converted}"));
    found.extend(
        repo.malformed
            .iter()
            .map(|malformed| format!("cannot be read: {malformed}")),
    );
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::Memory;

    fn request() -> Request {
        Request {
            repo_url: "https://git.example.org/me/home-gitops".to_owned(),
            revision: "main".to_owned(),
            argocd_namespace: "argocd".to_owned(),
            force: false,
        }
    }

    #[test]
    fn an_empty_repository_gets_its_two_applications() {
        let repo = Repo::default();
        let after = repo.with(&init(&repo, &request()).unwrap()).unwrap();
        assert_eq!(after.root_application().unwrap().1.name(), "root");
        assert_eq!(after.namespaces_application().unwrap().name(), "namespaces");
        assert_eq!(
            after.namespace("argocd").unwrap().file.as_str(),
            "namespaces/argocd.yaml"
        );
        assert!(
            init(&after, &request())
                .unwrap_err()
                .to_string()
                .contains("has Applications already")
        );
        assert!(
            init(
                &after,
                &Request {
                    force: true,
                    ..request()
                }
            )
            .unwrap()
            .changes
            .is_empty()
        );
    }

    #[test]
    fn the_placeholder_becomes_the_owner() {
        let app = |name: &str, url: &str, path: &str| {
            format!(
                "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: {name}\nspec:\n  source:\n    repoURL: {url}\n    path: {path}\n"
            )
        };
        let root = app("root", "https://git.example.org/OWNER/kubectl-homelab", "applications");
        let media = app("media", "https://git.example.org/OWNER/home-media", "helm/jellyfin");
        let files = Memory::new([
            ("applications/root.yaml", root.as_str()),
            ("applications/media.yaml", &media),
        ])
        .unwrap();
        let repo = Repo::read(&files, &[]).unwrap();
        let after = repo.with(&init(&repo, &request()).unwrap()).unwrap();
        let url = |name: &str| after.application(name).unwrap().1.sources()[0].repo_url().to_owned();
        assert_eq!(url("root"), "https://git.example.org/me/home-gitops");
        assert_eq!(url("media"), "https://git.example.org/me/home-media");
    }
}
