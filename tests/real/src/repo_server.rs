//! Repo-servers of Argo CD, each with the plugin's server beside it, and the Redis that they share: everything that
//! renders. They need no cluster, and start within a second.

use std::collections::BTreeMap;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, thread};

use anyhow::{Context, Result, bail};

use crate::folder::Folder;
use crate::options::Options;
use crate::process::{Process, free_port, until};
use crate::sidecar::Sidecar;
use crate::tools::{RenderTools, Tools};

/// The entries of the project's `argocd-cmd-params-cm` with the repo-server's variables for them, as in the manifests of
/// Argo CD.
const REPO_SERVER_PARAMETERS: [(&str, &str); 2] = [
    (
        "reposerver.plugin.tar.exclusions",
        "ARGOCD_REPO_SERVER_PLUGIN_TAR_EXCLUSIONS",
    ),
    (
        "reposerver.plugin.use.manifest.generate.paths",
        "ARGOCD_REPO_SERVER_PLUGIN_USE_MANIFEST_GENERATE_PATHS",
    ),
];

/// Running repo-servers with their plugins.
#[derive(Debug)]
pub struct RepoServers {
    processes: Vec<Process>,
    plugins: Vec<Process>,
    ports: Vec<u16>,
    redis: u16,
    plugin_programs: PathBuf,
    setup: Setup,
}

