//! Applications and claims as a graph: who owns, writes and reads each claim, and what guards it. The claims are those of
//! `list volumes`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::claims::{ClaimRow, named_claims};
use super::list::API_VERSION;
use super::tree::{self, Node};
use crate::model::cluster::LOCAL_NAME;
use crate::model::{AppName, ClaimRef};
use crate::rules::owned_claim_is_guarded::missing;
use crate::rules::{Scope, Subject};

/// What keeps a claim when Argo CD syncs, or deletes its Application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Guard {
    /// It has the guards, as it is rendered.
    Guarded,
    /// It is rendered without a guard.
    Unguarded,
    /// A controller makes it, as that of StatefulSets does: Argo CD does not know it, and never deletes it.
    Untracked,
    /// The plugin guards what it renders; it is not rendered here.
    ByPlugin,
    /// Nobody owns it, or nobody knows what its owner renders.
    Unknown,
}

/// A claim.
#[derive(Clone, Debug, Serialize)]
pub struct Claim {
    /// Who owns, writes and reads it.
    #[serde(flatten)]
    pub row: ClaimRow,
    /// What keeps it.
    pub guard: Guard,
    /// The guards that it lacks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<&'static str>,
}

/// An Application, with its claims as `NAMESPACE/NAME`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct App<'g> {
    name: &'g str,
    rendered: bool,
    owns: Vec<String>,
    writes: Vec<String>,
    reads: Vec<String>,
}

/// What stands below the name of a claim that is kept for its next owner.
const KEPT: &str = "<br/>kept";

/// Applications and claims.
#[derive(Clone, Debug)]
pub struct Graph {
    /// The claims, in the order of `list volumes`.
    pub claims: Vec<Claim>,
}

/// The whole answer as JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'g> {
    api_version: &'static str,
    kind: &'static str,
    applications: Vec<App<'g>>,
    claims: &'g [Claim],
}

impl Graph {
    /// Returns the graph of a repository, or that of one namespace.
    pub fn of(scope: &Scope<'_>, namespace: Option<&str>) -> Self {
        let claim = |(reference, row): (&ClaimRef, ClaimRow)| {
            let (guard, missing) = guard(scope, reference);
            Claim { row, guard, missing }
        };
        Self {
            claims: named_claims(scope, namespace).map(claim).collect(),
        }
    }

    /// Returns the Applications that have to do with the claims, by their names.
    fn applications(&self) -> Vec<App<'_>> {
        let mut apps: BTreeMap<&str, App<'_>> = BTreeMap::new();
        for claim in &self.claims {
            let name = format!("{}/{}", claim.row.namespace, claim.row.name);
            for (app, how) in claim.users() {
                let known = apps.entry(app).or_insert_with(|| App {
                    name: app,
                    rendered: true,
                    ..App::default()
                });
                known.rendered &= !claim.row.not_rendered.iter().any(|other| other == app);
                let list = match how {
                    How::Owns => &mut known.owns,
                    How::Writes => &mut known.writes,
                    How::Reads => &mut known.reads,
                };
                list.push(name.clone());
            }
        }
        apps.into_values().collect()
    }

    /// Returns the graph as JSON.
    ///
    /// # Errors
    /// Never in practice: the values are texts.
    pub fn json(&self) -> serde_json::Result<String> {
        let document = Document {
            api_version: API_VERSION,
            kind: "Graph",
            applications: self.applications(),
            claims: &self.claims,
        };
        Ok(serde_json::to_string_pretty(&document)? + "\n")
    }

    /// Draws the claims below their namespaces, and who uses each below it; `None` where there is none.
    pub fn tree(&self) -> Option<String> {
        let mut places: BTreeMap<(&str, &str), Vec<Node>> = BTreeMap::new();
        for claim in &self.claims {
            let users = claim.users().into_iter().map(|(app, how)| {
                let unknown = if claim.row.not_rendered.iter().any(|other| other == app) {
                    " (not rendered)"
                } else {
                    ""
                };
                Node::leaf(format!("{app} {} it{unknown}", how.verb()))
            });
            let node = Node {
                text: format!("{}: {}", claim.row.name, claim.state()),
                below: users.collect(),
            };
            let place = (claim.row.cluster.as_str(), claim.row.namespace.as_str());
            places.entry(place).or_default().push(node);
        }
        let tops = places.into_iter().map(|((cluster, namespace), below)| Node {
            text: of_cluster(cluster, namespace),
            below,
        });
        let tops: Vec<Node> = tops.collect();
        (!tops.is_empty()).then(|| tree::drawn(&tops))
    }

    /// Draws the graph as a flowchart of Mermaid, which GitHub, Forgejo and Gitea show
    /// ([source](https://mermaid.js.org/syntax/flowchart.html)).
    pub fn mermaid(&self) -> String {
        let apps: BTreeSet<&str> = self.claims.iter().flat_map(Claim::users).map(|(app, _)| app).collect();
        let numbers: BTreeMap<&str, usize> = apps.into_iter().zip(0..).collect();
        let mut lines = vec!["flowchart LR".to_owned()];
        let nodes = numbers.iter().map(|(app, number)| format!("  a{number}[\"{app}\"]"));
        lines.extend(nodes);
        let mut places: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
        let mut edges = Vec::new();
        for (index, claim) in self.claims.iter().enumerate() {
            let place = (claim.row.cluster.as_str(), claim.row.namespace.as_str());
            let note = match claim.guard {
                Guard::Unguarded => "<br/>not guarded",
                _ if !claim.row.released_by.is_empty() => "<br/>released",
                _ if claim.row.is_only_kept() => KEPT,
                _ if claim.row.owners.is_empty() => "<br/>nobody owns it",
                _ => "",
            };
            let is_danger = !note.is_empty() && note != KEPT;
            let style = if is_danger { ":::danger" } else { "" };
            let node = format!("    c{index}[(\"{}{note}\")]{style}", claim.row.name);
            places.entry(place).or_default().push(node);
            edges.extend(claim.users().into_iter().map(|(app, how)| {
                let (start, end) = if how == How::Reads {
                    ("-.", ".->")
                } else {
                    ("--", "-->")
                };
                format!("  a{} {start} {} {end} c{index}", numbers[app], how.verb())
            }));
        }
        for (index, ((cluster, namespace), nodes)) in places.into_iter().enumerate() {
            lines.push(format!("  subgraph n{index}[\"{}\"]", of_cluster(cluster, namespace)));
            lines.extend(nodes);
            lines.push("  end".to_owned());
        }
        lines.extend(edges);
        if lines.iter().any(|line| line.ends_with(":::danger")) {
            lines.push("  classDef danger stroke:#c00,stroke-width:2px".to_owned());
        }
        lines.join("\n") + "\n"
    }
}

