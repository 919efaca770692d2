//! The options of every command that changes the repository: write or print, and commit.

use clap::ValueEnum;

use super::output::EditOutput;

/// The options that decide whether a command writes its changes or prints them.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct EditArgs {
    #[command(flatten)]
    pub(super) write: WriteArgs,

    /// Output format: with --dry-run the new files, a diff, or their names; names alone otherwise
    #[arg(short, long, value_enum)]
    pub output: Option<EditOutput>,
}

/// The options that decide whether a command writes its changes, and commits them.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct WriteArgs {
    /// Print what would change, and change nothing
    #[arg(long, value_enum, num_args = 0..=1, default_missing_value = "client", default_value = "none", require_equals = true)]
    pub dry_run: DryRun,

    /// Commit the changed files, with this message or a default one
    #[arg(long, value_name = "MESSAGE", num_args = 0..=1, default_missing_value = "", require_equals = true)]
    pub commit: Option<String>,
}

impl EditArgs {
    /// Reports whether files are written.
    pub fn is_written(&self) -> bool {
        self.write.is_written()
    }
}

impl WriteArgs {
    /// Reports whether files are written.
    pub(super) fn is_written(&self) -> bool {
        self.dry_run == DryRun::None
    }
}

/// The values of kubectl's flag; this program never asks a server about repository changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum DryRun {
    /// Write.
    #[default]
    None,
    /// Print only.
    Client,
}
