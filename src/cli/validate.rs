//! `kubectl homelab validate`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;

use super::checkouts::CheckoutArgs;
use super::rendering::render_all;
use super::session::Session;
use super::sources::{Network, Options};
use crate::failure::Exit;
use crate::repo::RepoPath;
use crate::report::{findings, json};
use crate::rules::{Judgement, Scope, Selection};

/// Judge the repository and what it renders
///
/// Exits 0 when there are no errors, 1 when there are, 3 when it could not be judged at all.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Only what stands in these files and folders; all of the repository is read all the same
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Judge manifests and parameters only, and render nothing
    #[arg(long, conflicts_with = "fetch")]
    no_render: bool,

    /// Fetch the sources that are not at hand; without it, nothing leaves this machine
    #[arg(long)]
    fetch: bool,

    #[command(flatten)]
    sources: CheckoutArgs,

    /// Let warnings fail, too
    #[arg(long)]
    strict: bool,

    /// Which rules to apply: `-HL123` leaves one out, `+HL1` takes all that start so; several with commas
    #[arg(
        long,
        value_name = "±HL…",
        allow_hyphen_values = true,
        default_value = "",
        hide_default_value = true
    )]
    rules: Selection,

    /// How to print the findings; with source excerpts by default
    #[arg(short, long, value_enum)]
    output: Option<Output>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    Table,
    Json,
}

pub(super) fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let Args {
        paths,
        no_render,
        fetch,
        sources,
        strict,
        rules,
        output,
    } = args;
    let paths: Vec<RepoPath> = paths
        .iter()
        .map(|path| session.checkout()?.relative(path))
        .collect::<Result<_>>()?;
    let mut notes = Vec::new();
    let renders = if *no_render {
        BTreeMap::new()
    } else {
        let options = Options {
            network: if *fetch { Network::WhenMissing } else { Network::Never },
            ..Options::default()
        };
        render_all(session, sources, &options, &mut notes)?
    };
    notes.iter().for_each(|note| session.terminal.say(note));
    let repo = session.repo()?;
    let mut judgement = Judgement::of(&Scope::new(repo, &renders));
    judgement.select(rules);
    if !paths.is_empty() {
        judgement.within(&paths);
    }
    let text = match output {
        None => findings::judgement(repo, &judgement),
        Some(Output::Table) => findings::findings_table(repo, &judgement),
        Some(Output::Json) => json::finding_list(repo, &judgement)?,
    };
    session.terminal.data(&text)?;
    if *output == Some(Output::Table) {
        session.terminal.say(findings::summary(&judgement).trim_end());
    }
    if *no_render {
        session
            .terminal
            .say("nothing was rendered: manifests and parameters were judged (--no-render)");
    }
    let fails = judgement.errors() > 0 || *strict && judgement.warnings() > 0;
    Ok(if fails { Exit::Findings } else { Exit::Done })
}
