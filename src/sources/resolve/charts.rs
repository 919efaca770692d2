//! Charts that are pulled, and the trees of sources with a `ref`.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow};

use super::{ResolvedSource, Resolver, relative};
use crate::disk::Checkout;
use crate::failure::HintExt;
use crate::helm::{self, ChartOptions, Charts, PulledChart};
use crate::model::{ChartReference, Source};
use crate::process::slots_folder;
use crate::sources::Network;
use crate::time::Deadline;

impl Resolver<'_> {
    /// Returns a chart of a Helm repository or an OCI registry: Argo CD pulls it and gives the chart as the whole tree.
    pub(super) fn chart(&self, source: &Source<'_>, is_worth_it: &dyn Fn() -> Result<()>) -> Result<ResolvedSource> {
        let revision = self.options.revision.as_deref().or(source.revision());
        let revision = revision.ok_or_else(|| {
            anyhow!("the chart has no version: Argo CD requires `targetRevision` here").hint("set it, as `1.2.3`")
        })?;
        let chart = ChartReference::of_source(source.repo_url(), source.chart(), revision);
        let chart = chart.context("the OCI URL has no chart in it")?;
        let path = relative(source.path().filter(|_| source.chart().is_none()).unwrap_or("."))?;
        let pulled = self.charts()?.get(&chart, self.deadline()?, is_worth_it)?;
        Ok(ResolvedSource {
            revision: Some(pulled.version.clone()),
            checkout: pulled.checkout.clone(),
            path,
            differs: None,
        })
    }

    /// Returns the chart that the parameter `chart` names.
    ///
    /// # Errors
    /// Those of [`Charts::pinned`].
    pub(in crate::sources) fn pinned_chart(&self, chart: &ChartReference) -> Result<Arc<PulledChart>> {
        self.charts()?.pinned(chart, self.deadline()?, &|| Ok(()))
    }

    /// Returns the tree of a source with a `ref`, of which Argo CD's own Helm gets files.
    ///
    /// # Errors
    /// Those of [`Resolver::resolve`].
    pub(in crate::sources) fn reference(&self, source: &Source<'_>, notes: &mut Vec<String>) -> Result<Checkout> {
        let mut tree = source.tree().clone();
        if let Some(fields) = tree.as_object_mut() {
            fields.insert("path".to_owned(), ".".into());
        }
        let whole = Source::new(source.pointer.clone(), &tree);
        self.resolve(&whole, notes, &|| Ok(()))
            .map(|resolved| resolved.checkout)
    }

    fn charts(&self) -> Result<&Charts> {
        if let Some(charts) = self.charts.get() {
            return Ok(charts);
        }
        let charts = Charts::new(ChartOptions {
            program: self.options.helm.program.clone(),
            cache: self.options.cache()?,
            network: self.options.network != Network::Never,
            refresh: self.options.network == Network::Always,
            bounded_in: self.options.for_plugin.then(slots_folder),
        });
        Ok(self.charts.get_or_init(|| charts))
    }

    /// Returns the time by which a chart has to be there.
    fn deadline(&self) -> Result<Deadline> {
        match self.options.for_plugin {
            true => Ok(Deadline::after(helm::timeout()?)),
            false => Ok(Deadline::never()),
        }
    }
}
