//! `kubectl homelab validate`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;

use super::checks::{self, CheckArgs};
use super::output::FindingsOutput;
use super::session::Session;
use super::source_dirs::SourceDirArgs;
use crate::failure::Exit;
use crate::repo::RepoPath;
use crate::rules::{CheckReport, Scope};
use crate::sources::{Network, Options, Sources};

/// Check the repository and what it renders
///
/// Exits 0 when there are no errors, 1 when there are, 3 when it could not be checked at all.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Report only what is in these files and folders; the whole repository is read nevertheless
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Check manifests and parameters only, and render nothing
    #[arg(long, conflicts_with = "fetch")]
    no_render: bool,

    /// Fetch sources that are not available locally; without it, no network is used
    #[arg(long)]
    fetch: bool,

    #[command(flatten)]
    sources: SourceDirArgs,

    #[command(flatten)]
    checks: CheckArgs,

    /// Output format; findings with source excerpts by default
    #[arg(short, long, value_enum)]
    output: Option<FindingsOutput>,
}

pub(super) fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let Args {
        paths,
        no_render,
        fetch,
        sources,
        checks,
        output,
    } = args;
    let paths: Vec<RepoPath> = paths
        .iter()
        .map(|path| session.checkout()?.relative(path))
        .collect::<Result<_>>()?;
    let (renders, notes) = if *no_render {
        (BTreeMap::new(), Vec::new())
    } else {
        let options = Options {
            network: if *fetch { Network::WhenMissing } else { Network::Never },
            ..Options::default()
        };
        let dirs = sources.dirs();
        let sources = Sources::new(session.repo()?, session.checkout()?, &dirs, &options);
        let progress = session.terminal.progress("rendering");
        sources.render_all(|name| progress.now(&format!("rendering {name}")))?
    };
    notes.iter().for_each(|note| session.terminal.say(note));
    let repo = session.repo()?;
    let mut report = CheckReport::of(&Scope::new(repo, &renders));
    report.select(checks.rules());
    if !paths.is_empty() {
        report.within(&paths);
    }
    checks::print(session, repo, &report, *output)?;
    if *no_render {
        session
            .terminal
            .say("nothing was rendered: only manifests and parameters were checked (--no-render)");
    }
    Ok(checks.exit(&report))
}
