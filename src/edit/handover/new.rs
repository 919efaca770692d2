//! The Application that gets claims.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use anyhow::{Context, Result, anyhow};

use super::old::Old;
use super::parts::Parts;
use super::{claim_of, owns, specification};
use crate::edit::needed::Needed;
use crate::edit::plugin_section::{PluginSection, Written};
use crate::edit::{Edit, Rendered, Renders, RuleGate, fixed_fields, moves};
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
    rendered: OnceCell<Rendered>,
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
            rendered: OnceCell::new(),
        })
    }

    /// Returns the claims that it has from another Application, by `moved-from`.
    pub(super) fn from(&self, old: &Old<'_>) -> Result<BTreeSet<ClaimRef>> {
        let parameters = PluginSection::of(self.repo, self.manifest)?.parameters()?.into_iter();
        let moved = parameters.flat_map(|parameters| parameters.moved_from);
        let moved = moved.filter(|moved| moved.from == old.name);
        let claims = moved.filter_map(|moved| claim_of(self.repo, &self.app, &moved.claim));
        Ok(claims.collect())
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
        let rendered = self
            .rendered(renders)
            .with_context(|| format!("whether Application `{}` renders the claim is not known", self.name))?;
        let parts = Parts::of(&self.app, &section, rendered, renders)?;
        let destination = self.app.namespace_name();
        let namespace = destination.as_ref().map_or("default", NamespaceName::as_str);
        for claim in claims {
            let entry = ClaimPath::of(claim, destination.as_ref()).to_string();
            let is_it = |object: &Object| specification::is(object, claim, namespace);
            let rendering = parts.rendering(&format!("claim `{claim}`"), is_it)?;
            let owning = section
                .sources()
                .zip(section.positions())
                .find_map(|(source, position)| {
                    let owns = source.parameters().ok()?.owns;
                    owns.iter()
                        .any(|path| path.is(claim, destination.as_ref()))
                        .then_some(position)
                });
            // Where no source renders it, any of them can bring it.
            let bringing = rendering.first().copied().or(owning).or(section.positions().next());
            let bringing = bringing.context("the plugin renders no source")?;
            for position in section.positions() {
                section.add(position, "owns", &entry)?;
            }
            section.add(
                bringing,
                "moved-from",
                &moved_from(&old.name, claim, destination.as_ref()),
            )?;
            section.remove("writes", |other| other == entry)?;
            // It had given the claim away, and gets it back.
            section.remove("moves", |other| moves::is_of(other, claim, destination.as_ref()))?;
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
                None => section.set_entry(bringing, "claims", &entry, &specification::text(old.claim(claim)?)?)?,
            }
        }
        section.written(renders)
    }

    /// Lets it leave the fixed fields of claims alone, where the old owner does: it has applied them.
    pub(super) fn ignores_as(&self, old: &Old<'_>, renders: &dyn Renders, edit: &mut Edit) {
        if fixed_fields::are_ignored(old.app()) {
            fixed_fields::ignore((self.repo, renders), (self.manifest, &self.app), edit);
        }
    }

    /// Returns the change that takes out where its claims came from.
    pub(super) fn without_origin(&self, old: &AppName, renders: &dyn Renders) -> Result<Written> {
        let mut section = PluginSection::of(self.repo, self.manifest)?;
        section.remove("moved-from", |entry| {
            entry.parse().is_ok_and(|moved: MovedFrom| moved.from == *old)
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
        let before = self.rendered(renders)?.finished.clone();
        written.add_rendered((&self.name, before), renders, (edit, gate))
    }

    /// Returns what it renders now.
    fn rendered(&self, renders: &dyn Renders) -> Result<&Rendered> {
        if let Some(rendered) = self.rendered.get() {
            return Ok(rendered);
        }
        let rendered = renders.render(&self.app)?;
        Ok(self.rendered.get_or_init(|| rendered))
    }

    /// Returns what has to be in the branch once it owns the claims.
    pub(super) fn needed(&self, claims: &[&ClaimRef]) -> Option<Needed> {
        PluginSection::of(self.repo, self.manifest)
            .ok()
            .filter(PluginSection::is_in_manifest)?;
        let claims: Vec<ClaimRef> = claims.iter().map(|claim| (*claim).clone()).collect();
        let step = format!("step 2 of 3, in which Application `{}` gets its claims", self.name);
        let needed = Needed::of_app(self.manifest, step, move |app| owns(app, &claims));
        Some(needed.written())
    }
}

/// Returns the entry of `moved-from` for a claim.
pub(super) fn moved_from(old: &AppName, claim: &ClaimRef, destination: Option<&NamespaceName>) -> String {
    let from = old.clone();
    let claim = ClaimPath::of(claim, destination);
    MovedFrom { from, claim }.to_string()
}
