//! `lock enable writes`: first the stamps, then the policy, each after a look at the cluster.

use std::collections::BTreeSet;

use anyhow::{Result, anyhow};

use super::connection::ConnectionArgs;
use super::session::Session;
use super::source_edit::SourceEditArgs;
use crate::cluster::{Cluster, Resource};
use crate::edit::lock::stamps::{self, Unstamped};
use crate::edit::lock::{Request, enable};
use crate::edit::{Edit, RuleGate};
use crate::failure::{Exit, HintExt};
use crate::lock::foreign::{ForeignWrite, Registered, foreign_writes};
use crate::lock::{Part, PolicyState, WRITES, state};
use crate::model::sync::is_hook;
use crate::model::workload::stamps;
use crate::model::{AppName, Object};
use crate::report::lock::WriteRow;
use crate::rules::Scope;
use crate::rules::lock_is_current::is_on;
use crate::sources::Sources;

/// The most that would be refused and is shown.
const MOST_SHOWN: usize = 20;

/// Makes the next of the two commits.
pub(super) fn enable_writes(
    request: &Request,
    recreates_jobs: bool,
    (common, connection): (&SourceEditArgs, ConnectionArgs),
    session: &mut Session,
) -> Result<Exit> {
    let (edit, gate) = common.planned(session, |repo, sources, session| {
        repo.check_found()?;
        repo.check_all_read()?;
        if !is_on(repo, Part::Deletions) {
            return Err(
                anyhow!("the lock on deletions is not in this repository, and writes come second")
                    .hint("enable it first: `kubectl homelab lock enable deletions`"),
            );
        }
        let cluster = connection.connect()?;
        check_deletions(&cluster)?;
        let (renders, _) = session.render_all_of(sources)?;
        let scope = Scope::new(repo, &renders);
        let open = stamps::unstamped(&scope);
        if open.apps.is_empty() {
            open.notes.iter().for_each(|note| session.terminal.say(note));
            return policy(&scope, sources, request, (&cluster, session));
        }
        let recreated = jobs(&cluster, &open.apps, recreates_jobs)?;
        stamps::stamp(&scope, sources, &open, &recreated)
    })?;
    session.finish(&common.edit, &edit, &gate)
}

/// Refuses to go on while the policies on deletions are not in force.
fn check_deletions(cluster: &Cluster) -> Result<()> {
    let [policies, bindings] = [Resource::Policies, Resource::Bindings].map(|resource| read(cluster, resource));
    let (policies, bindings) = (policies?, bindings?);
    for expected in Part::Deletions.policies() {
        let named = |objects: &[Object]| objects.iter().find(|object| object.name() == expected.name).cloned();
        let why = match state(&expected, named(&policies).as_ref(), named(&bindings).as_ref()) {
            PolicyState::Missing => "it is not in the cluster",
            PolicyState::Off(why) => why,
            _ => continue,
        };
        return Err(anyhow!("the policy `{}` is not in force: {why}", expected.name)
            .hint("push the lock on deletions, and look with `kubectl homelab lock status`"));
    }
    Ok(())
}

/// Reads all objects of a kind, or says which right is missing.
fn read(cluster: &Cluster, resource: Resource) -> Result<Vec<Object>> {
    cluster
        .all(resource, None)?
        .map_err(|denied| anyhow!("what would be refused is not known: {denied}"))
}

/// Returns the Applications whose Jobs are created again: their templates cannot change.
fn jobs(cluster: &Cluster, apps: &[Unstamped], recreates: bool) -> Result<BTreeSet<AppName>> {
    let (mut recreated, mut found) = (BTreeSet::new(), Vec::new());
    for one in apps {
        for (namespace, name) in &one.jobs {
            let live = cluster.one(Resource::Jobs, Some(namespace), name.as_str())?;
            let is_stamped = |job: &Object| stamps(job).contains(&one.app.as_str());
            if live.is_some_and(|job| !is_stamped(&job)) {
                recreated.insert(one.app.clone());
                found.push(format!("`{namespace}/{name}` of `{}`", one.app));
            }
        }
    }
    if found.is_empty() || recreates {
        return Ok(recreated);
    }
    Err(
        anyhow!("the template of a Job cannot change: {}", found.join(", ")).hint(
            "let Argo CD delete them and create them again, so that they run again, with `--recreate-jobs`; or delete those \
             that are done with `kubectl delete job NAME -n NAMESPACE`, and take them out of Git",
        ),
    )
}

