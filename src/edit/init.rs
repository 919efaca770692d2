//! `init`: a new GitOps repository with Argo CD's own Namespace in it, the shipped one with its placeholder filled in, or an
//! existing one with what it lacks.

mod existing;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, anyhow, bail};
use json_patch::Patch;
use serde_json::{Value, json};

use super::add_namespace::{self, add_namespace};
use crate::failure::HintExt;
use crate::model::application::{FINALIZER, GENERATE_PATHS, GROUP, PLUGIN_NAME};
use crate::model::repo_url;
use crate::model::repo_url::{PLACEHOLDER, has_placeholder};
use crate::model::{AppName, NamespaceName};
use crate::repo::generate_paths;
use crate::repo::layout::APPLICATIONS;
use crate::repo::layout::NAMESPACES;
use crate::repo::{Change, ChangeSet, Repo, RepoPath};
use crate::yaml;

pub use existing::adopt;

/// A request to set up a repository.
#[derive(Clone, Debug)]
pub struct Request {
    /// The URL from which Argo CD reads this repository.
    pub repo_url: String,
    /// The revision that Argo CD follows.
    pub revision: String,
    /// The namespace that Argo CD runs in.
    pub argocd_namespace: String,
    /// Whether a root Application is added to a repository whose Applications are applied by hand.
    pub force: bool,
    /// The folder for the Application of the Namespaces; by default the one of the others.
    pub folder: Option<RepoPath>,
}

/// What a repository gets.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// The changes.
    pub changes: ChangeSet,
    /// What is left as it is, and what is to be known.
    pub notes: Vec<String>,
}

/// Makes the root Application and the one for Namespaces, or replaces the placeholder in every URL. In a repository that has
/// Applications, it adds what is missing.
///
/// # Errors
/// When the URL is none, or what is missing has no place.
pub fn init(repo: &Repo, request: &Request) -> Result<Setup> {
    repo_url::usable(&request.repo_url, false)?;
    if let Some(text) = repo_url::placeholder(&request.repo_url) {
        return Err(anyhow!("`{}` has the placeholder `{text}`", request.repo_url)
            .hint("name the URL under which Argo CD reads this repository with `--repo-url URL`"));
    }
    let filled = fill_placeholder(repo, request)?;
    if !filled.changes.is_empty() {
        return Ok(Setup {
            changes: filled,
            notes: Vec::new(),
        });
    }
    let mut repo = repo.clone();
    if !repo.is_own(&request.repo_url) {
        repo.add_own_url(&request.repo_url);
    }
    match repo.applications().next().is_none() && repo.unknown.is_empty() && repo.unexpanded_sets().next().is_none() {
        true => new_repository(&repo, request),
        false => existing_repository(&repo, request),
    }
}

fn new_repository(repo: &Repo, request: &Request) -> Result<Setup> {
    let mut changes = ChangeSet::default();
    for (name, tree) in [
        ("root", application(request, "root", APPLICATIONS)),
        (
            NAMESPACES,
            namespaces_application(request, &[RepoPath::new(APPLICATIONS)?])?,
        ),
    ] {
        changes.changes.push(Change::Create {
            path: RepoPath::new(&format!("{APPLICATIONS}/{name}.yaml"))?,
            text: yaml::emit(&tree)?,
        });
    }
    let after = repo.with(&changes)?;
    Ok(Setup {
        changes: behind(first_namespace(&after, request)?, changes),
        notes: Vec::new(),
    })
}

/// Returns the changes of Applications behind those of what they sync: where a run is killed in between, the same command finds that
/// they are missing, and goes on.
fn behind(synced: ChangeSet, applications: ChangeSet) -> ChangeSet {
    ChangeSet {
        changes: synced.changes.into_iter().chain(applications.changes).collect(),
    }
}

/// Adds what an existing repository lacks: the Application of the Namespaces, and, where that is asked for, a root.
fn existing_repository(repo: &Repo, request: &Request) -> Result<Setup> {
    let mut setup = Setup::default();
    let roots = existing::roots(repo);
    setup
        .notes
        .extend(roots.iter().map(|root| format!("left alone: {root}")));
    if roots.is_empty() && request.force {
        setup.changes = root_over_applications(repo, request)?;
    } else if roots.is_empty() {
        setup.notes.push(
            "there is no root: the Applications are applied by hand; `--force` adds an Application that syncs them"
                .to_owned(),
        );
    }
    let repo = repo.with(&setup.changes)?;
    if let Some(app) = repo.namespaces_application() {
        setup.notes.push(format!(
            "left alone: Application `{}`, which syncs Namespaces",
            app.name()
        ));
        return Ok(setup);
    }
    if let Some((other, _)) = repo.application(NAMESPACES) {
        return Err(anyhow!(
            "Application `{NAMESPACES}` in `{}` syncs no Namespaces of this repository",
            other.file
        )
        .hint(format!(
            "add an Application of another name for the folder `{NAMESPACES}` by hand"
        )));
    }
    let place = repo.place_for_application(&AppName::new(NAMESPACES)?, request.folder.as_ref());
    let place = place.map_err(|why| match &request.folder {
        Some(_) => why,
        None => anyhow!("the new Application `{NAMESPACES}` has no place: {why}")
            .hint("name its folder with `--dir DIR`; if nothing syncs that, apply the file by hand"),
    })?;
    if place.synced_by.is_none() {
        setup.notes.push(format!(
            "no Application syncs `{0}`: apply it by hand with `kubectl apply -f {0}`",
            place.path
        ));
    }
    let mut reads = repo.registry_reads();
    if !reads.iter().any(|read| place.path.is_in(read)) {
        reads.push(place.path.clone());
    }
    let text = yaml::emit(&namespaces_application(request, &reads)?)?;
    let added = ChangeSet {
        changes: place.create(text),
    };
    let after = repo.with(&added)?;
    let added = behind(first_namespace(&after, request)?, added);
    setup.changes.changes.extend(added.changes);
    Ok(setup)
}

