//! What helm leaves in a chart's folder when it builds dependencies: a person's checkout is left as it lay.
#![expect(clippy::disallowed_methods, reason = "the door to helm")]

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use crate::disk::Checkout;
use crate::repo::{Files, RepoPath};

/// The folder of vendored charts.
const CHARTS: &str = "charts";

/// What lay in the chart's folder before helm ran.
pub(super) struct Before {
    chart: BTreeSet<String>,
    charts: BTreeSet<String>,
}

impl Before {
    pub(super) fn of(checkout: &Checkout, chart: &RepoPath) -> Result<Self> {
        Ok(Self {
            chart: names(checkout, chart)?,
            charts: names(checkout, &chart.join(CHARTS)?)?,
        })
    }

    /// Removes what helm added: the lock, the charts that it fetched, its temporary folders.
    pub(super) fn restore(&self, checkout: &Checkout, chart: &RepoPath) -> Result<()> {
        for name in names(checkout, chart)?.difference(&self.chart) {
            if name == "Chart.lock" || name == "requirements.lock" || name == CHARTS || name.starts_with("tmpcharts") {
                remove(checkout, &chart.join(name)?)?;
            }
        }
        let folder = chart.join(CHARTS)?;
        for name in names(checkout, &folder)?.difference(&self.charts) {
            remove(checkout, &folder.join(name)?)?;
        }
        Ok(())
    }
}

fn names(checkout: &Checkout, folder: &RepoPath) -> Result<BTreeSet<String>> {
    let entries = checkout.list(folder)?.unwrap_or_default();
    Ok(entries.into_iter().map(|entry| entry.name).collect())
}

fn remove(checkout: &Checkout, path: &RepoPath) -> Result<()> {
    let absolute = checkout.absolute(path);
    let removed = if absolute.is_dir() {
        std::fs::remove_dir_all(&absolute)
    } else {
        std::fs::remove_file(&absolute)
    };
    removed.with_context(|| format!("cannot remove `{path}`, which helm left behind"))
}
