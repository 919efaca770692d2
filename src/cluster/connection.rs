//! The connection to a cluster, for objects of any kind.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::runtime::Runtime;

use super::error::{self, RequestError};
use super::options::{self, Options};
use super::transport;
use crate::time::Deadline;

/// The duration of one watch, in seconds; the watcher counts one that is silent for longer as broken.
pub(super) const WATCH_SECONDS: u32 = 30;
/// The time after the end of a watch from which on a silent connection counts as broken.
const SILENCE_MARGIN: Duration = Duration::from_secs(5);

/// The pauses before a busy server is asked again.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(200),
    Duration::from_millis(600),
    Duration::from_millis(1200),
];

/// A cluster.
pub struct Cluster {
    runtime: Runtime,
    client: kube::Client,
    server: String,
    request_timeout: Duration,
    deadline: Deadline,
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl Cluster {
    /// Returns the cluster that the options choose. Nothing is sent to it yet.
    ///
    /// # Errors
    /// When there is no kubeconfig, or it has no such cluster.
    pub fn connect(options: &Options) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start the runtime for the cluster")?;
        let mut config = runtime.block_on(options::config(options))?;
        let agent = concat!("kubectl-homelab/", env!("CARGO_PKG_VERSION"));
        config.headers.push(("user-agent".parse()?, agent.parse()?));
        let request_timeout = match options.request_timeout {
            Duration::ZERO => Duration::MAX,
            limit => limit,
        };
        if request_timeout < Duration::MAX {
            // The watcher's own requests are bounded by nothing else.
            let watch = Duration::from_secs(WATCH_SECONDS.into()) + SILENCE_MARGIN;
            config.read_timeout = Some(request_timeout.max(watch));
        }
        let server = config.cluster_url.to_string().trim_end_matches('/').to_owned();
        // Its services are spawned on the runtime.
        let client = runtime
            .block_on(async { transport::client(&config) })
            .map_err(|error| error::unreachable(&error, &server))?;
        Ok(Self {
            runtime,
            client,
            server,
            request_timeout,
            deadline: options.deadline,
        })
    }

    /// Returns the client that sends requests.
    pub(super) fn client(&self) -> kube::Client {
        self.client.clone()
    }

    /// Returns the address of its API server.
    pub(super) fn server(&self) -> &str {
        &self.server
    }

    /// Returns the time that one request may take.
    pub(super) fn request_timeout(&self) -> Duration {
        self.request_timeout
    }

    /// Returns the time by which everything has to end.
    pub(super) fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Waits for the end of a future.
    pub(super) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Sends a request and waits for the answer, as long as one request and all together may take; sends it again where
    /// the server answers with one of these codes, which say that it is busy.
    pub(super) async fn request<T, F>(&self, busy: &[u16], send: impl Fn() -> F) -> Result<T, RequestError>
    where
        F: Future<Output = kube::Result<T>>,
    {
        let mut pauses = PAUSES.into_iter();
        let mut last = RequestError::TimedOut;
        loop {
            let answer = tokio::time::timeout(self.deadline.left(self.request_timeout), send()).await;
            // What the server has said is worth more than that it says nothing now.
            let Ok(answer) = answer else { return Err(last) };
            let error = match answer {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let is_busy = error::code(&error).is_some_and(|code| busy.contains(&code));
            last = RequestError::of(error);
            match pauses.next().filter(|_| is_busy && !self.deadline.is_over()) {
                Some(pause) => tokio::time::sleep(self.deadline.left(pause)).await,
                None => return Err(last),
            }
        }
    }
}
