//! HL323: an Application whose project refuses something of it is not synced at all.

use super::{Check, Finding, Meta, Rule, Scope, Severity, Subject};

static META: Meta = Meta {
    id: "HL323",
    name: "project-permits-application",
    severity: Severity::Error,
    summary: "the AppProject of an Application permits its sources, its destination and its objects",
    why: "An AppProject lists from where its Applications may come (`sourceRepos`), to which clusters and namespaces they may go \
(`destinations`), and which kinds they may bring. Where it refuses the source or the destination, the Application gets the condition \
InvalidSpecError and is neither compared nor synced. Where it refuses one object, the whole sync fails, and nothing of it is \
applied.\n\n\
Lists that are missing do not mean the same: without `namespaceResourceWhitelist` every kind in a namespace is permitted, without \
`clusterResourceWhitelist` none that is in no namespace, as Namespace or ClusterRole. The Namespace that `CreateNamespace=true` makes \
is one of these. In an address of `sourceRepos` a `*` ends at a `/`, and `**` does not; an entry with `!` in front of it forbids, whatever the \
others permit.\n\n\
Add to the project what the Application needs, or let the Application name another one. Only projects that the repository declares \
are known, and of those that a kustomization patches only what an Application renders. Nothing is found where `argocd-cm` has \
`globalProjects`, of kinds of which the repository does not say whether they are in a namespace, and where only Argo CD knows how a \
pattern is read. Secrets of repositories and clusters with a `project` add to it, as far as the repository has them.\n\n\
https://argo-cd.readthedocs.io/en/stable/user-guide/projects/",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(scope: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let refused = scope.refused_by_project(subject).into_iter();
    refused
        .map(|refused| {
            let message = format!("{}: Argo CD syncs nothing of `{}`", refused.what, subject.name);
            subject.finding(&META, message, refused.pointer).hint(refused.hint)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::Case;
    use serde_json::{Value, json};

    const CHARTS: &str = "https://git.example.org/charts";
    const LOCAL: &str = "https://kubernetes.default.svc";

    fn project(spec: Value) -> Case {
        Case::new().manifest(
            "projects/home.yaml",
            json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": {"name": "home", "namespace": "argocd"}, "spec": spec}),
        )
    }

    /// A project that permits what the Application `player` wants, but for what is given.
    fn case(spec: Value) -> Case {
        let mut all = json!({"sourceRepos": [CHARTS], "destinations": [{"server": LOCAL, "namespace": "media"}]});
        for (key, value) in spec.as_object().unwrap() {
            all[key] = value.clone();
        }
        project(all).app("player", player())
    }

    fn player() -> Value {
        json!({"project": "home", "destination": {"name": "in-cluster", "namespace": "media"},
            "source": {"repoURL": format!("{CHARTS}.git"), "path": "player"}})
    }

    fn object(api_version: &str, kind: &str, namespace: Option<&str>) -> Value {
        json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "player", "namespace": namespace}})
    }

    const RBAC: &str = "rbac.authorization.k8s.io/v1";

    #[test]
    fn fires() {
        let source = case(json!({"sourceRepos": ["https://git.example.org/home"]}));
        assert_eq!(
            source.messages(&RULE),
            [
                "project `home` does not permit the repository `https://git.example.org/charts.git`: Argo CD syncs nothing of `player`"
            ]
        );
        assert_eq!(source.place(&RULE), "applications/player.yaml /spec/source/repoURL");
        let destination = case(json!({"destinations": [{"name": "nas", "namespace": "*"}]}));
        assert_eq!(
            destination.messages(&RULE),
            [
                "project `home` does not permit the namespace `media` of the cluster `in-cluster`: Argo CD syncs nothing of `player`"
            ]
        );
        assert_eq!(destination.place(&RULE), "applications/player.yaml /spec/destination");
        let role = case(json!({})).renders(
            "player",
            [
                object(RBAC, "ClusterRole", None),
                object("v1", "Secret", Some("kube-system")),
            ],
        );
        assert_eq!(
            role.messages(&RULE),
            [
                "project `home` does not permit the namespace `kube-system` of the cluster `in-cluster`, with Secret `player` in it: Argo CD syncs nothing of `player`",
                "project `home` does not permit ClusterRole `player`: Argo CD syncs nothing of `player`",
            ]
        );
        assert_eq!(role.place(&RULE), "applications/player.yaml /spec/project");
    }

    #[test]
    fn applications_elsewhere_and_namespaces_that_the_sync_creates_are_refused_too() {
        let app = |namespace: &str, spec: Value| json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "player", "namespace": namespace}, "spec": spec});
        let spec = || json!({"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}]});
        let elsewhere = project(spec()).manifest("applications/player.yaml", app("team", player()));
        assert_eq!(
            elsewhere.messages(&RULE),
            ["project `home` does not permit Applications in the namespace `team`: Argo CD syncs nothing of `player`"]
        );
        let mut creating = player();
        creating["syncPolicy"] = json!({"syncOptions": ["CreateNamespace=true"]});
        let creating = project(spec()).app("player", creating);
        assert_eq!(
            creating.messages(&RULE),
            ["project `home` does not permit Namespace `media`: Argo CD syncs nothing of `player`"]
        );
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "media"}});
        assert!(
            creating
                .manifest("namespaces/media.yaml", namespace)
                .messages(&RULE)
                .is_empty()
        );
    }

    #[test]
    fn stays_silent() {
        let permitted = case(json!({"clusterResourceWhitelist": [{"group": "*", "kind": "ClusterRole"}]}));
        let permitted = permitted.renders(
            "player",
            [object(RBAC, "ClusterRole", None), object("v1", "Secret", None)],
        );
        assert!(permitted.messages(&RULE).is_empty());
        let undeclared = Case::new().app("player", player());
        assert!(undeclared.messages(&RULE).is_empty(), "nobody knows the project");
        let custom = || case(json!({})).renders("player", [object("example.org/v1", "Thing", None)]);
        assert!(custom().messages(&RULE).is_empty(), "nobody knows the kind");
        let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "things.example.org"},
            "spec": {"group": "example.org", "names": {"kind": "Thing"}, "scope": "Cluster"}});
        let known = custom().helm("things").renders("things", [definition]);
        assert_eq!(known.messages(&RULE).len(), 1);
        let merged = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm"}, "data": {"globalProjects": "[]"}});
        let merged = case(json!({"sourceRepos": []})).manifest("applications/cm.yaml", merged);
        assert!(merged.messages(&RULE).is_empty(), "another project may permit it");
        let two = case(json!({"sourceRepos": []})).manifest(
            "other/home.yaml",
            json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": {"name": "home"}}),
        );
        assert!(two.messages(&RULE).is_empty(), "nobody knows which one counts");
        let built = |text: &str| {
            let case = case(json!({"sourceRepos": []})).file("projects/kustomization.yaml", text);
            case.messages(&RULE).len()
        };
        assert_eq!(built("resources: [home.yaml]\n"), 1);
        assert_eq!(
            built("patches: [{path: home.yaml}]\n"),
            0,
            "it has only some of the fields"
        );
        let patched = "resources: [home.yaml]\npatches: [{target: {kind: AppProject}, patch: '[]'}]\n";
        assert_eq!(built(patched), 0, "patches may add to it");
        assert_eq!(case(json!({"sourceRepos": []})).messages(&RULE).len(), 1);
    }

    #[test]
    fn secrets_of_a_project_add_to_it() {
        let secret = |kind: &str, data: Value| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": kind, "labels": {"argocd.argoproj.io/secret-type": kind}}, "stringData": data});
        let refused = || case(json!({"sourceRepos": [], "destinations": []}));
        assert_eq!(refused().messages(&RULE).len(), 2);
        let repository = secret("repository", json!({"project": "home", "url": CHARTS}));
        let cluster = secret(
            "cluster",
            json!({"project": "home", "name": "in-cluster", "server": LOCAL, "namespaces": "a, media"}),
        );
        let with = refused()
            .manifest("argocd/repository.yaml", repository)
            .manifest("argocd/cluster.yaml", cluster);
        assert!(
            with.app(
                "argocd",
                json!({"destination": {}, "source": {"repoURL": crate::rules::case::HOME, "path": "argocd"}})
            )
            .messages(&RULE)
            .is_empty()
        );
    }

    #[test]
    fn says_the_way_out() {
        let hints = |case: Case| -> Vec<String> {
            let findings = case.findings(&RULE).into_iter();
            findings.filter_map(|finding| finding.hint).collect()
        };
        assert_eq!(
            hints(case(json!({"sourceRepos": [], "destinations": []}))),
            [
                "add `https://git.example.org/charts.git` to `spec.sourceRepos` of AppProject `home` in `projects/home.yaml`",
                "add `{server: https://kubernetes.default.svc, namespace: media}` to `spec.destinations` of AppProject `home` in `projects/home.yaml`",
            ]
        );
        let role = case(json!({})).renders(
            "player",
            [object(RBAC, "ClusterRole", None), object("v1", "Namespace", None)],
        );
        assert_eq!(
            hints(role),
            [
                "add `{group: '', kind: Namespace}`, `{group: rbac.authorization.k8s.io, kind: ClusterRole}` to `spec.clusterResourceWhitelist` of AppProject `home` in `projects/home.yaml`"
            ]
        );
        assert_eq!(
            hints(case(json!({"sourceRepos": ["*", "!https://git.example.org/*"]}))),
            [
                "remove `!https://git.example.org/*` from `spec.sourceRepos` of AppProject `home` in `projects/home.yaml`, or name another project"
            ]
        );
    }
}
