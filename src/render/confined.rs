//! Checks that a chart does not make helm read files outside the checkout. Helm follows symbolic links in a chart and
//! builds dependencies from `file://`; anyone who may write to the repository could otherwise have it print files of the
//! server. What a JSON schema refers to is checked by [`super::schema`], in the chart that helm loads.
//!
//! Argo CD refuses symbolic links that lead out of the repository as well
//! ([source](https://argo-cd.readthedocs.io/en/stable/operator-manual/high_availability/), `allow.oob.symlinks`).

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;

use super::Request;
use super::trees::Trees;
use super::value_files::in_checkout;
use crate::failure::HintExt;
use crate::repo::{Files, RepoPath};
use crate::yaml;

/// Files with a chart's dependencies. Helm builds the dependencies in the lock file, and takes its digest from that
/// file itself.
const DEPENDENCIES: [&str; 4] = ["Chart.yaml", "requirements.yaml", "Chart.lock", "requirements.lock"];
/// The list of files that helm leaves out.
const IGNORED: &str = ".helmignore";
/// The files of a chart that its objects depend on, besides its templates.
const RENDERED: [&str; 3] = ["Chart.yaml", "values.yaml", "values.schema.json"];
/// The maximum number of folders that are searched: symbolic links can make a small repository endless.
const MOST_FOLDERS: usize = 10_000;

/// Looks through a chart and the folders of its `file://` dependencies, which it gives.
///
/// # Errors
/// When helm could be led out of the checkout.
pub(super) fn check(request: &Request, trees: Trees<'_>) -> Result<Vec<RepoPath>> {
    match trees.chart {
        Some(files) => {
            // A chart that is pulled is the whole tree.
            let (source_path, prefix) = (RepoPath::root(), RepoPath::root());
            let request = Request {
                source_path,
                prefix,
                ..request.clone()
            };
            check_chart(&request, files)
        }
        None => check_chart(request, trees.source),
    }
}

fn check_chart(request: &Request, files: &dyn Files) -> Result<Vec<RepoPath>> {
    let mut walk = Walk {
        files,
        chart: &request.source_path,
        folders: 0,
    };
    let mut local = Vec::new();
    for file in DEPENDENCIES {
        let path = request.source_path.join(file)?;
        let dependencies = dependencies(&path, files)?;
        for dependency in dependencies {
            let folders = local_folders(request, &dependency, files);
            local.extend(folders.with_context(|| format!("`{path}`"))?);
        }
    }
    walk.folder(&request.source_path)?;
    for folder in &local {
        walk.chart = folder;
        walk.folder(folder)?;
    }
    Ok(local)
}

struct Walk<'f> {
    files: &'f dyn Files,
    /// The chart that is walked through.
    chart: &'f RepoPath,
    folders: usize,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &RepoPath) -> Result<()> {
        self.folders += 1;
        if self.folders > MOST_FOLDERS {
            bail!("the chart has more than {MOST_FOLDERS} folders; do symbolic links lead in a circle?");
        }
        for entry in self.files.list(folder)?.unwrap_or_default() {
            let path = folder.join(&entry.name)?;
            if entry.is_folder {
                // Git's own files are not part of the repository's content.
                if entry.name != ".git" {
                    self.folder(&path)?;
                }
                continue;
            }
            if entry.is_link || entry.name == IGNORED {
                // Helm would wait for a FIFO of that name without end; it refuses others.
                self.files.read(&path)?;
            }
            if self.is_rendered(&path) && self.files.is_ignored(&path) {
                return Err(super::ignored(&format!("`{path}`"), &path));
            }
        }
        Ok(())
    }

    /// Reports whether a file is one of those that make the objects. Dependencies in `charts/` are not: git may leave them out, as
    /// Argo CD builds them.
    fn is_rendered(&self, path: &RepoPath) -> bool {
        let below = path.as_str()[self.chart.as_str().len()..].trim_start_matches('/');
        let ends = |endings: &[&str]| endings.iter().any(|ending| below.ends_with(ending));
        match below.split_once('/') {
            None => RENDERED.contains(&below),
            Some((folder, _)) => ["templates", "crds"].contains(&folder) && ends(&[".yaml", ".yml", ".tpl", ".json"]),
        }
    }
}

