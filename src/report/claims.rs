//! Claims with their owners, and the Applications that write and read them, as they are rendered.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::table::{Cell, sized};
use crate::model::cluster::LOCAL_NAME;
use crate::model::ownership::Claim;
use crate::model::{AppName, Application, Availability, ClaimRef};
use crate::rules::{CheckReport, Scope, Skipped};

/// One claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimRow {
    /// Its cluster: `in-cluster` for the one that Argo CD runs in.
    pub cluster: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The Applications that own it; one, where all is well.
    pub owners: Vec<String>,
    /// The Applications that owned it last, where it is kept after they are gone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kept_for: Vec<String>,
    /// The Applications that let it go: it is deleted with its data as soon as it is not rendered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub released_by: Vec<String>,
    /// The Applications besides that write it: as rendered, or as they declare where they are not rendered.
    pub writers: Vec<String>,
    /// The Applications that read it, known in the same way.
    pub readers: Vec<String>,
    /// Those of all these that are not rendered.
    pub not_rendered: Vec<String>,
}

/// The most Applications that one line names.
const MOST_NAMES: usize = 8;

/// What is known of an Application's use of claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// Its objects as the cluster gets them.
    Rendered,
    /// What it declares; the plugin would make the rest read-only.
    Declared,
    /// Its objects as far as they are in this repository; nothing makes them read-only.
    Native,
}

impl Known {
    fn of(scope: &Scope<'_>, app: &AppName) -> Self {
        if let Some(Availability::Available(_)) = scope.renders.get(app) {
            return Self::Rendered;
        }
        let by_plugin = |app: &Application<'_>| app.sources().iter().any(|source| source.uses_homelab_plugin());
        match scope.subject(app) {
            Some(subject) if !by_plugin(&subject.app) => Self::Native,
            _ => Self::Declared,
        }
    }

    fn writes(self, claim: &Claim, app: &AppName) -> bool {
        let (declared, rendered) = (claim.writers.contains(app), claim.rendered_writers.contains(app));
        match self {
            Self::Rendered => rendered,
            Self::Declared => declared,
            Self::Native => declared || rendered,
        }
    }

    fn uses(self, claim: &Claim, app: &AppName) -> bool {
        match self {
            Self::Rendered => claim.users.contains(app),
            Self::Declared | Self::Native => claim.consumers.contains(app),
        }
    }
}

/// Returns the claims, those of one namespace where one is named. An Application that is rendered uses a claim as its
/// objects do, another one as it declares.
pub fn claims(scope: &Scope<'_>, namespace: Option<&str>) -> Vec<ClaimRow> {
    named_claims(scope, namespace).map(|(_, row)| row).collect()
}

/// Returns the same rows, each with what names its claim.
pub(super) fn named_claims<'s>(
    scope: &'s Scope<'_>,
    namespace: Option<&'s str>,
) -> impl Iterator<Item = (&'s ClaimRef, ClaimRow)> {
    let claims = scope.ownership.claims();
    let wanted = claims.filter(move |(claim, _)| namespace.is_none_or(|name| claim.namespace.as_str() == name));
    wanted.map(|(reference, claim)| (reference, row(scope, reference, &claim)))
}

fn row(scope: &Scope<'_>, reference: &ClaimRef, claim: &Claim) -> ClaimRow {
    let all = claim.owners.iter().chain(&claim.writers).chain(&claim.consumers);
    // Who names it in a text may mount it.
    let all: BTreeSet<&AppName> = all.chain(&claim.named_by).collect();
    let (mut writers, mut readers, mut not_rendered) = (Vec::new(), Vec::new(), Vec::new());
    for app in all {
        let known = Known::of(scope, app);
        if known != Known::Rendered {
            not_rendered.push(app.to_string());
        }
        if claim.owners.contains(app) {
            continue;
        }
        if known.writes(claim, app) {
            writers.push(app.to_string());
        } else if known.uses(claim, app) || claim.named_by.contains(app) {
            readers.push(app.to_string());
        }
    }
    ClaimRow {
        cluster: reference.cluster.to_string(),
        namespace: reference.namespace.to_string(),
        name: reference.name.to_string(),
        owners: names(&claim.owners),
        kept_for: names(&claim.kept_for),
        released_by: names(&claim.released_by),
        writers,
        readers,
        not_rendered,
    }
}

fn names(apps: &BTreeSet<AppName>) -> Vec<String> {
    apps.iter().map(ToString::to_string).collect()
}