/// What an Application does with a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Owns,
    Writes,
    Reads,
}

impl How {
    fn verb(self) -> &'static str {
        match self {
            Self::Owns => "owns",
            Self::Writes => "writes",
            Self::Reads => "reads",
        }
    }
}

impl Claim {
    /// Returns the Applications that use it: owners first, then writers, then readers.
    fn users(&self) -> Vec<(&str, How)> {
        let all = [
            (&self.row.owners, How::Owns),
            (&self.row.writers, How::Writes),
            (&self.row.readers, How::Reads),
        ];
        let users = all
            .into_iter()
            .flat_map(|(names, how)| names.iter().map(move |name| (name.as_str(), how)));
        users.collect()
    }

    /// Returns what keeps it, and what will not, for a reader.
    fn state(&self) -> String {
        match self.row.released_by.is_empty() {
            true => self.kept(),
            false => format!(
                "released by {}: it goes with its data",
                self.row.released_by.join(" and ")
            ),
        }
    }

    fn kept(&self) -> String {
        match self.guard {
            _ if self.row.is_only_kept() => {
                format!("kept, its owner {} is gone", self.row.kept_for.join(" and "))
            }
            Guard::Guarded => "guarded".to_owned(),
            Guard::Unguarded => format!("not guarded, without {}", self.missing.join(" and ")),
            Guard::Untracked => "made by a controller, unknown to Argo CD".to_owned(),
            Guard::ByPlugin => "guarded by the plugin".to_owned(),
            Guard::Unknown if self.row.owners.is_empty() => "nobody owns it".to_owned(),
            Guard::Unknown => "not known whether it is guarded".to_owned(),
        }
    }
}

fn of_cluster(cluster: &str, namespace: &str) -> String {
    match cluster {
        LOCAL_NAME => namespace.to_owned(),
        cluster => format!("{namespace} in {cluster}"),
    }
}

