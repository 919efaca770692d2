//! A chart that is not in the source: one version of it, in a Helm repository or an OCI registry.

use super::version::is_exact;

/// The start of the name of a file that is in the chart which the parameter `chart` names.
pub const OF_CHART: &str = "chart:";
/// The start of a registry's address.
const OCI: &str = "oci://";
/// The start of a digest, which may be left out.
const SHA256: &str = "sha256:";

/// A chart of a Helm repository or an OCI registry.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChartReference {
    /// The URL of the Helm repository, or `oci://` with the folder of the registry that has the chart.
    pub repository: String,
    /// The chart's name, without folders.
    pub name: String,
    /// The version, or a range of versions.
    pub version: String,
    /// The SHA-256 of what is pulled, in hexadecimal digits.
    pub digest: Option<String>,
}

impl ChartReference {
    /// Returns the chart that a source names, as Argo CD reads it: an address without a scheme is that of a registry, and a
    /// source of a registry may have the chart at the end of its address.
    pub fn of_source(repo_url: &str, chart: Option<&str>, revision: &str) -> Option<Self> {
        let url = repo_url.trim_end_matches('/');
        let is_registry = !url.contains("://") || url.starts_with(OCI);
        let whole = match (chart, is_registry) {
            (Some(chart), true) => format!("{OCI}{}/{chart}", url.trim_start_matches(OCI)),
            (Some(chart), false) => {
                return Some(Self {
                    repository: repo_url.to_owned(),
                    name: chart.to_owned(),
                    version: revision.to_owned(),
                    digest: None,
                });
            }
            (None, _) => url.to_owned(),
        };
        let (repository, name) = whole.rsplit_once('/').filter(|(_, name)| !name.is_empty())?;
        (repository.len() > OCI.len()).then(|| Self {
            repository: repository.to_owned(),
            name: name.to_owned(),
            version: revision.to_owned(),
            digest: None,
        })
    }

    /// Reports whether the chart is in an OCI registry.
    pub fn is_in_registry(&self) -> bool {
        self.repository.starts_with(OCI)
    }

    /// Reports whether the version can only mean one.
    pub fn is_pinned(&self) -> bool {
        is_exact(&self.version)
    }

    /// Reports whether a version is the one that is asked for; a `v` before it does not count.
    pub fn is_version(&self, version: &str) -> bool {
        let plain = |text: &str| text.strip_prefix('v').unwrap_or(text).to_owned();
        plain(&self.version) == plain(version)
    }
}

/// Reads the name of a chart.
///
/// # Errors
/// A sentence on what is wrong.
pub fn read_name(text: &str) -> Result<String, String> {
    if text.contains('/') {
        return Err(format!(
            "`{text}` has a `/`: the folders of a registry belong to `chart-repo`"
        ));
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    match text.chars().all(is_part) && !text.starts_with(['.', '-']) {
        true => Ok(text.to_owned()),
        false => Err(format!("`{text}` is not the name of a chart")),
    }
}

/// Reads the address of a Helm repository or a registry.
///
/// # Errors
/// A sentence on what is wrong; no login is in it.
pub fn read_repository(text: &str) -> Result<String, String> {
    let schemes = ["https://", "http://", OCI];
    let Some(rest) = schemes.iter().find_map(|scheme| text.strip_prefix(scheme)) else {
        return Err("it is neither an http(s) URL of a Helm repository nor `oci://HOST/FOLDER`".to_owned());
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.contains('@') {
        return Err("it has a login, which belongs to Helm's own configuration files".to_owned());
    }
    if host.is_empty() || text.contains(char::is_whitespace) {
        return Err("it has no host".to_owned());
    }
    Ok(text.to_owned())
}

/// Reads a SHA-256, which may have `sha256:` before it.
///
/// # Errors
/// A sentence on what is wrong.
pub fn read_digest(text: &str) -> Result<String, String> {
    let digits = text.strip_prefix(SHA256).unwrap_or(text);
    match digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => Ok(digits.to_ascii_lowercase()),
        false => Err(format!("`{text}` is not `{SHA256}` with 64 hexadecimal digits")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_names_a_chart_as_argo_cd_reads_it() {
        let of = |url: &str, chart: Option<&str>| {
            let found = ChartReference::of_source(url, chart, "1.0.0")?;
            Some((found.repository, found.name))
        };
        for (url, chart, repository, name) in [
            ("https://c.example/x/", Some("web"), "https://c.example/x/", "web"),
            ("r.example/charts", Some("web"), "oci://r.example/charts", "web"),
            (
                "r.example/charts",
                Some("deep/web"),
                "oci://r.example/charts/deep",
                "web",
            ),
            ("oci://r.example/charts/", Some("web"), "oci://r.example/charts", "web"),
            ("oci://r.example/charts/web", None, "oci://r.example/charts", "web"),
            ("oci://r.example/charts/web/", None, "oci://r.example/charts", "web"),
            ("oci://r.example:5000/web", None, "oci://r.example:5000", "web"),
        ] {
            assert_eq!(of(url, chart), Some((repository.to_owned(), name.to_owned())), "{url}");
        }
        for url in ["oci://", "oci://r.example", "oci:///web"] {
            assert_eq!(of(url, None), None, "{url}");
        }
    }

    #[test]
    fn what_is_no_name_address_or_digest_is_refused() {
        assert_eq!(read_name("app-template").as_deref(), Ok("app-template"));
        for text in ["a/b", "..", "-x", "a b", "a:b", "."] {
            assert!(read_name(text).is_err(), "{text}");
        }
        for text in ["https://c.example/x", "http://127.0.0.1:80", "oci://r.example/charts"] {
            assert_eq!(read_repository(text).as_deref(), Ok(text));
        }
        for text in [
            "c.example",
            "file:///x",
            "../x",
            "https://",
            "https://u:hunter2@c.example",
            "oci://a b",
            "@own",
        ] {
            let error = read_repository(text).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
        let digest = "0123456789abcdef".repeat(4);
        assert_eq!(
            read_digest(&format!("sha256:{}", digest.to_uppercase())),
            Ok(digest.clone())
        );
        assert_eq!(read_digest(&digest), Ok(digest));
        for text in ["", "sha256:", "sha512:00", "0123"] {
            assert!(read_digest(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_leading_v_does_not_count() {
        let chart = |version: &str| ChartReference {
            version: version.to_owned(),
            ..ChartReference::default()
        };
        assert!(chart("1.2.3").is_version("v1.2.3") && chart("v1.2.3").is_version("1.2.3"));
        assert!(!chart("1.2").is_version("1.2.0") && !chart("1.2.3").is_version("1.2.3+x"));
        assert!(chart("1.2.3").is_pinned() && !chart("1.2").is_pinned());
    }
}
