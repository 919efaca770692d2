//! The Application that gives claims away.

use anyhow::{Context, Result, anyhow};
use json_patch::PatchOperation;
use serde_json::{Value, json};

use super::parts::Parts;
use super::stop::{Stop, stops};
use super::{Step, claim_of, next_hint, owns, shared, specification};
use crate::edit::needed::Needed;
use crate::edit::plugin_section::{PluginSection, Written};
use crate::edit::{Edit, Rendered, Renders, RuleGate, moves};
use crate::failure::{self, HintExt};
use crate::model::moved_claim::{MovedFrom, MovedTo};
use crate::model::{AppName, Application, ClaimPath, ClaimRef, EmptyRender, NamespaceName, Object, PointerBuf};
use crate::repo::{Manifest, Repo};

/// The Application that gives claims away, with what it renders.
#[derive(Debug)]
pub(super) struct Old<'r> {
    repo: &'r Repo,
    pub(super) manifest: &'r Manifest,
    app: Application<'r>,
    pub(super) name: AppName,
    pub(super) rendered: Rendered,
    parts: Parts,
}

impl<'r> Old<'r> {
    /// Finds the Application and renders it.
    ///
    /// # Errors
    /// When it is not there, the plugin does not render it, or what it renders is not known.
    pub(super) fn of(repo: &'r Repo, name: &str, renders: &dyn Renders) -> Result<Self> {
        let (manifest, app) = repo.named_application(name)?;
        let section = PluginSection::of(repo, manifest)?;
        let rendered = match renders.render(&app) {
            // Of a folder that an interrupted command has nearly removed, nothing is left.
            Err(error) if failure::find::<EmptyRender>(&error).is_some() => Rendered::default(),
            rendered => rendered.with_context(|| {
                format!("which of its workloads write is not known: Application `{name}` is not rendered")
            })?,
        };
        Ok(Self {
            repo,
            manifest,
            app,
            name: AppName::new(app.name())?,
            parts: Parts::of(&app, &section, &rendered, renders)?,
            rendered,
        })
    }

    fn destination(&self) -> &str {
        self.app.destination_namespace().unwrap_or("default")
    }

