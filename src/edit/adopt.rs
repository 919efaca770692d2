//! `adopt`: brings a repository without the plugin under the storage rules, one commit after the other.
//!
//! ```text
//! renders → proposal  who owns, writes and reads each claim today, and how each Application gets there
//!                     → convert with guards first: the next of three commits
//! disks      the volumes of one server and path
//! sets       the steps of Applications that sets generate
//! way        how an Application is changed, by where it comes from
//! ```

mod disks;
mod sets;
mod way;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, anyhow};

use crate::failure::HintExt;
use crate::model::namespace::is_namespace;
use crate::model::ownership::Claim;
use crate::model::{AppName, Availability, ClaimPath, ClaimRef, Cluster, NamespaceName};
use crate::repo::{Files, Origin, Repo};
use crate::rules::{CheckReport, Item, Scope, Skipped, Subject};

use super::Renders;
use super::convert::{self, Choices, ClaimOf, Plan, Target, Which};

pub use disks::Disk;
pub use way::Way;

/// What `adopt` proposes for a repository.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Proposal {
    /// The claims, as they are owned and used today.
    pub claims: Vec<ProposedClaim>,
    /// The Applications that are rendered and have to do with claims.
    pub applications: Vec<ProposedApp>,
    /// The disks with several PersistentVolumes.
    pub disks: Vec<Disk>,
    /// What is not rendered, and left alone.
    pub left: Vec<LeftAlone>,
}

/// A claim with the Applications that use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposedClaim {
    /// The claim.
    pub claim: ClaimRef,
    /// Who renders it, or has the workload that a controller makes it for; nobody where its owner is not known.
    pub owners: BTreeSet<AppName>,
    /// The others that can write it today.
    pub writers: BTreeSet<AppName>,
    /// The others that only read it today.
    pub readers: BTreeSet<AppName>,
    /// Those of all these that are not rendered: what they do with it is known from their files alone.
    pub not_rendered: BTreeSet<AppName>,
}

/// An Application with the parameters that it gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposedApp {
    /// Its name.
    pub name: AppName,
    /// Its parameter `owns`.
    pub owns: BTreeSet<ClaimPath>,
    /// Its parameter `writes`.
    pub writes: BTreeSet<ClaimPath>,
    /// The claims that it reads.
    pub reads: BTreeSet<ClaimPath>,
    /// Those of them that it can write today.
    pub turns_read_only: BTreeSet<ClaimPath>,
    /// The Namespaces with claims that it renders.
    pub namespaces: BTreeSet<String>,
    /// The cluster and the namespace of its destination.
    place: (Cluster, Option<NamespaceName>),
    /// How it gets there.
    pub way: Way,
    /// Whether it is a document of a file.
    pub is_document: bool,
}

/// Applications or sets that are left alone for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftAlone {
    /// Their names.
    pub names: Vec<String>,
    /// The reason.
    pub why: String,
    /// The next step, where there is one.
    pub hint: Option<String>,
}

/// Plans the next of the three steps, of documents and sets together: a step waits until all that need the one before have it.
/// `progress` hears the name of each Application that is begun.
///
/// # Errors
/// When the repository does not take a change that it should take.
pub fn next(
    repo: &Repo,
    files: &dyn Files,
    proposal: &Proposal,
    renders: &dyn Renders,
    progress: &mut dyn FnMut(&str),
) -> Result<Plan> {
    let documents = convert::plan(repo, &proposal.choices(), renders, progress)?;
    let sets = sets::Sets { repo, files, renders };
    Ok(documents.joined(sets.plan(proposal)))
}

