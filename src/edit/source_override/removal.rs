//! Takes the plugin out of the files of overrides of a source.

use anyhow::{Result, anyhow};
use json_patch::Patch;
use serde_json::Value;

use super::{Written, folder, source_file};
use crate::failure::HintExt;
use crate::model::native::{WITHOUT_OPTION, is_zero};
use crate::model::{Application, Source};
use crate::repo::overrides;
use crate::repo::{Change, ChangeSet, Files, Override, Repo};
use crate::rules::fixes;

/// Takes the section `plugin` out of the files of a source; a file of which nothing is left goes. Returns the changed files, each
/// with all overrides that are left.
///
/// # Errors
/// When a file has a parameter that Argo CD's own tools would not get, or claims that may not lose their guards.
pub fn take_out(
    repo: &Repo,
    files: &dyn Files,
    (app, source): (&Application<'_>, &Source<'_>),
    drop_owns: bool,
) -> Result<Vec<Written>> {
    let Ok(folder) = folder(repo, app, source) else {
        return Ok(Vec::new());
    };
    let before = overrides::of_source(&app.instance(repo.controller_namespace()), files, &folder)?;
    let has_plugin = |one: &&Override| one.patch.get("plugin").is_some();
    let mut changes = Vec::new();
    let mut after: Vec<Override> = before.iter().filter(|one| !has_plugin(one)).cloned().collect();
    for one in before.iter().filter(has_plugin) {
        check(app, one, drop_owns)?;
        let file = source_file(one)?;
        let is_all = one.patch.as_object().is_some_and(|fields| fields.len() == 1);
        let change = match is_all {
            true => Change::RemoveFile { file },
            false => Change::PatchFile {
                document: one.position_in(&file.documents),
                file,
                patch: Patch(vec![fixes::remove("/plugin")]),
            },
        };
        let changed = ChangeSet { changes: vec![change] };
        let text = repo.file_changes(&changed)?.into_iter().find_map(|file| file.after);
        // Without the file the source is as with one that says nothing.
        let text = text.unwrap_or_else(|| "{}\n".to_owned());
        after.push(Override::parse(one.file.clone(), text)?);
        changes.push((one.file.clone(), changed));
    }
    after.sort_by_key(|one| one.file.file_name() != overrides::COMMON);
    let written = changes.into_iter().map(|(file, changes)| Written {
        changes,
        file,
        overrides: after.clone(),
        notes: Vec::new(),
    });
    Ok(written.collect())
}

/// Refuses a file with parameters that would be lost.
fn check(app: &Application<'_>, one: &Override, drop_owns: bool) -> Result<()> {
    let list = one.patch.pointer("/plugin/parameters").and_then(Value::as_array);
    let says_something = |entry: &&Value| {
        let mut fields = entry.as_object().into_iter().flatten();
        fields.any(|(field, value)| field != "name" && !is_zero(value))
    };
    for entry in list.into_iter().flatten().filter(says_something) {
        let name = entry.get("name").and_then(Value::as_str).unwrap_or_default();
        if WITHOUT_OPTION.contains(&name) && (name != "owns" || drop_owns) {
            continue;
        }
        let (file, app) = (&one.file, app.name());
        return Err(match name {
            "owns" => anyhow!("`{file}`: the claims of Application `{app}` would lose their guards at the next sync")
                .hint("add `--drop-owns` if that is intended, or let the chart write the guards first"),
            _ => anyhow!("`{file}` gives Application `{app}` the parameter `{name}`, which would be gone")
                .hint("write it as an option into the manifest or the template first, or take it out"),
        });
    }
    Ok(())
}
