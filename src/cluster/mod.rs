//! The adapter to the cluster: requests a refresh or a sync of Argo CD, and waits until it is done.
//!
//! There is no login to Argo CD. Everything is read from and written to the Application objects, with the rights that the
//! kubeconfig gives. Nothing async leaks out: a [`Cluster`] waits for each answer, and no other command pays for its
//! runtime or its TLS.
//!
//! [`Cluster`] is the connection for objects of any kind. What is known about one kind has a module of its own, as
//! `applications`.

mod answer;
mod applications;
mod certificate;
mod connection;
mod error;
mod installation;
mod kind;
mod objects;
mod options;
pub mod refresh;
pub mod storage;
pub mod sync;
mod transport;
pub mod wait;
mod watch;

pub use applications::{AppStatus, Applications, Selection};
pub use connection::Cluster;
pub use installation::installation;
pub use options::{Impersonation, Options, Server, Token};
pub use storage::{Attempt, Denied, Resource, Seen};

/// A patch that a command would send, or has sent, to one Application.
#[derive(Clone, Debug, PartialEq)]
pub struct Patch {
    /// The name of the Application.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// The JSON Merge Patch.
    pub body: serde_json::Value,
}

/// The result of a request to Argo CD.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The patch for each Application.
    pub patches: Vec<Patch>,
    /// The Applications in the end; none in a dry run.
    pub apps: Vec<AppStatus>,
}

/// The way in which a change is tried, as kubectl's `--dry-run`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DryRun {
    /// It is made.
    #[default]
    None,
    /// It is not sent.
    Client,
    /// It is sent, checked by the API server, and not kept.
    Server,
}

/// A function that shows from time to time what is waited for.
pub type ProgressFn<'p> = &'p mut dyn FnMut(&str);
