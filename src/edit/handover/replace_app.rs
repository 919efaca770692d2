//! `replace-app`: another Application takes over all claims of one, which then goes.

use std::collections::BTreeSet;

use anyhow::{Context, Result, anyhow, bail};

use super::new::{New, moved_from};
use super::old::Old;
use super::stop::Stop;
use super::{Live, Phase, Step, next_hint, specification};
use crate::edit::add_app::{self, Request};
use crate::edit::plugin_section::PluginSection;
use crate::edit::remove_app::manifest;
use crate::edit::{Edit, Renders, RuleGate};
use crate::failure::HintExt;
use crate::model::claim::is_claim;
use crate::model::parameter::Parameter;
use crate::model::{AppName, Application, Availability, ClaimName, ClaimPath, ClaimRef, NamespaceName, Object};
use crate::repo::{ChangeSet, Repo};

/// An Application that takes the place of another one.
#[derive(Debug)]
pub struct ReplaceApp<'r> {
    repo: &'r Repo,
    old: Old<'r>,
    name: AppName,
    /// The new Application, once it is there.
    new: Option<New<'r>>,
    /// What the old one owns, and what it has given away already.
    claims: BTreeSet<ClaimRef>,
    has_moved: bool,
}

impl<'r> ReplaceApp<'r> {
    /// Finds both Applications; the new one may not be there yet.
    ///
    /// # Errors
    /// When the old one is not there, owns nothing, or the plugin does not render one of them.
    pub fn of(repo: &'r Repo, old: &str, new: &AppName, renders: &dyn Renders) -> Result<Self> {
        new.check_as_owner()?;
        let old = Old::of(repo, old, renders)?;
        if old.name == *new {
            return Err(anyhow!("an Application cannot replace itself")
                .hint("change it with `kubectl homelab add-app --upsert`, or name another one"));
        }
        let there = repo.application(new.as_str());
        let there = there.map(|(manifest, _)| New::of(repo, manifest)).transpose()?;
        let owned = old.owned()?;
        // A last step that was interrupted may have taken what the new one says of it already.
        let mut given = old.given(new)?;
        if let Some(there) = &there {
            given.extend(there.from(&old)?);
        }
        let claims: BTreeSet<ClaimRef> = owned.iter().chain(&given).cloned().collect();
        if claims.is_empty() {
            return Err(anyhow!(
                "Application `{}` owns no claim: there is nothing to take over",
                old.name
            )
            .hint(format!(
                "add the other one with `kubectl homelab add-app`, and remove `{}`",
                old.name
            )));
        }
        Ok(Self {
            repo,
            old,
            name: new.clone(),
            has_moved: there.is_some() && owned.is_empty(),
            new: there,
            claims,
        })
    }

    fn stops(&self) -> Result<Vec<Stop>> {
        let claims: Vec<&ClaimRef> = self.claims.iter().collect();
        self.old.stops(&claims, self.has_moved)
    }

    /// Returns the next step.
    ///
    /// # Errors
    /// When a workload cannot be stopped.
    pub fn next(&self) -> Result<Phase> {
        if self.has_moved {
            return Ok(Phase::Finish);
        }
        Ok(match self.old.is_stopped(&self.stops()?)? {
            true => Phase::Move,
            false => Phase::Stop,
        })
    }

    /// Reports whether the new Application is there already, so that nothing about it has to be said.
    pub fn is_there(&self) -> bool {
        self.new.is_some()
    }

    /// Refuses a step before the one before is made.
    ///
    /// # Errors
    /// Names the one that is next.
    pub fn check(&self, phase: Phase) -> Result<()> {
        phase.check_next(self.next()?)?;
        if self.has_moved && phase < Phase::Finish {
            return Err(anyhow!("Application `{}` owns the claims already", self.name).hint("go on with `--phase 3`"));
        }
        Ok(())
    }

