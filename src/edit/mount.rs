//! `mount` and `unmount`: a claim in a workload whose chart does not know it.

use anyhow::{Context, Result, anyhow};

use super::parameters::{Changed, Target, entries};
use super::{Edit, KnownClaim, RuleGate};
use crate::failure::HintExt;
use crate::model::mount::Mount;
use crate::model::{Availability, ClaimPath, Source};

/// A request to mount a claim.
#[derive(Clone, Debug)]
pub struct Request {
    /// What is mounted where.
    pub mount: Mount,
    /// The source whose workload gets it, from 1; needed where several could be meant.
    pub position: Option<usize>,
}

/// Mounts a claim into a workload of an Application.
///
/// # Errors
/// When another mount is in the way, or it is not clear which workload is meant.
pub fn mount(target: &Target<'_>, known: &KnownClaim, request: &Request) -> Result<(Edit, RuleGate)> {
    let destination = target.app()?.namespace_name();
    let (name, mut mount) = (&target.name, request.mount.clone());
    // A pod mounts claims of its own namespace: that of the claim says which workloads are meant.
    mount.namespace = ClaimPath::of(&known.claim, destination.as_ref()).namespace;
    let mount = &mount;
    let message = format!("Mount claim {} into {name} at {}", known.claim, mount.path);
    let positions = chosen(target, request.position)?;
    for position in &positions {
        let there = target.parameters(*position)?.mounts;
        if there.contains(mount) {
            return Ok(nothing(
                message,
                format!(
                    "`{name}` mounts claim `{}` at `{}` already",
                    mount.claim_path(),
                    mount.path
                ),
            ));
        }
        check_place(target, mount, &there)?;
    }
    let entry = mount.to_string();
    let edit =
        |_: usize, source: &Source<'_>| entries::add_to_parameter(source, "mounts", std::slice::from_ref(&entry));
    let changed = match positions.as_slice() {
        [only] => target.change(&[*only], &edit)?,
        several => fitting(target, several, &|position| target.change(&[position], &edit))?,
    };
    let access = access(target, known, &positions)?;
    let (mut edit, gate) = target.finish(changed, message);
    edit.notes.extend(known.doubt.iter().cloned().chain([access]));
    Ok((edit, gate))
}

/// Refuses a mount where another one of the same claim is.
fn check_place(target: &Target<'_>, mount: &Mount, there: &[Mount]) -> Result<()> {
    let is_here = |other: &&Mount| {
        let place = |mount: &Mount| (mount.namespace.clone(), mount.workload.clone(), mount.container.clone());
        other.path == mount.path && place(other) == place(mount)
    };
    let Some(other) = there.iter().find(is_here) else {
        return Ok(());
    };
    Err(
        anyhow!("`{}` has a mount at `{}` already: `{other}`", target.name, mount.path).hint(format!(
            "take that one out first with `kubectl homelab unmount {} --from {} --at {}`",
            other.claim_path(),
            target.name,
            other.path
        )),
    )
}

/// Returns the positions of the plugin's sources, or of the named one, from 0.
fn chosen(target: &Target<'_>, position: Option<usize>) -> Result<Vec<usize>> {
    let positions = target.positions();
    let Some(position) = position else {
        return Ok(positions);
    };
    if position > 0 && positions.contains(&(position - 1)) {
        return Ok(vec![position - 1]);
    }
    Err(anyhow!(
        "source {position} of Application `{}` is not one that the plugin renders",
        target.name
    )
    .hint(format!("name one of {}", numbers(&positions))))
}

fn numbers(positions: &[usize]) -> String {
    let numbers: Vec<String> = positions.iter().map(|position| (position + 1).to_string()).collect();
    numbers.join(", ")
}

