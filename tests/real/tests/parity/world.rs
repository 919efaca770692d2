//! Repositories of charts, and repo-servers that render them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use real_parts::Options;
use real_parts::folder::{Folder, copy};
use real_parts::generate::{Answer, Generate};
use real_parts::repo_server::RepoServers;
use real_parts::repository::Repository;
use real_parts::served::{Served, chart_repository};
use real_parts::tools::{RenderTools, of_the_test_run};
use serde_json::Value;

use crate::source::{Way, newer, request};
use crate::table::{BUILD_OPTIONS, Case, KUSTOMIZE, Table};

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
    served: Served,
    /// The temporary folders, which are removed with it.
    #[expect(dead_code, reason = "it is there to be dropped")]
    folder: Folder,
}

/// Returns our own repositories, by the names that cases have for them.
pub(crate) fn own() -> [(&'static str, PathBuf); 2] {
    [("", beside("repository")), (KUSTOMIZE, beside("kustomize"))]
}

/// Returns the path of a folder beside this file.
fn beside(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity").join(name)
}

impl Repositories {
    pub(crate) fn create(tables: &[Table]) -> Self {
        let folder = Folder::new().unwrap();
        let staged = folder.join("staged");
        let found: BTreeMap<_, _> = tables.iter().flat_map(|table| table.found(&staged)).collect();
        let (served, commit) = serve(folder.path());
        let own = own().map(|(name, from)| {
            let path = if name.is_empty() { "own" } else { name };
            let to = staged.join(path);
            copy(&from, &to).unwrap();
            replace(&to, &[(FILES, served.url()), (COMMIT, &commit)]);
            (name.to_owned(), path)
        });
        let names = found.keys().map(|name| (name.clone(), name.as_str()));
        let twins = names.chain(own).map(|(name, path)| {
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
            served,
            folder,
        }
    }
}

/// The URL at which cases find files, charts and git repositories over HTTP; this test serves them at a separate port.
const FILES: &str = "http://files.example";
/// The commit of the git repository there.
const COMMIT: &str = "THE-COMMIT";

/// Starts the server of [`FILES`] in a folder; returns it with the commit of its git repository.
fn serve(folder: &Path) -> (Served, String) {
    let (from, to) = (beside("served"), folder.join("served"));
    copy(&from.join("files"), &to).unwrap();
    let served = Served::start(&to).unwrap();
    let charts = folder.join("charts");
    copy(&from.join("charts"), &charts).unwrap();
    replace(&charts, &[(FILES, served.url())]);
    copy(&charts.join("tea"), &charts.join("dependent/charts/tea")).unwrap();
    let versions = [("tea", "1.0.0"), ("tea", "1.1.0"), ("dependent", "1.0.0")];
    chart_repository(
        &of_the_test_run("helm").unwrap(),
        &charts,
        &versions,
        &to.join("charts"),
    )
    .unwrap();
    fs::create_dir(to.join("git")).unwrap();
    let remote = Repository::create(&to.join("git"), "remote", Some(&from.join("remote"))).unwrap();
    (served, remote.head().unwrap())
}

/// Replaces texts in all files of a folder that are text.
fn replace(folder: &Path, pairs: &[(&str, &str)]) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            replace(&path, pairs);
        } else if let Ok(text) = fs::read_to_string(&path) {
            let replaced = pairs
                .iter()
                .fold(text.clone(), |text, (from, to)| text.replace(from, to));
            if replaced != text {
                fs::write(&path, replaced).unwrap();
            }
        }
    }
}

/// A repo-server with one helm and one kustomize, for itself and for the plugin beside it.
pub(crate) struct Renderer {
    generate: Generate,
    #[expect(dead_code, reason = "they are there to be dropped")]
    servers: RepoServers,
    #[expect(dead_code, reason = "it is there to be dropped")]
    folder: Folder,
}

impl Renderer {
    /// Starts the repo-server; `other` are names of tools with the tools that stand for them, `build` the options of the plugin's
    /// kustomize.
    pub(crate) fn start(other: &[(&str, &str)], build: &str) -> Self {
        let folder = Folder::new().unwrap();
        let tools = RenderTools::new(|name| {
            let stands = other.iter().find(|(of, _)| *of == name);
            of_the_test_run(stands.map_or(name, |(_, other)| other))
        });
        let mut plugin_variables = vec![
            ("HOMELAB_CACHE_DIR", folder.join("cache").display().to_string()),
            ("HOMELAB_KUSTOMIZE_VERSIONS", format!("newer={}", newer().display())),
        ];
        // The default is not said.
        if build != BUILD_OPTIONS {
            plugin_variables.push(("HOMELAB_KUSTOMIZE_BUILD_OPTIONS", build.to_owned()));
        }
        let options = Options {
            plugin_variables,
            ..Options::default()
        };
        let servers = RepoServers::start(&folder, &tools.unwrap(), &options).unwrap();
        servers.until_they_answer().unwrap();
        let client = of_the_test_run("generate-manifest").unwrap();
        let generate = Generate::connect(&client, servers.port().unwrap(), PARALLEL).unwrap();
        Self {
            generate,
            servers,
            folder,
        }
    }

    /// Renders cases; the plugin's URL in messages is replaced by the other repository's.
    pub(crate) fn render(&mut self, repositories: &Repositories, wanted: &[(&Case, Way)]) -> Vec<Answer> {
        let request_for = |(case, way): &(&Case, Way)| -> Value {
            let twins = &repositories.twins[&case.repository];
            let url = if *way == Way::Native {
                &twins.native
            } else {
                &twins.plugin
            };
            let request = request(case, *way, url, &twins.revision).to_string();
            serde_json::from_str(&request.replace(FILES, repositories.served.url())).unwrap()
        };
        let is_alone = |(case, way): &(&Case, Way)| *way == Way::Native && case.races_in_argo_cd();
        let together: Vec<_> = wanted.iter().filter(|one| !is_alone(one)).map(request_for).collect();
        let mut together = self.generate.ask(&together).unwrap().into_iter();
        let answers = wanted.iter().map(|one| {
            let answer = if is_alone(one) {
                self.generate.ask(&[request_for(one)]).unwrap().pop()
            } else {
                together.next()
            };
            let twins = &repositories.twins[&one.0.repository];
            let rename = |text: String| text.replace(&twins.plugin, &twins.native);
            match answer.expect("each request has an answer") {
                Answer::Manifests(objects) => Answer::Manifests(objects.into_iter().map(rename).collect()),
                Answer::Error(message) => Answer::Error(rename(message)),
            }
        });
        answers.collect()
    }
}
