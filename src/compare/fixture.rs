//! Two small repositories for tests, from a short form of YAML:
//!
//! ```yaml
//! base: {media: [{kind: PersistentVolumeClaim, name: data}]}
//! head: {media: []}
//! ```
//!
//! An Application is a list of objects, or a map with `objects` and what is not as usual: `spec`, `namespace`, `finalizers`, `annotations`,
//! `path`, the parameters `owns`, `moves`, `moved-from`, `keeps` and `releases`, and `by`: `root`, `hand` or the name of a set.
//! `set/NAME` is an ApplicationSet. Objects have `kind`, `name`, `ns`, `labels`, `annotations`, and shorthands: `size` and `class` of a
//! claim; `image`, `replicas`, `pod`, `claims` and `reads` of a workload.

mod short;

use serde_json::{Map, Value, json};

use super::{Circumstances, Comparison, State};
use crate::model::{AppName, AppRenders, Availability, Object, Pointer};
use crate::repo::{Anchor, Generated, Manifest, Memory, Origin, Repo, RepoPath, Unknown};
use crate::rules::Scope;
use short::{application, objects, set_of};

const HOME: &str = "https://git.example.org/me/home";

/// Two states.
pub(crate) struct Fixture {
    sides: [(Repo, AppRenders); 2],
}

impl Fixture {
    pub(crate) fn read(text: &str) -> Self {
        let tree: Value = yaml_serde::from_str(text).unwrap();
        Self {
            sides: ["base", "head"].map(|side| repository(tree[side].as_object().unwrap())),
        }
    }

    /// Compares the two states.
    pub(crate) fn compare<R>(&self, then: impl FnOnce(&Comparison<'_>) -> R) -> R {
        self.compare_in(&Circumstances::named("abc1234"), then)
    }

    pub(crate) fn compare_in<R>(
        &self,
        circumstances: &Circumstances<'_>,
        then: impl FnOnce(&Comparison<'_>) -> R,
    ) -> R {
        let [base, head] = &self.sides;
        let (base, head) = (Scope::new(&base.0, &base.1), Scope::new(&head.0, &head.1));
        let (base, head) = (State::of(&base), State::of(&head));
        then(&Comparison::of(&base, &head, circumstances))
    }

    /// Returns a line for each prediction: object, action, reason, guard, and the checks that fire.
    pub(crate) fn describe(&self) -> String {
        self.compare(|comparison| {
            let lines = comparison.predictions.iter().map(|one| {
                let hits: Vec<&str> = one.hits.iter().map(|hit| hit.id).collect();
                let twin = one.twin.as_ref().map(|twin| format!(" ~ {twin}")).unwrap_or_default();
                format!(
                    "{}{twin}: {} {} {} [{}] {}\n",
                    one.place,
                    one.action(),
                    one.outcome.reason.word,
                    one.outcome.guard.word(),
                    hits.join(" "),
                    one.level
                )
            });
            let withheld = comparison
                .withheld
                .iter()
                .map(|one| format!("{}: withheld {:?}\n", one.app, one.side));
            lines.chain(withheld).collect()
        })
    }
}

fn repository(side: &Map<String, Value>) -> (Repo, AppRenders) {
    let mut files: Vec<(String, String)> = Vec::new();
    let (mut renders, mut generated, mut in_root, mut unknown) =
        (AppRenders::new(), Vec::new(), Vec::new(), Vec::new());
    let root = application(
        "root",
        &json!({"namespace": "argocd", "path": "applications", "repo": HOME}),
    );
    files.push(("root.yaml".to_owned(), root.to_string()));
    for (name, entry) in side {
        if let Some(set) = name.strip_prefix("set/") {
            let tree = set_of(set, entry);
            files.push((format!("applications/{set}.yaml"), tree.to_string()));
            in_root.push(Object::new(tree));
            if let Some(why) = entry["unknown"].as_str() {
                unknown.push(Unknown {
                    name: set.to_owned(),
                    kind: "ApplicationSet",
                    place: (RepoPath::new(&format!("applications/{set}.yaml")).unwrap(), 0),
                    why: why.to_owned(),
                    hint: None,
                });
            }
            continue;
        }
        let tree = application(name, entry);
        match entry["by"].as_str().unwrap_or("root") {
            "root" => {
                files.push((format!("applications/{name}.yaml"), tree.to_string()));
                in_root.push(Object::new(tree));
            }
            "hand" => files.push((format!("hand/{name}.yaml"), tree.to_string())),
            set => generated.push((set.to_owned(), Object::new(tree))),
        }
        let render = match entry["fails"].as_str() {
            Some(message) => Availability::Failed {
                message: message.to_owned(),
                hint: None,
                rule: None,
            },
            None => Availability::Available(objects(entry).into_iter().map(Object::new).collect()),
        };
        renders.insert(AppName::new(name).unwrap(), render);
    }
    renders.insert(AppName::new("root").unwrap(), Availability::Available(in_root));
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    let mut repo = Repo::read(&Memory::new(files).unwrap(), &[HOME.to_owned()]).unwrap();
    repo.unknown.extend(unknown);
    for (set, object) in generated {
        repo.derived.push(Manifest {
            file: RepoPath::new(&format!("applications/{set}.yaml")).unwrap(),
            document: 0,
            object,
            origin: Origin::Generated(Generated {
                set,
                template: Anchor::Of(Pointer::from_static("/spec/template").to_buf()),
                folders: Vec::new(),
            }),
        });
    }
    (repo, renders)
}
