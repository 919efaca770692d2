//! `kubectl homelab version`.

use anyhow::Result;
use clap::ValueEnum;
use serde_json::json;

use super::session::Session;
use crate::failure::Exit;
use crate::yaml;

/// Print the version
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Only this program's version (the only one there is so far; accepted for kubectl's habit)
    #[arg(long)]
    client: bool,

    /// How to print it
    #[arg(short, long, value_enum)]
    output: Option<Output>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Output {
    Json,
    Yaml,
}

pub(super) fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let Args { client: _, output } = args;
    let version = format!("v{}", env!("CARGO_PKG_VERSION"));
    let tree =
        json!({"clientVersion": {"version": version, "os": std::env::consts::OS, "arch": std::env::consts::ARCH}});
    let text = match output {
        None => format!("kubectl homelab {version}\n"),
        Some(Output::Json) => format!("{}\n", serde_json::to_string_pretty(&tree)?),
        Some(Output::Yaml) => yaml::emit(&tree)?,
    };
    session.terminal.data(&text)?;
    Ok(Exit::Done)
}
