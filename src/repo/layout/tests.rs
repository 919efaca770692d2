use super::*;
use crate::repo::{ChangeSet, Memory};

const HOME: &str = "https://git.example.org/home";

fn app(name: &str, path: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}, namespace: argocd}}\nspec:\n  source: {{repoURL: {HOME}, path: {path}}}\n  destination: {{namespace: argocd}}\n"
    )
}

fn child(name: &str) -> String {
    app(name, "charts/web").replace("destination: {namespace: argocd}", "destination: {namespace: web}")
}

fn with_directory(name: &str, path: &str, options: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}, namespace: argocd}}\nspec:\n  source: {{repoURL: {HOME}, path: {path}, directory: {{{options}}}}}\n  destination: {{namespace: argocd}}\n"
    )
}

fn namespace(name: &str) -> String {
    format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n")
}

fn repo(files: &[(&str, &str)]) -> Repo {
    Repo::read(&Memory::new(files.iter().copied()).unwrap(), &[HOME.to_owned()]).unwrap()
}

fn place(repo: &Repo, folder: Option<&str>) -> Result<NewFile> {
    let folder = folder.map(|folder| RepoPath::new(folder).unwrap());
    repo.place_for_application(&AppName::new("three").unwrap(), folder.as_ref())
}

fn refused(repo: &Repo) -> String {
    place(repo, None).unwrap_err().to_string()
}

#[test]
fn new_files_go_where_the_others_are() {
    let (root, namespaces) = (app("root", "applications"), app("ns", "cluster/namespaces"));
    let repo = repo(&[
        ("applications/root.yml", root.as_str()),
        ("applications/ns.yml", &namespaces),
    ]);
    let name = AppName::new("jellyfin").unwrap();
    let place = repo.place_for_application(&name, None).unwrap();
    assert_eq!(place.path.as_str(), "applications/jellyfin.yml");
    assert_eq!(place.synced_by.as_deref(), Some("root"));
    let name = NamespaceName::new("media").unwrap();
    assert_eq!(
        repo.place_for_namespace(&name).unwrap().path.as_str(),
        "cluster/namespaces/media.yaml"
    );
    let empty = Repo::default();
    assert_eq!(
        empty.place_for_namespace(&name).unwrap().path.as_str(),
        "namespaces/media.yaml"
    );
    let taken = AppName::new("root").unwrap();
    assert!(repo.place_for_application(&taken, None).is_err());
}

#[test]
fn a_folder_for_each_application_is_a_way_to_name_files() {
    let files = |root: &str| {
        repo(&[
            ("root.yaml", root),
            ("apps/one/application.yaml", &child("one")),
            ("apps/two/application.yaml", &child("two")),
        ])
    };
    let found = place(&files(&with_directory("root", "apps", "recurse: true")), None).unwrap();
    assert_eq!(found.path.as_str(), "apps/three/application.yaml");
    assert_eq!(found.synced_by.as_deref(), Some("root"));
    let included = with_directory("root", "apps", "recurse: true, include: '*/application.yaml'");
    assert_eq!(place(&files(&included), None).unwrap().path, found.path);
    let listed = with_directory("root", "apps", "recurse: true, include: '{one,two}/*'");
    assert!(refused(&files(&listed)).starts_with("no Application syncs a folder of Applications"));
    let flat = place(&files(&app("root", "apps")), None).unwrap();
    assert_eq!(flat.path.as_str(), "apps/three.yaml");
    let by_hand = place(&files(&listed), Some("apps")).unwrap();
    assert_eq!((by_hand.path, by_hand.synced_by), (found.path, None));
}

