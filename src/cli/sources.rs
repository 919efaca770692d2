//! Where the sources of Applications come from, for people: checkouts beside the repository, the user's cache, the
//! network. The middle that renders them is the plugin's own.

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};

use super::checkouts::CheckoutArgs;
use super::helm::HelmArgs;
use super::native;
use super::session::Session;
use crate::disk::{self, Checkout};
use crate::failure::HintExt;
use crate::git::{self, WorkingTree};
use crate::helm::{Helm, LazyHelm};
use crate::model::{Application, Source, repo_url};
use crate::render::{self, Output, Request, overrides};
use crate::repo::{Repo, RepoPath};

/// How an Application is rendered.
#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    /// Use the network for sources that are not at hand.
    pub(super) network: Network,
    /// The helm to run, and what charts see of the cluster.
    pub(super) helm: HelmArgs,
    /// A revision to take instead of `targetRevision`.
    pub(super) revision: Option<String>,
    /// More value files.
    pub(super) values: Vec<String>,
    /// Leave the storage law out.
    pub(super) without_storage_rules: bool,
}

/// When the network is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Network {
    /// Never: what is not at hand is said.
    #[default]
    Never,
    /// For what is neither at hand nor in the cache.
    WhenMissing,
    /// Also for what is in the cache, to have it fresh.
    Always,
}

/// A source that is not at hand: why, and the way out.
#[derive(Debug)]
pub(super) struct NotAtHand {
    pub(super) why: String,
    pub(super) hint: String,
}

/// A source with its files.
pub(super) struct Found {
    pub(super) checkout: Checkout,
    pub(super) path: RepoPath,
    revision: Option<String>,
}

/// An Application that was rendered, or why not.
pub(super) enum Render {
    /// The outputs of its sources, in their order, with remarks.
    Done(Vec<Output>, Vec<String>),
    /// It cannot be rendered here.
    NotAtHand(NotAtHand),
}

impl NotAtHand {
    pub(super) fn new(why: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            hint: hint.into(),
        }
    }

    /// As an error of a command that needs the render.
    pub(super) fn error(self) -> anyhow::Error {
        anyhow!(self.why).hint(self.hint)
    }
}

/// The sources of one repository's Applications.
pub(super) struct Sources<'s> {
    repo: &'s Repo,
    pub(super) checkout: &'s Checkout,
    args: &'s CheckoutArgs,
    options: &'s Options,
}

impl<'s> Sources<'s> {
    pub(super) fn new(session: &'s Session, args: &'s CheckoutArgs, options: &'s Options) -> Result<Self> {
        Ok(Self {
            repo: session.repo()?,
            checkout: session.checkout()?,
            args,
            options,
        })
    }

    /// Renders all sources of an Application.
    ///
    /// # Errors
    /// When a source is at hand and does not render, or the network fails.
    pub(super) fn render(&self, app: &Application<'_>) -> Result<Render> {
        let (mut outputs, mut notes) = (Vec::new(), Vec::new());
        let sources = app.sources();
        if sources.is_empty() {
            bail!("Application `{}` has no source", app.name());
        }
        for (index, source) in sources.iter().enumerate() {
            if source.gives_files_only() {
                continue;
            }
            let rendered = self
                .render_source(app, source, &mut notes)
                .with_context(|| match sources.len() {
                    1 => format!("Application `{}`", app.name()),
                    _ => format!("Application `{}`, source {}", app.name(), index + 1),
                })?;
            match rendered {
                Ok(output) => outputs.push(output),
                Err(why) => return Ok(Render::NotAtHand(why)),
            }
        }
        notes.extend(outputs.iter().flat_map(|output| output.notes.clone()));
        Ok(Render::Done(outputs, notes))
    }

