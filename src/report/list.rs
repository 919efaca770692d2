//! What `list` shows: Applications, Namespaces and claims, as a table, as names or as JSON.

mod inactive;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::rc::Rc;

use serde::Serialize;
use serde_json::{Value, json};

use super::claims::{self, ClaimRow};
use super::table::{Cell, sized};
use crate::masking::without_logins;
use crate::model::mount::Mount;
use crate::model::ownership::Ownership;
use crate::model::{Application, Cluster, Source};
use crate::repo::{Branch, Bringer, Manifest, Repo};

pub(super) use inactive::brought_by;
pub use inactive::{InactiveRow, inactive, unknown};

/// Version of the JSON that this program prints.
pub const API_VERSION: &str = "homelab.home.arpa/v1";

/// One Application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AppRow {
    /// Its name.
    pub name: String,
    /// Its destination namespace.
    pub namespace: String,
    /// Repository, without a login, and path or chart of each source.
    pub sources: Vec<String>,
    /// Revision of each source.
    pub revisions: Vec<String>,
    /// Who renders it: `plugin`, `native` or `mixed`.
    pub rendered_by: &'static str,
    /// The claims that it owns.
    pub owns: Vec<String>,
    /// The claims that it mounts.
    pub mounts: Vec<String>,
    /// The claims of others that it may write.
    pub writes: Vec<String>,
    /// Where it comes from.
    pub origin: AppOrigin,
    /// The file that contains it, or what generates or renders it.
    pub file: String,
}

/// Where an Application comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AppOrigin {
    /// `root`, `applied` (by hand: nothing in the repository brings it), `synced`, `generated` or `rendered`.
    pub kind: &'static str,
    /// The Application, the ApplicationSet or the chart that brings it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

impl AppOrigin {
    fn of(branch: &Branch<'_>) -> Self {
        let is_written = branch.manifest.is_written();
        let (kind, by) = match branch.bringer {
            Bringer::Hand if branch.has_children => ("root", None),
            Bringer::Hand => ("applied", None),
            Bringer::Application(name) if is_written => ("synced", Some(name)),
            Bringer::Application(name) | Bringer::Chart(name) => ("rendered", Some(name)),
            Bringer::Set(name) => ("generated", Some(name)),
        };
        let by = by.map(str::to_owned);
        Self { kind, by }
    }
}

impl fmt::Display for AppOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind, &self.by) {
            (kind, Some(by)) => write!(f, "{kind} by {by}"),
            ("applied", None) => f.write_str("applied by hand"),
            (kind, None) => f.write_str(kind),
        }
    }
}

/// One Namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceRow {
    /// Its name.
    pub name: String,
    /// The pod security level that it enforces.
    pub pod_security: String,
    /// The Applications that go to it.
    pub applications: Vec<String>,
    /// The claims in it that somebody owns.
    pub claims: Vec<String>,
    /// The file that contains it.
    pub file: String,
}

/// One ApplicationSet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SetRow {
    /// Its name.
    pub name: String,
    /// Its generators, as `matrix(git, list)`.
    pub generators: Vec<String>,
    /// The names of the Applications that it generates; `None` where they are unknown.
    pub applications: Option<Vec<String>>,
    /// Why they are unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The file that contains it.
    pub file: String,
}

/// A list, of which one format is made: that which is printed.
pub struct Listing {
    /// The names, as `kubectl get -o name` prints them.
    pub names: Vec<String>,
    table: Box<dyn Fn() -> String>,
    tree: Box<dyn Fn() -> Value>,
}

impl Listing {
    /// Returns a list of Applications; `columns` adds some to the table.
    pub fn apps(rows: Vec<AppRow>, columns: Columns) -> Self {
        let name = |row: &AppRow| format!("application.argoproj.io/{}", row.name);
        Self::of("ApplicationList", rows, name, move |rows| apps_table(rows, columns))
    }

    /// Returns a list of what is not alive; `wide` has every row of the table in one line.
    pub fn inactive(rows: Vec<InactiveRow>, wide: bool) -> Self {
        let name = |row: &InactiveRow| format!("{}.argoproj.io/{}", row.kind.to_lowercase(), row.name);
        Self::of("InactiveList", rows, name, move |rows| {
            let cells = rows.iter().map(|row| {
                let words = [&row.name, &row.kind, &row.file].map(Cell::from);
                words.into_iter().chain([Cell::Text(row.reason.clone())]).collect()
            });
            sized(&["name", "kind", "file", "reason"], &cells.collect::<Vec<_>>(), wide)
        })
    }

