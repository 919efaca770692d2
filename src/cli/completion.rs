//! `kubectl homelab completion`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Subcommand;
use clap_complete::env::{Bash, EnvCompleter, Fish, Powershell, Zsh};

use super::complete::VARIABLE;
use super::session::Session;
use crate::disk::completer::{self, Link};
use crate::failure::Exit;

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  # kubectl completes `kubectl homelab`, in every shell
  kubectl homelab completion install

  # bash completes `kubectl-homelab`
  source <(kubectl homelab completion bash)";

/// Complete command lines
///
/// `install` makes kubectl's own completion complete `kubectl homelab`, in all shells. Completion of kubectl itself must
/// be on: `kubectl completion --help` says how. The scripts are for who types `kubectl-homelab`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Let kubectl complete `kubectl homelab`: make a link beside the program
    #[command(
        after_help = "Examples:\n  kubectl homelab completion install\n  kubectl homelab completion install --bin-dir ~/.local/bin"
    )]
    Install(LinkArgs),
    /// Remove that link
    #[command(after_help = "Examples:\n  kubectl homelab completion uninstall")]
    Uninstall(LinkArgs),
    /// Print the script for bash
    #[command(after_help = "Examples:\n  source <(kubectl homelab completion bash)")]
    Bash,
    /// Print the script for zsh
    #[command(after_help = "Examples:\n  source <(kubectl homelab completion zsh)")]
    Zsh,
    /// Print the script for fish
    #[command(after_help = "Examples:\n  kubectl homelab completion fish | source")]
    Fish,
    /// Print the script for PowerShell
    #[command(after_help = "Examples:\n  kubectl homelab completion powershell | Out-String | Invoke-Expression")]
    Powershell,
}

#[derive(clap::Args, Debug)]
struct LinkArgs {
    /// The link's folder, which must be on PATH; that of the program by default
    #[arg(long, value_name = "DIR")]
    bin_dir: Option<PathBuf>,
}

/// A shell that completes `kubectl-homelab`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    /// bash.
    Bash,
    /// zsh.
    Zsh,
    /// fish.
    Fish,
    /// PowerShell.
    Powershell,
}

/// Returns the script that makes a shell complete `kubectl-homelab`, by asking the program.
///
/// # Errors
/// None in practice: it is written to memory.
pub fn script(shell: Shell) -> Result<String> {
    let completer: &dyn EnvCompleter = match shell {
        Shell::Bash => &Bash,
        Shell::Zsh => &Zsh,
        Shell::Fish => &Fish,
        Shell::Powershell => &Powershell,
    };
    let mut bytes = Vec::new();
    let program = "kubectl-homelab";
    completer.write_registration(VARIABLE, program, program, program, &mut bytes)?;
    Ok(String::from_utf8(bytes)?)
}

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    let text = match &args.verb {
        Verb::Install(args) => match completer::install(args.bin_dir.as_deref())? {
            Link::Made(link) => {
                session.terminal.data(&format!("{} created\n", link.display()))?;
                session
                    .terminal
                    .hint("kubectl's own completion must be on; see `kubectl completion --help`");
                return Ok(Exit::Done);
            }
            Link::Kept(link) => format!("{} unchanged\n", link.display()),
        },
        Verb::Uninstall(args) => match completer::uninstall(args.bin_dir.as_deref())? {
            Some(link) => format!("{} removed\n", link.display()),
            None => {
                session.terminal.say("nothing to remove");
                return Ok(Exit::Done);
            }
        },
        Verb::Bash => script(Shell::Bash)?,
        Verb::Zsh => script(Shell::Zsh)?,
        Verb::Fish => script(Shell::Fish)?,
        Verb::Powershell => script(Shell::Powershell)?,
    };
    session.terminal.data(&text)?;
    Ok(Exit::Done)
}
