//! The files of a folder under another name: all of them are written first, and then the old ones go.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow};
use serde_json::json;

use crate::edit::Renders;
use crate::failure::HintExt;
use crate::model::{AppName, Application, Object};
use crate::repo::{Change, ChangeSet, Repo, RepoPath, SourceFile, overrides};
use crate::yaml::Document;

/// Returns the changes that write all files of a folder into another one, and take the old ones away, overrides last.
pub(super) fn moved(
    repo: &Repo,
    renders: &dyn Renders,
    (folder, target): (&RepoPath, &RepoPath),
    texts: &BTreeMap<RepoPath, String>,
    (app, new): (&Application<'_>, &AppName),
) -> Result<ChangeSet> {
    let files = renders.files();
    let (own, new_own) = own_files(repo, app, new);
    let mut all: Vec<RepoPath> = files.all()?;
    all.retain(|file| file.is_in(folder) && file != folder);
    all.extend(
        texts
            .keys()
            .filter(|file| !files.read(file).is_ok_and(|text| text.is_some()))
            .cloned(),
    );
    all.sort_by_key(|file| file.file_name().starts_with(".argocd-source"));
    let (mut changes, mut removed) = (Vec::new(), Vec::new());
    for file in all {
        let before = files.read(&file)?.map(String::from_utf8).transpose();
        let before = before.map_err(|_| {
            anyhow!("`{file}` is not text").hint(format!("rename the folder with `git mv {folder} {target}` in step 2"))
        })?;
        let text = texts.get(&file).or(before.as_ref()).cloned().unwrap_or_default();
        let below = file.as_str()[folder.as_str().len()..].trim_start_matches('/');
        let below = if below == own { &new_own } else { below };
        let path = target.join(below)?;
        if files.read(&path)?.is_some() {
            return Err(anyhow!("`{path}` is there already").hint("choose another name"));
        }
        changes.push(Change::Create { path, text });
        if let Some(text) = before {
            let whole = || SourceFile {
                path: file.clone(),
                documents: vec![Document {
                    range: 0..text.len(),
                    line: 1,
                }],
                text: text.clone(),
            };
            let file = repo.files.get(&file).cloned().unwrap_or_else(whole);
            removed.push(Change::RemoveFile { file });
        }
    }
    changes.extend(removed);
    Ok(ChangeSet { changes })
}

/// Returns the names of the files of overrides that are for the Application alone, under its old and its new name.
fn own_files(repo: &Repo, app: &Application<'_>, new: &AppName) -> (String, String) {
    let instance = app.instance(repo.controller_namespace());
    let new_instance = format!("{}{new}", instance.strip_suffix(app.name()).unwrap_or_default());
    (overrides::name_for(&instance), overrides::name_for(&new_instance))
}

/// Returns an Application with its sources in the old folder, where its files still are.
pub(super) fn relocated(app: &Object, from: &RepoPath, to: &RepoPath) -> Object {
    let mut tree = app.tree().clone();
    let sources = Application::new(app).map(|app| app.sources()).unwrap_or_default();
    for source in sources {
        let path = source.path().and_then(|path| RepoPath::new(path).ok());
        let below = path.filter(|path| path.is_in(from));
        let moved = below.and_then(|path| {
            to.join(path.as_str()[from.as_str().len()..].trim_start_matches('/'))
                .ok()
        });
        let place = tree.pointer_mut(source.at(&["path"]).as_str());
        if let (Some(moved), Some(place)) = (moved, place) {
            *place = json!(moved.as_str());
        }
    }
    Object::new(tree)
}
