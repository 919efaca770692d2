//! A cluster that Applications are deployed to: a claim of one cluster is none of another.

use std::fmt;

/// The API server of the cluster that Argo CD runs in, as seen from there.
pub const LOCAL_SERVER: &str = "https://kubernetes.default.svc";
/// The name of that cluster.
pub const LOCAL_NAME: &str = "in-cluster";

/// A cluster, by what is known of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cluster {
    /// The one that Argo CD runs in.
    #[default]
    Local,
    /// Another one, by the URL of its API server.
    Server(String),
    /// The one that the Argo CD of a root runs in, where the repository has roots for several.
    OfRoot(String),
    /// Another one, by its name in Argo CD: nothing in the repository tells its API server.
    Name(String),
}

impl Cluster {
    /// Reports whether two clusters are the same one, or may be: one is known by its API server only and the other one by
    /// its name only, or that of Argo CD and nobody knows of which one.
    pub fn may_be(&self, other: &Self) -> bool {
        let is_of_root = |one: &Self, other: &Self| matches!(one, Self::OfRoot(_)) && matches!(other, Self::Local);
        let differs_in_kind =
            |one: &Self, other: &Self| matches!(one, Self::Server(_)) && matches!(other, Self::Name(_));
        self == other
            || is_of_root(self, other)
            || is_of_root(other, self)
            || differs_in_kind(self, other)
            || differs_in_kind(other, self)
    }

    /// Reports whether Argo CD itself runs in it.
    pub fn is_local(&self) -> bool {
        matches!(self, Self::Local | Self::OfRoot(_))
    }

    /// Returns the cluster with this API server.
    pub(super) fn of_server(server: &str) -> Self {
        match server.trim_end_matches('/') {
            LOCAL_SERVER => Self::Local,
            server => Self::Server(server.to_owned()),
        }
    }
}

impl fmt::Display for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => f.write_str(LOCAL_NAME),
            Self::OfRoot(root) => write!(f, "{LOCAL_NAME} of {root}"),
            Self::Server(text) | Self::Name(text) => f.write_str(text),
        }
    }
}
