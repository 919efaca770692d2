//! The Helm values of Applications, held against their charts, for the rule `value-is-known`.

use std::collections::BTreeMap;

use anyhow::Result;

use super::{How, Sources, refused, request};
use crate::model::unknown_value::CheckedValues;
use crate::model::{AppName, Application, Source};
use crate::render::unknown_values::unknown_values;
use crate::repo::{Manifest, RepoPath};

impl Sources<'_> {
    /// Holds the Helm values of every Application against its chart, where both are available locally.
    pub fn check_values(&self) -> BTreeMap<AppName, CheckedValues> {
        let repo = self.resolver.repo();
        let all: Vec<(&Manifest, Application<'_>)> = repo.applications().collect();
        let check =
            |(manifest, app): &(&Manifest, Application<'_>)| Some((repo.app_name(manifest)?, self.values_of(app)));
        let checked = crate::parallel::in_order(&all, check, |_| {});
        checked.into_iter().flatten().collect()
    }

    /// Holds the values of an Application against its charts; what cannot be read is reported as a render.
    fn values_of(&self, app: &Application<'_>) -> CheckedValues {
        let mut checked = CheckedValues::default();
        for source in app.sources().iter().filter(|source| !source.gives_files_only()) {
            match self.values_of_source(app, source) {
                Ok(of_source) => {
                    checked.files.extend(of_source.files);
                    checked.unknown.extend(of_source.unknown);
                }
                Err(_) => checked.unchecked.extend(value_files(app, source)),
            }
        }
        checked
    }

    fn values_of_source(&self, app: &Application<'_>, source: &Source<'_>) -> Result<CheckedValues> {
        let is_worth_it = || refused(request::request(app, source).err());
        let resolved = self.resolver.resolve(source, &mut Vec::new(), &is_worth_it)?;
        let merged = self.merged(app, source, How::default(), &resolved)?;
        let source = Source::new(source.pointer.clone(), &merged.tree);
        let mut request = request::request(app, &source)?;
        self.complete(&mut request, app, &source, &resolved);
        let checkouts = self.checkouts(app, &source, &request, &resolved)?;
        checkouts.with_trees(|trees| unknown_values(&request, trees))
    }
}

/// Returns the value files of a source, from the tops of their repositories.
fn value_files(app: &Application<'_>, source: &Source<'_>) -> Vec<String> {
    let Ok(request) = request::request(app, source) else {
        return Vec::new();
    };
    let folder = RepoPath::new(source.path().unwrap_or_default()).unwrap_or_default();
    let file = |name: &String| {
        let path = match name.strip_prefix('$').and_then(|name| name.split_once('/')) {
            Some((_, path)) => RepoPath::new(path),
            None => folder.join(name),
        };
        path.map(|path| path.to_string()).ok()
    };
    request.parameters.values_files.iter().filter_map(file).collect()
}
