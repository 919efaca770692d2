//! An AppProject of Argo CD: from where its Applications may come, where they may go, and what they may bring
//! ([source](https://github.com/argoproj/argo-cd/blob/master/pkg/apis/application/v1alpha1/app_project_types.go)).
//!
//! A refusal is certain: what Argo CD's answer depends on and the repository does not say is permitted here. That are the name of
//! a cluster that only its server is known of, patterns that Argo CD's libraries read in ways of their own, and whether a cluster
//! is the project's own (`permitOnlyProjectScopedClusters`).

use serde_json::Value;

use super::application::GROUP;
use super::clusters::Destination;
use super::glob::Glob;
use super::object::Object;
use super::repo_url;

/// The project of Applications that name none.
pub const DEFAULT: &str = "default";

/// A project with what belongs to it besides its own manifest.
#[derive(Clone, Debug)]
pub struct AppProject<'o> {
    object: &'o Object,
    sources: Vec<String>,
    destinations: Vec<Destination>,
}

/// Why a project refuses something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// Nothing in this list of its `spec` permits it.
    Missing(&'static str),
    /// This entry of this list forbids it.
    Denied(&'static str, String),
}

/// A kind of objects, and the name of one of them.
#[derive(Clone, Copy, Debug)]
pub struct Named<'k> {
    /// The API group, empty for the core group.
    pub group: &'k str,
    /// The kind.
    pub kind: &'k str,
    /// The object's name.
    pub name: &'k str,
}

impl<'o> AppProject<'o> {
    /// Returns the view, when the object is a project.
    pub fn new(object: &'o Object) -> Option<Self> {
        object.is(GROUP, "AppProject").then(|| Self {
            object,
            sources: Vec::new(),
            destinations: Vec::new(),
        })
    }

    /// Adds the address of a repository whose Secret names the project: it is one more of `sourceRepos`.
    pub fn add_source(&mut self, url: &str) {
        self.sources.push(url.to_owned());
    }

    /// Adds a namespace, or `*`, of a cluster whose Secret names the project: it is one more of `destinations`.
    pub fn add_destination(&mut self, server: &str, namespace: &str) {
        self.destinations.push(Destination {
            server: Some(server.to_owned()),
            name: None,
            namespace: namespace.to_owned(),
        });
    }

