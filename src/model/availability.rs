//! Whether the objects of an Application can be had here, and why not.

use std::collections::BTreeMap;
use std::fmt;

use super::name::AppName;
use super::object::Object;
use super::repo_url::Fault;
use crate::failure::HintExt;
use crate::masking::without_logins;

/// The way out for what only Argo CD renders.
const BY_ARGO_CD: &str = "render it with Argo CD itself, or pipe its objects through `kubectl homelab filter`";

/// The renders of a repository's Applications, by name: the objects of each, lists flattened, or why there are none.
pub type AppRenders = BTreeMap<AppName, Availability<Vec<Object>>>;

/// What was asked for, or why there is none.
#[derive(Clone, Debug, PartialEq)]
pub enum Availability<T> {
    /// It is there.
    Available(T),
    /// It is not, which is no error of the repository: it is skipped, with the reason.
    Unavailable(Unavailable),
    /// Its source is there and does not render.
    Failed {
        /// What failed, in one line.
        message: String,
        /// The way out, where there is one.
        hint: Option<String>,
        /// The id of the rule that reports it, where there is one.
        rule: Option<&'static str>,
    },
}

/// Why something is not available locally. Each reason has a sentence ([`fmt::Display`]), a way out
/// ([`Unavailable::hint`]) and a name for several of its kind ([`Unavailable::kind`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// Nobody can read the URL of the source.
    Address {
        /// The URL.
        url: String,
        /// What is wrong with it.
        fault: Fault,
    },
    /// There is no checkout of the source's repository.
    NotCloned {
        /// The URL of the repository.
        url: String,
    },
    /// There is a checkout of the source's repository, and git refuses to read it.
    RefusedByGit {
        /// The URL of the repository.
        url: String,
        /// The folder of the checkout.
        checkout: String,
        /// Git's own sentence.
        message: String,
        /// The next step.
        hint: String,
    },
    /// There is a checkout of the source's repository at another revision, and what it holds does not render.
    OtherRevision {
        /// The folder of the checkout.
        checkout: String,
        /// The revision that is asked for.
        revision: String,
        /// Why it does not render.
        message: String,
    },
    /// A file of the source is there and cannot be read.
    Unreadable {
        /// The sentence of the error, with the file.
        message: String,
    },
    /// A chart of a Helm repository or an OCI registry is not in the cache.
    ChartNotDownloaded {
        /// Its name.
        chart: String,
        /// `targetRevision`.
        version: String,
        /// `repoURL`.
        url: String,
    },
    /// The render needs something that is not in the source: a dependency, a remote value file.
    NeedsNetwork {
        /// What is missing, in a sentence.
        what: String,
    },
    /// Another plugin renders it.
    OtherPlugin {
        /// Its name; empty where none is given.
        name: String,
        /// The name of the plugin that this program is.
        own: String,
    },
    /// The source uses options that this program cannot render.
    UnsupportedOptions {
        /// What cannot be rendered, each in a sentence.
        what: Vec<String>,
    },
    /// Nothing is rendered, and no earlier command has kept the render.
    NotRendered,
    /// The Applications are generated in the cluster.
    GeneratedInCluster,
    /// A program that the render needs is not installed.
    ProgramMissing {
        /// The message of the program's search.
        message: String,
        /// How to get it.
        hint: String,
    },
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address { url, fault } if url.is_empty() => write!(f, "`repoURL` {fault}"),
            Self::Address { url, fault } => write!(f, "`{}` {fault}", without_logins(url)),
            Self::NotCloned { url } => write!(f, "`{}` is not available locally", without_logins(url)),
            Self::RefusedByGit {
                url, checkout, message, ..
            } => {
                write!(
                    f,
                    "git refuses the checkout `{checkout}` of `{}`: {message}",
                    without_logins(url)
                )
            }
            Self::OtherRevision {
                checkout,
                revision,
                message,
            } => {
                write!(
                    f,
                    "the checkout `{checkout}` is not at `{revision}` and does not render: {message}"
                )
            }
            Self::ChartNotDownloaded { chart, version, url } => {
                write!(
                    f,
                    "the chart `{chart}` {version} of `{}` is not in the cache",
                    without_logins(url)
                )
            }
            Self::NeedsNetwork { what } => f.write_str(what),
            Self::OtherPlugin { name, .. } if name.is_empty() => {
                f.write_str("it is rendered by a plugin that Argo CD finds by the files: none is named")
            }
            Self::OtherPlugin { name, .. } => write!(f, "it is rendered by the plugin `{name}`"),
            Self::UnsupportedOptions { what } => f.write_str(&what.join("; ")),
            Self::NotRendered => f.write_str("nothing is rendered, and no earlier command has kept its render"),
            Self::GeneratedInCluster => f.write_str("its Applications are generated in the cluster"),
            Self::Unreadable { message } | Self::ProgramMissing { message, .. } => f.write_str(message),
        }
    }
}

