//! What moves in one piece: an Application, or a set with all that it generates.

use super::application::Converted;
use super::set::ConvertedSet;
use crate::edit::RuleGate;
use crate::repo::{Change, ChangeSet, Manifest};

/// What moves in one piece.
pub(super) struct Moving<'r> {
    /// The Application, or the set.
    pub(super) manifest: &'r Manifest,
    /// The change of the set.
    changes: ChangeSet,
    /// Notes on it.
    notes: Vec<String>,
    apps: Vec<Converted>,
    /// What the set generates after the change.
    generated: Vec<Manifest>,
}

impl<'r> Moving<'r> {
    pub(super) fn of_app(manifest: &'r Manifest, app: Converted) -> Self {
        Self {
            manifest,
            changes: ChangeSet::default(),
            notes: Vec::new(),
            generated: app.rendered.clone().into_iter().collect(),
            apps: vec![app],
        }
    }

    pub(super) fn of_set(manifest: &'r Manifest, done: ConvertedSet) -> Self {
        let ConvertedSet {
            changes,
            notes,
            apps,
            generated,
        } = done;
        Self {
            manifest,
            changes,
            notes,
            apps,
            generated,
        }
    }

    /// Reports whether it has objects whose loss would lose data.
    pub(super) fn needs_guard(&self) -> bool {
        self.apps.iter().any(|app| app.needs_guard)
    }

    /// Returns the names of the Applications.
    pub(super) fn names(&self) -> Vec<String> {
        self.apps.iter().map(|app| app.name.to_string()).collect()
    }

    /// Returns the changes of the set and of all files.
    pub(super) fn all_changes(&self) -> impl Iterator<Item = Change> {
        let of_apps = self.apps.iter().flat_map(|app| &app.changes.changes);
        self.changes.changes.iter().chain(of_apps).cloned()
    }

    /// Adds the renders before and after to a gate.
    pub(super) fn add_to(&self, gate: &mut RuleGate) {
        for app in &self.apps {
            gate.before.insert(app.name.clone(), app.before.clone());
            gate.after.insert(app.name.clone(), app.after.clone());
        }
        gate.generated.extend(self.generated.iter().cloned());
    }

    /// Returns the notes of all parts.
    pub(super) fn into_notes(self) -> impl Iterator<Item = String> {
        self.notes
            .into_iter()
            .chain(self.apps.into_iter().flat_map(|app| app.notes))
    }
}

/// Returns the kind and the name of what moves.
pub(super) fn described(manifest: &Manifest) -> String {
    format!("{} `{}`", manifest.object.kind(), manifest.object.name())
}

/// Returns what moves, in words for the subject of a commit.
pub(super) fn counted(manifests: &[&Manifest]) -> String {
    if let [one] = manifests {
        return format!("{} {}", one.object.kind(), one.object.name());
    }
    let of_kind = |kind: &str| {
        let count = manifests
            .iter()
            .filter(|manifest| manifest.object.kind() == kind)
            .count();
        let plural = if count == 1 { "" } else { "s" };
        (count > 0).then(|| format!("{count} {kind}{plural}"))
    };
    let counts: Vec<String> = ["ApplicationSet", "Application"]
        .into_iter()
        .filter_map(of_kind)
        .collect();
    match counts.is_empty() {
        true => "no Application".to_owned(),
        false => counts.join(" and "),
    }
}