/// Proposes who owns, writes and reads each claim, from what the Applications render today.
pub fn propose(scope: &Scope<'_>) -> Proposal {
    let is_rendered = |app: &AppName| matches!(scope.renders.get(app), Some(Availability::Available(_)));
    let claims = scope.ownership.claims();
    let claims: Vec<ProposedClaim> = claims.map(|claim| proposed(claim, &is_rendered)).collect();
    let mut applications: Vec<ProposedApp> = Vec::new();
    let namespaces = claims
        .iter()
        .map(|claim| (&claim.claim.cluster, claim.claim.namespace.as_str()));
    let namespaces: Vec<_> = namespaces.collect();
    for subject in &scope.subjects {
        if is_rendered(&subject.name) && !applications.iter().any(|app| app.name == subject.name) {
            applications.extend(application(scope, subject, (&claims, &namespaces)));
        }
    }
    Proposal {
        applications,
        disks: disks::disks(scope),
        left: left_alone(scope),
        claims,
    }
}

fn proposed((reference, claim): (&ClaimRef, Claim), is_rendered: &dyn Fn(&AppName) -> bool) -> ProposedClaim {
    let writers = claim.rendered_writers.union(&claim.writers);
    let writers: BTreeSet<AppName> = writers.filter(|app| !claim.owners.contains(*app)).cloned().collect();
    let users = claim.users.union(&claim.consumers);
    let readers = users.filter(|app| !claim.owners.contains(*app) && !writers.contains(*app));
    let readers: BTreeSet<AppName> = readers.cloned().collect();
    let all = claim.owners.iter().chain(&writers).chain(&readers);
    ProposedClaim {
        claim: reference.clone(),
        not_rendered: all.filter(|app| !is_rendered(app)).cloned().collect(),
        readers,
        owners: claim.owners,
        writers,
    }
}

/// Returns what an Application gets; nothing for one that has nothing to do with claims, nor with the Namespaces that they are
/// in.
fn application(
    scope: &Scope<'_>,
    subject: &Subject<'_>,
    (claims, namespaces): (&[ProposedClaim], &[(&Cluster, &str)]),
) -> Option<ProposedApp> {
    let paths = |has: fn(&ProposedClaim) -> &BTreeSet<AppName>| -> BTreeSet<ClaimPath> {
        let of_app = claims.iter().filter(|claim| has(claim).contains(&subject.name));
        of_app
            .map(|claim| ClaimPath::of(&claim.claim, subject.namespace.as_ref()))
            .collect()
    };
    let app = ProposedApp {
        name: subject.name.clone(),
        owns: paths(|claim| &claim.owners),
        writes: paths(|claim| &claim.writers),
        reads: paths(|claim| &claim.readers),
        turns_read_only: BTreeSet::new(),
        namespaces: namespaces_of(subject, namespaces),
        place: (subject.cluster.clone(), subject.namespace.clone()),
        way: Way::of(scope.repo, subject),
        is_document: subject.manifest.origin == Origin::Document,
    };
    let has_claims = [&app.owns, &app.writes, &app.reads]
        .iter()
        .any(|paths| !paths.is_empty());
    let has_part = has_claims || !app.namespaces.is_empty() || subject.storage().next().is_some();
    (has_part || app.way == Way::Moving).then_some(app)
}

/// Returns the Namespaces with claims that an Application renders: only the plugin writes on them who owns the claims.
fn namespaces_of(subject: &Subject<'_>, with_claims: &[(&Cluster, &str)]) -> BTreeSet<String> {
    let objects = subject
        .items
        .iter()
        .map(Item::object)
        .filter(|object| is_namespace(object));
    let has_claims = |name: &str| {
        let mut of_name = with_claims.iter().filter(|(_, namespace)| *namespace == name);
        of_name.any(|(cluster, _)| cluster.may_be(&subject.cluster))
    };
    let names = objects.map(|object| object.name()).filter(|name| has_claims(name));
    names.map(str::to_owned).collect()
}

fn left_alone(scope: &Scope<'_>) -> Vec<LeftAlone> {
    let mut by_reason: BTreeMap<(String, Option<String>), Vec<String>> = BTreeMap::new();
    for Skipped {
        name,
        why,
        hint,
        reason,
        ..
    } in CheckReport::skipped(scope)
    {
        let key = match reason {
            Some((one, _)) => (one.to_owned(), None),
            None => (why, hint),
        };
        by_reason.entry(key).or_default().push(name);
    }
    let group = |((why, hint), names)| LeftAlone { names, why, hint };
    by_reason.into_iter().map(group).collect()
}

