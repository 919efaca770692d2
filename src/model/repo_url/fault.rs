//! What is wrong with the address of a repository: one check for every command that takes or reads one.

use std::fmt;

use anyhow::{Result, anyhow};

use super::{Address, PLACEHOLDER, has_placeholder};
use crate::failure::HintExt;
use crate::masking::without_logins;

/// The schemes with which git reads a repository of another host.
const GIT_SCHEMES: [&str; 4] = ["https", "http", "ssh", "git"];
/// What tokens of Git hosts begin with.
const TOKENS: [&str; 7] = ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-"];
/// Words in the name of a query parameter that carries a secret.
const SECRET_WORDS: [&str; 5] = ["token", "pass", "secret", "key", "auth"];

/// What is wrong with an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is none.
    Missing,
    /// It contains a blank or a control character.
    Blank,
    /// It asks git to run a program of its own (`ext::sh -c …`), here by the name behind `git-remote-`.
    RemoteHelper(String),
    /// It is a path of a file system.
    Path,
    /// It is a path of a file system, written as a URL.
    FileUrl,
    /// It has no scheme and is not `user@host:path`.
    NoScheme,
    /// It has a scheme that git does not know.
    Scheme(String),
    /// It ends after the host.
    NoRepository,
    /// It contains a password or a token.
    Login,
    /// It contains a placeholder.
    Placeholder(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("is empty"),
            Self::Blank => f.write_str("contains a blank or a control character"),
            Self::RemoteHelper(name) => write!(f, "asks git to run a program, `git-remote-{name}`"),
            Self::Path => f.write_str("is a path of a file system, which Argo CD does not have"),
            Self::FileUrl => f.write_str("is a path in the file system of Argo CD's own pod"),
            Self::NoScheme => f.write_str("has no scheme, so that git takes it for a path"),
            Self::Scheme(scheme) => write!(f, "has the scheme `{scheme}`, which git does not know"),
            Self::NoRepository => f.write_str("names a host and no repository on it"),
            Self::Login => f.write_str("contains a password or a token, which everybody who reads the repository gets"),
            Self::Placeholder(text) => write!(f, "has the placeholder `{text}`"),
        }
    }
}

impl Fault {
    /// Reports whether the address cannot be used, or must not be; others may be right for somebody.
    pub fn is_error(&self) -> bool {
        !matches!(self, Self::FileUrl | Self::Placeholder(_))
    }

    /// Reports whether nobody can read a repository at the address; a placeholder may stand for one that is there.
    pub fn keeps_from_reading(&self) -> bool {
        !matches!(self, Self::FileUrl | Self::Login)
    }

    /// Returns the next step, in the imperative.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Missing => "name the repository, as `https://git.example.org/me/home`",
            Self::Blank => "take the blank out, or write it as `%20`",
            Self::NoScheme | Self::Scheme(_) => {
                "write it as `https://git.example.org/me/home`, `ssh://…` or `git@git.example.org:me/home`"
            }
            Self::RemoteHelper(_) | Self::Path | Self::FileUrl => {
                "use the `https` or `ssh` URL under which Argo CD reads the repository; a checkout is named with `--source-dir REPO=DIR`"
            }
            Self::NoRepository => "add the path of the repository, as in `https://git.example.org/me/home`",
            Self::Login => "take it out, revoke it, and put it into a repository Secret of Argo CD",
            Self::Placeholder(_) => "fill it in",
        }
    }
}

/// Finds what is wrong with an address. The repository of a chart (`is_chart`) may be a bare host, or a registry without a
/// scheme.
///
/// # Errors
/// The worst fault.
pub fn check(url: &str, is_chart: bool) -> std::result::Result<(), Fault> {
    let address = Address::of(url);
    let is_login =
        address.login.is_some_and(is_secret) || url.split_once('?').is_some_and(|(_, query)| has_secret(query));
    let fault = if url.is_empty() {
        Fault::Missing
    } else if let Some(helper) = remote_helper(url) {
        Fault::RemoteHelper(helper.to_owned())
    } else if is_login {
        Fault::Login
    } else if let Some(text) = placeholder(url) {
        Fault::Placeholder(text)
    } else if url.contains(|c: char| c.is_whitespace() || c.is_control()) {
        Fault::Blank
    } else if is_path(url) {
        Fault::Path
    } else if address.is_local() {
        Fault::FileUrl
    } else if is_chart {
        of_chart(url, &address)?;
        return Ok(());
    } else {
        of_git(&address)?;
        return Ok(());
    };
    Err(fault)
}

/// Refuses an address that cannot be used, or must not be.
///
/// # Errors
/// The fault as a sentence, with its way out.
pub fn usable(url: &str, is_chart: bool) -> Result<()> {
    match check(url, is_chart) {
        Err(fault) if fault.is_error() => Err(anyhow!(
            "`{}` is not the URL of a repository that Argo CD can read: it {fault}",
            without_logins(url)
        )
        .hint(fault.hint())),
        _ => Ok(()),
    }
}

fn of_chart(url: &str, address: &Address<'_>) -> std::result::Result<(), Fault> {
    if address.host.is_empty() {
        return Err(Fault::NoRepository);
    }
    // Without a scheme it is a registry: `registry.example.org/charts`.
    match address.scheme.is_empty() && !url.contains('/') && !url.contains(['.', ':']) {
        true => Err(Fault::NoScheme),
        false => Ok(()),
    }
}

