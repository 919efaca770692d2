//! A chart changes its major version.

use super::versions;
use super::{Case, Check};
use crate::compare::level::Level;

pub(super) static CHECK: Check = Check {
    id: "chart-major-version",
    level: Level::Review,
    summary: "a chart changes its major version",
    way_out: "read the chart's notes on upgrades, and save the data before",
    reference: "https://semver.org/#spec-item-8",
    query,
};

fn query(case: &Case<'_, '_>) -> Option<String> {
    let (old, new) = case.applications()?;
    let (old, new) = (old.sources(), new.sources());
    new.iter().find_map(|source| {
        let chart = source.pulled_chart()?;
        let before = old.iter().find(|other| other.pulled_chart() == Some(chart))?;
        let (was, is) = (versions::of_chart(before)?, versions::of_chart(source)?);
        (versions::major(&was)? != versions::major(&is)?)
            .then(|| format!("chart `{chart}` was at {was} and is at {is}"))
    })
}

#[cfg(test)]
pub(super) const FIRES: &str = r#"
base: {media: {spec: {source: {repoURL: "https://charts.example.org", chart: app, targetRevision: 1.9.0}}, objects: [{kind: ConfigMap, name: a}]}}
head: {media: {spec: {source: {repoURL: "https://charts.example.org", chart: app, targetRevision: 2.0.0}}, objects: [{kind: ConfigMap, name: a}]}}
"#;

#[cfg(test)]
pub(super) const SILENT: &str = r#"
base: {media: {spec: {source: {repoURL: "https://charts.example.org", chart: app, targetRevision: 1.9.0}}, objects: [{kind: ConfigMap, name: a}]}}
head: {media: {spec: {source: {repoURL: "https://charts.example.org", chart: app, targetRevision: 1.10.0}}, objects: [{kind: ConfigMap, name: a}]}}
"#;
