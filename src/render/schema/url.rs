//! References of a JSON schema, resolved against a base as Go resolves them: helm decides by the result whether it reads a
//! file or asks the network ([source](https://pkg.go.dev/net/url#URL.ResolveReference)).

/// An absolute URL without a fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    scheme: String,
    rest: Rest,
    query: Option<String>,
    /// Whether Go writes the URL as it was read. Two URLs of which one is not may differ in Go, however equal they are
    /// here.
    is_plain: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Rest {
    /// What follows the scheme of a URL such as `urn:a:b`.
    Opaque(String),
    /// A host and a path; no host in `file:/a`, an empty one in `file:///a`.
    Path { host: Option<String>, path: String },
}

impl Url {
    /// Returns the URL of the schema of a chart, whatever chart it is in.
    pub(super) fn of_root() -> Self {
        Self::read("file:///values.schema.json", None)
    }

    /// Reads a reference without a fragment. One without a base and a scheme has the scheme ``.
    pub(super) fn read(reference: &str, base: Option<&Url>) -> Self {
        let (scheme, rest) = split_scheme(reference);
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query.to_owned())),
            None => (rest, None),
        };
        let is_plain = is_plain(rest);
        if let Some(scheme) = scheme {
            let rest = if rest.starts_with('/') {
                let (host, path) = split_host(rest);
                Rest::Path {
                    host: host.map(str::to_owned),
                    path: resolved(path, ""),
                }
            } else {
                Rest::Opaque(rest.to_owned())
            };
            // What Go writes of `file:/a` depends on how it came by it.
            let has_host = !matches!(rest, Rest::Path { host: None, .. });
            return Self {
                scheme: scheme.to_ascii_lowercase(),
                rest,
                query,
                is_plain: is_plain && has_host,
            };
        }
        Self::relative(rest, query, base, is_plain && base.is_none_or(|base| base.is_plain))
    }

    fn relative(reference: &str, query: Option<String>, base: Option<&Url>, is_plain: bool) -> Self {
        let scheme = base.map(|base| base.scheme.clone()).unwrap_or_default();
        // Go takes three slashes for a path.
        let (host, path) = match reference.starts_with("///") {
            true => (None, reference),
            false => split_host(reference),
        };
        let at = |host: Option<&str>, path: String, query: Option<String>| Self {
            scheme: scheme.clone(),
            rest: Rest::Path {
                host: host.map(str::to_owned),
                path,
            },
            query,
            is_plain,
        };
        if host.is_some_and(|host| !host.is_empty()) {
            return at(host, resolved(path, ""), query);
        }
        let query = match base {
            Some(base) if path.is_empty() && query.is_none() => base.query.clone().filter(|query| !query.is_empty()),
            _ => query,
        };
        match base.map(|base| &base.rest) {
            Some(Rest::Opaque(opaque)) => Self {
                rest: Rest::Opaque(opaque.clone()),
                ..at(None, String::new(), query)
            },
            Some(Rest::Path { host, path: base }) => {
                at(Some(host.as_deref().unwrap_or_default()), resolved(base, path), query)
            }
            None => at(None, resolved(path, ""), query),
        }
    }

    /// Returns the scheme in lower case.
    pub(super) fn scheme(&self) -> &str {
        &self.scheme
    }

    /// Reports whether Go takes the two for the same; it may do so where this does not.
    pub(super) fn is_surely(&self, other: &Url) -> bool {
        self.is_plain && other.is_plain && self == other
    }

    /// Reports whether Go resolves the empty reference to this URL itself. It drops an empty query, and writes an empty
    /// host where there was none.
    pub(super) fn is_stable(&self) -> bool {
        !matches!(self.rest, Rest::Path { host: None, .. }) && self.query.as_deref() != Some("")
    }

    /// Reports whether there is a query, be it an empty one.
    pub(super) fn has_query(&self) -> bool {
        self.query.is_some()
    }

    /// Returns host and path, where the URL is on the network.
    pub(super) fn on_network(&self) -> Option<(&str, &str)> {
        let is_http = matches!(self.scheme.as_str(), "http" | "https");
        match &self.rest {
            _ if !is_http => None,
            Rest::Opaque(path) => Some(("", path)),
            Rest::Path { host, path } => Some((host.as_deref().unwrap_or_default(), path)),
        }
    }

    /// Returns the URL for a message: without a login, and without a query, which may hold one.
    pub(super) fn shown(&self) -> String {
        let scheme = &self.scheme;
        match &self.rest {
            Rest::Opaque(rest) => format!("{scheme}:{}", rest.rsplit('@').next().unwrap_or_default()),
            Rest::Path { host: None, path } => format!("{scheme}:{path}"),
            Rest::Path { host: Some(host), path } => {
                format!("{scheme}://{}{path}", host.rsplit('@').next().unwrap_or_default())
            }
        }
    }
}

