//! One run of a program: until it ends, its deadline comes, or a signal does.
#![expect(clippy::disallowed_methods, reason = "the adapter to programs")]

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};

use super::environment::Environment;
use super::printed::Printed;
use super::signals::{SignalGuard, Signalled};
use super::supervisor::{Lifeline, Supervisor};
use crate::time::Deadline;

/// The interval at which a run checks for a signal.
pub(super) const SIGNAL_INTERVAL: Duration = Duration::from_millis(50);
/// The time that a killed program may take to be gone.
const GRACE: Duration = Duration::from_millis(500);

/// The process group that a program runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessGroup {
    /// A group of its own, which is ended with all that is in it, also when this process is killed.
    Own,
    /// The group of this process: whoever ends that group ends the program, too.
    Inherited,
}

/// Why a program did not come to its end.
#[derive(Debug)]
pub enum RunError {
    /// The system did not start it, or could not report how it ended.
    System(io::Error),
    /// The deadline came first; the program was killed.
    TimedOut,
    /// A signal to this process came first; the program was killed.
    Signalled(Signalled),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(error) => error.fmt(f),
            Self::TimedOut => f.write_str("it did not end in time"),
            Self::Signalled(signal) => signal.fmt(f),
        }
    }
}

impl std::error::Error for RunError {}

/// Where a program prints to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prints {
    /// Into files, where the system has some in memory.
    InMemory,
    /// Into pipes.
    Pipes,
}

/// A program with its arguments. It reads nothing from standard input, and all that it prints is kept.
#[derive(Debug)]
pub struct Command {
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Environment,
    folder: Option<PathBuf>,
    group: ProcessGroup,
    prints: Prints,
}

impl Command {
    /// Returns a command that runs here, in this process's group.
    pub fn new(program: PathBuf, arguments: Vec<OsString>, environment: Environment) -> Self {
        Self {
            program,
            arguments,
            environment,
            folder: None,
            group: ProcessGroup::Inherited,
            prints: Prints::InMemory,
        }
    }

    /// Runs in a folder.
    #[must_use]
    pub fn in_folder(self, folder: &Path) -> Self {
        Self {
            folder: Some(folder.to_owned()),
            ..self
        }
    }

    /// Runs in a process group.
    #[must_use]
    pub fn in_group(self, group: ProcessGroup) -> Self {
        Self { group, ..self }
    }

    /// Lets the program print into pipes. Scripts of the user's may open `/dev/stdout` or `/dev/stderr` once more, which empties a
    /// file.
    #[must_use]
    pub fn with_pipes(self) -> Self {
        Self {
            prints: Prints::Pipes,
            ..self
        }
    }

    /// Runs the program to its end, whatever its exit code.
    ///
    /// # Errors
    /// When it cannot be started, the deadline comes, or a signal does where somebody guards against signals.
    pub fn run(self, deadline: Deadline, signals: Option<&SignalGuard>) -> Result<Output, RunError> {
        self.start()?.end(deadline, signals)
    }

    /// Starts the program.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(self) -> Result<Running, RunError> {
        let group = self.group;
        let printed = match self.prints {
            Prints::InMemory => Printed::new(),
            Prints::Pipes => None,
        };
        let (expression, lifeline) = self.expression().map_err(RunError::System)?;
        let expression = match &printed {
            Some(printed) => printed.of(&expression).map_err(RunError::System)?,
            None => expression.stdout_capture().stderr_capture(),
        };
        let handle = expression.start().map_err(RunError::System)?;
        Ok(Running {
            handle,
            group,
            lifeline,
            printed,
        })
    }

    /// Returns what is started, and what keeps it running.
    fn expression(self) -> io::Result<(duct::Expression, Option<Lifeline>)> {
        let supervisor = match self.group {
            ProcessGroup::Own => Supervisor::new()?,
            ProcessGroup::Inherited => None,
        };
        let (expression, lifeline) = match supervisor {
            Some(supervisor) => {
                let arguments = Supervisor::arguments(self.program, self.arguments);
                let expression = duct::cmd(supervisor.program, arguments);
                (
                    expression.stdin_file(supervisor.standard_input),
                    Some(supervisor.lifeline),
                )
            }
            None => (duct::cmd(self.program, self.arguments).stdin_null(), None),
        };
        let mut expression = expression.full_env(self.environment.into_variables()).unchecked();
        if let Some(folder) = self.folder {
            expression = expression.dir(folder);
        }
        #[cfg(unix)]
        if self.group == ProcessGroup::Own {
            expression = expression.before_spawn(|command| {
                std::os::unix::process::CommandExt::process_group(command, 0);
                Ok(())
            });
        }
        Ok((expression, lifeline))
    }
}

