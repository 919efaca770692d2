//! What is written into a repository, and what is taken out again.

use super::*;
use crate::repo::Memory;
use crate::repo::change::FileChange;

const URL: &str = "https://git.example.org/home";

fn app(name: &str, path: &str, rest: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}, namespace: argocd}}\nspec:\n  project: infra\n  \
         source: {{repoURL: {URL}, path: {path}, targetRevision: main{rest}}}\n  destination: {{name: in-cluster, namespace: argocd}}\n"
    )
}

fn repo(files: &[(&str, &str)]) -> Repo {
    Repo::read(&Memory::new(files.iter().copied()).unwrap(), &[URL.to_owned()]).unwrap()
}

fn read(files: &[(String, String)]) -> Repo {
    let borrowed: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    repo(&borrowed)
}

/// Returns all files of a repository.
fn texts(repo: &Repo) -> Vec<(String, String)> {
    let files = repo.files.values();
    files.map(|file| (file.path.to_string(), file.text.clone())).collect()
}

/// Enables and disables the lock, and returns the files with it.
fn there_and_back(files: &[(&str, &str)]) -> Vec<(String, String)> {
    let before = repo(files);
    let edit = enable(&before, Part::Deletions, &Request::default()).unwrap();
    let changed = before.file_changes(&edit.changes).unwrap();
    // As it is read from the disk, with kustomizations.
    let mut with: Vec<(String, String)> = files
        .iter()
        .map(|(path, text)| (path.to_string(), text.to_string()))
        .collect();
    with.retain(|(path, _)| !changed.iter().any(|file| file.path.as_str() == path));
    with.extend(
        changed
            .into_iter()
            .filter_map(|file| Some((file.path.to_string(), file.after?))),
    );
    let locked = read(&with);
    let states: Vec<PolicyState> = lock_parts(&locked, Part::Deletions)
        .iter()
        .map(LockPart::state)
        .collect();
    assert_eq!(states, [PolicyState::Current, PolicyState::Current]);
    assert_eq!(
        enable(&locked, Part::Deletions, &Request::default()).unwrap().changes,
        ChangeSet::default()
    );
    let mut expected: Vec<(String, String)> = files
        .iter()
        .map(|(path, text)| (path.to_string(), text.to_string()))
        .collect();
    expected.sort();
    let mut after = disabled(&with);
    after.sort();
    assert_eq!(after, expected);
    with.retain(|(path, text)| !files.contains(&(path.as_str(), text.as_str())));
    with
}

/// Disables the lock, and returns the files.
fn disabled(files: &[(String, String)]) -> Vec<(String, String)> {
    let locked = read(files);
    let mut after = files.to_vec();
    for file in locked.file_changes(&disable(&locked).unwrap().changes).unwrap() {
        after.retain(|(path, _)| path != file.path.as_str());
        after.extend(file.after.map(|text| (file.path.to_string(), text)));
    }
    after
}

fn paths(files: &[(String, String)]) -> Vec<&str> {
    files.iter().map(|(path, _)| path.as_str()).collect()
}

#[test]
fn the_policies_have_an_application_beside_the_others() {
    let root = app("root", "apps", "");
    let written = there_and_back(&[("apps/root.yaml", &root)]);
    assert_eq!(
        paths(&written),
        [
            "apps/lock.yaml",
            "lock/owned-claims-stay.yaml",
            "lock/namespaces-with-claims-stay.yaml"
        ]
    );
    let lock = yaml::value(&written[0].1).unwrap().unwrap();
    assert_eq!(lock["spec"]["project"], "infra");
    assert_eq!(lock["spec"]["destination"], json!({"name": "in-cluster"}));
    assert_eq!(
        lock["spec"]["source"],
        json!({"repoURL": URL, "path": "lock", "targetRevision": "main"})
    );
    assert_eq!(lock["metadata"]["finalizers"], json!([FINALIZER]));
}

#[test]
fn what_is_missing_of_it_is_added() {
    let root = app("root", "apps", "");
    let before = [("apps/root.yaml", root.as_str())];
    let edit = enable(&repo(&before), Part::Deletions, &Request::default()).unwrap();
    let whole = repo(&before).file_changes(&edit.changes).unwrap();
    let new = |file: &FileChange| (file.path.to_string(), file.after.clone().unwrap());
    let whole: Vec<(String, String)> = whole.iter().map(new).collect();
    assert_eq!(whole.len(), 3);
    for written in 1..whole.len() {
        let (there, missing) = whole.split_at(written);
        let there = there.iter().map(|(path, text)| (path.as_str(), text.as_str()));
        let begun: Vec<(&str, &str)> = before.into_iter().chain(there).collect();
        let begun = repo(&begun);
        let edit = enable(&begun, Part::Deletions, &Request::default()).unwrap();
        let rest = begun.file_changes(&edit.changes).unwrap();
        assert_eq!(rest.iter().map(new).collect::<Vec<_>>(), missing, "after {written}");
    }
}

