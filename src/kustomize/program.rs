//! Which kustomize builds a folder: the one that the Application names, else the one on PATH, else kubectl's.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, anyhow};
use serde_json::Value;

use super::options::{Options, VERSIONS_VARIABLE};
use super::run::{Invocation, Sandbox};
use crate::failure::HintExt;
use crate::model::Unavailable;
use crate::process;
use crate::render::KustomizeCall;
use crate::render::kustomize_call::Edit;

/// Where kustomize is to be had.
const INSTALL: &str = "install kustomize: https://kubectl.docs.kubernetes.io/installation/kustomize/";
/// The first version that passes the cluster's versions on to helm.
const PASSES_CLUSTER: (u64, u64) = (5, 3);

/// The versions that programs have printed.
static VERSIONS: Mutex<BTreeMap<PathBuf, String>> = Mutex::new(BTreeMap::new());

/// A program that builds folders.
#[derive(Debug)]
pub(super) struct Program {
    path: PathBuf,
    /// Whether it is kubectl, which builds and cannot edit.
    is_kubectl: bool,
}

impl Program {
    /// Finds the program for a call.
    ///
    /// # Errors
    /// When there is none, or the one that is named is not registered.
    pub(super) fn find(program: Option<&Path>, call: &KustomizeCall, options: &Options) -> Result<Self> {
        if let Some(version) = &call.version {
            let path = options.versions.get(version).ok_or_else(|| {
                anyhow!("kustomize version `{version}` is not registered").hint(format!(
                    "register it as `{version}=/path/to/kustomize` in `{VERSIONS_VARIABLE}`, or name no version"
                ))
            })?;
            let path = process::find(path).ok_or_else(|| {
                anyhow!(
                    "`{}`, the kustomize of version `{version}`, is not a program",
                    path.display()
                )
            })?;
            return Ok(Self {
                path,
                is_kubectl: false,
            });
        }
        if let Some(path) = process::find(program.unwrap_or(Path::new("kustomize"))) {
            return Ok(Self {
                path,
                is_kubectl: false,
            });
        }
        let missing = |message: String| {
            let hint = INSTALL.to_owned();
            Unavailable::ProgramMissing { message, hint }.into_error()
        };
        let path = process::find("kubectl")
            .ok_or_else(|| missing("neither `kustomize` nor `kubectl` is on PATH".to_owned()))?;
        let edited = call.edits.first().map(|edit| match edit {
            Edit::Command { parameter, .. } => *parameter,
            Edit::Patches(_) => "kustomize-patches",
        });
        match edited {
            Some(option) => Err(missing(format!(
                "`kustomize` is not on PATH, and `kubectl kustomize` cannot set `{option}`"
            ))),
            None => Ok(Self { path, is_kubectl: true }),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the name in messages.
    pub(super) fn name(&self) -> &'static str {
        match self.is_kubectl {
            true => "kubectl kustomize",
            false => "kustomize",
        }
    }

    /// Returns the arguments of a build as this program takes them; the first is `build`.
    pub(super) fn build_words(&self, arguments: Vec<String>) -> Vec<OsString> {
        let build = if self.is_kubectl { "kustomize" } else { "build" };
        let rest = arguments.into_iter().skip(1).map(Into::into);
        std::iter::once(build.into()).chain(rest).collect()
    }

    /// Reports whether it takes the cluster's versions for helm. One that says no version is a new one, as for Argo CD.
    pub(super) fn passes_cluster(&self, sandbox: &Sandbox<'_>) -> Result<bool> {
        let version = self.version(sandbox)?;
        let numbers = version.trim_start_matches(|c: char| !c.is_ascii_digit());
        let mut numbers = numbers.split('.').map(|part| {
            let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            part[..end].parse::<u64>().ok()
        });
        let read = numbers.next().flatten().zip(numbers.next().flatten());
        Ok(read.is_none_or(|version| version >= PASSES_CLUSTER))
    }

    /// Returns a remark if it is not the program that is expected.
    pub(super) fn remark(&self, sandbox: &Sandbox<'_>) -> Result<Option<String>> {
        if !self.is_kubectl {
            return Ok(None);
        }
        let version = self.version(sandbox)?;
        Ok(Some(format!(
            "Kustomize folders are built by `kubectl kustomize`, version {version}: `kustomize` is not on PATH"
        )))
    }

    /// Returns the version of kustomize.
    fn version(&self, sandbox: &Sandbox<'_>) -> Result<String> {
        let versions = || VERSIONS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(version) = versions().get(&self.path) {
            return Ok(version.clone());
        }
        let words: &[&str] = match self.is_kubectl {
            true => &["version", "--client", "--output=json"],
            false => &["version"],
        };
        let printed = sandbox.run(Invocation {
            verb: "version".to_owned(),
            arguments: words.iter().map(Into::into).collect(),
            folder: sandbox.home,
            variables: Vec::new(),
        })?;
        let version = match self.is_kubectl {
            true => {
                let tree: Value = serde_json::from_str(&printed).unwrap_or_default();
                tree["kustomizeVersion"].as_str().unwrap_or("unknown").to_owned()
            }
            false => printed.trim().to_owned(),
        };
        versions().insert(self.path.clone(), version.clone());
        Ok(version)
    }
}
