//! The version of kustomize, which decides what it is told, and what is said of it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use serde_json::Value;

use super::run::{Invocation, Sandbox};
use crate::process::ProcessGroup;

/// The first version that passes the cluster's versions on to helm.
const PASSES_CLUSTER: (u64, u64) = (5, 3);

/// The versions that programs have printed.
static VERSIONS: Mutex<BTreeMap<PathBuf, String>> = Mutex::new(BTreeMap::new());

/// Reports whether it takes the cluster's versions for helm. One that says no version is a new one, as for Argo CD.
pub(super) fn passes_cluster(sandbox: &Sandbox<'_>) -> Result<bool> {
    let version = version(sandbox)?;
    let numbers = version.trim_start_matches(|c: char| !c.is_ascii_digit());
    let mut numbers = numbers.split('.').map(|part| {
        let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        part[..end].parse::<u64>().ok()
    });
    let read = numbers.next().flatten().zip(numbers.next().flatten());
    Ok(read.is_none_or(|version| version >= PASSES_CLUSTER))
}

/// Returns a remark if it is not the program that is expected.
pub(super) fn remark(sandbox: &Sandbox<'_>) -> Result<Option<String>> {
    if !sandbox.program.is_kubectl {
        return Ok(None);
    }
    let version = version(sandbox)?;
    Ok(Some(format!(
        "Kustomize folders are built by `kubectl kustomize`, version {version}: `kustomize` is not on PATH"
    )))
}

/// Returns the version of kustomize.
fn version(sandbox: &Sandbox<'_>) -> Result<String> {
    let program = sandbox.program;
    let versions = || VERSIONS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(version) = versions().get(&program.path) {
        return Ok(version.clone());
    }
    let words: &[&str] = match program.is_kubectl {
        true => &["version", "--client", "--output=json"],
        false => &["version"],
    };
    let printed = sandbox.run(Invocation {
        verb: "version".to_owned(),
        arguments: words.iter().map(Into::into).collect(),
        folder: sandbox.home,
        variables: Vec::new(),
        group: ProcessGroup::Own,
    })?;
    let version = match program.is_kubectl {
        true => {
            let tree: Value = serde_json::from_str(&printed).unwrap_or_default();
            tree["kustomizeVersion"].as_str().unwrap_or("unknown").to_owned()
        }
        false => printed.trim().to_owned(),
    };
    versions().insert(program.path.clone(), version.clone());
    Ok(version)
}