#[test]
fn kustomizations_take_it_in_and_lose_it_again() {
    let root = app("root", "apps", "");
    let written = there_and_back(&[
        (
            "apps/kustomization.yaml",
            "# ours\nresources:\n- root.yaml\n- web.yaml # the site\n",
        ),
        ("apps/root.yaml", &root),
        ("apps/web.yaml", &app("web", "web", "")),
    ]);
    assert!(paths(&written).contains(&"apps/kustomization.yaml"), "{written:?}");
}

#[test]
fn each_application_may_have_a_folder_of_its_own() {
    let root = app("root", "apps", ", directory: {recurse: true}");
    let written = there_and_back(&[
        ("apps/root/app.yaml", &root),
        ("apps/web/app.yaml", &app("web", "web", "")),
    ]);
    assert!(paths(&written).contains(&"apps/lock/app.yaml"), "{written:?}");
}

#[test]
fn what_reads_the_folder_already_syncs_it() {
    let root = app("root", ".", ", directory: {recurse: true}");
    let written = there_and_back(&[("root.yaml", &root)]);
    assert_eq!(written.len(), 2, "{written:?}");
}

#[test]
fn a_folder_with_something_else_is_refused() {
    let root = app("root", "apps", "");
    let home = repo(&[("apps/root.yaml", &root), ("lock/other.yaml", "a: b\n")]);
    let error = enable(&home, Part::Deletions, &Request::default()).unwrap_err();
    assert!(
        error.to_string().contains("`lock/other.yaml` is in it already"),
        "{error}"
    );
    let elsewhere = Request {
        path: Some(RepoPath::new("policies").unwrap()),
        ..Request::default()
    };
    let changes = enable(&home, Part::Deletions, &elsewhere).unwrap().changes;
    assert_eq!(changes.changes[1].path().as_str(), "policies/owned-claims-stay.yaml");
}

#[test]
fn older_policies_are_brought_up_to_date_where_they_are() {
    let root = app("root", "apps", "");
    let lock = app("guard", "guard", "");
    let old: String = crate::lock::deletions()
        .iter()
        .flat_map(|policy| policy.objects().map(|object| object.tree().clone()))
        .map(|mut tree| {
            tree["metadata"].as_object_mut().unwrap().shift_remove("annotations");
            if tree["kind"] == crate::lock::POLICY {
                tree["spec"]["validations"] = json!([{"expression": "false"}]);
            }
            format!("# by hand\n{}", yaml::emit(&tree).unwrap())
        })
        .collect::<Vec<_>>()
        .join("---\n");
    let before = repo(&[
        ("apps/root.yaml", &root),
        ("apps/guard.yaml", &lock),
        ("guard/old.yaml", &old),
    ]);
    let states: Vec<PolicyState> = lock_parts(&before, Part::Deletions)
        .iter()
        .map(LockPart::state)
        .collect();
    assert_eq!(states, [PolicyState::Older(None), PolicyState::Older(None)]);
    let edit = enable(&before, Part::Deletions, &Request::default()).unwrap();
    let after = before.with(&edit.changes).unwrap();
    assert_eq!(after.files.len(), 3);
    let states: Vec<PolicyState> = lock_parts(&after, Part::Deletions)
        .iter()
        .map(LockPart::state)
        .collect();
    assert_eq!(states, [PolicyState::Current, PolicyState::Current]);
    let old = texts(&after).pop().unwrap().1;
    assert!(
        old.contains("# by hand") && !old.contains("expression: \"false\""),
        "{old}"
    );
}

#[test]
fn what_a_newer_version_has_written_stays() {
    let root = app("root", ".", ", directory: {recurse: true}");
    let [policy, _] = crate::lock::deletions();
    let newer = policy
        .text(&policy.objects())
        .unwrap()
        .replace("version: \"1\"", "version: \"99\"");
    let home = repo(&[("root.yaml", &root), ("x/a.yaml", &newer)]);
    let error = enable(&home, Part::Deletions, &Request::default()).unwrap_err();
    assert!(error.to_string().contains("a newer version"), "{error}");
}

#[test]
fn a_project_that_allows_no_policies_is_named() {
    let root = app("root", "apps", "");
    let project = |list: &str| {
        format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: AppProject\nmetadata: {{name: infra}}\nspec:\n  clusterResourceWhitelist: {list}\n"
        )
    };
    for (list, expected) in [
        ("[{group: '*', kind: '*'}]", None),
        ("[{group: admissionregistration.k8s.io, kind: '*'}]", None),
        (
            "[{group: '*', kind: ValidatingAdmissionPolicy}]",
            Some("does not allow ValidatingAdmissionPolicyBinding:"),
        ),
        (
            "[{group: '', kind: Namespace}]",
            Some("does not allow ValidatingAdmissionPolicy and ValidatingAdmissionPolicyBinding:"),
        ),
    ] {
        let home = repo(&[("apps/root.yaml", &root), ("apps/project.yaml", &project(list))]);
        let notes = enable(&home, Part::Deletions, &Request::default()).unwrap().notes;
        match expected {
            Some(text) => assert!(notes[0].contains(text), "{notes:?}"),
            None => assert_eq!(notes, Vec::<String>::new(), "{list}"),
        }
    }
}
