//! Repository URLs: when two of them mean the same repository.

/// Returns the parts of a URL that name the repository: host and path, without scheme, user, port of the scheme, `.git`
/// and trailing slashes; the host in lower case. Argo CD compares in the same spirit
/// ([source](https://github.com/argoproj/argo-cd/blob/master/util/git/git.go), `NormalizeGitURL`).
pub fn normalized(url: &str) -> String {
    let url = url.trim();
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    if scheme.is_empty() && (rest.starts_with('/') || rest.starts_with('.')) || scheme == "file" {
        return format!("file://{}", trim_path(rest));
    }
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let (host, path) = match (scheme, rest.split_once('/'), rest.split_once(':')) {
        ("", _, Some((host, path))) if !host.contains('/') => (host, path),
        (_, Some((host, path)), _) => (host, path),
        _ => (rest, ""),
    };
    let host = host.to_ascii_lowercase();
    let host = match scheme {
        "https" => host.strip_suffix(":443").unwrap_or(&host),
        "http" => host.strip_suffix(":80").unwrap_or(&host),
        "ssh" => host.strip_suffix(":22").unwrap_or(&host),
        _ => &host,
    };
    format!("{host}/{}", trim_path(path).trim_start_matches('/'))
}

fn trim_path(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    path.strip_suffix(".git").unwrap_or(path)
}

/// Reports whether two URLs mean the same repository.
pub fn same(a: &str, b: &str) -> bool {
    normalized(a) == normalized(b)
}

/// Placeholder for the account in the URLs of the shipped Applications.
pub const PLACEHOLDER: &str = "OWNER";

/// Reports whether a URL still has the placeholder as one of its parts.
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
            "https://user:secret@git.example.org:443/home/media/",
            "ssh://git@git.example.org:22/home/media.git",
            "git@git.example.org:home/media.git",
        ] {
            assert_eq!(normalized(url), expected, "{url}");
        }
        assert!(!same(
            "https://git.example.org/home/media",
            "https://git.example.org/home/Media"
        ));
        assert!(same("file:///srv/media.git", "/srv/media"));
        assert_eq!(repository_name("git@git.example.org:home/media.git"), "media");
        assert!(has_placeholder("git@github.com:OWNER/x.git") && !has_placeholder("https://github.com/NEWOWNER/x"));
    }
}
