//! The files of a commit: as one archive that is kept, and in a folder. Nothing is written outside of the folder, and no link in it
//! leads out.
#![expect(clippy::disallowed_methods, reason = "the adapter to what is elsewhere")]

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use tar::Header;

const CANNOT_WRITE: &str = "cannot write a temporary file";
/// The modes of a link and of a submodule in git.
const LINK: u32 = 0o120_000;
const SUBMODULE: u32 = 0o160_000;
const CANNOT_READ: &str = "cannot read a temporary file";

/// What a file of a commit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A file, or one that can be run.
    File { is_executable: bool },
    /// A symbolic link; its content is where it leads.
    Link,
    /// A commit of another repository.
    Submodule,
}

/// A file of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TreeFile {
    pub(super) path: String,
    pub(super) kind: Kind,
    pub(super) bytes: Vec<u8>,
}

/// Returns files as an archive.
pub(super) fn packed(files: &[TreeFile]) -> Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for file in files {
        let mut header = Header::new_gnu();
        header.set_mode(mode(file.kind));
        header.set_size(file.bytes.len() as u64);
        archive.append_data(&mut header, &file.path, file.bytes.as_slice())?;
    }
    Ok(archive.into_inner()?)
}

/// Returns the mode that a file has in git, which says what it is.
fn mode(kind: Kind) -> u32 {
    match kind {
        Kind::File { is_executable: false } => 0o100_644,
        Kind::File { is_executable: true } => 0o100_755,
        Kind::Link => LINK,
        Kind::Submodule => SUBMODULE,
    }
}

/// Puts an archive into a folder; returns the folders of other repositories in it, which stay empty.
pub(super) fn unpack(archive: &[u8], into: &Path) -> Result<Vec<String>> {
    fs::create_dir_all(into).context(CANNOT_WRITE)?;
    let (mut links, mut submodules) = (Vec::new(), Vec::new());
    for entry in tar::Archive::new(archive).entries()? {
        let mut entry = entry?;
        let path = std::str::from_utf8(&entry.path_bytes())
            .context("a name in it is not UTF-8")?
            .to_owned();
        let place = place(into, &path)?;
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        fs::create_dir_all(place.parent().unwrap_or(into)).context(CANNOT_WRITE)?;
        match entry.header().mode()? {
            LINK => links.push((path, place, bytes)),
            SUBMODULE => submodules.push(path),
            mode => write(&place, &bytes, mode & 0o100 != 0).context(CANNOT_WRITE)?,
        }
    }
    // Behind all files: none can be written through one.
    for (path, place, target) in links {
        let target = std::str::from_utf8(&target).context("a link in it is not UTF-8")?;
        ensure!(
            stays_inside(&path, target),
            "the symbolic link `{path}` in it leads out of it"
        );
        link(target, &place).context(CANNOT_WRITE)?;
    }
    Ok(submodules)
}

/// Returns the place of a file below a folder.
fn place(into: &Path, path: &str) -> Result<PathBuf> {
    let is_part = |part: &str| {
        let is_name = !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', '\0']);
        is_name && !part.eq_ignore_ascii_case(".git") && !(cfg!(windows) && part.contains(':'))
    };
    if !path.split('/').all(is_part) {
        bail!("`{path}` in it is no path of a file");
    }
    Ok(path.split('/').fold(into.to_owned(), |folder, part| folder.join(part)))
}

/// Reports whether a link leads to something inside.
fn stays_inside(path: &str, target: &str) -> bool {
    if target.starts_with('/') || target.contains('\\') {
        return false;
    }
    let mut depth = path.split('/').count() - 1;
    for part in target.split('/').filter(|part| !part.is_empty() && *part != ".") {
        match part {
            ".." if depth == 0 => return false,
            ".." => depth -= 1,
            _ => depth += 1,
        }
    }
    true
}

