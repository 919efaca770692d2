//! A world: a cluster, an Argo CD on it, and the repositories that it reads, with the steps of stories.

mod waiting;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::api::Api;
use crate::argocd::ArgoCd;
use crate::cluster::Cluster;
use crate::folder::{Folder, copy};
use crate::options::Options;
use crate::process::Process;
use crate::record::Record;
use crate::repository::Repository;
use crate::rollouts;
use crate::state;
use crate::tools::Tools;
use waiting::DEADLINE;

/// A running world.
#[derive(Debug)]
pub struct World {
    /// Argo CD; the first field, so that it ends first.
    pub argocd: ArgoCd,
    /// The cluster that it runs on and works on.
    pub cluster: Cluster,
    /// The GitOps repository.
    pub home: Repository,
    /// The repositories of charts, by name.
    pub sources: BTreeMap<String, Repository>,
    tools: Tools,
    folder: Folder,
    #[expect(dead_code, reason = "the repositories go when this does")]
    repositories: Folder,
}

/// The Applications of the shipped repository with their own source repositories.
const SHIPPED: [(&str, &str); 2] = [
    ("jellyfin", "home-media"),
    ("pilotedge-audio-fetcher", "pilotedge-audio-fetcher"),
];

/// The values of the producer's chart.
const FETCHER_VALUES: &str = "helm/pilotedge-audio-fetcher/values.yaml";

/// What the user's commands commit as.
const COMMITTER: [(&str, &str); 4] = [
    ("GIT_AUTHOR_NAME", "story"),
    ("GIT_AUTHOR_EMAIL", "story@example.org"),
    ("GIT_COMMITTER_NAME", "story"),
    ("GIT_COMMITTER_EMAIL", "story@example.org"),
];

/// Returns a schedule about half a year from now: months of 31 days in years of 365 are close enough.
fn half_a_year_from_now() -> String {
    let today = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let day = today.as_secs() / 86_400 % 365;
    format!("schedule: \"0 1 1 {} *\"", (day / 31 + 6) % 12 + 1)
}

/// Returns the project's repository, which is a GitOps repository itself.
fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

impl World {
    /// Starts a world with the shipped repository and its two sources; nothing is applied yet.
    pub fn with_the_shipped_repository(options: &Options) -> Result<Self> {
        let tools = Tools::of_the_test_run()?;
        let sources = project().join("tests/sources");
        let world = Self::start(
            &tools,
            options,
            &project(),
            &SHIPPED.map(|(_, name)| (name, sources.join(name))),
        )?;
        // A story runs at any time of day: the producer's own schedule must not start a run in the middle of it.
        let fetcher = world.source("pilotedge-audio-fetcher");
        fetcher.replace(FETCHER_VALUES, "schedule: \"0 1 * * *\"", &half_a_year_from_now())?;
        fetcher.commit("Not today")?;
        Ok(world)
    }

    /// Starts a world in which the shipped repository runs: one file was applied, and everything is Synced and Healthy.
    pub fn running(options: &Options) -> Result<Self> {
        let world = Self::with_the_shipped_repository(options)?;
        world.apply_the_root()?;
        world.until_everything_runs()?;
        Ok(world)
    }

    /// Starts a world with the folders `applications/` and `namespaces/` of a GitOps repository, and with repositories of
    /// charts. Every `repoURL` that ends in the name of one of them, or in `kubectl-homelab`, is changed to the world's URL.
    pub fn start(tools: &Tools, options: &Options, home: &Path, sources: &[(&str, PathBuf)]) -> Result<Self> {
        let repositories = Folder::new()?;
        let git = repositories.path();
        let sources = sources
            .iter()
            .map(|(name, from)| Ok(((*name).to_owned(), Repository::create(git, name, Some(from))?)))
            .collect::<Result<BTreeMap<_, _>>>()?;
        let staged = repositories.join("staged");
        for name in ["applications", "namespaces"] {
            copy(&home.join(name), &staged.join(name))?;
        }
        let urls = sources
            .iter()
            .map(|(name, repository)| (name.as_str(), repository.url()))
            .chain([("kubectl-homelab", format!("file://{}", git.join("home.git").display()))]);
        point(&staged.join("applications"), &urls.collect::<Vec<_>>())?;
        let home = Repository::create(git, "home", Some(&staged))?;
        Self::with_repositories(tools, options, repositories, home, sources)
    }

    /// Starts a world that reads existing repositories; their folder is removed with it.
    pub fn with_repositories(
        tools: &Tools,
        options: &Options,
        repositories: Folder,
        home: Repository,
        sources: BTreeMap<String, Repository>,
    ) -> Result<Self> {
        let (folder, cluster, argocd) = start_servers(tools, options)?;
        Ok(Self {
            argocd,
            cluster,
            home,
            sources,
            tools: tools.clone(),
            folder,
            repositories,
        })
    }

