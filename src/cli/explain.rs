//! `kubectl homelab explain`.

use anyhow::{Result, anyhow};

use super::session::Session;
use crate::failure::{Exit, HintExt};
use crate::report::explain;

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  kubectl homelab explain
  kubectl homelab explain HL101
  kubectl homelab explain storage-rules";

/// Explain a rule or a topic: the reason, and what to do
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// A rule (`HL101`, `owned-claim-is-guarded`) or a topic (`storage-rules`); lists all of them by default
    #[arg(value_name = "RULE|TOPIC")]
    subject: Option<String>,
}

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    let text = match &args.subject {
        None => explain::overview(),
        Some(subject) => explain::explain(subject).ok_or_else(|| {
            anyhow!("there is no rule and no topic `{subject}`").hint("list them with `kubectl homelab explain`")
        })?,
    };
    session.terminal.data(&text)?;
    Ok(Exit::Done)
}
