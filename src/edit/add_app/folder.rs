//! A new Application in a repository whose ApplicationSets make one of each folder: the folder that a set takes.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, anyhow};
use serde_json::Value;

use super::Request;
use crate::edit::Renders;
use crate::failure::HintExt;
use crate::model::{Application, Object};
use crate::repo::change::FileChange;
use crate::repo::layout::folder_patterns;
use crate::repo::{Manifest, Origin, Repo, RepoPath};

/// A folder of which a set makes a new Application.
#[derive(Clone, Debug)]
pub struct NewFolder<'r> {
    /// The set.
    pub set: &'r Manifest,
    /// The folder.
    pub folder: RepoPath,
    /// The Application that it makes of it.
    pub app: Object,
    /// All Applications that it makes then.
    pub all: Vec<Object>,
}

/// Returns the folder of which a set would make the Application; `None` where it is there already, or has its place beside
/// manifests of others.
///
/// # Errors
/// When several folders can be meant, or none, and sets make the Applications of something else.
pub fn find<'r>(repo: &'r Repo, request: &Request, renders: &dyn Renders) -> Result<Option<NewFolder<'r>>> {
    if repo.application(request.name.as_str()).is_some() || request.folder.is_none() && has_written(repo) {
        return Ok(None);
    }
    let mut found: Vec<NewFolder<'_>> = Vec::new();
    for set in repo.sets() {
        for parent in parents(repo, set, request.folder.as_ref()) {
            let folder = parent.join(request.name.as_str())?;
            found.extend(taken(repo, set, folder, renders));
        }
    }
    if found.is_empty() {
        let is_generated = |manifest: &Manifest| matches!(manifest.origin, Origin::Generated(_));
        return match request.folder.is_none() && repo.derived.iter().any(is_generated) {
            true => Err(repo
                .generated()
                .hint("name a folder for a manifest of its own with `--dir DIR`")),
            false => Ok(None),
        };
    }
    if found.len() == 1 {
        return Ok(found.pop());
    }
    let folders: BTreeMap<&RepoPath, &str> = found.iter().map(|one| (&one.folder, one.set.object.name())).collect();
    let several = folders
        .iter()
        .map(|(folder, set)| format!("`{folder}` (ApplicationSet `{set}`)"));
    let several: Vec<String> = several.collect();
    let error = anyhow!(
        "sets make an Application of a folder in several places: {}",
        several.join(", ")
    );
    Err(error.hint(match folders.len() {
        1 => "write the folder by hand: several sets make an Application of it",
        _ => "name the folder around the new one with `--dir DIR`",
    }))
}

/// Reports whether the repository has Applications that somebody writes, beside those that bring others.
fn has_written(repo: &Repo) -> bool {
    let namespaces = repo.namespaces_application();
    repo.tree().iter().any(|branch| {
        let is_app = branch.manifest.is_written() && Application::new(&branch.manifest.object).is_some();
        let is_of_namespaces = namespaces.is_some_and(|app| app.name() == branch.manifest.object.name());
        is_app && !branch.has_children && !is_of_namespaces
    })
}

/// Returns the folders in which a set may take a new one: the one that is named, else those of its folders, and those that its
/// patterns name.
fn parents(repo: &Repo, set: &Manifest, named: Option<&RepoPath>) -> BTreeSet<RepoPath> {
    let patterns = set
        .object
        .at("/spec/generators")
        .map(folder_patterns)
        .unwrap_or_default();
    if patterns.is_empty() {
        return BTreeSet::new();
    }
    if let Some(named) = named {
        return BTreeSet::from([named.clone()]);
    }
    let is_of_set = |manifest: &&Manifest| (&manifest.file, manifest.document) == (&set.file, set.document);
    let of_apps = repo
        .derived
        .iter()
        .filter(is_of_set)
        .filter_map(|manifest| match &manifest.origin {
            Origin::Generated(generated) if generated.set == set.object.name() => Some(&generated.folders),
            _ => None,
        });
    let known = of_apps.flatten().map(RepoPath::parent);
    let fixed = patterns.iter().filter_map(|pattern| {
        let (parent, _) = pattern.rsplit_once('/').unwrap_or(("", pattern));
        let is_fixed = !parent.contains(['*', '?', '[', '{']);
        is_fixed.then(|| RepoPath::new(parent).ok())?
    });
    known.chain(fixed).collect()
}

