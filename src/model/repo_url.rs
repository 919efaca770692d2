//! Addresses of repositories: when two of them mean the same repository, and which of them Argo CD can read.

mod fault;

pub use fault::{Fault, check, placeholder, remote_helper, usable};

/// An address, taken apart.
struct Address<'u> {
    /// Empty for `user@host:path` and for what has none.
    scheme: &'u str,
    /// User and password as written, without the `@`.
    login: Option<&'u str>,
    /// The host, with the port.
    host: &'u str,
    /// What follows the host, without the sign between them.
    path: &'u str,
    /// Whether it is `host:path` without a scheme, which git takes for SSH.
    is_scp: bool,
}

impl<'u> Address<'u> {
    fn of(url: &'u str) -> Self {
        let url = url.trim();
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        // Without a scheme, the first `:` ends the host, as git reads it, unless a `/` comes before.
        let is_end = |c: char| matches!(c, '/' | '?' | '#') || scheme.is_empty() && c == ':';
        let ends = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let has_password = |authority: &str| {
            let port = authority
                .split_once(':')
                .filter(|_| !scheme.is_empty() && !authority.starts_with('['));
            port.is_some_and(|(_, port)| port.contains(|c: char| !c.is_ascii_digit()))
        };
        let from = match rest[..ends].rfind('@') {
            // A password with a `/` in it, which should have been escaped.
            None if has_password(&rest[..ends]) => rest.rfind('@'),
            at => at,
        };
        let from = from.map_or(0, |at| at + 1);
        let inside = rest[from..].starts_with('[').then(|| rest[from..].find(']')).flatten();
        let searched = from + inside.unwrap_or_default();
        let end = rest[searched..].find(is_end).map_or(rest.len(), |end| searched + end);
        let path = &rest[end..];
        Self {
            scheme,
            login: (from > 0).then(|| &rest[..from - 1]),
            host: &rest[from..end],
            path: path.strip_prefix(['/', ':']).unwrap_or(path),
            is_scp: path.starts_with(':'),
        }
    }

    fn is_local(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("file")
    }

    /// Returns the host without the port, in lower case, and without `ssh.`: GitHub and others have a host of that name
    /// for SSH over the port of HTTPS.
    fn host_name(&self) -> String {
        let host = match self.host.rfind(']') {
            Some(end) => &self.host[..=end],
            None => self.host.split(':').next().unwrap_or_default(),
        };
        let host = host.to_ascii_lowercase();
        let without = ["altssh.", "ssh."].iter().find_map(|prefix| host.strip_prefix(prefix));
        without.map_or_else(|| host.clone(), str::to_owned)
    }
}

/// Returns the parts of an address that name the repository: the host in lower case and the path, without scheme, user,
/// port, `.git` and slashes at the ends. Argo CD compares the address of a webhook in the same way, except that it ignores the
/// case of the path, too
/// ([source](https://github.com/argoproj/argo-cd/blob/master/util/webhook/webhook.go), `GetWebURLRegex`).
///
/// A path of a file system and an OCI artifact are never the same as a repository of a host.
pub fn normalized(url: &str) -> String {
    let url = url.trim();
    let address = Address::of(url);
    if fault::is_path(url) || address.is_local() {
        let path = url.split_once("://").map_or(url, |(_, path)| path);
        return format!("file://{}", without_ending(path));
    }
    let path = without_ending(address.path).trim_start_matches('/');
    let kind = if address.scheme == "oci" { "oci://" } else { "" };
    format!("{kind}{}/{path}", address.host_name())
}

fn without_ending(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    path.strip_suffix(".git").unwrap_or(path)
}

/// Reports whether two addresses mean the same repository.
pub fn same(a: &str, b: &str) -> bool {
    a == b || normalized(a) == normalized(b)
}

/// Reports whether an address means the same repository as one of others.
pub fn is_among(url: &str, others: &[String]) -> bool {
    // Most are written alike.
    if others.iter().any(|other| other == url) {
        return true;
    }
    let url = normalized(url);
    others.iter().any(|other| normalized(other) == url)
}

