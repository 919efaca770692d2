//! `kubectl homelab explain`.

use anyhow::{Result, anyhow};

use super::session::Session;
use crate::failure::{Exit, HintExt};
use crate::report::explain;
use crate::report::explain_app::explain_app;

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  kubectl homelab explain
  kubectl homelab explain HL101
  kubectl homelab explain storage-rules

  # Where an Application comes from, and where it is changed
  kubectl homelab explain jellyfin";

/// Explain a rule, a topic or an Application: the reason, and what to do
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// A rule (`HL101`, `owned-claim-is-guarded`), a topic (`storage-rules`), or the name of an Application or an ApplicationSet;
    /// lists rules and topics by default
    #[arg(value_name = "RULE|TOPIC|APP")]
    subject: Option<String>,
}

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    let text = match &args.subject {
        None => explain::overview(),
        Some(subject) => match explain::explain(subject) {
            Some(text) => text,
            None => of_application(subject, session)?,
        },
    };
    session.terminal.data(&text)?;
    Ok(Exit::Done)
}

/// Explains an Application or an ApplicationSet of the repository.
fn of_application(name: &str, session: &Session) -> Result<String> {
    let repo = session.repo_if_any()?;
    let text = repo.and_then(|repo| explain_app(repo, name));
    text.ok_or_else(|| {
        let what = if repo.is_some() {
            ", no topic and no Application"
        } else {
            " and no topic"
        };
        anyhow!("there is no rule{what} `{name}`").hint("list rules and topics with `kubectl homelab explain`")
    })
}