    /// Returns a list of Namespaces; `wide` adds columns to the table.
    pub fn namespaces(rows: Vec<NamespaceRow>, wide: bool) -> Self {
        let name = |row: &NamespaceRow| format!("namespace/{}", row.name);
        Self::of("NamespaceList", rows, name, move |rows| namespaces_table(rows, wide))
    }

    /// Returns a list of claims; `wide` has every row of the table in one line.
    pub fn claims(rows: Vec<ClaimRow>, wide: bool) -> Self {
        let name = |row: &ClaimRow| format!("persistentvolumeclaim/{}", row.name);
        Self::of("ClaimList", rows, name, move |rows| claims::table(rows, wide))
    }

    /// Returns a list of ApplicationSets; `wide` adds columns to the table.
    pub fn sets(rows: Vec<SetRow>, wide: bool) -> Self {
        let name = |row: &SetRow| format!("applicationset.argoproj.io/{}", row.name);
        Self::of("ApplicationSetList", rows, name, move |rows| sets_table(rows, wide))
    }

    fn of<R: Serialize + 'static>(
        kind: &'static str,
        rows: Vec<R>,
        name: impl Fn(&R) -> String,
        table: impl Fn(&[R]) -> String + 'static,
    ) -> Self {
        let names = rows.iter().map(name).collect();
        let rows = Rc::new(rows);
        let of_tree = Rc::clone(&rows);
        Self {
            names,
            table: Box::new(move || table(&rows)),
            tree: Box::new(move || json!({"apiVersion": API_VERSION, "kind": kind, "items": *of_tree})),
        }
    }

    /// Returns the list as a table.
    pub fn table(&self) -> String {
        (self.table)()
    }

    /// Returns the list as a value for JSON and YAML.
    pub fn tree(&self) -> Value {
        (self.tree)()
    }
}

/// Returns the Applications, those of one destination namespace where one is named.
pub fn apps(repo: &Repo, namespace: Option<&str>) -> Vec<AppRow> {
    let wanted = |app: &Application<'_>| namespace.is_none_or(|name| app.destination_namespace() == Some(name));
    let tree = repo.tree();
    let found = tree.iter().filter_map(|branch| {
        let app = Application::new(&branch.manifest.object).filter(wanted)?;
        Some(app_row(repo, &app, branch))
    });
    let mut rows: Vec<AppRow> = found.collect();
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    rows
}

fn app_row(repo: &Repo, app: &Application<'_>, branch: &Branch<'_>) -> AppRow {
    let merged = repo.merged_sources(app);
    let sources: Vec<Source<'_>> = merged.iter().map(|(at, tree)| Source::new(at.clone(), tree)).collect();
    let parameters: Vec<_> = sources.iter().filter_map(|source| source.parameters().ok()).collect();
    let by_plugin = sources.iter().filter(|source| source.uses_homelab_plugin()).count();
    let rendered = sources.iter().filter(|source| !source.gives_files_only()).count();
    AppRow {
        name: repo.shown_name(branch.manifest),
        namespace: app.destination_namespace().unwrap_or_default().to_owned(),
        sources: sources.iter().map(source_text).collect(),
        revisions: sources
            .iter()
            .map(|source| source.target_revision().to_owned())
            .collect(),
        rendered_by: match by_plugin {
            0 => "native",
            count if count == rendered => "plugin",
            _ => "mixed",
        },
        owns: once_each(parameters.iter().flat_map(|parameters| &parameters.owns)),
        mounts: once_each(parameters.iter().flat_map(|parameters| &parameters.mounts)),
        writes: once_each(parameters.iter().flat_map(|parameters| &parameters.writes)),
        origin: AppOrigin::of(branch),
        file: branch.manifest.file.to_string(),
    }
}

/// Returns the texts of entries, each once: several plugin sources have the same `owns`, and it is still one claim.
fn once_each(entries: impl Iterator<Item = impl ToString>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let texts = entries.map(|entry| entry.to_string());
    texts.filter(|text| seen.insert(text.clone())).collect()
}

