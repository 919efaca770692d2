//! An ApplicationSet preserves what it deletes while one of its Applications gets another name, or goes. Argo CD would delete the
//! Application with all its objects: `preserveResourcesOnDeletion` takes the finalizer off what the set generates, and only what is
//! in the cluster before counts. So there are three steps, each synced before the next: on, the change, and off again.

use anyhow::{Context, Result, anyhow};
use json_patch::PatchOperation;
use serde_json::{Value, json};

use super::needed::Needed;
use crate::failure::HintExt;
use crate::model::application::{FINALIZER, template_of};
use crate::model::finalizer::deleting;
use crate::model::object::annotation_pointer;
use crate::model::{Application, Object, Pointer};
use crate::repo::{ChangeSet, Manifest, Repo};
use crate::rules::fixes;

const PRESERVE: &Pointer = Pointer::from_static("/spec/syncPolicy/preserveResourcesOnDeletion");
const POLICY: &Pointer = Pointer::from_static("/spec/syncPolicy");
const ANNOTATIONS: &Pointer = Pointer::from_static("/metadata/annotations");

/// A step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// The set preserves what it deletes.
    Preserve,
    /// The Application gets its new name, or goes.
    Change,
    /// The set is as it was.
    Restore,
}

impl Phase {
    /// Refuses a step that is not the next one.
    pub(super) fn check_next(self, next: Self) -> Result<()> {
        if self == next {
            return Ok(());
        }
        let next = next as u8 + 1;
        Err(anyhow!("step {next} comes next").hint(format!("make it with `--phase {next}`")))
    }
}

/// A set that preserves what it deletes, and notes for what.
#[derive(Debug)]
pub(super) struct Preserving<'r> {
    /// The set.
    pub(super) set: &'r Manifest,
    /// The annotation with the note.
    annotation: &'static str,
}

impl<'r> Preserving<'r> {
    /// Returns a set that somebody writes.
    ///
    /// # Errors
    /// When nobody does.
    pub(super) fn of(set: &'r Manifest, annotation: &'static str) -> Result<Self> {
        set.check_editable()?;
        Ok(Self { set, annotation })
    }

    /// Returns the set that has a note.
    pub(super) fn noted(
        repo: &'r Repo,
        annotation: &'static str,
        is_it: impl Fn(&str) -> bool,
    ) -> Option<&'r Manifest> {
        let mut sets = repo.sets();
        sets.find(|set| set.object.annotation(annotation).is_some_and(&is_it))
    }

    /// Reports whether it preserves what it deletes.
    pub(super) fn is_on(&self) -> bool {
        is_on(&self.set.object)
    }

    /// Returns for what it preserves, where that was noted.
    pub(super) fn note(&self) -> Option<&'r str> {
        self.set.object.annotation(self.annotation)
    }

    /// Returns step 1.
    ///
    /// # Errors
    /// When its Applications would keep their finalizers all the same.
    pub(super) fn on(&self, note: &str) -> Result<ChangeSet> {
        let (object, name) = (&self.set.object, self.set.object.name());
        let policy = object.at("/spec/syncPolicy/applicationsSync").and_then(Value::as_str);
        if let Some(policy) = policy.filter(|policy| ["create-only", "create-delete"].contains(policy)) {
            return Err(anyhow!(
                "ApplicationSet `{name}` has `applicationsSync: {policy}`: its Applications would keep their finalizers"
            )
            .hint("let it update them, in a commit before"));
        }
        let template = template_of(object);
        let finalizers = template.as_ref().and_then(Application::new).map(|app| deleting(&app));
        if finalizers.is_some_and(|finalizers| !finalizers.is_empty()) {
            return Err(anyhow!("the template of ApplicationSet `{name}` has the finalizer `{FINALIZER}`, which preserves nothing")
                .hint("take it out of the template in a commit before: Argo CD adds it itself where the set does not preserve"));
        }
        let mut tree = object.tree().clone();
        let mut operations: Vec<PatchOperation> = vec![fixes::set(&tree, PRESERVE, json!(true))];
        json_patch::patch(&mut tree, &operations).context("the set has no place for its policy")?;
        operations.push(fixes::annotate(&Object::new(tree), self.annotation, note));
        Ok(fixes::patch(self.set, operations))
    }

    /// Returns step 3.
    pub(super) fn off(&self) -> ChangeSet {
        let object = &self.set.object;
        let alone = |pointer: &Pointer| {
            object
                .at(pointer)
                .and_then(Value::as_object)
                .is_some_and(|map| map.len() == 1)
        };
        let mut operations = Vec::new();
        if self.is_on() {
            operations.push(fixes::remove(if alone(POLICY) { POLICY } else { PRESERVE }));
        }
        operations.push(match alone(ANNOTATIONS) {
            true => fixes::remove(ANNOTATIONS),
            false => fixes::remove(annotation_pointer(self.annotation)),
        });
        fixes::patch(self.set, operations)
    }

    /// Returns what has to be in the branch that Argo CD reads before the change.
    pub(super) fn needed(&self) -> Needed {
        let step = "step 1 of 3, `preserveResourcesOnDeletion`".to_owned();
        Needed::new(self.set, step, is_on)
    }
}

fn is_on(set: &Object) -> bool {
    set.at(PRESERVE) == Some(&json!(true))
}
