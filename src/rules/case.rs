//! A small repository and its renders, for the tests of the rules.

use serde_json::{Value, json};

use super::{Base, Check, Finding, Rule, Scope, Selection, check, declared, fixer};
use crate::model::{AppName, AppRenders, Availability, Object, Settings};
use crate::repo::{Memory, Repo};
use crate::yaml;

/// URL of the repository under test.
pub(crate) const HOME: &str = "https://git.example.org/home";

/// Finds everything that breaks a rule.
pub(super) fn findings(rule: &Rule, scope: &Scope<'_>) -> Vec<Finding> {
    if let Check::Comments(_) = rule.check {
        let mut findings = check(scope);
        findings.retain(|finding| finding.rule.id == rule.meta.id);
        return findings;
    }
    let subjects = scope.subjects.iter();
    let each = subjects.flat_map(|subject| rule.on_each(scope, subject));
    let declared = declared::declared(scope);
    let object = declared.iter().flat_map(|declared| rule.on_object(declared));
    each.chain(object).chain(rule.on_whole(scope)).collect()
}

/// What a rule is shown.
#[derive(Default)]
pub(crate) struct Case {
    files: Vec<(String, String)>,
    renders: AppRenders,
    settings: Settings,
}

impl Case {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Sets what the repository says about itself.
    pub(crate) fn settings(self, settings: Settings) -> Self {
        Self { settings, ..self }
    }

    /// Adds a manifest in a file of its own.
    pub(crate) fn manifest(self, path: &str, tree: Value) -> Self {
        let text = yaml::emit(&tree).unwrap();
        self.file(path, &text)
    }

    pub(crate) fn file(mut self, path: &str, text: &str) -> Self {
        self.files.push((path.to_owned(), text.to_owned()));
        self
    }

    /// Adds `applications/NAME.yaml` with this spec.
    pub(crate) fn app(self, name: &str, spec: Value) -> Self {
        let path = format!("applications/{name}.yaml");
        self.manifest(
            &path,
            json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {"name": name, "namespace": "argocd"}, "spec": spec}),
        )
    }

    /// Adds an Application of the plugin with these parameters, deployed to `media`.
    pub(crate) fn plugin(self, name: &str, parameters: Value) -> Self {
        self.app(name, plugin_spec(parameters))
    }

    /// Adds an Application of native Helm, deployed to `media`.
    pub(crate) fn helm(self, name: &str) -> Self {
        self.app(
            name,
            json!({"destination": {"namespace": "media"}, "source": {"repoURL": "https://git.example.org/charts", "path": name}}),
        )
    }

    /// Adds the Application that syncs `namespaces/`, natively.
    pub(crate) fn namespaces(self) -> Self {
        self.app(
            "namespaces",
            json!({"destination": {}, "source": {"repoURL": HOME, "path": "namespaces"}}),
        )
    }

    /// Adds what an Application renders.
    pub(crate) fn renders<const N: usize>(mut self, name: &str, objects: [Value; N]) -> Self {
        let objects = objects.into_iter().map(Object::new).collect();
        let rendering = Availability::Available(objects);
        self.renders.insert(AppName::new(name).unwrap(), rendering);
        self
    }

    /// Adds why it is not known what an Application renders.
    pub(crate) fn unavailable(mut self, name: &str, why: Availability<Vec<Object>>) -> Self {
        self.renders.insert(AppName::new(name).unwrap(), why);
        self
    }

    pub(crate) fn repo(&self) -> Repo {
        let files = self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()));
        let settings = self.settings.clone();
        let repo = Repo::read_with(&Memory::new(files).unwrap(), &[HOME.to_owned()], settings).unwrap();
        assert!(repo.malformed.is_empty(), "{:?}", repo.malformed);
        repo
    }

    /// Returns what the Applications render.
    pub(crate) fn app_renders(&self) -> &AppRenders {
        &self.renders
    }

    /// Returns the findings of a rule.
    pub(crate) fn findings(&self, rule: &Rule) -> Vec<Finding> {
        let repo = self.repo();
        findings(rule, &Scope::new(&repo, &self.renders))
    }

    /// Returns the findings of a rule, compared with an earlier state.
    pub(crate) fn findings_since(&self, before: &Self, rule: &Rule) -> Vec<Finding> {
        let (old, repo) = (before.repo(), self.repo());
        let base = Base {
            revision: "main",
            scope: Scope::new(&old, &before.renders),
        };
        findings(rule, &Scope::new(&repo, &self.renders).since(base))
    }

    /// Returns the messages of a rule's findings.
    pub(crate) fn messages(&self, rule: &Rule) -> Vec<String> {
        self.findings(rule).into_iter().map(|finding| finding.message).collect()
    }

    /// Returns the place of the first finding: file and JSON Pointer.
    pub(crate) fn place(&self, rule: &Rule) -> String {
        let location = self.findings(rule)[0].location.clone().unwrap();
        format!("{} {}", location.file, location.pointer)
    }

    /// Fixes what is asked for.
    pub(crate) fn fix(&self, request: &fixer::Request) -> fixer::Fixed {
        fixer::fix(&self.repo(), &self.renders, request)
    }

    /// Fixes what a rule finds, as `validate --fix --unsafe-fixes` does: every finding with a fix must be gone, and a
    /// second run must change nothing. Returns the text of the first file that is changed.
    pub(crate) fn fixed(&self, rule: &Rule) -> String {
        let repo = self.repo();
        let before = findings(rule, &Scope::new(&repo, &self.renders));
        assert!(before.iter().any(|finding| finding.fix.is_some()), "no fix: {before:?}");
        let request = fixer::Request {
            selection: Selection::parse(rule.meta.id).unwrap(),
            unsafe_fixes: true,
            ..fixer::Request::default()
        };
        let fixed = self.fix(&request);
        assert!(fixed.refused.is_empty(), "not fixed: {:?}", fixed.refused);
        let left = findings(rule, &Scope::new(&fixed.repo, &fixed.renders));
        assert!(
            left.iter().all(|finding| finding.fix.is_none()),
            "still there: {left:?}"
        );
        assert_eq!(fixed.fixed, before.len() - left.len());
        let again = fixer::fix(&fixed.repo, &fixed.renders, &request);
        assert_eq!(again.changes.changes, [], "it is not done in one run");
        let files = repo.file_changes(&fixed.changes).unwrap();
        assert_eq!(files[0].after.as_ref(), Some(&fixed.repo.files[&files[0].path].text));
        fixed.repo.files[&files[0].path].text.clone()
    }
}