/// A program that runs.
#[derive(Debug)]
#[must_use]
pub struct Running {
    handle: duct::Handle,
    group: ProcessGroup,
    lifeline: Option<Lifeline>,
    /// What it prints; `None` where it prints into pipes.
    printed: Option<Printed>,
}

impl Running {
    /// Waits for the end of the program, whatever its exit code.
    ///
    /// # Errors
    /// When the deadline comes, or a signal does where somebody guards against signals.
    pub fn end(self, deadline: Deadline, signals: Option<&SignalGuard>) -> Result<Output, RunError> {
        let Self {
            handle,
            group,
            lifeline,
            printed,
        } = self;
        loop {
            let until = Instant::now() + deadline.left(SIGNAL_INTERVAL);
            if handle.wait_deadline(until).map_err(RunError::System)?.is_some() {
                break;
            }
            let signal = signals.map_or(Ok(()), SignalGuard::check);
            if signal.is_err() || deadline.is_over() {
                stop(&handle, group, lifeline);
                return Err(signal.err().map_or(RunError::TimedOut, RunError::Signalled));
            }
        }
        // Whatever it left running goes with it.
        kill(&handle, group);
        let mut output = handle.into_output().map_err(RunError::System)?;
        if let Some(printed) = printed {
            (output.stdout, output.stderr) = printed.read().map_err(RunError::System)?;
        }
        Ok(output)
    }
}

/// Ends a program: first by its supervisor, who knows all that it started. Its files cannot be removed while it writes them.
fn stop(handle: &duct::Handle, group: ProcessGroup, lifeline: Option<Lifeline>) {
    if let Some(lifeline) = lifeline {
        drop(lifeline);
        let _ = handle.wait_deadline(Instant::now() + GRACE);
    }
    kill(handle, group);
    let _ = handle.wait_deadline(Instant::now() + GRACE);
}

/// Ends a program, and everything that it started where that has a group of its own: a grandchild would hold our pipes
/// open.
fn kill(handle: &duct::Handle, group: ProcessGroup) {
    match group {
        ProcessGroup::Own => kill_group(handle),
        ProcessGroup::Inherited => drop(handle.kill()),
    }
}

#[cfg(unix)]
fn kill_group(handle: &duct::Handle) {
    for group in handle.pids() {
        if let Some(group) = i32::try_from(group).ok().and_then(rustix::process::Pid::from_raw) {
            // It is an error when nobody is left, which is what we want.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

#[cfg(not(unix))]
fn kill_group(handle: &duct::Handle) {
    let _ = handle.kill();
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let arguments = ["-c", script].map(OsString::from).to_vec();
        Command::new(super::super::find("sh").unwrap(), arguments, Environment::inherited())
    }

    fn run(script: &str, group: ProcessGroup, timeout: Duration) -> Result<Output, RunError> {
        shell(script).in_group(group).run(Deadline::after(timeout), None)
    }

    #[test]
    fn nothing_is_lost_of_what_two_programs_print() {
        let large = "for i in 1 2; do (seq 50000 | sed \"s/^/$i /\") & done; wait; echo end";
        let output = run(large, ProcessGroup::Inherited, Duration::from_secs(60)).unwrap();
        let lines = output.stdout.split_inclusive(|byte| *byte == b'\n');
        assert_eq!(lines.count(), 100_001);
        assert!(output.stdout.ends_with(b"\nend\n"));
    }

    #[test]
    fn a_script_of_the_users_may_open_its_output_again() {
        let command = shell("echo one; echo two >/dev/stdout; echo three >/dev/stderr; echo four").with_pipes();
        let output = command.run(Deadline::never(), None).unwrap();
        assert_eq!(output.stdout, b"one\ntwo\nfour\n");
        assert_eq!(output.stderr, b"three\n");
    }

    #[test]
    fn a_program_ends_with_its_output_and_its_exit_code() {
        for group in [ProcessGroup::Own, ProcessGroup::Inherited] {
            let output = run("cat; echo out; echo err >&2; exit 7", group, Duration::ZERO).unwrap();
            assert_eq!(output.status.code(), Some(7));
            assert_eq!((&output.stdout[..], &output.stderr[..]), (&b"out\n"[..], &b"err\n"[..]));
        }
    }

    #[test]
    fn a_program_that_hangs_is_killed_at_its_deadline() {
        for group in [ProcessGroup::Own, ProcessGroup::Inherited] {
            let start = Instant::now();
            let hung = run("exec sleep 100", group, Duration::from_millis(100));
            assert!(matches!(hung, Err(RunError::TimedOut)), "{hung:?}");
            assert!(start.elapsed() < Duration::from_secs(15));
        }
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error() {
        let command = Command::new("/no/such/program".into(), Vec::new(), Environment::inherited());
        assert!(matches!(command.run(Deadline::never(), None), Err(RunError::System(_))));
    }
}
