//! HL321: what a kustomization fetches from elsewhere changes only when somebody changes the kustomization.

use std::collections::BTreeSet;

use super::{Check, Finding, Location, Meta, Rule, Scope, Severity};
use crate::model::remote_base::{RemoteBase, is_url, moving_part};
use crate::repo::RepoPath;
use crate::repo::kustomization::references::{Reference, Role, references};
use crate::yaml;

static META: Meta = Meta {
    id: "HL321",
    name: "remote-resource-is-pinned",
    severity: Severity::Warning,
    summary: "a file or a folder that a kustomization fetches from elsewhere has a version",
    why: "A kustomization may name a folder of another git repository, or a file by its URL. Without `?ref=`, or with the name of a \
branch, every render takes what is there at that moment: no commit of yours says that anything changed, Argo CD notices it only at \
a refresh that renders again, and nobody can go back. A tag or a commit can be reviewed before it is taken, and a commit is \
fetched once and needs no network again.\n\n\
https://github.com/kubernetes-sigs/kustomize/blob/master/examples/remoteBuild.md",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Whole(check),
};

fn check(scope: &Scope<'_>) -> Vec<Finding> {
    let all = &scope.repo.kustomizations;
    let sources = scope.subjects.iter().flat_map(|subject| &subject.sources);
    let own = sources.filter(|(source, _)| !source.is_versioned() && scope.repo.is_own(source.repo_url()));
    let folders = own.filter_map(|(source, _)| RepoPath::new(source.path()?).ok());
    let built: BTreeSet<RepoPath> = folders.flat_map(|folder| all.built(&folder)).collect();
    let files = built.iter().filter_map(|folder| all.at(folder));
    files.flat_map(|(file, text)| in_file(file, text)).collect()
}

/// Finds what one kustomization names.
fn in_file(file: &RepoPath, text: &str) -> Vec<Finding> {
    let tree = yaml::value(text).ok().flatten().unwrap_or_default();
    let finding = |reference: Reference| {
        let (what, hint) = unpinned(&reference)?;
        let location = Location {
            file: file.clone(),
            document: 0,
            pointer: reference.pointer,
            bytes: None,
        };
        Some(Finding::new(&META, what, location).hint(hint))
    };
    references(&tree).into_iter().filter_map(finding).collect()
}

/// Returns what is wrong with a name and the way out; nothing for one with a version, and for a path.
fn unpinned(reference: &Reference) -> Option<(String, String)> {
    let name = &reference.path;
    let is_folder = matches!(reference.role, Role::Resource | Role::Component | Role::Plugin);
    let base = RemoteBase::parse(name).filter(|base| is_folder && (base.is_explicit || !is_url(name)));
    match base {
        Some(base) if !base.moves() => None,
        Some(base) => {
            let what = match base.reference.as_str() {
                "" => format!("`{name}` names no version: every render takes the default branch"),
                branch => format!("`{name}` names the branch `{branch}`, which moves"),
            };
            Some((what, "name a tag or a commit with `?ref=`, as `?ref=v1.2.3`".to_owned()))
        }
        None if is_url(name) => {
            let branch = moving_part(name)?;
            let what = format!("`{name}` is a file of `{branch}`, which moves");
            Some((what, format!("put a tag or a commit in the place of `{branch}`")))
        }
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, HOME};
    use serde_json::json;

    fn case(kustomization: &str) -> Case {
        Case::new()
            .app("web", json!({"source": {"repoURL": HOME, "path": "k/web"}}))
            .file("k/web/kustomization.yaml", "resources: [../base]\n")
            .file("k/base/kustomization.yaml", kustomization)
            .file("k/other/kustomization.yaml", "resources: [github.com/o/r]\n")
    }

    #[test]
    fn fires() {
        for (text, message) in [
            (
                "resources: [github.com/o/r//a]",
                "`github.com/o/r//a` names no version: every render takes the default branch",
            ),
            (
                "components: ['https://github.com/o/r//a?ref=main']",
                "`https://github.com/o/r//a?ref=main` names the branch `main`, which moves",
            ),
            (
                "patches: [{path: 'https://raw.githubusercontent.com/o/r/main/a.yaml'}]",
                "`https://raw.githubusercontent.com/o/r/main/a.yaml` is a file of `main`, which moves",
            ),
        ] {
            assert_eq!(case(text).messages(&RULE), [message]);
        }
    }

    #[test]
    fn stays_silent() {
        for text in [
            "resources: [github.com/o/r//a?ref=v1.2.3, a.yaml, 'https://x.example/a.yaml']",
            "resources: ['git@github.com:o/r.git//a?ref=0123456789012345678901234567890123456789']",
            "configMapGenerator: [{name: a, files: ['https://raw.githubusercontent.com/o/r/v1/a.txt']}]",
        ] {
            assert!(case(text).messages(&RULE).is_empty(), "{text}");
        }
    }

    #[test]
    fn says_the_way_out() {
        let findings = case("resources: [github.com/o/r]").findings(&RULE);
        assert!(findings[0].hint.as_ref().unwrap().contains("?ref="));
    }
}