    pub(super) fn app(&self) -> &Application<'r> {
        &self.app
    }

    pub(super) fn repo(&self) -> &'r Repo {
        self.repo
    }

    pub(super) fn namespace(&self) -> Option<NamespaceName> {
        self.app.namespace_name()
    }

    /// Returns the claim that its parameters name.
    pub(super) fn claim_of(&self, path: &ClaimPath) -> Option<ClaimRef> {
        claim_of(self.repo, &self.app, path)
    }

    /// Adds a change to an edit, with what is rendered before and after; returns the objects after.
    pub(super) fn changed(
        &self,
        written: &Written,
        renders: &dyn Renders,
        edit: &mut Edit,
        gate: &mut RuleGate,
    ) -> Result<Vec<Object>> {
        let before = self.rendered.finished.clone();
        written.add_rendered((&self.name, before), renders, (edit, gate))
    }

    /// Adds what else names this Application as the owner of a claim that others leave out.
    pub(super) fn followed(
        &self,
        (claim, to): (&ClaimRef, &AppName),
        renders: &dyn Renders,
        edit: &mut Edit,
        gate: &mut RuleGate,
    ) -> Result<()> {
        moves::follow(self.repo, renders, (claim, to), &[&self.name, to])?.add_to(edit, gate);
        Ok(())
    }

    /// Plans step 1: it stands still.
    pub(super) fn stop(&self, message: String, stops: &[Stop], renders: &dyn Renders) -> Result<Step> {
        let written = self.stopped(stops, renders)?;
        let mut edit = Edit {
            message,
            next: Some(next_hint(&self.name)),
            notes: vec![format!("step 1 of 3: Application `{}` stands still", self.name)],
            ..Edit::default()
        };
        edit.notes.extend(stops.iter().map(|stop| format!("  {}", stop.what)));
        let mut gate = RuleGate::default();
        self.changed(&written, renders, &mut edit, &mut gate)?;
        Ok(Step {
            edit,
            gate,
            needed: Vec::new(),
            live: Vec::new(),
        })
    }

    /// Returns the claim as the parameters of this Application name it.
    pub(super) fn path(&self, claim: &ClaimRef) -> ClaimPath {
        ClaimPath::of(claim, self.app.namespace_name().as_ref())
    }

    /// Returns what stops the workloads that write claims; with `all`, those that only read them as well.
    pub(super) fn stops(&self, claims: &[&ClaimRef], all: bool) -> Result<Vec<Stop>> {
        let objects = (self.rendered.finished.as_slice(), self.rendered.raw.as_slice());
        stops(objects, claims, self.destination(), all)
            .with_context(|| format!("Application `{}` cannot be stopped", self.name))
    }

    /// Reports whether its manifest stops all of them.
    pub(super) fn is_stopped(&self, stops: &[Stop]) -> Result<bool> {
        Ok(self.count_stopped(stops)? == stops.len())
    }

    /// Returns how many of them its manifest stops.
    pub(super) fn count_stopped(&self, stops: &[Stop]) -> Result<usize> {
        let section = PluginSection::of(self.repo, self.manifest)?;
        let is_stopped = |stop: &&Stop| has(section.entry("patches", &stop.key).as_deref(), &stop.operation);
        Ok(stops.iter().filter(is_stopped).count())
    }

    /// Returns the change that stops them.
    pub(super) fn stopped(&self, stops: &[Stop], renders: &dyn Renders) -> Result<Written> {
        let mut section = PluginSection::of(self.repo, self.manifest)?;
        for stop in stops {
            let mut operations = operations(section.entry("patches", &stop.key).as_deref())?;
            if operations.iter().any(|other| *other == json!(stop.operation)) {
                continue;
            }
            operations.push(json!(stop.operation));
            self.set_patches(&mut section, stop, operations)?;
        }
        section.written(renders)
    }

    /// Sets the patches of a workload in the sources that render it.
    fn set_patches(&self, section: &mut PluginSection<'_>, stop: &Stop, operations: Vec<Value>) -> Result<()> {
        let text = Value::Array(operations).to_string();
        for position in self.stopped_in(stop)? {
            section.set_entry(position, "patches", &stop.key, &text)?;
        }
        Ok(())
    }

    /// Returns the sources that render a workload.
    fn stopped_in(&self, stop: &Stop) -> Result<Vec<usize>> {
        self.parts.rendering(&format!("`{}`", stop.key), |object| {
            object
                .reference()
                .is_some_and(|reference| reference.to_string() == stop.key)
        })
    }

    /// Returns the change that lets them run again.
    pub(super) fn started(&self, stops: &[Stop], renders: &dyn Renders) -> Result<Written> {
        let mut section = PluginSection::of(self.repo, self.manifest)?;
        for stop in stops {
            let Some(text) = section.entry("patches", &stop.key) else {
                continue;
            };
            let mut operations = operations(Some(&text))?;
            operations.retain(|other| *other != json!(stop.operation));
            if operations.is_empty() {
                section.remove_entry("patches", &stop.key)?;
                continue;
            }
            self.set_patches(&mut section, stop, operations)?;
        }
        section.written(renders)
    }

    /// Returns the change that takes claims away: they are not owned any more, and what the source renders of them is not printed.
    pub(super) fn without(&self, claims: &[&ClaimRef], to: &AppName, renders: &dyn Renders) -> Result<Written> {
        let mut section = PluginSection::of(self.repo, self.manifest)?;
        let namespace = self.namespace();
        for claim in claims {
            let is_it = |path: &ClaimPath| path.is(claim, namespace.as_ref());
            section.remove("owns", |entry| entry.parse().is_ok_and(|path| is_it(&path)))?;
            section.remove("moved-from", |entry| {
                entry.parse().is_ok_and(|moved: MovedFrom| is_it(&moved.claim))
            })?;
            let path = self.path(claim);
            section.remove_entry("claims", &path.to_string())?;
            let moved = MovedTo {
                claim: path,
                to: to.clone(),
            };
            let is_it = |object: &Object| specification::is(object, claim, self.destination());
            if !self.rendered.raw.iter().any(is_it) {
                continue;
            }
            for position in self.parts.rendering(&format!("claim `{claim}`"), is_it)? {
                section.add(position, "moves", &moved.to_string())?;
            }
        }
        section.written(renders)
    }

    /// Returns a claim as it is rendered, with its guards or without.
    pub(super) fn claim(&self, claim: &ClaimRef) -> Result<&Object> {
        let objects = [&self.rendered.finished, &self.rendered.raw];
        let mut found = objects
            .iter()
            .filter_map(|objects| specification::find(objects, claim, self.destination()));
        found.next().ok_or_else(|| {
            anyhow!("Application `{}` does not render claim `{claim}`: its specification is in no Git", self.name).hint(format!(
                "add it first: `kubectl homelab add-volume {} --owner {}`, with the specification that `kubectl get pvc {} -n {} -o yaml` shows",
                claim.name, self.name, claim.name, claim.namespace
            ))
        })
    }

    /// Refuses objects that another Application renders, too.
    pub(super) fn check_shared(
        &self,
        rest: &[Object],
        (name, objects, namespace): (&AppName, &[Object], Option<&NamespaceName>),
    ) -> Result<()> {
        let namespace = namespace.map_or("default", NamespaceName::as_str);
        let old = (self.name.as_str(), rest, self.destination());
        shared::check(old, (name.as_str(), objects, namespace))
    }

    /// Returns what has to be in the branch before the claims change hands: the Application stands still, and the plugin guards the
    /// claims.
    pub(super) fn needed(&self, stops: &[Stop], claims: &[&ClaimRef]) -> Option<Needed> {
        // What a file of overrides or a chart has is not in the manifest.
        let section = PluginSection::of(self.repo, self.manifest)
            .ok()
            .filter(PluginSection::is_in_manifest)?;
        let pointers: Vec<PointerBuf> = section.sources().map(|source| source.pointer).collect();
        let stops: Vec<(String, PatchOperation)> = stops
            .iter()
            .map(|stop| (stop.key.clone(), stop.operation.clone()))
            .collect();
        let claims: Vec<ClaimRef> = claims.iter().map(|claim| (*claim).clone()).collect();
        let step = format!("step 1 of 3, in which Application `{}` stands still", self.name);
        Some(Needed::of_app(self.manifest, step, move |app| {
            let mut sources = app.sources();
            sources.retain(|source| pointers.contains(&source.pointer) && source.uses_homelab_plugin());
            let text = |key: &str| {
                let mut maps = sources
                    .iter()
                    .filter_map(|source| source.value(&source.parameter("patches")?)?.get("map"));
                maps.find_map(|map| map.get(key)?.as_str())
            };
            stops.iter().all(|(key, operation)| has(text(key), operation)) && owns(app, &claims)
        }))
    }
}

