use super::*;
use crate::edit::Rendered;
use crate::repo::change::FileChange;
use crate::repo::{Files, Memory, RepoPath};
use serde_json::json;

/// The files of a repository whose Applications render nothing.
pub(in crate::edit) struct Nothing(pub(in crate::edit) Memory);

impl Renders for Nothing {
    fn files(&self) -> &dyn Files {
        &self.0
    }

    fn render(&self, _: &Application<'_>) -> Result<Rendered> {
        Ok(Rendered {
            raw: Vec::new(),
            finished: Vec::new(),
            notes: Vec::new(),
        })
    }

    fn render_overridden(&self, app: &Application<'_>, _: &[Override]) -> Result<Rendered> {
        self.render(app)
    }

    fn generate(&self, _: &Object, _: &[FileChange]) -> Result<Vec<Object>> {
        Ok(Vec::new())
    }

    fn desired(&self, _: &[FileChange]) -> Result<Vec<Manifest>> {
        Ok(Vec::new())
    }

    fn reads(&self, _: &Application<'_>) -> Result<Vec<RepoPath>> {
        Ok(Vec::new())
    }

    fn overridden(&self, _: &Application<'_>, _: &Source<'_>) -> Result<Option<(RepoPath, &'static str)>> {
        Ok(None)
    }
}

const HOME: &str = "https://git.example.org/home";

/// Returns the changed file after `mounts` got an entry, or after all of its entries went, or the error.
fn after(files: &[(&str, &str)], adds: bool) -> Result<(String, String), String> {
    let nothing = Nothing(Memory::new(files.iter().copied()).unwrap());
    let repo = Repo::read(&nothing.0, &[HOME.to_owned()]).unwrap();
    let line = |error: anyhow::Error| {
        let failure = Failure::from(error);
        format!("{} | {}", failure.one_line(), failure.hints.join("; "))
    };
    let target = Target::new(&repo, &nothing, "player").map_err(line)?;
    let edit = |_: usize, source: &Source<'_>| match adds {
        true => entries::add_to_parameter(source, "mounts", &["films:/f"]),
        false => entries::remove_from_parameter(source, "mounts", |_| true),
    };
    let changed = target.change(&target.positions(), &edit).map_err(line)?;
    let changed = repo.file_changes(&changed.changes).unwrap();
    assert_eq!(changed.len(), 1, "{changed:?}");
    Ok((changed[0].path.to_string(), changed[0].after.clone().unwrap()))
}

const HEAD: &str = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: player}\nspec:\n  source:\n    repoURL: https://git.example.org/home\n    path: player\n";

#[test]
fn a_manifest_is_changed_and_changed_back() {
    for plugin in [
        "    plugin: {name: homelab-v1}\n",
        "    plugin:\n      name: homelab-v1 # ours\n  # the end\n",
        "    plugin:\n      name: homelab-v1\n      parameters:\n      - name: owns # its own\n        array: [data]\n",
        "    plugin: {name: homelab-v1, parameters: [{name: owns, array: [data]}]}\n",
        "    plugin:\r\n      name: homelab-v1\r\n      parameters:\r\n        - name: owns\r\n          array:\r\n            - data # ours\r\n",
    ] {
        let head = if plugin.contains('\r') {
            HEAD.replace('\n', "\r\n")
        } else {
            HEAD.to_owned()
        };
        let text = format!("{head}{plugin}");
        let (file, added) = after(&[("apps/player.yaml", &text)], true).unwrap();
        assert!(added.contains("films:/f"), "{added}");
        let (_, back) = after(&[(&file, &added)], false).unwrap();
        assert_eq!(back, text);
    }
}

#[test]
fn an_item_of_a_list_is_changed_in_its_place() {
    let text = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: argoproj.io/v1alpha1\n  kind: Application\n  metadata: {name: player}\n  spec: {source: {repoURL: u, path: p, plugin: {name: homelab-v1}}} # all\n";
    let (_, added) = after(&[("apps/all.yaml", text)], true).unwrap();
    assert_eq!(
        added,
        text.replace(
            "{name: homelab-v1}",
            "{name: homelab-v1, parameters: [{name: mounts, array: [\"films:/f\"]}]}"
        )
    );
}

