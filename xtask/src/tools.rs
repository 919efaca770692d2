//! `cargo xtask tools`: real programs, built from pinned Go modules in `tests/tools/<module>`. Their binaries are kept in
//! the user's cache under the digest of everything that they are built from.

use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use sha2::{Digest, Sha256};

use crate::repository;

mod table;

pub(crate) use table::{FOR_INSTALL, FOR_STORIES, FOR_TESTS};
use table::{TOOLS, Tool};

const GO_FLAGS: &str = "-buildvcs=false -mod=readonly -trimpath";

/// Builds the missing ones of these programs, or of those that the tests need, and prints the paths of the binaries.
pub(crate) fn get_all(names: &[String]) -> Result<()> {
    let names: Vec<&str> = if names.is_empty() {
        FOR_TESTS.to_vec()
    } else {
        names.iter().map(String::as_str).collect()
    };
    for (_, binary) in get_many(&names)? {
        println!("{}", binary.display());
    }
    Ok(())
}

/// Returns the binary of a program; builds it if it is missing.
pub(crate) fn get(name: &str) -> Result<PathBuf> {
    let mut binaries = get_many(&[name])?;
    binaries
        .pop()
        .map(|(_, binary)| binary)
        .context("no program was requested")
}

/// Returns the version of the Go module that a program reports, as `v1.2.3`.
pub(crate) fn version(name: &str) -> Result<String> {
    Place::of(name)?.version()
}

/// Returns the binaries of programs by name; builds the missing ones, one after another.
pub(crate) fn get_many<'names>(names: &[&'names str]) -> Result<Vec<(&'names str, PathBuf)>> {
    let wanted = names
        .iter()
        .map(|name| Place::of(name).map(|place| (*name, place)))
        .collect::<Result<Vec<_>>>()?;
    let missing: Vec<&Tool> = wanted
        .iter()
        .filter(|(_, place)| !place.binary().exists())
        .map(|(_, place)| place.tool)
        .collect();
    if missing.len() > 1 {
        announce(&missing);
    }
    let built = wanted.into_iter().map(|(name, place)| Ok((name, place.ensure()?)));
    built.collect()
}

/// Prints what the builds will take, before they start.
fn announce(missing: &[&Tool]) {
    let names: Vec<&str> = missing.iter().map(|tool| tool.name).collect();
    let minutes: f64 = missing.iter().map(|tool| tool.minutes).sum();
    let gigabytes: f64 = missing.iter().map(|tool| tool.gigabytes).sum();
    eprintln!(
        "building {} programs from their Go modules, once: {}. This takes about {minutes:.0} processor minutes and, with Go's caches, \
         up to {gigabytes:.0} GB of disk; `go clean -cache -modcache` frees all of it but the programs.",
        missing.len(),
        names.join(", ")
    );
}

/// The place of a program in the cache.
struct Place {
    tool: &'static Tool,
    module: PathBuf,
    folder: PathBuf,
}

impl Place {
    fn of(name: &str) -> Result<Self> {
        let known = || TOOLS.iter().map(|tool| tool.name).collect::<Vec<_>>().join(", ");
        let tool = TOOLS
            .iter()
            .find(|tool| tool.name == name)
            .with_context(|| format!("unknown program `{name}`; known programs are {}", known()))?;
        let module = repository::root().join("tests/tools").join(tool.module);
        let key = key(&module, go_version()?, tool)?;
        let folder = homelab::disk::cache()?
            .join("tools")
            .join(format!("{}-{key}", tool.name));
        Ok(Self { tool, module, folder })
    }

    /// Returns the path of the program, or of the one file of the module that is wanted instead.
    fn binary(&self) -> PathBuf {
        let program = format!("{}{}", self.tool.name, std::env::consts::EXE_SUFFIX);
        let name = match self.tool.files {
            [file] if self.tool.package.is_empty() => file.rsplit('/').next().unwrap_or_default(),
            _ => &program,
        };
        self.folder.join(name)
    }

    /// Returns the binary; builds it if it is missing. Of two processes that need it, one builds and the other waits.
    fn ensure(&self) -> Result<PathBuf> {
        let binary = self.binary();
        if binary.exists() {
            return Ok(binary);
        }
        fs::create_dir_all(&self.folder)?;
        let lock = fs::File::create(self.folder.join("lock"))?;
        lock.lock().context("cannot wait for another build")?;
        if !binary.exists() {
            self.build(&binary)?;
        }
        Ok(binary)
    }

    fn version(&self) -> Result<String> {
        let version = go(&self.module, &["list", "-m", "-f", "{{.Version}}", self.tool.versioned])?;
        Ok(version.trim().to_owned())
    }

    fn build(&self, binary: &Path) -> Result<()> {
        let tool = self.tool;
        let version = &self.version()?;
        if tool.package.is_empty() {
            go(&self.module, &["mod", "download", tool.versioned])
                .with_context(|| format!("cannot get the module of {}", tool.name))?;
            return self.take_files();
        }
        let progress = Progress::new(&format!(
            "building {} {version} from its Go module, once ({:.1} processor minutes, up to {:.1} GB of disk)",
            tool.name, tool.minutes, tool.gigabytes
        ));
        let staged = self.folder.join("staged");
        let flags = format!("-s -w {}", with_version(tool.flags, version));
        let output = staged.to_str().context("the cache's path is not UTF-8")?;
        go(&self.module, &["build", "-ldflags", &flags, "-o", output, tool.package])
            .with_context(|| format!("cannot build {}", tool.name))?;
        self.take_files()?;
        // Last: if the binary exists, everything does.
        fs::rename(&staged, binary)?;
        drop(progress);
        Ok(())
    }

