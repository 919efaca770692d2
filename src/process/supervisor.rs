//! Leaves no program behind when this process is gone, however it ended: nothing can be done after SIGKILL, so that a second
//! process does it.
//!
//! The program runs below this program itself, started again with [`WORD`]. Its standard input is a pipe whose other end
//! only this process has: when the pipe closes, the supervisor ends the program with everything that it started. On Linux it
//! adopts processes that left their group; elsewhere it ends the group.
#![expect(clippy::disallowed_methods, reason = "the adapter to programs")]

use std::ffi::OsString;
use std::io::{PipeReader, PipeWriter, pipe};
use std::path::PathBuf;
use std::sync::OnceLock;

/// The first argument of this program as a supervisor; the program and its arguments follow.
pub const WORD: &str = "__supervise";

/// This program, once it is known to understand [`WORD`].
static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Lets this program supervise what it starts from now on. Only a binary whose `main` calls [`supervised`] may call this.
pub fn supervise_with_this_program() {
    let own = PathBuf::from("/proc/self/exe");
    // The link leads to the program even where that was replaced meanwhile.
    let program = if own.exists() {
        Some(own)
    } else {
        std::env::current_exe().ok()
    };
    if let Some(program) = program.filter(|_| cfg!(unix)) {
        let _ = PROGRAM.set(program);
    }
}

/// The end of the pipe that keeps a supervised program running.
#[derive(Debug)]
pub(super) struct Lifeline {
    _writer: PipeWriter,
}

/// A supervisor to start in place of a program.
#[derive(Debug)]
pub(super) struct Supervisor {
    pub(super) program: PathBuf,
    pub(super) standard_input: PipeReader,
    pub(super) lifeline: Lifeline,
}

impl Supervisor {
    /// Returns a supervisor; `None` where there is none: another binary runs this code.
    ///
    /// # Errors
    /// When the system refuses a pipe.
    pub(super) fn new() -> std::io::Result<Option<Self>> {
        let Some(program) = PROGRAM.get() else {
            return Ok(None);
        };
        let (standard_input, writer) = pipe()?;
        Ok(Some(Self {
            program: program.clone(),
            standard_input,
            lifeline: Lifeline { _writer: writer },
        }))
    }

    /// Returns the arguments with which the supervisor runs a program.
    pub(super) fn arguments(program: PathBuf, arguments: Vec<OsString>) -> Vec<OsString> {
        let start = [WORD.into(), program.into()];
        start.into_iter().chain(arguments).collect()
    }
}

#[cfg(unix)]
pub use unix::supervised;
#[cfg(not(unix))]
pub use windows::supervised;

#[cfg(unix)]
mod unix {
    use std::ffi::OsString;
    use std::fs;
    use std::io::{self, Read};
    use std::process::{Command, Stdio};
    use std::sync::mpsc::{Sender, channel};

    use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitOptions};
    use rustix::process::{getpgrp, getpid, kill_process, kill_process_group, wait, waitid};

    /// What ends a program.
    #[derive(PartialEq, Eq)]
    enum Event {
        Ended,
        ParentIsGone,
    }

    /// Runs a program until it ends or standard input does, and returns its exit code. Nothing that it started is left.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn supervised(arguments: impl IntoIterator<Item = OsString>) -> anyhow::Result<u8> {
        adopt();
        let mut arguments = arguments.into_iter();
        let program = arguments.next().unwrap_or_default();
        let child = Command::new(program).args(arguments).stdin(Stdio::null()).spawn()?;
        let child = i32::try_from(child.id())
            .ok()
            .and_then(Pid::from_raw)
            .ok_or(io::Error::from(io::ErrorKind::Other))?;
        let (sender, receiver) = channel();
        let of_child = sender.clone();
        std::thread::spawn(move || wait_for(child, &of_child));
        std::thread::spawn(move || read_to_end(&sender));
        let first = receiver.recv().unwrap_or(Event::ParentIsGone);
        let code = end_all(child);
        if first == Event::ParentIsGone {
            end_group();
        }
        match code {
            Some(code) => Ok(code),
            None => {
                // Whoever waits for the program sees that it was killed.
                let _ = kill_process(getpid(), Signal::KILL);
                Err(io::Error::from(io::ErrorKind::Interrupted).into())
            }
        }
    }

    /// Waits for a child, which stays a zombie: nobody else gets its number until it is waited for in [`end_all`].
    fn wait_for(child: Pid, events: &Sender<Event>) {
        loop {
            match waitid(WaitId::Pid(child), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {
                Err(error) if error == rustix::io::Errno::INTR => {}
                _ => break,
            }
        }
        let _ = events.send(Event::Ended);
    }

    fn read_to_end(events: &Sender<Event>) {
        let _ = io::copy(&mut io::stdin().lock().by_ref(), &mut io::sink());
        let _ = events.send(Event::ParentIsGone);
    }

    /// Ends all that was started and waits for it; returns the exit code of the program, `None` when a signal ended it.
    fn end_all(program: Pid) -> Option<u8> {
        let (mut code, mut left) = (None, Some(program));
        loop {
            let ended = match wait(WaitOptions::NOHANG) {
                // Others are searched for only where something still runs: nearly always the program was alone, and has ended.
                Ok(None) => {
                    for child in children(left) {
                        let _ = kill_process(child, Signal::KILL);
                    }
                    wait(WaitOptions::empty())
                }
                ended => ended,
            };
            match ended {
                Ok(Some((child, status))) if child == program => {
                    left = None;
                    code = status.exit_status().and_then(|status| u8::try_from(status).ok());
                }
                Ok(_) => {}
                Err(error) if error == rustix::io::Errno::INTR => {}
                // There is no child any more.
                Err(_) => return code,
            }
        }
    }

    /// Becomes the parent of all processes below that lose theirs.
    #[cfg(target_os = "linux")]
    fn adopt() {
        let _ = rustix::process::set_child_subreaper(Some(getpid()));
    }

    #[cfg(not(target_os = "linux"))]
    fn adopt() {}

    /// Returns the children of this process: those that the kernel lists as such, else the program alone, if it is left.
    fn children(program: Option<Pid>) -> Vec<Pid> {
        let Ok(entries) = fs::read_dir("/proc") else {
            return program.into_iter().collect();
        };
        let own = getpid();
        let pids = entries
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter_map(Pid::from_raw)
            .filter(|pid| parent(*pid) == Some(own))
            .collect()
    }

    fn parent(pid: Pid) -> Option<Pid> {
        let status = fs::read(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
        // The name of the program, in parentheses, may hold anything.
        let end = status.iter().rposition(|byte| *byte == b')')?;
        let rest = std::str::from_utf8(&status[end + 1..]).ok()?;
        Pid::from_raw(rest.split_ascii_whitespace().nth(1)?.parse().ok()?)
    }

    /// Ends the group of this process, and this process with it, where nothing was adopted.
    fn end_group() {
        if cfg!(not(target_os = "linux")) && getpgrp() == getpid() {
            let _ = kill_process_group(getpgrp(), Signal::KILL);
        }
    }
}

#[cfg(not(unix))]
mod windows {
    use std::ffi::OsString;
    use std::io;

    /// Runs nothing.
    ///
    /// # Errors
    /// Always: nothing is supervised here.
    pub fn supervised(_: impl IntoIterator<Item = OsString>) -> anyhow::Result<u8> {
        Err(io::Error::from(io::ErrorKind::Unsupported).into())
    }
}
