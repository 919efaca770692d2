//! What a kustomization may name that is elsewhere: a file by HTTP, or a folder of a git repository, in kustomize's own spelling
//! ([source](https://github.com/kubernetes-sigs/kustomize/blob/master/api/internal/git/repospec.go)).

/// The schemes of a repository's URL.
const SCHEMES: [&str; 4] = ["ssh://", "https://", "http://", "file://"];
/// The scheme of a repository on disk, whose whole path is that of the repository.
const FILE: &str = "file://";
/// The parts of a path that are the repository where nothing says so: owner and name, as at GitHub.
const PARTS: usize = 2;

/// A folder of a git repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteBase {
    /// The URL of the repository, as git takes it.
    pub url: String,
    /// The folder in it; empty for all of it.
    pub path: String,
    /// The branch, tag or commit; empty for the default branch.
    pub reference: String,
    /// Whether submodules are fetched.
    pub submodules: bool,
    /// Whether the URL itself says what is the repository in it: by `//`, `.git` or `_git`, or by having no path that HTTP
    /// could ask for.
    pub is_explicit: bool,
}

/// Reports whether kustomize asks HTTP for a name first.
pub fn is_url(name: &str) -> bool {
    strip_prefix(name, "http://")
        .or_else(|| strip_prefix(name, "https://"))
        .is_some()
}

impl RemoteBase {
    /// Reads a name as kustomize does; `None` for one that is a path.
    pub fn parse(name: &str) -> Option<Self> {
        if name.starts_with('/') {
            return None;
        }
        let (rest, query) = name.split_once('?').unwrap_or((name, ""));
        let (host, rest) = host(strip_prefix(rest, "git::").unwrap_or(rest))?;
        let marked = marked(&rest);
        let is_explicit = marked.is_some() || !is_url(&host);
        let (repository, path) = marked.or_else(|| by_length(&host, &rest))?;
        let path = path.trim_start_matches('/');
        if repository.is_empty() || leads_out(path) {
            return None;
        }
        let query = Query::read(query);
        // Nobody names the version of a file so, but for a host that serves one by its name.
        let is_explicit = is_explicit || !query.reference.is_empty() && !is_manifest(path);
        Some(Self {
            url: format!("{host}{repository}"),
            path: path.to_owned(),
            reference: query.reference,
            submodules: query.submodules,
            is_explicit,
        })
    }

    /// Reports whether it names one commit for good.
    pub fn is_commit(&self) -> bool {
        is_commit(&self.reference)
    }

    /// Reports whether it names something that moves, as far as its name tells: the default branch, or a name without a number.
    pub fn moves(&self) -> bool {
        moves(&self.reference)
    }
}

fn is_manifest(path: &str) -> bool {
    [".yaml", ".yml", ".json"].iter().any(|ending| path.ends_with(ending)) || path.ends_with("/raw")
}

