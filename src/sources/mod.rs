//! What Applications render, and where their sources come from: for every Application of a repository its render, or why
//! there is none.
//!
//! ```text
//! desired  the Applications that Argo CD would have        parents  which renders may hold Applications
//! resolve  a source → its files: checkout, cache, network
//! request  a source → a request for `render`                 snapshot the repository at a revision
//! sets     the ApplicationSets and what they generate        renders  the answers for commands that edit
//! sent     the part of a repository that a plugin gets        opened   a working tree: its files and URLs
//! options  how to render                                     owners   the Applications, for the registry on Namespaces
//! changed  a checkout with changes that are not written yet
//! each     the renders of many Applications
//! touched  which Applications a change can make differ         compared  the renders of two states
//! values   Helm values, held against their charts           unsearched  Applications that may bring others, not read for them
//! ```

mod changed;
mod compared;
mod desired;
mod each;
mod opened;
mod options;
mod owners;
mod parents;
mod renders;
mod request;
mod resolve;
mod sent;
mod sets;
mod snapshot;
mod source_dirs;
mod touched;
mod unsearched;
mod values;

use std::io::ErrorKind;

use anyhow::{Context, Result, bail};

use crate::disk::Checkout;
use crate::failure::{self, Failure};
use crate::helm::{Checkouts, KeptRenders, LazyHelm};
use crate::kustomize::Kustomize;
use crate::model::sidecar::SETTINGS;
use crate::model::{Application, Availability, Object, Source, Unavailable};
use crate::process::slots_folder;
use crate::render::{self, HelmCall, KustomizeCall, Output, Renderer, Renderers, Request};
use crate::repo::Repo;
use crate::repo::overrides::{self, Merged, Override, TwoTools};

pub use compared::{ComparedRenders, ComparedSources};
pub use desired::complete;
pub use opened::Opened;
pub use options::{ChartRenders, HelmOptions, Network, Options};
pub use owners::OwnersOf;
pub use sets::{ExpandedSet, expanded_sets};
pub use snapshot::Snapshot;
pub use source_dirs::{RevisedDirs, SourceDirs};
pub use touched::Touched;

use resolve::{OtherRevision, ResolvedSource, Resolver};
use source_dirs::is_meant;

/// The render of an Application.
#[derive(Clone, Debug)]
pub struct AppRender {
    /// The outputs of its sources, in their order.
    pub outputs: Vec<Output>,
    /// Remarks, such as a checkout that differs from what Argo CD sees.
    pub notes: Vec<String>,
}

/// How one Application is rendered.
#[derive(Clone, Copy, Default)]
struct How<'o> {
    /// Whether the rules of `validate` report what the storage rules would refuse.
    for_rules: bool,
    /// Overrides of a source that are not written yet.
    overrides: &'o [Override],
    /// Whether the storage rules are left out, whatever the source says.
    without_storage_rules: bool,
    /// Whether nothing is taken from the renders of the commands before, as what compares two renders to find random values needs.
    fresh: bool,
}

impl How<'_> {
    /// Returns how the rules of `validate` see an Application.
    fn for_rules() -> Self {
        Self {
            for_rules: true,
            ..Self::default()
        }
    }
}

/// The sources of one repository's Applications.
pub struct Sources<'s> {
    resolver: Resolver<'s>,
    options: &'s Options,
    /// The namespace of Argo CD itself.
    controller_namespace: String,
    /// The renders of the commands before.
    kept: Option<KeptRenders>,
}

impl<'s> Sources<'s> {
    /// Returns the sources of a repository that is in this checkout.
    pub fn new(repo: &'s Repo, checkout: &'s Checkout, dirs: &'s SourceDirs, options: &'s Options) -> Self {
        Self {
            resolver: Resolver::new(repo, checkout, dirs, options),
            options,
            controller_namespace: repo.controller_namespace().to_owned(),
            kept: options.charts.kept(),
        }
    }

    /// Returns the sources of a repository at a revision. Other repositories are taken from where they are for the working
    /// tree.
    pub fn of_snapshot(snapshot: &'s Snapshot, dirs: &'s SourceDirs, options: &'s Options) -> Self {
        let mut sources = Self::new(snapshot.repo(), snapshot.checkout(), dirs, options);
        sources.resolver = sources.resolver.with_snapshot(snapshot);
        sources
    }

