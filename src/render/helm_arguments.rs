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
    /// The repositories of the chart's dependencies: URLs, aliases, `file://` paths.
    pub dependencies: Vec<String>,
}

impl HelmCall {
    /// The first value file that helm would fetch from the network.
    pub fn fetched_values(&self) -> Option<&str> {
        let urls = self.arguments.windows(2).filter_map(|pair| match pair {
            [Argument::Text(flag), Argument::Text(url)] if flag == "--values" => Some(url.as_str()),
            _ => None,
        });
        urls.into_iter().next()
    }
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
        let (argument, text) = value_file(request, files, &substitute(file, &request.variables))?;
        confidential.extend(secrets(&text));
        arguments.push(argument);
    }
    if let Some(values) = &parameters.values {
        arguments.push(Argument::Text("--values".to_owned()));
        arguments.push(Argument::Temporary(values.clone()));
        confidential.extend(values.lines().filter_map(|line| Some(entry(line)?.1)));
    }
    let defaults = files
        .read(&request.source_path.join("values.yaml")?)?
        .unwrap_or_default();
    confidential.extend(secrets(&String::from_utf8_lossy(&defaults)));
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
        dependencies: dependencies(request, files)?,
    })
}

/// A line of values as key and value, or an item of a list or a line of a block without a key. Only to keep values out of
/// messages, so that a glance is enough.
fn entry(line: &str) -> Option<(&str, String)> {
    let line = line.trim().trim_start_matches("- ");
    let (key, value) = line.split_once(": ").unwrap_or(("", line));
    let value = value.trim().trim_matches(['"', '\'']);
    let shows = !value.ends_with(':') && !matches!(value, "" | "true" | "false" | "null" | "{}" | "[]" | "|" | ">");
    (shows && !line.starts_with('#')).then(|| (key, value.to_owned()))
}

/// The values of a file whose keys say that they are secret: an author's `fail` may quote them.
fn secrets(text: &str) -> impl Iterator<Item = String> {
    const WORDS: [&str; 7] = [
        "password",
        "passwd",
        "secret",
        "token",
        "apikey",
        "privatekey",
        "credential",
    ];
    text.lines().filter_map(|line| {
        let (key, value) = entry(line)?;
        let key = key.replace(['_', '-', '"', '\''], "").to_ascii_lowercase();
        // `existingSecret` and `secretName` name an object.
        let names = ["name", "ref", "existingsecret"].iter().any(|end| key.ends_with(end));
        (!names && WORDS.iter().any(|word| key.contains(word))).then_some(value)
    })
}

/// The repositories of the dependencies in `Chart.yaml`, or in the `requirements.yaml` of an old chart.
fn dependencies(request: &Request, files: &dyn Files) -> Result<Vec<String>> {
    let mut repositories = Vec::new();
    for file in ["Chart.yaml", "requirements.yaml"] {
        let bytes = files.read(&request.source_path.join(file)?)?.unwrap_or_default();
        let tree = std::str::from_utf8(&bytes)
            .ok()
            .and_then(|text| crate::yaml::value(text).ok().flatten());
        let entries = tree.as_ref().and_then(|tree| tree.get("dependencies")?.as_array());
        let named = entries
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.get("repository")?.as_str());
        repositories.extend(named.filter(|repository| !repository.is_empty()).map(str::to_owned));
    }
    Ok(repositories)
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
/// With the text of one in the checkout.
fn value_file(request: &Request, files: &dyn Files, name: &str) -> Result<(Argument, String)> {
    if let Some((scheme, _)) = name.split_once("://") {
        if matches!(scheme, "http" | "https") {
            return Ok((Argument::Text(name.to_owned()), String::new()));
        }
        bail!("value file `{name}`: the scheme `{scheme}` is not allowed; http and https are");
    }
    // Argo CD may have sent a part of the repository: the path is one of the whole.
    let whole = match name.strip_prefix('/') {
        Some(from_root) => RepoPath::new(from_root),
        None => request
            .prefix
            .join(request.source_path.as_str())
            .and_then(|chart| chart.join(name)),
    };
    let whole = whole.map_err(|_| anyhow!("value file `{name}` lies outside the repository"))?;
    if !whole.is_in(&request.prefix) {
        return Err(
            anyhow!("value file `{name}` is not in what Argo CD sent to the plugin").hint(format!(
                "add `/{whole}` to the annotation `{}`",
                crate::model::application::GENERATE_PATHS
            )),
        );
    }
    let path = RepoPath::new(&whole.as_str()[request.prefix.as_str().len()..])?;
    match files.read(&path)? {
        Some(bytes) => Ok((Argument::File(path), String::from_utf8_lossy(&bytes).into_owned())),
        None => bail!("value file `{name}` does not exist"),
    }
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
    for repository in call.dependencies {
        if let Some(path) = repository.strip_prefix("file://") {
            reads.push(request.source_path.join(path)?);
        }
    }
    reads.retain(|path| !path.is_in(&request.source_path));
    reads.sort();
    reads.dedup();
    Ok(reads)
}
