//! A folder of which an ApplicationSet makes an Application gets another name. Argo CD would delete the Application with all its
//! objects and make another one: so the set preserves them first, and the release keeps its name.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow};
use serde_json::Value;

use super::finalizer::RENAMING;
use super::{folder_files, proof, release};
use crate::edit::convert::template;
use crate::edit::needed::Needed;
use crate::edit::preserve::{Phase, Preserving};
use crate::edit::source_override;
use crate::edit::{Edit, Renders, RuleGate};
use crate::failure::HintExt;
use crate::model::{AppName, Application, Object, Source};
use crate::repo::{ChangeSet, Generated, Manifest, Origin, Override, Repo, RepoPath};

/// A generated Application whose folder gets another name.
#[derive(Debug)]
pub struct FolderRenaming<'r> {
    repo: &'r Repo,
    set: &'r Manifest,
    preserving: Preserving<'r>,
    old: String,
    new: AppName,
    /// The Application and its folder, until it has the new name.
    app: Option<(&'r Manifest, RepoPath)>,
}

/// A planned step: the changes, what checks them, and what has to be in the branch before.
type FolderStep = (Edit, RuleGate, Vec<Needed>);

impl<'r> FolderRenaming<'r> {
    /// Finds a generated Application, or the set in which one has just got its new name; `None` where it is another Application.
    ///
    /// # Errors
    /// When nobody writes the set, or the Application is not made of one folder.
    pub fn of(repo: &'r Repo, old: &str, new: &AppName) -> Result<Option<Self>> {
        let (set, app) = match repo.application(old) {
            Some((manifest, _)) => match template::set_of(repo, manifest) {
                Some(set) => (set, Some((manifest, folder(repo, manifest)?))),
                None => return Ok(None),
            },
            None => {
                let note = format!("{old}={new}");
                match Preserving::noted(repo, RENAMING, |other| other == note) {
                    Some(set) => (set, None),
                    None => return Ok(None),
                }
            }
        };
        Ok(Some(Self {
            repo,
            set,
            preserving: Preserving::of(set, RENAMING)?,
            old: old.to_owned(),
            new: new.clone(),
            app,
        }))
    }

    /// Returns the next step.
    pub fn next(&self) -> Phase {
        match (&self.app, self.preserving.is_on()) {
            (None, _) => Phase::Restore,
            (Some(_), true) => Phase::Change,
            (Some(_), false) => Phase::Preserve,
        }
    }

    /// Returns the steps in words.
    pub fn plan(&self, again: &str) -> String {
        let (set, file) = (self.set.object.name(), &self.set.file);
        format!(
            "1. ApplicationSet `{set}` in `{file}` preserves what it deletes (`preserveResourcesOnDeletion`)\n   {again} --phase 1\n\
2. the folder gets its new name in one commit; the release keeps the name `{}`\n   {again} --phase 2\n\
3. ApplicationSet `{set}` is as it was\n   {again} --phase 3\n",
            self.old
        )
    }