fn source_text(source: &Source<'_>) -> String {
    let place = source.chart().or(source.path()).unwrap_or_default();
    format!("{} {place}", without_logins(source.repo_url()))
        .trim_end()
        .to_owned()
}

/// Returns the Namespaces.
pub fn namespaces(repo: &Repo, ownership: &Ownership, namespace: Option<&str>) -> Vec<NamespaceRow> {
    let found = repo
        .namespaces()
        .filter(|manifest| namespace.is_none_or(|name| manifest.object.name() == name));
    let (mut applications, mut owned) = (ByNamespace::new(), ByNamespace::new());
    let clusters = repo.clusters();
    for (manifest, app) in repo.applications() {
        if let (Some(namespace), Some(name)) = (app.destination_namespace(), repo.app_name(manifest)) {
            let there = (repo.cluster(manifest, &app, &clusters), namespace.to_owned());
            applications.entry(there).or_default().push(name.to_string());
        }
    }
    applications.values_mut().for_each(|names| names.sort());
    for (claim, _) in ownership.claims().filter(|(_, known)| known.is_held()) {
        let there = (claim.cluster.clone(), claim.namespace.to_string());
        owned.entry(there).or_default().push(claim.name.to_string());
    }
    let mut rows: Vec<NamespaceRow> = found
        .map(|manifest| {
            let (name, cluster) = (manifest.object.name(), cluster(repo, manifest));
            let there = (cluster, name.to_owned());
            let of = |names: &ByNamespace| names.get(&there).cloned().unwrap_or_default();
            NamespaceRow {
                name: name.to_owned(),
                pod_security: manifest
                    .object
                    .label("pod-security.kubernetes.io/enforce")
                    .unwrap_or_default()
                    .to_owned(),
                applications: of(&applications),
                claims: of(&owned),
                file: manifest.file.to_string(),
            }
        })
        .collect();
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    rows
}

/// Names, by the cluster and the namespace that they belong to.
type ByNamespace = BTreeMap<(Cluster, String), Vec<String>>;

/// Returns the cluster of the first Application that syncs a manifest; the one that Argo CD runs in where none does.
fn cluster(repo: &Repo, manifest: &Manifest) -> Cluster {
    let syncs = |(_, app): &(&Manifest, Application<'_>)| {
        let sources = repo.folder_sources(app);
        sources.iter().any(|source| source.reads(&manifest.file))
    };
    let app = repo.applications().find(syncs);
    app.map(|(by, app)| repo.cluster(by, &app, &repo.clusters()))
        .unwrap_or_default()
}

/// The columns of a table of Applications besides the usual ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// Where they come from.
    pub origin: bool,
    /// Paths of mounts, origins, sources, revisions and files; every row is in one line.
    pub wide: bool,
}

/// Renders Applications as a table.
fn apps_table(rows: &[AppRow], columns: Columns) -> String {
    let whole = columns.wide;
    let has_origin = whole || columns.origin;
    let mut heads = vec!["name", "namespace", "renderer", "owns", "mounts", "writes"];
    heads.extend(has_origin.then_some("origin"));
    if whole {
        heads.extend(["source", "revision", "file"]);
    }
    let cells = rows.iter().map(|row| {
        let mounts = match whole {
            true => row.mounts.clone(),
            false => once_each(row.mounts.iter().map(|mount| mounted(mount))),
        };
        let mut cells = Vec::from([&row.name, &row.namespace].map(Cell::from));
        cells.push(Cell::Word(row.rendered_by.to_owned()));
        cells.extend([row.owns.clone(), mounts, row.writes.clone()].map(Cell::List));
        cells.extend(has_origin.then(|| Cell::Text(row.origin.to_string())));
        if whole {
            let texts = [row.sources.join(" + "), row.revisions.join(" + "), row.file.clone()];
            cells.extend(texts.map(Cell::Word));
        }
        cells
    });
    sized(&heads, &cells.collect::<Vec<_>>(), whole)
}

/// Returns the claim of a mount, as `CLAIM[/SUBPATH]:PATH[,OPTION…]`.
fn mounted(mount: &str) -> String {
    let claim = mount.parse::<Mount>();
    claim.map_or_else(|_| mount.to_owned(), |mount| mount.claim_path().to_string())
}