#[test]
fn a_file_that_gives_the_plugin_is_changed_for_a_written_application_too() {
    let files = [
        ("apps/player.yaml", HEAD),
        ("player/.argocd-source.yaml", "plugin:\n  name: homelab-v1 # here\n"),
    ];
    let (file, added) = after(&files, true).unwrap();
    assert_eq!(file, "player/.argocd-source.yaml");
    assert_eq!(
        added,
        "plugin:\n  name: homelab-v1 # here\n  parameters:\n  - name: mounts\n    array:\n    - films:/f\n"
    );
}

#[test]
fn without_the_plugin_there_are_no_parameters() {
    assert_eq!(
        after(&[("apps/player.yaml", HEAD)], true).unwrap_err(),
        "Application `player` is not rendered by the plugin, which does this by its parameters | move it to the plugin first with `kubectl homelab convert player`"
    );
    let other = format!("{HEAD}    plugin: {{name: other}}\n");
    let error = after(&[("apps/player.yaml", &other)], true).unwrap_err();
    assert!(
        error.starts_with("Application `player` is rendered by the plugin `other`"),
        "{error}"
    );
}

#[test]
fn each_source_of_the_plugin_is_meant() {
    let nothing = Nothing(Memory::new([]).unwrap());
    let text = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: player}\nspec:\n  sources:\n  - {repoURL: u, ref: v}\n  - {repoURL: u, path: a, plugin: {name: homelab-v1}}\n  - {repoURL: u, path: b}\n  - {repoURL: u, path: c, plugin: {name: homelab-v1}}\n";
    let repo = Repo::read(&Memory::new([("apps/player.yaml", text)]).unwrap(), &[]).unwrap();
    let target = Target::new(&repo, &nothing, "player").unwrap();
    assert_eq!(target.positions(), [1, 3]);
    assert_eq!(json!(target.name.as_str()), json!("player"));
}

#[test]
fn comments_stay_with_what_they_are_about() {
    let parameters = "    plugin:\n      name: homelab-v1\n      parameters:\n      # what it plays\n      - name: mounts\n        array:\n        # the old disk\n        - old:/old # soon gone\n        # the new disk\n        - films:/films # 2 TiB\n      # its own\n      - name: owns\n        array: [data]\n";
    let text = format!("{HEAD}{parameters}");
    let nothing = Nothing(Memory::new([("apps/player.yaml", text.as_str())]).unwrap());
    let repo = Repo::read(&nothing.0, &[]).unwrap();
    let target = Target::new(&repo, &nothing, "player").unwrap();
    let without = |claim: &'static str| {
        let edit = |_: usize, source: &Source<'_>| {
            entries::remove_from_parameter(source, "mounts", |entry| entry.starts_with(claim))
        };
        let changed = target.change(&[0], &edit).unwrap();
        let text = repo.file_changes(&changed.changes).unwrap().remove(0).after.unwrap();
        (text.split_once("parameters:\n").unwrap().1.to_owned(), changed.notes)
    };
    let (text, notes) = without("films");
    assert_eq!(
        text,
        "      # what it plays\n      - name: mounts\n        array:\n        # the old disk\n        - old:/old # soon gone\n        # the new disk\n      # its own\n      - name: owns\n        array: [data]\n"
    );
    assert_eq!(
        notes,
        ["apps/player.yaml:16: the comment above what is taken out stays"]
    );
    let (text, notes) = without("");
    assert_eq!(
        text,
        "      # what it plays\n      # its own\n      - name: owns\n        array: [data]\n"
    );
    assert_eq!(
        notes,
        ["apps/player.yaml:11: the comment above what is taken out stays"]
    );
}
