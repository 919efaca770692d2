//! The tree of Applications, drawn: roots, what they bring, and the claims of each.

use std::collections::{BTreeMap, BTreeSet};

use super::tree::{self, Node};
use crate::model::Application;
use crate::repo::{Branch, Bringer, Repo, Unknown};

/// What brings a branch, as those of one are found: whether it is a set, the root whose instance it is, where there are several, and
/// its name.
type Key<'r> = (&'static str, Option<&'r str>, &'r str);

/// Draws the Applications and sets below what brings them, the claims that each owns, and what is not known.
pub fn drawn(repo: &Repo) -> String {
    let branches = repo.tree();
    let mut children: BTreeMap<Key<'_>, Vec<&Branch<'_>>> = BTreeMap::new();
    for branch in &branches {
        children.entry(above(repo, branch)).or_default().push(branch);
    }
    let mut drawing = Drawing {
        repo,
        children,
        drawn: BTreeSet::new(),
    };
    let mut tops = drawing.below(("hand", None, ""));
    let charts: BTreeSet<&str> = branches.iter().filter_map(|branch| chart(&branch.bringer)).collect();
    tops.extend(charts.into_iter().map(|chart| Node {
        text: format!("{chart} (chart, applied by hand)"),
        below: drawing.below(("chart", None, chart)),
    }));
    let known: BTreeSet<&str> = branches.iter().map(|branch| branch.manifest.object.name()).collect();
    let orphans = repo
        .not_known()
        .filter(|unknown| !known.contains(unknown.name.as_str()));
    tops.extend(orphans.map(|unknown| Node {
        text: format!("{} ({})", unknown.name, unknown.kind),
        below: vec![of_unknown(unknown)],
    }));
    tree::drawn(&tops)
}

struct Drawing<'r> {
    repo: &'r Repo,
    children: BTreeMap<Key<'r>, Vec<&'r Branch<'r>>>,
    /// What was drawn already: a name that stands twice is drawn once with what is below it.
    drawn: BTreeSet<Key<'r>>,
}

impl<'r> Drawing<'r> {
    fn below(&mut self, key: Key<'r>) -> Vec<Node> {
        if key.0 != "hand" && !self.drawn.insert(key) {
            return Vec::new();
        }
        let mut branches = self.children.remove(&key).unwrap_or_default();
        // Of which root a set without Applications is, is not known.
        branches.extend(self.children.remove(&(key.0, None, key.2)).into_iter().flatten());
        // What brings others comes first.
        branches.sort_by_key(|branch| (!branch.has_children, branch.manifest.object.name()));
        branches.into_iter().map(|branch| self.node(branch)).collect()
    }

    fn node(&mut self, branch: &'r Branch<'r>) -> Node {
        let (object, kind) = (&branch.manifest.object, if branch.is_set() { "set" } else { "app" });
        let mut below: Vec<Node> = claims(branch).into_iter().map(Node::leaf).collect();
        below.extend(self.below((kind, self.repo.instance(branch.manifest), object.name())));
        let place = (&branch.manifest.file, branch.manifest.document);
        let is_it = |unknown: &&Unknown| unknown.name == object.name() && (&unknown.place.0, unknown.place.1) == place;
        below.extend(self.repo.not_known().filter(is_it).map(of_unknown));
        let by_hand = match branch.bringer {
            Bringer::Hand if !branch.has_children => ", applied by hand",
            _ => "",
        };
        let what = if branch.is_set() {
            "ApplicationSet"
        } else {
            "Application"
        };
        Node {
            text: format!("{} ({what}{by_hand})", self.repo.shown_name(branch.manifest)),
            below,
        }
    }
}

fn of_unknown(unknown: &Unknown) -> Node {
    Node::leaf(format!("not known: {}", unknown.why))
}

fn above<'r>(repo: &'r Repo, branch: &Branch<'r>) -> Key<'r> {
    let instance = repo.instance(branch.manifest);
    match branch.bringer {
        Bringer::Application(name) => ("app", instance, name),
        Bringer::Set(name) => ("set", instance, name),
        Bringer::Chart(folder) => ("chart", None, folder),
        Bringer::Hand => ("hand", None, ""),
    }
}

fn chart<'r>(bringer: &Bringer<'r>) -> Option<&'r str> {
    match bringer {
        Bringer::Chart(folder) => Some(folder),
        _ => None,
    }
}

/// Returns the claims that an Application owns, writes and mounts by its parameters.
fn claims(branch: &Branch<'_>) -> Vec<String> {
    let Some(app) = Application::new(&branch.manifest.object) else {
        return Vec::new();
    };
    let mut texts = BTreeSet::new();
    for parameters in app.sources().iter().filter_map(|source| source.parameters().ok()) {
        texts.extend(parameters.owns.iter().map(|claim| (0, format!("owns {claim}"))));
        texts.extend(parameters.writes.iter().map(|claim| (1, format!("writes {claim}"))));
        texts.extend(parameters.mounts.iter().map(|mount| (2, format!("mounts {mount}"))));
    }
    texts.into_iter().map(|(_, text)| text).collect()
}