/// Returns the folder with the Application that a set would make of it, if it makes one more whose source is the folder.
fn taken<'r>(repo: &Repo, set: &'r Manifest, folder: RepoPath, renders: &dyn Renders) -> Option<NewFolder<'r>> {
    let file = FileChange {
        path: folder.join("values.yaml").ok()?,
        before: None,
        after: Some(String::new()),
    };
    let before = renders.generate(&set.object, &[]).ok()?;
    let all = renders.generate(&set.object, &[file]).ok()?;
    let known: BTreeSet<&str> = before.iter().map(Object::name).collect();
    let mut new = all.iter().filter(|app| !known.contains(app.name()));
    let (app, None) = (new.next()?.clone(), new.next()) else {
        return None;
    };
    let is_source = {
        let sources = Application::new(&app)?.sources();
        let mut rendered = sources.iter().filter(|source| !source.gives_files_only());
        let (source, None) = (rendered.next()?, rendered.next()) else {
            return None;
        };
        let path = source.path().and_then(|path| RepoPath::new(path).ok());
        !source.is_versioned() && path.as_ref() == Some(&folder) && repo.is_own(source.repo_url())
    };
    is_source.then_some(NewFolder { set, folder, app, all })
}

impl NewFolder<'_> {
    /// Returns what the set generates with the folder, as manifests.
    pub fn generated(&self, repo: &Repo) -> Vec<Manifest> {
        let of_set = |manifest: &&Manifest| (&manifest.file, manifest.document) == (&self.set.file, self.set.document);
        let origin = |app: &Object| {
            let mut known = repo.derived.iter().filter(of_set);
            let known = known.find(|manifest| manifest.object.name() == app.name());
            known.map_or_else(
                || {
                    Origin::Generated(crate::repo::Generated {
                        set: self.set.object.name().to_owned(),
                        template: self.set.origin.template(),
                        folders: vec![self.folder.clone()],
                    })
                },
                |manifest| manifest.origin.clone(),
            )
        };
        let manifests = self.all.iter().map(|app| Manifest {
            file: self.set.file.clone(),
            document: self.set.document,
            object: app.clone(),
            origin: origin(app),
        });
        manifests.collect()
    }

    /// Refuses what only the manifest of an Application can say, which the set writes.
    ///
    /// # Errors
    /// Names the flags, or the namespace that the set gives.
    pub fn check(&self, request: &Request) -> Result<()> {
        let (set, app) = (self.set.object.name(), self.app.name());
        let given = of_manifest(request);
        if !given.is_empty() {
            return Err(anyhow!(
                "ApplicationSet `{set}` writes Application `{app}`, which {} cannot change",
                given.join(", ")
            )
            .hint(format!("leave it out, or change the template in `{}`", self.set.file)));
        }
        let namespace = Application::new(&self.app).and_then(|app| app.destination_namespace());
        let wanted = request.namespace.as_ref().map(|namespace| namespace.as_str());
        if namespace != wanted {
            let namespace = namespace.unwrap_or_default();
            return Err(
                anyhow!("ApplicationSet `{set}` gives Application `{app}` the namespace `{namespace}`").hint(format!(
                    "write `-n {namespace}`, or change the template in `{}`",
                    self.set.file
                )),
            );
        }
        Ok(())
    }

    /// Reports whether Argo CD makes the namespace of the Application.
    pub(super) fn makes_namespace(&self) -> bool {
        Application::new(&self.app).is_some_and(|app| app.sync_option("CreateNamespace") == Some("true"))
    }

    /// Returns the position of the source that is rendered.
    pub(super) fn position(&self) -> usize {
        let sources = Application::new(&self.app).map(|app| app.sources()).unwrap_or_default();
        sources
            .iter()
            .position(|source| !source.gives_files_only())
            .unwrap_or_default()
    }

    /// Returns the section `plugin` of the source, as the template has it.
    pub(super) fn plugin(&self) -> Option<Value> {
        let sources = Application::new(&self.app)?.sources();
        sources.get(self.position())?.plugin().cloned()
    }
}

/// Returns the flags of a request that only the manifest of an Application can say.
pub(super) fn of_manifest(request: &Request) -> Vec<&'static str> {
    let flags = [
        (request.destination.is_some(), "`--dest-server` and `--dest-name`"),
        (request.project.is_some(), "`--project`"),
        (request.auto_prune.is_some(), "`--auto-prune`"),
        (request.self_heal.is_some(), "`--self-heal`"),
        (!request.sync_options.is_empty(), "`--sync-option`"),
        (request.sync_wave.is_some(), "`--sync-wave`"),
        (request.finalizer.is_some(), "`--set-finalizer`"),
        (!request.labels.is_empty(), "`--label`"),
        (!request.annotations.is_empty(), "`--annotations`"),
    ];
    let given = flags.into_iter().filter(|(is_given, _)| *is_given);
    given.map(|(_, flag)| flag).collect()
}