/// Reports whether a name is the whole name of a commit.
pub fn is_commit(reference: &str) -> bool {
    matches!(reference.len(), 40 | 64) && reference.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Reports whether the name of a branch, tag or commit is one that moves: versions and dates have numbers.
fn moves(reference: &str) -> bool {
    let name = strip_prefix(reference, "refs/tags/").map_or(reference, |_| "1");
    name.starts_with("refs/heads/") || !is_commit(name) && !name.contains(|c: char| c.is_ascii_digit())
}

/// Returns the branch in the URL of a file, where a well-known host of repositories serves it and it moves.
pub fn moving_part(url: &str) -> Option<&str> {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    if path.contains("/releases/latest/download/") {
        return Some("latest");
    }
    let (_, rest) = path.split_once("://")?;
    let parts: Vec<&str> = rest.split('/').collect();
    let at = match parts.as_slice() {
        ["raw.githubusercontent.com", _, _, "refs", "heads", ..] => 5,
        ["raw.githubusercontent.com", _, _, "refs", "tags", ..] => return None,
        ["raw.githubusercontent.com", _, _, _, ..] => 3,
        ["github.com", _, _, "raw" | "blob", _, ..] => 4,
        _ => parts.windows(2).position(|two| two == ["-", "raw"])? + 2,
    };
    parts.get(at).copied().filter(|name| at == 5 || moves(name))
}

/// Splits the host off, with its scheme and its user.
fn host(text: &str) -> Option<(String, String)> {
    let scheme = SCHEMES.into_iter().find(|scheme| strip_prefix(text, scheme).is_some());
    let text = scheme.map_or(text, |scheme| &text[scheme.len()..]);
    let user_end = text
        .find('@')
        .filter(|end| is_user(&text[..*end]))
        .map_or(0, |end| end + 1);
    let (user, text) = text.split_at(user_end);
    let is_github = ["github.com/", "github.com:"]
        .iter()
        .any(|host| strip_prefix(text, host).is_some());
    let is_scp = scheme.is_none() && (!user.is_empty() || is_github);
    if scheme.is_none() && !is_scp {
        return None;
    }
    if scheme == Some(FILE) {
        return Some((FILE.to_owned(), format!("{user}{text}")));
    }
    let slash = text.find('/');
    let colon = text.find(':').filter(|colon| is_scp && *colon > 0);
    let end = match (slash, colon) {
        (Some(slash), Some(colon)) => Some(slash.min(colon)),
        (slash, colon) => slash.or(colon),
    };
    let (host, rest) = text.split_at(end.map_or(text.len(), |end| end + 1));
    let host = match (is_github, scheme) {
        (true, Some("ssh://")) => format!("{user}github.com:"),
        (true, _) if !user.is_empty() => format!("{user}github.com:"),
        (true, _) => "https://github.com/".to_owned(),
        (false, scheme) => format!("{}{user}{host}", scheme.unwrap_or_default()),
    };
    (!text[..end.unwrap_or(text.len())].is_empty()).then(|| (host, rest.to_owned()))
}

fn is_user(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// Splits a path where it says what is the repository.
fn marked(path: &str) -> Option<(&str, &str)> {
    if let Some(at) = path.find("_git/") {
        let name = at + "_git/".len();
        let end = path[name..].find('/').map_or(path.len(), |end| name + end);
        return Some(path.split_at(end));
    }
    if let Some(split) = path.split_once("//") {
        return Some(split);
    }
    path.find(".git").map(|at| path.split_at(at + ".git".len()))
}

/// Splits a path where the repository's name ends at hosts such as GitHub.
fn by_length<'p>(host: &str, path: &'p str) -> Option<(&'p str, &'p str)> {
    if host.starts_with(FILE) {
        return Some((path, ""));
    }
    let mut slashes = path.match_indices('/').map(|(at, _)| at);
    let end = slashes.nth(PARTS - 1);
    match end {
        Some(end) => Some(path.split_at(end)),
        None => path.contains('/').then_some((path, "")),
    }
}

fn leads_out(path: &str) -> bool {
    let mut depth = 0i32;
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        depth += if part == ".." { -1 } else { 1 };
        if depth < 0 {
            return true;
        }
    }
    false
}

/// What stands behind the `?`. Kustomize's `timeout` is not read: all that a render fetches has the render's own deadline.
struct Query {
    reference: String,
    submodules: bool,
}

impl Query {
    fn read(text: &str) -> Self {
        let get = |name: &str| {
            let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
            pairs
                .clone()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| decoded(value, true))
        };
        let given = |name| get(name).filter(|value| !value.is_empty());
        let submodules =
            given("submodules").map(|text| !matches!(text.as_str(), "0" | "f" | "F" | "false" | "FALSE" | "False"));
        Self {
            reference: given("ref").or_else(|| get("version")).unwrap_or_default(),
            submodules: submodules.unwrap_or(true),
        }
    }
}