    fn take_files(&self) -> Result<()> {
        if self.tool.files.is_empty() {
            return Ok(());
        }
        let module = go(&self.module, &["list", "-m", "-f", "{{.Dir}}", self.tool.versioned])?;
        for file in self.tool.files {
            let from = Path::new(module.trim()).join(file);
            let name = from.file_name().context("a file has a name")?;
            // The module cache is read-only, and a copy by `fs::copy` would be, too. The rename makes the file appear whole.
            let bytes = fs::read(&from).with_context(|| format!("cannot read {}", from.display()))?;
            let staged = self.folder.join("staged-file");
            fs::write(&staged, bytes)?;
            fs::rename(&staged, self.folder.join(name))?;
        }
        Ok(())
    }
}

fn with_version(flags: &str, version: &str) -> String {
    let mut parts = version.trim_start_matches('v').split('.');
    let (major, minor) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    flags
        .replace("{v}", version)
        .replace("{number}", version.trim_start_matches('v'))
        .replace("{major}", major)
        .replace("{minor}", minor)
}

/// Returns the digest of everything that a binary is built from, in 16 hexadecimal digits: the module's own files, and
/// those of the package if it is a folder of the module. Other folders of a module are other programs.
fn key(module: &Path, go_version: &str, tool: &Tool) -> Result<String> {
    let mut sources = files(module)?;
    if let Some(folder) = tool.package.strip_prefix("./") {
        sources.extend(files(&module.join(folder))?);
    }
    let mut hasher = Sha256::new();
    for path in sources {
        hasher.update(fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?);
        hasher.update([0]);
    }
    let texts = [go_version, tool.package, tool.flags, GO_FLAGS];
    for text in texts.iter().chain(tool.files) {
        hasher.update(text.as_bytes());
        hasher.update([0]);
    }
    Ok(base16ct::lower::encode_string(&hasher.finalize()[..8]))
}

/// Returns the files of a folder, sorted, without those of its subfolders.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let list = || -> std::io::Result<Vec<PathBuf>> {
        let entries = fs::read_dir(folder)?.collect::<std::io::Result<Vec<_>>>()?;
        let mut paths: Vec<PathBuf> = entries.iter().map(fs::DirEntry::path).collect();
        paths.retain(|path| path.is_file());
        paths.sort();
        Ok(paths)
    };
    list().with_context(|| format!("cannot read {}", folder.display()))
}

/// Returns Go's version and target; runs Go only once.
fn go_version() -> Result<&'static str> {
    static VERSION: OnceLock<String> = OnceLock::new();
    if let Some(version) = VERSION.get() {
        return Ok(version);
    }
    let version = go(&repository::root(), &["env", "GOVERSION", "GOOS", "GOARCH"])?;
    Ok(VERSION.get_or_init(|| version))
}

fn go(folder: &Path, arguments: &[&str]) -> Result<String> {
    let program = which::which("go")
        .context("`go` is not on PATH; the tests' real programs are built from Go modules: install Go 1.26 or newer")?;
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env("CGO_ENABLED", "0")
        .env("GOFLAGS", GO_FLAGS)
        .env("GOWORK", "off")
        .stdin(Stdio::null())
        .output()?;
    if !output.status.success() {
        bail!(
            "go {} failed:\n{}",
            arguments[0],
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// A spinner on a terminal, else a line.
struct Progress(Option<ProgressBar>);

impl Progress {
    fn new(what: &str) -> Self {
        if !std::io::stderr().is_terminal() {
            eprintln!("{what}");
            return Self(None);
        }
        let bar = ProgressBar::new_spinner().with_message(what.to_owned());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(Some(bar))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_changes_with_everything_that_a_binary_is_built_from() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("go.mod", "module x");
        write("go.sum", "");
        let first = key(folder.path(), "go1", &TOOLS[0]).unwrap();
        assert_eq!(first, key(folder.path(), "go1", &TOOLS[0]).unwrap());
        assert_ne!(first, key(folder.path(), "go2", &TOOLS[0]).unwrap());
        assert_ne!(first, key(folder.path(), "go1", &TOOLS[1]).unwrap());
        write("go.sum", "x");
        assert_ne!(first, key(folder.path(), "go1", &TOOLS[0]).unwrap());
        assert_eq!(first.len(), 16);
    }

    #[test]
    fn a_folder_of_a_module_is_a_separate_program() {
        let folder = tempfile::tempdir().unwrap();
        let own = TOOLS.iter().find(|tool| tool.package.starts_with("./")).unwrap();
        let source = folder.path().join(own.package).join("main.go");
        fs::create_dir(source.parent().unwrap()).unwrap();
        fs::write(&source, "package main").unwrap();
        let keys = || [own, &TOOLS[0]].map(|tool| key(folder.path(), "go1", tool).unwrap());
        let before = keys();
        fs::write(&source, "package main // changed").unwrap();
        let after = keys();
        assert_ne!(before[0], after[0]);
        assert_eq!(before[1], after[1]);
    }

    #[test]
    fn versions_are_put_into_the_flags() {
        assert_eq!(
            with_version("{v} {number} {major} {minor}", "v1.37.2"),
            "v1.37.2 1.37.2 1 37"
        );
    }

    #[test]
    fn every_tool_has_its_module() {
        for tool in TOOLS {
            assert!(
                !tool.package.is_empty() || tool.files.len() == 1,
                "{}: a tool without a program has one file",
                tool.name
            );
            assert!(
                repository::root()
                    .join("tests/tools")
                    .join(tool.module)
                    .join("go.sum")
                    .exists(),
                "{}",
                tool.name
            );
        }
    }
}