/// Adds a root Application beside those that are applied by hand.
///
/// # Errors
/// When they are in several folders, or not alone in theirs.
fn root_over_applications(repo: &Repo, request: &Request) -> Result<ChangeSet> {
    let folders: BTreeSet<RepoPath> = repo
        .applications()
        .map(|(manifest, _)| manifest.file.parent())
        .collect();
    let mut folders = folders.into_iter();
    let (Some(folder), None) = (folders.next(), folders.next()) else {
        return Err(
            anyhow!("the Applications are in several folders, which no root of one folder syncs")
                .hint("write the root Application by hand: its `path`, and `directory.recurse` and `include`"),
        );
    };
    let name = match repo.application("root") {
        None => "root",
        Some(_) => bail!("Application `root` is already there, and brings no others"),
    };
    let path = folder.join(&format!("{name}.yaml"))?;
    let tree = application(request, name, if folder.is_root() { "." } else { folder.as_str() });
    let is_application = |manifest: &&crate::repo::Manifest| manifest.object.group() == GROUP;
    let source = crate::repo::FolderSource::flat(folder.clone());
    if let Some(other) = repo.listed_in(&source).find(|file| {
        let mut manifests = repo.manifests.iter().filter(|manifest| manifest.file == **file);
        !repo.files.contains_key(*file) || !manifests.all(|manifest| is_application(&manifest))
    }) {
        return Err(
            anyhow!("a root Application of `{folder}` would sync `{other}`, too, which is no Application")
                .hint("move the Applications into a folder of their own"),
        );
    }
    Ok(ChangeSet {
        changes: vec![Change::Create {
            path,
            text: yaml::emit(&tree)?,
        }],
    })
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
    // Declared elsewhere, it stays there.
    if repo.namespace(&request.argocd_namespace).is_some() {
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

/// Returns the Application of the Namespaces, which is synced first and writes the ownership registry.
fn namespaces_application(request: &Request, reads: &[RepoPath]) -> Result<Value> {
    let mut tree = application(request, "namespaces", NAMESPACES);
    tree["metadata"]["annotations"] = json!({
        GENERATE_PATHS: generate_paths::of(&RepoPath::new(NAMESPACES)?, reads),
        "argocd.argoproj.io/sync-wave": "-10",
    });
    tree["metadata"]["finalizers"] = json!([FINALIZER]);
    tree["spec"]["source"]["plugin"] = json!({"name": PLUGIN_NAME});
    // Namespaces are cluster-scoped, so that the destination has no namespace.
    tree["spec"]["destination"] = json!({"server": "https://kubernetes.default.svc"});
    Ok(tree)
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
            folder: None,
        }
    }

    #[test]
    fn an_empty_repository_gets_its_two_applications() {
        let repo = Repo::default();
        let after = repo.with(&init(&repo, &request()).unwrap().changes).unwrap();
        assert_eq!(after.root_application().unwrap().1.name(), "root");
        assert_eq!(after.namespaces_application().unwrap().name(), "namespaces");
        assert_eq!(
            after.namespace("argocd").unwrap().file.as_str(),
            "namespaces/argocd.yaml"
        );
        for force in [false, true] {
            let again = init(&after, &Request { force, ..request() }).unwrap();
            assert_eq!(again.changes, ChangeSet::default());
            assert_eq!(
                again.notes,
                [
                    "left alone: root Application `root` in `applications/root.yaml`",
                    "left alone: Application `namespaces`, which syncs Namespaces"
                ]
            );
        }
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
        let after = repo.with(&init(&repo, &request()).unwrap().changes).unwrap();
        let url = |name: &str| after.application(name).unwrap().1.sources()[0].repo_url().to_owned();
        assert_eq!(url("root"), "https://git.example.org/me/home-gitops");
        assert_eq!(url("media"), "https://git.example.org/me/home-media");
    }
}
