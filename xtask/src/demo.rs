//! `cargo xtask demo`: the main workflow, with the real program on a copy of the shipped repository.

use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use homelab::report::diff;
use homelab::yaml;

use crate::{cargo, repository, tools};

#[cfg(unix)]
mod addresses;
#[cfg(unix)]
pub(crate) mod argocd;
#[cfg(unix)]
mod copied;
#[cfg(unix)]
mod screen;
#[cfg(unix)]
mod served;

const OWNER_URL: &str = "https://github.com/me";
const SOURCES: [&str; 2] = ["home-media", "pilotedge-audio-fetcher"];

/// Runs the demo until its end or the first step that fails.
pub(crate) fn run() -> Result<()> {
    let program = cargo::build()?.program;
    let stage = tempfile::tempdir()?;
    let home = stage.path().join("home");
    for folder in ["applications", "namespaces"] {
        copy(&repository::root().join(folder), &home.join(folder))?;
    }
    init_repository(&home, "home")?;
    for source in SOURCES {
        let folder = stage.path().join(source);
        copy(&repository::root().join("tests/sources").join(source), &folder)?;
        init_repository(&folder, source)?;
    }
    let kubectl = Shell {
        program,
        helm: helm()?,
        home,
        cache: stage.path().join("cache"),
    };
    story(&kubectl)
}

fn story(kubectl: &Shell) -> Result<()> {
    let url = |name: &str| format!("{OWNER_URL}/{name}");
    say("The shipped repository, with its placeholder filled in.");
    kubectl.show(&["init", "--repo-url", &url("home")])?;
    say("A namespace, with its pod security level.");
    kubectl.show(&["add-namespace", "radio", "--pod-security", "baseline"])?;
    say("The producer. Its chart renders a claim, which the Application owns.");
    let fetcher = url("pilotedge-audio-fetcher");
    kubectl.show(&[
        "add-app",
        "radio-fetcher",
        "--repo",
        &fetcher,
        "--path",
        "helm/pilotedge-audio-fetcher",
        "--revision",
        "main",
        "-n",
        "radio",
    ])?;
    say("The consumer. Its chart does not know the producer's claim: the plugin mounts it, read-only.");
    let media = url("home-media");
    let mount = "pvc-pe-audio:/media/pe-audio";
    kubectl.show(&[
        "add-app",
        "radio-player",
        "--repo",
        &media,
        "--path",
        "helm/jellyfin",
        "--revision",
        "main",
        "-n",
        "radio",
        "--mount",
        mount,
    ])?;
    say("Owners and consumers of claims.");
    kubectl.show(&["list", "volumes"])?;
    say("A check of the whole repository.");
    kubectl.show(&["validate"])?;
    say("The consumer's Deployment as Helm renders it, and as the cluster gets it.");
    println!("$ kubectl homelab render radio-player");
    let deployment = |arguments: &[&str]| -> Result<String> { document(&kubectl.output(arguments)?, "Deployment") };
    let before = deployment(&["render", "radio-player", "--no-storage-rules"])?;
    let after = deployment(&["render", "radio-player"])?;
    if before == after {
        bail!("the storage rules were not applied: the cluster would get what Helm rendered");
    }
    print!("{}", diff::hunks(&before, &after, std::io::stdout().is_terminal()));
    say("The same for the producer's claim.");
    let claim =
        |arguments: &[&str]| -> Result<String> { document(&kubectl.output(arguments)?, "PersistentVolumeClaim") };
    let before = claim(&["render", "radio-fetcher", "--no-storage-rules"])?;
    print!(
        "{}",
        diff::hunks(
            &before,
            &claim(&["render", "radio-fetcher"])?,
            std::io::stdout().is_terminal()
        )
    );
    say("The Namespace records in the cluster which Application owns which claim.");
    print!("{}", kubectl.output(&["render", "namespaces"])?);
    Ok(())
}

/// Returns the first document of a kind.
fn document(stream: &str, kind: &str) -> Result<String> {
    let documents = yaml::documents(stream)?;
    for document in documents {
        let text = &stream[document.range];
        if yaml::value(text)?.is_some_and(|tree| tree["kind"] == kind) {
            return Ok(text.to_owned());
        }
    }
    bail!("no {kind} was rendered")
}

fn say(what: &str) {
    println!("\n# {what}");
}

struct Shell {
    program: PathBuf,
    helm: PathBuf,
    home: PathBuf,
    cache: PathBuf,
}

impl Shell {
    fn command(&self, arguments: &[&str]) -> Result<Command> {
        let mut path = vec![self.helm.parent().context("helm has no folder")?.to_owned()];
        path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .current_dir(&self.home)
            .env("PATH", std::env::join_paths(path)?);
        command.env("XDG_CACHE_HOME", &self.cache).stdin(Stdio::null());
        Ok(command)
    }

    /// Runs a command, and prints it with its output.
    fn show(&self, arguments: &[&str]) -> Result<()> {
        println!("$ kubectl homelab {}", arguments.join(" "));
        let status = self.command(arguments)?.status()?;
        if !status.success() {
            bail!("`kubectl homelab {}` ended with {status}", arguments[0]);
        }
        Ok(())
    }

    /// Returns the output of a command.
    fn output(&self, arguments: &[&str]) -> Result<String> {
        let output = self.command(arguments)?.output()?;
        if !output.status.success() {
            bail!(
                "`kubectl homelab {}` ended with {}: {}",
                arguments[0],
                output.status,
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(String::from_utf8(output.stdout)?)
    }
}

/// Returns the helm 4 on the PATH, else the pinned one.
fn helm() -> Result<PathBuf> {
    if let Ok(path) = which::which("helm") {
        let output = Command::new(&path)
            .args(["version", "--short"])
            .stdin(Stdio::null())
            .output();
        if output.is_ok_and(|output| output.status.success() && output.stdout.starts_with(b"v4.")) {
            return Ok(path);
        }
    }
    tools::get("helm")
}

/// Copies a folder with all its contents.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Turns a folder into a git repository with one commit and a remote.
fn init_repository(folder: &Path, name: &str) -> Result<()> {
    let identity = ["-c", "user.name=demo", "-c", "user.email=demo@example.org"];
    let url = format!("{OWNER_URL}/{name}");
    let steps: [&[&str]; 4] = [
        &["init", "--quiet", "--initial-branch=main"],
        &["add", "--all"],
        &["commit", "--quiet", "--message=Start"],
        &["remote", "add", "origin", &url],
    ];
    for step in steps {
        let status = Command::new("git")
            .args(identity)
            .args(step)
            .current_dir(folder)
            .stdin(Stdio::null())
            .status();
        if !status.context("cannot run git")?.success() {
            bail!("git {} failed", step[0]);
        }
    }
    Ok(())
}