/// Returns what keeps a claim, and the guards that it lacks.
fn guard(scope: &Scope<'_>, reference: &ClaimRef) -> (Guard, Vec<&'static str>) {
    if let Some((subject, item)) = scope.claim_object(reference) {
        if !item.is_final {
            // What Kustomize or another plugin builds may have guards that its manifests lack.
            let guard = match subject.uses_homelab_plugin() {
                true => Guard::ByPlugin,
                false => Guard::Unknown,
            };
            return (guard, Vec::new());
        }
        let missing = missing(subject, item.object());
        let guard = if missing.is_empty() {
            Guard::Guarded
        } else {
            Guard::Unguarded
        };
        return (guard, missing);
    }
    let claim = scope.claim(reference);
    let owners: Vec<&Subject<'_>> = claim
        .owners
        .iter()
        .filter_map(|app: &AppName| scope.subject(app))
        .collect();
    let is_unseen_plugin = |subject: &&Subject<'_>| subject.uses_homelab_plugin() && !subject.is_seen;
    let guard = if !claim.made_for.is_empty() {
        Guard::Untracked
    } else if !owners.is_empty() && owners.iter().all(is_unseen_plugin) {
        Guard::ByPlugin
    } else {
        Guard::Unknown
    };
    (guard, Vec::new())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::case::{Case, HOME, claim, deployment, guarded_claim, mounts, owns, writes};

    fn case() -> Case {
        let set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": {
            "volumeClaimTemplates": [{"metadata": {"name": "data"}}]}});
        Case::new()
            .plugin("fetcher", json!([owns(["audio", "data-db-0"])]))
            .renders("fetcher", [guarded_claim("audio"), set])
            .plugin("editor", json!([writes(["audio"])]))
            .renders("editor", [deployment("editor", "audio", false, false)])
            .plugin("player", json!([mounts(["audio:/a"])]))
            .renders("player", [deployment("player", "audio", true, true)])
            .helm("films")
            .renders(
                "films",
                [claim(
                    "films",
                    json!({"argocd.argoproj.io/sync-options": "Delete=false"}),
                )],
            )
            .plugin("later", json!([owns(["later"])]))
            .plugin("namespaces", json!([{"name": "keeps", "array": ["media/old=ripper"]}]))
    }

    fn graph(namespace: Option<&str>) -> Graph {
        let case = case();
        let repo = case.repo();
        Graph::of(&Scope::new(&repo, case.app_renders()), namespace)
    }

    #[test]
    fn a_tree_says_who_uses_a_claim_and_what_guards_it() {
        insta::assert_snapshot!(graph(None).tree().unwrap(), @"
        media
        ├── audio: guarded
        │   ├── fetcher owns it
        │   ├── editor writes it
        │   └── player reads it
        ├── data-db-0: made by a controller, unknown to Argo CD
        │   └── fetcher owns it
        ├── films: not guarded, without Prune=false
        │   └── films owns it
        ├── later: guarded by the plugin
        │   └── later owns it (not rendered)
        └── old: kept, its owner ripper is gone
        ");
        assert_eq!(graph(Some("elsewhere")).tree(), None);
    }

    #[test]
    fn a_flowchart_has_the_same() {
        insta::assert_snapshot!(graph(Some("media")).mermaid(), @r#"
        flowchart LR
          a0["editor"]
          a1["fetcher"]
          a2["films"]
          a3["later"]
          a4["player"]
          subgraph n0["media"]
            c0[("audio")]
            c1[("data-db-0")]
            c2[("films<br/>not guarded")]:::danger
            c3[("later")]
            c4[("old<br/>kept")]
          end
          a1 -- owns --> c0
          a0 -- writes --> c0
          a4 -. reads .-> c0
          a1 -- owns --> c1
          a2 -- owns --> c2
          a3 -- owns --> c3
          classDef danger stroke:#c00,stroke-width:2px
        "#);
    }

    #[test]
    fn nobody_knows_what_is_built_elsewhere() {
        let kustomization = "resources: [claim.yaml]\n";
        let case = Case::new()
            .app(
                "films",
                json!({"destination": {"namespace": "media"}, "source": {"repoURL": HOME, "path": "films"}}),
            )
            .file("films/kustomization.yaml", kustomization)
            .manifest("films/claim.yaml", claim("films", json!({})));
        let repo = case.repo();
        let graph = Graph::of(&Scope::new(&repo, case.app_renders()), None);
        assert_eq!(graph.claims[0].guard, Guard::Unknown);
    }

    #[test]
    fn json_has_both_sides() {
        let graph = graph(None);
        let tree: serde_json::Value = serde_json::from_str(&graph.json().unwrap()).unwrap();
        assert_eq!(tree["applications"][1]["name"], "fetcher");
        assert_eq!(
            tree["applications"][1]["owns"],
            json!(["media/audio", "media/data-db-0"])
        );
        assert_eq!(tree["claims"][0]["guard"], "guarded");
        assert_eq!(tree["claims"][0]["readers"], json!(["player"]));
        assert_eq!(tree["claims"][2]["missing"], json!(["Prune=false"]));
    }
}
