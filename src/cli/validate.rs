//! `kubectl homelab validate`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;

use super::judged::JudgedArgs;
use super::session::Session;
use super::source_dirs::SourceDirArgs;
use crate::failure::Exit;
use crate::repo::RepoPath;
use crate::rules::{Judgement, Scope};
use crate::sources::{Network, Options, Sources};

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
    sources: SourceDirArgs,

    #[command(flatten)]
    judged: JudgedArgs,
}

pub(super) fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let Args {
        paths,
        no_render,
        fetch,
        sources,
        judged,
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
    let mut judgement = Judgement::of(&Scope::new(repo, &renders));
    judgement.select(judged.rules());
    if !paths.is_empty() {
        judgement.within(&paths);
    }
    judged.print(session, repo, &judgement)?;
    if *no_render {
        session
            .terminal
            .say("nothing was rendered: manifests and parameters were judged (--no-render)");
    }
    Ok(judged.exit(&judgement))
}