/// Returns the change of the only source that renders with it.
fn fitting(target: &Target<'_>, positions: &[usize], change: &dyn Fn(usize) -> Result<Changed>) -> Result<Changed> {
    let (mut fitting, mut failed) = (Vec::new(), None);
    for position in positions {
        match change(*position) {
            Ok(changed) if matches!(changed.after, Availability::Available(_)) => fitting.push((*position, changed)),
            Ok(_) => {}
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    let several = |positions: &[usize]| {
        anyhow!(
            "Application `{}` has several sources that could be meant: {}",
            target.name,
            numbers(positions)
        )
        .hint("name one with `--source-position N`")
    };
    match fitting.len() {
        1 => fitting.pop().map(|(_, changed)| changed).context("there is one"),
        0 => Err(failed.unwrap_or_else(|| several(positions))),
        _ => Err(several(
            &fitting.iter().map(|(position, _)| *position).collect::<Vec<_>>(),
        )),
    }
}

/// Returns how the claim is mounted, in a sentence.
fn access(target: &Target<'_>, known: &KnownClaim, positions: &[usize]) -> Result<String> {
    let claim = &known.claim;
    if known.owners.contains(&target.name) {
        return Ok(format!(
            "`{}` owns claim `{claim}`, so that it is mounted to be written",
            target.name
        ));
    }
    let app = target.app()?;
    let namespace = app.namespace_name();
    for position in positions {
        let writes = target.parameters(*position)?.writes;
        let mut written = writes
            .iter()
            .map(|path| (path.namespace_in(namespace.as_ref()), &path.name));
        if written.any(|(place, name)| place == Some(&claim.namespace) && *name == claim.name) {
            return Ok(format!(
                "claim `{claim}` is in `writes`, so that it is mounted to be written"
            ));
        }
    }
    Ok(format!("claim `{claim}` is mounted read-only"))
}

/// Takes the mounts of a claim out of an Application; with a path, the one there.
///
/// # Errors
/// When the Application would not render without the mount.
pub fn unmount(target: &Target<'_>, claim: &ClaimPath, path: Option<&str>) -> Result<(Edit, RuleGate)> {
    let destination = target.app()?.namespace_name();
    let (name, destination) = (&target.name, destination.as_ref());
    let place = path.map(|path| format!(" at `{path}`")).unwrap_or_default();
    let is_of =
        |mount: &Mount| mount.claim == claim.name && mount.namespace_in(destination) == claim.namespace_in(destination);
    let is_meant = |mount: &Mount| is_of(mount) && path.is_none_or(|path| path == mount.path);
    let (mut positions, mut gone, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for position in target.positions() {
        let (meant, rest): (Vec<Mount>, Vec<Mount>) =
            target.parameters(position)?.mounts.into_iter().partition(is_meant);
        if !meant.is_empty() {
            positions.push(position);
        }
        gone.extend(meant.iter().map(|mount| format!("`{mount}`")));
        others.extend(rest.iter().map(|mount| format!("`{mount}`")));
    }
    let message = format!("Unmount claim {claim} from {name}");
    if gone.is_empty() {
        let has = match others.as_slice() {
            [] => "it has no `mounts`".to_owned(),
            others => format!("its `mounts` are {}", others.join(", ")),
        };
        return Ok(nothing(
            message,
            format!("`{name}` has no mount of claim `{claim}`{place}: {has}"),
        ));
    }
    let is_entry = |entry: &str| entry.parse::<Mount>().is_ok_and(|mount| is_meant(&mount));
    let edit = |_: usize, source: &Source<'_>| entries::remove_from_parameter(source, "mounts", is_entry);
    let changed = target.change(&positions, &edit)?;
    let (mut edit, gate) = target.finish(changed, message);
    edit.notes.push(format!("taken out of `mounts`: {}", gone.join(", ")));
    Ok((edit, gate))
}

/// Returns the edit that changes nothing, with the reason.
pub(super) fn nothing(message: String, why: String) -> (Edit, RuleGate) {
    let edit = Edit {
        message,
        notes: vec![why],
        ..Edit::default()
    };
    (edit, RuleGate::default())
}
