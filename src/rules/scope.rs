//! What the rules judge: the repository, and what its Applications render as far as that is known.

use std::collections::BTreeMap;

use crate::model::ownership::Ownership;
use crate::model::{AppName, Application, NamespaceName, Object};
use crate::repo::{Manifest, Repo};

/// The objects of one Application, as the cluster would get them: with the plugin's work done where the plugin renders
/// the source, as Helm or the folder gives them where it does not. Lists are flattened.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rendered {
    /// The objects of all sources that were at hand.
    pub objects: Vec<Object>,
}

/// Whether an Application could be rendered.
#[derive(Clone, Debug, PartialEq)]
pub enum Rendering {
    /// It could.
    Objects(Rendered),
    /// It could not be judged, which is said and never passed over.
    Unknown {
        /// Why.
        why: String,
        /// The way out, in the imperative.
        hint: String,
    },
    /// Its source is at hand and does not render.
    Failed {
        /// What failed, in one line.
        message: String,
        /// The way out, where there is one.
        hint: Option<String>,
    },
}

/// What the rules judge.
#[derive(Debug)]
pub struct Scope<'a> {
    /// The repository.
    pub repo: &'a Repo,
    /// The renders by Application; one that is missing was not asked for (`--no-render`).
    pub renders: &'a BTreeMap<AppName, Rendering>,
    /// Who owns and consumes each claim, from parameters and renders.
    pub ownership: Ownership,
}

impl<'a> Scope<'a> {
    /// Gathers ownership from the repository and the renders.
    pub fn new(repo: &'a Repo, renders: &'a BTreeMap<AppName, Rendering>) -> Self {
        let mut scope = Self {
            repo,
            renders,
            ownership: Ownership::default(),
        };
        let mut ownership = Ownership::default();
        for (_, app) in repo.applications() {
            let (Some(name), Some(namespace)) = (app.app_name(), app.namespace_name()) else {
                continue;
            };
            for source in app.sources().iter().filter(|source| source.is_ours()) {
                if let Ok(parameters) = source.parameters() {
                    ownership.declare(&name, &namespace, &parameters);
                }
            }
            ownership.render(&name, &namespace, scope.objects(&name));
        }
        scope.ownership = ownership;
        scope
    }

    /// The rendered objects of an Application, none where it was not rendered.
    pub fn objects(&self, app: &AppName) -> &'a [Object] {
        match self.renders.get(app) {
            Some(Rendering::Objects(rendered)) => &rendered.objects,
            _ => &[],
        }
    }

    /// Every Application with usable name and namespace, and its rendered objects.
    pub fn rendered(
        &self,
    ) -> impl Iterator<Item = (&'a Manifest, Application<'a>, AppName, NamespaceName, &'a [Object])> {
        self.repo.applications().filter_map(|(manifest, app)| {
            let (name, namespace) = (app.app_name()?, app.namespace_name()?);
            let objects = self.objects(&name);
            Some((manifest, app, name, namespace, objects))
        })
    }
}