    /// Returns the steps in words.
    ///
    /// # Errors
    /// When a workload cannot be stopped.
    pub fn plan(&self, again: &str) -> Result<String> {
        let stops: Vec<String> = self.stops()?.iter().map(|stop| format!("   {}\n", stop.what)).collect();
        let claims: Vec<String> = self.claims.iter().map(|claim| format!("`{claim}`")).collect();
        let (old, new) = (&self.old.name, &self.name);
        Ok(format!(
            "1. Application `{old}` stands still where it writes its claims\n{}   {again} --phase 1\n\
2. one commit takes {} from `{old}` and gives them to `{new}`\n   {again} --phase 2\n\
3. Application `{old}` goes, with all that is left of it\n   {again} --phase 3\n",
            stops.concat(),
            claims.join(", ")
        ))
    }

    /// Plans step 1: the old Application stands still.
    ///
    /// # Errors
    /// When it cannot be stopped.
    pub fn stop(&self, renders: &dyn Renders) -> Result<Step> {
        let message = format!("Stop {} before {} takes its place", self.old.name, self.name);
        self.old.stop(message, &self.stops()?, renders)
    }

    /// Completes the request of an Application that is not there yet: it owns the claims, and brings those that its chart does not.
    ///
    /// # Errors
    /// When what it renders is not known, or has a claim with another specification.
    pub fn complete(&self, request: &mut Request, renders: &dyn Renders) -> Result<()> {
        let preview = add_app::preview(self.repo, request);
        let app = Application::new(&preview).context("the new manifest is no Application")?;
        let rendered = renders
            .render(&app)
            .with_context(|| format!("whether Application `{}` renders the claims is not known", self.name))?;
        let destination = app.namespace_name();
        let namespace = destination.as_ref().map_or("default", NamespaceName::as_str);
        for claim in &self.claims {
            let path = ClaimPath::of(claim, destination.as_ref()).to_string();
            match specification::find(&rendered.raw, claim, namespace) {
                Some(new) => {
                    let old = self.old.claim(claim);
                    if let Ok(old) = old {
                        specification::check_same(claim, (old, self.old.name.as_str()), (new, self.name.as_str()))?;
                    }
                }
                None => {
                    let text = specification::text(self.old.claim(claim)?)?;
                    let claims = parameter(&mut request.parameters, "claims");
                    claims.map.get_or_insert_default().insert(path.clone(), text);
                }
            }
            add_entry(parameter(&mut request.parameters, "owns"), path.clone());
            let from = moved_from(&self.old.name, claim, destination.as_ref());
            add_entry(parameter(&mut request.parameters, "moved-from"), from);
            request.parameters.retain_mut(|parameter| {
                let writes = parameter.array.as_mut().filter(|_| parameter.name == "writes");
                writes.is_none_or(|writes| {
                    writes.retain(|other| *other != path);
                    !writes.is_empty()
                })
            });
        }
        Ok(())
    }

    /// Plans step 2, with the edit that adds the new Application where it was not there: the claims change hands.
    ///
    /// # Errors
    /// When both render one object, or the parameters have no place.
    pub fn change_hands(&self, added: Option<(Edit, RuleGate)>, renders: &dyn Renders) -> Result<Step> {
        let claims: Vec<&ClaimRef> = self.claims.iter().collect();
        let is_added = added.is_some();
        let (mut edit, mut gate) = added.unwrap_or_default();
        edit.message = format!("Let {} take the place of {}", self.name, self.old.name);
        edit.next = Some(next_hint(&self.name));
        edit.notes.push(format!(
            "step 2 of 3: Application `{}` owns the claims of `{}`",
            self.name, self.old.name
        ));
        let mut namespace = self.old.namespace();
        if let Some(new) = self.new.as_ref().filter(|_| !is_added) {
            namespace = new.app.namespace_name();
            for claim in &claims {
                new.check_shared_resources(claim)?;
            }
            let taken = new.taken(&self.old, &claims, renders)?;
            new.changed(&taken, renders, &mut edit, &mut gate)?;
            new.ignores_as(&self.old, renders, &mut edit);
        }
        // The old one loses them last: a run that was killed before goes on with the same step.
        for claim in &claims {
            self.old.followed((claim, &self.name), renders, &mut edit, &mut gate)?;
        }
        let given = self.old.without(&claims, &self.name, renders)?;
        let rest = self.old.changed(&given, renders, &mut edit, &mut gate)?;
        match gate.after.get(&self.name) {
            Some(Availability::Available(objects)) => {
                self.old
                    .check_shared(&rest, (&self.name, objects, namespace.as_ref()))?;
            }
            _ => bail!("what Application `{}` renders is not known", self.name),
        }
        let stops = self.stops()?;
        Ok(Step {
            edit,
            gate,
            needed: self.old.needed(&stops, &claims).into_iter().collect(),
            live: claims.into_iter().cloned().map(Live::Still).collect(),
        })
    }

