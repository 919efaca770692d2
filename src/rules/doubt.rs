//! What may own claims and is not known here: Applications that are not rendered, what is generated in the cluster, and
//! files that cannot be read. A rule that finds no owner says so, and is no error then.

use super::Subject;
use crate::model::application::is_application_set;
use crate::model::{Application, Availability, ClaimRef, Cluster, Clusters, NamespaceName, Object, Unavailable};
use crate::repo::Repo;

/// One thing that may own claims.
#[derive(Clone, Debug)]
pub(super) struct Doubt {
    /// What it is and why its claims are not known, in a sentence.
    pub(super) why: String,
    /// The only cluster that its claims can be in; `None` for every one.
    cluster: Option<Cluster>,
    /// The only namespace that its claims can be in; `None` for every one.
    namespace: Option<NamespaceName>,
}

impl Doubt {
    /// Reports whether the claim may be one of these.
    pub(super) fn is_about(&self, claim: &ClaimRef) -> bool {
        self.cluster
            .as_ref()
            .is_none_or(|cluster| cluster.may_be(&claim.cluster))
            && self
                .namespace
                .as_ref()
                .is_none_or(|namespace| *namespace == claim.namespace)
    }

    /// Returns a doubt about every claim.
    fn about_all(why: String) -> Self {
        Self {
            why,
            cluster: None,
            namespace: None,
        }
    }

    /// Returns the doubts about files that cannot be read and about the ApplicationSets in a repository.
    pub(super) fn of_repository(repo: &Repo, clusters: &Clusters) -> Vec<Self> {
        let unread = repo
            .malformed
            .iter()
            .map(|malformed| Self::about_all(format!("`{}`, which cannot be read", malformed.file)));
        let sets = repo.unexpanded_sets();
        let sets = sets.filter_map(|manifest| Self::of_set(&manifest.object, clusters));
        let parents = repo.unknown.iter().filter(|unknown| unknown.kind != "ApplicationSet");
        let parents = parents.map(|parent| {
            Self::about_all(format!(
                "what the {} `{}` renders: {}",
                parent.kind, parent.name, parent.why
            ))
        });
        unread.chain(sets).chain(parents).collect()
    }

    /// Returns the doubt about an ApplicationSet; its template may say where its Applications go.
    pub(super) fn of_set(object: &Object, clusters: &Clusters) -> Option<Self> {
        if !is_application_set(object) {
            return None;
        }
        let why = format!(
            "ApplicationSet `{}`: {}",
            object.name(),
            Unavailable::GeneratedInCluster
        );
        if object.at("/spec/templatePatch").is_some() {
            return Some(Self::about_all(why));
        }
        let template = object.at("/spec/template").cloned().unwrap_or_default();
        let mut tree = serde_json::json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application"});
        tree["spec"] = template.get("spec").cloned().unwrap_or_default();
        let template = Object::new(tree);
        let app = Application::new(&template)?;
        let is_fixed = |text: &str| !text.contains("{{");
        let destination = [app.destination_server(), app.destination_name()];
        let has_cluster =
            destination.iter().flatten().next().is_some() && destination.iter().flatten().all(|text| is_fixed(text));
        Some(Self {
            why,
            cluster: has_cluster.then(|| clusters.of(&app)),
            namespace: app.namespace_name(),
        })
    }

    /// Returns the doubt about an Application that is not a manifest of the repository but rendered by another one: its
    /// parameters are known, its objects are not.
    pub(super) fn of_rendered(app: &Application<'_>, parent: &Subject<'_>, clusters: &Clusters) -> Option<Self> {
        let is_known = |source: &crate::model::Source<'_>| source.uses_homelab_plugin() && source.parameters().is_ok();
        if app.sources().iter().all(is_known) {
            return None;
        }
        Some(Self {
            why: format!("Application `{}`, which `{}` renders", app.name(), parent.name),
            cluster: Some(clusters.of(app)),
            namespace: app.namespace_name(),
        })
    }

    /// Returns the doubt about an Application whose objects are not known. `is_for_applications` says whether its objects go
    /// to where Applications are: then one of them may be an Application that owns anything.
    pub(super) fn of_subject(
        subject: &Subject<'_>,
        render: Option<&Availability<Vec<Object>>>,
        is_for_applications: bool,
    ) -> Option<Self> {
        let says_what_it_owns = subject.uses_homelab_plugin() && !subject.has_wrong_parameters();
        if subject.has_wrong_parameters() {
            let why = format!("Application `{}`, whose parameters are wrong", subject.name);
            return Some(Self {
                why,
                cluster: Some(subject.cluster.clone()),
                namespace: subject.namespace.clone(),
            });
        }
        if subject.is_seen || says_what_it_owns && !is_for_applications {
            return None;
        }
        let reason = match render {
            Some(Availability::Unavailable(why)) => why.to_string(),
            Some(_) => "it does not render".to_owned(),
            None => "it was not rendered".to_owned(),
        };
        let why = format!("Application `{}`: {reason}", subject.name);
        if is_for_applications {
            return Some(Self::about_all(why));
        }
        Some(Self {
            why,
            cluster: Some(subject.cluster.clone()),
            namespace: subject.namespace.clone(),
        })
    }
}
