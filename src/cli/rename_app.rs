//! `kubectl homelab rename-app`.

use anyhow::{Result, anyhow};
use clap::ValueEnum;

use super::branch;
use super::connection::ClusterArgs;
use super::edit_args::EditArgs;
use super::helm::HelmArgs;
use super::session::Session;
use super::source_dirs::SourceDirArgs;
use super::source_edit::planned;
use crate::cluster::{Applications, Selection};
use crate::edit::preserve;
use crate::edit::rename_app::{FolderRenaming, Renaming};
use crate::edit::{Edit, RuleGate};
use crate::failure::{Exit, HintExt};
use crate::model::finalizer::deleting;
use crate::model::{AppName, LiveApplication};
use crate::sources::Sources;

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  # What would be done, in which order
  kubectl homelab rename-app jellyfin tv --phase plan

  # Step 1: its objects stay when the Application of the old name goes
  kubectl homelab rename-app jellyfin tv --phase 1 --commit

  # Step 2, once step 1 is synced
  kubectl homelab rename-app jellyfin tv --commit

  # Step 2, after a look at the Application in the cluster
  kubectl homelab rename-app jellyfin tv --live --dry-run=client -o diff";

/// Give an Application another name; nothing that it renders gets one
///
/// Helm's release keeps the old name, so that every object, claim and pod stays. Both names are rendered and compared. The file is
/// renamed where it is the Application's, and what names the Application elsewhere follows.
///
/// An Application with Argo CD's finalizer takes all its objects with it when it goes, so that it is off first: `--phase 1` takes it
/// out of the manifest. The next run checks that this is in the branch that Argo CD reads, with `--live` also in the cluster, renames
/// the Application and gives it the finalizer again. `--phase 2` takes your word for it.
///
/// An Application that an ApplicationSet makes of a folder gets the name of its folder, in three steps: the set preserves what it deletes,
/// the folder is renamed, and the set is as it was. It is refused where the folder's name decides the namespace.
///
/// An Application that a chart renders gets its name by the value that is its name; where there is none, its template is named.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The Application
    #[arg(value_name = "APP")]
    old: String,

    /// Its new name
    #[arg(value_name = "NAME")]
    new: AppName,

    /// What is done; by default step 2, if step 1 is done
    #[arg(long, value_enum)]
    phase: Option<Phase>,

    /// Check in the cluster that step 1 is done
    #[arg(long)]
    live: bool,

    #[command(flatten)]
    sources: SourceDirArgs,

    #[command(flatten)]
    helm: HelmArgs,

    #[command(flatten)]
    cluster: ClusterArgs,

    #[command(flatten)]
    edit: EditArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Phase {
    /// Print the steps, and change nothing
    Plan,
    /// Take the finalizer off
    #[value(name = "1")]
    Finalizer,
    /// Rename, whatever is known of step 1
    #[value(name = "2")]
    Name,
    /// Of a folder: the set is as it was
    #[value(name = "3")]
    Release,
}

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    let Args {
        old,
        new,
        phase,
        live,
        sources,
        helm,
        cluster,
        edit: edit_args,
    } = args;
    let cluster = live.then_some(cluster);
    let planned = planned(
        session,
        (&sources, &helm),
        &edit_args.write,
        |repo, sources, session| {
            let again = format!("kubectl homelab rename-app {old} {new}");
            match FolderRenaming::of(repo, &old, &new)? {
                Some(folder) => of_folder(&folder, phase, &again, sources, session),
                None => {
                    let renaming = Renaming::of(repo, sources, &old, &new)?;
                    of_app(&renaming, (phase, cluster), &again, sources, session)
                }
            }
        },
    )?;
    match planned {
        Some((edit, gate)) => session.finish(&edit_args, &edit, &gate),
        None => Ok(Exit::Done),
    }
}

/// Plans a step of an Application with a manifest; `None` where the steps were printed.
fn of_app(
    renaming: &Renaming<'_>,
    (phase, cluster): (Option<Phase>, Option<ClusterArgs>),
    again: &str,
    sources: &Sources<'_>,
    session: &Session,
) -> Result<Option<(Edit, RuleGate)>> {
    match (phase, cluster) {
        (Some(Phase::Plan), _) => {
            session.terminal.data(&plan(renaming, again))?;
            return Ok(None);
        }
        (Some(Phase::Release), _) => {
            return Err(
                anyhow!("Application `{}` is renamed in two steps", renaming.old()).hint("leave out `--phase 3`")
            );
        }
        (Some(Phase::Finalizer), _) => return Ok(Some((renaming.without_finalizers(), RuleGate::default()))),
        (Some(Phase::Name) | None, Some(cluster)) => check_live(renaming, cluster)?,
        (None, None) => check(renaming, again, sources, session)?,
        (Some(Phase::Name), None) => {}
    }
    renaming.edit(sources).map(Some)
}

