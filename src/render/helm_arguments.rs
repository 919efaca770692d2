//! The arguments of `helm template`: exactly those that Argo CD's repo-server gives
//! ([source](https://github.com/argoproj/argo-cd/blob/master/util/helm/cmd.go), `template`).

use anyhow::{Result, anyhow, bail};

use super::Request;
use super::substitute::substitute;
use crate::failure::HintExt;
use crate::repo::{Files, RepoPath};

/// One argument of helm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    /// As it stands.
    Text(String),
    /// A file of the checkout; the door makes its path absolute.
    File(RepoPath),
    /// A temporary file with this text.
    Temporary(String),
}

/// One call of `helm template .` in a chart's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelmCall {
    /// The chart's folder in the checkout.
    pub chart: RepoPath,
    /// What stands after `helm template .`.
    pub arguments: Vec<Argument>,
    /// Texts that came from the person's values; no error message may show them.
    pub confidential: Vec<String>,
}

/// The call for a request.
///
/// # Errors
/// When a value file lies outside the checkout or is not there.
pub fn call(request: &Request, files: &dyn Files) -> Result<HelmCall> {
    let parameters = &request.parameters;
    let mut arguments = Vec::new();
    let mut text = |part: &str| arguments.push(Argument::Text(part.to_owned()));
    text("--name-template");
    text(parameters.release_name.as_deref().unwrap_or(request.app.as_str()));
    if let Some(namespace) = parameters.namespace.as_ref().or(request.destination.as_ref()) {
        text("--namespace");
        text(namespace.as_str());
    }
    if let Some(version) = parameters.kube_version.as_ref().or(request.kube_version.as_ref()) {
        text("--kube-version");
        text(&plain_version(version));
    }
    let mut confidential = Vec::new();
    for (name, value) in &parameters.helm_parameters {
        let value = clean(&substitute(value, &request.variables));
        text("--set");
        text(&format!("{name}={value}"));
        confidential.push(value);
    }
    for file in &parameters.values_files {
        arguments.push(Argument::Text("--values".to_owned()));
        arguments.push(value_file(request, files, &substitute(file, &request.variables))?);
    }
    if let Some(values) = &parameters.values {
        arguments.push(Argument::Text("--values".to_owned()));
        arguments.push(Argument::Temporary(values.clone()));
        confidential.extend(
            values
                .lines()
                .filter_map(|line| Some(line.split_once(':')?.1.trim().to_owned())),
        );
    }
    let mut api_versions = if parameters.api_versions.is_empty() {
        &request.api_versions
    } else {
        &parameters.api_versions
    }
    .clone();
    api_versions.sort();
    for version in api_versions {
        arguments.extend([Argument::Text("--api-versions".to_owned()), Argument::Text(version)]);
    }
    if !parameters.skip_crds {
        arguments.push(Argument::Text("--include-crds".to_owned()));
    }
    confidential.retain(|value| !value.is_empty());
    Ok(HelmCall {
        chart: request.source_path.clone(),
        arguments,
        confidential,
    })
}

/// A comma in a value is one, not the beginning of the next value; a list in braces stays as it is
/// ([source](https://github.com/argoproj/argo-cd/blob/master/util/helm/cmd.go), `cleanSetParameters`).
fn clean(value: &str) -> String {
    if value.starts_with('{') && value.ends_with('}') {
        return value.to_owned();
    }
    let (mut out, mut escaped) = (String::with_capacity(value.len()), false);
    for c in value.chars() {
        if c == ',' && !escaped {
            out.push('\\');
        }
        out.push(c);
        escaped = c == '\\';
    }
    out
}

/// `1.30.5` of `v1.30.5-gke.100` or `1.30.5+k3s1`, as Argo CD passes it on.
fn plain_version(version: &str) -> String {
    let plain = version.trim_start_matches('v');
    plain.split(['-', '+']).next().unwrap_or(plain).to_owned()
}

/// A value file: a URL, a path from the chart, or with a leading `/` one from the repository's root.
fn value_file(request: &Request, files: &dyn Files, name: &str) -> Result<Argument> {
    if let Some((scheme, _)) = name.split_once("://") {
        if matches!(scheme, "http" | "https") {
            return Ok(Argument::Text(name.to_owned()));
        }
        bail!("value file `{name}`: the scheme `{scheme}` is not allowed; http and https are");
    }
    let outside = || anyhow!("value file `{name}` lies outside the repository");
    let path = match name.strip_prefix('/') {
        Some(from_root) => {
            let path = RepoPath::new(from_root).map_err(|_| outside())?;
            if !path.is_in(&request.prefix) {
                return Err(
                    anyhow!("value file `{name}` is not in what Argo CD sent to the plugin").hint(format!(
                        "add `{name}` to the annotation `{}`",
                        crate::model::application::GENERATE_PATHS
                    )),
                );
            }
            RepoPath::new(&path.as_str()[request.prefix.as_str().len()..])?
        }
        None => request.source_path.join(name).map_err(|_| outside())?,
    };
    if files.read(&path)?.is_none() {
        bail!("value file `{name}` does not exist");
    }
    Ok(Argument::File(path))
}

/// The files of the checkout besides the source's own folder that a render reads: value files, and what the chart's
/// `file://` dependencies point at.
///
/// # Errors
/// When the chart's metadata cannot be read, or something lies outside the checkout.
pub fn reads(request: &Request, files: &dyn Files) -> Result<Vec<RepoPath>> {
    let call = call(request, files)?;
    let mut reads: Vec<RepoPath> = call
        .arguments
        .into_iter()
        .filter_map(|argument| {
            if let Argument::File(path) = argument {
                Some(path)
            } else {
                None
            }
        })
        .collect();
    let chart = request.source_path.join("Chart.yaml")?;
    let bytes = files.read(&chart)?.unwrap_or_default();
    let tree = std::str::from_utf8(&bytes)
        .ok()
        .and_then(|text| crate::yaml::value(text).ok().flatten());
    let dependencies = tree.as_ref().and_then(|tree| tree.get("dependencies")?.as_array());
    for repository in dependencies
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.get("repository")?.as_str())
    {
        if let Some(path) = repository.strip_prefix("file://") {
            reads.push(request.source_path.join(path)?);
        }
    }
    reads.retain(|path| !path.is_in(&request.source_path));
    reads.sort();
    reads.dedup();
    Ok(reads)
}
