//! The arguments of `helm template`: exactly those that Argo CD's repo-server passes
//! ([source](https://github.com/argoproj/argo-cd/blob/master/util/helm/cmd.go), `template`).

use anyhow::{Result, bail};

use super::Request;
use super::confidential::Confidential;
use super::confined;
use super::trees::{Tree, Trees};
use super::value_files::{self, Place};
use crate::model::substitute::substitute;
use crate::repo::RepoPath;

/// One argument of helm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    /// A literal text.
    Text(String),
    /// A value file of a tree; the adapter makes its path absolute and passes it as a [`list_entry`].
    File(Tree, RepoPath),
    /// The name of a value and the file of a tree that contains it; the adapter makes the path absolute and passes both as
    /// a [`file_value`].
    SetFile(String, Tree, RepoPath),
    /// A temporary file with this text.
    Temporary(String),
}

/// One call of `helm template .` in a chart's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelmCall {
    /// The tree that the chart is in.
    pub tree: Tree,
    /// The chart's folder in it.
    pub chart: RepoPath,
    /// The arguments after `helm template .`.
    pub arguments: Vec<Argument>,
    /// The texts from the user's values; no error message may show them.
    pub confidential: Confidential,
    /// Whether the newest dependencies that the chart allows are fetched first.
    pub dependency_update: bool,
    /// Whether the values are not held against the chart's schemas.
    pub skip_schema_validation: bool,
}

impl HelmCall {
    /// Reports whether helm is told a version of Kubernetes, and does not take its own default.
    pub fn has_kubernetes_version(&self) -> bool {
        let is_flag = |argument: &Argument| matches!(argument, Argument::Text(text) if text == "--kube-version");
        self.arguments.iter().any(is_flag)
    }

    /// Returns the first value file that helm would fetch from the network.
    pub fn fetched_values(&self) -> Option<&str> {
        self.arguments.windows(2).find_map(|pair| match pair {
            [Argument::Text(flag), Argument::Text(url)] if flag == "--values" => Some(url.as_str()),
            [Argument::Text(flag), Argument::Text(value)] if flag == "--set-file" => Some(value.split_once('=')?.1),
            _ => None,
        })
    }
}

/// Quotes a file for `--values`, which takes a list separated by commas as in CSV: the result is one entry, whatever
/// the file's name contains.
pub fn list_entry(file: &str) -> String {
    if file.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", file.replace('"', "\"\""))
    } else {
        file.to_owned()
    }
}

/// Quotes a name and a file for `--set-file`, which takes a list of `name=file` separated by commas: the result is one
/// entry, whatever the file's name contains.
pub fn file_value(name: &str, file: &str) -> String {
    format!("{name}={}", file.replace('\\', "\\\\").replace(',', "\\,"))
}

/// Builds the call for a request.
///
/// # Errors
/// When helm would read something outside the checkout, or a value file is not there.
pub fn call<'f>(request: &Request, trees: impl Into<Trees<'f>>) -> Result<HelmCall> {
    let trees = trees.into();
    confined::check(request, trees)?;
    let parameters = &request.parameters;
    let mut arguments = Vec::new();
    let mut confidential = Confidential::default();
    let release = parameters.release_name.as_deref().unwrap_or(request.app.as_str());
    arguments.extend(option("--name-template", release_name(release)?));
    if let Some(namespace) = parameters.namespace.as_ref().or(request.destination.as_ref()) {
        arguments.extend(option("--namespace", namespace.as_str()));
    }
    if let Some(version) = parameters.kube_version.as_ref().or(request.kube_version.as_ref()) {
        arguments.extend(option("--kube-version", plain_version(version)));
    }
    for (flag, values) in [
        ("--set", &parameters.helm_parameters),
        ("--set-string", &parameters.helm_string_parameters),
    ] {
        for (name, value) in values {
            let value = clean(&substitute(value, &request.variables));
            arguments.extend(option(flag, format!("{name}={value}")));
            confidential.add_parameter(name, value);
        }
    }
    for (name, file) in &parameters.helm_file_parameters {
        let place = value_files::file_parameter(request, trees, file_name(name)?, file)?.0;
        match text(trees, &place)? {
            Some(text) => confidential.add([text]),
            None => confidential.add_unknown(),
        }
        arguments.push(Argument::Text("--set-file".to_owned()));
        arguments.push(match place {
            Place::Url(url) => Argument::Text(file_value(name, &url)),
            Place::File(tree, path) => Argument::SetFile(name.clone(), tree, path),
        });
    }
    for place in value_files::of(request, trees)?.places {
        match text(trees, &place)? {
            Some(text) => confidential.add_secrets(text),
            None => confidential.add_unknown(),
        }
        arguments.push(Argument::Text("--values".to_owned()));
        arguments.push(match place {
            Place::Url(url) => Argument::Text(list_entry(&url)),
            Place::File(tree, path) => Argument::File(tree, path),
        });
    }
    if let Some(values) = &parameters.values {
        arguments.push(Argument::Text("--values".to_owned()));
        arguments.push(Argument::Temporary(values.clone()));
        confidential.add_values(values);
    }
    let (tree, chart) = trees.chart(request);
    let defaults = Place::File(tree.clone(), chart.join("values.yaml")?);
    if let Some(defaults) = text(trees, &defaults)? {
        confidential.add_secrets(defaults);
    }
    arguments.extend(api_versions(request).flat_map(|version| option("--api-versions", version)));
    let switches = [
        ("--include-crds", !parameters.skip_crds),
        ("--skip-schema-validation", parameters.skip_schema_validation),
        ("--skip-tests", parameters.skip_tests),
    ];
    let switches = switches.into_iter().filter(|(_, is_on)| *is_on);
    arguments.extend(switches.map(|(switch, _)| Argument::Text(switch.to_owned())));
    Ok(HelmCall {
        tree,
        chart,
        arguments,
        confidential,
        dependency_update: parameters.dependency_update,
        skip_schema_validation: parameters.skip_schema_validation,
    })
}

