//! The storage rules as JSON Patches of rendered objects.
//!
//! The user's own `patches` come first, then the rules, so that no patch can undo them. Objects inside a `List` are
//! treated like all others. What follows the rules already gets no operation, so that applying the rules a second time
//! changes nothing.
//!
//! | object | step |
//! |---|---|
//! | any that the user patches | [`patches`] |
//! | PersistentVolumeClaim that moves to another Application | not printed ([`Plan::moved`]) |
//! | PersistentVolumeClaim, PersistentVolume | [`claims`] |
//! | StatefulSet | [`stateful_sets`] |
//! | pod templates, claims added to them | [`mounts`] |
//! | pod templates that mount a claim | [`stamps`] |
//! | pod specs in any kind, and other places that name a claim of another | [`read_only`] |
//! | texts that hold a part of a manifest | [`texts`] |
//! | Namespace | [`namespaces`] |

pub mod claims;
pub mod mounts;
pub mod namespaces;
pub mod operations;
pub mod patches;
pub mod read_only;
pub mod stamps;
pub mod stateful_sets;
pub mod sync_options;
pub mod texts;

use std::collections::BTreeSet;

use anyhow::{Context, Result, anyhow};
use json_patch::{Patch, PatchOperation};
use serde_json::Value;

use crate::failure::HintExt;
use crate::model::claim::is_claim;
use crate::model::claim_use::Embedded;
use crate::model::made_claims::{claim_patterns, operator_claims, patterns_of};
use crate::model::mount::Mount;
use crate::model::moved_claim::MovedTo;
use crate::model::namespace::{Registries, is_namespace};
use crate::model::parameter::{Parameters, PatchTarget, Stamp};
use crate::model::{AppName, ClaimPath, NamespaceName, Object, PointerBuf};

/// What one Application may do with claims, and the user's patches of its objects.
#[derive(Clone, Debug)]
pub struct StorageRules {
    /// The Application.
    pub app: AppName,
    /// The namespace of objects without one, and of every claim in the parameters that names none.
    pub destination: NamespaceName,
    /// Parameter `owns`.
    pub owns: BTreeSet<ClaimPath>,
    /// Parameter `writes`.
    pub writes: BTreeSet<ClaimPath>,
    /// Parameter `releases`.
    pub releases: BTreeSet<ClaimPath>,
    /// Parameter `mounts`.
    pub mounts: Vec<Mount>,
    /// Parameter `moves`.
    pub moves: Vec<MovedTo>,
    /// Parameter `stamp-app`.
    pub stamp: Stamp,
    /// Parameter `patches`.
    pub patches: Vec<(PatchTarget, Value)>,
    /// The ownership registries for rendered Namespaces; without them a Namespace gets only its guards.
    pub registries: Option<Registries>,
    /// Whether the objects are for the rules of `validate`: a place that names a claim of others, and cannot be made
    /// read-only, is then left as it is, and what these rules report is not noted.
    pub for_rules: bool,
}

/// What the storage rules change in a stream of documents.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// The operations of each document, in the order in which the documents were given.
    pub operations: Vec<Vec<PatchOperation>>,
    /// The claims of each document that are not printed, since other Applications own them now, by their places.
    pub moved: Vec<Vec<PointerBuf>>,
    /// Notes about what could not be done without harm.
    pub notes: Vec<String>,
}

/// One object of a stream, with its document and its place there.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub(crate) document: usize,
    pub(crate) pointer: PointerBuf,
    pub(crate) object: Object,
}

impl StorageRules {
    /// Returns the storage rules for an Application with these parameters.
    ///
    /// # Errors
    /// When the Application's name is too long for an owner label.
    pub fn new(
        app: AppName,
        destination: NamespaceName,
        parameters: &Parameters,
        registries: Option<Registries>,
    ) -> Result<Self> {
        app.check_as_owner()?;
        Ok(Self {
            app,
            destination,
            owns: parameters.owns.clone(),
            writes: parameters.writes.clone(),
            releases: parameters.releases.clone(),
            mounts: parameters.mounts.clone(),
            moves: parameters.moves.clone(),
            stamp: parameters.stamp_app,
            patches: parameters.patches.clone(),
            registries,
            for_rules: false,
        })
    }

    /// Returns the operations that make these documents follow the storage rules.
    ///
    /// # Errors
    /// When a parameter matches nothing or more than one thing, or an object would lose data.
    pub fn plan(&self, documents: &[Value]) -> Result<Plan> {
        let mut plan = Plan {
            operations: vec![Vec::new(); documents.len()],
            moved: vec![Vec::new(); documents.len()],
            notes: Vec::new(),
        };
        let mut objects = placed(documents);
        if !self.patches.is_empty() {
            objects = self.patched(documents, &objects, &mut plan)?;
        }
        let access = ClaimAccess::new(self, &objects);
        for (document, operations) in mounts::operations(self, &access, &mut objects)? {
            plan.operations[document].extend(operations);
        }
        self.check_moves(&objects)?;
        for placed in &objects {
            if self.moved(&placed.object).is_some() {
                plan.moved[placed.document].push(placed.pointer.clone());
                continue;
            }
            let operations = self
                .object(&access, &placed.object, &mut plan.notes)
                .with_context(|| describe(&placed.object))?;
            plan.operations[placed.document].extend(operations::below(&placed.pointer, operations));
        }
        Ok(plan)
    }

