//! A program that never outlives its owner: it runs in its own process group under a shell that waits for the end of its
//! standard input. That input ends when the value is dropped and when its process dies in any way.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// `$0` takes the program's exit status. A background job of a shell without job control has no standard input, so that
/// `read` alone waits for the owner. It uses only builtins of the shell, because the PATH is the program's. Programs are
/// killed: no state has to be saved, the folders are removed too.
const SUPERVISOR: &str = r#"{ "$@"; echo "$?" >"$0"; } & while read -r _; do :; done; kill -KILL 0"#;

/// The time that a server may take to be ready on a slow machine.
const START: Duration = Duration::from_secs(120);

/// A running program.
#[derive(Debug)]
pub struct Process {
    name: String,
    supervisor: Child,
    ended: PathBuf,
    log: PathBuf,
}

impl Process {
    /// Starts a program in a folder, with only the variables of the command, PATH and HOME; its output goes to
    /// `<folder>/log/<name>.log`.
    pub fn start(folder: &Path, name: &str, command: &Command) -> Result<Self> {
        let log = folder.join("log").join(format!("{name}.log"));
        let ended = folder.join(format!("{name}.ended"));
        let _ = fs::remove_file(&ended);
        let output = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .with_context(|| format!("cannot write {}", log.display()))?;
        let mut shell = Command::new("/bin/sh");
        shell.env_clear().env("HOME", folder.join("home"));
        // All of them are Go's; a world is short, and memory is cheaper than the time of two cores.
        shell.env("GOGC", "400");
        shell.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        shell.envs(command.get_envs().filter_map(|(key, value)| Some((key, value?))));
        shell.arg("-c").arg(SUPERVISOR).arg(&ended);
        shell.arg(command.get_program()).args(command.get_args());
        shell.process_group(0);
        shell
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            .current_dir(folder);
        let supervisor = shell.spawn().with_context(|| format!("cannot start {name}"))?;
        Ok(Self {
            name: name.to_owned(),
            supervisor,
            ended,
            log,
        })
    }

    /// Fails, with the end of its log, if the program has ended.
    pub fn alive(&self) -> Result<()> {
        let Ok(status) = fs::read_to_string(&self.ended) else {
            return Ok(());
        };
        bail!(
            "{} ended with exit code {}; {}",
            self.name,
            status.trim(),
            self.last_words()
        )
    }

    /// Returns the end of its log, with an introduction.
    fn last_words(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let end = lines[lines.len().saturating_sub(12)..].join("\n");
        format!("the end of the log of {}:\n{end}", self.name)
    }

    /// Returns the process group of the program, its children and their supervisor.
    pub fn group(&self) -> u32 {
        self.supervisor.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        let _ = self.supervisor.wait();
    }
}

/// Polls until a condition holds; fails at once if one of the processes has ended.
pub(crate) fn until(processes: &[Process], what: &str, holds: impl Fn() -> bool) -> Result<()> {
    let start = Instant::now();
    while !holds() {
        processes
            .iter()
            .try_for_each(Process::alive)
            .with_context(|| format!("{what} did not get ready"))?;
        if start.elapsed() > START {
            let last = processes.last().map(Process::last_words).unwrap_or_default();
            bail!("{what} did not get ready within {} s; {last}", START.as_secs());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Returns a free port of 127.0.0.1, below the range that the system gives to clients.
pub fn free_port() -> Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = 20_000 + u16::try_from(std::process::id() % 1_000)? * 12;
    for _ in 0..12_000 {
        let port = 20_000 + (start - 20_000 + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        // On all addresses: some of Argo CD's servers cannot be limited to one.
        if TcpListener::bind(("0.0.0.0", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free port between 20000 and 32000")
}
