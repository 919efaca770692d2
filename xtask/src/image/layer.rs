//! The image's only layer. It is reproducible: all files are owned by root and have no time.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result};

use super::containerfile::Recipe;

/// Writes the layer's archive: the folders, then the files in the order of the recipe.
pub(super) fn write(recipe: &Recipe, context: &Path, to: &Path) -> Result<()> {
    let file = File::create(to).with_context(|| format!("cannot write {}", to.display()))?;
    let mut archive = tar::Builder::new(file);
    for folder in folders(recipe) {
        archive.append_data(
            &mut header(tar::EntryType::Directory, 0o755, 0),
            format!("{folder}/"),
            std::io::empty(),
        )?;
    }
    for copied in &recipe.files {
        let bytes = fs::read(context.join(&copied.from)).with_context(|| format!("cannot read {}", copied.from))?;
        let mut header = header(tar::EntryType::Regular, copied.mode, bytes.len() as u64);
        archive.append_data(&mut header, copied.to.trim_start_matches('/'), bytes.as_slice())?;
    }
    archive.into_inner()?.sync_all()?;
    Ok(())
}

/// Returns the folders of all files, parents first.
fn folders(recipe: &Recipe) -> BTreeSet<&str> {
    let above = |path: &'_ str| path.match_indices('/').map(|(at, _)| at).collect::<Vec<_>>();
    recipe
        .files
        .iter()
        .map(|copied| copied.to.trim_start_matches('/'))
        .flat_map(|path| above(path).into_iter().map(move |at| &path[..at]))
        .collect()
}

fn header(kind: tar::EntryType, mode: u32, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size);
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layer_has_folders_before_files_and_is_reproducible() {
        let context = tempfile::tempdir().unwrap();
        fs::write(context.path().join("a"), "text").unwrap();
        let text = "FROM scratch\nCOPY --chmod=0644 a /x/y/b\nCOPY --chmod=0755 a /x/c\nUSER 1\nENTRYPOINT [\"/c\"]";
        let recipe = Recipe::parse(text, "amd64").unwrap();
        let tar = context.path().join("layer.tar");
        write(&recipe, context.path(), &tar).unwrap();
        let first = fs::read(&tar).unwrap();
        let mut archive = tar::Archive::new(first.as_slice());
        let entries: Vec<String> = archive
            .entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let header = entry.header();
                assert_eq!(
                    (header.uid().unwrap(), header.gid().unwrap(), header.mtime().unwrap()),
                    (0, 0, 0)
                );
                format!("{} {:o}", entry.path().unwrap().display(), header.mode().unwrap())
            })
            .collect();
        assert_eq!(entries, ["x/ 755", "x/y/ 755", "x/y/b 644", "x/c 755"]);
        write(&recipe, context.path(), &tar).unwrap();
        assert_eq!(first, fs::read(&tar).unwrap());
    }
}