/// Reports whether two addresses are the same to Argo CD where it pairs them itself: a `ref` with its source, a repository
/// with its credentials ([source](https://github.com/argoproj/argo-cd/blob/master/util/git/git.go), `SameURL`).
pub fn paired_by_argo_cd(a: &str, b: &str) -> bool {
    !in_argo_cd(a).is_empty() && in_argo_cd(a) == in_argo_cd(b)
}

/// Returns an address as Argo CD compares it itself. Scheme (but `ssh`), user and port count there
/// ([source](https://github.com/argoproj/argo-cd/blob/master/util/git/git.go), `NormalizeGitURL`).
pub fn in_argo_cd(url: &str) -> String {
    let url = url.trim().to_lowercase();
    let url = match url.split_once('@') {
        Some((user, _)) if !user.contains([':', '/']) => url.replacen(':', "/", 1),
        _ => url,
    };
    let url = url.strip_suffix(".git").unwrap_or(&url);
    url.strip_prefix("ssh://").unwrap_or(url).to_owned()
}

/// Placeholder for the account in the URLs of the shipped Applications.
pub const PLACEHOLDER: &str = "OWNER";

/// Reports whether a URL still has the placeholder of the shipped Applications as one of its parts.
pub fn has_placeholder(url: &str) -> bool {
    url.split(['/', ':']).any(|part| part == PLACEHOLDER)
}

/// Returns the last part of the path: the repository's name.
pub fn repository_name(url: &str) -> String {
    let normalized = normalized(url);
    normalized.rsplit('/').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_to_write_one_repository() {
        let expected = "git.example.org/home/media";
        for url in [
            "https://git.example.org/home/media",
            "https://Git.example.org/home/media.git",
            "http://git.example.org/home/media.git/",
            "https://user:secret@git.example.org:443/home/media/",
            "https://user:p@ss@git.example.org/home/media",
            "https://git.example.org:8443/home/media",
            "ssh://git@git.example.org:22/home/media.git",
            "ssh://git@git.example.org:2222/home/media.git",
            "ssh://git@ssh.git.example.org:443/home/media",
            "git@git.example.org:home/media.git",
            "git@git.example.org:/home/media.git",
            "git.example.org:home/media",
            " https://git.example.org//home/media ",
        ] {
            assert_eq!(normalized(url), expected, "{url}");
        }
        for other in [
            "https://git.example.org/home/Media",
            "https://git.example.org/home/media/x",
            "https://git.example.org/home/media@v1",
            "https://git.example.com/home/media",
            "oci://git.example.org/home/media",
            "file:///git.example.org/home/media",
            "/git.example.org/home/media",
        ] {
            assert!(!same("https://git.example.org/home/media", other), "{other}");
        }
        assert!(same("file:///srv/media.git", "/srv/media"));
        assert!(same("ssh://git@[2001:db8::1]:22/a", "http://[2001:DB8::1]/a"));
        assert_eq!(repository_name("git@git.example.org:home/media.git"), "media");
        assert!(has_placeholder("git@github.com:OWNER/x.git") && !has_placeholder("https://github.com/NEWOWNER/x"));
    }

    #[test]
    fn argo_cd_pairs_by_scheme_user_and_port_too() {
        let https = "https://git.example.org/home/media";
        assert!(paired_by_argo_cd(https, "https://GIT.example.org/Home/media.git"));
        assert!(paired_by_argo_cd(
            "git@git.example.org:home/media",
            "ssh://git@git.example.org/home/media.git"
        ));
        for other in [
            "http://git.example.org/home/media",
            "https://me@git.example.org/home/media",
            "https://git.example.org:443/home/media",
            "git@git.example.org:home/media",
            "https://git.example.org/home/media/",
        ] {
            assert!(same(https, other) && !paired_by_argo_cd(https, other), "{other}");
        }
    }
}