/// The settings of the processes.
#[derive(Debug, Clone)]
struct Setup {
    folder: PathBuf,
    argocd: PathBuf,
    programs: BTreeMap<&'static str, PathBuf>,
    plugin_variables: Vec<(&'static str, String)>,
    repo_server_variables: Vec<(&'static str, String)>,
    sidecar: Option<(Sidecar, RenderTools)>,
}

impl RepoServers {
    /// Starts the servers; they may not answer yet.
    pub fn start(folder: &Folder, tools: &RenderTools, options: &Options) -> Result<Self> {
        let setup = Setup {
            folder: folder.path().to_owned(),
            argocd: tools.argocd.clone(),
            programs: BTreeMap::from([
                ("kubectl-homelab", tools.program.clone()),
                ("helm", tools.helm.clone()),
                ("kustomize", tools.kustomize.clone()),
            ]),
            plugin_variables: options.plugin_variables.clone(),
            sidecar: options.sidecar.clone().map(|sidecar| (sidecar, tools.clone())),
            repo_server_variables: if options.shipped_parameters {
                shipped_parameters()?
            } else {
                Vec::new()
            },
        };
        let plugin_programs = lay_out(&setup, tools)?;
        let redis = free_port()?;
        let mut command = Command::new(&tools.redis);
        command.arg("--address").arg(local(redis));
        let mut processes = vec![Process::start(&setup.folder, "redis", &command)?];
        let mut ports = Vec::new();
        let mut plugins = Vec::new();
        for number in 1..=options.repo_servers {
            plugins.push(setup.start_plugin(number, &plugin_programs)?);
            let port = free_port()?;
            processes.push(setup.start_repo_server(number, port, redis)?);
            ports.push(port);
        }
        Ok(Self {
            processes,
            plugins,
            ports,
            redis,
            plugin_programs,
            setup,
        })
    }

    /// Waits until all of them answer.
    pub fn until_they_answer(&self) -> Result<()> {
        until(&self.processes, "Redis", || answers(self.redis))?;
        for (number, port) in self.ports.iter().enumerate() {
            until(&self.processes, "the repo-server", || answers(*port))?;
            until(&self.plugins, "the plugin", || self.setup.has_plugin(number + 1))?;
        }
        Ok(())
    }

    /// Returns the port of Redis.
    pub fn redis(&self) -> u16 {
        self.redis
    }

    /// Returns a port at which one of them answers: a different one for each connection if there are several.
    pub fn port(&self) -> Result<u16> {
        match self.ports.as_slice() {
            [only] => Ok(*only),
            several => round_robin(several.to_vec()),
        }
    }

    /// Returns the command of one of Argo CD's servers, for the same folder.
    pub(crate) fn server(&self, name: &str, kind: &str) -> Result<Command> {
        self.setup.server(name, kind)
    }

    /// Fails if one of its processes has ended.
    pub fn alive(&self) -> Result<()> {
        self.processes.iter().chain(&self.plugins).try_for_each(Process::alive)
    }

    /// Replaces one of the plugin's programs, `kubectl-homelab`, `helm` or `kustomize`, by a shell script; `$REAL` in it is the
    /// program itself. Only these programs are on its PATH. It is looked up on every render.
    pub fn stand_in(&self, program: &str, script: &str) -> Result<()> {
        let path = self.plugin_programs.join(program);
        let real = self.setup.programs[program].display();
        fs::remove_file(&path)?;
        fs::write(&path, format!("#!/bin/sh\nREAL='{real}'\n{script}\n"))?;
        Ok(fs::set_permissions(path, fs::Permissions::from_mode(0o755))?)
    }

    /// Removes one of the plugin's programs.
    pub fn take_away(&self, program: &str) -> Result<()> {
        Ok(fs::remove_file(self.plugin_programs.join(program))?)
    }

    /// Puts one of the plugin's programs back.
    pub fn put_back(&self, program: &str) -> Result<()> {
        let path = self.plugin_programs.join(program);
        let _ = fs::remove_file(&path);
        Ok(symlink(&self.setup.programs[program], path)?)
    }

    /// Returns the process groups of the plugin's servers.
    pub fn plugin_groups(&self) -> Vec<u32> {
        self.plugins.iter().map(Process::group).collect()
    }

    /// Restarts the plugin's servers, as a new image of the sidecar does.
    pub fn restart_plugins(&mut self) -> Result<()> {
        let count = self.plugins.len();
        self.plugins.clear();
        for number in 1..=count {
            fs::remove_dir_all(self.setup.sockets(number))?;
            fs::create_dir_all(self.setup.sockets(number))?;
            self.plugins
                .push(self.setup.start_plugin(number, &self.plugin_programs)?);
        }
        for number in 1..=count {
            until(&self.plugins, "the plugin", || self.setup.has_plugin(number))?;
        }
        Ok(())
    }
}

/// Creates the folders and programs that the servers expect; returns the plugin's folder of programs.
fn lay_out(setup: &Setup, tools: &RenderTools) -> Result<PathBuf> {
    let folder = |name: &str| -> Result<PathBuf> {
        let path = setup.folder.join(name);
        fs::create_dir_all(&path)?;
        Ok(path)
    };
    for name in ["gpg", "tls", "ssh"] {
        fs::set_permissions(folder(name)?, fs::Permissions::from_mode(0o700))?;
    }
    let bin = folder("bin")?;
    for (name, program) in [("helm", &tools.helm), ("kustomize", &tools.kustomize)] {
        symlink(program, bin.join(name))?;
    }
    let wrapper = bin.join("git-verify-wrapper.sh");
    fs::copy(Tools::beside(&tools.argocd, "git-verify-wrapper.sh"), &wrapper)?;
    fs::set_permissions(wrapper, fs::Permissions::from_mode(0o755))?;
    fs::write(
        setup.folder.join("gitconfig"),
        "[safe]\n\tdirectory = *\n[protocol \"file\"]\n\tallow = always\n",
    )?;
    let programs = folder("plugin-bin")?;
    for (name, program) in &setup.programs {
        symlink(program, programs.join(name))?;
    }
    Ok(programs)
}

/// Returns the text of a file that the project ships for a real Argo CD.
pub(crate) fn shipped(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugin").join(file)
}

/// Returns the entries that the project ships for `argocd-cmd-params-cm`, as variables of the repo-server.
fn shipped_parameters() -> Result<Vec<(&'static str, String)>> {
    let path = shipped("argocd-cmd-params-cm-patch.yaml");
    let patch: serde_json::Value = yaml_serde::from_str(&fs::read_to_string(&path)?)?;
    let data = patch["data"]
        .as_object()
        .context("the shipped parameters have no `data`")?;
    let variable = |(key, value): (&String, &serde_json::Value)| {
        let known = REPO_SERVER_PARAMETERS.iter().find(|(name, _)| name == key);
        match (known, value.as_str()) {
            (Some((_, variable)), Some(value)) => Ok((*variable, value.to_owned())),
            _ => bail!(
                "{}: `{key}` is no parameter that the test's repo-server knows",
                path.display()
            ),
        }
    };
    data.iter().map(variable).collect()
}

impl Setup {
    fn sockets(&self, number: usize) -> PathBuf {
        self.folder.join(format!("plugins-{number}"))
    }

    fn has_plugin(&self, number: usize) -> bool {
        let sockets = fs::read_dir(self.sockets(number));
        sockets.is_ok_and(|mut entries| {
            entries.any(|entry| entry.is_ok_and(|entry| entry.path().extension().is_some_and(|name| name == "sock")))
        })
    }

    /// Returns the command of one of Argo CD's servers, with its own temporary folder: some paths in it are fixed.
    fn server(&self, name: &str, kind: &str) -> Result<Command> {
        let temporary = self.folder.join("tmp").join(name);
        fs::create_dir_all(&temporary)?;
        let at = |name: &str| self.folder.join(name);
        let mut command = Command::new(&self.argocd);
        command
            .env("ARGOCD_BINARY_NAME", kind)
            .env("ARGOCD_FAKE_IN_CLUSTER", "true")
            .env("ARGOCD_GPG_ENABLED", "false")
            .env("ARGOCD_GNUPGHOME", at("gpg"))
            .env("ARGOCD_TLS_DATA_PATH", at("tls"))
            .env("ARGOCD_SSH_DATA_PATH", at("ssh"))
            .env("ARGOCD_ASK_PASS_SOCK", temporary.join("ask.sock"))
            .env("GIT_CONFIG_GLOBAL", at("gitconfig"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("TMPDIR", &temporary);
        Ok(command)
    }

    /// Starts the sidecar: it sees only the programs of the plugin.
    fn start_plugin(&self, number: usize, programs: &Path) -> Result<Process> {
        let name = format!("cmp-server-{number}");
        let sockets = self.sockets(number);
        if let Some((sidecar, tools)) = &self.sidecar {
            let root = self.folder.join(format!("image-{number}"));
            return Process::start(&self.folder, &name, &sidecar.lay_out(&root, &sockets, tools)?);
        }
        fs::create_dir_all(&sockets)?;
        let mut command = self.server(&name, "argocd-cmp-server")?;
        command.arg("--config-dir-path").arg(shipped(""));
        command
            .envs(self.plugin_variables.iter().cloned())
            .env("PATH", programs)
            .env("ARGOCD_PLUGINSOCKFILEPATH", &sockets)
            .env("ARGOCD_CMP_WORKDIR", self.folder.join("tmp").join(&name));
        Process::start(&self.folder, &name, &command)
    }

    fn start_repo_server(&self, number: usize, port: u16, redis: u16) -> Result<Process> {
        let name = format!("repo-server-{number}");
        let mut path = vec![self.folder.join("bin")];
        path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
        let mut command = self.server(&name, "argocd-repo-server")?;
        command
            .args(["--address", "127.0.0.1", "--port", &port.to_string()])
            .args([
                "--metrics-address",
                "127.0.0.1",
                "--metrics-port",
                &free_port()?.to_string(),
            ])
            .args(["--redis", &local(redis), "--disable-tls", "--client-ca-path", ""])
            .env("PATH", std::env::join_paths(path)?)
            .env("ARGOCD_PLUGINSOCKFILEPATH", self.sockets(number))
            .envs(self.repo_server_variables.iter().cloned());
        Process::start(&self.folder, &name, &command)
    }
}

pub(crate) fn local(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

pub(crate) fn answers(port: u16) -> bool {
    TcpStream::connect(local(port)).is_ok()
}

/// Opens a port that forwards its connections to several others in turn, as a Kubernetes Service does.
fn round_robin(ports: Vec<u16>) -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let next = Arc::new(AtomicUsize::new(0));
    thread::spawn(move || {
        for from in listener.incoming().flatten() {
            let to = ports[next.fetch_add(1, Ordering::Relaxed) % ports.len()];
            let Ok(to) = TcpStream::connect(local(to)) else {
                continue;
            };
            for (mut from, mut to) in [(from.try_clone(), to.try_clone()), (Ok(to), Ok(from))]
                .into_iter()
                .filter_map(|(from, to)| Some((from.ok()?, to.ok()?)))
            {
                thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(std::net::Shutdown::Both);
                });
            }
        }
    });
    Ok(port)
}