/// Returns the text of a part of a URL, as it is without escapes; a query has `+` for spaces.
pub fn decoded(text: &str, is_query: bool) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        let hex = |at: usize| char::from(*behind.get(at)?).to_digit(16);
        match (byte, hex(0), hex(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.extend(u8::try_from(high * 16 + low));
                rest = &behind[2..];
            }
            (b'+', ..) if is_query => bytes.push(b' '),
            _ => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Returns the rest behind a beginning, in any case.
fn strip_prefix<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let start = text.get(..prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(name: &str) -> Option<(String, String, String)> {
        let base = RemoteBase::parse(name)?;
        Some((base.url, base.path, base.reference))
    }

    #[test]
    fn kustomizes_spellings_are_read() {
        for (name, url, path, reference) in [
            ("github.com/o/r", "https://github.com/o/r", "", ""),
            (
                "github.com/o/r//deploy/base?ref=v1.2.0",
                "https://github.com/o/r",
                "deploy/base",
                "v1.2.0",
            ),
            (
                "github.com/o/r/deploy?ref=main",
                "https://github.com/o/r",
                "deploy",
                "main",
            ),
            (
                "https://github.com/o/r.git//a?version=v1",
                "https://github.com/o/r.git",
                "a",
                "v1",
            ),
            (
                "https://github.com/o/r.git/a/b?ref=x&timeout=90s",
                "https://github.com/o/r.git",
                "a/b",
                "x",
            ),
            ("git@github.com:o/r.git//a?ref=v1", "git@github.com:o/r.git", "a", "v1"),
            ("git@github.com:o/r", "git@github.com:o/r", "", ""),
            ("ssh://git@github.com/o/r//a", "git@github.com:o/r", "a", ""),
            (
                "ssh://git@git.example:2222/o/r.git//a",
                "ssh://git@git.example:2222/o/r.git",
                "a",
                "",
            ),
            (
                "git::https://git.example/o/r.git//a",
                "https://git.example/o/r.git",
                "a",
                "",
            ),
            (
                "https://git.example/g/s/r.git//a",
                "https://git.example/g/s/r.git",
                "a",
                "",
            ),
            ("https://git.example/o/r/a/b", "https://git.example/o/r", "a/b", ""),
            (
                "https://dev.azure.com/o/p/_git/r/a?ref=x",
                "https://dev.azure.com/o/p/_git/r",
                "a",
                "x",
            ),
            ("HTTPS://GitHub.com/o/r", "https://github.com/o/r", "", ""),
            ("git@git.example:o/r.git", "git@git.example:o/r.git", "", ""),
            ("file:///srv/r.git//a", "file:///srv/r.git", "a", ""),
            (
                "https://github.com/o/r?ref=a%2Fb+c",
                "https://github.com/o/r",
                "",
                "a/b c",
            ),
        ] {
            let expected = (url.to_owned(), path.to_owned(), reference.to_owned());
            assert_eq!(parts(name), Some(expected), "{name}");
        }
    }

    #[test]
    fn paths_are_no_repositories() {
        for name in [
            "../base",
            "base",
            "a.yaml",
            "/srv/r.git",
            "./github.com/o/r",
            "git.example/o/r",
            "https://x.example",
            "github.com/o/r//../x",
        ] {
            assert_eq!(parts(name), None, "{name}");
        }
    }

    #[test]
    fn the_query_has_defaults() {
        let base = |query: &str| RemoteBase::parse(&format!("github.com/o/r?{query}")).unwrap();
        assert!(base("").submodules && base("submodules=x").submodules);
        assert!(!base("submodules=false").submodules);
    }

    #[test]
    fn what_moves_is_told_by_its_name() {
        for (name, expected) in [
            ("", true),
            ("main", true),
            ("HEAD", true),
            ("refs/heads/v1", true),
            ("v1.2.3", false),
            ("refs/tags/x", false),
        ] {
            assert_eq!(moves(name), expected, "{name}");
        }
        assert!(!moves(&"a".repeat(40)), "letters alone may be a commit");
        for (url, expected) in [
            ("https://raw.githubusercontent.com/o/r/main/a.yaml", Some("main")),
            ("https://raw.githubusercontent.com/o/r/v1.2/a.yaml", None),
            ("https://raw.githubusercontent.com/o/r/refs/heads/v2/a.yaml", Some("v2")),
            ("https://raw.githubusercontent.com/o/r/refs/tags/x/a.yaml", None),
            ("https://github.com/o/r/releases/latest/download/a.yaml", Some("latest")),
            ("https://github.com/o/r/releases/download/v1/a.yaml", None),
            ("https://gitlab.example/g/p/-/raw/master/a.yaml", Some("master")),
            ("https://x.example/a.yaml", None),
        ] {
            assert_eq!(moving_part(url), expected, "{url}");
        }
    }
}
