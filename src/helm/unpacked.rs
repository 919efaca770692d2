//! Unpacks a packed chart as helm does: into a folder that has the name of the chart.
#![expect(clippy::disallowed_methods, reason = "the adapter to helm")]

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use flate2::read::MultiGzDecoder;

use crate::render::schema::entry_name;
use crate::repo::RepoPath;
use crate::yaml;

/// The limit of helm for what is in a packed chart, in bytes.
const LARGEST: u64 = 100 << 20;
const CANNOT_WRITE: &str = "cannot write a temporary file";

/// Unpacks a chart below a folder and returns its own folder. Nothing is written outside of it.
///
/// # Errors
/// When the file is no packed chart, is too large, or the chart has no usable name.
pub(super) fn unpack(packed: &Path, below: &Path) -> Result<PathBuf> {
    let shown = packed.file_name().unwrap_or_default().display().to_string();
    let unreadable = || format!("`{shown}` cannot be read as a packed chart");
    let bytes = std::fs::read(packed).with_context(unreadable)?;
    let files = files(&bytes).with_context(unreadable)?;
    let metadata = files.iter().find(|(path, _)| path.as_str() == "Chart.yaml");
    let name = metadata.and_then(|(_, bytes)| name(bytes));
    let folder = below.join(name.ok_or_else(|| anyhow!("`{shown}` has no `Chart.yaml` with a usable `name`"))?);
    for (path, bytes) in &files {
        let file = path.parts().fold(folder.clone(), |folder, part| folder.join(part));
        std::fs::create_dir_all(file.parent().unwrap_or(&folder)).context(CANNOT_WRITE)?;
        std::fs::write(file, bytes).context(CANNOT_WRITE)?;
    }
    Ok(folder)
}

/// Returns the files of a packed chart.
fn files(packed: &[u8]) -> Result<Vec<(RepoPath, Vec<u8>)>> {
    let (mut files, mut left) = (Vec::new(), LARGEST);
    let mut archive = tar::Archive::new(MultiGzDecoder::new(packed).take(LARGEST));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let Some(name) = entry_name(&mut entry)? else { continue };
        let too_large = || anyhow!("it holds more than {LARGEST} bytes");
        left = left.checked_sub(entry.size()).with_context(too_large)?;
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        let path = RepoPath::new(&name)?;
        ensure!(!path.is_root(), "it holds a file without a name");
        files.push((path, bytes));
    }
    Ok(files)
}

/// Returns the name in `Chart.yaml`, if it can be that of a folder.
fn name(metadata: &[u8]) -> Option<String> {
    let tree = yaml::value(std::str::from_utf8(metadata).ok()?).ok()??;
    let name = tree.get("name")?.as_str()?;
    let is_usable = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', ':', '\0']);
    is_usable.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    fn packed(files: &[(&str, &str)]) -> Vec<u8> {
        let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (path, text) in files {
            let mut header = tar::Header::new_ustar();
            header.as_ustar_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            archive.append(&header, text.as_bytes()).unwrap();
        }
        archive.into_inner().unwrap().finish().unwrap()
    }

    fn unpacked(files: &[(&str, &str)]) -> Result<(tempfile::TempDir, PathBuf)> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("lib-1.0.0.tgz");
        std::fs::write(&file, packed(files))?;
        let chart = unpack(&file, &folder.path().join("into"))?;
        Ok((folder, chart))
    }

    #[test]
    fn a_chart_gets_the_folder_of_its_name() {
        let files = [("x/Chart.yaml", "name: lib"), ("x/templates/a.yaml", "a: 1")];
        let (_folder, chart) = unpacked(&files).unwrap();
        assert!(chart.ends_with("into/lib"));
        assert_eq!(std::fs::read_to_string(chart.join("templates/a.yaml")).unwrap(), "a: 1");
    }

    #[test]
    fn nothing_is_written_outside() {
        for files in [
            &[("x/Chart.yaml", "name: ../lib")][..],
            &[("x/Chart.yaml", "name: ''")],
            &[("x/Chart.yaml", "a: 1")],
            &[("x/values.yaml", "a: 1")],
            &[("x/Chart.yaml", "name: lib"), ("x/../../a", "1")],
        ] {
            assert!(unpacked(files).is_err(), "{files:?}");
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.tgz");
        std::fs::write(&file, "no chart").unwrap();
        assert!(unpack(&file, folder.path()).is_err());
    }
}
