//! The plugin's image as a pod runs it, without a container engine: its unpacked tree as the root, read-only except for the
//! volumes, with the user of the image and the variables and mounts of the printed container. Linux only.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::folder::copy;
use crate::tools::RenderTools;

/// An image and its container.
#[derive(Debug, Clone)]
pub struct Sidecar {
    /// The unpacked image.
    pub image: PathBuf,
    /// The container, as in the manifest of a pod.
    pub container: Value,
}

/// The volumes that a server writes to; the others are filled before the start.
const WRITTEN: [&str; 3] = ["plugins", "homelab-tmp", "homelab-cache"];

impl Sidecar {
    /// Creates the container's root in a folder, with a link from `sockets` to its folder of sockets. Returns the command
    /// that runs in it.
    pub(crate) fn lay_out(&self, root: &Path, sockets: &Path, tools: &RenderTools) -> Result<Command> {
        copy(&self.image, root)?;
        // The runtime provides the devices of a container. Nothing writes to this one.
        fs::create_dir_all(root.join("dev"))?;
        fs::write(root.join("dev/null"), "")?;
        let mut written = Vec::new();
        for mount in self.list("volumeMounts")? {
            let path = mount["mountPath"].as_str().context("a mount has no path")?;
            let inside = root.join(path.trim_start_matches('/'));
            fs::create_dir_all(&inside)?;
            match mount["name"].as_str().context("a mount has no name")? {
                // What Argo CD's init container and the plugin's put there.
                "var-files" => place(&tools.argocd, &inside.join("argocd-cmp-server"))?,
                "homelab-tools" => {
                    place(&tools.helm, &inside.join("helm"))?;
                    fs::write(inside.join("ca-certificates.crt"), "")?;
                }
                // Optional Secrets that are not there.
                "homelab-helm" | "homelab-git" => {}
                name if WRITTEN.contains(&name) => written.push(inside),
                name => bail!("nothing fills the volume `{name}`"),
            }
        }
        let inside = root.join("home/argocd/cmp-server/plugins");
        symlink(inside, sockets)?;
        lock(root, &written)?;
        self.command(root)
    }

    fn list(&self, key: &str) -> Result<&Vec<Value>> {
        self.container[key]
            .as_array()
            .with_context(|| format!("the container has no `{key}`"))
    }

    fn command(&self, root: &Path) -> Result<Command> {
        let user = self.container["securityContext"]["runAsUser"]
            .as_u64()
            .context("the container has no user")?;
        let words = self.list("command")?;
        let program = words.first().and_then(Value::as_str).context("the command is empty")?;
        ensure!(words.len() == 1, "the command has several words");
        let mut command = Command::new("/usr/bin/unshare");
        command
            .arg("--user")
            .arg(format!("--map-user={user}"))
            .arg(format!("--map-group={user}"))
            .arg("--root")
            .arg(root)
            .arg(program);
        for variable in self.list("env")? {
            let text = |key: &str| {
                variable[key]
                    .as_str()
                    .with_context(|| format!("a variable has no {key}"))
            };
            command.env(text("name")?, text("value")?);
        }
        Ok(command)
    }
}

/// Places a program at a path, by a hard link if possible.
fn place(program: &Path, to: &Path) -> Result<()> {
    if fs::hard_link(program, to).is_err() {
        fs::copy(program, to)?;
    }
    Ok(())
}

/// Removes the write permission from every folder except these.
fn lock(folder: &Path, except: &[PathBuf]) -> Result<()> {
    if except.iter().any(|open| open == folder) {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && !path.is_symlink() {
            lock(&path, except)?;
        }
    }
    Ok(fs::set_permissions(folder, fs::Permissions::from_mode(0o555))?)
}