    /// Plans step 3: the old Application goes.
    ///
    /// # Errors
    /// When there is no change that takes out the old one alone.
    pub fn finish(&self, renders: &dyn Renders) -> Result<Step> {
        let Some(new) = &self.new else {
            bail!("there is no Application `{}`", self.name)
        };
        let removal = manifest::removal(self.repo, renders, self.old.manifest)?;
        let mut edit = Edit {
            message: format!("Remove {}, whose place {} has taken", self.old.name, self.name),
            next: Some("push it; the replacement is done".to_owned()),
            notes: vec![format!(
                "step 3 of 3: Application `{}` goes; its claims are those of `{}`",
                self.old.name, self.name
            )],
            ..Edit::default()
        };
        let mut gate = RuleGate::default();
        let needed = new.needed(&self.claims.iter().collect::<Vec<_>>());
        let without = new.without_origin(&self.old.name, renders)?;
        without.add_to(&mut edit, &mut gate);
        let mut changes = ChangeSet::default();
        changes.join(edit.changes.changes.into_iter().chain(removal.changes.changes))?;
        gate.derived = Some(renders.desired(&self.repo.file_changes(&changes)?)?);
        edit.changes = changes;
        edit.notes.extend(removal.notes);
        let owned = |claim: &ClaimRef| Live::Owned(claim.clone(), self.name.to_string());
        Ok(Step {
            edit,
            gate,
            needed: needed.into_iter().collect(),
            live: self.claims.iter().map(owned).collect(),
        })
    }
}

impl Old<'_> {
    /// Returns the claims that it owns: those in `owns`, and those that it renders.
    fn owned(&self) -> Result<BTreeSet<ClaimRef>> {
        let section = PluginSection::of(self.repo(), self.manifest)?;
        let named = section.parameters()?.into_iter().flat_map(|parameters| parameters.owns);
        let rendered = self.rendered.finished.iter().filter(|object| is_claim(object));
        let path = |object: &Object| {
            let namespace = object.namespace().map(NamespaceName::new).transpose().ok()?;
            let name = ClaimName::new(object.name()).ok()?;
            Some(ClaimPath { namespace, name })
        };
        let rendered = rendered.filter_map(path);
        Ok(named.chain(rendered).filter_map(|path| self.claim_of(&path)).collect())
    }

    /// Returns the claims that it has given to an Application already, by `moves`.
    fn given(&self, to: &AppName) -> Result<BTreeSet<ClaimRef>> {
        let parameters = PluginSection::of(self.repo(), self.manifest)?.parameters()?.into_iter();
        let given = parameters
            .flat_map(|parameters| parameters.moves)
            .filter(|moved| moved.to == *to);
        Ok(given.filter_map(|moved| self.claim_of(&moved.claim)).collect())
    }
}

/// Returns the parameter of a name, which is added where there is none.
fn parameter<'p>(list: &'p mut Vec<Parameter>, name: &str) -> &'p mut Parameter {
    let index = list.iter().position(|parameter| parameter.name == name);
    let index = index.unwrap_or_else(|| {
        list.push(Parameter {
            name: name.to_owned(),
            ..Parameter::default()
        });
        list.len() - 1
    });
    &mut list[index]
}

fn add_entry(parameter: &mut Parameter, entry: String) {
    let array = parameter.array.get_or_insert_default();
    if !array.contains(&entry) {
        array.push(entry);
    }
}