impl ProposedApp {
    /// Returns the claim that a path means.
    fn place_of(&self, path: &ClaimPath) -> Option<ClaimRef> {
        let (cluster, namespace) = &self.place;
        Some(ClaimRef {
            cluster: cluster.clone(),
            namespace: path.namespace_in(namespace.as_ref())?.clone(),
            name: path.name.clone(),
        })
    }
}

impl Proposal {
    /// Lets an Application only read a claim that it can write today.
    ///
    /// # Errors
    /// When it does not use the claim, or owns it.
    pub fn turn_read_only(&mut self, name: &AppName, path: &ClaimPath) -> Result<()> {
        let wrong = |why: &str| anyhow!("`--read-only {name}/{path}`: Application `{name}` {why}");
        let Some(app) = self.applications.iter_mut().find(|app| app.name == *name) else {
            return Err(
                wrong("uses no claim that is known here").hint("see the claims with `kubectl homelab adopt -o text`")
            );
        };
        if app.writes.remove(path) {
            app.turns_read_only.insert(path.clone());
            app.reads.insert(path.clone());
        } else if app.owns.contains(path) {
            return Err(wrong("owns the claim").hint("leave the option out: the owner writes"));
        } else if !app.reads.contains(path) {
            let known: Vec<String> = app.writes.iter().map(ToString::to_string).collect();
            return Err(wrong("does not write the claim").hint(match known.as_slice() {
                [] => "leave the option out".to_owned(),
                known => format!("choose one of {}", known.join(", ")),
            }));
        }
        let place = app.place_of(path);
        let is_it = |claim: &&mut ProposedClaim| place.as_ref() == Some(&claim.claim);
        for claim in self.claims.iter_mut().filter(is_it) {
            claim.writers.remove(name);
            claim.readers.insert(name.clone());
        }
        Ok(())
    }

    /// Returns the choices of a conversion that makes of the Applications what is proposed: guards first, and nothing turns
    /// read-only unasked.
    pub fn choices(&self) -> Choices {
        let documents = self.applications.iter().filter(|app| app.is_document);
        let movable = documents.filter(|app| app.way.is_converted());
        let of = |app: &ProposedApp, paths: &BTreeSet<ClaimPath>| -> Vec<ClaimOf> {
            let of_app = |path: &ClaimPath| ClaimOf {
                app: Some(app.name.clone()),
                claim: path.clone(),
            };
            paths.iter().map(of_app).collect()
        };
        Choices {
            which: Which::Among(movable.clone().map(|app| app.name.to_string()).collect()),
            target: Target::Plugin,
            positions: Vec::new(),
            owns: Vec::new(),
            writes: movable.clone().flat_map(|app| of(app, &app.writes)).collect(),
            read_only: movable.flat_map(|app| of(app, &app.turns_read_only)).collect(),
            drop_owns: false,
            accept_random: false,
            guard_first: true,
            unowned: true,
        }
    }

    /// Returns how many Applications and sets are left alone.
    pub fn left_count(&self) -> usize {
        self.left.iter().map(|left| left.names.len()).sum()
    }

    /// Returns the claims whose owner is not known.
    pub fn unowned(&self) -> impl Iterator<Item = &ProposedClaim> {
        self.claims.iter().filter(|claim| claim.owners.is_empty())
    }

    /// Reports whether Applications use claims that are not rendered.
    pub fn is_partial(&self) -> bool {
        self.claims.iter().any(|claim| !claim.not_rendered.is_empty())
    }

    /// Returns the claims that several Applications render.
    pub fn contested(&self) -> impl Iterator<Item = &ProposedClaim> {
        let several = |claim: &&ProposedClaim| claim.owners.difference(&claim.not_rendered).count() > 1;
        self.claims.iter().filter(several)
    }
}

#[cfg(test)]
mod tests;
