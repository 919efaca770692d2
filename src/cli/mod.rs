//! The command line: one command per file, each `Args` and `run(Args, &mut Session) -> Result<Exit>`.
//!
//! # How to add a command
//!
//! 1. `edit/<verb>.rs` with the verb itself: values in, changes out.
//! 2. `cli/<verb>.rs`: the arguments (their doc comments are `--help`), examples and `run`.
//! 3. One variant and one match arm here.
//! 4. `tests/commands/<verb>/`.

mod add_app;
mod add_namespace;
mod add_volume;
mod adopt;
mod base_read;
mod baseline;
mod branch;
mod changed_files;
mod checks;
mod cmp;
mod complete;
mod completion;
mod confirm;
mod connection;
mod convert;
mod diff;
mod doctor;
mod edit_args;
mod explain;
mod filter;
mod flags;
mod grant;
mod graph;
mod handover;
mod helm;
mod init;
mod list;
mod live;
mod lock;
mod lock_status;
mod lock_writes;
mod mount;
mod move_owner;
mod output;
mod outside;
mod pairs;
mod parameter_edit;
mod pause;
mod refresh;
mod release;
mod remove_app;
mod remove_namespace;
mod rename_app;
mod render;
mod replace_app;
mod restore;
mod resume;
mod revoke;
pub mod session;
mod source_dirs;
mod source_edit;
mod sync;
mod target;
mod unmount;
mod validate;
mod version;
mod wait;
mod words;

use std::ffi::OsString;
use std::io;
use std::mem::ManuallyDrop;
use std::path::PathBuf;

use anyhow::Result;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

pub use completion::{Shell, script as completion_script};

use crate::disk::completer;
use crate::failure::{Exit, Failure, find, on_panic};
use crate::terminal::Terminal;
use session::{Completed, Session};

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  # Describe a repository that you have, and find what is dangerous in it
  kubectl homelab init --adopt
  kubectl homelab validate

  # Add an Application to it
  kubectl homelab add-namespace radio --pod-security restricted
  kubectl homelab add-app scanner -n radio \\
    --repo https://github.com/you/scanner --path helm/scanner

Use 'kubectl homelab COMMAND --help' for the flags and examples of a command.";

/// Keep a home cluster's GitOps repository: Applications, Namespaces and the claims that they share.
///
/// The Application that produces the data owns its claim; every other workload mounts it read-only; an Application can
/// be replaced without losing data; applying the repository recreates the cluster.
#[derive(Parser, Debug)]
#[command(
    name = "kubectl homelab",
    bin_name = "kubectl homelab",
    version,
    max_term_width = 120,
    after_help = EXAMPLES
)]
#[command(
    arg_required_else_help = true,
    disable_version_flag = true,
    subcommand_required = true
)]
struct Cli {
    /// The repository; by default the one that the working directory is in
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global")]
    repo_dir: Option<PathBuf>,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Init(init::Args),
    AddApp(Box<add_app::Args>),
    AddNamespace(add_namespace::Args),
    AddVolume(add_volume::Args),
    Mount(mount::Args),
    Unmount(unmount::Args),
    Grant(grant::Args),
    Revoke(revoke::Args),
    Pause(pause::Args),
    Resume(resume::Args),
    RemoveApp(Box<remove_app::Args>),
    RemoveNamespace(Box<remove_namespace::Args>),
    Restore(Box<restore::Args>),
    Adopt(adopt::Args),
    #[command(flatten)]
    HandOver(HandOver),
    #[command(subcommand, hide = true)]
    Add(Add),
    #[command(subcommand, hide = true)]
    Remove(Remove),
    // `get` as in kubectl. Completion would show a visible alias instead of the name.
    #[command(alias = "get")]
    List(list::Args),
    Graph(graph::Args),
    Render(Box<render::Args>),
    Filter(filter::Args),
    Convert(Box<convert::Args>),
    Validate(validate::Args),
    Diff(Box<diff::Args>),
    Baseline(Box<baseline::Args>),
    Explain(explain::Args),
    Refresh(refresh::Args),
    Sync(sync::Args),
    Wait(wait::Args),
    Lock(lock::Args),
    Release(Box<release::Args>),
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
    Volume(add_volume::Args),
}