impl ClaimRow {
    /// Reports whether it is kept for its next owner: nobody owns it now.
    pub(super) fn is_only_kept(&self) -> bool {
        self.owners.is_empty() && !self.kept_for.is_empty()
    }

    /// Returns its owners in words: those that let it go say so, and so does who is gone.
    fn owners_in_words(&self) -> Vec<String> {
        let released = |app: &String| match self.released_by.contains(app) {
            true => format!("{app} (released)"),
            false => app.clone(),
        };
        let kept = self.kept_for.iter().filter(|_| self.owners.is_empty());
        let owners = self.owners.iter().map(released);
        owners.chain(kept.map(|app| format!("{app} (gone, kept)"))).collect()
    }
}

/// Returns the lines that say whose objects are not known, and why; of one namespace where one is named.
pub fn remarks(scope: &Scope<'_>, namespace: Option<&str>) -> Vec<String> {
    if scope.renders.is_empty() && !scope.subjects.is_empty() {
        return vec!["nothing was rendered: Applications use claims as they declare (--no-render)".to_owned()];
    }
    let is_near = |skipped: &&Skipped| {
        let name = AppName::new(&skipped.name).ok();
        let subject = name
            .and_then(|name| scope.subject(&name))
            .filter(|_| skipped.kind == "Application");
        let destination = subject.and_then(|subject| subject.app.destination_namespace());
        namespace.is_none_or(|name| destination.is_none_or(|destination| destination == name))
    };
    let (mut lines, mut reasons) = (Vec::new(), BTreeMap::<(&str, &str), Vec<String>>::new());
    let all = CheckReport::skipped(scope);
    for skipped in all.iter().filter(is_near) {
        let name = format!("`{}`", skipped.name);
        match skipped.reason {
            Some(reason) => reasons.entry(reason).or_default().push(name),
            None => lines.push(format!("not rendered, shown as declared: {name}: {}", skipped.why)),
        }
    }
    lines.extend(reasons.iter().map(|((one, many), names)| {
        let reason = if names.len() == 1 { one } else { many };
        let shown = names.len().min(MOST_NAMES);
        let more = match names.len() - shown {
            0 => String::new(),
            more => format!(" and {more} more, see `kubectl homelab validate`"),
        };
        format!(
            "not rendered, shown as declared: {}{more}: {reason}",
            names[..shown].join(", ")
        )
    }));
    lines
}

