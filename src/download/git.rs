//! Folders of git repositories: a commit is fetched once and kept whole, and a branch or a tag is asked for each time. Where
//! there is a git on PATH it fetches, with all logins that it knows; else this program asks over HTTPS itself.
//!
//! ```text
//! packet  lines of git's protocol          pack     objects as they are sent
//! http    the protocol, over HTTPS         archive  the files of a commit, as they are kept and put into a folder
//! ```

mod archive;
mod http;
mod pack;
mod packet;

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use base16ct::lower;
use sha2::{Digest, Sha256};

use super::Downloads;
use crate::disk::make_folder;
use crate::failure::HintExt;
use crate::git;
use crate::masking::without_logins;
use crate::model::Unavailable;
use crate::model::remote_base::{RemoteBase, is_commit};
use crate::process::{self, Home};

use self::archive::TreeFile;

/// How git searches for a reference by its short name
/// ([source](https://git-scm.com/docs/git-rev-parse#_specifying_revisions)).
const PLACES: [(&str, &str); 6] = [
    ("", ""),
    ("refs/", ""),
    ("refs/tags/", ""),
    ("refs/heads/", ""),
    ("refs/remotes/", ""),
    ("refs/remotes/", "/HEAD"),
];

/// A reference of a repository, with its commit or the object of a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) id: String,
    pub(super) name: String,
}

/// A commit that is in a folder now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Its name.
    pub commit: String,
    /// Whether the server could not be asked, and what it said the last time is taken.
    pub is_stale: bool,
    /// Folders of other repositories in it, which are left out.
    pub submodules: Vec<String>,
}

impl Downloads {
    /// Puts the files of a repository into a folder, which must not exist.
    ///
    /// # Errors
    /// [`Unavailable`] when it was never fetched and the network may not be used; when there is no such repository or commit, or
    /// it does not answer.
    pub fn repository(&self, base: &RemoteBase, into: &Path) -> Result<Fetched> {
        let shown = without_logins(&base.url);
        if base.url.starts_with("file://") {
            return Err(anyhow!("`{shown}` is a repository on this machine's own disk")
                .hint("name a folder of this repository, or a repository by its `https` URL"));
        }
        let named = format!("git-{}", digest(&[&base.url, &base.reference]));
        let known = self.taken(&named).and_then(|bytes| String::from_utf8(bytes).ok());
        let (listed, is_stale) = match (is_commit(&base.reference), self.network) {
            (true, _) => (Some(base.reference.to_ascii_lowercase()), false),
            (false, false) => (known, false),
            (false, true) => match (self.references(base), known) {
                (Ok(listed), _) => (Some(found(&listed, base)?.to_owned()), false),
                (Err(_), Some(known)) => (Some(known), true),
                (Err(error), None) => return Err(error),
            },
        };
        let commit = listed.ok_or_else(|| missing(base))?;
        let key = format!("git-{}", digest(&[&base.url, "commit", &commit]));
        let kept = self.taken(&key);
        let bytes = match kept {
            Some(bytes) => bytes,
            None if self.network => {
                let bytes = archive::packed(&self.fetched(base, &commit)?)?;
                self.keep(&key, &bytes);
                bytes
            }
            None => return Err(missing(base)),
        };
        if !is_commit(&base.reference) {
            self.keep(&named, commit.as_bytes());
        }
        let submodules = archive::unpack(&bytes, into).with_context(|| format!("`{shown}` at `{commit}`"))?;
        Ok(Fetched {
            commit,
            is_stale,
            submodules,
        })
    }

    /// Asks for the references that a name can mean.
    fn references(&self, base: &RemoteBase) -> Result<Vec<Listed>> {
        if process::find("git").is_none() {
            return http::Remote::of(base, self.deadline)?.references(&base.reference);
        }
        let pairs = git::references(&base.url)?.into_iter();
        Ok(pairs.map(|(id, name)| Listed { id, name }).collect())
    }

    fn fetched(&self, base: &RemoteBase, commit: &str) -> Result<Vec<TreeFile>> {
        if process::find("git").is_none() {
            return http::Remote::of(base, self.deadline)?.files(commit);
        }
        let home = Home::temporary("homelab-git-")?;
        let folder = home.path().join("repository");
        make_folder(&folder)?;
        let tree = git::fetch(&base.url, commit, &folder)?;
        archive::read(tree.root())
    }
}

fn missing(base: &RemoteBase) -> anyhow::Error {
    let reference = match base.reference.as_str() {
        "" => String::new(),
        name => format!(" at `{name}`"),
    };
    let what = format!("`{}`{reference} is not available locally", without_logins(&base.url));
    Unavailable::NeedsNetwork { what }.into_error()
}

/// Returns the commit, or the object of a tag, that a name means among the references.
fn found<'l>(listed: &'l [Listed], base: &RemoteBase) -> Result<&'l str> {
    let name = if base.reference.is_empty() {
        "HEAD"
    } else {
        &base.reference
    };
    let mut names = PLACES.iter().map(|(before, behind)| format!("{before}{name}{behind}"));
    let found = names.find_map(|full| listed.iter().find(|one| one.name == full));
    let found = found.ok_or_else(|| {
        anyhow!("`{}` has no branch or tag `{name}`", without_logins(&base.url))
            .hint("correct `?ref=`, or name a commit in full")
    })?;
    checked_id(&found.id)
}

fn digest(parts: &[&str]) -> String {
    lower::encode_string(&Sha256::digest(parts.join("\n")))
}

/// Refuses an object's name that is none.
fn checked_id(text: &str) -> Result<&str> {
    if !is_commit(text) {
        bail!("git's server names an object that is none");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_name_is_a_tag_before_it_is_a_branch() {
        let id = |name: &str| digest(&[name]);
        let listed = |names: &[&str]| -> Vec<Listed> {
            let all = names.iter().map(|name| Listed {
                id: id(name),
                name: (*name).to_owned(),
            });
            all.collect()
        };
        let all = listed(&[
            "HEAD",
            "refs/heads/main",
            "refs/heads/v1",
            "refs/tags/v1",
            "refs/pull/1/head",
        ]);
        for (name, expected) in [
            ("", Some("HEAD")),
            ("main", Some("refs/heads/main")),
            ("v1", Some("refs/tags/v1")),
            ("heads/v1", Some("refs/heads/v1")),
            ("refs/pull/1/head", Some("refs/pull/1/head")),
            ("pull/1/head", Some("refs/pull/1/head")),
            ("v2", None),
        ] {
            let base = RemoteBase::parse(&format!("github.com/o/r?ref={name}")).unwrap();
            assert_eq!(found(&all, &base).ok().map(str::to_owned), expected.map(id), "{name}");
        }
    }
}