#[test]
fn several_folders_are_asked_for() {
    let root = with_directory("root", "apps", "recurse: true");
    let repo = repo(&[
        ("root.yaml", root.as_str()),
        ("apps/media/one.yaml", &child("one")),
        ("apps/system/two.yaml", &child("two")),
        ("elsewhere/four.yaml", &child("four")),
    ]);
    let error = refused(&repo);
    assert!(error.ends_with("`apps/media`, `apps/system`"), "{error}");
    let named = place(&repo, Some("apps/system")).unwrap();
    assert_eq!(named.path.as_str(), "apps/system/three.yaml");
    assert_eq!(named.synced_by.as_deref(), Some("root"));
    let new = place(&repo, Some("apps/radio")).unwrap();
    assert_eq!(new.synced_by.as_deref(), Some("root"));
    assert_eq!(place(&repo, Some("other")).unwrap().synced_by, None);
}

#[test]
fn a_kustomization_gets_the_new_file() {
    let root = app("root", "apps");
    let kustomization = "resources:\n# media\n- one.yaml # first\n- two.yaml\nnamePrefix: \"\"\n";
    let before = repo(&[
        ("root.yaml", root.as_str()),
        ("apps/kustomization.yaml", kustomization),
        ("apps/one.yaml", &child("one")),
        ("apps/two.yaml", &child("two")),
    ]);
    for folder in [None, Some("apps")] {
        let found = place(&before, folder).unwrap();
        assert_eq!(found.synced_by.as_deref(), Some("root"));
        let changes = ChangeSet {
            changes: found.create(child("three")),
        };
        let files = before.file_changes(&changes).unwrap();
        assert_eq!(
            files[1].after.as_deref(),
            Some("resources:\n# media\n- one.yaml # first\n- two.yaml\n- three.yaml\nnamePrefix: \"\"\n")
        );
        let after = before.with(&changes).unwrap();
        let file = RepoPath::new("apps/three.yaml").unwrap();
        assert!(after.application("three").is_some() && after.synced_folders().reads(&file));
        assert_eq!(after.malformed, []);
    }
}

#[test]
fn a_folder_with_a_kustomization_gets_one_of_its_own() {
    let root = app("root", "apps");
    let before = repo(&[
        ("root.yaml", root.as_str()),
        ("apps/kustomization.yml", "resources: [./one, ./two]\n"),
        ("apps/one/kustomization.yaml", "resources: [app.yaml]\n"),
        ("apps/one/app.yaml", &child("one")),
        ("apps/two/kustomization.yaml", "resources: [app.yaml]\n"),
        ("apps/two/app.yaml", &child("two")),
    ]);
    let found = place(&before, None).unwrap();
    let changes = ChangeSet {
        changes: found.create(child("three")),
    };
    let files = before.file_changes(&changes).unwrap();
    let texts: Vec<_> = files
        .iter()
        .map(|file| (file.path.as_str(), file.after.as_deref()))
        .collect();
    assert_eq!(texts[1].0, "apps/three/kustomization.yaml");
    assert_eq!(
        texts[2],
        (
            "apps/kustomization.yml",
            Some("resources: [./one, ./two, \"./three\"]\n")
        )
    );
    let after = before.with(&changes).unwrap();
    assert_eq!(after.tree().iter().filter(|branch| branch.is_root()).count(), 1);
    assert!(
        after
            .synced_folders()
            .reads(&RepoPath::new("apps/three/app.yaml").unwrap())
    );
}

#[test]
fn without_a_place_the_way_to_make_one_is_named() {
    assert!(refused(&Repo::default()).starts_with("no Application syncs a folder of Applications"));
    let (one, chart) = (child("one"), "apiVersion: v2\nname: c\nversion: 1.0.0\n");
    let by_hand = repo(&[("one.yaml", one.as_str()), ("c/Chart.yaml", chart)]);
    assert!(refused(&by_hand).ends_with("are applied by hand"));
    let in_chart = place(&by_hand, Some("c/templates")).unwrap_err();
    assert_eq!(
        in_chart.to_string(),
        "`c/templates` is in the chart `c`, whose files Helm reads"
    );
    let empty = app("root", "apps");
    let empty = repo(&[("bootstrap/root.yaml", empty.as_str())]);
    assert_eq!(place(&empty, None).unwrap().path.as_str(), "apps/three.yaml");
}