impl std::error::Error for Unavailable {}

impl Unavailable {
    /// Returns an error with the hint beside it.
    pub fn into_error(self) -> anyhow::Error {
        let hint = self.hint();
        anyhow::Error::new(self).hint(hint)
    }

    /// Returns the next step, in the imperative.
    pub fn hint(&self) -> String {
        match self {
            Self::Address {
                fault: Fault::Placeholder(_),
                ..
            } => "fill it in with `kubectl homelab init --repo-url URL`, or name a checkout with `--source-dir REPO=DIR`"
                .to_owned(),
            Self::Address { fault, .. } => fault.hint().to_owned(),
            Self::NotCloned { .. } => "clone it beside this repository, name a checkout with `--source-dir REPO=DIR`, or fetch it with `--fetch`".to_owned(),
            Self::RefusedByGit { hint, .. } | Self::ProgramMissing { hint, .. } => hint.clone(),
            Self::OtherRevision { checkout, revision, .. } => {
                format!("check out `{revision}` in `{checkout}`, or name another checkout with `--source-dir REPO=DIR`")
            }
            Self::Unreadable { .. } => "let the file be read, or take it out of the source".to_owned(),
            Self::ChartNotDownloaded { .. } => "fetch it with `--fetch`, or once with `kubectl homelab render APP`".to_owned(),
            Self::NeedsNetwork { .. } => "let it be fetched with `--fetch`, or put it into the source".to_owned(),
            Self::UnsupportedOptions { .. } => BY_ARGO_CD.to_owned(),
            Self::OtherPlugin { own, .. } => format!("only the plugin `{own}` is rendered here"),
            Self::NotRendered => "leave out `--no-render`".to_owned(),
            Self::GeneratedInCluster => "write them as Applications to have them checked".to_owned(),
        }
    }

    /// Returns what several of these are called, after their number: one, and more than one.
    pub fn kind(&self) -> (&'static str, &'static str) {
        match self {
            Self::Address { .. } => ("with a URL that nobody can read", "with URLs that nobody can read"),
            Self::NotCloned { .. } => ("not cloned (--fetch)", "not cloned (--fetch)"),
            Self::RefusedByGit { .. } => ("refused by git", "refused by git"),
            Self::OtherRevision { .. } => ("only there at another revision", "only there at another revision"),
            Self::Unreadable { .. } => ("with an unreadable file", "with unreadable files"),
            Self::ChartNotDownloaded { .. } => ("chart not downloaded (--fetch)", "charts not downloaded (--fetch)"),
            Self::NeedsNetwork { .. } => (
                "with something to download (--fetch)",
                "with something to download (--fetch)",
            ),
            Self::OtherPlugin { .. } => ("rendered by another plugin", "rendered by another plugin"),
            Self::UnsupportedOptions { .. } => (
                "with options that only Argo CD renders",
                "with options that only Argo CD renders",
            ),
            Self::NotRendered => ("not rendered yet (--no-render)", "not rendered yet (--no-render)"),
            Self::GeneratedInCluster => (
                "ApplicationSet, expanded in the cluster",
                "ApplicationSets, expanded in the cluster",
            ),
            Self::ProgramMissing { .. } => ("without a program to render it", "without a program to render them"),
        }
    }

    /// Reports whether the network would help.
    pub fn needs_network(&self) -> bool {
        matches!(
            self,
            Self::NotCloned { .. } | Self::ChartNotDownloaded { .. } | Self::NeedsNetwork { .. }
        )
    }

    /// Reports whether this keeps things from being checked that are there: a fault of this machine or of the repository,
    /// not something that was left out.
    pub fn is_error(&self) -> bool {
        matches!(
            self,
            Self::RefusedByGit { .. } | Self::Unreadable { .. } | Self::ProgramMissing { .. }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_missing_is_named_by_its_field() {
        let address = |url: &str, fault| {
            Unavailable::Address {
                url: url.to_owned(),
                fault,
            }
            .to_string()
        };
        assert_eq!(address("", Fault::Missing), "`repoURL` is empty");
        assert!(address("htps://x", Fault::Missing).starts_with("`htps://x` "));
    }
}
