//! The chart that a build asks helm for first. Where it is not kept and the network may not be used, the build is certain to fail for
//! it: then no copy is made for it, and kustomize is not started, to find that out.
//!
//! Only the first one is asked for: before a second one helm renders the first, which may fail itself. And only where its
//! place is certain: what comes from elsewhere, and the configuration of generators, are not in the graph.
//!
//! What is wrong with the folder besides is said once the chart is there. Manifests that are no YAML are reported all the same.

use anyhow::Result;

use super::Kustomize;
use super::options::Options;
use crate::disk::Checkout;
use crate::helm::Substitute;
use crate::render::KustomizeCall;
use crate::render::kustomize_graph::{Graph, Kustomization};
use crate::repo::RepoPath;
use crate::repo::kustomization::references::{HelmChart, Role};

/// What a kustomization asks helm for first.
enum First<'g> {
    /// Nothing.
    Nothing,
    /// This chart.
    Chart(&'g Kustomization, &'g HelmChart),
    /// Kustomize alone knows.
    Uncertain,
}

/// Refuses a build that is certain to fail since a chart is not there.
///
/// # Errors
/// That of the build.
pub(super) fn check(kustomize: &Kustomize, call: &KustomizeCall, options: &Options) -> Result<()> {
    // What is fetched, edited or leads out of the repository may fail before.
    let is_plain = |one: &Kustomization| one.remotes().next().is_none() && is_inside(&kustomize.checkout, one);
    if kustomize.network
        || !options.inflates_charts()
        || options.runs_programs()
        || !call.edits.is_empty()
        || !call.graph.kustomizations.iter().all(is_plain)
    {
        return Ok(());
    }
    let First::Chart(one, chart) = first(&call.graph, &call.folder, &mut Vec::new()) else {
        return Ok(());
    };
    // An older kustomize does not ask for the version where the chart is there.
    let places = [chart.folder(), format!("{}/{}", chart.home, chart.name)];
    let is_free = |place: RepoPath| !kustomize.checkout.absolute(&place).exists();
    let may_be_there = |place: &String| !one.folder.join(place).is_ok_and(is_free);
    let is_refused = one
        .charts
        .iter()
        .any(|chart| chart.name.is_empty() || chart.name.starts_with('-'));
    if is_refused || chart.repo.is_empty() || chart.is_devel || places.iter().any(may_be_there) {
        return Ok(());
    }
    let helm = kustomize.helm(kustomize.checkout.clone());
    Substitute::check_kept(&helm, (&chart.repo, &chart.name, &chart.version))
}

/// Reports whether the folder of a kustomization is in the repository, where its links lead.
fn is_inside(checkout: &Checkout, one: &Kustomization) -> bool {
    let real = std::fs::canonicalize(checkout.absolute(&one.folder));
    real.is_ok_and(|real| real.starts_with(checkout.root()))
}

/// Returns what a folder asks helm for first: what it takes in comes before its own charts. When components come, depends on the
/// version of kustomize.
fn first<'g>(graph: &'g Graph, folder: &RepoPath, above: &mut Vec<RepoPath>) -> First<'g> {
    let Some(one) = graph.kustomizations.iter().find(|one| one.folder == *folder) else {
        return First::Nothing;
    };
    if one.references.iter().any(|reference| reference.role == Role::Plugin) || above.contains(folder) {
        return First::Uncertain;
    }
    above.push(folder.clone());
    let mut of = |role: Role| {
        let named = one.references.iter().filter(|reference| reference.role == role);
        let folders = named.filter_map(|reference| folder.join(&reference.path).ok());
        let mut firsts = folders.map(|folder| first(graph, &folder, above));
        firsts
            .find(|first| !matches!(first, First::Nothing))
            .unwrap_or(First::Nothing)
    };
    let (resources, components) = (of(Role::Resource), of(Role::Component));
    above.pop();
    match (resources, one.charts.first(), components) {
        (First::Nothing, None, components) => components,
        (First::Nothing, Some(chart), First::Nothing) => First::Chart(one, chart),
        (First::Nothing, Some(_), _) => First::Uncertain,
        (resources, ..) => resources,
    }
}