/// Returns the spec of an Application of the plugin.
pub(crate) fn plugin_spec(parameters: Value) -> Value {
    json!({"destination": {"namespace": "media"}, "source": {"repoURL": "https://git.example.org/charts", "path": "chart",
        "plugin": {"name": "homelab-v1", "parameters": parameters}}})
}

/// Returns the parameter `owns`.
pub(crate) fn owns<const N: usize>(claims: [&str; N]) -> Value {
    json!({"name": "owns", "array": claims.to_vec()})
}

/// Returns the parameter `writes`.
pub(crate) fn writes<const N: usize>(claims: [&str; N]) -> Value {
    json!({"name": "writes", "array": claims.to_vec()})
}

/// Returns the parameter `mounts`.
pub(crate) fn mounts<const N: usize>(mounts: [&str; N]) -> Value {
    json!({"name": "mounts", "array": mounts.to_vec()})
}

/// Returns a claim.
pub(crate) fn claim(name: &str, annotations: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name, "annotations": annotations},
        "spec": {"accessModes": ["ReadWriteOnce"]}})
}

/// Returns a claim with every guard.
pub(crate) fn guarded_claim(name: &str) -> Value {
    claim(
        name,
        json!({"argocd.argoproj.io/sync-options": "Prune=false,Delete=false", "argocd.argoproj.io/compare-options": "IgnoreExtraneous"}),
    )
}

/// Returns a Deployment that mounts a claim.
pub(crate) fn deployment(name: &str, claim: &str, volume_read_only: bool, mount_read_only: bool) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": {"template": pod(claim, volume_read_only, mount_read_only)}})
}

/// Returns a pod template that mounts a claim at `/data`.
pub(crate) fn pod(claim: &str, volume_read_only: bool, mount_read_only: bool) -> Value {
    json!({"spec": {
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": claim, "readOnly": volume_read_only}}],
        "containers": [{"name": "main", "volumeMounts": [{"name": "data", "mountPath": "/data", "readOnly": mount_read_only}]}],
    }})
}
