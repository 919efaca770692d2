//! Git's protocol, version 2, over HTTPS ([source](https://git-scm.com/docs/protocol-v2)): asks for references, and for one
//! commit without its history.

use anyhow::{Context, Result, anyhow, bail};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderName, Method};

use super::archive::{Kind as FileKind, TreeFile};
use super::pack::{Kind, Objects};
use super::packet::{Packet, Packets, line};
use super::{Listed, PLACES, checked_id};
use crate::download::client::{Answer, Ask, send};
use crate::download::logins::Logins;
use crate::failure::HintExt;
use crate::masking::without_logins;
use crate::model::remote_base::RemoteBase;
use crate::time::Deadline;

/// What asks for the version of the protocol.
const PROTOCOL: HeaderName = HeaderName::from_static("git-protocol");
const VERSION: &str = "version=2";
const SERVICE: &str = "/info/refs?service=git-upload-pack";
/// The most folders in one another.
const DEEPEST: usize = 200;

/// A repository.
pub(super) struct Remote {
    /// Where it is, behind all redirections.
    url: String,
    /// What the server says that it can do.
    abilities: Vec<String>,
    logins: Logins,
    deadline: Deadline,
}

impl Remote {
    /// Asks a server for its abilities.
    pub(super) fn of(base: &RemoteBase, deadline: Deadline) -> Result<Self> {
        let logins = Logins::configured()?;
        let url = https(&base.url)?;
        let mut ask = Ask::get(&format!("{url}{SERVICE}"));
        ask.headers.insert(PROTOCOL, HeaderValue::from_static(VERSION));
        let answer = send(&ask, &logins, deadline)?
            .successful()
            .hint("check the URL; for a private repository see \"Private charts\" in the README")?;
        let place = answer.url.strip_suffix(SERVICE).unwrap_or(&url).to_owned();
        let abilities = abilities(&answer).with_context(|| format!("`{}`", without_logins(&url)))?;
        Ok(Self {
            url: place,
            abilities,
            logins,
            deadline,
        })
    }

    fn post(&self, command: &str, arguments: &[String]) -> Result<Answer> {
        let mut body = line(&format!("command={command}"));
        body += &line(concat!("agent=kubectl-homelab/", env!("CARGO_PKG_VERSION")));
        if self
            .abilities
            .iter()
            .any(|ability| ability.starts_with("object-format="))
        {
            body += &line("object-format=sha1");
        }
        body += "0001";
        arguments.iter().for_each(|argument| body += &line(argument));
        body += "0000";
        let mut ask = Ask::get(&format!("{}/git-upload-pack", self.url));
        ask.method = Method::POST;
        ask.headers.insert(PROTOCOL, HeaderValue::from_static(VERSION));
        ask.headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-git-upload-pack-request"),
        );
        ask.body = body.into();
        send(&ask, &self.logins, self.deadline)?.successful()
    }

    /// Returns the references that a name can mean.
    pub(super) fn references(&self, name: &str) -> Result<Vec<Listed>> {
        let name = if name.is_empty() { "HEAD" } else { name };
        let prefix = |(before, behind): &(&str, &str)| format!("ref-prefix {before}{name}{behind}");
        let answer = self.post("ls-refs", &PLACES.iter().map(prefix).collect::<Vec<_>>())?;
        let (mut packets, mut listed) = (Packets(&answer.body), Vec::new());
        while let Some(line) = packets.line()? {
            let mut words = line.split(' ');
            if let (Some(id), Some(name)) = (words.next(), words.next()) {
                listed.push(Listed {
                    id: checked_id(id)?.to_owned(),
                    name: name.to_owned(),
                });
            }
        }
        Ok(listed)
    }

    /// Returns the files of a commit, or of the commit that a tag is of.
    pub(super) fn files(&self, commit: &str) -> Result<Vec<TreeFile>> {
        let words = [
            &format!("want {commit}"),
            "deepen 1",
            "ofs-delta",
            "no-progress",
            "done",
        ];
        let answer = self.post("fetch", &words.map(str::to_owned))?;
        let objects = Objects::read(&pack(&answer.body)?)?;
        let commit = objects.commit(commit)?;
        let mut files = Vec::new();
        walk(&objects, objects.tree(&commit)?, "", DEEPEST, &mut files)?;
        Ok(files)
    }
}

