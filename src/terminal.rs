//! The adapter to the terminal: the only place that prints. stdout is data, stderr is diagnostics.
#![expect(clippy::disallowed_methods, reason = "the terminal itself")]

use std::cell::Cell;
use std::io::{self, IoSlice, IsTerminal, Write};
use std::time::{Duration, Instant};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::failure::{Exit, Failure};
use crate::masking::without_logins;

/// When a progress line shows that need not show at once.
const AFTER: Duration = Duration::from_secs(1);

const BOLD_RED: Style = AnsiColor::Red.on_default().bold();
const BOLD_YELLOW: Style = AnsiColor::Yellow.on_default().bold();
const BOLD_CYAN: Style = AnsiColor::Cyan.on_default().bold();

/// stdout and stderr. Colour only on a terminal; `NO_COLOR` and `CLICOLOR_FORCE` are honoured.
#[derive(Debug, Default)]
pub struct Terminal;

impl Terminal {
    /// Writes data to stdout: a text, its styles stripped where colour is not wanted.
    ///
    /// # Errors
    /// When stdout is closed or full.
    pub fn data(&self, text: &str) -> io::Result<()> {
        let mut out = AutoStream::auto(io::stdout().lock());
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    /// Writes data in pieces to stdout, byte by byte as they are, in as few writes as the system allows.
    ///
    /// # Errors
    /// When stdout is closed or full.
    pub fn data_slices<'t>(&self, pieces: impl IntoIterator<Item = &'t str>) -> io::Result<()> {
        write_slices(&mut unbuffered_stdout()?, pieces)
    }

    /// Writes a line of diagnostics to stderr, without the logins of URLs. A closed stderr is not worth failing for.
    pub fn say(&self, line: &str) {
        let _ = writeln!(AutoStream::auto(io::stderr().lock()), "{}", without_logins(line));
    }

    /// Writes a warning to stderr.
    pub fn warn(&self, line: &str) {
        self.say(&format!("{BOLD_YELLOW}warning:{BOLD_YELLOW:#} {line}"));
    }

    /// Writes a next step to stderr.
    pub fn hint(&self, line: &str) {
        self.say(&format!("{BOLD_CYAN}hint:{BOLD_CYAN:#} {line}"));
    }

    /// Writes a failure with its causes and hints to stderr.
    pub fn failure(&self, failure: &Failure) {
        let mut causes = failure.causes.iter();
        self.say(&format!(
            "{BOLD_RED}error:{BOLD_RED:#} {}",
            causes.next().map_or("", String::as_str)
        ));
        for cause in causes {
            self.say(&format!("  caused by: {cause}"));
        }
        for hint in &failure.hints {
            self.hint(hint);
        }
        if failure.exit == Exit::Usage {
            // As clap ends its own.
            self.say("\nFor more information, try '--help'.");
        }
    }

    /// Reports whether stdout shows colour.
    pub fn is_coloured(&self) -> bool {
        AutoStream::choice(&io::stdout()) != ColorChoice::Never
    }

    /// Reports whether stderr is a terminal, to show progress on.
    pub fn is_interactive(&self) -> bool {
        io::stderr().is_terminal()
    }

    /// Asks a question on stderr, and returns the line that the user types.
    ///
    /// # Errors
    /// When nobody can be asked: standard input is no terminal, or it ends.
    pub fn ask(&self, question: &str) -> io::Result<String> {
        if !io::stdin().is_terminal() {
            return Err(io::Error::other("nobody can be asked: standard input is no terminal"));
        }
        let mut err = AutoStream::auto(io::stderr().lock());
        write!(err, "{question}")?;
        err.flush()?;
        let mut line = String::new();
        match io::stdin().read_line(&mut line)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line.trim().to_owned()),
        }
    }

    /// Clears the progress line, if one shows, of a program that ends without dropping it.
    pub fn end_progress(&self) {
        if self.is_interactive() {
            let _ = write!(AutoStream::auto(io::stderr().lock()), "\r\x1b[2K");
        }
    }

    /// Shows that something longer is going on, on a terminal only, until the value is dropped.
    pub fn progress(&self, what: &str) -> Progress {
        if !self.is_interactive() {
            return Progress(None);
        }
        Progress(Some(Shown {
            bar: bar(what),
            later: Cell::new(None),
        }))
    }

    /// Shows progress of something that often takes no time: after a second only.
    pub fn progress_later(&self, what: &str) -> Progress {
        if !self.is_interactive() {
            return Progress(None);
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        bar.set_message(what.to_owned());
        Progress(Some(Shown {
            bar,
            later: Cell::new(Some(Instant::now() + AFTER)),
        }))
    }
}

fn bar(what: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(what.to_owned());
    show(&bar);
    bar
}

fn show(bar: &ProgressBar) {
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(120));
}

/// A progress line; it is removed when the value is dropped.
#[derive(Debug)]
pub struct Progress(Option<Shown>);

#[derive(Debug)]
struct Shown {
    bar: ProgressBar,
    /// When it shows, if it does not yet.
    later: Cell<Option<Instant>>,
}

impl Progress {
    /// Shows what is being done now.
    pub fn now(&self, what: &str) {
        let Some(shown) = &self.0 else { return };
        shown.bar.set_message(what.to_owned());
        if shown.later.get().is_some_and(|at| at <= Instant::now()) {
            shown.later.set(None);
            shown.bar.set_draw_target(ProgressDrawTarget::stderr());
            show(&shown.bar);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(shown) = &self.0 {
            shown.bar.finish_and_clear();
        }
    }
}

/// Returns stdout without the line buffer of the standard library, which would cut a stream into thousands of writes.
#[cfg(unix)]
fn unbuffered_stdout() -> io::Result<std::fs::File> {
    use std::os::fd::AsFd;
    io::stdout().as_fd().try_clone_to_owned().map(std::fs::File::from)
}

#[cfg(windows)]
fn unbuffered_stdout() -> io::Result<std::fs::File> {
    use std::os::windows::io::AsHandle;
    io::stdout().as_handle().try_clone_to_owned().map(std::fs::File::from)
}

/// Most pieces in one write: Linux' `IOV_MAX`.
const PIECES_AT_ONCE: usize = 1024;

fn write_slices<'t>(out: &mut impl Write, pieces: impl IntoIterator<Item = &'t str>) -> io::Result<()> {
    let mut slices: Vec<IoSlice<'_>> = pieces
        .into_iter()
        .filter(|piece| !piece.is_empty())
        .map(|piece| IoSlice::new(piece.as_bytes()))
        .collect();
    let mut left = &mut slices[..];
    while !left.is_empty() {
        let batch = left.len().min(PIECES_AT_ONCE);
        match out.write_vectored(&left[..batch]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut left, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes a few bytes at a time, as a pipe does.
    struct Narrow(Vec<u8>);

    impl Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = bytes.len().min(3);
            self.0.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn slices_arrive_whole_and_in_order() {
        let mut out = Narrow(Vec::new());
        write_slices(&mut out, ["a", "", "bcdefgh", "ij"]).unwrap();
        assert_eq!(out.0, b"abcdefghij");
        write_slices(&mut out, []).unwrap();
    }
}