#[test]
fn a_namespace_goes_where_something_syncs_it() {
    let name = NamespaceName::new("three").unwrap();
    let root = with_directory("root", "apps", "recurse: true");
    let beside = [
        ("root.yaml", root.as_str()),
        ("apps/one/application.yaml", &child("one")),
        ("apps/one/namespace.yaml", &namespace("one")),
        ("namespaces/by-hand.yaml", &namespace("by-hand")),
    ];
    let found = repo(&beside).place_for_namespace(&name).unwrap();
    assert_eq!(found.path.as_str(), "apps/three/namespace.yaml");
    let only_by_hand = repo(&[beside[0], beside[1], beside[3]]);
    let unsynced = only_by_hand.place_for_namespace(&name).unwrap();
    assert_eq!(
        (unsynced.path.as_str(), unsynced.synced_by),
        ("namespaces/three.yaml", None)
    );
    let error = only_by_hand.check_namespaces_are_synced().unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("no Application syncs a folder of Namespaces")
    );
}

#[test]
fn a_namespace_does_not_go_among_the_objects_of_another_application() {
    let name = NamespaceName::new("three").unwrap();
    let (one, two) = (app("one", "apps/one"), app("two", "apps/two"));
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n";
    let builds = |resources: &str| format!("namespace: one\nresources: [{resources}]\n");
    let own = [
        ("root/one.yaml", one.as_str()),
        ("root/two.yaml", &two),
        ("apps/one/ns.yaml", &namespace("one")),
        ("apps/one/a.yaml", deployment),
        ("apps/two/ns.yaml", &namespace("two")),
        ("apps/two/a.yaml", deployment),
    ];
    let unsynced = repo(&own).place_for_namespace(&name).unwrap();
    assert_eq!(
        (unsynced.path.as_str(), unsynced.synced_by),
        ("namespaces/three.yaml", None)
    );
    assert!(repo(&own).check_namespaces_are_synced().is_err());
    // Kustomize would give it the name of the other one.
    let (alone, quota) = (builds("ns.yaml"), "kind: ResourceQuota\nmetadata: {name: a}\n");
    let renamed = [
        own[0],
        own[2],
        ("apps/one/kustomization.yaml", alone.as_str()),
        ("apps/one/q.yaml", quota),
    ];
    assert_eq!(repo(&renamed).place_for_namespace(&name).unwrap().synced_by, None);
    let of_many = [own[0], own[2], own[3], ("apps/one/four.yaml", &namespace("four"))];
    assert_eq!(
        repo(&of_many).place_for_namespace(&name).unwrap().path.as_str(),
        "apps/one/three.yaml"
    );
}

#[test]
fn an_application_that_may_be_in_an_unreadable_file_is_not_called_missing() {
    let ns = app("ns", "cluster/namespaces");
    let sound = repo(&[("applications/ns.yaml", ns.as_str())]);
    let message = |repo: &Repo| repo.named_application("x").unwrap_err().to_string();
    assert_eq!(message(&sound), "there is no Application `x`");
    assert!(sound.check_all_read().is_ok());
    let broken = repo(&[("applications/x.yaml", "a: [\n")]);
    assert!(
        message(&broken).contains("not read: applications/x.yaml:1:4:"),
        "{}",
        message(&broken)
    );
    assert!(broken.check_all_read().is_err());
}

#[test]
fn a_file_that_cannot_be_read_is_not_overwritten() {
    let root = app("root", "applications");
    let repo = repo(&[("applications/root.yaml", &root), ("applications/three.yaml", "a: [\n")]);
    let error = refused(&repo);
    assert!(error.contains("cannot be read: applications/three.yaml:1:"), "{error}");
}
