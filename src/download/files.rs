//! Files by URL. One that was fetched is asked for again with its validators, as long as the network may be used: a URL says
//! nothing of whether its content changes.

use anyhow::Result;
use base16ct::lower;
use http::StatusCode;
use http::header::{ETAG, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Downloads;
use super::client::{Answer, Ask, send};
use super::logins::Logins;
use crate::masking::without_logins;
use crate::model::Unavailable;

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its content.
    pub bytes: Vec<u8>,
    /// Whether the server calls it a page, which is no file of a repository.
    pub is_page: bool,
    /// Whether the server could not be asked, and what it gave the last time is taken.
    pub is_stale: bool,
}

impl Downloads {
    /// Returns a file by its URL.
    ///
    /// # Errors
    /// [`Unavailable`] when it was never fetched and the network may not be used; when the server has no such file or does not
    /// answer.
    pub fn file(&self, url: &str) -> Result<File> {
        let key = format!("file-{}", lower::encode_string(&Sha256::digest(url)));
        let kept = self.taken(&key).and_then(|bytes| Kept::read(&bytes));
        if !self.network {
            return kept.map(|kept| kept.file).ok_or_else(|| {
                let what = format!("`{}` is not available locally", without_logins(url));
                Unavailable::NeedsNetwork { what }.into_error()
            });
        }
        let mut ask = Ask::get(url);
        for (name, value) in kept
            .iter()
            .flat_map(|kept| [(IF_NONE_MATCH, &kept.tag), (IF_MODIFIED_SINCE, &kept.time)])
        {
            if let Some(value) = value.as_deref().and_then(|value| HeaderValue::from_str(value).ok()) {
                ask.headers.insert(name, value);
            }
        }
        let answer = match (send(&ask, &Logins::configured()?, self.deadline), kept) {
            (Ok(answer), Some(kept)) if answer.status == StatusCode::NOT_MODIFIED => return Ok(kept.file),
            (Ok(answer), Some(kept)) if answer.status.is_server_error() => return Ok(kept.stale()),
            (Err(_), Some(kept)) => return Ok(kept.stale()),
            (answer, _) => answer?,
        };
        let fetched = Kept::of(&answer.successful()?);
        self.keep(&key, &fetched.written());
        Ok(fetched.file)
    }
}

/// A file with what the server says of its version.
struct Kept {
    tag: Option<String>,
    time: Option<String>,
    file: File,
}

impl Kept {
    fn of(answer: &Answer) -> Self {
        let header = |name: &str| answer.header(name).map(str::to_owned);
        let is_page = header("content-type").is_some_and(|kind| kind.to_ascii_lowercase().contains("html"));
        Self {
            tag: header(ETAG.as_str()),
            time: header(LAST_MODIFIED.as_str()),
            file: File {
                bytes: answer.body.to_vec(),
                is_page,
                is_stale: false,
            },
        }
    }

    fn stale(mut self) -> File {
        self.file.is_stale = true;
        self.file
    }

    /// Returns what is kept: the validators in one line, and the content.
    fn written(&self) -> Vec<u8> {
        let head = json!({"tag": self.tag, "time": self.time, "page": self.file.is_page});
        let mut bytes = format!("{head}\n").into_bytes();
        bytes.extend_from_slice(&self.file.bytes);
        bytes
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let head: Value = serde_json::from_slice(&bytes[..end]).ok()?;
        let text = |name: &str| head[name].as_str().map(str::to_owned);
        Some(Self {
            tag: text("tag"),
            time: text("time"),
            file: File {
                bytes: bytes[end + 1..].to_vec(),
                is_page: head["page"].as_bool()?,
                is_stale: false,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_file_comes_back_with_its_validators() {
        let kept = Kept {
            tag: Some("\"a\"".to_owned()),
            time: None,
            file: File {
                bytes: b"a\nb\xff".to_vec(),
                is_page: false,
                is_stale: false,
            },
        };
        let read = Kept::read(&kept.written()).unwrap();
        assert_eq!((read.tag, read.time, read.file), (kept.tag, kept.time, kept.file));
        assert!(Kept::read(b"{}").is_none());
    }
}
