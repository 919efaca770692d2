//! Renders an Application: returns what Argo CD's repo-server would return, with the storage rules applied.
//!
//! The module runs no programs and reads no disk: [`Renderers`] run them, [`Files`] reads the checkout.

pub mod confidential;
mod confined;
pub mod directory;
mod glob;
pub mod helm_arguments;
pub mod kustomize_call;
pub mod kustomize_graph;
mod registry;
pub mod schema;
pub mod storage_pass;
pub mod trees;
pub mod unknown_values;
mod value_files;

use std::collections::BTreeMap;

use anyhow::{Result, anyhow, bail};

use crate::failure::HintExt;
use crate::law::StorageRules;
use crate::model::namespace::Registries;
use crate::model::parameter::{Parameters, claims};
use crate::model::substitute::is_lossy;
use crate::model::{AppName, NamespaceName, Object};
use crate::repo::{Files, RepoPath, SourceType};

pub use helm_arguments::{Argument, HelmCall};
pub use kustomize_call::KustomizeCall;
pub use registry::Owners;
pub use storage_pass::{Input, Output, Stream};
pub use trees::{Tree, Trees};

/// A program that renders sources of one kind, as [`crate::helm`] those of a [`HelmCall`].
pub trait Renderer<Call> {
    /// Runs the program and returns its standard output, with remarks for the user.
    ///
    /// # Errors
    /// When the program is not there, fails, or takes too long; the message has neither values nor temporary paths.
    fn render(&self, call: &Call) -> Result<Raw>;
}

/// What a program renders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Raw {
    /// The stream of objects.
    pub text: String,
    /// Remarks for the user.
    pub notes: Vec<String>,
    /// Whether the same call gives the same stream the next time, as far as it depends on what is read: nothing came from the
    /// network without a digest or a lock.
    pub is_settled: bool,
}

/// The programs that render sources, one for each kind of source that needs one.
#[derive(Clone, Copy)]
pub struct Renderers<'r> {
    /// Renders charts.
    pub helm: &'r dyn Renderer<HelmCall>,
    /// Builds Kustomize folders.
    pub kustomize: &'r dyn Renderer<KustomizeCall>,
    /// Knows the Applications of the repository that the source belongs to.
    pub owners: &'r dyn Owners,
}

/// A source to render, with its parameters.
#[derive(Clone, Debug)]
pub struct Request {
    /// The Application.
    pub app: AppName,
    /// Its destination namespace; none for Applications of cluster-wide objects.
    pub destination: Option<NamespaceName>,
    /// The source's folder in the checkout.
    pub source_path: RepoPath,
    /// The folder of the repository that is the checkout's root: empty, unless Argo CD sent a part of the repository.
    pub prefix: RepoPath,
    /// What the source says that it is; what is in the folder decides where it says nothing.
    pub source_type: Option<SourceType>,
    /// The plugin's parameters; the defaults for a source that the plugin does not render.
    pub parameters: Parameters,
    /// The cluster's Kubernetes version, as `1.36.1`.
    pub kube_version: Option<String>,
    /// The cluster's API versions, as `group/version[/Kind]`.
    pub api_versions: Vec<String>,
    /// The variables that replace `$NAME` in parameters and value file names: `ARGOCD_APP_*`.
    pub variables: BTreeMap<String, String>,
    /// Whether the storage rules are applied; without them the render is what Helm or the folder returns.
    pub storage_rules: bool,
    /// Whether the objects are for the rules of `validate`, which report what the storage rules would refuse.
    pub for_rules: bool,
}

impl Request {
    /// Returns the source's folder in the whole repository.
    ///
    /// # Errors
    /// Never, for paths that were read as paths.
    fn chart(&self) -> Result<RepoPath> {
        self.prefix.join(self.source_path.as_str())
    }
}

/// Renders a source.
///
/// # Errors
/// When the source cannot be rendered, helm fails, an object is incomplete, or the storage rules refuse something.
/// Nothing is ever rendered in part.
pub fn render<'f>(request: &Request, trees: impl Into<Trees<'f>>, renderers: Renderers<'_>) -> Result<Output> {
    let trees = trees.into();
    let files = trees.source;
    let detected = match trees.chart {
        Some(_) => chart_beside(files, &request.source_path)?,
        None => source_type(request, files)?,
    };
    check_parameters(request, detected)?;
    let Raw { text: raw, notes, .. } = match detected {
        SourceType::Helm => renderers.helm.render(&helm_arguments::call(request, trees)?)?,
        SourceType::Kustomize => renderers.kustomize.render(&kustomize_call::call(request, files)?)?,
        SourceType::Directory => Raw {
            text: directory::read(files, &request.source_path, &request.parameters, !request.storage_rules)?,
            notes: Vec::new(),
            is_settled: true,
        },
    };
    let mut output = finished(request, files, raw, renderers.owners)?;
    output.notes.splice(0..0, lost_variables(request).chain(notes));
    Ok(output)
}