fn write(place: &Path, bytes: &[u8], is_executable: bool) -> std::io::Result<()> {
    fs::write(place, bytes)?;
    #[cfg(unix)]
    if is_executable {
        fs::set_permissions(place, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    }
    #[cfg(not(unix))]
    let _ = is_executable;
    Ok(())
}

#[cfg(unix)]
fn link(target: &str, place: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(target, place)
}

#[cfg(not(unix))]
fn link(target: &str, place: &Path) -> std::io::Result<()> {
    // As git without the right to make links.
    fs::write(place, target)
}

/// Reads the files of a working tree.
pub(super) fn read(root: &Path) -> Result<Vec<TreeFile>> {
    let (mut files, mut open) = (Vec::new(), vec![String::new()]);
    while let Some(folder) = open.pop() {
        let at = root.join(&folder);
        let mut is_empty = true;
        for entry in fs::read_dir(&at).context(CANNOT_READ)? {
            let entry = entry.context(CANNOT_READ)?;
            let name = entry
                .file_name()
                .into_string()
                .map_err(|_| anyhow!("a name in it is not UTF-8"))?;
            if name == ".git" {
                continue;
            }
            is_empty = false;
            let path = if folder.is_empty() {
                name
            } else {
                format!("{folder}/{name}")
            };
            let (kind, place) = (entry.file_type().context(CANNOT_READ)?, entry.path());
            if kind.is_dir() {
                open.push(path);
            } else if kind.is_symlink() {
                let target = fs::read_link(place).context(CANNOT_READ)?;
                let bytes = target.into_os_string().into_encoded_bytes();
                files.push(TreeFile {
                    path,
                    kind: Kind::Link,
                    bytes,
                });
            } else {
                let kind = Kind::File {
                    is_executable: is_executable(&entry),
                };
                let bytes = fs::read(place).context(CANNOT_READ)?;
                files.push(TreeFile { path, kind, bytes });
            }
        }
        // Git has no empty folders but those of submodules.
        if is_empty && !folder.is_empty() {
            files.push(TreeFile {
                path: folder,
                kind: Kind::Submodule,
                bytes: Vec::new(),
            });
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

#[cfg(unix)]
fn is_executable(entry: &fs::DirEntry) -> bool {
    use std::os::unix::fs::PermissionsExt;
    entry
        .metadata()
        .is_ok_and(|metadata| metadata.permissions().mode() & 0o100 != 0)
}

#[cfg(not(unix))]
fn is_executable(_: &fs::DirEntry) -> bool {
    false
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn file(path: &str, kind: Kind, text: &str) -> TreeFile {
        TreeFile {
            path: path.to_owned(),
            kind,
            bytes: text.as_bytes().to_vec(),
        }
    }

    const PLAIN: Kind = Kind::File { is_executable: false };

    #[test]
    fn files_come_back_as_they_were() {
        let long = format!("deep/{}/a.yaml", "x".repeat(150));
        let files = [
            file("a", Kind::File { is_executable: true }, "1"),
            file("b/link", Kind::Link, "../a"),
            file(&long, PLAIN, "2"),
            file("module", Kind::Submodule, ""),
        ];
        let folder = tempfile::tempdir().unwrap();
        let into = folder.path().join("into");
        assert_eq!(unpack(&packed(&files).unwrap(), &into).unwrap(), ["module"]);
        assert_eq!(fs::read_to_string(into.join("b/link")).unwrap(), "1");
        let mut read = read(&into).unwrap();
        read.retain(|file| file.kind != Kind::Submodule);
        assert_eq!(read, files[..3]);
    }

    #[test]
    fn nothing_leads_out() {
        for files in [
            [file("../a", PLAIN, ""), file("b", PLAIN, "")],
            [file("a/.GIT/config", PLAIN, ""), file("b", PLAIN, "")],
            [file("a", Kind::Link, "../x"), file("b", PLAIN, "")],
            [file("a/b", Kind::Link, "../../x"), file("b", PLAIN, "")],
            [file("a", Kind::Link, "/etc/passwd"), file("b", PLAIN, "")],
        ] {
            let folder = tempfile::tempdir().unwrap();
            let packed = packed(&files);
            let unpacked = packed.and_then(|packed| unpack(&packed, &folder.path().join("into")));
            assert!(unpacked.is_err(), "{files:?}");
        }
        assert!(stays_inside("a/b/c", "../../x/./y"));
    }
}