/// Splits the scheme off, as Go does: it begins with a letter, and a character that no scheme has ends the search.
fn split_scheme(reference: &str) -> (Option<&str>, &str) {
    let end = reference.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '-' | '.'));
    match end {
        Some(end) if reference.starts_with(|c: char| c.is_ascii_alphabetic()) && reference[end..].starts_with(':') => {
            (Some(&reference[..end]), &reference[end + 1..])
        }
        _ => (None, reference),
    }
}

/// Splits `//host` off a path.
fn split_host(reference: &str) -> (Option<&str>, &str) {
    match reference.strip_prefix("//") {
        Some(rest) => {
            let end = rest.find('/').unwrap_or(rest.len());
            (Some(&rest[..end]), &rest[end..])
        }
        None => (None, reference),
    }
}

/// Reports whether Go writes what it read, byte by byte: it decodes and encodes other characters.
fn is_plain(rest: &str) -> bool {
    let bytes = rest.as_bytes();
    let is_hex = |index: usize| bytes.get(index).is_some_and(u8::is_ascii_hexdigit);
    (0..bytes.len()).all(|index| match bytes[index] {
        b'%' => is_hex(index + 1) && is_hex(index + 2),
        byte => byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&byte),
    })
}

/// Returns a path relative to another one, without `.` and `..`.
fn resolved(base: &str, reference: &str) -> String {
    let whole = match reference {
        "" => base.to_owned(),
        _ if reference.starts_with('/') => reference.to_owned(),
        _ => {
            let folder = base.rfind('/').map_or("", |slash| &base[..=slash]);
            format!("{folder}{reference}")
        }
    };
    if whole.is_empty() {
        return whole;
    }
    let (mut out, mut is_first, mut last) = (String::from("/"), true, "");
    for part in whole.split('/') {
        last = part;
        match part {
            "." => is_first = false,
            ".." => {
                let end = out[1..].rfind('/').map_or(1, |slash| slash + 1);
                out.truncate(end);
                is_first = out.len() == 1;
            }
            _ => {
                if !is_first {
                    out.push('/');
                }
                out.push_str(part);
                is_first = false;
            }
        }
    }
    if matches!(last, "." | "..") {
        out.push('/');
    }
    if out.len() > 1 && out[1..].starts_with('/') {
        out.remove(0);
    }
    out
}

/// Decodes a fragment; bytes that are not UTF-8 become characters that no name has.
pub(super) fn decoded(fragment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first != b'%' {
            bytes.push(*first);
            rest = after;
            continue;
        }
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok())?;
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        bytes.push(u8::from_str_radix(digits, 16).ok().filter(|_| is_hex)?);
        rest = &after[2..];
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_has_the_scheme_of_its_base_or_its_own() {
        let root = Url::of_root();
        let web = Url::read("https://u:p@a.example/x/y.json?t=1", Some(&root));
        for (reference, base, shown) in [
            ("", &root, "file:///values.schema.json"),
            ("a.json", &root, "file:///a.json"),
            ("../../a.json", &root, "file:///a.json"),
            ("//host/a", &root, "file://host/a"),
            ("///a", &root, "file://///a"),
            ("FILE:/a", &root, "file:/a"),
            ("file:a", &root, "file:a"),
            ("c:\\a.json", &root, "c:\\a.json"),
            ("\\\\host\\a", &root, "file:///\\\\host\\a"),
            ("z.json", &web, "https://a.example/x/z.json"),
            ("../z.json", &web, "https://a.example/z.json"),
            ("/z.json", &web, "https://a.example/z.json"),
            ("//b.example/z", &web, "https://b.example/z"),
            ("?q", &web, "https://a.example/x/y.json"),
            ("\\z", &web, "https://a.example/x/\\z"),
            ("file:///z", &web, "file:///z"),
            ("HTTP://B/z", &root, "http://B/z"),
        ] {
            assert_eq!(Url::read(reference, Some(base)).shown(), shown, "{reference}");
        }
        let urn = Url::read("urn:a:b", Some(&root));
        assert!(Url::read("", Some(&urn)).is_surely(&urn));
    }

    #[test]
    fn only_what_go_writes_as_it_stands_is_surely_the_same() {
        let root = Url::of_root();
        let read = |reference: &str| Url::read(reference, Some(&root));
        assert!(read("a.json").is_surely(&read("./a.json")));
        assert!(read("%41.json").is_surely(&read("%41.json")));
        for (one, other) in [
            ("A.json", "%41.json"),
            ("a b", "a b"),
            ("ä", "ä"),
            ("a", "a?"),
            ("a", "a?b"),
        ] {
            assert!(!read(one).is_surely(&read(other)), "{one} {other}");
        }
    }
}
