use serde_json::{Value, json};

use super::*;
use crate::model::{AppRenders, Object, Unavailable};
use crate::repo::{Memory, Repo};

fn app(name: &str, namespace: &str) -> (String, String) {
    let text = format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}, namespace: argocd}}\nspec:\n  destination: {{namespace: {namespace}, server: https://kubernetes.default.svc}}\n  source: {{repoURL: https://git.example.org/home, path: files/{name}}}\n"
    );
    (format!("apps/{name}.yaml"), text)
}

fn claim(namespace: &str, name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name, "namespace": namespace}})
}

fn pod(claim: &str, read_only: bool) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {
        "containers": [{"name": "c", "volumeMounts": [{"name": "v", "mountPath": "/v", "readOnly": read_only}]}],
        "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": claim}}]}})
}

fn volume(name: &str, path: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": {
        "nfs": {"server": "nas", "path": path}, "claimRef": {"namespace": "media", "name": name}}})
}

fn proposal(apps: &[(&str, &str, Option<Vec<Value>>)]) -> Proposal {
    let files: Vec<_> = apps.iter().map(|(name, namespace, _)| app(name, namespace)).collect();
    let files = files.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    let repo = Repo::read(&Memory::new(files).unwrap(), &[]).unwrap();
    let render = |objects: &Option<Vec<Value>>| match objects {
        Some(objects) => Availability::Available(objects.iter().cloned().map(Object::new).collect()),
        None => Availability::Unavailable(Unavailable::OtherPlugin {
            name: "other".to_owned(),
            own: "homelab-v1".to_owned(),
        }),
    };
    let renders: AppRenders = apps
        .iter()
        .map(|(name, _, objects)| (AppName::new(*name).unwrap(), render(objects)))
        .collect();
    propose(&Scope::new(&repo, &renders))
}

fn described(proposal: &Proposal) -> Vec<String> {
    let list = |paths: &BTreeSet<ClaimPath>| paths.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let line = |app: &ProposedApp| {
        format!(
            "{}: owns [{}] writes [{}] reads [{}]",
            app.name,
            list(&app.owns),
            list(&app.writes),
            list(&app.reads)
        )
    };
    proposal.applications.iter().map(line).collect()
}

#[test]
fn who_renders_a_claim_owns_it_and_the_others_keep_what_they_do() {
    let proposal = proposal(&[
        ("cleaner", "media", Some(vec![pod("films", false)])),
        (
            "fetcher",
            "media",
            Some(vec![claim("media", "films"), pod("films", false)]),
        ),
        ("player", "media", Some(vec![pod("films", true)])),
        ("sorter", "media", Some(vec![pod("films", false)])),
        ("without", "media", Some(vec![])),
    ]);
    assert_eq!(
        described(&proposal),
        [
            "cleaner: owns [] writes [films] reads []",
            "fetcher: owns [films] writes [] reads []",
            "player: owns [] writes [] reads [films]",
            "sorter: owns [] writes [films] reads []",
        ]
    );
    let choices = proposal.choices();
    let written: Vec<String> = choices
        .writes
        .iter()
        .map(|of| format!("{:?} {}", of.app, of.claim))
        .collect();
    assert_eq!(written.len(), 2, "{written:?}");
    assert!(choices.read_only.is_empty() && choices.guard_first);
}

#[test]
fn storage_alone_owns_claims_of_another_namespace() {
    let proposal = proposal(&[
        (
            "storage",
            "kube-system",
            Some(vec![claim("media", "films"), claim("tv", "films")]),
        ),
        ("player", "media", Some(vec![pod("films", false)])),
    ]);
    assert_eq!(
        described(&proposal),
        [
            "player: owns [] writes [films] reads []",
            "storage: owns [media/films tv/films] writes [] reads []",
        ]
    );
}

#[test]
fn a_claim_that_nobody_declares_stays_as_it_is_mounted() {
    let proposal = proposal(&[
        ("one", "media", Some(vec![pod("films", false)])),
        ("two", "media", Some(vec![pod("films", true)])),
        ("other", "media", None),
    ]);
    assert_eq!(
        described(&proposal),
        [
            "one: owns [] writes [films] reads []",
            "two: owns [] writes [] reads [films]",
        ]
    );
    assert_eq!(proposal.unowned().count(), 1);
    assert!(proposal.choices().unowned);
    assert_eq!(proposal.left[0].names, ["other"]);
    assert!(proposal.left[0].why.contains("another plugin"), "{:?}", proposal.left);
}

#[test]
fn volumes_of_one_server_and_path_are_one_disk() {
    let proposal = proposal(&[
        (
            "one",
            "media",
            Some(vec![volume("films", "/media"), volume("radio", "/radio")]),
        ),
        ("two", "media", Some(vec![volume("more-films", "/media/")])),
    ]);
    let volumes = BTreeSet::from([
        "films (media/films)".to_owned(),
        "more-films (media/more-films)".to_owned(),
    ]);
    let place = "nas:/media".to_owned();
    assert_eq!(proposal.disks, [Disk { place, volumes }]);
}