fn of_git(address: &Address<'_>) -> std::result::Result<(), Fault> {
    let scheme = address.scheme.to_ascii_lowercase();
    let is_scp = scheme.is_empty() && address.is_scp;
    if scheme.is_empty() && !is_scp {
        return Err(Fault::NoScheme);
    }
    if !is_scp && !GIT_SCHEMES.contains(&scheme.as_str()) && scheme != "oci" {
        return Err(Fault::Scheme(scheme));
    }
    if address.host.is_empty() || super::without_ending(address.path).trim_matches('/').is_empty() {
        return Err(Fault::NoRepository);
    }
    Ok(())
}

/// Returns the placeholder in an address: that of the shipped repository, or what a template leaves (`<you>`, `{{ x }}`,
/// `${X}`).
pub fn placeholder(url: &str) -> Option<String> {
    if has_placeholder(url) {
        return Some(PLACEHOLDER.to_owned());
    }
    let between = |open: &str, close: &str| {
        let from = url.find(open)?;
        let length = url[from..].find(close)? + close.len();
        Some(url[from..from + length].to_owned())
    };
    [("{{", "}}"), ("${", "}"), ("<", ">")]
        .iter()
        .find_map(|(open, close)| between(open, close))
}

/// Returns the name of the remote helper that an address such as `ext::sh -c …` asks git for.
pub fn remote_helper(url: &str) -> Option<&str> {
    let (name, _) = url.trim_start().split_once("::")?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    (!name.is_empty() && name.chars().all(is_name)).then_some(name)
}

/// Reports whether an address is a path of a file system.
pub(super) fn is_path(url: &str) -> bool {
    let mut start = url.chars();
    let is_drive = start.next().is_some_and(|c| c.is_ascii_alphabetic())
        && start.next() == Some(':')
        && start.next().is_some_and(|c| matches!(c, '\\' | '/'))
        && !url.contains("://");
    url.starts_with(['/', '.', '~', '\\']) || is_drive
}

/// Reports whether a login contains what must not be seen: a password, or a token in the place of the user.
pub(super) fn is_secret(login: &str) -> bool {
    let is_random = login.len() >= 32
        && login.chars().any(|c| c.is_ascii_digit())
        && login.chars().any(|c| c.is_ascii_alphabetic());
    login.contains(':') || is_random || TOKENS.iter().any(|token| login.starts_with(token))
}

/// Reports whether a query carries a secret.
pub(super) fn has_secret(query: &str) -> bool {
    let names = query.split('&').filter_map(|pair| pair.split_once('='));
    names
        .map(|(name, _)| name.to_lowercase())
        .any(|name| SECRET_WORDS.iter().any(|word| name.contains(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_argo_cd_reads_has_no_fault() {
        for url in [
            "https://git.example.org/me/home",
            "http://git.lan:3000/me/home.git",
            "ssh://git@git.lan:2222/me/home",
            "git@git.example.org:me/home.git",
            "git.example.org:me/home",
            "https://me@dev.azure.com/me/home/_git/home",
            "oci://ghcr.io/me/manifests",
        ] {
            assert_eq!(check(url, false), Ok(()), "{url}");
        }
        for url in [
            "https://charts.example.org",
            "registry.example.org/charts",
            "registry.lan:5000",
            "oci://ghcr.io/me/charts",
            "s3://charts",
        ] {
            assert_eq!(check(url, true), Ok(()), "{url}");
        }
    }

    #[test]
    fn every_fault_is_found() {
        let placeholder = |text: &str| Fault::Placeholder(text.to_owned());
        for (url, fault) in [
            ("", Fault::Missing),
            ("https://git.example.org/my home", Fault::Blank),
            ("https://git.example.org/me/home\n", Fault::Blank),
            ("ext::sh -c true", Fault::RemoteHelper("ext".to_owned())),
            ("fd::3", Fault::RemoteHelper("fd".to_owned())),
            ("/srv/git/home", Fault::Path),
            ("../home", Fault::Path),
            ("~/home", Fault::Path),
            ("C:\\home", Fault::Path),
            ("file:///srv/git/home", Fault::FileUrl),
            ("github.com/me/home", Fault::NoScheme),
            ("home", Fault::NoScheme),
            ("htps://github.com/me/home", Fault::Scheme("htps".to_owned())),
            ("https://github.com", Fault::NoRepository),
            ("https://github.com/", Fault::NoRepository),
            ("https:///me/home", Fault::NoRepository),
            ("https://me:hunter2@github.com/me/home", Fault::Login),
            ("https://github_pat_x@github.com/me/home", Fault::Login),
            ("https://github.com/me/home?access_token=x", Fault::Login),
            ("https://github.com/OWNER/home", placeholder("OWNER")),
            ("https://github.com/<you>/home", placeholder("<you>")),
            ("https://github.com/{{ .owner }}/home", placeholder("{{ .owner }}")),
            ("${REPO}", placeholder("${REPO}")),
        ] {
            assert_eq!(check(url, false), Err(fault), "{url}");
        }
        for (url, fault) in [
            ("charts", Fault::NoScheme),
            ("https://", Fault::NoRepository),
            ("./charts", Fault::Path),
        ] {
            assert_eq!(check(url, true), Err(fault), "{url}");
        }
    }
}
