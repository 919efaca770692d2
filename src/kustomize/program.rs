//! Which kustomize builds a folder: the one that the Application names, else the one on PATH, else kubectl's.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};

use super::options::{Options, VERSIONS_VARIABLE};
use crate::failure::HintExt;
use crate::model::Unavailable;
use crate::process;
use crate::render::KustomizeCall;
use crate::render::kustomize_call::Edit;

/// Where kustomize is to be had.
const INSTALL: &str = "install kustomize: https://kubectl.docs.kubernetes.io/installation/kustomize/";
/// A program that builds folders.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) path: PathBuf,
    /// Whether it is kubectl, which builds and cannot edit.
    pub(super) is_kubectl: bool,
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
}
