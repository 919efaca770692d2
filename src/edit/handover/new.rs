//! The Application that gets claims.

use std::collections::BTreeSet;

use anyhow::{Context, Result, anyhow};

use super::old::Old;
use super::{owns, specification};
use crate::edit::needed::Needed;
use crate::edit::plugin_section::{PluginSection, Written};
use crate::edit::{Edit, Renders, RuleGate};
use crate::failure::HintExt;
use crate::model::moved_claim::MovedFrom;
use crate::model::{AppName, Application, ClaimPath, ClaimRef, NamespaceName, Object};
use crate::repo::{Manifest, Repo};

/// The Application that gets claims.
#[derive(Debug)]
pub(super) struct New<'r> {
    repo: &'r Repo,
    manifest: &'r Manifest,
    pub(super) app: Application<'r>,
    pub(super) name: AppName,
}

impl<'r> New<'r> {
    /// Returns it.
    ///
    /// # Errors
    /// When the plugin does not render it.
    pub(super) fn of(repo: &'r Repo, manifest: &'r Manifest) -> Result<Self> {
        let app = Application::new(&manifest.object).context("not an Application")?;
        let name = AppName::new(app.name())?;
        name.check_as_owner()?;
        PluginSection::of(repo, manifest)?;
        Ok(Self {
            repo,
            manifest,
            app,
            name,
        })
    }

    /// Returns the claims that it has from another Application, by `moved-from`.
    pub(super) fn from(&self, old: &Old<'_>) -> Result<BTreeSet<ClaimRef>> {
        let moved = PluginSection::of(self.repo, self.manifest)?.parameters()?.moved_from;
        let moved = moved.into_iter().filter(|moved| moved.from == old.name);
        let destination = self.app.namespace_name();
        let claim = |moved: MovedFrom| {
            Some(ClaimRef {
                cluster: self.repo.clusters().of(&self.app),
                namespace: moved.claim.namespace_in(destination.as_ref())?.clone(),
                name: moved.claim.name,
            })
        };
        Ok(moved.filter_map(claim).collect())
    }

    /// Refuses an Application that would not take over a claim which has another owner in the cluster.
    pub(super) fn check_shared_resources(&self, claim: &ClaimRef) -> Result<()> {
        match self.app.sync_option("FailOnSharedResource") {
            Some("true") => Err(anyhow!(
                "Application `{}` has `FailOnSharedResource=true`: its sync would fail, as long as claim `{claim}` is tracked as another one's",
                self.name
            )
            .hint("take the sync option out in a commit before")),
            _ => Ok(()),
        }
    }

    /// Returns the change that gives it claims: it owns them, and brings those that its chart does not.
    pub(super) fn taken(&self, old: &Old<'_>, claims: &[&ClaimRef], renders: &dyn Renders) -> Result<Written> {
        let mut section = PluginSection::of(self.repo, self.manifest)?;
        let rendered = renders
            .render(&self.app)
            .with_context(|| format!("whether Application `{}` renders the claim is not known", self.name))?;
        let destination = self.app.namespace_name();
        let namespace = destination.as_ref().map_or("default", NamespaceName::as_str);
        for claim in claims {
            let entry = ClaimPath::of(claim, destination.as_ref()).to_string();
            section.add("owns", &entry)?;
            section.add("moved-from", &moved_from(&old.name, claim, destination.as_ref()))?;
            section.remove("writes", |other| other == entry)?;
            let is_brought = section.entry("claims", &entry).is_some();
            match specification::find(&rendered.raw, claim, namespace) {
                Some(new) => {
                    let sides = (old.claim(claim), new);
                    if let (Ok(before), new) = sides {
                        let names = (old.name.as_str(), self.name.as_str());
                        specification::check_same(claim, (before, names.0), (new, names.1))?;
                    }
                }
                None if is_brought => {}
                None => section.set_entry("claims", &entry, Some(&specification::text(old.claim(claim)?)?))?,
            }
        }
        section.written(renders)
    }

    /// Returns the change that takes out where its claims came from.
    pub(super) fn without_origin(&self, old: &AppName, renders: &dyn Renders) -> Result<Written> {
        let mut section = PluginSection::of(self.repo, self.manifest)?;
        section.remove("moved-from", |entry| {
            entry.split_once('/').is_some_and(|(app, _)| app == old.as_str())
        })?;
        section.written(renders)
    }

    /// Adds a change to an edit, with what is rendered before and after; returns the objects after.
    pub(super) fn changed(
        &self,
        written: &Written,
        renders: &dyn Renders,
        edit: &mut Edit,
        gate: &mut RuleGate,
    ) -> Result<Vec<Object>> {
        let before = renders.render(&self.app)?.finished;
        written.add_rendered((&self.name, before), renders, (edit, gate))
    }

    /// Returns what has to be in the branch once it owns the claims.
    pub(super) fn needed(&self, claims: &[&ClaimRef]) -> Option<Needed> {
        PluginSection::of(self.repo, self.manifest)
            .ok()
            .filter(PluginSection::is_in_manifest)?;
        let claims: Vec<ClaimRef> = claims.iter().map(|claim| (*claim).clone()).collect();
        let step = format!("step 2 of 3, in which Application `{}` gets its claims", self.name);
        let needed = Needed::of_app(self.manifest, step, move |app| {
            app.sources().iter().any(|source| owns(app, source, &claims))
        });
        Some(needed.written())
    }
}

/// Returns the entry of `moved-from` for a claim.
pub(super) fn moved_from(old: &AppName, claim: &ClaimRef, destination: Option<&NamespaceName>) -> String {
    let from = old.clone();
    let claim = ClaimPath::of(claim, destination);
    MovedFrom { from, claim }.to_string()
}