/// Renders claims as a table, with their clusters where there are several.
pub(super) fn table(rows: &[ClaimRow], whole: bool) -> String {
    let is_shown = rows.iter().any(|row| row.cluster != LOCAL_NAME);
    let cells = rows.iter().map(|row| {
        let mut cells = Vec::from_iter(is_shown.then(|| Cell::from(&row.cluster)));
        cells.extend([&row.namespace, &row.name].map(Cell::from));
        let names = [row.owners_in_words(), row.writers.clone(), row.readers.clone()];
        cells.extend(names.map(Cell::List));
        cells
    });
    let mut heads = Vec::from_iter(is_shown.then_some("cluster"));
    heads.extend(["namespace", "claim", "owner", "writers", "readers"]);
    sized(&heads, &cells.collect::<Vec<_>>(), whole)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::*;
    use crate::model::{AppRenders, Object, Unavailable};
    use crate::repo::{Memory, Repo};

    fn app(name: &str, cluster: &str, plugin: &str) -> (String, String) {
        let text = format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}}}\nspec:\n  destination: {{namespace: media, {cluster}}}\n  source:\n    repoURL: https://git.example.org/{name}\n    path: helm\n{plugin}"
        );
        (format!("applications/{name}.yaml"), text)
    }

    fn plugin(parameter: &str, entry: &str) -> String {
        format!("    plugin: {{name: homelab-v1, parameters: [{{name: {parameter}, array: ['{entry}']}}]}}\n")
    }

    fn repo(apps: &[(String, String)]) -> Repo {
        let files = apps.iter().map(|(path, text)| (path.as_str(), text.as_str()));
        Repo::read(&Memory::new(files).unwrap(), &[]).unwrap()
    }

    fn pod(read_only: bool) -> Value {
        json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
            "spec": {
                "containers": [{"name": "c", "volumeMounts": [{"name": "v", "mountPath": "/v", "readOnly": read_only}]}],
                "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "audio"}}],
            },
        })
    }

    #[test]
    fn what_is_rendered_counts_and_else_what_is_declared() {
        let here = "server: https://kubernetes.default.svc";
        let repo = repo(&[
            app("fetcher", here, &plugin("owns", "audio")),
            app("lapsed", here, &plugin("writes", "audio")),
            app("native", here, ""),
            app("player", here, &plugin("mounts", "audio:/a")),
            app("tagger", here, &plugin("writes", "audio")),
            app("viewer", here, ""),
        ]);
        let url = "https://git.example.org/player".to_owned();
        let renders: AppRenders = [
            ("lapsed", Availability::Available(Vec::new())),
            ("native", Availability::Available(vec![Object::new(pod(false))])),
            (
                "player",
                Availability::Unavailable(Unavailable::NotCloned { url: url.clone() }),
            ),
            ("tagger", Availability::Unavailable(Unavailable::NotCloned { url })),
            ("viewer", Availability::Available(vec![Object::new(pod(true))])),
        ]
        .map(|(name, render)| (AppName::new(name).unwrap(), render))
        .into();
        let scope = Scope::new(&repo, &renders);
        let rows = claims(&scope, None);
        insta::assert_snapshot!(table(&rows, false), @"
        NAMESPACE   CLAIM   OWNER     WRITERS         READERS
        media       audio   fetcher   native tagger   player viewer
        ");
        assert_eq!(rows[0].not_rendered, ["fetcher", "player", "tagger"]);
        assert_eq!(
            remarks(&scope, Some("media")),
            ["not rendered, shown as declared: `player`, `tagger`: not cloned (--fetch)"]
        );
        assert!(remarks(&scope, Some("radio")).is_empty() && claims(&scope, Some("radio")).is_empty());
    }

    #[test]
    fn claims_in_texts_have_readers() {
        let here = "server: https://kubernetes.default.svc";
        let repo = repo(&[
            app("fetcher", here, &plugin("owns", "audio")),
            app("flow", here, ""),
            app("notes", here, ""),
        ]);
        let patch = "{volumes: [{name: a, persistentVolumeClaim: {claimName: audio, readOnly: true}}]}";
        let workflow = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "w"}, "spec": {"podSpecPatch": patch}});
        let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"job": "claimName: audio", "other": "claimName: nobodys"}});
        let available = |tree: Value| Availability::Available(vec![Object::new(tree)]);
        let renders: AppRenders = [("flow", available(workflow)), ("notes", available(config))]
            .map(|(name, render)| (AppName::new(name).unwrap(), render))
            .into();
        insta::assert_snapshot!(table(&claims(&Scope::new(&repo, &renders), None), false), @"
        NAMESPACE   CLAIM   OWNER     WRITERS   READERS
        media       audio   fetcher   -         flow notes
        ");
    }

    #[test]
    fn kept_and_released_claims_are_told_apart() {
        let repo = repo(&[
            app(
                "namespaces",
                "server: https://kubernetes.default.svc",
                &plugin("keeps", "media/films=old"),
            ),
            app(
                "fetcher",
                "server: https://kubernetes.default.svc",
                "    plugin: {name: homelab-v1, parameters: [{name: owns, array: [audio]}, {name: releases, array: [audio]}]}\n",
            ),
        ]);
        let renders = BTreeMap::new();
        let rows = claims(&Scope::new(&repo, &renders), None);
        insta::assert_snapshot!(table(&rows, false), @"
        NAMESPACE   CLAIM   OWNER                WRITERS   READERS
        media       audio   fetcher (released)   -         -
        media       films   old (gone, kept)     -         -
        ");
        let tree = serde_json::to_value(&rows).unwrap();
        assert_eq!(
            (&tree[1]["keptFor"], &tree[0]["releasedBy"]),
            (&json!(["old"]), &json!(["fetcher"]))
        );
    }

    #[test]
    fn clusters_are_shown_where_there_are_several() {
        let repo = repo(&[app("fetcher", "name: nas", &plugin("owns", "audio"))]);
        let renders = BTreeMap::new();
        let scope = Scope::new(&repo, &renders);
        insta::assert_snapshot!(table(&claims(&scope, None), false), @"
        CLUSTER   NAMESPACE   CLAIM   OWNER     WRITERS   READERS
        nas       media       audio   fetcher   -         -
        ");
        assert_eq!(
            remarks(&scope, None),
            ["nothing was rendered: Applications use claims as they declare (--no-render)"]
        );
    }
}