    /// Renders all sources of an Application.
    ///
    /// # Errors
    /// [`Unavailable`] when a source is not available locally or another tool renders it; any other error when a source
    /// does not render, or the network fails.
    pub fn render(&self, app: &Application<'_>) -> Result<AppRender> {
        self.rendered(app, How::default())
    }

    fn rendered(&self, app: &Application<'_>, how: How<'_>) -> Result<AppRender> {
        let mut render = AppRender {
            outputs: Vec::new(),
            notes: Vec::new(),
        };
        let sources = app.sources();
        if sources.is_empty() {
            bail!("it has no source");
        }
        for (position, source) in (1..).zip(&sources) {
            if source.gives_files_only() {
                continue;
            }
            let output = self.render_source(app, source, how, &mut render.notes);
            render.outputs.push(match sources.len() {
                1 => output?,
                _ => output.with_context(|| format!("source {position}"))?,
            });
        }
        let notes = render.outputs.iter().flat_map(|output| output.notes.clone());
        render.notes.extend(notes);
        Ok(render)
    }

    fn render_source(
        &self,
        app: &Application<'_>,
        source: &Source<'_>,
        how: How<'_>,
        notes: &mut Vec<String>,
    ) -> Result<Output> {
        let is_worth_it = || refused(request::request(app, source).err());
        let resolved = self.resolver.resolve(source, notes, &is_worth_it)?;
        self.render_resolved(app, source, how, &resolved)
            .map_err(|error| explained(error, &resolved))
    }

    fn render_resolved(
        &self,
        app: &Application<'_>,
        source: &Source<'_>,
        how: How<'_>,
        resolved: &ResolvedSource,
    ) -> Result<Output> {
        let merged = self.merged(app, source, how, resolved)?;
        merged.check_tools()?;
        let source = Source::new(source.pointer.clone(), &merged.tree);
        let mut request = request::request(app, &source)?;
        request.for_rules = how.for_rules;
        request.storage_rules &= !how.without_storage_rules;
        self.complete(&mut request, app, &source, resolved);
        let checkouts = self.checkouts(app, &source, &request, resolved)?;
        let helm = LazyHelm {
            checkouts: checkouts.clone(),
            program: self.options.helm.program.clone(),
            network: self.options.network != Network::Never,
            cache: self.options.cache()?,
            bounded_in: self.options.for_plugin.then(slots_folder),
            deadline: None,
        };
        let kept = self.kept.as_ref().filter(|_| !how.fresh);
        let before = kept.map(|kept| kept.before(&helm));
        let helm = before.as_ref().map_or(&helm as &dyn Renderer<HelmCall>, |kept| kept);
        let kustomize = Kustomize {
            checkout: resolved.checkout.clone(),
            program: None,
            helm: self.options.helm.program.clone(),
            network: self.options.network != Network::Never,
            cache: self.options.cache()?,
            bounded_in: self.options.for_plugin.then(slots_folder),
            build_options: build_options(self.resolver.repo()),
        };
        let built = kept.map(|kept| kustomize.after(kept));
        let kustomize = built
            .as_ref()
            .map_or(&kustomize as &dyn Renderer<KustomizeCall>, |built| built);
        let is_here = self.options.revision.is_none() && resolved.checkout.root() == self.resolver.checkout().root();
        let known = is_here.then(|| self.resolver.repo());
        let owners = OwnersOf::new(&resolved.checkout, source.repo_url(), self.options).or_known(known);
        let renderers = Renderers {
            helm,
            kustomize,
            owners: &owners,
        };
        checkouts.with_trees(|trees| render::render(&request, trees, renderers))
    }

    /// Returns the trees that the render of a source reads: its own, the chart that it names, and those of the sources with a
    /// `ref` whose files it takes.
    fn checkouts(
        &self,
        app: &Application<'_>,
        source: &Source<'_>,
        request: &Request,
        resolved: &ResolvedSource,
    ) -> Result<Checkouts> {
        let mut checkouts = Checkouts::from(resolved.checkout.clone());
        if let Some(chart) = &request.parameters.chart {
            checkouts.chart = Some(self.resolver.pinned_chart(chart)?.checkout.clone());
        }
        if source.plugin().is_none() {
            for reference in request::references(app, &request.parameters)? {
                let name = reference.reference().unwrap_or_default().to_owned();
                let checkout = self.resolver.reference(&reference, &mut Vec::new());
                let checkout = checkout.with_context(|| format!("`ref: {name}`"))?;
                checkouts.references.push((name, checkout));
            }
        }
        Ok(checkouts)
    }

