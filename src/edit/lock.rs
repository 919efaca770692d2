//! `lock enable` and `lock disable`: the policies of the lock in the repository, behind an Application of their own.

pub mod stamps;

use anyhow::{Result, anyhow};
use json_patch::Patch;
use serde_json::{Value, json};

use super::Edit;
use crate::failure::HintExt;
use crate::lock::{BINDING, GROUP, POLICY, Part, PolicyState, VERSION};
use crate::model::application::{self, FINALIZER, GENERATE_PATHS};
use crate::model::{AppName, Application, Object};
use crate::repo::{Change, ChangeSet, FolderSource, Manifest, Origin, Repo, RepoPath};
use crate::rules::lock_is_current::{LockPart, all_lock_parts, lock_parts, renewed};
use crate::yaml;

/// The folders of the policies; the second one where an ApplicationSet would take the first for one of its own, which it does
/// not with a name that begins with a dot.
const FOLDERS: [&str; 2] = ["lock", ".lock"];
/// The names of the Application; the second one where the first is taken.
const NAMES: [&str; 2] = ["lock", "storage-lock"];

/// A request to enable the lock.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The folder for the Application; by default the one of the others.
    pub dir: Option<RepoPath>,
    /// The folder for the policies.
    pub path: Option<RepoPath>,
}

/// Writes the policies of a part, or brings them up to date; adds the Application that syncs them.
///
/// # Errors
/// When a newer version of this program has written them, one is no document, or there is no place for the Application.
pub fn enable(repo: &Repo, part: Part, request: &Request) -> Result<Edit> {
    let parts = lock_parts(repo, part);
    let mut changes = ChangeSet::default();
    for part in &parts {
        if let PolicyState::Newer(version) = part.state() {
            return Err(anyhow!(
                "a newer version of this program has written the policy `{}`: it has the version {version}, this one writes {VERSION}",
                part.expected.name
            )
            .hint("update this program"));
        }
        changes.changes.extend(renewals(part)?);
    }
    let is_new = parts.iter().all(|part| part.state() == PolicyState::Missing);
    let all = all_lock_parts(repo);
    let folder = folder(repo, request, &all)?;
    let files = missing(&parts, &folder)?;
    let mut notes = Vec::new();
    if !files.is_empty() {
        check_alone(repo, &folder, &all)?;
        let readers = repo.synced_folders();
        match readers.readers(files[0].path()).next() {
            Some(app) => notes.push(format!("Application `{}` syncs `{folder}`", app.name())),
            None => changes
                .changes
                .extend(new_application(repo, request, &folder, &mut notes)?),
        }
        changes.changes.extend(files);
    }
    let message = match is_new {
        true => format!("Lock {}", part.name()),
        false => format!("Update the lock on {}", part.name()),
    };
    Ok(Edit {
        changes,
        message,
        notes,
        next: Some("push it, and check it in the cluster with `kubectl homelab lock status`".to_owned()),
        ..Edit::default()
    })
}

/// Returns the changes of the manifests that are there.
fn renewals(part: &LockPart<'_>) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    for (manifest, expected) in [
        (part.policy, &part.expected.policy),
        (part.binding, &part.expected.binding),
    ] {
        let Some(manifest) = manifest else { continue };
        let operations = renewed(manifest, expected);
        if operations.is_empty() {
            continue;
        }
        manifest.check_editable()?;
        changes.push(Change::Patch {
            path: manifest.file.clone(),
            document: manifest.document,
            patch: Patch(operations),
        });
    }
    Ok(changes)
}