/// A dependency in one file; a field has several values where its key is repeated in another case.
struct Dependency {
    names: Vec<String>,
    repositories: Vec<String>,
}

/// Reads the dependencies in one file. Keys are matched in any case, as Go's JSON does.
fn dependencies(path: &RepoPath, files: &dyn Files) -> Result<Vec<Dependency>> {
    let bytes = files.read(path)?.unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let tree = match yaml::value(&text) {
        Ok(tree) => tree.unwrap_or_default(),
        // Helm reports what is wrong with the file; if helm can read it nevertheless, it has no dependency with
        // `file:`.
        Err(_) if !text.contains("file:") => Value::Null,
        Err(error) => return Err(anyhow!("{path}:{error}")),
    };
    let fields = |tree: &Value, name: &str| -> Vec<Value> {
        let fields = tree.as_object().into_iter().flatten();
        fields
            .filter(|(key, _)| folded(key) == name)
            .map(|(_, value)| value.clone())
            .collect()
    };
    let text = |entry: &Value, name: &str| -> Vec<String> {
        let fields = fields(entry, name);
        fields
            .iter()
            .filter_map(|value| Some(value.as_str()?.to_owned()))
            .collect()
    };
    let lists = fields(&tree, "dependencies");
    let entries = lists.iter().filter_map(Value::as_array).flatten();
    let dependency = |entry: &Value| Dependency {
        names: text(entry, "name"),
        repositories: text(entry, "repository"),
    };
    Ok(entries.map(dependency).collect())
}

/// Returns the folders of a dependency in the checkout; none when it comes from elsewhere.
fn local_folders(request: &Request, dependency: &Dependency, files: &dyn Files) -> Result<Vec<RepoPath>> {
    if let Some(name) = dependency
        .names
        .iter()
        .find(|name| name.contains(['/', '\\']) || *name == "..")
    {
        bail!("the name `{name}` of a dependency is a path");
    }
    let mut folders = Vec::new();
    for repository in &dependency.repositories {
        let Some(folder) = repository.strip_prefix("file://") else {
            continue;
        };
        let outside = || anyhow!("the dependency `{repository}` is outside the repository");
        if folder.starts_with('/') {
            return Err(outside().hint("write the path relative to the chart, as in `file://../library`"));
        }
        let whole = request.chart()?.join(folder).map_err(|_| outside())?;
        match in_checkout(&request.prefix, &whole, &whole) {
            Ok(folder) => folders.push(folder),
            Err(_) if is_vendored(request, dependency, files)? => {}
            Err(error) => return Err(error.context(format!("the dependency `{repository}`"))),
        }
    }
    Ok(folders)
}

/// Reports whether a dependency is in the chart's folder `charts/`, from where helm takes it without asking its
/// repository.
fn is_vendored(request: &Request, dependency: &Dependency, files: &dyn Files) -> Result<bool> {
    let charts = files.list(&request.source_path.join("charts")?)?.unwrap_or_default();
    let lies_there = |name: &String| {
        charts.iter().any(|entry| {
            entry.name == *name
                || entry
                    .name
                    .strip_prefix(name.as_str())
                    .is_some_and(|rest| rest.starts_with('-') && rest.ends_with(".tgz"))
        })
    };
    let all = !dependency.names.is_empty() && dependency.names.iter().all(lies_there);
    Ok(all && !request.parameters.dependency_update)
}

/// Returns a key in lower case, as `encoding/json` compares it.
fn folded(key: &str) -> String {
    key.chars()
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests;