/// Plans the next step of a folder of which a set makes the Application; `None` where the steps were printed.
fn of_folder(
    folder: &FolderRenaming<'_>,
    phase: Option<Phase>,
    again: &str,
    sources: &Sources<'_>,
    session: &Session,
) -> Result<Option<(Edit, RuleGate)>> {
    let phase = match phase {
        Some(Phase::Plan) => {
            session.terminal.data(&folder.plan(again))?;
            return Ok(None);
        }
        Some(Phase::Finalizer) => preserve::Phase::Preserve,
        Some(Phase::Name) => preserve::Phase::Change,
        Some(Phase::Release) => preserve::Phase::Restore,
        None => folder.next(),
    };
    let (edit, gate, needed) = folder.step(phase, sources)?;
    needed.iter().try_for_each(|needed| branch::check(session, needed))?;
    Ok(Some((edit, gate)))
}

/// Refuses step 2 before step 1 is done: in the manifest, and in the branch that Argo CD reads.
fn check(renaming: &Renaming<'_>, again: &str, sources: &Sources<'_>, session: &Session) -> Result<()> {
    let finalizers = renaming.finalizers();
    if finalizers.is_empty() {
        let needed = renaming.needed(sources)?;
        return needed.iter().try_for_each(|needed| branch::check(session, needed));
    }
    let error = anyhow!(
        "Application `{}` has the finalizer `{}`: all that it rendered would be deleted with it",
        renaming.old(),
        finalizers.join("`, `")
    );
    let (manifest, parents) = renaming.place();
    let off = kubectl(renaming);
    let error = match parents.first() {
        Some(parent) => error.hint(format!(
            "take it off in `{}` with `{again} --phase 1`, push that, wait with `kubectl homelab wait {} --for synced`, then run `{again}`",
            manifest.file,
            parent.name()
        )),
        None => error.hint(format!("nothing syncs `{}`: take it off with `{off}`", manifest.file)),
    };
    Err(error.hint(format!(
        "if it is off in the cluster already (`{off}`), say so with `--phase 2`, or let that be checked with `--live`"
    )))
}

/// Refuses step 2 while the Application in the cluster still has the finalizer.
fn check_live(renaming: &Renaming<'_>, cluster: ClusterArgs) -> Result<()> {
    let old = renaming.old();
    let (cluster, namespace) = cluster.connect()?;
    let found = Applications::of(&cluster, namespace).find(&Selection::Named(vec![old.to_owned()]))?;
    let views = found.iter().filter_map(LiveApplication::application);
    let finalizers: Vec<&str> = views.flat_map(|app| deleting(&app)).collect();
    if finalizers.is_empty() {
        return Ok(());
    }
    Err(anyhow!(
        "Application `{old}` has the finalizer `{}` in the cluster: all that it rendered would be deleted with it",
        finalizers.join("`, `")
    )
    .hint(format!("take it off first: `{}`", kubectl(renaming))))
}

/// Returns the command that takes the finalizer off in the cluster.
fn kubectl(renaming: &Renaming<'_>) -> String {
    format!(
        "kubectl patch application {} -n {} --type merge -p '{{\"metadata\":{{\"finalizers\":null}}}}'",
        renaming.old(),
        renaming.namespace()
    )
}

fn plan(renaming: &Renaming<'_>, again: &str) -> String {
    let (old, new) = (renaming.old(), renaming.new_name());
    let (manifest, _) = renaming.place();
    let first = match renaming.finalizers().as_slice() {
        [] => "nothing to do: no finalizer deletes its objects with it".to_owned(),
        finalizers => format!(
            "take the finalizer `{}` off in `{}`, push it, and wait for its sync\n   {again} --phase 1",
            finalizers.join("`, `"),
            manifest.file
        ),
    };
    format!(
        "1. {first}\n2. rename Application `{old}` to `{new}` in one commit; its release keeps the name `{old}`\n   {again}\n"
    )
}
