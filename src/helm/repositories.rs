//! Reads from helm's own configuration files where dependencies come from, and with which login.
//!
//! Helm gets a repository configuration of its own, in its temporary folder, with nothing but what the chart names: helm
//! fetches the index of every repository in that file and fails when one of them is not there, and it may write the file.
#![expect(clippy::disallowed_methods, reason = "the adapter to helm")]

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use etcetera::base_strategy::{BaseStrategy, choose_native_strategy};
use serde_json::{Value, json};

use crate::failure::HintExt;
use crate::yaml;

/// Environment variable of helm: the file with repositories and their logins
/// ([source](https://helm.sh/docs/helm/helm/)).
const REPOSITORIES_VARIABLE: &str = "HELM_REPOSITORY_CONFIG";
/// Environment variable of helm: the file with the logins of registries, in Docker's format.
const REGISTRIES_VARIABLE: &str = "HELM_REGISTRY_CONFIG";
/// Environment variable of Docker: the folder whose `config.json` helm also reads.
const DOCKER_VARIABLE: &str = "DOCKER_CONFIG";
/// Environment variable: registries that are reached without TLS, `host[:port]`, separated by commas.
pub const PLAIN_HTTP_VARIABLE: &str = "HOMELAB_PLAIN_HTTP_REGISTRIES";

/// The repositories that one chart's dependencies come from.
pub(super) struct Repositories {
    /// Entries of helm's repository configuration.
    entries: Vec<Value>,
    /// Set when one of them is reached without TLS: helm has one flag for all of a chart's.
    pub(super) is_plain_http: bool,
}

impl Repositories {
    /// Returns the repositories with what the user's configuration has for them, and without a login where it has none.
    ///
    /// # Errors
    /// When the configuration is there and cannot be read.
    pub(super) fn of(named: &[&str]) -> Result<Self> {
        let configured = match std::fs::read_to_string(configuration(REPOSITORIES_VARIABLE, &["repositories.yaml"])) {
            Ok(text) => read(&text)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => bail!(
                "cannot read helm's repository configuration (`{REPOSITORIES_VARIABLE}`): {}",
                error.kind()
            ),
        };
        let plain = std::env::var(PLAIN_HTTP_VARIABLE).unwrap_or_default();
        Ok(Self {
            entries: among(&configured, named),
            is_plain_http: is_any_at(named, &plain),
        })
    }

    /// Returns the URL of a repository, which may be an alias.
    pub(super) fn url<'r>(&'r self, repository: &'r str) -> &'r str {
        let named = alias(repository).and_then(|name| self.entries.iter().find(|entry| entry["name"] == name));
        named.and_then(|entry| entry["url"].as_str()).unwrap_or(repository)
    }

    /// Returns the name of the repository, where there is one.
    pub(super) fn only_name(&self) -> Option<&str> {
        match self.entries.as_slice() {
            [entry] => entry["name"].as_str(),
            _ => None,
        }
    }

    /// Writes helm's file, which has passwords in it, and the folder that it is in.
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let text = json!({"apiVersion": "v1", "repositories": self.entries}).to_string();
        let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        folder
            .and_then(|()| std::fs::write(path, text))
            .context("cannot write a temporary file")
    }

    /// Returns the users and passwords, which no message may show.
    pub(super) fn logins(&self) -> impl Iterator<Item = String> {
        let fields = self
            .entries
            .iter()
            .flat_map(|entry| [&entry["username"], &entry["password"]]);
        fields.filter_map(|field| field.as_str().map(str::to_owned))
    }
}

/// Returns the variables with which helm finds the user's logins at registries.
pub(super) fn registry_variables() -> impl Iterator<Item = (OsString, OsString)> {
    let registries = configuration(REGISTRIES_VARIABLE, &["registry", "config.json"]);
    let home = || std::env::home_dir().map(|home| home.join(".docker").into_os_string());
    let docker = std::env::var_os(DOCKER_VARIABLE).or_else(home);
    let variables = [
        (REGISTRIES_VARIABLE, Some(registries.into_os_string())),
        (DOCKER_VARIABLE, docker),
    ];
    variables
        .into_iter()
        .filter_map(|(name, value)| Some((name.into(), value?)))
}

/// Returns the variable with which this program finds the user's repositories in another environment.
pub(super) fn repository_variable() -> (OsString, OsString) {
    let file = configuration(REPOSITORIES_VARIABLE, &["repositories.yaml"]);
    (REPOSITORIES_VARIABLE.into(), file.into_os_string())
}

/// Returns the entries of the repositories, each once.
fn among(configured: &[Value], named: &[&str]) -> Vec<Value> {
    let mut entries: Vec<Value> = Vec::new();
    for repository in named {
        let entry = match (alias(repository), is_http(repository)) {
            (Some(name), _) => configured.iter().find(|entry| entry["name"] == name).cloned(),
            (None, true) => {
                let known = |entries: &[Value]| entries.iter().find(|entry| is_at(entry, repository)).cloned();
                let unknown = || json!({"name": format!("dependency-{}", entries.len()), "url": repository});
                Some(known(&entries).or_else(|| known(configured)).unwrap_or_else(unknown))
            }
            (None, false) => None,
        };
        entries.extend(entry.filter(|entry| !entries.contains(entry)));
    }
    entries
}