    fn render_source(
        &self,
        app: &Application<'_>,
        source: &Source<'_>,
        notes: &mut Vec<String>,
    ) -> Result<Result<Output, NotAtHand>> {
        if repo_url::has_placeholder(source.repo_url()) && !self.repo.is_own(source.repo_url()) {
            let why = format!("`{}` still has the placeholder `OWNER`", source.repo_url());
            if self.args.folder(source.repo_url()).is_none() && self.sibling(source).is_none() {
                return Ok(Err(NotAtHand::new(
                    why,
                    "fill it in with `kubectl homelab init --repo-url URL`, or name a checkout with `--source-dir REPO=DIR`",
                )));
            }
        }
        let found = match self.find(source, notes)? {
            Ok(found) => found,
            Err(why) => return Ok(Err(why)),
        };
        let tree = overrides::apply(source.tree(), app.name(), &found.checkout, &found.path)?;
        let source = Source::new(source.pointer.clone(), &tree);
        if source.plugin().is_none() && render::is_kustomization(&found.checkout, &found.path)? {
            return Ok(Err(NotAtHand::new("it is rendered by Kustomize", native::BY_ARGO_CD)));
        }
        let mut request = match native::request(app, &source)? {
            Ok(request) => request,
            Err(why) => return Ok(Err(why)),
        };
        self.complete(&mut request, app, &source, &found);
        let helm = LazyHelm {
            checkout: found.checkout.clone(),
            program: self.options.helm.program.clone(),
            network: self.options.network != Network::Never,
            cache: disk::cache().ok(),
            bounded: false,
        };
        match render::render(&request, &found.checkout, &helm) {
            Err(error) if error.is::<render::NeedsNetwork>() => Ok(Err(NotAtHand::new(
                error.to_string(),
                "let it be fetched with `--fetch`, or put it into the source",
            ))),
            rendered => rendered.map(Ok),
        }
    }

    fn complete(&self, request: &mut Request, app: &Application<'_>, source: &Source<'_>, found: &Found) {
        request.source_path = found.path.clone();
        request.kube_version.clone_from(&self.options.helm.kube_version);
        request.api_versions.clone_from(&self.options.helm.api_versions);
        request.storage_rules &= !self.options.without_storage_rules;
        request
            .parameters
            .values_files
            .extend(self.options.values.iter().cloned());
        let revision = found.revision.clone().unwrap_or_default();
        let short = |length: usize| revision.get(..length).unwrap_or(&revision).to_owned();
        let variables = [
            ("ARGOCD_APP_NAME", app.name().to_owned()),
            (
                "ARGOCD_APP_NAMESPACE",
                app.destination_namespace().unwrap_or_default().to_owned(),
            ),
            ("ARGOCD_APP_PROJECT_NAME", app.project().to_owned()),
            ("ARGOCD_APP_REVISION", revision.clone()),
            ("ARGOCD_APP_REVISION_SHORT", short(7)),
            ("ARGOCD_APP_REVISION_SHORT_8", short(8)),
            ("ARGOCD_APP_SOURCE_REPO_URL", source.repo_url().to_owned()),
            ("ARGOCD_APP_SOURCE_PATH", source.path().unwrap_or_default().to_owned()),
            ("ARGOCD_APP_SOURCE_TARGET_REVISION", source.target_revision().to_owned()),
        ];
        request.variables = variables
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
    }

    /// Finds a source: this working tree, a named checkout, one beside the repository, the cache, the network.
    pub(super) fn find(&self, source: &Source<'_>, notes: &mut Vec<String>) -> Result<Result<Found, NotAtHand>> {
        if source.chart().is_some() || source.repo_url().starts_with("oci://") {
            return self.find_chart(source);
        }
        let url = source.repo_url();
        let Some(path) = source.path() else {
            bail!("the source `{url}` has neither `path` nor `chart`");
        };
        let path = RepoPath::new(path)?;
        let revision = self.options.revision.as_deref().unwrap_or(source.target_revision());
        if let Some(folder) = self.args.folder(url) {
            let checkout = Checkout::open(Path::new(folder)).hint("the folder is the one that `--source-dir` names")?;
            let revision = WorkingTree::at(checkout.root()).and_then(|tree| Some(tree.state().ok()?.commit));
            return Ok(Ok(Found {
                checkout,
                path,
                revision,
            }));
        }
        if self.repo.is_own(url) {
            let state = WorkingTree::at(self.checkout.root()).and_then(|tree| tree.state().ok());
            return Ok(Ok(Found {
                checkout: self.checkout.clone(),
                path,
                revision: state.map(|state| state.commit),
            }));
        }
        if let Some(tree) = self.sibling(source) {
            return Ok(Ok(as_it_lies(&tree, url, revision, path, notes)?));
        }
        self.find_in_cache(url, revision, path)
    }