    /// Replaces the cluster, with Argo CD and everything in it, by an empty one. The repositories stay.
    pub fn throw_the_cluster_away(&mut self, options: &Options) -> Result<()> {
        let (folder, cluster, argocd) = start_servers(&self.tools, options)?;
        self.argocd = argocd;
        self.cluster = cluster;
        self.folder = folder;
        Ok(())
    }

    /// Returns a client of the cluster.
    pub fn api(&self) -> &Api {
        self.cluster.api()
    }

    /// Returns the text of a file in the folder of this world; empty if there is none.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Writes a file in the folder of this world and returns its path.
    pub fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.path(name);
        fs::write(&path, text)?;
        Ok(path)
    }

    /// Starts to record what happens to pods and claims.
    pub fn record(&self) -> Result<Record> {
        Record::start(&self.cluster, self.folder.path())
    }

    /// Starts the controller of Argo Rollouts, which runs as long as the result lives.
    pub fn rollouts(&self) -> Result<Process> {
        rollouts::start(self.folder.path(), &self.cluster)
    }

    /// Returns a path in the folder of this world, which is removed with it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Returns a repository of charts.
    ///
    /// # Panics
    ///
    /// If there is none of that name.
    pub fn source(&self, name: &str) -> &Repository {
        &self.sources[name]
    }

    /// Applies the root Application and nothing else, as a user does once.
    pub fn apply_the_root(&self) -> Result<()> {
        self.cluster.apply(&self.home.read("applications/root.yaml")?)
    }

    /// Waits until every Application of the shipped repository is Synced to the newest commit and Healthy.
    ///
    /// # Panics
    ///
    /// If that does not happen in time.
    pub fn until_everything_runs(&self) -> Result<()> {
        let head = self.home.head()?;
        self.until_synced("root", &head);
        self.until_synced("namespaces", &head);
        for (app, source) in SHIPPED {
            self.until_synced(app, &self.source(source).head()?);
            self.until_healthy(app);
        }
        self.until_healthy("root");
        Ok(())
    }

    /// Returns an Application without the plugin, as the control of a story: the same source rendered by Argo CD's own Helm
    /// into a separate namespace. It is not part of the GitOps repository unless the story writes it there.
    ///
    /// # Panics
    ///
    /// If there is no such Application.
    pub fn native_twin(&self, name: &str, twin: &str) -> Value {
        let application = self.application(name);
        let mut spec = application["spec"].clone();
        let source = spec["source"].as_object_mut().expect("an Application has a source");
        source.remove("plugin");
        spec["destination"]["namespace"] = twin.into();
        spec["syncPolicy"]["syncOptions"] = json!(["CreateNamespace=true", "RespectIgnoreDifferences=true"]);
        json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {
                "name": twin, "namespace": "argocd", "finalizers": ["resources-finalizer.argocd.argoproj.io"],
            },
            "spec": spec,
        })
    }

    /// Runs `kubectl homelab` in the GitOps repository, against this cluster.
    pub fn homelab(&self, arguments: &[&str]) -> Result<Output> {
        let mut path = vec![self.folder.join("bin")];
        path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
        Command::new(&self.tools.render.program)
            .args(arguments)
            .current_dir(self.home.work())
            .env_clear()
            .env("PATH", std::env::join_paths(path)?)
            .env("HOME", self.folder.join("home"))
            .env("KUBECONFIG", self.cluster.kubeconfig())
            .env("GIT_CONFIG_GLOBAL", self.folder.join("gitconfig"))
            .envs(COMMITTER)
            .stdin(Stdio::null())
            .output()
            .context("cannot run kubectl-homelab")
    }

    /// Runs `kubectl homelab` as [`Self::homelab`] does, and returns its output and its messages.
    ///
    /// # Panics
    ///
    /// If it ends with another exit code.
    pub fn runs(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.homelab(arguments).expect("it starts");
        let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments:?} printed:\n{out}{err}\n{}",
            self.describe()
        );
        out + &err
    }

    /// Pushes the changes in a repository and refreshes its Applications. Returns the revision.
    pub fn push(&self, repository: &Repository, message: &str) -> Result<String> {
        let revision = repository.commit(message)?;
        self.refresh(repository)?;
        Ok(revision)
    }

    /// Refreshes every Application of a repository, and the root.
    pub fn refresh(&self, repository: &Repository) -> Result<()> {
        for application in self.api().list("Application", "argocd/")? {
            if application["spec"]["source"]["repoURL"] == *repository.url()
                && let Some(name) = application["metadata"]["name"].as_str()
            {
                self.refresh_application(name)?;
            }
        }
        Ok(())
    }

    /// Refreshes one Application.
    pub fn refresh_application(&self, name: &str) -> Result<()> {
        self.request_refresh(name, "normal")
    }

    /// Refreshes one Application without Argo CD's cache.
    pub fn render_again(&self, name: &str) -> Result<()> {
        self.request_refresh(name, "hard")
    }

    /// Requests a refresh. Argo CD removes the annotation when it is done, and with it a second one that came in between. So
    /// this waits until there is none, and writes only to the version of the object that it has read.
    fn request_refresh(&self, name: &str, kind: &str) -> Result<()> {
        let place = format!("argocd/{name}");
        let start = Instant::now();
        loop {
            let application = self.api().get("Application", &place)?;
            let application = application.with_context(|| format!("there is no Application {name}"))?;
            let metadata = &application["metadata"];
            if metadata["annotations"]["argocd.argoproj.io/refresh"].is_null() {
                let change = json!({"metadata": {
                    "annotations": {"argocd.argoproj.io/refresh": kind},
                    "resourceVersion": metadata["resourceVersion"],
                }});
                match self.api().merge("Application", &place, &change) {
                    Err(error) if format!("{error:#}").contains("the object has been modified") => {}
                    done => return done.map(drop),
                }
            }
            ensure!(
                start.elapsed() < DEADLINE,
                "Argo CD does not take the refresh of {name}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Returns an Application; null if it does not exist.
    pub fn application(&self, name: &str) -> Value {
        let application = self.api().get("Application", &format!("argocd/{name}"));
        application.ok().flatten().unwrap_or_default()
    }

    /// Reports whether an Application is Synced to a revision, and neither refreshed nor operated on.
    pub fn is_synced(&self, name: &str, revision: &str) -> bool {
        let application = self.application(name);
        let status = &application["status"];
        let subject = |of: &Value| {
            let fields = ["source", "sources", "destination"].map(|field| (field.to_owned(), of[field].clone()));
            state::without_empty(&fields.into_iter().collect())
        };
        status["sync"]["status"] == "Synced"
            && subject(&application["spec"]) == subject(&status["sync"]["comparedTo"])
            && status["sync"]["revision"] == revision
            && status["operationState"]["phase"] == "Succeeded"
            && application["operation"].is_null()
    }

    /// Reports whether an Application is Healthy.
    pub fn is_healthy(&self, name: &str) -> bool {
        self.application(name)["status"]["health"]["status"] == "Healthy"
    }

    /// Returns the messages of an Application's conditions of one type.
    pub fn conditions(&self, name: &str, kind: &str) -> Vec<String> {
        let application = self.application(name);
        let conditions = application["status"]["conditions"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let of_kind = conditions.iter().filter(|condition| condition["type"] == kind);
        of_kind
            .filter_map(|condition| condition["message"].as_str().map(str::to_owned))
            .collect()
    }

    /// Writes an Application into the GitOps repository. JSON is YAML.
    pub fn write_application(&self, application: &Value) -> Result<()> {
        let name = application["metadata"]["name"].as_str().context("it has no name")?;
        self.home
            .write(&format!("applications/{name}.yaml"), &format!("{application:#}\n"))
    }

    /// Returns a field of an object by its JSON pointer; null if the object or the field does not exist.
    pub fn field(&self, kind: &str, place: &str, pointer: &str) -> Value {
        let object = self.api().get(kind, place).ok().flatten().unwrap_or_default();
        object.pointer(pointer).cloned().unwrap_or_default()
    }

    /// Returns the UID of an object; `None` if it does not exist.
    pub fn uid(&self, kind: &str, place: &str) -> Option<String> {
        let object = self.api().get(kind, place).ok()??;
        object["metadata"]["uid"].as_str().map(str::to_owned)
    }
}

impl Drop for World {
    #[expect(clippy::print_stderr, reason = "the last line of a story that failed")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "the logs of this story's servers are kept in {}",
                self.folder.join("log").display()
            );
        }
    }
}

fn start_servers(tools: &Tools, options: &Options) -> Result<(Folder, Cluster, ArgoCd)> {
    let folder = Folder::new()?;
    let cluster = Cluster::start(&folder, tools, options.flavour, options.nodes)?;
    let argocd = ArgoCd::start(&folder, tools, &cluster, options)?;
    Ok((folder, cluster, argocd))
}

/// Changes every `repoURL` to the world's repositories.
fn point(applications: &Path, urls: &[(&str, String)]) -> Result<()> {
    for entry in fs::read_dir(applications)? {
        let path = entry?.path();
        let mut text = String::new();
        for line in fs::read_to_string(&path)?.split_inclusive('\n') {
            let target = line
                .trim()
                .trim_start_matches("- ")
                .strip_prefix("repoURL: ")
                .and_then(|url| {
                    let last = url.trim_end_matches(".git").rsplit('/').next();
                    urls.iter().find(|(name, _)| Some(*name) == last)
                });
            match target {
                Some((_, url)) => {
                    let before = line.split("repoURL:").next().unwrap_or_default();
                    let _ = writeln!(text, "{before}repoURL: {url}");
                }
                None => text.push_str(line),
            }
        }
        fs::write(&path, text)?;
    }
    Ok(())
}
