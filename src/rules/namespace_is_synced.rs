//! HL205: a Namespace that no Application syncs is never made.

use std::cell::LazyCell;
use std::collections::BTreeSet;

use super::root_application_exists::init_command;
use super::{Check, Finding, Location, Meta, Rule, Scope, Severity};
use crate::model::namespace::is_namespace;
use crate::model::{Application, Object, Source};
use crate::repo::{Manifest, Repo, RepoPath};

static META: Meta = Meta {
    id: "HL205",
    name: "namespace-is-synced",
    severity: Severity::Warning,
    summary: "an Application syncs every Namespace of the repository",
    why: "A manifest in Git does nothing by itself: Argo CD applies what is in the source of an Application. A Namespace that \
no Application syncs is not there on a new cluster, so that the first sync of what belongs into it fails; where it is there, \
it has neither its labels nor its guards nor the ownership registry, whatever its manifest says.\n\n\
Put the manifest into the folder that an Application syncs, or add an Application for its folder (`kubectl homelab init` \
writes the one for `namespaces/`). The rule is silent where an ApplicationSet or Kustomize may bring the \
manifest.\n\n\
https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/#applications",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Whole(check),
};

fn check(scope: &Scope<'_>) -> Vec<Finding> {
    let repo = scope.repo;
    if may_be_brought_otherwise(repo) {
        return Vec::new();
    }
    let brought: LazyCell<BTreeSet<&str>, _> = LazyCell::new(|| {
        let objects = scope.items().map(|(_, item)| item.object());
        objects
            .filter(|object| is_namespace(object))
            .map(Object::name)
            .collect()
    });
    let synced = repo.synced_folders();
    let perhaps_read = folders_perhaps_read(repo);
    let may_be_read = |file: &RepoPath| file.folders().any(|folder| perhaps_read.contains(&folder));
    let is_brought = |manifest: &Manifest| synced.reads(&manifest.file) || brought.contains(manifest.object.name());
    let unsynced = repo
        .namespaces()
        .filter(|manifest| !is_brought(manifest) && !may_be_read(&manifest.file));
    let hint = LazyCell::new(|| hint(repo));
    unsynced
        .map(|manifest| {
            let message = format!("no Application syncs Namespace `{}`", manifest.object.name());
            Finding::new(&META, message, Location::of(manifest, "/metadata/name")).hint(hint.as_str())
        })
        .collect()
}

fn hint(repo: &Repo) -> String {
    let folder = repo.namespaces_application().and_then(|app| {
        let source = repo.folder_sources(&app).into_iter().next()?;
        Some((app, source.folder().clone()))
    });
    match folder {
        Some((app, folder)) => format!("move it to `{folder}`, which Application `{}` syncs", app.name()),
        None => format!(
            "run `{}`, which adds the Application for `namespaces/`",
            init_command(repo)
        ),
    }
}

/// Reports whether something whose files are not known here may bring manifests of this repository: an ApplicationSet, a
/// Kustomize folder, a source with options that cannot be read.
fn may_be_brought_otherwise(repo: &Repo) -> bool {
    let is_unknown = |source: &Source<'_>| {
        let is_own_folder = !source.is_versioned()
            && source.pulled_chart().is_none()
            && source.path().is_some()
            && repo.is_own(source.repo_url());
        is_own_folder
            && (source.kustomize().is_some() || repo.folder_source(source).is_none_or(|folder| folder.is_build()))
    };
    repo.unexpanded_sets().next().is_some()
        || !repo.unknown.is_empty()
        || repo.applications().any(|(_, app)| app.sources().iter().any(is_unknown))
}

/// Returns the folders that Applications may sync: the paths of their sources, where nobody knows the URL of this repository.
fn folders_perhaps_read(repo: &Repo) -> BTreeSet<RepoPath> {
    if !repo.own_urls.is_empty() {
        return BTreeSet::new();
    }
    let paths = |app: Application<'_>| -> Vec<RepoPath> {
        let sources = app.sources();
        let paths = sources.iter().filter(|source| !source.is_versioned());
        paths.filter_map(|source| RepoPath::new(source.path()?).ok()).collect()
    };
    repo.applications().flat_map(|(_, app)| paths(app)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, HOME};
    use serde_json::{Value, json};

    fn namespace(name: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    }

    fn case() -> Case {
        Case::new()
            .app("root", json!({"source": {"repoURL": HOME, "path": "applications"}}))
            .manifest("namespaces/media.yaml", namespace("media"))
    }

    #[test]
    fn fires() {
        assert_eq!(case().messages(&RULE), ["no Application syncs Namespace `media`"]);
        assert_eq!(case().place(&RULE), "namespaces/media.yaml /metadata/name");
    }

    #[test]
    fn stays_silent() {
        assert!(case().namespaces().messages(&RULE).is_empty());
        let rendered = case().helm("web").renders("web", [namespace("media")]);
        assert!(rendered.messages(&RULE).is_empty());
        let set = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "metadata": {"name": "set"}});
        assert!(
            case().manifest("applications/set.yaml", set).messages(&RULE).is_empty(),
            "its Applications may sync the folder"
        );
        let kustomize = case().app(
            "all",
            json!({"source": {"repoURL": HOME, "path": "all", "kustomize": {}}}),
        );
        assert!(kustomize.messages(&RULE).is_empty());
    }

    #[test]
    fn says_the_way_out() {
        assert!(
            case().findings(&RULE)[0]
                .hint
                .as_deref()
                .unwrap()
                .contains("kubectl homelab init")
        );
        let app = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "a"}});
        let list = json!({"apiVersion": "v1", "kind": "List", "items": [namespace("other"), app]});
        let elsewhere = case().namespaces().manifest("by-hand.yaml", list);
        assert_eq!(
            elsewhere.findings(&RULE)[0].hint.as_deref(),
            Some("move it to `namespaces`, which Application `namespaces` syncs")
        );
    }
}
