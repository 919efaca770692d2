//! `kubectl homelab version`.

use anyhow::Result;
use serde_json::json;

use super::output::DocumentOutput;
use super::session::Session;
use crate::failure::Exit;

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  kubectl homelab version
  kubectl homelab version -o json";

/// Print the version
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Print this program's version only (accepted as kubectl does; there is no other version)
    #[arg(long)]
    client: bool,

    /// Output format
    #[arg(short, long, value_enum)]
    output: Option<DocumentOutput>,
}

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    let Args { client: _, output } = args;
    let version = format!("v{}", env!("CARGO_PKG_VERSION"));
    let tree =
        json!({"clientVersion": {"version": version, "os": std::env::consts::OS, "arch": std::env::consts::ARCH}});
    let text = match output {
        None => format!("kubectl homelab {version}\n"),
        Some(output) => output.render(&tree)?,
    };
    session.terminal.data(&text)?;
    Ok(Exit::Done)
}