    /// Returns the objects after the user's patches. A patch may even turn an object into a list, so they are searched
    /// again.
    fn patched(&self, documents: &[Value], objects: &[Placed], plan: &mut Plan) -> Result<Vec<Placed>> {
        let mut trees = documents.to_vec();
        for (target, document, operations) in patches::operations(&self.patches, objects, self.destination.as_str())? {
            let patch = Patch(operations);
            json_patch::patch(&mut trees[document], &patch)
                .map_err(|error| anyhow!("the patch does not apply: {error}"))
                .with_context(|| format!("parameter `patches`, key `{target}`"))?;
            plan.operations[document].extend(patch.0);
        }
        Ok(placed(&trees))
    }

    /// Returns the entry of `moves` that names an object.
    fn moved(&self, object: &Object) -> Option<&MovedTo> {
        let destination = self.destination.as_str();
        let namespace = object.namespace().unwrap_or(destination);
        let is_it = |moved: &&MovedTo| {
            let name = moved.claim.name_in(namespace, destination);
            name.is_some_and(|name| name.as_str() == object.name())
        };
        self.moves.iter().find(is_it).filter(|_| is_claim(object))
    }

    /// Refuses an entry of `moves` that names nothing: a misspelled one would leave the claim to two Applications.
    fn check_moves(&self, objects: &[Placed]) -> Result<()> {
        for moved in &self.moves {
            let mut found = objects.iter().filter_map(|placed| self.moved(&placed.object));
            if found.any(|other| other.claim == moved.claim) {
                continue;
            }
            let claims = objects.iter().filter(|placed| is_claim(&placed.object));
            let claims: Vec<&str> = claims.map(|placed| placed.object.name()).collect();
            let rendered = match claims.as_slice() {
                [] => "no claim is rendered".to_owned(),
                claims => format!("rendered: {}", claims.join(", ")),
            };
            return Err(
                anyhow!("parameter `moves`: claim `{}` is not rendered; {rendered}", moved.claim).hint(format!(
                    "take `{moved}` out of `moves`: there is nothing left to move, or the name is another one"
                )),
            );
        }
        Ok(())
    }

    fn object(&self, access: &ClaimAccess, object: &Object, notes: &mut Vec<String>) -> Result<Vec<PatchOperation>> {
        if is_claim(object) {
            return claims::claim(self, object);
        }
        if is_namespace(object) {
            return namespaces::operations(self, object, notes);
        }
        if object.is("", "PersistentVolume") {
            return claims::volume(self, object);
        }
        stateful_sets::check(self, object)?;
        notes.extend(stateful_sets::notes(self, object));
        let may_write = |manifest: &Embedded<'_>, claim: &str| {
            access.may_write(manifest.namespace.unwrap_or(self.destination.as_str()), claim)
        };
        let (mut remarks, mut refused) = (Vec::new(), Vec::new());
        let mut operations = read_only::operations(object, may_write, &mut remarks, &mut refused)?;
        operations.extend(stamps::operations(self, object, &mut remarks));
        if self.for_rules {
            return Ok(operations);
        }
        notes.extend(remarks);
        refused.into_iter().next().map_or(Ok(operations), Err)
    }
}

/// Returns the name of an object for messages.
fn describe(object: &Object) -> String {
    object
        .reference()
        .map_or_else(|| object.kind().to_owned(), |reference| reference.to_string())
}

/// Returns the objects of documents, lists flattened.
fn placed(documents: &[Value]) -> Vec<Placed> {
    let mut placed = Vec::new();
    for (document, tree) in documents.iter().enumerate() {
        let flat = Object::new(tree.clone()).into_flat();
        placed.extend(flat.into_iter().map(|(pointer, object)| Placed {
            document,
            pointer,
            object,
        }));
    }
    placed
}

/// Which claims are the Application's own, and which of others it may write.
pub(crate) struct ClaimAccess {
    /// Namespace and name of every claim that is rendered, or that an operator makes for an object.
    rendered: BTreeSet<(String, String)>,
    /// Namespace of the claims that StatefulSets make, and what their names begin with.
    templates: BTreeSet<(String, String)>,
    /// Namespace and name of the claims in `owns`, and of those in `writes`.
    named: BTreeSet<(String, String)>,
    writes: BTreeSet<(String, String)>,
}

impl ClaimAccess {
    fn new(rules: &StorageRules, objects: &[Placed]) -> Self {
        let destination = rules.destination.to_string();
        let namespace = |object: &Object| object.namespace().unwrap_or(&destination).to_owned();
        let (mut rendered, mut templates) = (BTreeSet::new(), BTreeSet::new());
        for Placed { object, .. } in objects {
            let here = |name| (namespace(object), name);
            if is_claim(object) && rules.moved(object).is_none() {
                rendered.insert(here(object.name().to_owned()));
            }
            rendered.extend(operator_claims(object).into_iter().map(here));
            templates.extend(claim_patterns(object).into_iter().map(here));
        }
        let place = |path: &ClaimPath| {
            let namespace = path
                .namespace_in(Some(&rules.destination))
                .unwrap_or(&rules.destination);
            (namespace.to_string(), path.name.to_string())
        };
        Self {
            rendered,
            templates,
            named: rules.owns.iter().map(place).collect(),
            writes: rules.writes.iter().map(place).collect(),
        }
    }

    /// Reports whether a claim is the Application's own.
    pub(crate) fn is_own(&self, namespace: &str, claim: &str) -> bool {
        let place = (namespace.to_owned(), claim.to_owned());
        self.rendered.contains(&place)
            || self.named.contains(&place)
            || patterns_of(claim).any(|pattern| self.templates.contains(&(namespace.to_owned(), pattern)))
    }

    /// Reports whether the Application may write a claim.
    pub(crate) fn may_write(&self, namespace: &str, claim: &str) -> bool {
        self.is_own(namespace, claim) || self.writes.contains(&(namespace.to_owned(), claim.to_owned()))
    }
}

#[cfg(test)]
mod tests;