    /// Returns the project's name.
    pub fn name(&self) -> &'o str {
        self.object.name()
    }

    /// Returns why Applications may not have a source at this address (`IsSourcePermitted`).
    pub fn refuses_source(&self, url: &str) -> Option<Refusal> {
        let own = self.list("sourceRepos").filter_map(Value::as_str);
        let patterns = own.chain(self.sources.iter().map(String::as_str));
        let url = address(url);
        let mut is_permitted = false;
        for pattern in patterns {
            let compared = match pattern.strip_prefix('!') {
                Some(denied) => address(denied).map(|denied| format!("!{denied}")),
                None => address(pattern),
            };
            let pair = compared.as_deref().zip(url.as_deref());
            match pair.and_then(|(pattern, url)| matches(pattern, url, Some('/'))) {
                Some(false) if is_denial(pattern) => return Some(denied("sourceRepos", pattern)),
                Some(false) => {}
                None | Some(true) => is_permitted = true,
            }
        }
        (!is_permitted).then_some(Refusal::Missing("sourceRepos"))
    }

    /// Returns why Applications may not bring something to a namespace of a cluster (`IsDestinationPermitted`).
    pub fn refuses_destination(&self, wanted: &Destination) -> Option<Refusal> {
        let own = self.list("destinations").map(|entry| Destination {
            server: Some(text(entry, "server").to_owned()),
            name: Some(text(entry, "name").to_owned()),
            namespace: text(entry, "namespace").to_owned(),
        });
        let mut is_permitted = false;
        for entry in own.chain(self.destinations.iter().cloned()) {
            let answers = Answer::all(&entry, wanted);
            if answers.iter().all(|answer| *answer == Answer::Denied) {
                let written = |text| Some(text).filter(|text: &&str| !text.is_empty());
                let parts = [
                    ("server", entry.server.as_deref().and_then(written)),
                    ("name", entry.name.as_deref().and_then(written)),
                    ("namespace", Some(entry.namespace.as_str())),
                ];
                return Some(denied("destinations", &flow(&parts)));
            }
            is_permitted |= answers.contains(&Answer::Permitted);
        }
        (!is_permitted).then_some(Refusal::Missing("destinations"))
    }

    /// Returns why Applications may not bring an object (`IsGroupKindNamePermitted`).
    pub fn refuses_kind(&self, wanted: Named<'_>, is_namespaced: bool) -> Option<Refusal> {
        let (white, black) = match is_namespaced {
            true => ("namespaceResourceWhitelist", "namespaceResourceBlacklist"),
            false => ("clusterResourceWhitelist", "clusterResourceBlacklist"),
        };
        let matched = |entry: &Value| wanted.is_meant_by(entry, is_namespaced);
        let is_open = is_namespaced && self.value(white).is_none_or(Value::is_null);
        if !is_open && self.list(white).all(|entry| matched(entry) == Some(false)) {
            return Some(Refusal::Missing(white));
        }
        let mut black_entries = self.list(black);
        let entry = black_entries.find(|entry| matched(entry) == Some(true))?;
        let parts = ["group", "kind", "name"].map(|key| (key, entry.get(key).and_then(Value::as_str)));
        Some(denied(black, &flow(&parts)))
    }

    /// Reports whether an Application of this namespace may not name the project (`IsAppNamespacePermitted`).
    pub fn refuses_namespace(&self, namespace: &str, controller: &str) -> bool {
        let is_regex = |pattern: &str| pattern.len() > 2 && pattern.starts_with('/') && pattern.ends_with('/');
        let permits = |pattern: &str| is_regex(pattern) || glob(pattern, namespace, None) != Some(false);
        let mut patterns = self.list("sourceNamespaces").filter_map(Value::as_str);
        namespace != controller && !patterns.any(permits)
    }

    fn value(&self, key: &str) -> Option<&'o Value> {
        self.object.tree().get("spec")?.get(key)
    }

    fn list(&self, key: &str) -> impl Iterator<Item = &'o Value> + use<'o> {
        let list = self.value(key).and_then(Value::as_array);
        list.into_iter().flatten()
    }
}

/// What one of the `destinations` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Permitted,
    Denied,
    Nothing,
}

impl Answer {
    /// Returns what an entry may say of a destination: one answer, or more where something is not known.
    fn all(entry: &Destination, wanted: &Destination) -> Vec<Self> {
        let part = |pattern: &Option<String>, text: &Option<String>| {
            let pattern = pattern.as_deref().unwrap_or_default();
            // An entry that names no cluster of this kind matches none.
            match text.as_deref() {
                None if pattern.is_empty() => Some(false),
                None => None,
                Some(text) => matches(pattern, text, None),
            }
        };
        let name = part(&entry.name, &wanted.name);
        let server = part(&entry.server, &wanted.server);
        let namespace = matches(&entry.namespace, &wanted.namespace, None);
        let mut answers = Vec::new();
        for name in possible(name) {
            for server in possible(server) {
                answers.extend(possible(namespace).map(|namespace| Self::of(entry, [name, server, namespace])));
            }
        }
        answers
    }

    fn of(entry: &Destination, [name, server, namespace]: [bool; 3]) -> Self {
        let denies = |part: &Option<String>| part.as_deref().is_some_and(is_denial);
        if (server || name) && namespace {
            Self::Permitted
        } else if !name && denies(&entry.name)
            || !server && denies(&entry.server) && namespace
            || !namespace && is_denial(&entry.namespace) && server
        {
            Self::Denied
        } else {
            Self::Nothing
        }
    }
}

fn possible(answer: Option<bool>) -> impl Iterator<Item = bool> {
    [true, false]
        .into_iter()
        .filter(move |possible| answer.is_none_or(|answer| answer == *possible))
}

