//! HL207: what a source reads outside of its folder makes Argo CD render it again.

use std::collections::BTreeSet;

use super::registry_reads_are_watched::{Unwatched, unwatched};
use super::{Check, Finding, Fix, Meta, Rule, Scope, Severity, Subject};
use crate::model::Source;
use crate::model::application::GENERATE_PATHS;
use crate::model::chart_reference::OF_CHART;
use crate::model::parameter::Parameters;
use crate::repo::kustomization::without_nested;
use crate::repo::{Repo, RepoPath, SourceType};

static META: Meta = Meta {
    id: "HL207",
    name: "reads-are-watched",
    severity: Severity::Warning,
    summary: "the annotation `manifest-generate-paths` covers what the source reads outside of its folder",
    why: "With the annotation `argocd.argoproj.io/manifest-generate-paths` Argo CD renders an Application again only after a \
change of the paths in it, and our installation makes it send only these paths to the plugin. A base or a component of a \
Kustomize folder, a value file or a chart that lies somewhere else has to be among them: otherwise its changes reach the cluster \
at some later commit, or the render fails because the file is not there.\n\n\
https://argo-cd.readthedocs.io/en/stable/operator-manual/high_availability/#manifest-paths-annotation",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(scope: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let Some(annotation) = subject.app.object().annotation(GENERATE_PATHS) else {
        return Vec::new();
    };
    let reads: BTreeSet<RepoPath> = subject
        .read_sources()
        .flat_map(|(source, parameters)| reads(scope.repo, source, parameters).unwrap_or_default())
        .collect();
    let reads: Vec<RepoPath> = without_nested(reads).into_iter().collect();
    let found = unwatched(subject, &META, annotation, &reads, "what its source reads");
    let with_fix = |found: Unwatched| {
        let title = format!("write `{}`", found.value);
        found.finding.fix(Fix::safe(title, found.changes))
    };
    found.map(with_fix).into_iter().collect()
}

/// Returns what a source of this repository reads outside of its folder, as far as names without a variable say it.
fn reads(repo: &Repo, source: &Source<'_>, parameters: &Parameters) -> Option<Vec<RepoPath>> {
    let folder = source
        .path()
        .filter(|_| !source.is_versioned() && repo.is_own(source.repo_url()))?;
    let folder = RepoPath::new(folder).ok()?;
    let reads: Vec<RepoPath> = match repo.source_type(source, &folder) {
        SourceType::Kustomize => {
            let components = parameters.kustomize.components.iter();
            let components = components.filter_map(|name| folder.join(&literal(name)).ok());
            let all = repo.kustomizations.reads(components.chain([folder.clone()]));
            all.into_iter().collect()
        }
        SourceType::Helm => {
            let files = parameters
                .values_files
                .iter()
                .chain(parameters.helm_file_parameters.values());
            let files = files.filter(|name| !name.starts_with(OF_CHART));
            let local = files.filter(|name| !name.contains("://") && !name.contains('$'));
            let path = |name: &String| match name.starts_with('/') {
                true => RepoPath::new(&literal(name)).ok(),
                false => folder.join(&literal(name)).ok(),
            };
            local.filter_map(path).collect()
        }
        SourceType::Directory => Vec::new(),
    };
    Some(reads.into_iter().filter(|path| !path.is_in(&folder)).collect())
}

/// Returns the part of a name before its first glob.
fn literal(name: &str) -> String {
    let parts = name
        .split('/')
        .take_while(|part| !part.contains(['*', '?', '[', '{', '\\']));
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, HOME};
    use serde_json::{Value, json};

    fn case(annotation: &str, path: &str, parameters: Value) -> Case {
        let app = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {"name": "web", "annotations": {GENERATE_PATHS: annotation}},
            "spec": {"source": {"repoURL": HOME, "path": path, "plugin": {"name": "homelab-v1", "parameters": parameters}}},
        });
        Case::new()
            .manifest("apps/web.yaml", app)
            .file(
                "k/web/kustomization.yaml",
                "resources: [../base]\nconfigMapGenerator: [{files: [a.txt]}]\n",
            )
            .file(
                "k/base/kustomization.yaml",
                "components: [../../c/one]\nresources: [in.yaml]\n",
            )
            .file("c/one/kustomization.yaml", "resources: []\n")
            .file("charts/web/Chart.yaml", "name: web\n")
    }

    #[test]
    fn fires() {
        let message = |added: &str| {
            format!(
                "`argocd.argoproj.io/manifest-generate-paths` of `web` does not cover what its source reads: {added}"
            )
        };
        assert_eq!(
            case(".", "k/web", json!([])).messages(&RULE),
            [message("/c/one;/k/base")]
        );
        let components = json!([{"name": "components", "array": ["../../d/*"]}]);
        assert_eq!(case(".;/k;/c", "k/web", components).messages(&RULE), [message("/d")]);
        let files =
            json!([{"name": "values-files", "array": ["a.yaml", "/v/x.yaml", "/env/*/y.yaml", "/$ARGOCD_APP_NAME"]}]);
        assert_eq!(
            case(".", "charts/web", files).messages(&RULE),
            [message("/env;/v/x.yaml")]
        );
    }

    #[test]
    fn stays_silent() {
        for (annotation, path) in [
            (".;../base;/c", "k/web"),
            ("/", "k/web"),
            (".", "charts/web"),
            (".", "c/one"),
        ] {
            assert!(
                case(annotation, path, json!([])).messages(&RULE).is_empty(),
                "{annotation} {path}"
            );
        }
    }

    #[test]
    fn fix_removes_it() {
        let fixed = case(".", "k/web", json!([])).fixed(&RULE);
        assert!(
            fixed.contains("manifest-generate-paths: \".;/c/one;/k/base\"\n"),
            "{fixed}"
        );
    }
}