/// Returns the files of what is missing: a policy and its binding in one.
fn missing(parts: &[LockPart<'_>], folder: &RepoPath) -> Result<Vec<Change>> {
    let mut files = Vec::new();
    for part in parts {
        let expected = &part.expected;
        let (objects, ending): (Vec<&Object>, _) = match (part.policy, part.binding) {
            (None, None) => (expected.objects().to_vec(), ""),
            (Some(_), None) => (vec![&expected.binding], "-binding"),
            (None, Some(_)) => (vec![&expected.policy], "-policy"),
            (Some(_), Some(_)) => continue,
        };
        files.push(Change::Create {
            path: folder.join(&format!("{}{ending}.yaml", expected.name))?,
            text: expected.text(&objects)?,
        });
    }
    Ok(files)
}

/// Returns the folder of new policies: where others are, else the one that is asked for, else a new one.
fn folder(repo: &Repo, request: &Request, parts: &[LockPart<'_>]) -> Result<RepoPath> {
    let there = parts.iter().find_map(|part| part.policy.or(part.binding));
    if let Some(manifest) = there.filter(|manifest| manifest.is_written()) {
        return Ok(manifest.file.parent());
    }
    if let Some(path) = &request.path {
        return Ok(path.clone());
    }
    let [first, second] = FOLDERS;
    let folder = RepoPath::new(first)?;
    let is_of_set = |manifest: &Manifest| matches!(manifest.origin, Origin::Generated(_));
    let generated = repo.applications().filter(|(manifest, _)| is_of_set(manifest));
    let mut paths = generated.flat_map(|(_, app)| app.sources().into_iter().filter_map(|source| source.path()));
    let is_beside = |path: &str| RepoPath::new(path).is_ok_and(|path| path.parent() == folder.parent());
    match paths.any(is_beside) {
        true => RepoPath::new(second),
        false => Ok(folder),
    }
}

/// Refuses a folder with something else in it: the Application would sync that, too.
fn check_alone(repo: &Repo, folder: &RepoPath, parts: &[LockPart<'_>]) -> Result<()> {
    let ours = |file: &RepoPath| {
        let manifests = parts.iter().flat_map(|part| [part.policy, part.binding]).flatten();
        manifests.into_iter().any(|manifest| manifest.file == *file)
    };
    let source = FolderSource::flat(folder.clone());
    match repo.listed_in(&source).find(|file| !ours(file)) {
        Some(file) if !repo.synced_folders().reads(file) => Err(anyhow!(
            "`{folder}` is the folder for the lock, and `{file}` is in it already"
        )
        .hint("name another folder with `--path DIR`")),
        _ => Ok(()),
    }
}

/// Returns the changes that add the Application of the policies.
fn new_application(repo: &Repo, request: &Request, folder: &RepoPath, notes: &mut Vec<String>) -> Result<Vec<Change>> {
    let free = NAMES.iter().find(|name| repo.application(name).is_none());
    let name = free.ok_or_else(|| anyhow!("the Applications `{}` are there already", NAMES.join("` and `")))?;
    let place = repo
        .place_for_application(&AppName::new(*name)?, request.dir.as_ref())
        .map_err(|why| match &request.dir {
            Some(_) => why,
            None => anyhow!("the new Application `{name}` has no place: {why}")
                .hint("name its folder with `--dir DIR`; if nothing syncs that, apply the file by hand"),
        })?;
    if place.synced_by.is_none() {
        notes.push(format!(
            "no Application syncs `{0}`: apply it by hand with `kubectl apply -f {0}`",
            place.path
        ));
    }
    let tree = tree(repo, name, folder)?;
    notes.extend(refused_by_project(
        repo,
        tree["spec"]["project"].as_str().unwrap_or_default(),
    ));
    Ok(place.create(yaml::emit(&tree)?))
}

/// Returns a remark where the project in the repository does not allow the policies. A project allows no objects of the cluster
/// unless it lists them ([source](https://argo-cd.readthedocs.io/en/stable/user-guide/projects/)).
fn refused_by_project(repo: &Repo, name: &str) -> Option<String> {
    let is_it =
        |manifest: &&Manifest| manifest.object.is(application::GROUP, "AppProject") && manifest.object.name() == name;
    let project = repo.all_manifests().find(is_it)?;
    let lists = |list: &'static str, kind: &str| {
        let entries = project.object.at(list).and_then(Value::as_array);
        let is_listed = |entry: &Value| {
            let has = |key: &str, value: &str| entry[key] == "*" || entry[key] == value;
            has("group", GROUP) && has("kind", kind)
        };
        entries.is_some_and(|entries| entries.iter().any(is_listed))
    };
    let is_allowed =
        |kind: &&str| lists("/spec/clusterResourceWhitelist", kind) && !lists("/spec/clusterResourceBlacklist", kind);
    let refused: Vec<&str> = [POLICY, BINDING].into_iter().filter(|kind| !is_allowed(kind)).collect();
    (!refused.is_empty()).then(|| {
        format!(
            "the project `{name}` in `{}` does not allow {}: add the group `{GROUP}` with these kinds to its `clusterResourceWhitelist`",
            project.file,
            refused.join(" and ")
        )
    })
}

fn tree(repo: &Repo, name: &str, folder: &RepoPath) -> Result<Value> {
    let model = model(repo);
    let sources = model.map(|app| app.sources()).unwrap_or_default();
    let source = sources.iter().find(|source| repo.is_own(source.repo_url()));
    let url = source
        .map(|source| source.repo_url())
        .or(repo.own_urls.first().map(String::as_str));
    let url = url.ok_or_else(|| {
        anyhow!("the URL of this repository is not known")
            .hint("name it with `kubectl homelab init --repo-url URL`, or add the remote `origin`")
    })?;
    let revision = source.and_then(|source| source.revision()).unwrap_or("HEAD");
    let mut destination = json!({"server": "https://kubernetes.default.svc"});
    if let Some(name) = model.and_then(|app| app.destination_name()) {
        destination = json!({"name": name});
    } else if let Some(server) = model.and_then(|app| app.destination_server()) {
        destination = json!({"server": server});
    }
    Ok(json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": name,
            "namespace": repo.controller_namespace(),
            "annotations": {GENERATE_PATHS: "."},
            "finalizers": [FINALIZER],
        },
        "spec": {
            "project": model.map_or("default", |app| app.project()),
            "source": {"repoURL": url, "path": folder.as_str(), "targetRevision": revision},
            "destination": destination,
            "syncPolicy": {
                "automated": {"prune": true, "selfHeal": true},
                "retry": {"limit": 5, "refresh": true},
            },
        },
    }))
}

