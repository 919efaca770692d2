//! The parameter `keeps` of the sources of Namespaces: claims whose Application is gone, so that the registry still has them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, anyhow};

use super::parameters::{Changed, Target, entries};
use super::{Edit, Renders, RuleGate};
use crate::failure::HintExt;
use crate::model::{AppName, AppRenders, ClaimRef, KeptClaim};
use crate::repo::{ChangeSet, Repo};
use crate::rules::root_application_exists::init_command;
use crate::rules::{Scope, keeper};

/// The name of the parameter.
const KEEPS: &str = "keeps";

/// What is written where.
#[derive(Default)]
pub struct Written {
    /// The changes.
    pub changes: ChangeSet,
    /// What the user has to know.
    pub notes: Vec<String>,
    /// What the Applications render then whose parameters change.
    pub renders: AppRenders,
}

impl Written {
    /// Adds the changes and the remarks to an edit, and what is rendered then to its gate.
    pub(super) fn add_to(self, edit: &mut Edit, gate: &mut RuleGate) {
        edit.changes.changes.extend(self.changes.changes);
        edit.notes.extend(self.notes);
        gate.after.extend(self.renders);
    }

    pub(super) fn add(&mut self, name: &AppName, changed: Changed) {
        self.changes.changes.extend(changed.changes.changes);
        self.notes.extend(changed.notes);
        self.renders.insert(name.clone(), changed.after);
    }
}

/// Remembers the last owner of claims.
///
/// # Errors
/// When no Application of the plugin renders the Namespace of one of them, but the owner itself; when there is no place for the
/// entries.
pub fn remember(
    scope: &Scope<'_>,
    renders: &dyn Renders,
    owner: &AppName,
    claims: &BTreeSet<ClaimRef>,
) -> Result<Written> {
    let mut of_keepers: BTreeMap<AppName, Vec<KeptClaim>> = BTreeMap::new();
    for claim in claims {
        let found = keeper(scope, &claim.cluster, claim.namespace.as_str());
        let Some(found) = found.filter(|keeper| keeper.name != *owner) else {
            return Err(no_keeper(scope, owner, claim));
        };
        let kept = KeptClaim {
            namespace: claim.namespace.clone(),
            name: claim.name.clone(),
            owner: owner.without_root(),
        };
        // A command that was killed may have written it.
        let mut there = found.read_sources().flat_map(|(_, parameters)| &parameters.keeps);
        if !there.any(|other| *other == kept) {
            of_keepers.entry(found.name.clone()).or_default().push(kept);
        }
    }
    let mut written = Written::default();
    for (name, kept) in of_keepers {
        let target = Target::new(scope.repo, renders, name.as_str())?;
        let first: Vec<usize> = target.positions().into_iter().take(1).collect();
        let changed = target.change(&first, &|_, source| entries::add_to_parameter(source, KEEPS, &kept))?;
        written.add(&name, changed);
    }
    Ok(written)
}

/// Returns why nothing would remember whose a claim was.
fn no_keeper(scope: &Scope<'_>, owner: &AppName, claim: &ClaimRef) -> anyhow::Error {
    let (repo, namespace) = (scope.repo, &claim.namespace);
    let error = anyhow!("nothing would remember that claim `{claim}` was of `{owner}`");
    let brings = |name: &&crate::rules::Subject<'_>| {
        let mut objects = name.items.iter().map(|item| item.object());
        objects.any(|object| crate::model::namespace::is_namespace(object) && object.name() == namespace.as_str())
    };
    let bringer = scope.subjects.iter().find(brings);
    let what = match bringer {
        Some(bringer) if bringer.name == *owner => {
            format!("the Application itself renders its Namespace `{namespace}`")
        }
        Some(bringer) => format!(
            "Application `{}` renders its Namespace `{namespace}`, and not by the plugin",
            bringer.name
        ),
        None => format!("no Application renders its Namespace `{namespace}`"),
    };
    let hint = match bringer {
        Some(bringer) if bringer.name == *owner => format!(
            "move the manifest of the Namespace to the source of the Namespaces first, which `{}` makes where there is none",
            init_command(repo)
        ),
        Some(bringer) => format!("let the plugin render it: `kubectl homelab convert {}`", bringer.name),
        None if repo.check_namespaces_are_synced().is_err() => format!(
            "make a source of the Namespaces with `{}`, and add this one with `kubectl homelab add-namespace {namespace}`",
            init_command(repo)
        ),
        None => format!("add it with `kubectl homelab add-namespace {namespace}`"),
    };
    error.context(what).hint(hint)
}

/// Takes out the entries of claims that have an owner now.
///
/// # Errors
/// When there is no place to take them out.
pub fn forget(repo: &Repo, renders: &dyn Renders, is_owned: &dyn Fn(&ClaimRef) -> bool) -> Result<Written> {
    let nothing = AppRenders::new();
    let mut written = Written::default();
    for subject in &Scope::new(repo, &nothing).subjects {
        let kept = subject.read_sources().flat_map(|(_, parameters)| &parameters.keeps);
        let has_owner = |kept: &&KeptClaim| {
            let claim = ClaimRef {
                cluster: subject.cluster.clone(),
                namespace: kept.namespace.clone(),
                name: kept.name.clone(),
            };
            is_owned(&claim)
        };
        let gone: BTreeSet<String> = kept.filter(has_owner).map(ToString::to_string).collect();
        if gone.is_empty() {
            continue;
        }
        let target = Target::new(repo, renders, subject.name.as_str())?;
        let changed = target.change(&target.positions(), &|_, source| {
            entries::remove_from_parameter(source, KEEPS, |entry| gone.contains(entry))
        })?;
        let names: Vec<String> = gone.iter().map(|entry| format!("`{entry}`")).collect();
        written.notes.push(format!(
            "taken out of `keeps` of Application `{}`: {}",
            subject.name,
            names.join(", ")
        ));
        written.add(&subject.name, changed);
    }
    Ok(written)
}
