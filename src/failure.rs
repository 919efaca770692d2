//! Failures as the user sees them: one chain of causes, hints beside it, and an exit code.
//!
//! Inside, everything is `anyhow`. A hint is attached where it is known, with [`HintExt::hint`]; the boundary ([`Failure`])
//! takes it out of the chain again, so that it prints on a line of its own.

use std::fmt;
use std::panic::{self, Location};
use std::sync::Mutex;

use crate::masking::without_logins;

/// How the program ended; the numbers are part of the interface (see the README's table of exit codes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Done, nothing to report.
    Done = 0,
    /// Findings, differences or drift were reported.
    Findings = 1,
    /// The command line is wrong (clap's own code, and [`usage`]).
    Usage = 2,
    /// It could not be done: repository, helm, cluster, permission.
    Failed = 3,
    /// A bug in this program: a broken invariant.
    Bug = 70,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error with the user's next step. Prints as its source does; the hints are for the boundary.
struct Hinted {
    source: anyhow::Error,
    hints: Vec<String>,
}

impl fmt::Display for Hinted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

impl fmt::Debug for Hinted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} (hints: {:?})", self.source, self.hints)
    }
}

impl std::error::Error for Hinted {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.source()
    }
}

/// A broken invariant of this program; ends with [`Exit::Bug`].
#[derive(Debug)]
struct Bug(String);

impl fmt::Display for Bug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Bug {}

/// What to do about a bug.
const REPORT: &str = concat!(
    "this is a bug in kubectl homelab v",
    env!("CARGO_PKG_VERSION"),
    "; please report it with this message, the command and the input"
);

/// Returns the error of a broken invariant: it exits 70 and asks for a report. The message must not quote values of the
/// input: Argo CD shows it to everybody.
pub fn bug(message: impl Into<String>) -> anyhow::Error {
    anyhow::Error::new(Bug(message.into())).hint(REPORT)
}

/// Calls `end`, which has to end the program, at the first panic of any thread: with the error of a bug, which names the
/// place of the panic and not its message, as that may quote a value. The other threads' panics wait: they follow from it.
pub fn on_panic(end: impl Fn(anyhow::Error) + Send + Sync + 'static) {
    let first = Mutex::new(());
    panic::set_hook(Box::new(move |info| {
        let _first = first.lock();
        end(panicked(info.location()));
    }));
}

fn panicked(location: Option<&Location<'_>>) -> anyhow::Error {
    anyhow::Error::new(Bug(format!("internal error{}: {REPORT}", place(location))))
}

/// Returns ` at FILE:LINE`, without the folder that a dependency was built in.
fn place(location: Option<&Location<'_>>) -> String {
    let Some(location) = location else { return String::new() };
    let file = location.file();
    let inside = file
        .rsplit_once("/registry/src/")
        .and_then(|(_, file)| file.split_once('/'));
    format!(" at {}:{}", inside.map_or(file, |(_, file)| file), location.line())
}

/// A wrong combination of arguments; ends with [`Exit::Usage`].
#[derive(Debug)]
struct Usage(String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// Makes the error of arguments that do not go together, where clap cannot express it.
pub fn usage(message: impl Into<String>) -> anyhow::Error {
    anyhow::Error::new(Usage(message.into()))
}

/// Turns an error of a check that reads nothing but flags into one of the command line, hints included.
pub fn as_usage(error: anyhow::Error) -> anyhow::Error {
    let failure = Failure::from(error);
    let wrong = usage(failure.one_line());
    failure.hints.into_iter().fold(wrong, |error, hint| error.hint(hint))
}

/// Attaches a hint, in the imperative, to an error or to the error of a result.
pub trait HintExt {
    /// The type with the hint.
    type Output;
    /// Adds one hint; several are printed in the order in which they were added.
    fn hint(self, hint: impl Into<String>) -> Self::Output;
}

impl HintExt for anyhow::Error {
    type Output = anyhow::Error;
    fn hint(mut self, hint: impl Into<String>) -> anyhow::Error {
        if let Some(hinted) = self.downcast_mut::<Hinted>() {
            hinted.hints.push(hint.into());
            return self;
        }
        anyhow::Error::new(Hinted {
            source: self,
            hints: vec![hint.into()],
        })
    }
}

impl<T, E: Into<anyhow::Error>> HintExt for Result<T, E> {
    type Output = Result<T, anyhow::Error>;
    fn hint(self, hint: impl Into<String>) -> Self::Output {
        self.map_err(|error| error.into().hint(hint))
    }
}

/// What the boundary prints and returns when a command could not do its work.
pub struct Failure {
    /// The chain of causes, outermost first, each without a final stop.
    pub causes: Vec<String>,
    /// Next steps, each in the imperative.
    pub hints: Vec<String>,
    /// [`Exit::Failed`], [`Exit::Usage`] or [`Exit::Bug`].
    pub exit: Exit,
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        anyhow::Error::new(error).into()
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::of(&error)
    }
}

