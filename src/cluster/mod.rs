//! The door to the cluster: asks Argo CD for a refresh or a sync, and waits for what it does.
//!
//! There is no login to Argo CD. Everything is said and read on the Application objects, with the rights that the
//! kubeconfig gives. Nothing async leaks out: a [`Cluster`] waits for each answer, and no other command pays for its
//! runtime or its TLS.

mod complaint;
mod connection;
mod follow;
mod options;
pub mod refresh;
mod selection;
pub mod sync;
pub mod wait;

use std::time::{Duration, Instant};

pub use connection::Cluster;
pub use options::{Impersonation, Options, Server, Token};
pub use selection::Selection;

use crate::model::LiveApplication;

/// How long to wait.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    until: Option<Instant>,
}

impl Patience {
    /// This long, from now on; zero is forever.
    pub fn new(time: Duration) -> Self {
        // A time that no clock can tell is forever, too.
        let until = (!time.is_zero()).then(|| Instant::now().checked_add(time));
        Self { until: until.flatten() }
    }

    /// What is left of a time, and never more than this.
    fn left(self, most: Duration) -> Duration {
        let left = self.until.map(|until| until.saturating_duration_since(Instant::now()));
        left.map_or(most, |left| left.min(most))
    }

    /// Whether the time is over.
    fn is_over(self) -> bool {
        self.until.is_some_and(|until| until <= Instant::now())
    }
}

/// How one Application was found in the end.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Its name.
    pub name: String,
    /// The Application; `None` when there is none.
    pub application: Option<LiveApplication>,
    /// What was waited for in vain, in one line.
    pub missing: Option<String>,
}

/// How far something is that is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Progress {
    /// It is reached.
    Reached,
    /// It may come: what is missing, in one line.
    Open(String),
    /// It will not come: why, in one line.
    Over(String),
}

/// What a command would do, or did, to one Application.
#[derive(Clone, Debug, PartialEq)]
pub struct Patch {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// The JSON Merge Patch.
    pub body: serde_json::Value,
}

/// What was asked, and how the Applications were found after it.
#[derive(Clone, Debug)]
pub struct Done {
    /// What was written to each Application.
    pub patches: Vec<Patch>,
    /// The Applications; none in a dry run.
    pub found: Vec<Found>,
}

/// Whether a change is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DryRun {
    /// It is made.
    #[default]
    None,
    /// It is not sent.
    Client,
    /// It is sent, judged by the API server, and not kept.
    Server,
}

/// Who is told from time to time what is waited for.
pub type Tell<'t> = &'t mut dyn FnMut(&str);
