//! What is written in a repository and not alive, and what brings Applications that are not known.

use serde::Serialize;

use crate::masking::without_logins;
use crate::repo::{Inactive, Repo, Unknown};

/// An Application or an ApplicationSet that is not alive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InactiveRow {
    /// Its kind.
    pub kind: String,
    /// Its name, empty where a template fills it in.
    pub name: String,
    /// The file that contains it.
    pub file: String,
    /// Why it is not alive.
    pub reason: String,
}

/// Returns what is written in the repository and not alive.
pub fn inactive(repo: &Repo) -> Vec<InactiveRow> {
    let row = |inactive: &Inactive| InactiveRow {
        kind: inactive.kind.clone(),
        name: inactive.name.clone(),
        file: inactive.file.to_string(),
        reason: inactive.why.to_string(),
    };
    repo.inactive.iter().map(row).collect()
}

/// Returns what brings Applications that are not known, in sentences.
pub fn unknown(repo: &Repo) -> Vec<String> {
    let text = |unknown: &Unknown| {
        let why = without_logins(&unknown.why);
        format!("not known: what {} `{}` brings: {why}", unknown.kind, unknown.name)
    };
    repo.unknown.iter().map(text).collect()
}
