//! Whether a step is in the branch that Argo CD reads, as far as git knows it here.

use anyhow::{Result, anyhow};

use super::session::Session;
use crate::edit::needed::Needed;
use crate::failure::HintExt;
use crate::git::WorkingTree;

/// Refuses a step while the one before is not committed, or not in the branch that Argo CD reads: the one that the current branch is
/// pushed to, and the one that the Application names which syncs the file. Without a working tree of git there is nothing to ask.
pub(super) fn check(session: &Session, needed: &Needed) -> Result<()> {
    let Some(tree) = WorkingTree::at(session.checkout()?.root()) else {
        return Ok(());
    };
    let repo = session.repo()?;
    let folders = repo.synced_folders();
    let named = folders.readers(&needed.file).flat_map(|app| app.sources());
    let named = named.filter(|source| repo.is_own(source.repo_url()) && source.target_revision() != "HEAD");
    let named: Vec<String> = named
        .map(|source| format!("origin/{}", source.target_revision()))
        .collect();
    let upstream = tree.upstream();
    let known: Vec<String> = std::iter::once("HEAD".to_owned()).chain(upstream).collect();
    for commit in known.iter().chain(&named) {
        match tree.committed(commit, &needed.file)? {
            Some(text) if needed.is_in(&text) => continue,
            // The file is older than the step, or nobody has fetched the branch.
            None if !needed.is_written || !known.contains(commit) => continue,
            Some(_) | None => {}
        }
        let (step, (kind, name), file) = (&needed.step, &needed.object, &needed.file);
        let error = match commit.as_str() {
            "HEAD" => anyhow!("{step}, is not committed in `{file}`"),
            branch => anyhow!("{step}, is not in `{branch}`, which Argo CD reads: `{file}`"),
        };
        return Err(error.hint(format!(
            "commit and push it, wait until Argo CD has synced {kind} `{name}`, then run the same command again"
        )));
    }
    Ok(())
}