/// Returns the live Jobs with a stamp that no other object has made, by namespace and name: their templates cannot lose it.
pub(super) fn stamped_jobs(cluster: &Cluster) -> Result<Vec<(String, String)>> {
    let is_made = |job: &Object| job.at("/metadata/ownerReferences").is_some();
    let is_stamped = |job: &Object| !stamps(job).is_empty();
    let jobs = cluster
        .all(Resource::Jobs, None)?
        .map_err(|denied| anyhow!("{denied}"))?;
    let stamped = jobs
        .into_iter()
        .filter(|job| !is_made(job) && !is_hook(job) && is_stamped(job));
    Ok(stamped
        .map(|job| (job.namespace().unwrap_or_default().to_owned(), job.name().to_owned()))
        .collect())
}

/// Returns the second commit, once nothing in the cluster would be refused that its Application may write.
fn policy(
    scope: &Scope<'_>,
    sources: &Sources<'_>,
    request: &Request,
    (cluster, session): (&Cluster, &Session),
) -> Result<(Edit, RuleGate)> {
    let written = enable(scope.repo, Part::Writes, request)?;
    let (mut edit, gate) = stamps::settle(scope, sources)?;
    if written.changes.changes.is_empty() && edit.changes.changes.is_empty() {
        return Ok((written, gate));
    }
    let refused = would_be_refused(cluster)?;
    for write in refused.iter().take(MOST_SHOWN) {
        session.terminal.say(&WriteRow::new(write).sentence());
    }
    if refused.len() > MOST_SHOWN {
        session
            .terminal
            .say(&format!("and {} more", refused.len() - MOST_SHOWN));
    }
    if let Some(first) = refused.first() {
        let count = match refused.len() {
            1 => "1 write of what runs in the cluster".to_owned(),
            count => format!("{count} writes of what runs in the cluster"),
        };
        return Err(anyhow!("the policy `{WRITES}` would refuse {count}").hint(way_out(first)));
    }
    edit.changes.changes.extend(written.changes.changes);
    edit.notes.extend(written.notes);
    let edit = Edit {
        message: written.message,
        next: written.next,
        ..edit
    };
    Ok((edit, gate))
}

/// Returns what to do about a write that would be refused.
fn way_out(write: &ForeignWrite) -> &'static str {
    match (&write.app, write.kind.as_str()) {
        (None, "Pod") => {
            "wait until the pods of stamped templates have restarted; name others by their service account in the parameter `writers` \
             of the source of the Namespaces"
        }
        (None, _) => {
            "wait until Argo CD has synced the stamps (`kubectl homelab wait --all --for synced`); name others by their service account \
             in the parameter `writers` of the source of the Namespaces"
        }
        (Some(_), _) => "let it only read the claim, or let it write with `kubectl homelab grant`",
    }
}

/// Returns what the policy would refuse among the pods and workloads of the cluster.
///
/// # Errors
/// When not all of them may be read: what is not seen may be refused.
fn would_be_refused(cluster: &Cluster) -> Result<Vec<ForeignWrite>> {
    let namespaces = read(cluster, Resource::Namespaces)?;
    if !namespaces.iter().any(|namespace| Registered::of(namespace).is_some()) {
        return Err(
            anyhow!("no Namespace in the cluster has a registry: the policy would hold nothing")
                .hint("let the plugin render the Namespaces, and sync them"),
        );
    }
    let objects = Resource::WORKLOADS.into_iter().map(|resource| read(cluster, resource));
    let objects: Vec<Vec<Object>> = objects.collect::<Result<_>>()?;
    Ok(foreign_writes(&namespaces, objects.iter().flatten()))
}