/// Walks one chain; a hinted link continues inside its own source, whose links its `source()` skips. Whatever a URL is
/// quoted in, its login is left out.
fn collect(failure: &mut Failure, error: &anyhow::Error) {
    for cause in error.chain() {
        if let Some(hinted) = cause.downcast_ref::<Hinted>() {
            collect(failure, &hinted.source);
            for hint in hinted.hints.iter().map(|hint| without_logins(hint)) {
                if !failure.hints.contains(&hint) {
                    failure.hints.push(hint);
                }
            }
            return;
        }
        if cause.is::<Bug>() {
            failure.exit = Exit::Bug;
        } else if cause.is::<Usage>() {
            failure.exit = Exit::Usage;
        }
        failure.causes.push(without_logins(&cause.to_string()));
    }
}

/// Finds the first error of a type in a chain of causes, also behind hints.
pub fn find<E: std::error::Error + 'static>(error: &anyhow::Error) -> Option<&E> {
    error.chain().find_map(|cause| match cause.downcast_ref::<Hinted>() {
        Some(hinted) => find(&hinted.source),
        None => cause.downcast_ref(),
    })
}

impl Failure {
    /// Returns what the boundary prints of an error.
    pub fn of(error: &anyhow::Error) -> Self {
        let mut failure = Failure {
            causes: Vec::new(),
            hints: Vec::new(),
            exit: Exit::Failed,
        };
        collect(&mut failure, error);
        failure
    }

    /// Returns the causes in one line, as `outer: inner: innermost`.
    pub fn one_line(&self) -> String {
        self.causes.join(": ").replace('\n', " ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::{Context, anyhow};

    #[test]
    fn hints_stand_beside_the_chain() {
        let inner: Result<(), _> = Err(anyhow!("no such file").hint("create it"));
        let error = inner.context("cannot read `a.yaml`").hint("run `init`").unwrap_err();
        let failure = Failure::from(error);
        assert_eq!(failure.one_line(), "cannot read `a.yaml`: no such file");
        assert_eq!(failure.hints, ["create it", "run `init`"]);
        assert_eq!(failure.exit, Exit::Failed);
    }

    #[test]
    fn an_error_is_found_behind_hints_and_contexts() {
        let error = bug("x").context("a").hint("b").context("c");
        assert_eq!(find::<Bug>(&error).map(|bug| bug.0.as_str()), Some("x"));
        assert!(find::<Bug>(&anyhow!("x").hint("b")).is_none());
    }

    #[test]
    fn a_bug_exits_70_wherever_it_stands_in_the_chain() {
        let failure = Failure::from(bug("the splice proof failed").context("cannot patch `a.yaml`"));
        assert_eq!(failure.exit, Exit::Bug);
        assert_eq!(failure.causes, ["cannot patch `a.yaml`", "the splice proof failed"]);
        assert!(
            failure.hints[0].contains(env!("CARGO_PKG_VERSION")),
            "{:?}",
            failure.hints
        );
    }

    #[test]
    fn a_panic_is_a_bug_that_names_its_place() {
        let failure = Failure::from(panicked(Some(Location::caller())));
        assert_eq!(failure.exit, Exit::Bug);
        let line = failure.one_line();
        assert!(line.starts_with("internal error at src/failure.rs:"), "{line}");
        assert!(line.contains("please report it"), "{line}");
        assert!(failure.hints.is_empty());
        assert!(
            Failure::from(panicked(None))
                .one_line()
                .starts_with("internal error: this")
        );
    }

    #[test]
    fn no_cause_and_no_hint_shows_a_login() {
        let error = anyhow!("cannot fetch `https://u:p@x.example/a?token=b`").hint("fetch https://u:p@x.example/a");
        let failure = Failure::from(error);
        assert_eq!(failure.one_line(), "cannot fetch `https://x.example/a?token=…`");
        assert_eq!(failure.hints, ["fetch https://x.example/a"]);
    }

    #[test]
    fn a_wrong_command_line_exits_2_and_keeps_its_hints() {
        let error = anyhow!("`x` is no URL").context("cannot add").hint("name one");
        let failure = Failure::from(as_usage(error));
        assert_eq!(failure.exit, Exit::Usage);
        assert_eq!(failure.one_line(), "cannot add: `x` is no URL");
        assert_eq!(failure.hints, ["name one"]);
    }
}