    /// Returns a source with the overrides of its folder.
    fn merged(
        &self,
        app: &Application<'_>,
        source: &Source<'_>,
        how: How<'_>,
        resolved: &ResolvedSource,
    ) -> Result<Merged> {
        let is_here = |one: &&Override| one.file.parent() == resolved.path;
        let unwritten: Vec<Override> = how.overrides.iter().filter(is_here).cloned().collect();
        if !unwritten.is_empty() && self.resolver.repo().is_own(source.repo_url()) {
            return overrides::merge(source.tree(), &unwritten);
        }
        let instance = app.instance(&self.controller_namespace);
        overrides::apply(source.tree(), &instance, &resolved.checkout, &resolved.path)
    }

    /// Fills in what the Application and the command line set besides the source.
    fn complete(&self, request: &mut Request, app: &Application<'_>, source: &Source<'_>, resolved: &ResolvedSource) {
        request.source_path = resolved.path.clone();
        request.kube_version.clone_from(&self.options.helm.kube_version);
        request.api_versions.clone_from(&self.options.helm.api_versions);
        request.storage_rules &= !self.options.without_storage_rules;
        request
            .parameters
            .values_files
            .extend(self.options.values.iter().cloned());
        let revision = resolved.revision.clone().unwrap_or_default();
        let short = |length: usize| revision.get(..length).unwrap_or(&revision).to_owned();
        let variables = [
            ("ARGOCD_APP_NAME", app.instance(&self.controller_namespace)),
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
}

/// Returns the options of `kustomize build` that Argo CD's own settings in a repository set.
fn build_options(repo: &Repo) -> Option<String> {
    let mut objects = repo.manifests.iter().map(|manifest| &manifest.object);
    let settings = objects.find(|object| object.kind() == "ConfigMap" && object.name() == SETTINGS)?;
    let options = settings.tree().get("data")?.get("kustomize.buildOptions")?;
    options.as_str().map(str::to_owned)
}

/// Returns the result of a render, or why there is none.
pub fn availability<T>(result: Result<T>) -> Availability<T> {
    result.map_or_else(
        |error| match failure::find::<Unavailable>(&error) {
            Some(unavailable) => Availability::Unavailable(unavailable.clone()),
            None => {
                let rule = failure::find::<TwoTools>(&error).map(|_| TwoTools::RULE);
                let failure = Failure::from(error);
                Availability::Failed {
                    message: failure.one_line(),
                    hint: failure.hints.into_iter().next(),
                    rule,
                }
            }
        },
        Availability::Available,
    )
}

/// Adds remarks that were not made yet: many Applications share one checkout.
pub fn add_new(notes: &mut Vec<String>, remarks: Vec<String>) {
    for remark in remarks {
        if !notes.contains(&remark) {
            notes.push(remark);
        }
    }
}

/// Returns an error if it says that a source is refused whatever is in it.
fn refused(error: Option<anyhow::Error>) -> Result<()> {
    let refused = error.filter(|error| failure::find::<Unavailable>(error).is_some());
    refused.map_or(Ok(()), Err)
}

/// Returns the reason why a source does not render that is there: a file that cannot be read, a checkout at another revision
/// than the one that Argo CD reads, or a fault of the source itself.
fn explained(error: anyhow::Error, resolved: &ResolvedSource) -> anyhow::Error {
    if failure::find::<Unavailable>(&error).is_some() {
        return error;
    }
    if failure::find::<std::io::Error>(&error).is_some_and(|error| error.kind() == ErrorKind::PermissionDenied) {
        let message = Failure::from(error).one_line();
        return Unavailable::Unreadable { message }.into_error();
    }
    let Some(OtherRevision { checkout, revision }) = &resolved.differs else {
        return error;
    };
    Unavailable::OtherRevision {
        checkout: checkout.clone(),
        revision: revision.clone(),
        message: Failure::from(error).one_line(),
    }
    .into_error()
}

fn flat(outputs: &[Output], objects: impl Fn(&Output) -> Result<Vec<Object>>) -> Result<Vec<Object>> {
    let lists: Result<Vec<Vec<Object>>> = outputs.iter().map(objects).collect();
    Ok(lists?.into_iter().flatten().collect())
}
