//! The words of a command line that say what is written: two that are the same command have the same ones.

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

/// The heading of the flags that choose the cluster and the user. They may be passwords.
const CLUSTER: &str = "Cluster";
/// The flags that decide where the repository is, and what becomes of a change.
const BESIDES: [&str; 4] = ["repo_dir", "dry_run", "commit", "output"];

/// Returns the words that a command line stands for: the command, its arguments, then its flags in the order of its help.
pub(super) fn of(program: &Command, matches: &ArgMatches) -> Vec<String> {
    let (mut words, mut flags) = (Vec::new(), Vec::new());
    let mut names = Vec::new();
    let (mut command, mut matches) = (program, matches);
    while let Some((name, below)) = matches.subcommand()
        && let Some(found) = command.find_subcommand(name)
    {
        names.push((name, command.is_hide_set()));
        (command, matches) = (found, below);
        for arg in command.get_arguments().filter(|arg| counts(arg)) {
            match arg.is_positional() {
                true => words.extend(values(arg, matches)),
                false => flags.extend(values(arg, matches).flat_map(|value| flag(arg, value))),
            }
        }
    }
    // `remove app` is another way to write `remove-app`.
    let mut all: Vec<String> = Vec::new();
    for (name, is_below_hidden) in names {
        match all.last_mut().filter(|_| is_below_hidden) {
            Some(last) => *last += &format!("-{name}"),
            None => all.push(name.to_owned()),
        }
    }
    all.extend(words);
    all.extend(flags);
    all
}

fn counts(arg: &Arg) -> bool {
    !BESIDES.contains(&arg.get_id().as_str()) && arg.get_help_heading() != Some(CLUSTER)
}

/// Returns the values that an argument has on the command line.
fn values<'m>(arg: &Arg, matches: &'m ArgMatches) -> impl Iterator<Item = String> + use<'m> {
    let id = arg.get_id().as_str();
    let is_typed = matches.try_contains_id(id).is_ok() && matches.value_source(id) == Some(ValueSource::CommandLine);
    let raw = is_typed.then(|| matches.get_raw(id)).flatten().into_iter().flatten();
    raw.map(|value| value.to_string_lossy().into_owned())
}

fn flag(arg: &Arg, value: String) -> Vec<String> {
    let name = match (arg.get_long(), arg.get_short()) {
        (Some(long), _) => format!("--{long}"),
        (None, short) => format!("-{}", short.unwrap_or_default()),
    };
    match arg.get_action() {
        ArgAction::SetTrue => vec![name],
        _ if arg.is_require_equals_set() => vec![format!("{name}={value}")],
        _ => vec![name, value],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{command, flags};

    fn words(line: &str) -> String {
        let mut program = command();
        let typed: Vec<std::ffi::OsString> = line.split(' ').map(Into::into).collect();
        let typed = flags::normalized(&program, &typed).unwrap();
        let matches = program.try_get_matches_from_mut(typed).unwrap();
        of(&program, &matches).join(" ")
    }

    #[test]
    fn what_does_not_change_the_files_is_left_out() {
        for (typed, read_as) in [
            ("k remove-app films", "remove-app films"),
            ("k --repo-dir x remove-app films --commit", "remove-app films"),
            ("k remove app films --commit=mine -o name", "remove-app films"),
            ("k remove-app films --dry-run=client", "remove-app films"),
            (
                "k remove-app --orphan-consumers --phase 2 films",
                "remove-app films --orphan-consumers --phase 2",
            ),
            (
                "k remove-app films --orphan-consumers=true",
                "remove-app films --orphan-consumers",
            ),
            ("k remove-app films --orphan-consumers=false", "remove-app films"),
            ("k lock disable --token secret -s https://k8s", "lock disable"),
            (
                "k lock enable writes --path=lock --recreate-jobs",
                "lock enable writes --path lock --recreate-jobs",
            ),
            (
                "k mount films --at /films --into player",
                "mount films --into player --at /films",
            ),
        ] {
            assert_eq!(words(typed), read_as, "{typed}");
        }
    }

    #[test]
    fn what_changes_the_files_is_kept() {
        let other = |one: &str, other: &str| assert_ne!(words(one), words(other));
        other("k remove-app films", "k remove-app player");
        other("k remove-app films", "k remove-app films --orphan-consumers");
        let app = "k add-app a --upsert";
        other(&format!("{app} -n media"), &format!("{app} -n radio"));
        other(
            &format!("{app} --mount x:/x"),
            &format!("{app} --mount x:/x --mount y:/y"),
        );
    }

    /// Words that are left out by their name or heading have to be those that are meant.
    #[test]
    fn the_flags_of_the_cluster_have_their_heading() {
        let program = command();
        let disable = program
            .find_subcommand("lock")
            .unwrap()
            .find_subcommand("disable")
            .unwrap();
        let of_cluster: Vec<&str> = disable
            .get_arguments()
            .filter(|arg| !counts(arg))
            .map(|arg| arg.get_id().as_str())
            .collect();
        for id in ["token", "kubeconfig", "dry_run", "commit", "output"] {
            assert!(of_cluster.contains(&id), "{of_cluster:?}");
        }
    }
}
