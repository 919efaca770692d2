//! Sets the plugin and its parameters of an Application in a file of its source's folder (`.argocd-source.yaml`), for one whose
//! manifest cannot be edited because an ApplicationSet generates it.
//!
//! Such a file cannot do everything: a tool in the template stays, and the entries of lists are merged by position
//! ([`overrides`]). So the result is proved: what Argo CD makes of the template and the new file has to be what is wanted.

mod removal;
mod section;

use anyhow::{Context, Result, anyhow};
use json_patch::Patch;
use serde_json::{Value, json};

use crate::failure::{HintExt, bug};
use crate::model::application::GENERATE_PATHS;
use crate::model::tool::TOOLS;
use crate::model::{Application, Source};
use crate::repo::generate_paths;
use crate::repo::overrides::{self, COMMON, Override};
use crate::repo::{Change, ChangeSet, Files, Origin, Repo, RepoPath, SourceFile};
use crate::yaml;

/// A changed file of overrides.
#[derive(Clone, Debug)]
pub struct Written {
    /// The change; none where the source is as wanted already.
    pub changes: ChangeSet,
    /// The file.
    pub file: RepoPath,
    /// All overrides of the source after the change, to render it with.
    pub overrides: Vec<Override>,
    /// What the user has to know.
    pub notes: Vec<String>,
}

/// Sets the plugin of an Application's source: `plugin` is its section, with all parameters that the source shall have. The file is
/// `.argocd-source.yaml`, or that of the Application alone where others have the same folder as a source. What else is in
/// the file stays. `app` is the Application as its manifest or its set gives it, without overrides.
///
/// # Errors
/// When no file can make the source so: it is not in this repository, its template names another tool or has parameters
/// that are not wanted, or another file is in the way.
pub fn write(
    repo: &Repo,
    files: &dyn Files,
    app: &Application<'_>,
    position: usize,
    plugin: &Value,
) -> Result<Written> {
    let name = app.name();
    let sources = app.sources();
    let source = source_at(app, &sources, position)?;
    let folder = folder(repo, app, source)?;
    check_template(repo, app, source)?;
    check_other_sources(repo, app, position, &folder)?;
    let instance = app.instance(repo.controller_namespace());
    let before = overrides::of_source(&instance, files, &folder)?;
    let file = file(repo, app, &before, &folder, &instance)?;
    let is_below = |one: &&Override| one.file != file && one.file.file_name() == COMMON;
    let below: Vec<Override> = before.iter().filter(is_below).cloned().collect();
    let base = overrides::merge(source.tree(), &below)?.tree;
    let existing = before.iter().find(|one| one.file == file);
    let change = change(existing, &file, base.get("plugin"), plugin).with_context(|| refused(name, &file))?;
    let changes = ChangeSet {
        changes: change.into_iter().collect(),
    };
    let after = after(repo, &before, &changes, &file)?;
    prove(source, &before, &after, plugin).with_context(|| refused(name, &file))?;
    Ok(Written {
        notes: notes(app, &folder, &file, &changes),
        changes,
        file,
        overrides: after,
    })
}

/// Returns the tree of a source with the overrides of its folder in this repository.
///
/// # Errors
/// When Argo CD does not read one of them, or would refuse the source.
pub fn overridden(repo: &Repo, files: &dyn Files, app: &Application<'_>, source: &Source<'_>) -> Result<Value> {
    let Ok(folder) = folder(repo, app, source) else {
        return Ok(source.tree().clone());
    };
    let merged = overrides::apply(
        source.tree(),
        &app.instance(repo.controller_namespace()),
        files,
        &folder,
    )?;
    merged.check_tools()?;
    Ok(merged.tree)
}

/// Returns the file that [`write()`] changes, as far as the Application and its template tell.
///
/// # Errors
/// When no file can give the plugin to the source.
pub(super) fn file_of(repo: &Repo, app: &Application<'_>, position: usize) -> Result<RepoPath> {
    let sources = app.sources();
    let source = source_at(app, &sources, position)?;
    let folder = folder(repo, app, source)?;
    check_template(repo, app, source)?;
    check_other_sources(repo, app, position, &folder)?;
    let controller = repo.controller_namespace();
    let before = repo.overrides_of(app, source, controller);
    file(repo, app, &before, &folder, &app.instance(controller))
}

