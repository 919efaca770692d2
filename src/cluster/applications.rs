//! Argo CD's Applications in a cluster: found, changed and watched.

use std::ops::ControlFlow;

use anyhow::{Result, anyhow};
use serde_json::Value;

use super::connection::Cluster;
use super::kind::Kind;
use super::objects::Objects;
use super::{DryRun, ProgressFn};
use crate::failure::HintExt;
use crate::model::application::GROUP;
use crate::model::{LiveApplication, NamespaceName};

/// The likeness from which on a name is suggested for another one.
const LIKE: f64 = 0.8;

/// Argo CD's Applications; there is one version of them.
pub(super) const APPLICATIONS: Kind = Kind {
    group: GROUP,
    version: "v1alpha1",
    kind: "Application",
    plural: "applications",
    title: "Applications of Argo CD",
    install_hint: "install Argo CD, or choose another cluster with --context",
    permission_hint: "use a kubeconfig whose user may get, list, watch and patch Applications",
};

/// A choice of Applications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// All in Argo CD's namespace.
    All,
    /// Those of these names.
    Named(Vec<String>),
}

impl Selection {
    /// Returns the name, if it is a single one.
    fn single(&self) -> Option<&str> {
        match self {
            Self::Named(names) if names.len() == 1 => names.first().map(String::as_str),
            _ => None,
        }
    }
}

/// An Application in the end of a command.
#[derive(Clone, Debug, PartialEq)]
pub struct AppStatus {
    /// Its name.
    pub name: String,
    /// The Application; `None` when there is none.
    pub application: Option<LiveApplication>,
    /// The state that it did not reach, in one line.
    pub missing: Option<String>,
}

/// The progress of an Application towards a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// It is in that state.
    Reached,
    /// It may get there: what is missing, in one line.
    Pending(String),
    /// It will not get there: why, in one line.
    Failed(String),
}

/// The Applications in Argo CD's namespace of a cluster.
pub struct Applications<'c> {
    objects: Objects<'c>,
    namespace: NamespaceName,
}

impl<'c> Applications<'c> {
    /// Returns the Applications of a namespace. Nothing is sent to the cluster yet.
    pub fn of(cluster: &'c Cluster, namespace: NamespaceName) -> Self {
        Self {
            objects: Objects::new(cluster, &APPLICATIONS, &namespace),
            namespace,
        }
    }
}

impl Applications<'_> {
    /// Returns the Applications of a selection, in the order of their names in it.
    ///
    /// # Errors
    /// When one of them is missing; when there are none at all.
    pub fn find(&self, selection: &Selection) -> Result<Vec<LiveApplication>> {
        let found = self.list(selection.single())?;
        let Selection::Named(names) = selection else {
            if found.is_empty() {
                return Err(self.none());
            }
            return Ok(found);
        };
        let pick = |name: &String| match found.iter().find(|app| app.name() == name) {
            Some(app) => Ok(app.clone()),
            None => Err(self.unknown(name)?),
        };
        names.iter().map(pick).collect()
    }

    /// Sends a JSON Merge Patch. `None` when the Application has changed since the patch's `resourceVersion`.
    pub(super) fn patch(&self, name: &str, body: &Value, dry_run: DryRun) -> Result<Option<LiveApplication>> {
        Ok(self.objects.patch(name, body, dry_run)?.map(LiveApplication::new))
    }

    /// Watches Applications until nothing is pending for any of them, or the deadline comes.
    pub(super) fn wait_until(
        &self,
        names: &[String],
        progress: &mut dyn FnMut(&str, Option<&LiveApplication>) -> Progress,
        show: ProgressFn<'_>,
    ) -> Result<Vec<AppStatus>> {
        let mut statuses: Vec<AppStatus> = Vec::new();
        let single = Selection::Named(names.to_vec());
        self.objects.watch(single.single(), LiveApplication::new, &mut |seen| {
            let mut pending = Vec::new();
            statuses.clear();
            for name in names {
                let application = seen.get(name);
                let missing = match progress(name, application) {
                    Progress::Reached => None,
                    Progress::Failed(why) => Some(why),
                    Progress::Pending(what) => {
                        pending.push(format!("{name}: {what}"));
                        Some(what)
                    }
                };
                statuses.push(AppStatus {
                    name: name.clone(),
                    application: application.cloned(),
                    missing,
                });
            }
            match pending.as_slice() {
                [] => return ControlFlow::Break(()),
                [one] => show(one),
                [first, more @ ..] => show(&format!("{first}, and {} more", more.len())),
            }
            ControlFlow::Continue(())
        })?;
        Ok(statuses)
    }

    fn list(&self, name: Option<&str>) -> Result<Vec<LiveApplication>> {
        Ok(self.objects.list(name)?.into_iter().map(LiveApplication::new).collect())
    }

    fn none(&self) -> anyhow::Error {
        anyhow!("there are no Applications in the namespace `{}`", self.namespace)
            .hint("name Argo CD's namespace with `--namespace`")
    }

    /// Returns the error for an Application that is missing; it names those with similar names.
    fn unknown(&self, name: &str) -> Result<anyhow::Error> {
        let all = self.list(None)?;
        if all.is_empty() {
            return Ok(self.none());
        }
        let names: Vec<&str> = all.iter().map(LiveApplication::name).collect();
        let namespace = &self.namespace;
        let error = anyhow!("there is no Application `{name}` in the namespace `{namespace}`");
        Ok(error.hint(match nearest(name, &names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("choose one of {}", names.join(", ")),
        }))
    }
}

/// Returns the name that is most like another one, if any is.
fn nearest<'n>(name: &str, names: &[&'n str]) -> Option<&'n str> {
    let likeness = |other: &&str| strsim::jaro_winkler(name, other);
    let best = names
        .iter()
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)).then_with(|| b.cmp(a)))?;
    (likeness(best) >= LIKE).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_name_is_understood() {
        let names = ["jellyfin", "namespaces", "pilotedge-audio-fetcher", "root"];
        for (typed, meant) in [
            ("jelyfin", Some("jellyfin")),
            ("namespace", Some("namespaces")),
            ("pilotedge", Some("pilotedge-audio-fetcher")),
            ("paperless", None),
        ] {
            assert_eq!(nearest(typed, &names), meant, "{typed}");
        }
        assert_eq!(nearest("x", &[]), None);
    }
}
