//! What a build needs besides the folder: charts and remote resources.

use std::ffi::OsString;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Kustomize;
use super::remote::{Place, Remotes};
use super::workspace::Workspace;
use crate::disk::{self, Checkout};
use crate::download::Downloads;
use crate::helm::Substitute;
use crate::render::KustomizeCall;
use crate::render::kustomize_call::Edit;
use crate::render::kustomize_graph::Kustomization;
use crate::repo::kustomization::references::Role;
use crate::time::Deadline;

/// The folder of this program in helm's place, in that of the run.
const IN_PLACE_OF_HELM: &str = "in-place-of-helm";

/// What the build gets besides.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    /// Additional arguments of the build.
    pub(super) arguments: Vec<String>,
    /// Additional variables of what may fetch something.
    variables: Vec<(OsString, OsString)>,
    /// The changes of the kustomization, with what was fetched in the place of URLs.
    pub(super) edits: Vec<Edit>,
    helm: Option<Substitute>,
    notes: Vec<String>,
    is_settled: bool,
}

impl Prepared {
    /// Returns the variables of the build: those that describe the Application, and the additional ones.
    pub(super) fn variables(&self, call: &KustomizeCall) -> Vec<(OsString, OsString)> {
        let own = call.variables.iter().map(|(name, value)| (name.into(), value.into()));
        own.chain(self.variables.iter().cloned()).collect()
    }

    /// Returns what helm said, which kustomize shows in its own way, in the place of kustomize's error.
    pub(super) fn failure(&self, error: anyhow::Error) -> anyhow::Error {
        let report = self.helm.as_ref().and_then(|helm| helm.report().ok());
        report.and_then(|report| report.failure).unwrap_or(error)
    }

    /// Returns the remarks for the user, and whether the same call builds the same objects the next time.
    ///
    /// # Errors
    /// When what helm reported cannot be read.
    pub(super) fn finished(self) -> Result<(Vec<String>, bool)> {
        let (mut notes, mut is_settled) = (self.notes, self.is_settled);
        if let Some(helm) = &self.helm {
            let report = helm.report()?;
            notes.extend(report.notes);
            is_settled &= report.is_settled;
        }
        Ok((notes, is_settled))
    }
}

/// Prepares the copy of the folders before anything runs in it: `workspace` has the folders on disk, `call.graph` the
/// kustomizations that are in them, `home` is the folder of the run.
///
/// # Errors
/// When something is needed that is not there, and the network may not be used.
pub(super) fn prepare(
    kustomize: &Kustomize,
    workspace: &Workspace,
    call: &KustomizeCall,
    home: &Path,
    deadline: Deadline,
) -> Result<Prepared> {
    let downloads = Downloads::new(kustomize.cache.as_deref(), kustomize.network, deadline);
    let mut remotes = Remotes::new(downloads, workspace.root());
    for one in call
        .graph
        .kustomizations
        .iter()
        .filter(|one| one.remotes().next().is_some())
    {
        remotes.of(place(workspace, one)?)?;
    }
    let edits = call.edits.iter().map(|edit| local(edit, workspace, call, &mut remotes));
    let edits = edits.collect::<Result<_>>()?;
    let mut prepared = Prepared {
        edits,
        is_settled: remotes.is_settled,
        notes: remotes.notes,
        ..Prepared::default()
    };
    if call.graph.may_inflate_charts() {
        let folder = home.join(IN_PLACE_OF_HELM);
        disk::make_folder(&folder)?;
        let helm = kustomize.helm(Checkout::open(workspace.root())?);
        let substitute = Substitute::in_folder(&folder, &helm, deadline)?;
        let program = substitute
            .program()
            .to_str()
            .context("the path of a temporary folder is not UTF-8")?;
        prepared.arguments = vec!["--helm-command".to_owned(), program.to_owned()];
        prepared.variables = Substitute::variables().collect();
        prepared.helm = Some(substitute);
    }
    Ok(prepared)
}

fn place(workspace: &Workspace, one: &Kustomization) -> Result<Place> {
    let folder = workspace.real(&one.folder)?;
    Ok(Place {
        file: folder.join(one.file.file_name()),
        folder,
        shown: one.file.to_string(),
        within: None,
    })
}

/// Returns a change of the kustomization with what was fetched in the place of URLs.
fn local(edit: &Edit, workspace: &Workspace, call: &KustomizeCall, remotes: &mut Remotes<'_>) -> Result<Edit> {
    let mut named = |role: Role, name: &str, parameter: &str| -> Result<Option<String>> {
        let folder = workspace.real(&call.folder)?;
        let place = Place {
            file: folder.clone(),
            folder,
            shown: format!("the parameter `{parameter}`"),
            within: None,
        };
        let local = remotes
            .named(&place, role, name)
            .with_context(|| format!("the parameter `{parameter}`"))?;
        remotes.rest()?;
        Ok(local)
    };
    match edit {
        Edit::Command {
            arguments,
            parameter: parameter @ "components",
        } => {
            let arguments = arguments.iter().enumerate().map(|(index, word)| match index {
                0 | 1 => Ok(word.clone()),
                _ => Ok(named(Role::Component, word, parameter)?.unwrap_or_else(|| word.clone())),
            });
            Ok(Edit::Command {
                arguments: arguments.collect::<Result<_>>()?,
                parameter,
            })
        }
        Edit::Patches(patches) => {
            let mut patches = patches.clone();
            for patch in &mut patches {
                if let Some(Value::String(path)) = patch.get_mut("path")
                    && let Some(local) = named(Role::File, path, "kustomize-patches")?
                {
                    *path = local;
                }
            }
            Ok(Edit::Patches(patches))
        }
        other => Ok(other.clone()),
    }
}
