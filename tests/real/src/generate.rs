//! Requests to a repo-server, as the application controller sends them: a small client in Go uses Argo CD's own types.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::repo_server::local;

/// Returns a `ManifestRequest` for an Application's source that bypasses all caches, as the controller of a small cluster
/// sends it. It asks for no label or annotation of Argo CD's own.
pub fn request(app: &str, destination: &str, source: &Value, revision: &str) -> Value {
    json!({
        "repo": {"repo": source["repoURL"]}, "revision": revision, "noCache": true, "noRevisionCache": true,
        "appName": app, "namespace": destination, "applicationSource": source,
        "kubeVersion": "1.36.1",
        "apiVersions": ["apps/v1", "apps/v1/Deployment", "batch/v1", "v1", "v1/ConfigMap", "v1/PersistentVolumeClaim"],
        "projectName": "default", "projectSourceRepos": ["*"],
        "helmOptions": {"ValuesFileSchemes": ["https", "http"]},
    })
}

/// A connection to a repo-server. It ends with its owner, because its standard input ends.
#[derive(Debug)]
pub struct Generate {
    client: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// The answer of a repo-server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The objects, each as JSON, byte for byte as received.
    Manifests(Vec<String>),
    /// The error, as the controller sees it.
    Error(String),
}

impl Generate {
    /// Connects the client to the repo-server at a port; it sends at most `parallel` requests at once.
    pub fn connect(client: &Path, port: u16, parallel: usize) -> Result<Self> {
        let mut client = Command::new(client)
            .args(["--repo-server", &local(port), "--parallel", &parallel.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {}", client.display()))?;
        let requests = client.stdin.take();
        let answers = client.stdout.take().context("its output is not a pipe")?;
        Ok(Self {
            client,
            requests,
            answers: BufReader::new(answers),
        })
    }

    /// Sends `ManifestRequest`s and returns their answers in the same order.
    pub fn ask(&mut self, requests: &[Value]) -> Result<Vec<Answer>> {
        let mut lines = String::new();
        for request in requests {
            lines.push_str(&request.to_string());
            lines.push('\n');
        }
        let input = self.requests.as_mut().context("the client has ended")?;
        let answers = &mut self.answers;
        // Beside each other: the client reads on only when its answers are read.
        thread::scope(|scope| {
            let written = scope.spawn(move || input.write_all(lines.as_bytes()));
            let answers = requests.iter().map(|_| answer(answers)).collect();
            ensure!(
                written.join().is_ok_and(|written| written.is_ok()),
                "the client takes no requests"
            );
            answers
        })
    }
}

fn answer(answers: &mut impl BufRead) -> Result<Answer> {
    let mut line = String::new();
    if answers.read_line(&mut line)? == 0 {
        bail!("the client has ended; see its standard error");
    }
    let answer: Value = serde_json::from_str(&line)?;
    if let Some(error) = answer["error"].as_str() {
        return Ok(Answer::Error(error.to_owned()));
    }
    let manifests = answer["manifests"].as_array().into_iter().flatten();
    let texts = manifests.map(|manifest| manifest.as_str().map(str::to_owned));
    Ok(Answer::Manifests(
        texts.collect::<Option<_>>().context("a manifest is not text")?,
    ))
}

impl Drop for Generate {
    fn drop(&mut self) {
        drop(self.requests.take());
        let _ = self.client.wait();
    }
}
