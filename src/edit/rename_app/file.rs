//! The name of an Application's file, where it is the Application's own: `OLD.yaml` becomes `NEW.yaml`, in the lists of
//! kustomizations too.

use anyhow::Result;

use crate::model::AppName;
use crate::repo::{Change, ChangeSet, Manifest, Repo, RepoPath};

/// A changed file under its name.
#[derive(Debug, Default)]
pub(super) struct Renamed {
    /// The changes; the old file goes last.
    pub(super) changes: Vec<Change>,
    /// Remarks.
    pub(super) notes: Vec<String>,
}

/// Returns the changes of an Application's file, and of its name where that is the Application's.
///
/// # Errors
/// When the changes have no place in the text.
pub(super) fn renamed(
    repo: &Repo,
    manifest: &Manifest,
    changes: impl Iterator<Item = Change>,
    new: &AppName,
) -> Result<Renamed> {
    let in_place: Vec<Change> = changes.collect();
    let Some(target) = target(manifest, new.as_str()) else {
        return Ok(Renamed {
            changes: in_place,
            ..Renamed::default()
        });
    };
    let moved = moved(repo, manifest, &in_place, &target)?;
    if let Some(moved) = moved.filter(|moved| is_synced_alike(repo, manifest, moved, &target, new)) {
        return Ok(Renamed {
            changes: moved,
            notes: Vec::new(),
        });
    }
    Ok(Renamed {
        changes: in_place,
        notes: vec![format!(
            "`{}` keeps its name: `{target}` is taken, or would not be read in its place",
            manifest.file
        )],
    })
}

/// Returns the new path of a file that is named after its Application.
fn target(manifest: &Manifest, new: &str) -> Option<RepoPath> {
    let (stem, ending) = manifest.file.file_name().rsplit_once('.')?;
    let is_own = stem == manifest.object.name();
    is_own.then(|| manifest.file.parent().join(&format!("{new}.{ending}")).ok())?
}

/// Returns the changes that write the file under its new name and take the old one away; `None` where the name is taken.
fn moved(repo: &Repo, manifest: &Manifest, in_place: &[Change], target: &RepoPath) -> Result<Option<Vec<Change>>> {
    let set = ChangeSet {
        changes: in_place.to_vec(),
    };
    let text = repo.file_changes(&set)?.into_iter().find_map(|file| file.after);
    let Some(text) = text else { return Ok(None) };
    if repo.has_file(target) {
        return Ok(None);
    }
    let mut changes = vec![Change::Create {
        path: target.clone(),
        text,
    }];
    changes.extend(repo.kustomizations.with_renamed_resource(&manifest.file, target)?);
    let documents = repo.files.get(&manifest.file).map_or(0, |file| file.documents.len());
    changes.extend((0..documents).map(|document| Change::Remove {
        path: manifest.file.clone(),
        document,
    }));
    Ok(Some(changes))
}

/// Reports whether the same Applications sync the file under its new name.
fn is_synced_alike(repo: &Repo, manifest: &Manifest, changes: &[Change], target: &RepoPath, new: &AppName) -> bool {
    let set = ChangeSet {
        changes: changes.to_vec(),
    };
    let Ok(after) = repo.with(&set) else { return false };
    let readers = |repo: &Repo, file: &RepoPath| -> Vec<String> {
        let folders = repo.synced_folders();
        let names = folders.readers(file).map(|app| app.name().to_owned());
        names.collect()
    };
    after
        .application(new.as_str())
        .is_some_and(|(found, _)| found.file == *target)
        && readers(&after, target) == readers(repo, &manifest.file)
}
