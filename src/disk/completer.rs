//! Makes the link through which kubectl lets the program complete. kubectl looks on the `PATH` for `kubectl_complete-homelab`,
//! and krew links one program for each plugin. So the link is made beside krew's own `kubectl-homelab`, and leads to that
//! name and not into krew's store: after `krew upgrade` it leads to the new version, after `krew uninstall` nowhere.
//!
//! Source of the names: <https://kubernetes.io/docs/reference/kubectl/generated/kubectl_plugin/>, and `kubectl`'s
//! `pkg/cmd/plugin/plugin_completion.go`.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};

use crate::failure::HintExt;

/// The program, as kubectl looks for it.
const PROGRAM: &str = "kubectl-homelab";

/// The name under which kubectl looks for what completes `kubectl homelab`.
pub const COMPLETER: &str = "kubectl_complete-homelab";

/// The link's file. Windows makes links for few people, and runs what ends in `.cmd`.
const FILE: &str = if cfg!(windows) {
    "kubectl_complete-homelab.cmd"
} else {
    COMPLETER
};

/// The result of an installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// The link was made.
    Made(PathBuf),
    /// The link existed.
    Kept(PathBuf),
}

/// Returns the words of kubectl's command line that follow `homelab`, when kubectl ran the program as [`COMPLETER`].
pub fn words_to_complete(arguments: &[OsString]) -> Option<&[OsString]> {
    let (program, words) = arguments.split_first()?;
    (Path::new(program).file_stem() == Some(OsStr::new(COMPLETER))).then_some(words)
}

/// Makes the link beside the program that kubectl finds, or in another folder of the `PATH`.
///
/// # Errors
/// When kubectl does not find the program or would not find the link, the folder cannot be written to, or another file
/// has the link's name.
pub fn install(folder: Option<&Path>) -> Result<Link> {
    let program = program()?;
    let beside = program.parent().context("a program has a folder")?;
    let folder = folder.unwrap_or(beside);
    if !is_on_path(folder) {
        return Err(
            anyhow!("`{}` is not on PATH: kubectl would not find the link", folder.display())
                .hint("add it to PATH first, or name a folder that is"),
        );
    }
    // Beside the program its name alone, so that the folder can be moved.
    let target = if is_same(folder, beside) {
        PathBuf::from(PROGRAM)
    } else {
        std::path::absolute(&program)?
    };
    let link = folder.join(FILE);
    match read(&link)? {
        Some(Existing::Link(found)) if found == target => return Ok(Link::Kept(link)),
        Some(Existing::Link(_)) => fs::remove_file(&link).map_err(|error| refused(&error, folder))?,
        Some(Existing::Other) => return Err(foreign(&link)),
        None => {}
    }
    make(&target, &link).map_err(|error| refused(&error, folder))?;
    Ok(Link::Made(link))
}

/// Removes the link from the folder of the program, or from another one, and returns its path; `None` when there was none.
///
/// # Errors
/// When kubectl does not find the program, the folder cannot be written to, or the file of that name is another one.
pub fn uninstall(folder: Option<&Path>) -> Result<Option<PathBuf>> {
    let folder = match folder {
        Some(folder) => folder.to_owned(),
        None => program()?.parent().context("a program has a folder")?.to_owned(),
    };
    let link = folder.join(FILE);
    match read(&link)? {
        None => Ok(None),
        Some(Existing::Other) => Err(foreign(&link)),
        Some(Existing::Link(_)) => {
            fs::remove_file(&link).map_err(|error| refused(&error, &folder))?;
            Ok(Some(link))
        }
    }
}

/// Returns the program that kubectl finds, without following links.
fn program() -> Result<PathBuf> {
    which::which(PROGRAM).map_err(|_| {
        anyhow!("`{PROGRAM}` is not on PATH: kubectl does not find the program itself")
            .hint("add its folder to PATH; krew's is `${KREW_ROOT:-$HOME/.krew}/bin`")
    })
}

fn is_on_path(folder: &Path) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|entry| is_same(&entry, folder))
}

fn is_same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| fs::canonicalize(path).ok();
    one == other || matches!((real(one), real(other)), (Some(one), Some(other)) if one == other)
}

/// The file that has the link's name.
enum Existing {
    /// A link to a program of our name, which may be gone.
    Link(PathBuf),
    /// Something else.
    Other,
}

#[cfg(not(windows))]
fn read(link: &Path) -> Result<Option<Existing>> {
    match fs::read_link(link) {
        Ok(target) if target.file_name() == Some(OsStr::new(PROGRAM)) => Ok(Some(Existing::Link(target))),
        Ok(_) => Ok(Some(Existing::Other)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        // It is not a link.
        Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(Some(Existing::Other)),
        Err(error) => Err(error).with_context(|| format!("cannot read `{}`", link.display())),
    }
}

#[cfg(not(windows))]
fn make(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(windows)]
fn read(link: &Path) -> Result<Option<Existing>> {
    let text = match fs::read_to_string(link) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read `{}`", link.display())),
    };
    let target = text.strip_prefix("@\"").and_then(|rest| rest.strip_suffix(CALL));
    Ok(Some(target.map_or(Existing::Other, |target| {
        Existing::Link(target.strip_prefix(BESIDE).unwrap_or(target).into())
    })))
}

/// The folder of the file that runs.
#[cfg(windows)]
const BESIDE: &str = "%~dp0";

#[cfg(windows)]
const CALL: &str = "\" __complete %*\r\n";

#[cfg(windows)]
fn make(target: &Path, link: &Path) -> io::Result<()> {
    let beside = if target.is_absolute() { "" } else { BESIDE };
    fs::write(link, format!("@\"{beside}{}{CALL}", target.display()))
}

fn foreign(link: &Path) -> anyhow::Error {
    anyhow!("`{}` exists, and this program did not make it", link.display())
        .hint("remove it, or name another folder on PATH with `--bin-dir DIR`")
}

fn refused(error: &io::Error, folder: &Path) -> anyhow::Error {
    let message = anyhow!("cannot change the folder `{}`: {error}", folder.display());
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            message.hint("name a folder on PATH that you may write to with `--bin-dir DIR`")
        }
        _ => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kubectls_call_for_completion_is_recognised() {
        let words = |program: &str| {
            let arguments = [program, "render", ""].map(OsString::from);
            words_to_complete(&arguments).map(<[OsString]>::len)
        };
        assert_eq!(words("/home/me/.krew/bin/kubectl_complete-homelab"), Some(2));
        assert_eq!(words("kubectl_complete-homelab.exe"), Some(2));
        assert_eq!(words("/home/me/.krew/bin/kubectl-homelab"), None);
        assert_eq!(words_to_complete(&[]), None);
    }
}
