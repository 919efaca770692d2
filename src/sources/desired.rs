//! The Applications that Argo CD would have: those in files, those that ApplicationSets generate, and those that charts of
//! Applications render, to any depth.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::Value;

use super::parents::{Parent, applied_charts, parents};
use super::sent::Sent;
use super::sets::expanded_in;
use super::unsearched::unsearched;
use super::{ExpandedSet, Options, SourceDirs, Sources, availability};
use crate::disk::Checkout;
use crate::model::application::GENERATE_PATHS;
use crate::model::{Application, Availability, Object};
use crate::parallel;
use crate::repo::{Files, Generated, Manifest, Origin, Rendered, Repo, RepoPath, Unknown, is_looked_for};
use crate::sets::{Checkouts, Reason, RepoContents};

/// How many sets and renders may stand between a file and an Application: more of them are a cycle.
const DEEPEST: usize = 12;

/// What was followed already, by kind, namespace and name, and the document that it comes from.
type Followed = BTreeSet<(String, Option<String>, String, RepoPath, usize)>;

/// Adds to a repository what its ApplicationSets generate and its charts of Applications render, and reads what these
/// Applications sync. `progress` is called with the name of each chart that is rendered.
///
/// # Errors
/// When the repository's files cannot be read.
pub fn complete(
    repo: &mut Repo,
    checkout: &Checkout,
    (dirs, options): (&SourceDirs, &Options),
    progress: &mut dyn FnMut(&str),
) -> Result<()> {
    let files = Known {
        all: checkout,
        raw: checkout,
        folder: RepoPath::root(),
        named: Some(dirs),
    };
    completed(repo, &files, &mut |repo, open| {
        of_parents(repo, checkout, (dirs, options), open, progress)
    })?;
    // The plugin lists nothing.
    if !options.for_plugin {
        repo.unsearched = unsearched(repo);
    }
    Ok(())
}

/// As [`complete`], for a repository of which one folder is there: nothing in it is rendered.
///
/// # Errors
/// Those of [`complete`].
pub(super) fn complete_part(repo: &mut Repo, sent: &Sent<'_>) -> Result<()> {
    let files = Known {
        all: sent,
        raw: sent.files,
        folder: sent.folder.clone(),
        named: None,
    };
    let why = "Argo CD sent only a part of the repository to the plugin";
    let hint = format!("set the annotation `{GENERATE_PATHS}` to `/`");
    completed(repo, &files, &mut |_, open| {
        let unknown = open
            .iter()
            .map(|parent| parent.unknown(why.to_owned(), Some(hint.clone())));
        (Vec::new(), unknown.collect())
    })
}

/// The files of a repository, as far as they are known.
struct Known<'f> {
    /// By their paths in the repository.
    all: &'f dyn Files,
    /// By their paths in a folder of it.
    raw: &'f dyn Files,
    folder: RepoPath,
    /// The checkouts of other repositories that the user has named.
    named: Option<&'f dyn Checkouts>,
}

/// Renders parents, and returns what they bring and those of which that is not known.
type Render<'f> = dyn FnMut(&Repo, &[Parent]) -> (Vec<Manifest>, Vec<Unknown>) + 'f;

fn completed(repo: &mut Repo, files: &Known<'_>, render: &mut Render<'_>) -> Result<()> {
    let (mut sets, mut rendered) = (Followed::new(), Followed::new());
    let mut is_last = false;
    for depth in 0.. {
        // What nothing syncs is known when everything else is.
        let mut open = if is_last { applied_charts(repo) } else { parents(repo) };
        open.retain(|parent| rendered.insert(key(&parent.manifest)));
        let mut expand = || generated(repo, files, &mut sets);
        let (expansion, (of_parents, unrendered)) = match open.is_empty() {
            true => (expand(), (Vec::new(), Vec::new())),
            // A render waits for git and for helm.
            false => parallel::both(expand, || render(repo, &open)),
        };
        let Expansion {
            mut found,
            mut unknown,
            expanded,
        } = expansion;
        expanded.iter().for_each(|set| repo.set_expanded(set));
        found.extend(of_parents);
        unknown.extend(unrendered);
        repo.unknown.extend(unknown);
        if !found.is_empty() {
            let known: BTreeSet<_> = repo.applications().map(|(manifest, _)| key(manifest)).collect();
            found.retain(|manifest| !known.contains(&key(manifest)));
        }
        if depth >= DEEPEST && !found.is_empty() {
            repo.unknown.extend(found.iter().map(endless));
            break;
        }
        if found.is_empty() && is_last {
            break;
        }
        is_last = found.is_empty();
        if !is_last {
            repo.add_derived(found);
            repo.follow(files.all)?;
        }
    }
    repo.drop_unread();
    repo.drop_lists();
    Ok(())
}