impl Named<'_> {
    /// Reports whether an entry of a list of kinds means it; `None` where only Argo CD knows.
    fn is_meant_by(self, entry: &Value, is_namespaced: bool) -> Option<bool> {
        let name = text(entry, "name");
        let has_name = !is_namespaced && !name.is_empty();
        let parts = [
            wildcard(text(entry, "kind"), self.kind),
            wildcard(text(entry, "group"), self.group),
            if has_name {
                wildcard(name, self.name)
            } else {
                Some(true)
            },
        ];
        if parts.contains(&Some(false)) {
            return Some(false);
        }
        (!parts.contains(&None)).then_some(true)
    }
}

fn denied(list: &'static str, entry: &str) -> Refusal {
    Refusal::Denied(list, entry.to_owned())
}

/// Returns an entry of a list as YAML in one line.
fn flow(parts: &[(&str, Option<&str>)]) -> String {
    let written = parts.iter().filter_map(|(key, text)| match *text {
        Some("") => Some(format!("{key}: ''")),
        text => Some(format!("{key}: {}", text?)),
    });
    format!("{{{}}}", written.collect::<Vec<_>>().join(", "))
}

fn text<'v>(entry: &'v Value, key: &str) -> &'v str {
    entry.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn is_denial(pattern: &str) -> bool {
    pattern.starts_with('!')
}

/// Reports whether a pattern matches, which a `!` turns round; `None` where only Argo CD's library knows.
fn matches(pattern: &str, text: &str, separator: Option<char>) -> Option<bool> {
    match pattern.strip_prefix('!') {
        Some(pattern) => glob(pattern, text, separator).map(|found| !found),
        None if pattern == "*" => Some(true),
        None => glob(pattern, text, separator),
    }
}

fn glob(pattern: &str, text: &str, separator: Option<char>) -> Option<bool> {
    let glob = Glob::separated(pattern, separator).ok()?;
    Some(glob.matches(text))
}

/// Reports whether a pattern of Go's `path/filepath` matches a name; `None` for one with classes or escapes.
fn wildcard(pattern: &str, name: &str) -> Option<bool> {
    if pattern.contains(['[', '\\']) || name.contains('/') {
        return None;
    }
    let Some((before, rest)) = pattern.split_once('*') else {
        let is_same = |(wanted, found): (char, char)| wanted == '?' || wanted == found;
        let is_long = pattern.chars().count() == name.chars().count();
        return Some(is_long && pattern.chars().zip(name.chars()).all(is_same));
    };
    let length = before.chars().count();
    let mut chars = name.chars();
    let start: String = chars.by_ref().take(length).collect();
    if wildcard(before, &start) != Some(true) {
        return Some(false);
    }
    let left = chars.as_str();
    let mut ends = left.char_indices().map(|(at, _)| at).chain([left.len()]);
    Some(ends.any(|at| wildcard(rest, &left[at..]) == Some(true)))
}

/// Returns an address as Argo CD compares it; `None` where Go may write it otherwise than it is, or refuse it
/// ([source](https://pkg.go.dev/net/url#URL.String)).
fn address(url: &str) -> Option<String> {
    let url = repo_url::in_argo_cd(url);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.~/:@*?!$&'()+,;=".contains(c);
    let is_name = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "-._~:".contains(c));
    let is_scheme = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    };
    if !url.chars().all(is_plain) {
        return None;
    }
    let (scheme, rest) = url.split_once("://").unwrap_or(("ssh", &url));
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let has_host = url.contains("://") || authority.contains('@');
    if !has_host {
        // What stands before a colon is a scheme to Go.
        let is_read = authority.split_once(':').is_none_or(|(scheme, _)| is_scheme(scheme));
        return is_read.then_some(url);
    }
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let port = host.split_once(':').map_or("", |(_, port)| port);
    let is_read = is_scheme(scheme) && is_name(user) && port.chars().all(|c| c.is_ascii_digit());
    is_read.then_some(url)
}