/// Returns the API versions that the chart sees, sorted.
fn api_versions(request: &Request) -> impl Iterator<Item = String> {
    let own = &request.parameters.api_versions;
    let mut versions = if own.is_empty() { &request.api_versions } else { own }.clone();
    versions.sort();
    versions.into_iter()
}

fn option(flag: &str, value: impl Into<String>) -> [Argument; 2] {
    [Argument::Text(flag.to_owned()), Argument::Text(value.into())]
}

/// Reads the text of a file, empty if there is none; it is only used to mask messages. Returns nothing for what helm
/// fetches.
fn text(trees: Trees<'_>, place: &Place) -> Result<Option<String>> {
    let bytes = match place {
        Place::Url(_) => return Ok(None),
        Place::File(tree, path) => trees.read(tree, path)?.unwrap_or_default(),
    };
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// Checks the release name. Helm evaluates it as a Go template, which may read everything except the server's
/// environment.
fn release_name(name: &str) -> Result<&str> {
    let mut words = name.split(|c: char| !c.is_ascii_alphanumeric());
    if name.contains("{{") && words.any(|word| matches!(word, "env" | "expandenv")) {
        bail!("the release name `{name}` is a template that reads the environment");
    }
    Ok(name)
}

/// Checks the name of a value that comes from a file: an `=` in it would start the name of another file, outside the
/// checkout.
fn file_name(name: &str) -> Result<&str> {
    if name.contains('=') || name.ends_with('\\') {
        bail!("the name `{name}` in `helm-file-parameters` has a `=` in it or a `\\` at its end");
    }
    Ok(name)
}

/// Escapes the commas of a value, which would start the next value; a list in braces stays as it is
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

/// Returns the plain version that Argo CD passes on: `1.30.5` for `v1.30.5-gke.100` or `1.30.5+k3s1`.
pub(super) fn plain_version(version: &str) -> String {
    let plain = version.trim_start_matches('v');
    plain.split(['-', '+']).next().unwrap_or(plain).to_owned()
}

/// Returns the files of the checkout outside the source's folder that a render reads: value files and the folders that
/// their globs search, the files of `helm-file-parameters`, and the targets of the chart's `file://` dependencies.
///
/// # Errors
/// When the chart's metadata cannot be read, or something is outside the checkout.
pub fn reads<'f>(request: &Request, trees: impl Into<Trees<'f>>) -> Result<Vec<RepoPath>> {
    let trees = trees.into();
    let mut reads = value_files::of(request, trees)?.watched;
    for (name, file) in &request.parameters.helm_file_parameters {
        reads.extend(value_files::file_parameter(request, trees, name, file)?.1);
    }
    if request.parameters.chart.is_none() {
        reads.extend(confined::check(request, trees)?);
    }
    reads.retain(|path| !path.is_in(&request.source_path));
    reads.sort();
    reads.dedup();
    Ok(reads)
}
