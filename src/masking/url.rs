//! Logins and tokens in URLs.

use std::ops::Range;

use super::{MASK, is_secret};

/// A part of a text that gives access to something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The user, and what stands before its `@`: what is left without it is a URL.
    Login(Range<usize>),
    /// The value of a parameter, or a token: something has to stand in its place.
    Token(Range<usize>),
}

impl Place {
    /// Returns the part's bytes.
    pub fn range(&self) -> Range<usize> {
        match self {
            Self::Login(range) | Self::Token(range) => range.clone(),
        }
    }
}

/// Parameters of a URL that choose what it leads to; the values of all others may be tokens.
const HARMLESS: &[&str] = &[
    "branch",
    "continue",
    "depth",
    "fieldselector",
    "labelselector",
    "limit",
    "page",
    "path",
    "ref",
    "revision",
    "service",
    "submodules",
    "tag",
    "timeout",
    "version",
    "watch",
];
/// Parameters that are tokens, beside the names that [`is_secret`] knows.
const TOKENS: &[&str] = &["auth", "code", "key", "sig", "signature"];

/// Returns the text without the logins of its URLs, and with a mask for the tokens in them.
pub fn without_logins(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for place in logins(text) {
        let range = place.range();
        out.push_str(&text[done..range.start]);
        if matches!(place, Place::Token(_)) {
            out.push_str(MASK);
        }
        done = range.end;
    }
    out.push_str(&text[done..]);
    out
}

/// Returns the logins and tokens of a text, in order: `user:password@`, with a scheme or without, the parameters of a URL
/// that do not choose what it leads to, and what stands behind `Bearer` or `Basic`.
pub fn logins(text: &str) -> Vec<Place> {
    let mut found = Vec::new();
    let mut at = 0;
    // One word after another: a login and its host stand in one.
    while at < text.len() {
        let rest = &text[at..];
        let blanks = rest.len() - rest.trim_start().len();
        let start = at + blanks;
        let length = text[start..].find(char::is_whitespace).unwrap_or(text.len() - start);
        let end = start + length;
        if is_scheme_of_header(text, start) {
            let until = text[start..end]
                .trim_end_matches(['"', '\'', '`', ',', ')', ']', '}'])
                .len()
                + start;
            if until - start >= 8 {
                found.push(Place::Token(start..until));
                at = end;
                continue;
            }
        }
        of_word(text, start..end, &mut found);
        at = end;
    }
    found
}

/// Reports whether the word before an offset is the scheme of a header `Authorization`.
fn is_scheme_of_header(text: &str, offset: usize) -> bool {
    let before = text[..offset].trim_end_matches([' ', '\t']);
    let start = before.rfind(|c: char| !c.is_ascii_alphabetic()).map_or(0, |at| at + 1);
    let header = before.is_char_boundary(start) && {
        let word = &before[start..];
        word.eq_ignore_ascii_case("bearer") || word == "Basic"
    };
    header && before.len() < offset
}

/// Finds the logins and tokens of one word.
fn of_word(text: &str, word: Range<usize>, found: &mut Vec<Place>) {
    let mut at = word.start;
    loop {
        let rest = &text[at..word.end];
        let scheme = rest.match_indices(':').find_map(|(colon, _)| {
            let mut signs = ["://", ":\\/\\/"].into_iter();
            let sign = signs.find(|sign| rest[colon..].starts_with(sign))?;
            Some((colon, sign.len()))
        });
        let Some((colon, length)) = scheme else {
            without_scheme(text, at..word.end, found);
            return;
        };
        without_scheme(text, at..at + colon, found);
        let authority = at + colon + length;
        // A list of URLs may stand in one word.
        let next = text[authority..word.end].find("://").map_or(word.end, |next| {
            let before = &text[authority..authority + next];
            authority
                + before
                    .trim_end_matches(|c: char| c.is_ascii_alphanumeric() || "+.-".contains(c))
                    .len()
        });
        let login = login_end(&text[authority..next]);
        if login > 0 {
            let shell = rest[..colon].ends_with("ssh");
            let user = text[authority..authority + login].find(':').filter(|_| shell);
            match user {
                Some(user) => found.push(Place::Login(authority + user..authority + login - 1)),
                None if shell => {}
                None => found.push(Place::Login(authority..authority + login)),
            }
        }
        parameters(text, authority + login..next, true, found);
        at = next;
    }
}

/// Returns the length of the login at the start of an authority, with its `@`; 0 where there is none. A password may have
/// any sign in it that its URL should have escaped.
fn login_end(text: &str) -> usize {
    let authority = text.find(['/', '?', '#', '"', '\'', '`', '\\']).unwrap_or(text.len());
    if let Some(at) = text[..authority].rfind('@') {
        // A slash behind it may still be the password's.
        let host = &text[at + 1..authority];
        let is_host = host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]%$".contains(&byte));
        if is_host && !host.is_empty() {
            return at + 1;
        }
    }
    // The colons of an IPv6 address are no port's.
    let address = text[..authority].strip_prefix('[').and_then(|inside| inside.find(']'));
    let behind = address.map_or(0, |end| end + 2);
    let Some((_, port)) = text[behind..authority].split_once(':') else {
        return text[..authority].rfind('@').map_or(0, |at| at + 1);
    };
    if !port.contains('@') && port.bytes().all(|byte| byte.is_ascii_digit()) && !port.is_empty() {
        return 0;
    }
    text.rfind('@').map_or(0, |at| at + 1)
}

