//! Man pages and completion scripts for archives, generated from the command line.

use anyhow::Result;
use clap::Command;
use homelab::cli;

use super::archive::Entry;

/// Returns a man page for every command.
pub(super) fn man() -> Result<Vec<Entry>> {
    let mut command = cli::command().name("kubectl-homelab");
    command.build();
    let mut entries = Vec::new();
    add_page(&command, "kubectl-homelab", &mut entries)?;
    Ok(entries)
}

/// Adds the page of a command and of its subcommands, except hidden ones.
fn add_page(command: &Command, name: &str, entries: &mut Vec<Entry>) -> Result<()> {
    let mut bytes = Vec::new();
    clap_mangen::Man::new(command.clone())
        .title(name)
        .source(format!("kubectl homelab {}", env!("CARGO_PKG_VERSION")))
        .manual("kubectl homelab")
        .render(&mut bytes)?;
    entries.push(Entry::text(format!("man/{name}.1"), bytes));
    let shown = command
        .get_subcommands()
        .filter(|command| !command.is_hide_set() && command.get_name() != "help");
    for below in shown {
        add_page(below, &format!("{name}-{}", below.get_name()), entries)?;
    }
    Ok(())
}

/// Returns a completion script for every shell, under the name that the shell expects.
pub(super) fn completions() -> Result<Vec<Entry>> {
    let named = |shell: cli::Shell, name: &str| -> Result<Entry> {
        Ok(Entry::text(
            format!("completions/{name}"),
            cli::completion_script(shell)?.into_bytes(),
        ))
    };
    Ok(vec![
        named(cli::Shell::Bash, "kubectl-homelab.bash")?,
        named(cli::Shell::Zsh, "_kubectl-homelab")?,
        named(cli::Shell::Fish, "kubectl-homelab.fish")?,
        named(cli::Shell::Powershell, "kubectl-homelab.ps1")?,
    ])
}
