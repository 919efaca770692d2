//! Nothing of a world outlives its owner, neither when the value is dropped nor when the process is killed.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test of files and processes, which may fail loudly"
)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use real_parts::folder::Folder;
use real_parts::process::Process;

/// The variable that marks this test process as the owner that will be killed.
const OWNER: &str = "HOMELAB_TEST_IS_THE_OWNER";
/// The limit of a test; only one that fails takes that long.
const DEADLINE: Duration = Duration::from_secs(60);

/// A program with a child that both ignore every signal that can be ignored; they write their process ids.
const STUBBORN: &str = "trap '' HUP INT TERM; echo $$ >pids; sh -c 'echo $$ >>pids; exec sleep 600'; true";

/// Starts a program in a folder; returns the folder and the ids of all its processes.
fn running_program() -> (Folder, Process, Vec<String>) {
    let folder = Folder::new().unwrap();
    let mut command = Command::new("/bin/sh");
    command.args(["-c", STUBBORN]);
    let process = Process::start(folder.path(), "stubborn", &command).unwrap();
    let pids = || -> Vec<String> {
        let text = fs::read_to_string(folder.join("pids")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    };
    until("both run", || pids().len() == 2);
    let mut all = pids();
    all.push(process.group().to_string());
    (folder, process, all)
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < DEADLINE, "not in time: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Reports whether a process runs; a zombie does not.
fn runs(pid: &str) -> bool {
    let output = Command::new("ps").args(["-o", "stat=", "-p", pid]).output();
    let state = output.expect("ps is there: install procps").stdout;
    !state.is_empty() && !state.starts_with(b"Z")
}

fn all_is_gone(folder: &Path, pids: &[String]) -> bool {
    !folder.exists() && !pids.iter().any(|pid| runs(pid))
}

#[test]
fn everything_ends_with_its_value() {
    let (folder, process, pids) = running_program();
    assert!(pids.iter().all(|pid| runs(pid)), "they are seen to run: {pids:?}");
    process.alive().unwrap();
    let path = folder.path().to_owned();
    drop(process);
    until("the processes are gone", || !pids.iter().any(|pid| runs(pid)));
    assert!(path.exists(), "the folder has an owner of its own");
    drop(folder);
    assert!(all_is_gone(&path, &pids));
}

#[test]
fn a_failure_leaves_logs_and_nothing_else() {
    let [logged, silent] = [(); 2].map(|()| Folder::new().unwrap());
    let [first, second] = [&logged, &silent].map(|folder| folder.path().to_owned());
    fs::write(logged.join("log/words.log"), "its last words").unwrap();
    fs::write(silent.join("home/file"), "").unwrap();
    let fails = thread::spawn(move || {
        let _both = (logged, silent);
        panic!("this failure is part of the test");
    });
    fails.join().unwrap_err();
    let left: Vec<_> = fs::read_dir(&first)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["log"]);
    assert!(!second.exists());
    fs::remove_dir_all(first).unwrap();
}

#[test]
fn everything_ends_with_its_killed_process() {
    if std::env::var_os(OWNER).is_some() {
        own_until_killed();
    }
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "everything_ends_with_its_killed_process", "--nocapture"])
        .env(OWNER, "")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(owner.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut owned = lines
        .by_ref()
        .skip_while(|line| !line.ends_with("owned:"))
        .skip(1)
        .take(4);
    let folder = PathBuf::from(owned.next().unwrap());
    let pids: Vec<String> = owned.collect();
    assert!(
        folder.exists() && pids.len() == 3 && pids.iter().all(|pid| runs(pid)),
        "{pids:?}"
    );
    owner.kill().unwrap();
    owner.wait().unwrap();
    until("everything is gone", || all_is_gone(&folder, &pids));
}

/// Runs in the other process: prints what it owns, and waits until it is killed.
fn own_until_killed() -> ! {
    let (folder, _process, pids) = running_program();
    let mut out = std::io::stdout().lock();
    writeln!(out, "owned:\n{}\n{}", folder.path().display(), pids.join("\n")).unwrap();
    loop {
        thread::park();
    }
}

#[test]
fn a_program_that_ends_is_reported_with_its_last_output() {
    let folder = Folder::new().unwrap();
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "echo 'the port is taken'; exit 3"]);
    let process = Process::start(folder.path(), "short", &command).unwrap();
    until("it is over", || process.alive().is_err());
    let error = process.alive().unwrap_err().to_string();
    assert!(error.contains("short ended with exit code 3"), "{error}");
    assert!(error.contains("the port is taken"), "{error}");
}
