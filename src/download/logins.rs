//! Logins for hosts: in the URL itself, or in a file as git's own credential store has it
//! ([source](https://git-scm.com/docs/git-credential-store#_storage_format)): a URL with user and password in each line.
#![expect(clippy::disallowed_methods, reason = "the adapter to what is elsewhere")]

use anyhow::{Result, bail};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::Uri;

/// Environment variable: the file with logins for git's hosts, a URL `https://user:password@host` in each line.
pub const CREDENTIALS_VARIABLE: &str = "HOMELAB_GIT_CREDENTIALS";

/// The logins of a user.
#[derive(Clone, Default)]
pub(super) struct Logins(Vec<Login>);

#[derive(Clone)]
struct Login {
    scheme: String,
    host: String,
    path: String,
    user: String,
    password: String,
}

impl Logins {
    /// Reads the file that the environment names; one that is not there has no logins.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub(super) fn configured() -> Result<Self> {
        let Some(file) = std::env::var_os(CREDENTIALS_VARIABLE).filter(|file| !file.is_empty()) else {
            return Ok(Self::default());
        };
        match std::fs::read_to_string(&file) {
            Ok(text) => Ok(Self::read(&text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => bail!("cannot read the logins of `{CREDENTIALS_VARIABLE}`: {}", error.kind()),
        }
    }

    fn read(text: &str) -> Self {
        Self(text.lines().filter_map(|line| Login::read(line.trim())).collect())
    }

    /// Returns the header that logs in at a URL, if there is a login for it: that of the URL comes first.
    pub(super) fn header(&self, url: &str) -> Option<String> {
        let own = Login::read(url);
        let login = own.or_else(|| self.0.iter().find(|login| login.is_for(url)).cloned())?;
        let both = format!("{}:{}", login.user, login.password);
        Some(format!("Basic {}", BASE64_STANDARD.encode(both)))
    }
}

impl Login {
    /// Reads a URL with a login; `None` for another one.
    fn read(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let end = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (login, host) = authority.rsplit_once('@')?;
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        Some(Self {
            scheme: scheme.to_ascii_lowercase(),
            host: host.to_ascii_lowercase(),
            path: path.trim_matches('/').to_owned(),
            user: decoded(user),
            password: decoded(password),
        })
    }

    /// Reports whether it is for a URL: for its host, and where it has a path of its own for what is below that.
    fn is_for(&self, url: &str) -> bool {
        let Ok(uri) = url.parse::<Uri>() else { return false };
        let host = uri.authority().map(|authority| authority.as_str().to_ascii_lowercase());
        let path = uri.path().trim_start_matches('/');
        let below = path
            .strip_prefix(&self.path)
            .is_some_and(|rest| self.path.is_empty() || rest.is_empty() || rest.starts_with(['/', '.']));
        uri.scheme_str() == Some(&self.scheme) && host.as_deref() == Some(&self.host) && below
    }
}

fn decoded(text: &str) -> String {
    crate::model::remote_base::decoded(text, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_goes_to_its_host_only() {
        let logins = Logins::read("https://u:p%40ss@git.example\n\nhttps://t@other.example/own/a.git\nno url\n");
        let header = |url: &str| {
            logins.header(url).map(|text| {
                let bytes = BASE64_STANDARD.decode(text.strip_prefix("Basic ").unwrap()).unwrap();
                String::from_utf8(bytes).unwrap()
            })
        };
        for (url, expected) in [
            ("https://git.example/o/r.git", Some("u:p@ss")),
            ("https://GIT.example/o/r.git/info/refs", Some("u:p@ss")),
            ("http://git.example/o/r.git", None),
            ("https://git.example:8443/o/r.git", None),
            ("https://git.example.evil/o", None),
            ("https://other.example/own/a.git/info/refs", Some("t:")),
            ("https://other.example/own/ab", None),
            ("https://x:y@git.example/o", Some("x:y")),
        ] {
            assert_eq!(header(url).as_deref(), expected, "{url}");
        }
    }
}