    /// A checkout beside the repository whose remote is the source.
    fn sibling(&self, source: &Source<'_>) -> Option<WorkingTree> {
        let folders = disk::siblings(self.checkout.root());
        let trees = folders
            .iter()
            .filter(|folder| *folder != self.checkout.root())
            .filter_map(|folder| WorkingTree::at(folder));
        trees.into_iter().find(|tree| {
            tree.remotes()
                .iter()
                .any(|remote| repo_url::same(remote, source.repo_url()))
        })
    }

    fn find_in_cache(&self, url: &str, revision: &str, path: RepoPath) -> Result<Result<Found, NotAtHand>> {
        let folder = disk::cache_folder("sources", &[&repo_url::normalized(url), revision])?;
        let cached = WorkingTree::at(&folder).and_then(|tree| Some((tree.state().ok()?.commit, tree)));
        let (commit, tree) = match (cached, self.options.network) {
            (Some((commit, tree)), Network::Never | Network::WhenMissing) => (commit, tree),
            (None, Network::Never) => {
                return Ok(Err(NotAtHand::new(
                    format!("`{url}` is not at hand"),
                    "clone it beside this repository, name a checkout with `--source-dir REPO=DIR`, or fetch it with `--fetch`",
                )));
            }
            _ => {
                disk::make_folder(&folder)?;
                let tree = git::fetch(url, revision, &folder)?;
                (tree.state()?.commit, tree)
            }
        };
        Ok(Ok(Found {
            checkout: Checkout::open(tree.root())?,
            path,
            revision: Some(commit),
        }))
    }

    /// A chart of a Helm repository or an OCI registry: Argo CD pulls it and hands the chart over as the whole tree.
    fn find_chart(&self, source: &Source<'_>) -> Result<Result<Found, NotAtHand>> {
        let (url, revision) = (
            source.repo_url(),
            self.options.revision.as_deref().unwrap_or(source.target_revision()),
        );
        let (registry, chart) = match source.chart() {
            Some(chart) => (url, chart),
            None => url.rsplit_once('/').context("the OCI URL has no chart in it")?,
        };
        let folder = disk::cache_folder("charts", &[url, chart, revision])?;
        let inside = folder.join(chart.rsplit('/').next().unwrap_or(chart));
        let found = |folder: &Path| -> Result<Result<Found, NotAtHand>> {
            let path = RepoPath::new(source.path().filter(|_| source.chart().is_none()).unwrap_or("."))?;
            Ok(Ok(Found {
                checkout: Checkout::open(folder)?,
                path,
                revision: Some(revision.to_owned()),
            }))
        };
        if disk::is_chart(&inside) && self.options.network != Network::Always {
            return found(&inside);
        }
        if self.options.network == Network::Never {
            return Ok(Err(NotAtHand::new(
                format!("the chart `{chart}` {revision} of `{url}` is not in the cache"),
                "fetch it with `--fetch`, or once with `kubectl homelab render APP`",
            )));
        }
        let pulled = disk::temporary_folder_in(folder.parent().context("the cache has no folder")?)?;
        Helm::pull(registry, chart, revision, pulled.path())?;
        disk::replace_folder(pulled, &folder)?;
        found(&inside)
    }
}

/// A person's checkout, with what differs from what Argo CD would see said.
fn as_it_lies(tree: &WorkingTree, url: &str, revision: &str, path: RepoPath, notes: &mut Vec<String>) -> Result<Found> {
    let state = tree.state().ok();
    let name = tree
        .root()
        .file_name()
        .map_or_else(|| "checkout".to_owned(), |name| name.to_string_lossy().into_owned());
    let mut differs = Vec::new();
    if state.as_ref().is_some_and(|state| state.dirty) {
        differs.push("it has uncommitted changes".to_owned());
    }
    match &state {
        None => differs.push("it has no commit".to_owned()),
        Some(_) if !tree.is_at(revision) => differs.push(format!("it is not at `{revision}`")),
        Some(_) => {}
    }
    if !differs.is_empty() {
        notes.push(format!(
            "`{url}` is taken from the checkout `{name}` as it lies: {}",
            differs.join(" and ")
        ));
    }
    Ok(Found {
        checkout: Checkout::open(tree.root())?,
        path,
        revision: state.map(|state| state.commit),
    })
}
