//! Revisions as Argo CD resolves them: constraints on tags, tags, branches, commits and the start of one, `HEAD`
//! ([source](https://github.com/argoproj/argo-cd/blob/master/util/git/client.go), `LsRemote`). What git alone understands, such as
//! `main~1`, is none.

use std::path::Path;

use anyhow::{Context, Result, anyhow};

use super::{Purpose, git, run};
use crate::failure::HintExt;
use crate::masking::without_logins;
use crate::model::repo_url::remote_helper;
use crate::model::version;

/// The folder of tags among the references.
const TAGS: &str = "refs/tags/";

/// Reports whether a revision is the start of a commit's name, or all of it.
fn is_commit(revision: &str) -> bool {
    revision.len() >= 7 && revision.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Reports whether a text can be the name of a reference
/// ([source](https://git-scm.com/docs/git-check-ref-format)).
fn is_name(text: &str) -> bool {
    let is_wrong = |c: char| c.is_whitespace() || c.is_control() || "~^:?*[\\".contains(c);
    !text.is_empty()
        && !text.starts_with(['-', '+'])
        && !text.contains("..")
        && !text.contains("@{")
        && !text.contains(is_wrong)
}

/// Returns the commit that a revision means in a working tree, from what was fetched into it.
pub(super) fn in_tree(root: &Path, revision: &str) -> Option<String> {
    let commit = |name: &str| {
        let name = format!("{name}^{{commit}}");
        git(root, &["rev-parse", "--verify", "--quiet", &name])
            .ok()
            .map(|id| id.trim().to_owned())
    };
    if matches!(revision, "" | "HEAD") {
        return commit("refs/remotes/origin/HEAD").or_else(|| commit("HEAD"));
    }
    let tag = constrained(revision, || git(root, &["for-each-ref", "--format=%(refname)", TAGS])).ok()?;
    let name = tag.as_deref().unwrap_or(revision);
    if !is_name(name) {
        return None;
    }
    let mut places = vec![format!("{TAGS}{name}"), format!("refs/heads/{name}")];
    places.push(format!("refs/remotes/origin/{name}"));
    if name.starts_with("refs/") {
        places = vec![name.to_owned(), name.replacen("refs/heads/", "refs/remotes/origin/", 1)];
    }
    places.extend(is_commit(name).then(|| name.to_owned()));
    places.iter().find_map(|name| commit(name))
}

/// Returns the newest tag that a constraint allows, by the lines that end in the names of tags; `None` where the revision is
/// no constraint, or no tag fits.
fn constrained(revision: &str, listed: impl FnOnce() -> Result<String>) -> Result<Option<String>> {
    if !version::is_constraint(revision) {
        return Ok(None);
    }
    let listed = listed()?;
    let tags = listed.lines().filter_map(|line| Some(line.split_once(TAGS)?.1));
    Ok(version::newest(revision, tags).map(str::to_owned))
}

/// Asks a repository for its references: the name of the object, and that of the reference.
///
/// # Errors
/// When git fails: no network, no such repository, no permission.
pub fn references(url: &str) -> Result<Vec<(String, String)>> {
    if url.starts_with('-') || remote_helper(url).is_some() {
        return Err(anyhow!("`{url}` is not a repository"));
    }
    let listed = run(Purpose::Network, &std::env::temp_dir(), &["ls-remote", "--", url])
        .with_context(|| format!("cannot ask `{}`", without_logins(url)))
        .hint("check the URL and your git credentials")?;
    let pairs = listed.lines().filter_map(|line| line.split_once('\t'));
    Ok(pairs.map(|(id, name)| (id.to_owned(), name.to_owned())).collect())
}

/// Fetches a revision from the remote `origin` of a clone; it is `FETCH_HEAD` then.
///
/// # Errors
/// When there is no such revision, or git fails.
pub(super) fn fetch(clone: &Path, revision: &str) -> Result<()> {
    let tag = constrained(revision, || {
        run(
            Purpose::Network,
            clone,
            &["ls-remote", "--refs", "origin", "refs/tags/*"],
        )
    })?;
    let name = match tag {
        Some(tag) => format!("{TAGS}{tag}"),
        None if revision.is_empty() => "HEAD".to_owned(),
        None => revision.to_owned(),
    };
    if !is_name(&name) {
        let what = match version::is_constraint(revision) {
            true => "no tag fits the constraint",
            false => "it is not the name of a branch, tag or commit",
        };
        return Err(anyhow!(what).hint("correct `targetRevision`"));
    }
    let quiet = ["fetch", "--quiet", "--no-recurse-submodules"];
    let only = |more: &[&str]| run(Purpose::Network, clone, &[&quiet[..], more].concat());
    match only(&["--depth", "1", "origin", &name]) {
        Ok(_) => Ok(()),
        // Hosts give single commits by their whole name at most, and some not even then.
        Err(_) if is_commit(&name) => by_commit(clone, &name, only),
        Err(error) => Err(error),
    }
}

/// Fetches all branches and tags, and takes a commit from what came.
fn by_commit(clone: &Path, name: &str, only: impl Fn(&[&str]) -> Result<String>) -> Result<()> {
    let is_shallow = git(clone, &["rev-parse", "--is-shallow-repository"])?.trim() == "true";
    let all = [
        "origin",
        "+refs/heads/*:refs/remotes/origin/*",
        "+refs/tags/*:refs/tags/*",
    ];
    only(&[if is_shallow { &["--unshallow"][..] } else { &[] }, &all].concat())?;
    let commit = git(
        clone,
        &["rev-parse", "--verify", "--quiet", &format!("{name}^{{commit}}")],
    )
    .map_err(|_| anyhow!("there is no commit `{name}`"))?;
    git(clone, &["update-ref", "FETCH_HEAD", commit.trim()])?;
    Ok(())
}
