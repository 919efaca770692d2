//! `cargo xtask demo --argocd` as a user runs it: started, used, and ended with Ctrl-C.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// The limit for each step; only a demo that fails takes that long.
const DEADLINE: Duration = Duration::from_secs(300);

/// The demo in its own process group, as a terminal starts it.
struct Demo {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Demo {
    fn start(temporary: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_xtask"))
            .args(["demo", "--argocd"])
            .env("TMPDIR", temporary)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = child.stdout.take().unwrap();
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self {
            child,
            lines,
            seen: Vec::new(),
        }
    }

    /// Reads lines until one contains a text.
    fn until(&mut self, text: &str) {
        let start = Instant::now();
        loop {
            match self.lines.recv_timeout(DEADLINE.saturating_sub(start.elapsed())) {
                Ok(line) => self.seen.push(line),
                Err(RecvTimeoutError::Timeout) => panic!("`{text}` was not printed in:\n{}", self.seen.join("\n")),
                Err(RecvTimeoutError::Disconnected) => panic!("the demo ended; it printed:\n{}", self.seen.join("\n")),
            }
            if self.seen.last().is_some_and(|line| line.contains(text)) {
                return;
            }
        }
    }

    /// Sends the whole group the signal of Ctrl-C.
    fn interrupt(&self) {
        let group = format!("-{}", self.child.id());
        let status = Command::new("kill").args(["-INT", "--", &group]).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the processes of a demo: those with its folder in their command line or environment.
fn processes_of(folder: &Path) -> Vec<String> {
    let folder = folder.to_str().unwrap();
    let listed = Command::new("ps")
        .args(["axeww", "-o", "pid=,command="])
        .output()
        .expect("ps is missing: install procps");
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    listed
        .lines()
        .filter(|line| line.contains(folder))
        .map(str::to_owned)
        .collect()
}

/// Reports whether a line starts with these words.
fn has_line(text: &str, words: &[&str]) -> bool {
    let begins = |line: &str| line.split_whitespace().take(words.len()).eq(words.iter().copied());
    text.lines().any(begins)
}

/// Starts the shipped repository on a real Argo CD, runs every command that the demo suggests, and checks that Ctrl-C leaves
/// no process and no folder behind.
#[test]
fn the_shipped_repository_on_a_real_argo_cd() {
    // Sockets are created below it: the path has to be short, and the system's temporary folder may not be.
    let temporary = tempfile::tempdir_in("/tmp").unwrap();
    let mut demo = Demo::start(temporary.path());
    demo.until("all 4 are Synced and Healthy");

    let commands: Vec<&str> = demo.seen.iter().filter_map(|line| line.strip_prefix("$ ")).collect();
    let output = Command::new("sh").args(["-ec", &commands.join("\n")]).output().unwrap();
    let [output_text, errors] =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert!(output.status.success(), "{commands:#?}\n{output_text}{errors}");
    let (before, after) = output_text.split_once("\"jellyfin\" deleted").expect(&output_text);
    assert!(has_line(before, &["jellyfin", "Synced", "Healthy"]), "{before}");
    assert!(has_line(before, &["namespaces/photos.yaml", "created"]), "{before}");
    assert!(has_line(before, &["photos", "Active"]), "{before}");
    for claim in ["jellyfin-cache", "jellyfin-config", "jellyfin-media", "pvc-pe-audio"] {
        assert!(has_line(after, &[claim, "Bound"]), "{after}");
    }

    assert!(processes_of(temporary.path()).len() > 8, "the servers are found");
    demo.interrupt();
    demo.until("everything is gone");
    assert!(demo.child.wait().unwrap().success());
    let left: Vec<_> = fs::read_dir(temporary.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(left.is_empty(), "{left:?}");
    // A running render is the child of a server that has ended, and ends by itself.
    let start = Instant::now();
    while !processes_of(temporary.path()).is_empty() {
        assert!(start.elapsed() < DEADLINE, "{:?}", processes_of(temporary.path()));
        thread::sleep(Duration::from_millis(100));
    }
}
