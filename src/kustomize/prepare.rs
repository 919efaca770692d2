//! What a build needs besides the folder: charts and remote resources.

use std::ffi::OsString;

use anyhow::Result;

use super::Kustomize;
use super::workspace::Workspace;
use crate::masking::without_logins;
use crate::model::Unavailable;
use crate::render::KustomizeCall;
use crate::repo::Files;

/// What the build gets besides.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    /// Additional arguments of the build.
    pub(super) arguments: Vec<String>,
    /// Additional variables of what may fetch something.
    pub(super) variables: Vec<(OsString, OsString)>,
    /// Remarks for the user.
    pub(super) notes: Vec<String>,
    /// Whether the same call builds the same objects the next time.
    pub(super) is_settled: bool,
}

impl Prepared {
    /// Returns the variables of the build: those that describe the Application, and the additional ones.
    pub(super) fn variables(&self, call: &KustomizeCall) -> Vec<(OsString, OsString)> {
        let own = call.variables.iter().map(|(name, value)| (name.into(), value.into()));
        own.chain(self.variables.iter().cloned()).collect()
    }
}

/// Prepares the copy of the folders before anything runs in it: `workspace` has the folders on disk, `call.graph` the
/// kustomizations that are in them.
///
/// # Errors
/// When something is needed that is not there, and the network may not be used.
pub(super) fn prepare(kustomize: &Kustomize, _workspace: &Workspace, call: &KustomizeCall) -> Result<Prepared> {
    let mut prepared = Prepared {
        is_settled: true,
        ..Prepared::default()
    };
    for one in &call.graph.kustomizations {
        let missing = one.charts.iter().find(|chart| {
            let folder = one.folder.join(&chart.folder());
            !folder.is_ok_and(|folder| matches!(kustomize.checkout.list(&folder), Ok(Some(_))))
        });
        let missing = missing.filter(|chart| !chart.repo.is_empty()).map(|chart| {
            format!(
                "{}: the chart `{}` of `{}`",
                one.place(&chart.pointer),
                chart.name,
                without_logins(&chart.repo)
            )
        });
        let remote = one.remotes().next();
        let remote = remote.map(|one_of| format!("{}: `{}`", one.place(&one_of.pointer), without_logins(&one_of.path)));
        if let Some(what) = missing.or(remote) {
            if !kustomize.network {
                let what = format!("{what} is not available locally");
                return Err(Unavailable::NeedsNetwork { what }.into_error());
            }
            prepared.is_settled = false;
        }
    }
    Ok(prepared)
}
