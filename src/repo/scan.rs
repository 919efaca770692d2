//! Finds Argo CD's objects wherever they are in a working tree: every file is looked through for them, and only those that
//! hold some are parsed.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use memchr::memmem::Finder;

use super::charts::Charts;
use super::excluded::Excluded;
use super::kustomization::{self, Kustomization, Kustomizations};
use super::parse::Parsed;
use super::{Dormant, Files, Inactive, Manifest, RepoPath};
use crate::model::application::GROUP;
use crate::model::{Object, clusters};
use crate::parallel;

/// The kinds that are looked for, besides the Secrets of clusters.
const KINDS: [&str; 3] = ["Application", "ApplicationSet", "AppProject"];

/// What is looked for in the bytes of a file.
struct Signs {
    version: Finder<'static>,
    /// Those of [`KINDS`]; the name of a set starts with that of an Application.
    kinds: [Finder<'static>; 2],
    cluster: Finder<'static>,
    /// The chart whose values are Applications.
    chart: Finder<'static>,
}

/// To prepare the search takes longer than to look through most files.
static SIGNS: LazyLock<Signs> = LazyLock::new(|| Signs {
    version: Finder::new("argoproj.io/v1alpha1"),
    kinds: ["Application", "AppProject"].map(Finder::new),
    cluster: Finder::new(clusters::SECRET_TYPE),
    chart: Finder::new("argocd-apps"),
});

/// The most bytes that are kept of files without them, which may be read as manifests next.
const MOST_UNREAD: usize = 64 << 20;

/// What is in a working tree.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Every file.
    pub(super) listing: HashSet<RepoPath>,
    /// How many of them were not looked into.
    pub(super) excluded: usize,
    pub(super) kustomizations: Kustomizations,
    pub(super) charts: Charts,
    /// The files that hold Argo CD's objects.
    pub(super) found: Vec<Parsed>,
    /// Those that a template fills in.
    pub(super) inactive: Vec<Inactive>,
    /// The content of the others.
    pub(super) unread: HashMap<RepoPath, Vec<u8>>,
}

/// What one file is.
enum Role {
    Kustomization(Kustomization),
    /// A file of a chart, or values, with Argo CD's objects in it.
    Input,
    /// Manifests with Argo CD's objects among them.
    Manifests(Parsed),
    /// Text that resembles an Application and cannot be read before a template fills it in.
    Template,
    /// Nothing of Argo CD.
    Other(Vec<u8>),
}

impl Scan {
    /// Looks through files for Argo CD's objects.
    ///
    /// # Errors
    /// When the files cannot be listed.
    pub(super) fn of(files: &dyn Files, excluded: &Excluded) -> Result<Self> {
        let all = files.all()?;
        let paths: Vec<RepoPath> = all.iter().filter(|path| !excluded.matches(path)).cloned().collect();
        let charts = Charts::of(&paths);
        let left = AtomicUsize::new(MOST_UNREAD);
        let is_kept = |role: &Role| match role {
            Role::Other(bytes) => left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                    left.checked_sub(bytes.len())
                })
                .is_ok(),
            _ => true,
        };
        let roles = parallel::each(&paths, |path| role(files, &charts, path).filter(is_kept));
        let mut scan = Scan {
            charts,
            excluded: all.len() - paths.len(),
            ..Scan::default()
        };
        for (path, role) in paths.into_iter().zip(roles) {
            match role {
                None => {}
                Some(Role::Kustomization(one)) => scan.kustomizations.add(one),
                Some(Role::Input) => scan.charts.add_input(&path),
                Some(Role::Manifests(parsed)) => scan.found.push(parsed),
                Some(Role::Template) => scan.inactive.push(Inactive {
                    file: path,
                    kind: "Application".to_owned(),
                    name: String::new(),
                    why: Dormant::Placeholder,
                }),
                Some(Role::Other(bytes)) => drop(scan.unread.insert(path, bytes)),
            }
        }
        scan.listing.extend(all);
        Ok(scan)
    }
}