fn is_any_at(repositories: &[&str], hosts: &str) -> bool {
    let hosts: Vec<&str> = hosts.split(',').map(str::trim).collect();
    let host = |repository: &&str| {
        let rest = repository.strip_prefix("oci://")?;
        rest.split('/')
            .next()
            .filter(|host| !host.is_empty())
            .map(str::to_owned)
    };
    repositories
        .iter()
        .filter_map(host)
        .any(|host| hosts.contains(&host.as_str()))
}

/// Reports whether helm reaches a repository over the network.
pub(super) fn is_remote(repository: &str) -> bool {
    !repository.is_empty() && !repository.starts_with("file://")
}

fn is_http(repository: &str) -> bool {
    repository.starts_with("https://") || repository.starts_with("http://")
}

/// Returns the name in `@name` or `alias:name`.
pub(super) fn alias(repository: &str) -> Option<&str> {
    repository
        .strip_prefix('@')
        .or_else(|| repository.strip_prefix("alias:"))
}

fn is_at(entry: &Value, url: &str) -> bool {
    let known = entry["url"].as_str().map(|known| known.trim_end_matches('/'));
    known == Some(url.trim_end_matches('/'))
}

/// Returns the path of one of helm's files: the path in its variable, otherwise a path in its configuration folder
/// ([source](https://helm.sh/docs/helm/helm/)).
fn configuration(variable: &str, below: &[&str]) -> PathBuf {
    let set = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    set(variable).unwrap_or_else(|| {
        let folder = set("HELM_CONFIG_HOME").or_else(|| set("XDG_CONFIG_HOME").map(|folder| folder.join("helm")));
        let native = || Some(choose_native_strategy().ok()?.config_dir().join("helm"));
        let folder = folder.or_else(native);
        below
            .iter()
            .fold(folder.unwrap_or_default(), |folder, name| folder.join(name))
    })
}

fn read(text: &str) -> Result<Vec<Value>> {
    let what = "helm's repository configuration";
    let tree = yaml::value(text).map_err(|error| {
        anyhow!("{what} cannot be read: {error}").hint(format!("check the file that `{REPOSITORIES_VARIABLE}` names"))
    })?;
    match tree.as_ref().map(|tree| &tree["repositories"]) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(entries)) => Ok(entries.clone()),
        Some(_) => Err(anyhow!("{what} has no list of `repositories`")
            .hint(format!("check the file that `{REPOSITORIES_VARIABLE}` names"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIGURED: &str = "apiVersion: ''\nrepositories:\n- {name: own, url: https://c.example/own/, username: u, password: p, caFile: /ca}\n- {name: other, url: https://o.example}\n";

    fn of(named: &[&str]) -> Repositories {
        Repositories {
            entries: among(&read(CONFIGURED).unwrap(), named),
            is_plain_http: false,
        }
    }

    #[test]
    fn only_what_the_chart_names_is_taken_and_each_once() {
        let own =
            json!({"name": "own", "url": "https://c.example/own/", "username": "u", "password": "p", "caFile": "/ca"});
        for (named, expected) in [
            (&["@own"][..], vec![own.clone()]),
            (&["alias:own", "https://c.example/own", "@own"], vec![own.clone()]),
            (&["file://../lib", "", "oci://r.example/c", "@nobody"], vec![]),
            (
                &["https://x.example/", "https://x.example", "https://c.example/own"],
                vec![json!({"name": "dependency-0", "url": "https://x.example/"}), own],
            ),
        ] {
            assert_eq!(of(named).entries, expected, "{named:?}");
        }
    }

    #[test]
    fn aliases_have_a_url_and_logins_are_known() {
        let repositories = of(&["@own", "@nobody"]);
        for (repository, url) in [
            ("@own", "https://c.example/own/"),
            ("@nobody", "@nobody"),
            ("oci://r.example/c", "oci://r.example/c"),
        ] {
            assert_eq!(repositories.url(repository), url);
        }
        assert_eq!(repositories.logins().collect::<Vec<_>>(), ["u", "p"]);
    }

    #[test]
    fn the_file_may_be_empty_and_errors_do_not_quote_it() {
        for text in ["", "repositories:\n", "apiVersion: v1\n"] {
            assert!(read(text).unwrap().is_empty());
        }
        for text in ["repositories: hunter2", "repositories: [{password: 'hunter2"] {
            let error = format!("{:#}", read(text).unwrap_err());
            assert!(
                error.contains("repository configuration") && !error.contains("hunter2"),
                "{error}"
            );
        }
    }

    #[test]
    fn registries_without_tls_are_named_by_host_and_port() {
        for (repository, is_plain) in [
            ("oci://r.lan:5000/charts", true),
            ("oci://q.lan", true),
            ("oci://r.lan/charts", false),
            ("https://r.lan:5000/charts", false),
            ("oci://", false),
        ] {
            assert_eq!(is_any_at(&[repository], "r.lan:5000, q.lan,"), is_plain, "{repository}");
        }
        assert!(!is_any_at(&["oci:///charts"], ""));
    }
}