/// Returns the operations of an entry of `patches`.
fn operations(text: Option<&str>) -> Result<Vec<Value>> {
    let tree = text
        .map(serde_json::from_str)
        .transpose()
        .context("a patch in `patches` is not JSON")?;
    match tree {
        Some(Value::Array(operations)) => Ok(operations),
        _ => Ok(Vec::new()),
    }
}

/// Reports whether an entry of `patches` has an operation.
fn has(text: Option<&str>, operation: &PatchOperation) -> bool {
    let wanted = json!(operation);
    operations(text).is_ok_and(|operations| operations.contains(&wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::Memory;

    fn manifest(owns: &str) -> String {
        format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: a}}\nspec:\n  destination: {{namespace: tv}}\n  source:\n    repoURL: u\n    path: p\n    plugin:\n      name: homelab-v1\n      parameters:\n      - {{name: owns, array: [{owns}]}}\n"
        )
    }

    #[test]
    fn a_claim_is_owned_by_its_whole_name() {
        let files = Memory::new([("applications/a.yaml", manifest("data").as_str())]).unwrap();
        let repo = Repo::read(&files, &[]).unwrap();
        let (manifest_of_app, app) = repo.application("a").unwrap();
        let old = Old {
            repo: &repo,
            manifest: manifest_of_app,
            name: AppName::new(app.name()).unwrap(),
            app,
            rendered: Rendered::default(),
            parts: Parts::default(),
        };
        let claim = old.claim_of(&"data".parse().unwrap()).unwrap();
        let needed = old.needed(&[], &[&claim]).unwrap();
        for owns in ["data", "config, data", "tv/data"] {
            assert!(needed.is_in(&manifest(owns)), "{owns}");
        }
        for owns in ["data-old", "old-data, config", "kitchen/data", ""] {
            assert!(!needed.is_in(&manifest(owns)), "{owns}");
        }
    }
}