/// `remove app` for `remove-app`.
#[derive(Subcommand, Debug)]
enum Remove {
    App(Box<remove_app::Args>),
    Namespace(Box<remove_namespace::Args>),
}

/// The commands that give a name or a claim to another Application.
#[derive(Subcommand, Debug)]
enum HandOver {
    RenameApp(Box<rename_app::Args>),
    ReplaceApp(Box<replace_app::Args>),
    MoveOwner(Box<move_owner::Args>),
}

fn hand_over(command: HandOver, session: &mut Session) -> Result<Exit> {
    match command {
        HandOver::RenameApp(args) => rename_app::run(*args, session),
        HandOver::ReplaceApp(args) => replace_app::run(*args, session),
        HandOver::MoveOwner(args) => move_owner::run(*args, session),
    }
}

fn run(command: Command, session: &mut Session) -> Result<Exit> {
    match command {
        Command::Init(args) => init::run(args, session),
        Command::AddApp(args) | Command::Add(Add::App(args)) => add_app::run(*args, session),
        Command::AddNamespace(args) | Command::Add(Add::Namespace(args)) => add_namespace::run(args, session),
        Command::AddVolume(args) | Command::Add(Add::Volume(args)) => add_volume::run(args, session),
        Command::Mount(args) => mount::run(args, session),
        Command::Unmount(args) => unmount::run(args, session),
        Command::Grant(args) => grant::run(args, session),
        Command::Revoke(args) => revoke::run(args, session),
        Command::Pause(args) => pause::run(args, session),
        Command::Resume(args) => resume::run(args, session),
        Command::RemoveApp(args) | Command::Remove(Remove::App(args)) => remove_app::run(*args, session),
        Command::RemoveNamespace(args) | Command::Remove(Remove::Namespace(args)) => {
            remove_namespace::run(*args, session)
        }
        Command::Restore(args) => restore::run(*args, session),
        Command::Adopt(args) => adopt::run(args, session),
        Command::HandOver(command) => hand_over(command, session),
        Command::List(args) => list::run(args, session),
        Command::Graph(args) => graph::run(args, session),
        Command::Render(args) => render::run(*args, session),
        Command::Filter(args) => filter::run(args, session),
        Command::Convert(args) => convert::run(*args, session),
        Command::Validate(args) => validate::run(args, session),
        Command::Diff(args) => diff::run(*args, session),
        Command::Baseline(args) => baseline::run(*args, session),
        Command::Explain(args) => explain::run(args, session),
        Command::Refresh(args) => refresh::run(args, session),
        Command::Sync(args) => sync::run(args, session),
        Command::Wait(args) => wait::run(args, session),
        Command::Lock(args) => lock::run(args, session),
        Command::Release(args) => release::run(*args, session),
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

/// Makes a panic end the program as the bug that it is. Nothing is unwound: the system frees locks and ends helm, and what
/// temporary files are left, the next command removes.
#[expect(clippy::exit, reason = "any thread may panic, and nothing goes on after it")]
pub fn end_on_panic() {
    on_panic(|error| {
        Terminal.end_progress();
        std::process::exit(fail(error) as i32)
    });
}

/// A command line of one command.
#[derive(Parser, Debug)]
#[command(disable_help_flag = true)]
struct One<A: clap::Args> {
    #[command(flatten)]
    args: A,
}

/// Reads the arguments of a command, of which the first is its name; `None` where all of them have to be asked: what is wrong is said
/// with the whole command line.
fn one<A: clap::Args>(arguments: &[OsString]) -> Option<A> {
    read::<One<A>>(arguments, |_, _| {}).ok().map(|one| one.args)
}

/// Reads a command line. The tree of all commands takes longer to make than a small source to render, so that it is not made
/// for what programs call and for what is asked often. With it come the words by which a command is known when it is typed again:
/// those without it write no files.
fn parsed(arguments: &[OsString]) -> Result<(Cli, Vec<String>), clap::Error> {
    let own = arguments.get(1..).unwrap_or_default();
    let command = match own.first().and_then(|word| word.to_str()) {
        Some("cmp") => one(own).map(Command::Cmp),
        Some("filter") => one(own).map(Command::Filter),
        Some("list" | "get") => one(own).map(Command::List),
        _ => None,
    };
    if let Some(command) = command {
        let cli = Cli {
            repo_dir: None,
            command,
        };
        return Ok((cli, Vec::new()));
    }
    let mut words = Vec::new();
    let cli = read(arguments, |command, matches| words = words::of(command, matches))?;
    Ok((cli, words))
}

/// Reads a command line, and shows what it was read as.
fn read<P: Parser>(
    arguments: &[OsString],
    seen: impl FnOnce(&clap::Command, &clap::ArgMatches),
) -> Result<P, clap::Error> {
    let mut command = P::command();
    let typed = flags::normalized(&command, arguments)?;
    let mut matches = command.try_get_matches_from_mut(typed)?;
    seen(&command, &matches);
    P::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

/// Parses the command line, runs it, and prints what went wrong.
pub fn main() -> Exit {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if complete::for_shell(&arguments) {
        return Exit::Done;
    }
    if let Some(words) = completer::words_to_complete(&arguments) {
        // Whatever fails, the user is in the middle of a command line.
        let _ = complete::answer(words, &Terminal);
        return Exit::Done;
    }
    let (cli, words) = match parsed(&arguments) {
        Ok(read) => read,
        // Who asks for nothing gets the help, as from kubectl.
        Err(error) if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = Terminal.data(&error.render().ansi().to_string());
            return Exit::Done;
        }
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
    let mut session = ManuallyDrop::new(Session::new(cli.repo_dir, words));
    let result = run(cli.command, &mut session);
    session.end();
    match result {
        Ok(exit) => exit,
        Err(error) if find::<Completed>(&error).is_some() => Exit::Done,
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

    /// Returns the commands of a text with examples, without their comments, pipes and redirections.
    fn examples(text: &str) -> Vec<Vec<String>> {
        let lines = text.replace("\\\n", " ");
        let lines = lines
            .lines()
            .filter(|line| line.starts_with("  ") && !line.trim_start().starts_with('#'));
        let calls = lines.flat_map(|line| line.split('|').flat_map(|part| part.split("<(")).map(str::to_owned));
        let ours = calls.filter_map(|call| {
            let (_, rest) = call.split_once("kubectl homelab")?;
            let mut is_quoted = false;
            let words = rest.split(['>', ')']).next()?.split(|c: char| {
                is_quoted ^= c == '\'';
                c.is_whitespace() && !is_quoted
            });
            let words = words.filter(|word| !word.is_empty());
            Some(words.map(|word| word.replace('\'', "")).collect())
        });
        ours.collect()
    }

    #[test]
    fn one_command_is_read_as_the_whole_command_line_reads_it() {
        let words = |text: &str| -> Vec<OsString> { text.split(' ').map(OsString::from).collect() };
        for call in [
            "cmp generate",
            "filter --app player --allow-empty=true --owns audio",
            "list",
            "list volumes --fetch -o json",
            "get -A=false",
        ] {
            let alone = parsed(&words(&format!("kubectl-homelab {call}"))).unwrap();
            let after_a_flag = parsed(&words(&format!("kubectl-homelab --repo-dir . {call}"))).unwrap();
            assert_eq!(
                format!("{:?}", alone.0.command),
                format!("{:?}", after_a_flag.0.command)
            );
        }
        for wrong in [
            "cmp genrate",
            "cmp --help",
            "filter --ap x",
            "list x",
            "list -A=maybe",
            "get -n x -A",
        ] {
            let typed = words(&format!("kubectl-homelab {wrong}"));
            let whole = read::<Cli>(&typed, |_, _| {}).unwrap_err();
            assert_eq!(parsed(&typed).unwrap_err().to_string(), whole.to_string(), "{wrong}");
        }
    }

    #[test]
    fn every_example_is_a_command_line() {
        let (mut checked, mut next) = (0, vec![Cli::command()]);
        while let Some(command) = next.pop() {
            let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            for words in examples(&text) {
                let words: Vec<OsString> = ["kubectl-homelab"]
                    .iter()
                    .map(OsString::from)
                    .chain(words.iter().map(OsString::from))
                    .collect();
                let parsed = parsed(&words);
                assert!(parsed.is_ok(), "{words:?}: {}", parsed.unwrap_err());
                checked += 1;
            }
            next.extend(command.get_subcommands().cloned());
        }
        assert!(checked > 40, "{checked}");
    }
}