/// Returns the URL of a repository for HTTPS. Only git itself has ssh; what ssh names can be read over HTTPS at all large hosts.
fn https(url: &str) -> Result<String> {
    let url = url.trim_end_matches('/');
    if url.starts_with("https://") || url.starts_with("http://") {
        return Ok(url.to_owned());
    }
    let host_and_path = match url.strip_prefix("ssh://") {
        Some(rest) => rest.split_once('/'),
        None => url.split_once(':').or_else(|| url.split_once('/')),
    };
    let (host, path) = host_and_path.with_context(|| format!("`{}` is no URL of a repository", without_logins(url)))?;
    let host = host.rsplit('@').next().unwrap_or_default();
    // The port is that of ssh.
    let host = host.split(':').next().unwrap_or_default();
    Ok(format!("https://{host}/{}", path.trim_start_matches('/')))
}

fn abilities(answer: &Answer) -> Result<Vec<String>> {
    let mut packets = Packets(&answer.body);
    let mut first = packets.line()?;
    if first.is_some_and(|line| line.starts_with("# service=")) {
        packets.next()?;
        first = packets.line()?;
    }
    if first != Some("version 2") {
        return Err(anyhow!("its server speaks an old version of git's protocol")
            .hint("put a `git` on the PATH of the plugin, or copy the folder into this repository"));
    }
    let mut abilities = Vec::new();
    while let Some(line) = packets.line()? {
        abilities.push(line.to_owned());
    }
    if abilities.iter().any(|ability| ability == "object-format=sha256") {
        return Err(anyhow!("it is a repository with SHA-256 names")
            .hint("put a `git` on the PATH of the plugin, or copy the folder into this repository"));
    }
    Ok(abilities)
}

/// Returns the pack in the answer to a fetch.
fn pack(body: &[u8]) -> Result<Vec<u8>> {
    let mut packets = Packets(body);
    loop {
        match packets.next()? {
            Some(Packet::Line(b"packfile\n" | b"packfile")) => break,
            Some(Packet::Line(line)) if line.starts_with(b"ERR ") => {
                bail!("git's server says: {}", String::from_utf8_lossy(&line[4..]).trim());
            }
            Some(_) => {}
            None => bail!("git's server sends no objects"),
        }
    }
    let mut pack = Vec::new();
    while let Some(Packet::Line(line)) = packets.next()? {
        match line.split_first() {
            Some((1, bytes)) => pack.extend_from_slice(bytes),
            Some((2, _)) | None => {}
            Some((_, message)) => bail!("git's server says: {}", String::from_utf8_lossy(message).trim()),
        }
    }
    Ok(pack)
}

/// Collects the files of a tree.
fn walk(objects: &Objects, tree: &str, folder: &str, deepest: usize, files: &mut Vec<TreeFile>) -> Result<()> {
    let deepest = deepest
        .checked_sub(1)
        .context("the repository has too many folders in one another")?;
    let mut rest = objects.get(tree, Kind::Tree)?;
    while !rest.is_empty() {
        let entry = entry(&mut rest).context("git's server sends a folder that cannot be read")?;
        let path = if folder.is_empty() {
            entry.name.to_owned()
        } else {
            format!("{folder}/{}", entry.name)
        };
        let kind = match entry.mode {
            "40000" => {
                walk(objects, &entry.id, &path, deepest, files)?;
                continue;
            }
            "120000" => FileKind::Link,
            "160000" => FileKind::Submodule,
            mode => FileKind::File {
                is_executable: mode == "100755",
            },
        };
        let bytes = match kind {
            FileKind::Submodule => Vec::new(),
            _ => objects.get(&entry.id, Kind::Blob)?.to_vec(),
        };
        files.push(TreeFile { path, kind, bytes });
    }
    Ok(())
}

struct Entry<'t> {
    mode: &'t str,
    name: &'t str,
    id: String,
}

fn entry<'t>(rest: &mut &'t [u8]) -> Option<Entry<'t>> {
    let end = rest.iter().position(|byte| *byte == 0)?;
    let (mode, name) = std::str::from_utf8(&rest[..end]).ok()?.split_once(' ')?;
    let id = rest.get(end + 1..end + 21)?;
    *rest = &rest[end + 21..];
    Some(Entry {
        mode,
        name,
        id: base16ct::lower::encode_string(id),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ssh_names_is_read_over_https() {
        for (url, expected) in [
            ("https://git.example/o/r.git", "https://git.example/o/r.git"),
            ("git@github.com:o/r.git", "https://github.com/o/r.git"),
            ("github.com:o/r", "https://github.com/o/r"),
            ("ssh://git@git.example:2222/o/r.git", "https://git.example/o/r.git"),
        ] {
            assert_eq!(https(url).unwrap(), expected);
        }
        assert!(https("nothing").is_err());
    }
}