/// Namespaces as a table; `whole` adds files.
fn namespaces_table(rows: &[NamespaceRow], whole: bool) -> String {
    let mut heads = vec!["name", "pod security", "applications", "owned claims"];
    heads.extend(whole.then_some("file"));
    let cells = rows.iter().map(|row| {
        let mut cells = Vec::from([&row.name, &row.pod_security].map(Cell::from));
        cells.extend([&row.applications, &row.claims].map(|names| Cell::List(names.clone())));
        cells.extend(whole.then(|| Cell::from(&row.file)));
        cells
    });
    sized(&heads, &cells.collect::<Vec<_>>(), whole)
}

/// Renders ApplicationSets as a table, with a reason where Applications are unknown; `whole` adds Applications and files.
fn sets_table(rows: &[SetRow], whole: bool) -> String {
    let has_reason = rows.iter().any(|row| row.reason.is_some());
    let cells = rows.iter().map(|row| {
        let count = row.applications.as_ref().map(|names| names.len().to_string());
        let mut cells = vec![Cell::from(&row.name), Cell::List(row.generators.clone())];
        cells.push(Cell::Word(count.unwrap_or_else(|| "unknown".to_owned())));
        cells.extend(has_reason.then(|| Cell::Text(row.reason.clone().unwrap_or_default())));
        if whole {
            cells.push(Cell::List(row.applications.clone().unwrap_or_default()));
            cells.push(Cell::from(&row.file));
        }
        cells
    });
    let mut heads = vec!["name", "generators", "applications"];
    heads.extend(has_reason.then_some("reason"));
    heads.extend(whole.then_some(["names", "file"]).into_iter().flatten());
    sized(&heads, &cells.collect::<Vec<_>>(), whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::Memory;
    use crate::rules::Scope;

    fn repo() -> Repo {
        let app = |name: &str, parameters: &str| {
            format!(
                "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: {name}\nspec:\n  destination:\n    namespace: media\n  source:\n    repoURL: https://git.example.org/{name}\n    path: helm\n    plugin:\n      name: homelab-v1\n      parameters:\n{parameters}"
            )
        };
        let fetcher = app("fetcher", "      - name: owns\n        array: [audio]\n");
        let player = app("player", "      - name: mounts\n        array: [\"audio:/a\"]\n");
        let namespace = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: media\n  labels:\n    pod-security.kubernetes.io/enforce: baseline\n";
        let files = [
            ("applications/fetcher.yaml", fetcher.as_str()),
            ("applications/player.yaml", &player),
            ("applications/ns.yaml", namespace),
        ];
        Repo::read(&Memory::new(files).unwrap(), &[]).unwrap()
    }

    #[test]
    fn applications_namespaces_and_claims() {
        let repo = repo();
        let nothing = BTreeMap::new();
        let scope = Scope::new(&repo, &nothing);
        insta::assert_snapshot!(apps_table(&apps(&repo, None), Columns::default()), @"
        NAME      NAMESPACE   RENDERER   OWNS    MOUNTS   WRITES
        fetcher   media       plugin     audio   -        -
        player    media       plugin     -       audio    -
        ");
        insta::assert_snapshot!(namespaces_table(&namespaces(&repo, &scope.ownership, None), false), @"
        NAME    POD SECURITY   APPLICATIONS     OWNED CLAIMS
        media   baseline       fetcher player   audio
        ");
        assert!(apps(&repo, Some("other")).is_empty());
    }

    #[test]
    fn several_sources_are_one_row() {
        let plugin = "    path: p\n    plugin:\n      name: homelab-v1\n      parameters:\n      - name: owns\n        array: [films]\n";
        let row = |rest: &str| {
            let text = format!(
                "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: player\nspec:\n  sources:\n  - repoURL: a\n{plugin}  - repoURL: https://u:p@b.example/c\n{plugin}  - repoURL: c\n    {rest}\n"
            );
            let files = Memory::new([("applications/player.yaml", text.as_str())]).unwrap();
            apps(&Repo::read(&files, &[]).unwrap(), None).remove(0)
        };
        let (mixed, plugin) = (row("chart: d"), row("ref: values"));
        assert_eq!((mixed.rendered_by, plugin.rendered_by), ("mixed", "plugin"));
        assert_eq!(mixed.owns, ["films"]);
        assert_eq!(mixed.sources, ["a p", "https://b.example/c p", "c d"]);
    }
}
