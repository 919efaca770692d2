//! The real programs: built from pinned Go modules in `tests/tools/<module>`, their binaries kept in the user's cache
//! under the digest of everything that they were made of.

use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use sha2::{Digest, Sha256};

use crate::run;

/// One program.
pub(crate) struct Tool {
    /// Its name, and the binary's.
    pub(crate) name: &'static str,
    /// The folder below `tests/tools`.
    module: &'static str,
    /// The Go package that is built.
    package: &'static str,
    /// The Go module whose version the program says.
    versioned: &'static str,
    /// Linker flags that set that version; `{v}` is `v1.2.3`, `{major}` and `{minor}` are its parts.
    flags: &'static str,
    /// What a first build takes, for the person who waits: processor minutes and gigabytes.
    takes: &'static str,
}

/// Everything that can be built.
pub(crate) const TOOLS: &[Tool] = &[
    Tool {
        name: "helm",
        module: "helm",
        package: "helm.sh/helm/v4/cmd/helm",
        versioned: "helm.sh/helm/v4",
        flags: "-X helm.sh/helm/v4/internal/version.version={v}",
        takes: "2 processor minutes, 1.5 GB while it builds",
    },
    Tool {
        name: "kubectl",
        module: "kubernetes",
        package: "k8s.io/kubernetes/cmd/kubectl",
        versioned: "k8s.io/kubernetes",
        flags: "-X k8s.io/component-base/version.gitVersion={v} -X k8s.io/component-base/version.gitMajor={major} -X k8s.io/component-base/version.gitMinor={minor} -X k8s.io/component-base/version.gitTreeState=clean",
        takes: "3 processor minutes, 2 GB while it builds",
    },
    Tool {
        name: "yq",
        module: "yq",
        package: "github.com/mikefarah/yq/v4",
        versioned: "github.com/mikefarah/yq/v4",
        flags: "",
        takes: "half a processor minute, 0.5 GB while it builds",
    },
    Tool {
        name: "kustomize",
        module: "kustomize",
        package: "sigs.k8s.io/kustomize/kustomize/v5",
        versioned: "sigs.k8s.io/kustomize/kustomize/v5",
        flags: "",
        takes: "half a processor minute, 0.5 GB while it builds",
    },
];

/// What the tests need.
pub(crate) const FOR_TESTS: &[&str] = &["helm", "kubectl"];

const GO_FLAGS: &str = "-buildvcs=false -mod=readonly -trimpath";

/// Builds what is missing of these programs, or of those that the tests need.
pub(crate) fn get_all(names: &[String]) -> Result<()> {
    let names: Vec<&str> = if names.is_empty() {
        FOR_TESTS.to_vec()
    } else {
        names.iter().map(String::as_str).collect()
    };
    for name in names {
        println!("{}", get(name)?.display());
    }
    Ok(())
}

/// The binary of a program; built when it is missing.
pub(crate) fn get(name: &str) -> Result<PathBuf> {
    let known = || TOOLS.iter().map(|tool| tool.name).collect::<Vec<_>>().join(", ");
    let tool = TOOLS
        .iter()
        .find(|tool| tool.name == name)
        .with_context(|| format!("`{name}` is unknown; known are {}", known()))?;
    let module = run::root().join("tests/tools").join(tool.module);
    let folder =
        homelab::disk::cache()?
            .join("tools")
            .join(format!("{}-{}", tool.name, key(&module, &go_version()?, tool)?));
    let binary = folder.join(format!("{}{}", tool.name, std::env::consts::EXE_SUFFIX));
    if binary.exists() {
        return Ok(binary);
    }
    fs::create_dir_all(&folder)?;
    let lock = fs::File::create(folder.join("lock"))?;
    lock.lock().context("cannot wait for another build")?;
    if !binary.exists() {
        build(tool, &module, &folder, &binary)?;
    }
    Ok(binary)
}

fn build(tool: &Tool, module: &Path, folder: &Path, binary: &Path) -> Result<()> {
    let version = go(module, &["list", "-m", "-f", "{{.Version}}", tool.versioned])?;
    let version = version.trim();
    let what = format!(
        "building {} {version} from its Go module, once ({})",
        tool.name, tool.takes
    );
    let progress = Progress::new(&what);
    let staged = folder.join("staged");
    let flags = format!("-s -w {}", with_version(tool.flags, version));
    let output = staged.to_str().context("the cache's path is not UTF-8")?;
    go(module, &["build", "-ldflags", &flags, "-o", output, tool.package])
        .with_context(|| format!("cannot build {}", tool.name))?;
    fs::rename(&staged, binary)?;
    drop(progress);
    Ok(())
}

fn with_version(flags: &str, version: &str) -> String {
    let mut parts = version.trim_start_matches('v').split('.');
    let (major, minor) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    flags
        .replace("{v}", version)
        .replace("{major}", major)
        .replace("{minor}", minor)
}

/// What a binary is made of, in 16 hexadecimal digits.
fn key(module: &Path, go_version: &str, tool: &Tool) -> Result<String> {
    let mut hasher = Sha256::new();
    for file in ["go.mod", "go.sum"] {
        let path = module.join(file);
        hasher.update(fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?);
        hasher.update([0]);
    }
    for text in [go_version, tool.package, tool.flags, GO_FLAGS] {
        hasher.update(text.as_bytes());
        hasher.update([0]);
    }
    Ok(hasher
        .finalize()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

fn go_version() -> Result<String> {
    go(&run::root(), &["env", "GOVERSION", "GOOS", "GOARCH"])
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

/// A spinner on a terminal, a line elsewhere.
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
    fn the_key_changes_with_everything_that_a_binary_is_made_of() {
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
    fn versions_go_into_the_flags() {
        assert_eq!(with_version("{v} {major} {minor}", "v1.37.2"), "v1.37.2 1 37");
    }

    #[test]
    fn every_tool_has_its_module() {
        for tool in TOOLS {
            assert!(
                run::root()
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
