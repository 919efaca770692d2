//! What Argo CD will do to each object of an Application that goes: said before anything is written, by the comparison of `diff`.

use std::collections::BTreeSet;

use anyhow::{Result, anyhow};

use crate::cli::base_read;
use crate::cli::session::Session;
use crate::compare::{Circumstances, Comparison, Level, Prediction, State};
use crate::edit::remove_app::{Plan, Stage};
use crate::failure::HintExt;
use crate::git::WorkingTree;
use crate::masking::Values;
use crate::model::{AppRenders, ClaimRef};
use crate::repo::Repo;
use crate::report::comparison::{Report, table};
use crate::rules::Scope;
use crate::sources::{Options, Snapshot, SourceDirs, Sources};

/// The state that Argo CD has, as far as Git tells.
struct Base {
    /// The last commit, where the working tree differs from it.
    snapshot: Option<Snapshot>,
    renders: AppRenders,
    name: String,
    commit: Option<String>,
}

/// Says what happens to each object and claim.
///
/// # Errors
/// When a claim would be deleted that nobody has named: what guards it is not committed, or not where Argo CD reads it.
pub(super) fn say(
    plan: &Plan,
    session: &Session,
    renders: &AppRenders,
    (dirs, options): (&SourceDirs, &Options),
) -> Result<()> {
    let (repo, checkout) = (session.repo()?, session.checkout()?);
    let base = Base::of(plan, session, renders, (dirs, options))?;
    let before = base.snapshot.as_ref().map_or(repo, Snapshot::repo);
    let after = after(plan, repo)?;
    let of_app = |renders: &AppRenders| -> AppRenders {
        let found = renders.get(&plan.name).cloned();
        found.into_iter().map(|render| (plan.name.clone(), render)).collect()
    };
    let now = of_app(&plan.gate.after);
    let (old, new) = (Scope::new(before, &base.renders), Scope::new(&after, &now));
    let (old, new) = (State::of(&old), State::of(&new));
    let is_read = base_read::reads(checkout, repo, base.commit.as_deref());
    let circumstances = Circumstances {
        is_read: Some(&is_read),
        ..Circumstances::named(&base.name)
    };
    let mut comparison = Comparison::of(&old, &new, &circumstances);
    comparison.predictions.retain(|one| is_about(one, plan));
    comparison.withheld.retain(|one| one.app == plan.name);
    let report = Report {
        comparison: &comparison,
        base: (&base.name, base.commit.as_deref()),
        head: ("this change", None),
        repo: &after,
        applications: (1, 1),
        changed: &BTreeSet::from([plan.name.clone()]),
        is_change: true,
        doubt: None,
        secrets: &Values::default(),
    };
    let text = table(&report, false);
    text.lines().for_each(|line| session.terminal.say(line));
    report.summary().iter().for_each(|line| session.terminal.say(line));
    match plan.stage {
        Stage::Removal => check_kept(plan, &comparison, &base.name),
        _ => Ok(()),
    }
}

/// Returns the repository with the change.
fn after(plan: &Plan, repo: &Repo) -> Result<Repo> {
    let after = repo.with(&plan.edit.changes)?;
    Ok(match &plan.gate.derived {
        Some(derived) => after.with_derived(derived),
        None => after.regenerated(&plan.gate.generated),
    })
}

fn is_about(one: &Prediction<'_>, plan: &Plan) -> bool {
    let name = plan.name.without_root();
    let is_it = one.place.object.kind == "Application" && one.place.object.name == name.as_str();
    let leads = |step: &String| step.strip_prefix("Application/") == Some(name.as_str());
    one.app == plan.name || is_it || one.via.iter().any(leads)
}

/// Refuses a removal with which data is lost that nobody has named.
fn check_kept(plan: &Plan, comparison: &Comparison<'_>, base: &str) -> Result<()> {
    let mut deleted = comparison.predictions.iter().filter(|one| {
        let is_kept = one.place.claim().is_some_and(|claim| plan.claims.kept.contains(&claim));
        one.action().deletes() && (is_kept || one.level == Level::DataLoss && !is_named(plan, one))
    });
    let Some(lost) = deleted.next() else {
        return Ok(());
    };
    if lost.place.is("", "Namespace") {
        let namespace = &lost.place.object.name;
        return Err(anyhow!(
            "Namespace `{namespace}` would be deleted with everything in it, whatever else is there: {}",
            lost.outcome.reason.sentence
        )
        .hint("guard it first, in a commit of its own, with `kubectl homelab validate --fix --rules +HL201`"));
    }
    Err(anyhow!(
        "`{}` would be deleted with its data: {}",
        lost.place,
        lost.outcome.reason.sentence
    )
    .hint(format!(
        "what guards it is not in `{base}`: commit and push that alone, wait for its sync, then run the same command again"
    )))
}

/// Reports whether an object is a claim that is lost by name, or the volume of one.
fn is_named(plan: &Plan, one: &Prediction<'_>) -> bool {
    let claim = one.place.claim();
    let mut lost = plan.claims.lost.iter().map(|lost| &lost.claim);
    lost.any(|lost| claim.as_ref() == Some(lost) || is_volume_of(one, lost))
}

/// Reports whether an object is the volume of a claim.
fn is_volume_of(one: &Prediction<'_>, claim: &ClaimRef) -> bool {
    let text = |pointer: &'static str| one.object()?.at(pointer)?.as_str();
    one.place.is("", "PersistentVolume")
        && one.place.cluster == claim.cluster
        && text("/spec/claimRef/name") == Some(claim.name.as_str())
        && text("/spec/claimRef/namespace").is_none_or(|namespace| namespace == claim.namespace.as_str())
}

impl Base {
    fn of(
        plan: &Plan,
        session: &Session,
        renders: &AppRenders,
        (dirs, options): (&SourceDirs, &Options),
    ) -> Result<Self> {
        let checkout = session.checkout()?;
        let state = WorkingTree::at(checkout.root()).and_then(|tree| Some((tree.state().ok()?, tree)));
        let of_app = |renders: &AppRenders| -> AppRenders {
            let found = renders.get(&plan.name).cloned();
            found.into_iter().map(|render| (plan.name.clone(), render)).collect()
        };
        let Some((state, tree)) = state else {
            return Ok(Self {
                snapshot: None,
                renders: of_app(renders),
                name: "what is here".to_owned(),
                commit: None,
            });
        };
        let name = tree.short(&state.commit);
        if !state.dirty {
            return Ok(Self {
                snapshot: None,
                renders: of_app(renders),
                name,
                commit: Some(state.commit),
            });
        }
        let settings = session.repo()?.settings.clone();
        let snapshot = Snapshot::of(checkout, "HEAD", settings, (dirs, options))?;
        let sources = Sources::of_snapshot(&snapshot, dirs, options);
        let (renders, _) = sources.render_where(|name| *name == plan.name, |_| {})?;
        Ok(Self {
            snapshot: Some(snapshot),
            renders,
            name,
            commit: Some(state.commit),
        })
    }
}
