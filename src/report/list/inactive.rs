//! What is written in a repository and not alive, and what brings Applications that are not known.

use serde::Serialize;

use crate::masking::without_logins;
use crate::repo::{Inactive, Repo, Unknown};

/// How many are named of those that bring Applications that are not known.
const MOST_NAMES: usize = 5;

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

/// Returns what brings Applications that are not known, in sentences: one for all of the same reason, and what can be done behind
/// those that have the same way out.
pub fn unknown(repo: &Repo) -> Vec<String> {
    let mut groups: Vec<(&Unknown, Vec<&str>)> = Vec::new();
    for unknown in repo.not_known() {
        let is_alike = |one: &Unknown| (one.kind, &one.why, &one.hint) == (unknown.kind, &unknown.why, &unknown.hint);
        match groups.iter_mut().find(|(one, _)| is_alike(one)) {
            Some((_, names)) => names.push(&unknown.name),
            None => groups.push((unknown, vec![&unknown.name])),
        }
    }
    let mut lines = Vec::new();
    for (index, (unknown, names)) in groups.iter().enumerate() {
        let (what, why) = (brought_by(unknown.kind, names), without_logins(&unknown.why));
        lines.push(format!("not known: what {what}: {why}"));
        let next = groups.get(index + 1).and_then(|(next, _)| next.hint.as_ref());
        let hint = unknown.hint.as_ref().filter(|hint| next != Some(hint));
        lines.extend(hint.map(|hint| format!("hint: {}", without_logins(hint))));
    }
    lines
}

/// Returns the subject of a sentence on what some of a kind bring.
pub(in crate::report) fn brought_by(kind: &str, names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(MOST_NAMES).map(|name| format!("`{name}`")).collect();
    match names.len() {
        1 => format!("{kind} {} brings", shown.join(", ")),
        count if count > MOST_NAMES => format!("{kind}s {} and {} more bring", shown.join(", "), count - MOST_NAMES),
        _ => format!("{kind}s {} bring", shown.join(", ")),
    }
}