/// Returns what a file is; `None` where it is not read, or an input of a chart in which there is nothing of Argo CD.
fn role(files: &dyn Files, charts: &Charts, path: &RepoPath) -> Option<Role> {
    let name = path.file_name();
    let is_kustomization = kustomization::NAMES.contains(&name);
    let is_template = charts.is_template(path);
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    let is_read = is_kustomization || ends(&[".yaml", ".yml", ".json"]) || is_template && ends(&[".tpl"]);
    if !is_read {
        return None;
    }
    // What cannot be read is said when something syncs it.
    let bytes = files.read(path).ok().flatten()?;
    if is_kustomization {
        let text = String::from_utf8(bytes).ok()?;
        return Some(Role::Kustomization(Kustomization::of(path.clone(), text)));
    }
    let is_of_chart = is_template || charts.is_values(path) || charts.is_metadata(path);
    if is_of_chart && SIGNS.chart.find(&bytes).is_some() {
        return Some(Role::Input);
    }
    if !mentions_objects(&bytes) {
        return (!is_of_chart).then_some(Role::Other(bytes));
    }
    if is_of_chart {
        return Some(Role::Input);
    }
    // A symbolic link is a second name of a file that is found as itself.
    if files.link(path).ok().flatten().is_some() {
        return None;
    }
    let text = String::from_utf8(bytes).ok()?;
    let looks = resembles(&text);
    let is_open = is_template_of_others(&text);
    let parsed = Parsed::of_text(path.clone(), text);
    if parsed.manifests.iter().any(holds_objects) {
        return Some(Role::Manifests(parsed));
    }
    match looks {
        true if is_open => Some(Role::Template),
        true if !parsed.malformed.is_empty() => Some(Role::Manifests(parsed)),
        _ => Some(Role::Input),
    }
}

/// Reports whether a text may hold what is looked for.
fn mentions_objects(text: &[u8]) -> bool {
    let has = |sign: &Finder<'_>| sign.find(text).is_some();
    has(&SIGNS.version) && SIGNS.kinds.iter().any(has) || has(&SIGNS.cluster)
}

/// Reports whether a text that is no YAML becomes some when a template is filled in: a line begins with an action, or a value
/// without quotes does. An ApplicationSet has its own templates, in quotes.
fn is_template_of_others(text: &str) -> bool {
    let begins = |text: &str| text.starts_with("{{") || text.starts_with("{%");
    let has_value = |line: &str| [": {{", "- {{"].iter().any(|start| line.contains(start));
    if !text.contains("{{") && !text.contains("{%") {
        return false;
    }
    let is_set = text.contains("ApplicationSet");
    text.lines()
        .any(|line| begins(line.trim_start()) || !is_set && has_value(line))
}

/// Reports whether a line of a text gives one of the kinds.
fn resembles(text: &str) -> bool {
    let kind = |line: &str| {
        if !line.contains("kind") {
            return None;
        }
        let line = line.trim_start().trim_start_matches("- ").replace(['"', '\'', ','], "");
        let (key, value) = line.split_once(':')?;
        (key.trim() == "kind").then(|| KINDS.contains(&value.trim()))
    };
    text.lines().any(|line| kind(line) == Some(true))
}

/// Reports whether a manifest is what is looked for, or a list with some of it.
fn holds_objects(manifest: &Manifest) -> bool {
    match manifest.object.is_list() {
        true => manifest.object.flatten().iter().any(|(_, item)| is_looked_for(item)),
        false => is_looked_for(&manifest.object),
    }
}

/// Reports whether an object is looked for everywhere: one of Argo CD's, or a cluster.
pub fn is_looked_for(object: &Object) -> bool {
    KINDS.iter().any(|kind| object.is(GROUP, kind)) || clusters::is_secret(object)
}