/// Returns a remark for each value in which a `$` names no variable of Argo CD. Neither the value nor the name is in it: it may
/// be a part of a password.
fn lost_variables(request: &Request) -> impl Iterator<Item = String> {
    let lists = [
        ("helm-parameters", &request.parameters.helm_parameters),
        ("helm-string-parameters", &request.parameters.helm_string_parameters),
    ];
    let values = lists
        .into_iter()
        .flat_map(|(list, values)| values.iter().map(move |value| (list, value)));
    let lost = values.filter(|(_, (_, value))| is_lossy(value, &request.variables));
    let app = &request.app;
    lost.map(move |(list, (name, _))| {
        format!("Application `{app}`: a `$` in `{list}`, `{name}`, names no variable of Argo CD and is empty there; `$$` is a dollar")
    })
}

/// Applies the storage rules to a stream, where the request asks for them.
fn finished(request: &Request, files: &dyn Files, raw: String, owners: &dyn Owners) -> Result<Output> {
    let parameters = &request.parameters;
    if !request.storage_rules {
        return storage_pass::untouched(raw, parameters.allow_empty);
    }
    let claims = parameters.claims.iter();
    let claims: Vec<Object> = claims.map(|(path, spec)| claims::object(path, spec)).collect();
    let input = Input {
        raw,
        claims: &claims,
        patches: &parameters.patches,
        allow_empty: parameters.allow_empty,
    };
    storage_pass::apply_with(input, |stream| {
        let registries = if stream.has_namespace() {
            registry::registries(request, files, owners)?
        } else {
            None
        };
        rules(request, registries)
    })
}

/// Returns the storage rules of an Application. One without a destination namespace can have no claims.
fn rules(request: &Request, registries: Option<Registries>) -> Result<StorageRules> {
    let parameters = &request.parameters;
    let named = parameters.owns.iter().chain(&parameters.writes);
    let mut named = named.chain(&parameters.releases);
    let mut mounts = parameters.mounts.iter();
    let has_claims = mounts.any(|mount| mount.namespace.is_none()) || named.any(|claim| claim.namespace.is_none());
    let destination = match &request.destination {
        Some(namespace) => namespace.clone(),
        None if has_claims => {
            return Err(anyhow!("the Application has claims and no destination namespace")
                .hint("set `spec.destination.namespace`"));
        }
        // Kubernetes puts objects without a namespace there.
        None => NamespaceName::new("default")?,
    };
    Ok(StorageRules {
        for_rules: request.for_rules,
        ..StorageRules::new(request.app.clone(), destination, parameters, registries)?
    })
}

/// Returns the files and folders of the checkout outside the source's folder that a render reads.
///
/// # Errors
/// When the source cannot be read, or would lead out of the checkout.
pub fn reads<'f>(request: &Request, trees: impl Into<Trees<'f>>) -> Result<Vec<RepoPath>> {
    let trees = trees.into();
    let files = trees.source;
    if request.parameters.chart.is_some() {
        return helm_arguments::reads(request, trees);
    }
    match source_type(request, files)? {
        SourceType::Helm => helm_arguments::reads(request, trees),
        SourceType::Kustomize => kustomize_call::reads(request, files),
        SourceType::Directory => Ok(Vec::new()),
    }
}

/// Refuses parameters that have no effect on a source of this type.
fn check_parameters(request: &Request, source_type: SourceType) -> Result<()> {
    let (parameters, path) = (&request.parameters, &request.source_path);
    let is_for_a_folder = parameters.recurse || parameters.include.is_some() || parameters.exclude.is_some();
    let is_built = match source_type {
        SourceType::Helm => "a chart",
        SourceType::Kustomize => "a Kustomize folder",
        SourceType::Directory => "a folder of manifests",
    };
    if is_for_a_folder && source_type != SourceType::Directory {
        bail!("`recurse`, `include` and `exclude` are for folders of manifests, and `{path}` is {is_built}");
    }
    match parameters.kustomize.first_given() {
        Some(name) if source_type != SourceType::Kustomize => {
            bail!("`{name}` is for Kustomize folders, and `{path}` is {is_built}")
        }
        _ => Ok(()),
    }
}

/// Returns the error of a source whose folder is not there.
fn no_path(path: &RepoPath) -> anyhow::Error {
    anyhow!("app path does not exist: `{path}`")
        .hint("correct the `path` of the source, or bring the checkout up to date")
}

/// Returns the error of something in the checkout that git leaves out.
fn ignored(what: &str, path: &RepoPath) -> anyhow::Error {
    anyhow!("{what} is ignored by git: Argo CD does not have it").hint(format!(
        "name something that git has; if everybody may read this, add it with `git add --force {path}`"
    ))
}

/// Returns the type of a source whose chart is pulled: whatever else is in its folder, the chart is rendered. The folder has to
/// be there.
fn chart_beside(files: &dyn Files, path: &RepoPath) -> Result<SourceType> {
    match files.listed(path)? {
        Some(_) => Ok(SourceType::Helm),
        None => Err(no_path(path)),
    }
}

/// Returns the type of a source: what it says itself, else what Argo CD takes its folder for
/// ([source](https://argo-cd.readthedocs.io/en/stable/user-guide/tool_detection/)).
fn source_type(request: &Request, files: &dyn Files) -> Result<SourceType> {
    let path = &request.source_path;
    let Some(detected) = SourceType::of(files, path)? else {
        return Err(no_path(path));
    };
    Ok(request.source_type.unwrap_or(detected))
}

#[cfg(test)]
mod tests;
