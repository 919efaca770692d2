//! Repositories of charts, and repo-servers that render them.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::thread;

use real_parts::Options;
use real_parts::folder::{Folder, copy};
use real_parts::generate::{Answer, Generate};
use real_parts::repo_server::RepoServers;
use real_parts::repository::Repository;
use real_parts::tools::{RenderTools, of_the_test_run};

use crate::source::{Way, request};
use crate::table::{Case, Table};

/// The number of renders that run at once.
const PARALLEL: usize = 4;

/// A repository for each renderer, with the same commit: what a native render leaves in Argo CD's checkout is not there for
/// the plugin.
struct Twins {
    native: String,
    plugin: String,
    revision: String,
}

/// The repositories, by the names that cases have for them.
pub(crate) struct Repositories {
    twins: BTreeMap<String, Twins>,
    /// The charts of the corpora, by tool.
    pub(crate) found: BTreeMap<String, Vec<String>>,
    /// The temporary folders, which are removed with it.
    #[expect(dead_code, reason = "it is there to be dropped")]
    folder: Folder,
}

/// The project's own charts.
pub(crate) fn charts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity/repository")
}

impl Repositories {
    pub(crate) fn create(table: &Table) -> Self {
        let folder = Folder::new().unwrap();
        let staged = folder.join("staged");
        let found = table.found(&staged);
        copy(&charts(), &staged.join("own")).unwrap();
        let names = found.keys().map(|name| (name.clone(), name.as_str()));
        let twins = names.chain([(String::new(), "own")]).map(|(name, path)| {
            let native = Repository::create(folder.path(), path, Some(&staged.join(path))).unwrap();
            let twin = native.twin(&format!("{path}-plugin")).unwrap();
            let twins = Twins {
                native: native.url(),
                plugin: twin,
                revision: native.head().unwrap(),
            };
            (name, twins)
        });
        Self {
            twins: twins.collect(),
            found,
            folder,
        }
    }
}

/// The URL at which cases find value files over HTTP; this test serves it.
const FILES: &str = "http://files.example";

/// Serves [`FILES`] at a separate port until the test ends; returns the URL.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = String::new();
            let _ = BufReader::new(&stream).read_line(&mut request);
            let (status, body) = if request.starts_with("GET /values.yaml") {
                ("200 OK", "order: fetched\nseen:\n  fetched: true\n")
            } else {
                ("404 Not Found", "")
            };
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
        }
    });
    url
}

/// A repo-server with one helm, for itself and for the plugin beside it.
pub(crate) struct Renderer {
    generate: Generate,
    files: String,
    #[expect(dead_code, reason = "they are there to be dropped")]
    servers: RepoServers,
    #[expect(dead_code, reason = "it is there to be dropped")]
    folder: Folder,
}

impl Renderer {
    /// Starts the repo-server; `helm` is the name of the tool.
    pub(crate) fn start(helm: &str) -> Self {
        let folder = Folder::new().unwrap();
        let tools = RenderTools::new(|name| of_the_test_run(if name == "helm" { helm } else { name })).unwrap();
        let servers = RepoServers::start(&folder, &tools, &Options::default()).unwrap();
        servers.until_they_answer().unwrap();
        let client = of_the_test_run("generate-manifest").unwrap();
        let generate = Generate::connect(&client, servers.port().unwrap(), PARALLEL).unwrap();
        Self {
            generate,
            files: serve(),
            servers,
            folder,
        }
    }

    /// Renders cases; the plugin's URL in messages is replaced by the other repository's.
    pub(crate) fn render(&mut self, repositories: &Repositories, wanted: &[(&Case, Way)]) -> Vec<Answer> {
        let twins = |case: &Case| &repositories.twins[&case.repository];
        let requests: Vec<_> = wanted
            .iter()
            .map(|(case, way)| {
                let twins = twins(case);
                let url = if *way == Way::Native {
                    &twins.native
                } else {
                    &twins.plugin
                };
                let request = request(case, *way, url, &twins.revision).to_string();
                serde_json::from_str(&request.replace(FILES, &self.files)).unwrap()
            })
            .collect();
        let answers = self.generate.ask(&requests).unwrap();
        let renamed = answers.into_iter().zip(wanted).map(|(answer, (case, _))| {
            let twins = twins(case);
            let rename = |text: String| text.replace(&twins.plugin, &twins.native);
            match answer {
                Answer::Manifests(objects) => Answer::Manifests(objects.into_iter().map(rename).collect()),
                Answer::Error(message) => Answer::Error(rename(message)),
            }
        });
        renamed.collect()
    }
}