/// Returns why what a manifest brings is not followed any further.
fn endless(manifest: &Manifest) -> Unknown {
    Unknown {
        name: manifest.object.name().to_owned(),
        kind: "Application",
        place: (manifest.file.clone(), manifest.document),
        why: format!("{DEEPEST} sets and charts stand between a file and it: they render each other in a circle"),
        hint: Some("take the circle out: an Application renders another one that renders the first again".to_owned()),
    }
}

fn key(manifest: &Manifest) -> (String, Option<String>, String, RepoPath, usize) {
    let object = &manifest.object;
    let namespace = object.namespace().map(str::to_owned);
    (
        object.kind().to_owned(),
        namespace,
        object.name().to_owned(),
        manifest.file.clone(),
        manifest.document,
    )
}

/// What sets generate.
#[derive(Default)]
struct Expansion {
    found: Vec<Manifest>,
    unknown: Vec<Unknown>,
    /// The sets whose Applications are known.
    expanded: Vec<Manifest>,
}

/// Returns what the sets generate that were not expanded yet, and those that are not known.
fn generated(repo: &Repo, files: &Known<'_>, done: &mut Followed) -> Expansion {
    let mut expansion = Expansion::default();
    let mut contents = RepoContents::of_folder(repo, files.raw, files.folder.clone());
    if let Some(named) = files.named {
        contents = contents.with_checkouts(named);
    }
    for set in expanded_in(repo, &contents, |set| done.insert(key(set))) {
        match &set.applications {
            Ok(applications) => {
                expansion.expanded.push(set.manifest.clone());
                expansion.found.extend(applications.iter().map(|generated| Manifest {
                    file: set.manifest.file.clone(),
                    document: set.manifest.document,
                    object: generated.application.clone(),
                    origin: Origin::Generated(Generated {
                        set: set.set.name().to_owned(),
                        template: set.manifest.origin.template(),
                        folders: generated.origins.clone(),
                    }),
                }));
            }
            Err(reason) => expansion.unknown.push(unexpanded(&set, reason)),
        }
    }
    expansion
}

fn unexpanded(expanded: &ExpandedSet<'_>, reason: &Reason) -> Unknown {
    Unknown {
        name: expanded.set.name().to_owned(),
        kind: "ApplicationSet",
        place: (expanded.manifest.file.clone(), expanded.manifest.document),
        why: reason.to_string(),
        hint: reason.hint(),
    }
}

/// Returns the Applications and sets that parents render, and the parents that do not render here.
fn of_parents(
    repo: &Repo,
    checkout: &Checkout,
    (dirs, options): (&SourceDirs, &Options),
    parents: &[Parent],
    progress: &mut dyn FnMut(&str),
) -> (Vec<Manifest>, Vec<Unknown>) {
    let (mut found, mut unknown) = (Vec::new(), Vec::new());
    if parents.is_empty() {
        return (found, unknown);
    }
    let sources = Sources::new(repo, checkout, dirs, options);
    let apps: Vec<Application<'_>> = parents
        .iter()
        .filter_map(|parent| Application::new(&parent.manifest.object))
        .collect();
    for (parent, render) in parents.iter().zip(sources.render_natively(&apps, progress)) {
        let objects = match availability(render) {
            Availability::Available(objects) => objects,
            Availability::Unavailable(why) => {
                unknown.push(parent.unknown(why.to_string(), Some(why.hint())));
                continue;
            }
            Availability::Failed { message, hint, .. } => {
                unknown.push(parent.unknown(message, hint));
                continue;
            }
        };
        let wanted = objects.into_iter().filter(is_looked_for);
        found.extend(wanted.map(|object| Manifest {
            file: parent.manifest.file.clone(),
            document: parent.manifest.document,
            object: in_namespace(object, parent),
            origin: Origin::Rendered(Rendered {
                by: parent.name.clone(),
                is_chart: parent.is_chart,
                source: parent.source.clone(),
            }),
        }));
    }
    (found, unknown)
}

/// Returns an object with the namespace that it gets where its own is not written.
fn in_namespace(object: Object, parent: &Parent) -> Object {
    let namespace = Application::new(&parent.manifest.object).and_then(|app| app.destination_namespace());
    let (None, Some(namespace)) = (object.namespace(), namespace) else {
        return object;
    };
    let mut tree = object.into_tree();
    if let Some(Value::Object(metadata)) = tree.get_mut("metadata") {
        metadata.insert("namespace".to_owned(), namespace.into());
    }
    Object::new(tree)
}