/// Finds `user:password@host` without a scheme, and parameters that are tokens.
fn without_scheme(text: &str, range: Range<usize>, found: &mut Vec<Place>) {
    let part = &text[range.clone()];
    let mut from = 0;
    for (at, _) in part.match_indices('@') {
        let before = &part[from..at];
        let start = before
            .rfind(|c: char| "\"'`()<>=,;{}[]/".contains(c))
            .map_or(0, |sign| sign + 1);
        let login = &before[start..];
        let host = &part[at + 1..];
        let is_host = host.starts_with(|c: char| c.is_alphanumeric() || c == '[');
        let is_digest = host.starts_with("sha256:") || host.starts_with("sha512:");
        if let Some((user, password)) = login.split_once(':')
            && !user.is_empty()
            && !password.is_empty()
            && user != "mailto"
            && is_host
            && !is_digest
        {
            found.push(Place::Login(range.start + from + start..range.start + at + 1));
        }
        from = at + 1;
    }
    parameters(text, range.start + from..range.end, false, found);
}

/// Finds the values of parameters, `?name=value&name=value` and behind a `#`; outside of a URL only those whose names say
/// that they are tokens.
fn parameters(text: &str, range: Range<usize>, is_url: bool, found: &mut Vec<Place>) {
    let part = &text[range.clone()];
    let end = part.find(['"', '\'', '`', '<', '>']).unwrap_or(part.len());
    let Some(query) = part[..end]
        .find(['?', '#'])
        .or_else(|| part[..end].find('&').filter(|_| !is_url))
    else {
        return;
    };
    let mut start = query + 1;
    for one in part[query + 1..end].split(['&', ';', '#', '?']) {
        let here = start;
        start += one.len() + 1;
        let Some((name, value)) = one.split_once('=') else {
            continue;
        };
        let value = value.trim_end_matches([':', ',', '.', ')', ']', '}', '\\']);
        let lower = name.to_ascii_lowercase();
        let is_token = is_secret(name) || TOKENS.contains(&lower.as_str());
        if value.is_empty() || !is_token && (!is_url || HARMLESS.contains(&lower.as_str())) {
            continue;
        }
        let from = range.start + here + name.len() + 1;
        found.push(Place::Token(from..from + value.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_and_tokens_in_urls_are_left_out() {
        for (text, expected) in [
            (
                "failed to fetch https://u:p@x.example/i.yaml : 401",
                "failed to fetch https://x.example/i.yaml : 401",
            ),
            ("oci://a@b:1/c and http://u:p@d", "oci://b:1/c and http://d"),
            ("`https://ghp_1@x.example/a.git`", "`https://x.example/a.git`"),
            ("https://p@ss@x.example", "https://x.example"),
            ("https://me@dev.azure.com/me/a", "https://dev.azure.com/me/a"),
            ("https://me:hun/ter2@x.example/a", "https://x.example/a"),
            (
                "https://x.example/a?private_token=hunter2",
                "https://x.example/a?private_token=…",
            ),
            ("https://u:pa/ss@x.example/a", "https://x.example/a"),
            ("https://u:p?a#b'c\"d@x.example/a", "https://x.example/a"),
            ("\"https:\\/\\/u:p@x.example\\/a\"", "\"https:\\/\\/x.example\\/a\""),
            ("ssh://git:pw@x.example/a", "ssh://git@x.example/a"),
            ("postgres://u:p@db:5432/a", "postgres://db:5432/a"),
            ("'u:p@x.example/charts'", "'x.example/charts'"),
            ("dsn=u:p@tcp(db:3306)/a", "dsn=tcp(db:3306)/a"),
            (
                "https://a.example,https://u:p@b.example",
                "https://a.example,https://b.example",
            ),
            (
                "Get \"https://x.example/a?sig=abc%2F&se=1&ref=main\": EOF",
                "Get \"https://x.example/a?sig=…&se=…&ref=main\": EOF",
            ),
            (
                "https://x.example/a#access_token=abc",
                "https://x.example/a#access_token=…",
            ),
            ("/charts/a.tgz?token=abc, 404", "/charts/a.tgz?token=…, 404"),
            ("Authorization: Bearer abcdefgh.ij", "Authorization: Bearer …"),
        ] {
            assert_eq!(without_logins(text), expected);
        }
    }

    #[test]
    fn what_is_no_login_stays() {
        for text in [
            "",
            "://",
            "@",
            "mail me@x.example at https://y.example/?me@x",
            "mailto:me@x.example",
            "ssh://git@x.example/a",
            "git@x.example:home/a.git",
            "https://x.example:8080/a@b/c:d@e",
            "https://x.example/a?ref=v1.2&timeout=90s",
            "https://[::1]:6443/api",
            "https://[2001:db8::1]/a@b",
            "ghcr.io/a/b:1.2@sha256:0123",
            "execution error at (a/templates/a.yaml:3:4): set `a`",
            "a bearer of news",
        ] {
            assert_eq!(without_logins(text), text);
        }
    }
}
