//! The plugin's entry: what `argocd-cmp-server` calls. Turns `ARGOCD_*` into a request; everything else is the core's.
//!
//! The contract: <https://argo-cd.readthedocs.io/en/stable/operator-manual/config-management-plugins/>. Standard output
//! carries Kubernetes objects and nothing else, and only when the whole render is right; a failure is one line on
//! standard error, which Argo CD shows to everybody who can see the Application.
#![expect(
    clippy::disallowed_methods,
    reason = "the environment is how Argo CD speaks to a plugin"
)]

mod announcement;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use serde_json::Value;

use crate::disk::{self, Checkout};
use crate::failure::HintExt;
use crate::helm::{self, ChartOptions, Charts, Checkouts, LazyHelm};
use crate::kustomize::Kustomize;
use crate::model::parameter::{self, ParameterError, Parameters};
use crate::model::{AppName, NamespaceName};
use crate::process::{SignalGuard, slots_folder};
use crate::render::{self, Output, Renderers, Request};
use crate::repo::RepoPath;
use crate::sources::{HelmOptions, Network, Options, OwnersOf};
use crate::time::Deadline;

pub use announcement::announcement;

/// The variables that Argo CD sets for a plugin.
pub type Environment = BTreeMap<String, String>;

/// Returns the environment of this process, without what is not UTF-8.
pub fn environment() -> Environment {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Renders the source that Argo CD asks for, in its folder.
///
/// # Errors
/// Those of [`render::render`], and when the environment is not what Argo CD gives.
pub fn generate(environment: &Environment, folder: &Path) -> Result<Output> {
    let (checkout, request) = request(environment, folder)?;
    let deadline = Deadline::after(helm::timeout()?);
    // Dropped last: what is unpacked is removed before a signal ends the process.
    let _signals = SignalGuard::new()?;
    let charts = Charts::new(ChartOptions {
        cache: disk::named_cache()?,
        network: true,
        bounded_in: Some(slots_folder()),
        ..ChartOptions::default()
    });
    let chart = request.parameters.chart.as_ref();
    let chart = chart
        .map(|chart| charts.pinned(chart, deadline, &|| Ok(())))
        .transpose()?;
    let checkouts = Checkouts {
        chart: chart.map(|chart| chart.checkout.clone()),
        ..Checkouts::from(checkout.clone())
    };
    let helm = LazyHelm {
        checkouts: checkouts.clone(),
        program: None,
        network: true,
        cache: disk::named_cache()?,
        bounded_in: Some(slots_folder()),
        deadline: Some(deadline),
    };
    let kustomize = Kustomize {
        checkout: checkout.clone(),
        program: None,
        helm: None,
        network: true,
        cache: disk::named_cache()?,
        bounded_in: Some(slots_folder()),
        build_options: None,
    };
    let options = Options {
        network: Network::WhenMissing,
        helm: HelmOptions {
            kube_version: request.kube_version.clone(),
            api_versions: request.api_versions.clone(),
            ..HelmOptions::default()
        },
        for_plugin: true,
        ..Options::default()
    };
    let url = environment.get("ARGOCD_APP_SOURCE_REPO_URL").map_or("", String::as_str);
    let owners = OwnersOf::new(&checkout, url, &options).in_folder(request.prefix.clone());
    let renderers = Renderers {
        helm: &helm,
        kustomize: &kustomize,
        owners: &owners,
    };
    checkouts.with_trees(|trees| render::render(&request, trees, renderers))
}

fn request(environment: &Environment, folder: &Path) -> Result<(Checkout, Request)> {
    let get = |name: &str| {
        environment
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    };
    let instance = get("ARGOCD_APP_NAME").ok_or_else(|| {
        anyhow!("`ARGOCD_APP_NAME` is not set")
            .hint("this command is for Argo CD; run `kubectl homelab render APP` instead")
    })?;
    let source_path = RepoPath::new(get("ARGOCD_APP_SOURCE_PATH").unwrap_or("."))?;
    let (root, source_path, prefix) = locate(folder, &source_path)?;
    // As for native Helm: what describes the Application, and not the parameters themselves.
    let variables = environment
        .iter()
        .filter(|(name, _)| name.starts_with("ARGOCD_APP_") && *name != "ARGOCD_APP_PARAMETERS");
    let api_versions = get("KUBE_API_VERSIONS")
        .unwrap_or_default()
        .split(',')
        .filter(|version| !version.is_empty());
    let request = Request {
        app: AppName::from_instance(instance)?,
        destination: get("ARGOCD_APP_NAMESPACE").map(NamespaceName::new).transpose()?,
        source_path,
        prefix,
        source_type: None,
        parameters: parameters(get("ARGOCD_APP_PARAMETERS"))?,
        kube_version: get("KUBE_VERSION").map(str::to_owned),
        api_versions: api_versions.map(str::to_owned).collect(),
        variables: variables.map(|(name, value)| (name.clone(), value.clone())).collect(),
        storage_rules: true,
        for_rules: false,
    };
    Ok((root, request))
}

/// Returns the root of what Argo CD sent: the working directory without the longest common end with the source's path.
/// What is left of that path is where the root is in the repository: Argo CD sends a part of the tree when configured
/// to use `manifest-generate-paths`.
fn locate(folder: &Path, source_path: &RepoPath) -> Result<(Checkout, RepoPath, RepoPath)> {
    let folder = Checkout::open(folder)?.root().to_owned();
    let wanted: Vec<&str> = source_path.parts().collect();
    let mut root: PathBuf = folder.clone();
    let mut common = 0;
    while common < wanted.len()
        && root
            .file_name()
            .is_some_and(|name| name == wanted[wanted.len() - 1 - common])
        && root.pop()
    {
        common += 1;
    }
    let (prefix, below) = wanted.split_at(wanted.len() - common);
    Ok((
        Checkout::open(&root)?,
        RepoPath::new(&below.join("/"))?,
        RepoPath::new(&prefix.join("/"))?,
    ))
}

/// Reads the parameters from JSON; absent and `null` are none.
fn parameters(json: Option<&str>) -> Result<Parameters> {
    let tree: Value = match json {
        None => Value::Null,
        Some(json) => serde_json::from_str(json).map_err(|error| {
            anyhow!(
                "`ARGOCD_APP_PARAMETERS` is not JSON: line {}, column {}",
                error.line(),
                error.column()
            )
        })?,
    };
    let list = parameter::read(&tree).and_then(|list| Parameters::parse(&list));
    list.map_err(|errors| anyhow!(ParameterError::line(&errors)))
}

/// Renders a failure as the one line that Argo CD's users see: no temporary folder of the server, no line ends.
pub fn complaint(failure: &crate::failure::Failure, folder: &Path) -> String {
    let mut line = failure.one_line();
    for folder in folder
        .ancestors()
        .filter(|folder| folder.parent().is_some_and(|parent| parent.ends_with("_cmp_server")))
    {
        line = line.replace(&format!("{}/", folder.display()), "");
    }
    if failure.hints.is_empty() {
        line
    } else {
        format!("{line} ({})", failure.hints.join("; "))
    }
}

/// Returns the folder of the source: Argo CD runs a plugin there.
///
/// # Errors
/// When the working directory cannot be determined.
pub fn folder() -> Result<PathBuf> {
    std::env::current_dir().context("cannot determine the working directory")
}

#[cfg(test)]
mod tests;