    /// Plans a step.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn step(&self, phase: Phase, renders: &dyn Renders) -> Result<FolderStep> {
        phase.check_next(self.next())?;
        match phase {
            Phase::Preserve => self.preserve(),
            Phase::Change => self.rename(renders),
            Phase::Restore => Ok(self.restore()),
        }
    }

    fn preserve(&self) -> Result<FolderStep> {
        self.check_free()?;
        let edit = self.edit(
            1,
            self.preserving.on(&format!("{}={}", self.old, self.new))?,
            format!("Preserve what ApplicationSet {} deletes", self.set.object.name()),
            "push it, wait until Argo CD has synced it, then run the same command again: it renames the folder",
        );
        Ok((edit, RuleGate::default(), Vec::new()))
    }

    fn restore(&self) -> FolderStep {
        let edit = self.edit(
            3,
            self.preserving.off(),
            format!("Let ApplicationSet {} delete again", self.set.object.name()),
            "push it; the folder is renamed",
        );
        let step = "step 2 of 3, the new name".to_owned();
        let needed = self.file_of_new().map(|file| Needed::of_file(self.set, step, file));
        (edit, RuleGate::default(), needed.into_iter().collect())
    }

    /// Returns a file of the folder of the new name.
    fn file_of_new(&self) -> Option<RepoPath> {
        let (manifest, _) = self.repo.application(self.new.as_str())?;
        let folder = folder(self.repo, manifest).ok()?;
        self.repo.first_file_in(&folder)
    }

    fn edit(&self, step: u8, changes: ChangeSet, message: String, next: &str) -> Edit {
        Edit {
            changes,
            message,
            notes: vec![format!(
                "step {step} of 3: Application `{}` becomes `{}`",
                self.old, self.new
            )],
            next: Some(next.to_owned()),
            ..Edit::default()
        }
    }

    fn rename(&self, renders: &dyn Renders) -> Result<FolderStep> {
        let (manifest, folder) = self.app.as_ref().context("the folder has its new name already")?;
        let app = Application::new(&manifest.object).context("not an Application")?;
        let target = self.target(folder)?;
        self.check_free()?;
        let (texts, overridden) = self.with_release(&app, folder, renders)?;
        let changes = folder_files::moved(self.repo, renders, (folder, &target), &texts, (&app, &self.new))?;
        let files = self.repo.file_changes(&changes)?;
        let generated = renders.generate(&self.set.object, &files)?;
        let moved = self.check_generated(&generated, &app)?;
        let back = folder_files::relocated(moved, &target, folder);
        let view = Application::new(&back).context("not an Application")?;
        let proof = proof::of_renders(&app, &view, renders, &overridden)?;
        let (mut edit, mut gate, needed) = self.renamed(changes, (folder, &target), &generated);
        gate.before.insert(AppName::new(app.name())?, proof.before);
        gate.after.insert(self.new.clone(), proof.after);
        edit.notes.extend(proof.notes);
        Ok((edit, gate, needed))
    }

    /// Returns step 2 with its changes, after which the set generates these Applications.
    fn renamed(
        &self,
        changes: ChangeSet,
        (folder, target): (&RepoPath, &RepoPath),
        generated: &[Object],
    ) -> FolderStep {
        let manifests = generated.iter().map(|object| Manifest {
            object: object.clone(),
            file: self.set.file.clone(),
            document: self.set.document,
            origin: Origin::Generated(Generated {
                set: self.set.object.name().to_owned(),
                template: self.set.origin.template(),
                folders: vec![target.clone()],
            }),
        });
        let gate = RuleGate {
            generated: manifests.collect(),
            renamed: Some((self.old.clone(), self.new.to_string())),
            ..RuleGate::default()
        };
        let edit = self.edit(
            2,
            changes,
            format!("Rename folder {folder} to {target}"),
            "push it, wait until Argo CD has synced it, then run the same command again: the set is as it was then",
        );
        (edit, gate, vec![self.preserving.needed()])
    }

    /// Refuses a name that another Application has.
    fn check_free(&self) -> Result<()> {
        match self.repo.application(self.new.as_str()) {
            Some((other, _)) => Err(
                anyhow!("Application `{}` is there already, in `{}`", self.new, other.file).hint("choose another name"),
            ),
            None => Ok(()),
        }
    }

    /// Returns the new path of the folder: its name is a part of the Application's.
    fn target(&self, folder: &RepoPath) -> Result<RepoPath> {
        let base = folder.file_name();
        let around = self.old.split_once(base);
        let name = around.and_then(|(before, after)| self.new.as_str().strip_prefix(before)?.strip_suffix(after));
        match name.filter(|name| !name.is_empty()) {
            Some(name) => folder.parent().join(name),
            None => Err(anyhow!(
                "ApplicationSet `{}` makes the name `{}` of more than the folder `{folder}`, and `{}` is none that it would make",
                self.set.object.name(),
                self.old,
                self.new
            )
            .hint("choose a name that the set's template makes of a folder's name")),
        }
    }

    /// Returns the texts of files of overrides with the name of the release, and all overrides of the source then.
    fn with_release(
        &self,
        app: &Application<'_>,
        folder: &RepoPath,
        renders: &dyn Renders,
    ) -> Result<(BTreeMap<RepoPath, String>, Vec<Override>)> {
        let controller = self.repo.controller_namespace();
        let mut texts = BTreeMap::new();
        let mut all = Vec::new();
        for (position, (source, (_, merged))) in app.sources().iter().zip(self.repo.merged_sources(app)).enumerate() {
            let effective = Source::new(source.pointer.clone(), &merged);
            all.extend(self.repo.overrides_of(app, source, controller));
            if source.gives_files_only() || !release::is_named_after_application(&effective, renders)? {
                continue;
            }
            if source.path().and_then(|path| RepoPath::new(path).ok()).as_ref() != Some(folder) {
                return Err(anyhow!(
                    "the source of Application `{}` is not its folder: its release cannot keep its name",
                    self.old
                )
                .hint("set the name of the release in the set's template first"));
            }
            if !effective.uses_homelab_plugin() {
                return Err(
                    anyhow!("Argo CD's own Helm renders Application `{}`", self.old).hint(format!(
                        "move it to the plugin first: `kubectl homelab convert {}`",
                        self.old
                    )),
                );
            }
            let plugin = release::with_name(&effective, &self.old);
            let written = source_override::write(self.repo, renders.files(), app, position, &plugin)?;
            all = written.overrides;
            texts.extend(all.iter().map(|one| (one.file.clone(), one.text.clone())));
        }
        Ok((texts, all))
    }

    /// Returns the Application of the new name among those that the set generates then; the others have to be what they were.
    fn check_generated<'g>(&self, generated: &'g [Object], app: &Application<'_>) -> Result<&'g Object> {
        let set = self.set.object.name();
        let found = generated.iter().find(|object| object.name() == self.new.as_str());
        let found = found.ok_or_else(|| {
            let names: Vec<&str> = generated.iter().map(Object::name).collect();
            anyhow!(
                "ApplicationSet `{set}` would make no Application `{}` of the folder; it makes {}",
                self.new,
                names.join(", ")
            )
            .hint("choose a name that the set's template makes of a folder's name")
        })?;
        let before = template::generated_by(self.repo, self.set);
        let is_other = |object: &&Object| object.name() != self.new.as_str();
        let others: Vec<&Value> = generated.iter().filter(is_other).map(Object::tree).collect();
        let known: Vec<_> = before.iter().filter(|other| other.object.name() != self.old).collect();
        if others.len() != known.len() || !known.iter().all(|other| others.contains(&other.object.tree())) {
            return Err(anyhow!(
                "ApplicationSet `{set}` would change more than Application `{}`",
                self.old
            )
            .hint("rename the folder by hand, and compare with `kubectl homelab list -o tree`"));
        }
        let view = Application::new(found).context("not an Application")?;
        if view.destination_namespace() != app.destination_namespace() {
            return Err(anyhow!(
                "the folder's name decides the namespace: Application `{}` would start with empty claims in `{}`, and those in `{}` stay behind",
                self.new,
                view.destination_namespace().unwrap_or("default"),
                app.destination_namespace().unwrap_or("default")
            )
            .hint("leave the folder its name, or let the set's template name the namespace in another way first"));
        }
        Ok(found)
    }
}

/// Returns the folder that a set makes an Application of.
fn folder(repo: &Repo, manifest: &Manifest) -> Result<RepoPath> {
    let Origin::Generated(generated) = &manifest.origin else {
        return Err(anyhow!("Application `{}` is not generated", manifest.object.name()));
    };
    match generated.folders.as_slice() {
        [one] if repo.has_file(one) => Ok(one.parent()),
        [one] => Ok(one.clone()),
        _ => Err(anyhow!(
            "ApplicationSet `{}` does not make Application `{}` of a folder of this repository",
            generated.set,
            manifest.object.name()
        )
        .hint(format!("change what the set in `{}` makes the name of", manifest.file))),
    }
}