/// Returns the Application that the new one resembles: that of the Namespaces, which makes objects of the cluster, too, else
/// the root.
fn model(repo: &Repo) -> Option<Application<'_>> {
    let has_own = |app: &Application<'_>| app.sources().iter().any(|source| repo.is_own(source.repo_url()));
    let root = || repo.root_application().map(|(_, app)| app);
    let any = || repo.applications().map(|(_, app)| app).find(has_own);
    repo.namespaces_application()
        .filter(has_own)
        .or_else(root)
        .filter(has_own)
        .or_else(any)
}

/// Takes out the policies and the Application that syncs nothing else.
///
/// # Errors
/// When one of them is no document of a file.
pub fn disable(repo: &Repo) -> Result<Edit> {
    let parts = all_lock_parts(repo);
    let manifests: Vec<&Manifest> = parts
        .iter()
        .flat_map(|part| [part.policy, part.binding])
        .flatten()
        .collect();
    let mut notes = Vec::new();
    let mut changes = ChangeSet::default();
    for manifest in &manifests {
        changes.changes.extend(removal(repo, manifest)?);
    }
    let application = without_application(repo, &manifests, &mut notes)?;
    changes.changes.extend(application);
    Ok(Edit {
        changes,
        message: match parts
            .iter()
            .any(|part| part.expected.part == Part::Writes && part.policy.is_some())
        {
            true => "Unlock deletions and writes".to_owned(),
            false => "Unlock deletions".to_owned(),
        },
        notes,
        next: Some(
            "push it; the registry and the labels of owners stay, and `kubectl homelab lock status` shows what is live"
                .to_owned(),
        ),
        ..Edit::default()
    })
}

/// Returns the changes that take out the Applications that sync policies and nothing else.
fn without_application(repo: &Repo, policies: &[&Manifest], notes: &mut Vec<String>) -> Result<Vec<Change>> {
    let ours = |file: &RepoPath| policies.iter().any(|manifest| manifest.file == *file);
    let is_alone = |app: &Application<'_>| {
        let sources = repo.folder_sources(app);
        sources.iter().all(|source| repo.listed_in(source).all(ours)) && app.sources().len() == sources.len()
    };
    let synced = repo.synced_folders();
    let readers = policies.iter().flat_map(|manifest| synced.synced_by(&manifest.file));
    let (mut changes, mut seen) = (Vec::new(), Vec::new());
    for (manifest, app) in readers {
        if seen.contains(&app.name()) {
            continue;
        }
        seen.push(app.name());
        match is_alone(&app) {
            true => changes.extend(removal(repo, manifest)?),
            false => notes.push(format!(
                "Application `{}` syncs other manifests, too, and stays",
                app.name()
            )),
        }
    }
    Ok(changes)
}

/// Removes a manifest, and its entry in kustomizations where its file goes with it.
fn removal(repo: &Repo, manifest: &Manifest) -> Result<Vec<Change>> {
    manifest.check_editable()?;
    let mut changes = vec![Change::Remove {
        path: manifest.file.clone(),
        document: manifest.document,
    }];
    let file = repo.files.get(&manifest.file);
    if file.is_some_and(|file| file.documents.len() == 1) {
        changes.extend(repo.kustomizations.without_resource(&manifest.file)?);
    }
    Ok(changes)
}

#[cfg(test)]
mod tests;
