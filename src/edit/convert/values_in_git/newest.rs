//! The newest versions that fit the ranges of charts: the plugin pulls one version only.

use std::collections::BTreeMap;

use super::files;
use crate::edit::Renders;
use crate::model::native::reference;
use crate::model::version::is_exact;
use crate::model::{Application, PointerBuf, Source};
use crate::repo::Manifest;

/// Returns the newest versions that fit the ranges of the charts of an Application whose values are in Git, by the places of
/// their sources, where they are known.
pub(in crate::edit) fn newest(manifest: &Manifest, renders: &dyn Renders) -> BTreeMap<PointerBuf, String> {
    let app = Application::new(&manifest.object);
    let sources = app.map(|app| app.sources()).unwrap_or_default();
    let takes_files = |source: &&Source<'_>| files(source).iter().any(|(_, file)| reference(file).is_some());
    let ranges = sources
        .iter()
        .filter(|source| source.is_versioned() && !is_exact(source.target_revision()))
        .filter(takes_files);
    let newest = |source: &Source<'_>| Some((source.pointer.clone(), renders.chart_version(source).ok()??));
    ranges.filter_map(newest).collect()
}
