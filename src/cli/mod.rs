//! The command line: one command per file, each `Args` and `run(Args, &mut Session) -> Result<Exit>`.
//!
//! # How to add a command
//!
//! 1. `edit/<verb>.rs` with the verb itself: values in, changes out.
//! 2. `cli/<verb>.rs`: the arguments (their doc comments are `--help`) and `run`.
//! 3. One variant and one match arm here.
//! 4. `tests/commands/<verb>/`.

mod add_app;
mod add_namespace;
mod checks;
mod cmp;
mod complete;
mod completion;
mod connection;
mod convert;
mod doctor;
mod explain;
mod filter;
mod helm;
mod init;
mod list;
mod live;
mod output;
mod pairs;
mod refresh;
mod render;
pub mod session;
mod source_dirs;
mod sync;
mod validate;
mod version;
mod wait;

use std::ffi::OsString;
use std::io;
use std::mem::ManuallyDrop;
use std::path::PathBuf;

use anyhow::Result;
use clap::{CommandFactory, Parser, Subcommand};

pub use completion::{Shell, script as completion_script};

use crate::disk::completer;
use crate::failure::{Exit, Failure, catch_panics};
use crate::terminal::Terminal;
use session::Session;

/// Keep a home cluster's GitOps repository: Applications, Namespaces and the claims that they share.
///
/// The Application that produces the data owns its claim; every other workload mounts it read-only; an Application can
/// be replaced without losing data; applying the repository recreates the cluster.
#[derive(Parser, Debug)]
#[command(
    name = "kubectl homelab",
    bin_name = "kubectl homelab",
    version,
    max_term_width = 120
)]
#[command(
    arg_required_else_help = true,
    disable_version_flag = true,
    subcommand_required = true
)]
struct Cli {
    /// The repository; by default the one that the working directory is in
    #[arg(long, global = true, value_name = "DIR")]
    repo_dir: Option<PathBuf>,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Init(init::Args),
    AddApp(Box<add_app::Args>),
    AddNamespace(add_namespace::Args),
    #[command(subcommand, hide = true)]
    Add(Add),
    // `get` as in kubectl. Completion would show a visible alias instead of the name.
    #[command(alias = "get")]
    List(list::Args),
    Render(Box<render::Args>),
    Filter(filter::Args),
    Convert(Box<convert::Args>),
    Validate(validate::Args),
    Explain(explain::Args),
    Refresh(refresh::Args),
    Sync(sync::Args),
    Wait(wait::Args),
    Cmp(cmp::Args),
    Completion(completion::Args),
    #[command(name = "__complete", hide = true)]
    Complete(complete::Args),
    Doctor(doctor::Args),
    Version(version::Args),
}

/// `add app` for `add-app`: both ways of saying it work.
#[derive(Subcommand, Debug)]
enum Add {
    App(Box<add_app::Args>),
    Namespace(add_namespace::Args),
}

fn run(command: Command, session: &mut Session) -> Result<Exit> {
    match command {
        Command::Init(args) => init::run(args, session),
        Command::AddApp(args) | Command::Add(Add::App(args)) => add_app::run(*args, session),
        Command::AddNamespace(args) | Command::Add(Add::Namespace(args)) => add_namespace::run(args, session),
        Command::List(args) => list::run(args, session),
        Command::Render(args) => render::run(*args, session),
        Command::Filter(args) => filter::run(args, session),
        Command::Convert(args) => convert::run(*args, session),
        Command::Validate(args) => validate::run(args, session),
        Command::Explain(args) => explain::run(args, session),
        Command::Refresh(args) => refresh::run(args, session),
        Command::Sync(args) => sync::run(args, session),
        Command::Wait(args) => wait::run(args, session),
        Command::Cmp(args) => cmp::run(args, session),
        Command::Completion(args) => completion::run(args, session),
        Command::Complete(args) => complete::run(args, session),
        Command::Doctor(args) => doctor::run(args, session),
        Command::Version(args) => version::run(args, session),
    }
}

/// Returns the whole command line, for man pages and completion.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Parses the command line, runs it, and prints what went wrong.
pub fn main() -> Exit {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    match catch_panics(|| run_program(&arguments)) {
        Ok(exit) => exit,
        Err(error) => fail(error),
    }
}

fn run_program(arguments: &[OsString]) -> Exit {
    if complete::for_shell(arguments) {
        return Exit::Done;
    }
    if let Some(words) = completer::words_to_complete(arguments) {
        // Whatever fails, the user is in the middle of a command line.
        let _ = complete::answer(words, &Terminal);
        return Exit::Done;
    }
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            if error.use_stderr() {
                Terminal.say(error.render().ansi().to_string().trim_end_matches('\n'));
                return Exit::Usage;
            }
            // Help goes to stdout; there is nobody left to report a failure to.
            let _ = error.print();
            return Exit::Done;
        }
    };
    // The process ends with the session: freeing a large repository piece by piece would only take time.
    let mut session = ManuallyDrop::new(Session::new(cli.repo_dir));
    let result = run(cli.command, &mut session);
    session.end();
    match result {
        Ok(exit) => exit,
        // Who closed our standard output (`| head`) has read enough.
        Err(error) if is_closed_pipe(&error) => Exit::Done,
        Err(error) => fail(error),
    }
}

fn fail(error: anyhow::Error) -> Exit {
    let failure = Failure::from(error);
    Terminal.failure(&failure);
    failure.exit
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