fn source_at<'s, 'o>(app: &Application<'_>, sources: &'s [Source<'o>], position: usize) -> Result<&'s Source<'o>> {
    let missing = || format!("Application `{}` has no source {}", app.name(), position + 1);
    sources.get(position).with_context(missing)
}

fn refused(name: &str, file: &RepoPath) -> String {
    format!("`{file}` cannot give Application `{name}` these parameters")
}

/// Returns the name of the set that generates an Application, by which `convert` takes it.
fn set_of(repo: &Repo, app: &Application<'_>) -> Option<String> {
    let is_it =
        |other: &Application<'_>| (other.name(), other.object().namespace()) == (app.name(), app.object().namespace());
    let (manifest, _) = repo.applications().find(|(_, other)| is_it(other))?;
    let Origin::Generated(generated) = &manifest.origin else {
        return None;
    };
    let is_taken = repo.application(&generated.set).is_some();
    Some(match is_taken {
        true => format!("applicationset/{}", generated.set),
        false => generated.set.clone(),
    })
}

/// Returns the folder of a source in this repository.
fn folder(repo: &Repo, app: &Application<'_>, source: &Source<'_>) -> Result<RepoPath> {
    let name = app.name();
    let by_set = match set_of(repo, app) {
        Some(set) => format!("move all Applications of its ApplicationSet with `kubectl homelab convert {set}`"),
        None => "change its ApplicationSet, or the manifest that makes the Application".to_owned(),
    };
    if source.is_versioned() {
        return Err(anyhow!(
            "the source of Application `{name}` is a chart that is pulled, which no file of this repository changes"
        )
        .hint(by_set));
    }
    if !repo.is_own(source.repo_url()) {
        return Err(anyhow!("the source of Application `{name}` is a folder of another repository, where its parameters would have to be").hint(by_set));
    }
    let path = source
        .path()
        .with_context(|| format!("the source of Application `{name}` has no `path`"))?;
    RepoPath::new(path)
}

/// Refuses a template that names another tool: no file takes it away, not even one that says nothing.
fn check_template(repo: &Repo, app: &Application<'_>, source: &Source<'_>) -> Result<()> {
    let is_there =
        |tool: &&&str| **tool != "plugin" && source.tree().get(**tool).is_some_and(|section| !section.is_null());
    let Some(tool) = TOOLS.iter().find(is_there) else {
        return Ok(());
    };
    Err(anyhow!(
        "the source of Application `{}` has `{tool}`, and no file takes it away: Argo CD would find two tools",
        app.name()
    )
    .hint(match set_of(repo, app) {
        Some(set) => format!("move all Applications of its ApplicationSet with `kubectl homelab convert {set}`"),
        None => format!("change the template of its ApplicationSet: put `plugin` in the place of `{tool}`"),
    }))
}

/// Refuses a folder that is another source of the same Application, too: the file would count for both.
fn check_other_sources(repo: &Repo, app: &Application<'_>, position: usize, folder: &RepoPath) -> Result<()> {
    let others = app.sources();
    let mut others = others.iter().enumerate().filter(|(other, _)| *other != position);
    match others.find(|(_, source)| is_in(repo, source, folder)) {
        Some((other, _)) => Err(anyhow!(
            "the sources {} and {} of Application `{}` are the same folder, and a file in it would change both",
            position + 1,
            other + 1,
            app.name()
        )
        .hint("change its ApplicationSet, or give each source a folder of its own")),
        None => Ok(()),
    }
}

/// Reports whether a source is a folder of this repository that Argo CD renders.
fn is_in(repo: &Repo, source: &Source<'_>, folder: &RepoPath) -> bool {
    let path = source.path().and_then(|path| RepoPath::new(path).ok());
    !source.is_versioned()
        && !source.gives_files_only()
        && path.as_ref() == Some(folder)
        && repo.is_own(source.repo_url())
}

/// Returns the file to change: the one that has the plugin already, else the one that changes this Application alone.
fn file(
    repo: &Repo,
    app: &Application<'_>,
    before: &[Override],
    folder: &RepoPath,
    instance: &str,
) -> Result<RepoPath> {
    let own = folder.join(&overrides::name_for(instance))?;
    let has_plugin = |one: &&Override| one.file == own && one.patch.get("plugin").is_some();
    let is_other =
        |other: &Application<'_>| (other.name(), other.object().namespace()) != (app.name(), app.object().namespace());
    let mut others = repo.applications().map(|(_, other)| other).filter(is_other);
    let is_shared = others.any(|other| other.sources().iter().any(|source| is_in(repo, source, folder)));
    if is_shared || before.iter().any(|one| has_plugin(&one)) {
        return Ok(own);
    }
    folder.join(COMMON)
}

/// Returns the change of the file, if there is one. `base` is the plugin's section without it.
fn change(
    existing: Option<&Override>,
    file: &RepoPath,
    base: Option<&Value>,
    plugin: &Value,
) -> Result<Option<Change>> {
    let Some(existing) = existing else {
        let section = section::new(base, plugin)?;
        return match section {
            Some(section) => Ok(Some(Change::Create {
                path: file.clone(),
                text: yaml::emit(&json!({"plugin": section}))?,
            })),
            None => Ok(None),
        };
    };
    let operations = section::operations(existing.patch.get("plugin"), base, plugin)?;
    if operations.is_empty() {
        return Ok(None);
    }
    let source = source_file(existing)?;
    Ok(Some(Change::PatchFile {
        document: existing.position_in(&source.documents),
        file: source,
        patch: Patch(operations),
    }))
}

/// Returns a file of overrides as it is.
pub(super) fn source_file(one: &Override) -> Result<SourceFile> {
    Ok(SourceFile {
        path: one.file.clone(),
        text: one.text.clone(),
        documents: yaml::documents(&one.text).map_err(|error| anyhow!("{}:{error}", one.file))?,
    })
}

/// Returns the overrides of the source after the change, in the order in which they are merged.
fn after(repo: &Repo, before: &[Override], changes: &ChangeSet, file: &RepoPath) -> Result<Vec<Override>> {
    let mut after: Vec<Override> = before.iter().filter(|one| one.file != *file).cloned().collect();
    let changed = repo
        .file_changes(changes)?
        .into_iter()
        .next()
        .and_then(|change| change.after);
    let unchanged = || before.iter().find(|one| one.file == *file).map(|one| one.text.clone());
    if let Some(text) = changed.or_else(unchanged) {
        after.push(Override::parse(file.clone(), text)?);
    }
    after.sort_by_key(|one| one.file.file_name() != COMMON);
    Ok(after)
}

/// Checks that Argo CD makes what is wanted of the source, and nothing else.
fn prove(source: &Source<'_>, before: &[Override], after: &[Override], plugin: &Value) -> Result<()> {
    let merged = overrides::merge(source.tree(), after)?;
    merged.check_tools()?;
    let found = merged.tree.get("plugin").cloned().unwrap_or_default();
    if found.get("name") != plugin.get("name") || section::parameters(&found) != section::parameters(plugin) {
        return Err(
            anyhow!("with it, Argo CD would not have the parameters that are wanted")
                .hint("change the template of its ApplicationSet: give it the parameters there"),
        );
    }
    let others = |mut tree: Value| {
        if let Some(fields) = tree.as_object_mut() {
            fields.remove("plugin");
        }
        tree
    };
    let unchanged = overrides::merge(source.tree(), before)?.tree;
    if others(unchanged) != others(merged.tree) {
        return Err(bug("more than the plugin would change"));
    }
    Ok(())
}

/// Returns what the user has to know: a file that Argo CD does not watch has no effect until a hard refresh.
fn notes(app: &Application<'_>, folder: &RepoPath, file: &RepoPath, changes: &ChangeSet) -> Vec<String> {
    let annotation = app
        .object()
        .annotation(GENERATE_PATHS)
        .filter(|_| !changes.changes.is_empty());
    let extended = annotation.and_then(|annotation| {
        let folders = std::slice::from_ref(folder);
        generate_paths::extended(annotation, folders, std::slice::from_ref(file))
    });
    let note = |extended: generate_paths::Extended| {
        format!(
            "the annotation `{GENERATE_PATHS}` of Application `{}` does not cover `{file}`: add `{}` to it, else only a hard refresh reads the file",
            app.name(),
            extended.added
        )
    };
    extended.map(note).into_iter().collect()
}

pub use removal::take_out;

#[cfg(test)]
mod tests;
