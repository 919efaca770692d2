//! A generated Application goes in three steps where its claims would go with it: its set preserves what it deletes, the Application
//! goes, and the set is as it was. All that it has in the cluster stays there.

use anyhow::{Context, Result, anyhow};

use super::{Claims, Leaving, Plan, Request, Stage, manifest};
use crate::edit::convert::template;
use crate::edit::needed::Needed;
use crate::edit::preserve::{Phase, Preserving};
use crate::edit::{Edit, Renders, RuleGate};
use crate::failure::HintExt;
use crate::model::AppName;
use crate::repo::{Manifest, Repo, RepoPath};

/// The annotation of a set: the Application that goes, and a file that changes with it.
const REMOVING: &str = "storage.home.arpa/removing";

/// Returns the set of a generated Application, where somebody writes it.
pub(super) fn set_of<'r>(repo: &'r Repo, manifest: &Manifest) -> Option<Preserving<'r>> {
    let set = template::set_of(repo, manifest)?;
    Preserving::of(set, REMOVING).ok()
}

/// Returns the step that comes next; `None` where the Application goes in one commit. `kept` is why it cannot, if that is so.
pub(super) fn next(set: Option<&Preserving<'_>>, request: &Request, kept: Result<()>) -> Result<Option<Phase>> {
    let wanted = request.phase;
    let Some(set) = set else {
        return match wanted {
            Some(_) => Err(no_set(&request.name)),
            None => kept.map(|()| None),
        };
    };
    if set.is_on() && !request.delete_data.is_empty() {
        return Err(anyhow!(
            "ApplicationSet `{}` preserves what it deletes: all claims of Application `{}` would stay",
            set.set.object.name(),
            request.name
        )
        .hint(
            "leave out `--delete-data`, and delete the claim with `kubectl delete pvc` once the Application is gone",
        ));
    }
    let next = if set.is_on() { Phase::Change } else { Phase::Preserve };
    let is_possible = request.delete_data.is_empty() && set.on("").is_ok();
    match (wanted, next) {
        (Some(wanted), _) => wanted.check_next(next).map(|()| Some(next)),
        (None, Phase::Preserve) if kept.is_err() && is_possible => Ok(Some(next)),
        (None, Phase::Preserve) => kept.map(|()| None),
        (None, _) => kept.map(|()| Some(next)),
    }
}

/// Returns the steps in words.
///
/// # Errors
/// When no set generates the Application, or nobody writes the set.
pub fn steps(repo: &Repo, name: &str, again: &str) -> Result<String> {
    let (manifest, _) = repo.named_application(name)?;
    let set = set_of(repo, manifest).ok_or_else(|| no_set(name))?;
    let (file, set) = (&set.set.file, set.set.object.name());
    Ok(format!(
        "1. ApplicationSet `{set}` in `{file}` preserves what it deletes (`preserveResourcesOnDeletion`)\n   {again} --phase 1\n\
2. Application `{name}` goes in one commit; all that it has in the cluster stays there\n   {again} --phase 2\n\
3. ApplicationSet `{set}` is as it was\n   {again} --phase 3\n"
    ))
}

/// Returns the Application and the file of a note.
fn parts(note: &str) -> (&str, &str) {
    note.split_once('=').unwrap_or((note, ""))
}

fn no_set(name: &str) -> anyhow::Error {
    anyhow!("Application `{name}` goes in one step: no ApplicationSet that is written here generates it")
        .hint("leave out `--phase`")
}

impl Leaving<'_, '_> {
    /// Plans step 1. The removal has to be possible then.
    pub(super) fn preserve(&self, set: &Preserving<'_>, claims: Claims) -> Result<Plan> {
        let (name, in_set) = (&self.subject.name, set.set.object.name());
        let removal = manifest::removal(self.scope.repo, self.renders, self.manifest)?;
        let file = removal.changes.changes.first().map(|change| change.path().clone());
        let note = format!("{name}={}", file.context("nothing makes the Application")?);
        self.removal(&claims, removal)?;
        let edit = Edit {
            changes: set.on(&note)?,
            message: format!("Preserve what ApplicationSet {in_set} deletes"),
            notes: vec![format!(
                "step 1 of 3: ApplicationSet `{in_set}` preserves what it deletes, so that `{name}` takes nothing with it"
            )],
            next: Some(
                "push it, wait until Argo CD has synced it, then run the same command again: it takes the Application out"
                    .to_owned(),
            ),
            ..Edit::default()
        };
        Ok(Plan {
            stage: Stage::Preserve,
            name: name.clone(),
            claims,
            edit,
            gate: RuleGate::default(),
            needed: Vec::new(),
        })
    }
}

/// Says that the objects stay, and that an edit is step 2 where step 1 was made for it.
pub(super) fn say_second(set: &Preserving<'_>, name: &AppName, edit: &mut Edit) {
    let is_noted = set.note().is_some_and(|note| parts(note).0 == name.as_str());
    let step = if is_noted { "step 2 of 3: " } else { "" };
    let note = format!("{step}all that `{name}` has in the cluster stays there, and nothing manages it");
    edit.notes.insert(0, note);
    if is_noted {
        edit.next = Some(
            "push it, wait until Argo CD has synced it, then run the same command again: the set is as it was then"
                .to_owned(),
        );
    }
}

/// Plans step 3, where a set notes that the Application was to go; `None` where none does.
pub(super) fn restored(repo: &Repo, renders: &dyn Renders, request: &Request) -> Result<Option<Plan>> {
    let Some(set) = Preserving::noted(repo, REMOVING, |note| parts(note).0 == request.name) else {
        return Ok(None);
    };
    request.phase.unwrap_or(Phase::Restore).check_next(Phase::Restore)?;
    let preserving = Preserving::of(set, REMOVING)?;
    let (_, file) = parts(preserving.note().unwrap_or_default());
    let (in_set, mut needed) = (set.object.name(), Vec::new());
    if let Ok(file) = RepoPath::new(file) {
        let now = renders.files().read(&file)?;
        let now = now.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        needed.push(Needed::of_text(set, "step 2 of 3, the removal".to_owned(), file, now));
    }
    let edit = Edit {
        changes: preserving.off(),
        message: format!("Let ApplicationSet {in_set} delete again"),
        notes: vec![format!("step 3 of 3: ApplicationSet `{in_set}` is as it was")],
        next: Some(format!("push it; Application `{}` is gone", request.name)),
        ..Edit::default()
    };
    Ok(Some(Plan {
        stage: Stage::Restore,
        name: AppName::new(&request.name)?,
        claims: Claims::default(),
        edit,
        gate: RuleGate::default(),
        needed,
    }))
}
